/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the bytes of the packets in memory. Positions count bytes ever taken, starting one ring
 * ahead so that none is 0; a record lies in one piece, and what is left before the end of the
 * memory is skipped. It knows nothing of flows but the links it was given, and no clock.
 */
#include "capture/ring.h"

#include "base/cleanup.h"

#include <string.h>
#include <sys/mman.h>

#define BYTES_MIN 4096

/* All sizes are multiples of 8: what is skipped at the end has room for the first word at least. */
struct head {
	uint32_t size; /* with this head */
	uint32_t skip; /* 1: no packet, go on behind it */
	uint64_t before;
};

struct pk_packet_ring {
	uint8_t *mem;
	uint64_t size;
	uint64_t tail, top; /* oldest packet, and where the next one goes */
	struct pk_packet_counts n;
};

struct pk_packet_ring *pk_packet_ring_new(size_t bytes)
{
	_cleanup_free_ struct pk_packet_ring *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->size = (bytes < BYTES_MIN ? BYTES_MIN : bytes) & ~(size_t)7;
	/* not malloc: no part of it is to be touched, or kept, for anything else */
	r->mem = mmap(NULL, r->size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r->mem == MAP_FAILED)
		return NULL;
	(void)madvise(r->mem, r->size, MADV_DONTDUMP); /* payload has no place in a core file */
	r->tail = r->top = r->size;
	r->n.max = r->size;
	return PK_TAKE(r);
}

void pk_packet_ring_free(struct pk_packet_ring *r)
{
	if (!r)
		return;
	munmap(r->mem, r->size);
	free(r);
}

static struct head *at(const struct pk_packet_ring *r, uint64_t position)
{
	return (void *)(r->mem + position % r->size);
}

static void drop_oldest(struct pk_packet_ring *r)
{
	const struct head *h = at(r, r->tail);

	if (!h->skip) {
		r->n.packets--;
		r->n.gone++;
	}
	r->tail += h->size;
}

static void make_room(struct pk_packet_ring *r, uint64_t need)
{
	while (r->top + need - r->tail > r->size)
		drop_oldest(r);
}

uint64_t pk_packet_ring_add(struct pk_packet_ring *r, const struct pk_sample *s, uint64_t before)
{
	uint64_t len = sizeof(*s) + s->data_len, need = sizeof(struct head) + ((len + 7) & ~7ull);
	uint64_t rest = r->size - r->top % r->size, position;
	struct head *h;

	if (need > r->size) {
		r->n.refused++;
		return PK_PACKET_NONE;
	}
	if (rest < need) {
		make_room(r, rest);
		h = at(r, r->top);
		h->size = (uint32_t)rest; /* below the largest packet, so it fits */
		h->skip = 1;
		r->top += rest;
	}
	make_room(r, need);
	position = r->top;
	h = at(r, position);
	*h = (struct head){ .size = (uint32_t)need, .before = before };
	memcpy(h + 1, s, len);
	r->top += need;
	r->n.packets++;
	r->n.taken++;
	return position;
}

static bool is_kept(const struct pk_packet_ring *r, uint64_t position)
{
	return position >= r->tail && position < r->top;
}

const struct pk_sample *pk_packet_ring_at(const struct pk_packet_ring *r, uint64_t position)
{
	return is_kept(r, position) ? (const void *)(at(r, position) + 1) : NULL;
}

uint64_t pk_packet_ring_before(const struct pk_packet_ring *r, uint64_t position)
{
	uint64_t before = is_kept(r, position) ? at(r, position)->before : PK_PACKET_NONE;

	return is_kept(r, before) ? before : PK_PACKET_NONE;
}

uint64_t pk_packet_ring_next(const struct pk_packet_ring *r, uint64_t position)
{
	uint64_t next = r->tail;

	/* one that has gone meanwhile: what is left comes behind it */
	if (is_kept(r, position))
		next = position + at(r, position)->size;
	else if (position >= r->top)
		return PK_PACKET_NONE;
	while (next < r->top && at(r, next)->skip)
		next += at(r, next)->size;
	return next < r->top ? next : PK_PACKET_NONE;
}

uint64_t pk_packet_ring_top(const struct pk_packet_ring *r)
{
	return r->top;
}

void pk_packet_ring_counts(const struct pk_packet_ring *r, struct pk_packet_counts *ret_counts)
{
	const struct pk_sample *s = pk_packet_ring_at(r, pk_packet_ring_next(r, PK_PACKET_NONE));

	*ret_counts = r->n;
	ret_counts->bytes = r->top - r->tail;
	ret_counts->oldest_ns = s ? s->hdr.ts : 0;
}
