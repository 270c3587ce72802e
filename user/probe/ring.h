/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one ring buffer by its descriptor; needs no privilege beyond having it. libbpf's reader
 * maps the data twice, and both count as memory of the process: with 20 MiB of rings that is most
 * of what the agent may use. Here a record that wraps is copied instead.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pk_ring_reader;

typedef void (*pk_ring_take)(void *arg, const void *rec, size_t size);

/* What the kernel shares: positions, then data. size is a power of two. */
struct pk_ring_memory {
	unsigned long *consumer, *producer;
	uint8_t *data;
	size_t size;
};

/* fd is borrowed as long as the reader lives. take gets each record, in order, aligned to 8. */
int pk_ring_open(int fd, pk_ring_take take, void *arg, struct pk_ring_reader **ret_ring);
/* The same over memory that the caller keeps (tests). */
int pk_ring_over(const struct pk_ring_memory *m, pk_ring_take take, void *arg,
		 struct pk_ring_reader **ret_ring);
void pk_ring_close(struct pk_ring_reader *r);
int pk_ring_fd(const struct pk_ring_reader *r); /* readable while there are records */
/* Takes what is there, at most max records. Returns how many; max: there may be more. -EBADMSG: a
 * record that can't be; the ring is stuck there. */
int pk_ring_read(struct pk_ring_reader *r, int max);
/* The first 8 bytes of the next record, by which rings are read in one order; 0: a record that was
 * discarded; UINT64_MAX: there is none, or it is still being written. */
uint64_t pk_ring_next(const struct pk_ring_reader *r);
