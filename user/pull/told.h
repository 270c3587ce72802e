/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process that fetches told of each list that the configuration names, for who looks. It
 * has no rights: nothing is decided by it but that nobody heard of a list for long.
 */
#pragma once

#include "pull/news.h"

#include <stddef.h>

struct pk_conf;
struct pk_pulls;

struct pk_pulled {
	const char *list;
	struct pk_pull_news last; /* outcome pending: none yet */
	/* boottime; 0: never. good: it was accepted, or there was nothing newer. */
	uint64_t tried_ns, good_ns, next_ns;
	uint64_t count[PK_PULL_OUTCOMES];
	bool stale; /* nobody had it for pull.stale */
};

/* NULL: no memory, or no list is fetched. */
struct pk_pulls *pk_pulls_new(const struct pk_conf *conf, uint64_t now_ns);
void pk_pulls_free(struct pk_pulls *p);
/* -ENOENT: it is about a list that nobody wants. */
int pk_pulls_take(struct pk_pulls *p, const struct pk_pull_news *n, uint64_t now_ns);
/* p may be NULL: there are none. */
const struct pk_pulled *pk_pulls_at(const struct pk_pulls *p, size_t i); /* NULL: no more */
const struct pk_pulled *pk_pulls_find(const struct pk_pulls *p, const char *list);
/* Since when nobody had it: the last time that somebody had, or since there is a p. */
uint64_t pk_pulls_since(const struct pk_pulls *p, const struct pk_pulled *of);
/* The next list that became stale; each once, until somebody had it again. NULL: none. */
const struct pk_pulled *pk_pulls_stale(struct pk_pulls *p, uint64_t now_ns);
