/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of bytes, a mutex and a condition. Places count bytes ever put, so they only grow; a
 * record never wraps: what does not fit before the end is put at the beginning, behind a mark. The
 * lock is held for a copy or less. It knows nothing of what records mean.
 */
#include "base/queue.h"

#include "base/cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define QUEUE_MIN 4096u
#define HEAD      8u         /* length, then padding: records stay aligned */
#define SKIP      UINT32_MAX /* the rest of the ring is not used this time */

struct pk_queue {
	pthread_mutex_t lock;
	pthread_cond_t more;
	uint64_t head, tail; /* bytes ever put and dropped, with heads and padding */
	size_t size;         /* a power of two */
	bool woken, waits;   /* for records */
	uint8_t *data;
};

int pk_queue_new(size_t bytes, struct pk_queue **ret_queue)
{
	struct pk_queue *q = calloc(1, sizeof(*q));
	pthread_condattr_t attr;

	if (!q)
		return -ENOMEM;
	q->size = QUEUE_MIN;
	while (q->size < bytes)
		q->size *= 2;
	q->data = malloc(q->size);
	if (!q->data) {
		free(q);
		return -ENOMEM;
	}
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->more, &attr);
	pthread_condattr_destroy(&attr);
	*ret_queue = q;
	return 0;
}

void pk_queue_free(struct pk_queue *q)
{
	if (!q)
		return;
	pthread_cond_destroy(&q->more);
	pthread_mutex_destroy(&q->lock);
	free(q->data);
	free(q);
}

static void write_len(struct pk_queue *q, uint64_t at, uint32_t len)
{
	memcpy(q->data + (at & (q->size - 1)), &len, sizeof(len));
}

/* The place of a record that takes need bytes, its skipped end included; false: no room. */
static bool find_room(struct pk_queue *q, size_t need, size_t may_use, uint64_t *ret_at)
{
	size_t to_end = q->size - (q->head & (q->size - 1));
	size_t skip = to_end < need ? to_end : 0;

	if (q->head - q->tail + skip + need > may_use)
		return false;
	if (skip)
		write_len(q, q->head, SKIP);
	*ret_at = q->head + skip;
	return true;
}

int pk_queue_put(struct pk_queue *q, const struct iovec *part, size_t parts, unsigned share)
{
	size_t len = 0, need;
	uint64_t at;
	bool room;

	for (size_t i = 0; i < parts; i++)
		len += part[i].iov_len;
	need = HEAD + ((len + 7) & ~(size_t)7);
	if (len >= SKIP || need > q->size / 2)
		return -EMSGSIZE;
	pthread_mutex_lock(&q->lock);
	room = find_room(q, need, q->size / 256 * share, &at);
	if (room) {
		uint8_t *to = q->data + (at & (q->size - 1)) + HEAD;

		write_len(q, at, (uint32_t)len);
		for (size_t i = 0; i < parts; to += part[i].iov_len, i++)
			if (part[i].iov_len)
				memcpy(to, part[i].iov_base, part[i].iov_len);
		q->head = at + need;
		if (q->waits)
			pthread_cond_signal(&q->more);
	}
	pthread_mutex_unlock(&q->lock);
	return room ? 0 : -ENOBUFS;
}

const void *pk_queue_next(struct pk_queue *q, uint64_t *at, size_t *ret_len)
{
	const uint8_t *p;
	uint64_t head;
	uint32_t len;

	pthread_mutex_lock(&q->lock);
	head = q->head;
	pthread_mutex_unlock(&q->lock);
	for (;;) {
		if (*at >= head)
			return NULL;
		p = q->data + (*at & (q->size - 1));
		memcpy(&len, p, sizeof(len));
		if (len != SKIP)
			break;
		*at += q->size - (*at & (q->size - 1));
	}
	*at += HEAD + ((len + 7ull) & ~7ull);
	*ret_len = len;
	return p + HEAD;
}

uint64_t pk_queue_tail(struct pk_queue *q)
{
	uint64_t at;

	pthread_mutex_lock(&q->lock);
	at = q->tail;
	pthread_mutex_unlock(&q->lock);
	return at;
}

void pk_queue_drop(struct pk_queue *q, uint64_t at)
{
	pthread_mutex_lock(&q->lock);
	q->tail = at;
	pthread_mutex_unlock(&q->lock);
}

void pk_queue_wait(struct pk_queue *q, bool records, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&q->lock);
	q->waits = records;
	while (!q->woken && !(records && q->head != q->tail))
		if (pthread_cond_timedwait(&q->more, &q->lock, &until) == ETIMEDOUT)
			break;
	q->waits = q->woken = false;
	pthread_mutex_unlock(&q->lock);
}

void pk_queue_wake(struct pk_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->woken = true;
	pthread_cond_signal(&q->more);
	pthread_mutex_unlock(&q->lock);
}

size_t pk_queue_used(struct pk_queue *q)
{
	size_t used;

	pthread_mutex_lock(&q->lock);
	used = q->head - q->tail;
	pthread_mutex_unlock(&q->lock);
	return used;
}
