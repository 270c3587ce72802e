/* SPDX-License-Identifier: Apache-2.0 */
/* The store from inside: what store.c (both threads), work.c (the writing one) and query.c share.
 */
#pragma once

#include "store/checkpoint.h"
#include "store/retain.h"
#include "store/store.h"
#include "store/write.h"

#include <pthread.h>
#include <stdatomic.h>

struct pk_queue;

enum pk_store_count {
	PK_SC_ROWS,
	PK_SC_FLOWS,
	PK_SC_FULL,
	PK_SC_FLOW_FULL,
	PK_SC_BAD,
	PK_SC_END,
	PK_SC_FAILED,
	PK_SC_CHECKPOINTS,
	PK_SC_CHECKPOINTS_FAILED,
	PK_SC_PRUNED_ROWS,
	PK_SC_PRUNED_FLOWS,
	PK_SC_BROKEN,
	PK_SC_CHAIN,
	PK_SC_BYTES,
	PK_SC_MAX
};

struct pk_store {
	struct pk_store_opts opts;
	struct pk_queue *queue;
	pthread_t thread;
	bool running;
	int event_fd;
	uint64_t put; /* tickets given out */
	atomic_uint_fast64_t done, count[PK_SC_MAX];
	atomic_uint generation; /* of the database: another one after a broken one */
	atomic_bool stop;
	pthread_mutex_t lock; /* of the texts */
	char trouble[160], kept[96];

	/* the writing thread's */
	struct pk_db db;
	struct pk_key key;
	struct pk_writer writer;
	struct pk_retain retain;
	bool open, was_broken;
	bool more; /* is queued than the last transaction took */
	uint64_t signed_n, signed_ns, retained_ns, tried_ns, measured_ns;

	/* the reading thread's */
	sqlite3 *reader;
	unsigned reader_generation;
	uint64_t reader_until_ns;
};

static inline void pk_store_add(struct pk_store *s, enum pk_store_count c, uint64_t n)
{
	atomic_fetch_add_explicit(&s->count[c], n, memory_order_relaxed);
}

/* NULL: all is well. */
void pk_store_trouble(struct pk_store *s, const char *text);
void *pk_store_work(void *store); /* the writing thread */
void pk_store_close_reader(struct pk_store *s);
