/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the store, by a connection of its own that can not write. Rows that are still in the
 * queue are not seen. Each call is bounded in time. One thread only, which may be the one that
 * puts.
 */
#pragma once

#include "store/store.h"

struct pk_store_query {
	enum pk_store_kind kind;
	uint64_t since_ns, until_ns; /* since the epoch, until excluded; 0: no bound */
	uint8_t severity_min;
	const char *technique, *incident_uid; /* NULL: any */
	const uint8_t *remote;                /* NULL: any */
	/* In the order of the last change, not of creation: then after is the change of the last
	 * row one has seen. */
	bool by_change;
	uint64_t after;    /* id of the last row one has seen; 0: none */
	bool oldest_first; /* else the newest */
	size_t limit;      /* 0: 1000 */
};

struct pk_store_item {
	uint64_t id;     /* in the order of creation */
	uint64_t change; /* in that of changes: its last record of the chain */
	uint64_t time_ns;
	const char *uid, *json; /* borrowed for the call */
	size_t len;
};

/* Anything but 0 ends the list. */
typedef int (*pk_store_item_fn)(void *arg, const struct pk_store_item *item);
typedef int (*pk_store_flow_fn)(void *arg, const struct pk_store_flow *flow);

/* 0; -ETIME: it took too long and was cut; else -errno, -ENODATA when there is no database yet. */
int pk_store_list(struct pk_store *s, const struct pk_store_query *query, pk_store_item_fn fn,
		  void *arg);
/* The row itself, or -ENOENT. */
int pk_store_get(struct pk_store *s, enum pk_store_kind kind, const char *uid, pk_store_item_fn fn,
		 void *arg);
/* Flows that ended in the time of the query, in the order of their ends; it has remote (either
 * end), after, order and limit besides. */
int pk_store_flows(struct pk_store *s, const struct pk_store_query *query, pk_store_flow_fn fn,
		   void *arg);
