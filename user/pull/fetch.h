/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files over HTTPS: TLS 1.2 at least, the server's certificate checked, a bound for size, time and
 * headers, redirects only to https. What came is bytes; nobody here looks into them.
 */
#pragma once

#include "pull/news.h"

#include <stddef.h>
#include <stdint.h>

struct evbuffer;
struct event_base;
struct pk_buf;
struct pk_conf;
struct pk_fetcher;

#define PK_FETCH_TAG 256

/* What a server said of a file, to ask by the next time; "": nothing. */
struct pk_fetch_tags {
	char etag[PK_FETCH_TAG], modified[64];
};

struct pk_fetched {
	enum pk_pull_outcome outcome; /* ACCEPTED: here is the body; UNCHANGED; or why not */
	int status;                   /* 0: none */
	struct evbuffer *body;        /* who takes it sets it to NULL, and releases its bytes */
	struct pk_fetch_tags tags;
	uint64_t wait_ns; /* the server asked for it (Retry-After) */
	char why[PK_PULL_WHY];
};

typedef void (*pk_fetch_done)(void *arg, struct pk_fetched *f);

/* conf is borrowed. Threads begin later only. */
int pk_fetcher_new(struct event_base *base, const struct pk_conf *conf,
		   struct pk_fetcher **ret_fetcher);
/* PEM, taken: authorities, and the certificate to show with its key, or both empty. For what is
 * fetched from now on. */
void pk_fetcher_use(struct pk_fetcher *f, struct pk_buf *ca, struct pk_buf *cert,
		    struct pk_buf *key);
/* So many bytes of bodies that were taken are there no more: together they have a bound, too. */
void pk_fetcher_release(struct pk_fetcher *f, size_t bytes);
/* done is called once, never from within. -ENOMEM: it is not. */
int pk_fetch(struct pk_fetcher *f, const char *url, const struct pk_fetch_tags *tags,
	     pk_fetch_done done, void *arg);
