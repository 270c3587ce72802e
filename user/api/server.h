/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server on a listening unix socket: who may ask, limits, problems, and the table of
 * routes. What is answered is in the routes' own files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct evhttp_request;
struct evkeyvalq;
struct pk_api;
struct pk_buf;
struct pk_view;

#define PK_API_CONNECTIONS_MAX 64
#define PK_API_HEADERS_MAX     8192
#define PK_API_BODY_MAX        4096
#define PK_API_TIMEOUT_S       10

struct pk_api_request {
	struct pk_api *api;
	struct pk_view *view;
	struct evhttp_request *http;
	struct evkeyvalq *query; /* decoded */
	const char *rest;        /* of the path, behind the route's own; "" */
};

struct pk_route {
	const char *path;
	bool prefix;        /* takes path/REST */
	bool stream;        /* never ends: GET only */
	const char *params; /* names it knows, with blanks between; "" none */
	/* 0: it has answered. -errno: the server answers with a problem. */
	int (*get)(struct pk_api_request *q);
};

/*
 * Serves on fd (taken, also on failure). group: members may ask besides root and the own user;
 * (gid_t)-1: none.
 */
int pk_api_new(struct event_base *base, struct pk_view *view, int fd, gid_t group,
	       struct pk_api **ret_api);
void pk_api_free(struct pk_api *a); /* ends all streams and connections */
void pk_api_tick(struct pk_api *a); /* once a second: takes new connections again */

/* A listening socket of that path, mode 0660, group; an old one nobody listens on is replaced. */
int pk_api_listen(const char *path, gid_t group, int *ret_fd);

/* Answers; body is empty afterwards. */
void pk_api_reply(struct pk_api_request *q, int status, const char *type, struct pk_buf *body);
int pk_api_problem(struct pk_api_request *q, int status, const char *detail);
/* Parameters: NULL or the default when absent; -EINVAL: a problem was answered already. */
const char *pk_api_param(const struct pk_api_request *q, const char *name);
int pk_api_param_u64(struct pk_api_request *q, const char *name, uint64_t max, uint64_t *value);
struct pk_filter;
int pk_api_param_filter(struct pk_api_request *q, struct pk_filter **ret_filter);

extern const struct pk_route pk_routes[];
extern const size_t pk_routes_n;
