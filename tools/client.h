/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's API over its unix socket, by libcurl. Says on stderr what went wrong. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct pk_buf;

struct pk_client {
	const char *socket;
};

/* Socket from --socket, $PICKET_SOCKET or the default. */
void pk_client_init(struct pk_client *c, const char *socket);

/*
 * GET path with the given query (name, value, name, value, NULL; NULL values are left out).
 * Prints the daemon's complaint, with a caret below a wrong filter. 0, or the exit status 1 or 2.
 */
int pk_client_get(const struct pk_client *c, const char *path, const char *const query[],
		  json_t **ret_body);

/* The same without printing: the complaint goes into error. */
int pk_client_fetch(const struct pk_client *c, const char *path, const char *const query[],
		    json_t **ret_body, struct pk_buf *error);

/* What changes something, or needs a body. */
struct pk_client_ask {
	const char *method, *path;
	const char *const *query; /* as above; NULL none */
	const void *body;
	size_t len;
	const char *if_match; /* tag of a list without its quotes: only if it is that; NULL: any */
	const char *progress; /* what is sent, to be shown on a terminal when it takes long; NULL */
};
/*
 * 0: *ret_body is the answer. Else the exit status, the complaint in error, and *ret_problem (may
 * be NULL) the daemon's whole problem, if it gave one.
 */
int pk_client_send(const struct pk_client *c, const struct pk_client_ask *ask, json_t **ret_body,
		   json_t **ret_problem, struct pk_buf *error);
/* The body as it comes, for a text of any size. */
int pk_client_copy(const struct pk_client *c, const char *path, FILE *to);

/* The same for NDJSON: calls line for each object until it returns false or the stream ends. */
int pk_client_stream(const struct pk_client *c, const char *path, const char *const query[],
		     bool (*line)(void *arg, json_t *object), void *arg);

/* Bytes as they come, for as long as they do. */
struct pk_client_taker {
	bool (*data)(void *arg, const void *data, size_t len); /* false: enough */
	/* At least once a second, also while nothing comes; false: enough. */
	bool (*idle)(void *arg);
	const char *head;                            /* name of a response header, */
	void (*value)(void *arg, const char *value); /* and who gets what it says */
	void *arg;
};
int pk_client_take(const struct pk_client *c, const char *path, const char *const query[],
		   const struct pk_client_taker *taker);

/* "path?name=value" with values escaped; malloc'd, NULL: no memory. */
char *pk_client_path(const char *path, const char *const query[]);

/* Turns a problem+json body (status not 0) or a failure of curl into text for people. */
void pk_client_problem(struct pk_buf *out, const char *socket, const char *filter, long status,
		       const char *body, size_t len, const char *curl_error);
