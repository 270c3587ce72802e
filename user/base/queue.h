/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue of byte records from one thread to another. The one that puts never waits for
 * the other's work: what finds no room is refused. What was taken stays until it is dropped, so a
 * reader that failed half-way can begin again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct pk_queue;

/* bytes: rounded up to a power of two, at least 4096. */
int pk_queue_new(size_t bytes, struct pk_queue **ret_queue);
void pk_queue_free(struct pk_queue *q);

/*
 * Copies the parts as one record. share: what is in use afterwards may be at most so many
 * 256ths of the queue, so that what matters less leaves room (256: all of it). -ENOBUFS: no room.
 * -EMSGSIZE: larger than the queue will ever hold.
 */
int pk_queue_put(struct pk_queue *q, const struct iovec *part, size_t parts, unsigned share);

/*
 * The record at *at (pk_queue_tail() for the first), which then is the next one's place. Borrowed
 * until dropped, aligned to 8 bytes. NULL: there is none (yet).
 */
const void *pk_queue_next(struct pk_queue *q, uint64_t *at, size_t *ret_len);
uint64_t pk_queue_tail(struct pk_queue *q);
/* Everything before this place was dealt with. */
void pk_queue_drop(struct pk_queue *q, uint64_t at);

/* Waits for a wake, and if records, for one that was not dropped, at most so long. */
void pk_queue_wait(struct pk_queue *q, bool records, unsigned ms);
void pk_queue_wake(struct pk_queue *q);
size_t pk_queue_used(struct pk_queue *q); /* bytes */
