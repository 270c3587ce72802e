/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists from a bucket of NATS JetStream: a thread that is told of each change as it happens, and
 * looks by itself now and then. What it got it hands to the loop, one list at a time.
 */
#pragma once

#include "pull/news.h"

#include <stddef.h>

struct event_base;
struct evbuffer;
struct pk_bus;
struct pk_conf;

/* What the thread says; the loop's to free. */
struct pk_bus_news {
	const char *list;
	enum pk_pull_outcome outcome; /* ACCEPTED: here is the body, say what became of it */
	struct evbuffer *body;
	uint8_t sha256[32]; /* of it */
	uint64_t next_ms;
	char why[PK_PULL_WHY];
};

/* conf, lists (as they are named) are borrowed. got: in the loop. */
int pk_bus_new(struct event_base *base, const struct pk_conf *conf, const char *const *lists,
	       size_t n, void (*got)(void *arg, struct pk_bus_news *news), void *arg,
	       struct pk_bus **ret_bus);
/* The thread begins: not before the sandbox. */
int pk_bus_start(struct pk_bus *b);
/* What became of the body that came last: it waits for that. */
void pk_bus_answer(struct pk_bus *b, bool taken);
/* Looks at all of them anew, whatever it knows. */
void pk_bus_soon(struct pk_bus *b);
