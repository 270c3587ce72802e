/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one ring buffer by its descriptor; needs no privilege beyond having it. */
#pragma once

#include <stddef.h>

struct pk_ring_reader;

/* fd is borrowed for the call (the memory stays mapped). take gets each record, in order. */
int pk_ring_open(int fd, void (*take)(void *arg, const void *rec, size_t size), void *arg,
		 struct pk_ring_reader **ret_ring);
void pk_ring_close(struct pk_ring_reader *r);
int pk_ring_fd(const struct pk_ring_reader *r); /* readable while there are records */
/* Takes what is there, at most max records. Returns how many; max: there may be more. */
int pk_ring_read(struct pk_ring_reader *r, int max);
