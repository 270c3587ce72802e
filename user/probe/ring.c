/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring reader that stops after so many records, so that one busy ring can't keep the loop from
 * the others. It does not look into records.
 */
#include "probe/ring.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

struct pk_ring_reader {
	struct ring_buffer *rb;
	void (*take)(void *arg, const void *rec, size_t size);
	void *arg;
	int left, taken;
};

static int on_record(void *ctx, void *rec, size_t size)
{
	struct pk_ring_reader *r = ctx;

	r->take(r->arg, rec, size);
	r->taken++;
	return --r->left > 0 ? 0 : -EAGAIN; /* libbpf stops here; this record is consumed */
}

int pk_ring_open(int fd, void (*take)(void *arg, const void *rec, size_t size), void *arg,
		 struct pk_ring_reader **ret_ring)
{
	struct pk_ring_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->take = take;
	r->arg = arg;
	r->rb = ring_buffer__new(fd, on_record, r, NULL);
	if (!r->rb) {
		int e = errno ? -errno : -EINVAL;

		free(r);
		return e;
	}
	*ret_ring = r;
	return 0;
}

void pk_ring_close(struct pk_ring_reader *r)
{
	if (!r)
		return;
	ring_buffer__free(r->rb);
	free(r);
}

int pk_ring_fd(const struct pk_ring_reader *r)
{
	return ring_buffer__epoll_fd(r->rb);
}

int pk_ring_read(struct pk_ring_reader *r, int max)
{
	int e;

	r->left = max;
	r->taken = 0;
	e = ring_buffer__consume(r->rb);
	return e < 0 && e != -EAGAIN ? e : r->taken;
}
