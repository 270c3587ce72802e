/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to many agents at once over TLS with a client certificate, by libcurl. */
#pragma once

#include "base/buf.h"

#include <stddef.h>

struct pk_remote;

/* Who asks: files in PEM; copied. */
struct pk_remote_as {
	const char *cert, *key, *ca;
};

struct pk_remote_ask {
	const char *host, *method, *path; /* host with its port; the path with its query */
	const void *body;                 /* borrowed until done is called */
	size_t len;
	const char *coding; /* of the body, for Content-Encoding; NULL none */
	/* status 0: error says why there is no answer. May ask again. */
	void (*done)(void *arg, long status, const char *body, size_t len, const char *error);
	void *arg;
};

/* parallel: requests at once; more wait. NULL: no memory. */
struct pk_remote *pk_remote_new(const struct pk_remote_as *as, unsigned parallel);
void pk_remote_free(struct pk_remote *r);
/* Copied but for what it points to. -ENOMEM. */
int pk_remote_ask(struct pk_remote *r, const struct pk_remote_ask *ask);
/* Until all is done; idle is called at least ten times a second. */
void pk_remote_run(struct pk_remote *r, void (*idle)(void *arg), void *arg);
