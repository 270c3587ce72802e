/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consumer side of BPF_MAP_TYPE_RINGBUF (kernel: Documentation/bpf/ringbuf.rst). It stops after so
 * many records, so that one busy ring can't keep the loop from the others, and does not look into
 * them.
 */
#include "probe/ring.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>

struct pk_ring_reader {
	struct pk_ring_memory m;
	pk_ring_take take;
	void *arg;
	int fd; /* -1: over the caller's memory */
	size_t page;
	uint8_t *whole; /* a wrapped record put together */
	size_t whole_size;
};

int pk_ring_over(const struct pk_ring_memory *m, pk_ring_take take, void *arg,
		 struct pk_ring_reader **ret_ring)
{
	struct pk_ring_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct pk_ring_reader){ .m = *m, .take = take, .arg = arg, .fd = -1 };
	*ret_ring = r;
	return 0;
}

int pk_ring_open(int fd, pk_ring_take take, void *arg, struct pk_ring_reader **ret_ring)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct bpf_map_info info = { 0 };
	struct pk_ring_memory m;
	uint32_t len = sizeof(info);
	void *consumer, *producer;
	int r;

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	if (info.type != BPF_MAP_TYPE_RINGBUF)
		return -EINVAL;
	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	producer = mmap(NULL, page + info.max_entries, PROT_READ, MAP_SHARED, fd, page);
	if (producer == MAP_FAILED) {
		r = -errno;
		munmap(consumer, page);
		return r;
	}
	m = (struct pk_ring_memory){ consumer, producer, (uint8_t *)producer + page,
				     info.max_entries };
	r = pk_ring_over(&m, take, arg, ret_ring);
	if (r < 0) {
		munmap(consumer, page);
		munmap(producer, page + info.max_entries);
		return r;
	}
	(*ret_ring)->fd = fd;
	(*ret_ring)->page = page;
	return 0;
}

void pk_ring_close(struct pk_ring_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0) {
		munmap(r->m.consumer, r->page);
		munmap(r->m.producer, r->page + r->m.size);
	}
	free(r->whole);
	free(r);
}

int pk_ring_fd(const struct pk_ring_reader *r)
{
	return r->fd;
}

/* The record at pos in one piece; NULL: out of memory. */
static const void *record_at(struct pk_ring_reader *r, size_t pos, size_t len)
{
	size_t at = pos & (r->m.size - 1), first = r->m.size - at;

	if (len <= first)
		return r->m.data + at;
	if (len > r->whole_size) {
		uint8_t *whole = realloc(r->whole, len);

		if (!whole)
			return NULL;
		r->whole = whole;
		r->whole_size = len;
	}
	memcpy(r->whole, r->m.data + at, first);
	memcpy(r->whole + first, r->m.data, len - first);
	return r->whole;
}

/* One record; *cons moves behind it. 1: taken; 0: it is still being written. */
static int read_one(struct pk_ring_reader *r, size_t *cons, size_t prod)
{
	const uint32_t *head = (const uint32_t *)(r->m.data + (*cons & (r->m.size - 1)));
	uint32_t word = __atomic_load_n(head, __ATOMIC_ACQUIRE);
	size_t len = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	size_t total = (len + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
	const void *rec;

	if (word & BPF_RINGBUF_BUSY_BIT)
		return 0;
	if (total > prod - *cons)
		return -EBADMSG;
	if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
		rec = record_at(r, *cons + BPF_RINGBUF_HDR_SZ, len);
		if (!rec)
			return -ENOMEM;
		r->take(r->arg, rec, len);
	}
	*cons += total;
	__atomic_store_n(r->m.consumer, *cons, __ATOMIC_RELEASE);
	return 1;
}

int pk_ring_read(struct pk_ring_reader *r, int max)
{
	size_t cons = __atomic_load_n(r->m.consumer, __ATOMIC_ACQUIRE), prod;
	int n = 0, e;

	while (n < max) {
		prod = __atomic_load_n(r->m.producer, __ATOMIC_ACQUIRE);
		if (cons == prod)
			return n;
		e = read_one(r, &cons, prod);
		if (e <= 0)
			return e < 0 ? e : n;
		n++;
	}
	return n;
}

uint64_t pk_ring_next(const struct pk_ring_reader *r)
{
	size_t cons = __atomic_load_n(r->m.consumer, __ATOMIC_ACQUIRE), mask = r->m.size - 1;
	uint32_t word;
	uint64_t first;

	if (cons == __atomic_load_n(r->m.producer, __ATOMIC_ACQUIRE))
		return UINT64_MAX;
	word = __atomic_load_n((const uint32_t *)(r->m.data + (cons & mask)), __ATOMIC_ACQUIRE);
	if (word & BPF_RINGBUF_BUSY_BIT)
		return UINT64_MAX;
	if (word & BPF_RINGBUF_DISCARD_BIT)
		return 0;
	memcpy(&first, r->m.data + ((cons + BPF_RINGBUF_HDR_SZ) & mask), sizeof(first));
	return first;
}
