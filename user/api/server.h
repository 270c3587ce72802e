/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server on a listening unix socket: who may ask, limits, problems, answers that come
 * later, and the table of routes. What is answered is in the routes' own files.
 */
#pragma once

#include "gate/role.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct evbuffer;
struct pk_exchange;
struct evkeyvalq;
struct pk_api;
struct pk_buf;
struct pk_json;
struct pk_view;

#define PK_API_CONNECTIONS_MAX 64
#define PK_API_HEADERS_MAX     8192
#define PK_API_BODY_MAX        65536 /* of requests that are no uploads */
#define PK_API_TIMEOUT_S       10

struct pk_api_request {
	struct pk_api *api;
	struct pk_view *view;
	struct pk_exchange *x;   /* NULL: it was answered, or nobody waits any more */
	struct evkeyvalq *query; /* decoded; NULL when the answer comes later */
	const char *rest;        /* of the path, behind the route's own; "" */
	char part[128];          /* rest is here when the route has something behind it */
};

enum pk_route_flag {
	PK_ROUTE_REST = 1,   /* takes path/REST */
	PK_ROUTE_STREAM = 2, /* never ends: no HEAD */
	PK_ROUTE_UPLOAD = 4, /* its body may be as large as the configuration allows */
};

struct pk_route {
	int method; /* EVHTTP_REQ_*; GET answers HEAD too */
	const char *path;
	const char *behind; /* with PK_ROUTE_REST: path/REST/behind; NULL nothing */
	unsigned flags;
	const char *params; /* names it knows, with blanks between; "" none */
	/* 0: it has answered, or will. -errno: the server answers with a problem. */
	int (*answer)(struct pk_api_request *q);
	enum pk_role role; /* who may use it over the network, with those above */
};

/*
 * Serves on fd (taken, also on failure). group: members may ask besides root and the own user;
 * (gid_t)-1: none. upload_max: bytes of a body.
 */
int pk_api_new(struct event_base *base, struct pk_view *view, int fd, gid_t group,
	       uint64_t upload_max, struct pk_api **ret_api);
/* Requests of this gate, too; fd is taken. One before it ends. */
int pk_api_gate(struct pk_api *a, int fd);
struct pk_gate_counts;
/* What gates told of themselves, all together. false: none is there now. */
bool pk_api_gate_counts(const struct pk_api *a, struct pk_gate_counts *ret_counts);
/* Lists of the process that fetches them; fd is taken. One before it ends. */
int pk_api_pull(struct pk_api *a, int fd);
bool pk_api_pull_runs(const struct pk_api *a);
void pk_api_free(struct pk_api *a);  /* ends all streams and connections */
void pk_api_flush(struct pk_api *a); /* packets that were recorded since the last time */
void pk_api_tick(struct pk_api *a);  /* once a second: takes new connections again */

/* A listening socket of that path, mode 0660, group; an old one nobody listens on is replaced. */
int pk_api_listen(const char *path, gid_t group, int *ret_fd);

/* Answers; body is empty afterwards. A request is answered once: later answers are dropped. */
void pk_api_reply(struct pk_api_request *q, int status, const char *type, struct pk_buf *body);
int pk_api_problem(struct pk_api_request *q, int status, const char *detail);
/* 503 with Retry-After: not now, but soon. For what this host has not it is a problem without. */
int pk_api_busy(struct pk_api_request *q, const char *detail);
/* A problem with members of its own: begin, write them, end (which answers). */
void pk_api_problem_begin(struct pk_json *j, struct pk_buf *body, int status, const char *detail);
int pk_api_problem_end(struct pk_api_request *q, struct pk_json *j, int status);
/* Parameters: NULL or the default when absent; -EINVAL: a problem was answered already. */
const char *pk_api_param(const struct pk_api_request *q, const char *name);
int pk_api_param_u64(struct pk_api_request *q, const char *name, uint64_t max, uint64_t *value);
/* "1" or "0", or the name alone. */
int pk_api_param_bool(struct pk_api_request *q, const char *name, bool *value);
struct pk_filter;
int pk_api_param_filter(struct pk_api_request *q, struct pk_filter **ret_filter);

/* What came with the request; borrowed, may be drained. */
struct evbuffer *pk_api_body(struct pk_api_request *q);

/*
 * For an answer that takes time: outlives the call of the route, and the connection, whose end
 * makes the answer go nowhere. NULL: no memory.
 */
struct pk_api_later {
	struct pk_api_request q;
	struct pk_api_later *next;
	void (*gone)(void *arg); /* the server ends: frees what waits, and this; NULL nothing */
	void *arg;
};
struct pk_api_later *pk_api_later_new(struct pk_api_request *q);
void pk_api_later_free(struct pk_api_later *l); /* was it not answered: with status 500 */

struct event_base *pk_api_base(const struct pk_api *a);
struct pk_uploads;
struct pk_uploads *pk_api_uploads(const struct pk_api *a);
struct pk_codings;
struct pk_codings *pk_api_codings(const struct pk_api *a);
struct pk_records;
struct pk_records *pk_api_records(const struct pk_api *a);
struct pk_kept;
struct pk_kept *pk_api_kept(const struct pk_api *a);

extern const struct pk_route pk_routes[];
extern const size_t pk_routes_n;
