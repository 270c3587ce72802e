/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What takes too long for the loop, done by threads of its own. A thread touches its own work only,
 * until it has told that it is done; everything else happens in the loop.
 */
#pragma once

#include <stdbool.h>

struct event_base;
struct pk_work;
struct pk_works;

/* A member of what is worked on. */
struct pk_work {
	void (*run)(struct pk_work *w);  /* in the thread */
	void (*done)(struct pk_work *w); /* in the loop, when it has run */
	/* the rest is work.c's */
	struct pk_works *all;
	struct pk_work *next;
	unsigned long thread;
};

/* max: at once. NULL: no memory. */
struct pk_works *pk_works_new(struct event_base *base, unsigned max);
/* Waits for what runs; done() of it is not called any more: its owner knows of it. */
void pk_works_free(struct pk_works *s);
bool pk_works_is_full(const struct pk_works *s);
/* -EBUSY: as many run as may; -EAGAIN, -ENOMEM: no thread. w is left as it was then. */
int pk_work_start(struct pk_works *s, struct pk_work *w);
