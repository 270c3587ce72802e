/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the evhttp server, checks who asks (SO_PEERCRED, SO_PEERGROUPS) and how, and answers with
 * problems (RFC 9457). It knows no route's meaning. libevent bounds heads, bodies and silence; the
 * number of connections is bounded here: above it the listener rests until the next tick.
 */
#include "api/server.h"

#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "flow/filter.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

#define FDS_MAX    1024 /* looked at to count connections */
#define GROUPS_MAX 256

struct pk_api {
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listener; /* owned by http */
	struct pk_view *view;
	gid_t group;
	unsigned connections; /* at the last count, plus those that came since */
	bool resting;
};

static unsigned count_connections(void)
{
	unsigned n = 0;

	for (int fd = 3; fd < FDS_MAX; fd++) {
		int type = 0, listens = 1, domain = 0;
		socklen_t len = sizeof(int);

		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM)
			continue;
		len = sizeof(int);
		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 || domain != AF_UNIX)
			continue;
		len = sizeof(int);
		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && !listens)
			n++;
	}
	return n;
}

void pk_api_tick(struct pk_api *a)
{
	if (!a->connections)
		return;
	a->connections = count_connections();
	if (a->resting && a->connections < PK_API_CONNECTIONS_MAX)
		a->resting = evconnlistener_enable(a->listener) < 0;
}

/* Called for each new connection; NULL lets evhttp make its usual bufferevent. */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct pk_api *a = arg;

	(void)base; /* the same as ours */
	if (++a->connections >= PK_API_CONNECTIONS_MAX) {
		a->connections = count_connections() + 1;
		if (a->connections >= PK_API_CONNECTIONS_MAX)
			a->resting = evconnlistener_disable(a->listener) == 0;
	}
	return NULL;
}

static bool in_group(int fd, const struct ucred *peer, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (group == (gid_t)-1)
		return false;
	if (peer->gid == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (size_t i = 0; i < len / sizeof(gid_t); i++)
		if (groups[i] == group)
			return true;
	return false;
}

static bool may_ask(const struct pk_api *a, struct evhttp_request *http)
{
	struct evhttp_connection *c = evhttp_request_get_connection(http);
	int fd = c ? bufferevent_getfd(evhttp_connection_get_bufferevent(c)) : -1;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid() || in_group(fd, &peer, a->group);
}

static const char *title_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

void pk_api_reply(struct pk_api_request *q, int status, const char *type, struct pk_buf *body)
{
	struct evkeyvalq *head = evhttp_request_get_output_headers(q->http);
	struct evbuffer *out = evhttp_request_get_output_buffer(q->http);

	if (body->error) {
		pk_buf_reset(body);
		evhttp_send_error(q->http, 500, "out of memory");
		return;
	}
	evhttp_add_header(head, "Content-Type", type);
	evhttp_add_header(head, "Cache-Control", "no-store");
	if (evhttp_request_get_command(q->http) != EVHTTP_REQ_HEAD)
		evbuffer_add(out, body->data, body->len);
	evhttp_send_reply(q->http, status, title_of(status), NULL);
	pk_buf_done(body);
}

static int send_problem(struct pk_api_request *q, int status, const char *detail,
			const struct pk_filter_error *e, const char *filter)
{
	struct pk_buf body = { 0 }, text = { 0 };
	struct pk_json j;

	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "type", "about:blank");
	pk_json_str(&j, "title", title_of(status));
	pk_json_i64(&j, "status", status);
	pk_json_str(&j, "detail", detail);
	if (e) {
		pk_filter_explain(&text, filter, e);
		pk_json_u64(&j, "offset", e->offset);
		pk_json_str(&j, "caret", text.data);
	}
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	if (status == 405)
		evhttp_add_header(evhttp_request_get_output_headers(q->http), "Allow", "GET, HEAD");
	pk_api_reply(q, status, "application/problem+json", &body);
	pk_buf_done(&text);
	return 0;
}

int pk_api_problem(struct pk_api_request *q, int status, const char *detail)
{
	return send_problem(q, status, detail, NULL, NULL);
}

const char *pk_api_param(const struct pk_api_request *q, const char *name)
{
	return evhttp_find_header(q->query, name);
}

int pk_api_param_u64(struct pk_api_request *q, const char *name, uint64_t max, uint64_t *value)
{
	const char *s = pk_api_param(q, name);
	char detail[96];
	uint64_t v = 0;

	if (!s)
		return 0;
	for (const char *p = s; *p >= '0' && *p <= '9' && p - s < 18; p++)
		v = v * 10 + (*p - '0');
	if (*s && strspn(s, "0123456789") == strlen(s) && strlen(s) <= 18 && v <= max) {
		*value = v;
		return 0;
	}
	snprintf(detail, sizeof(detail), "%s must be a number from 0 to %llu", name,
		 (unsigned long long)max);
	(void)pk_api_problem(q, 400, detail); /* always 0 */
	return -EINVAL;
}

int pk_api_param_filter(struct pk_api_request *q, struct pk_filter **ret_filter)
{
	const char *text = pk_api_param(q, "filter");
	struct pk_filter_error e;
	int r = pk_filter_new(text ? text : "", ret_filter, &e);

	if (r < 0)
		(void)send_problem(q, 400, e.text, &e, text ? text : ""); /* always 0 */
	return r;
}

static bool in_words(const char *words, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(words, name); p && n; p = strstr(p + 1, name))
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

static const struct pk_route *find_route(const char *path, const char **ret_rest)
{
	for (size_t i = 0; i < pk_routes_n; i++) {
		const struct pk_route *r = &pk_routes[i];
		size_t n = strlen(r->path);

		if (strncmp(path, r->path, n) != 0)
			continue;
		if (r->prefix ? path[n] == '/' && path[n + 1] && !strchr(path + n + 1, '/')
			      : !path[n]) {
			*ret_rest = r->prefix ? path + n + 1 : "";
			return r;
		}
	}
	return NULL;
}

static int answer(struct pk_api_request *q)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(q->http);
	const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
	enum evhttp_cmd_type cmd = evhttp_request_get_command(q->http);
	const struct pk_route *route;
	struct evkeyval *kv;
	char detail[96];

	if (!may_ask(q->api, q->http))
		return pk_api_problem(q, 403,
				      "only root and members of the sensor's group may ask");
	route = path ? find_route(path, &q->rest) : NULL;
	if (!route)
		return pk_api_problem(q, 404, "there is no such path");
	if (cmd != EVHTTP_REQ_GET && (cmd != EVHTTP_REQ_HEAD || route->stream))
		return pk_api_problem(q, 405, "everything here is read with GET");
	if (query && evhttp_parse_query_str(query, q->query) < 0)
		return pk_api_problem(q, 400, "the query string is not well formed");
	TAILQ_FOREACH(kv, q->query, next)
	{
		if (in_words(route->params, kv->key))
			continue;
		snprintf(detail, sizeof(detail), "this path has no parameter \"%.40s\"", kv->key);
		return pk_api_problem(q, 400, detail);
	}
	return route->get(q);
}

static void on_request(struct evhttp_request *http, void *arg)
{
	struct evkeyvalq query = TAILQ_HEAD_INITIALIZER(query);
	struct pk_api *a = arg;
	struct pk_api_request q = { .api = a, .view = a->view, .http = http, .query = &query };
	int r;

	r = answer(&q);
	if (r < 0)
		(void)pk_api_problem(&q, 500, strerror(-r)); /* always 0 */
	evhttp_clear_headers(&query);
}

static int start(struct pk_api *a, int *fd)
{
	a->http = evhttp_new(a->base);
	if (!a->http)
		return -ENOMEM;
	evhttp_set_bevcb(a->http, on_connection, a);
	evhttp_set_gencb(a->http, on_request, a);
	evhttp_set_timeout(a->http, PK_API_TIMEOUT_S);
	evhttp_set_max_headers_size(a->http, PK_API_HEADERS_MAX);
	evhttp_set_max_body_size(a->http, PK_API_BODY_MAX);
	evhttp_set_allowed_methods(a->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
						    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						    EVHTTP_REQ_PATCH | EVHTTP_REQ_OPTIONS);
	if (fcntl(*fd, F_SETFL, fcntl(*fd, F_GETFL) | O_NONBLOCK) < 0)
		return -errno;
	a->listener = evconnlistener_new(a->base, NULL, NULL,
					 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, *fd);
	if (!a->listener)
		return -ENOMEM;
	*fd = -1;
	if (evhttp_bind_listener(a->http, a->listener))
		return 0;
	evconnlistener_free(a->listener);
	return -ENOMEM;
}

int pk_api_new(struct event_base *base, struct pk_view *view, int fd, gid_t group,
	       struct pk_api **ret_api)
{
	struct pk_api *a = calloc(1, sizeof(*a));
	_cleanup_close_ int owned = fd;
	int r;

	if (!a)
		return -ENOMEM;
	*a = (struct pk_api){ .base = base, .view = view, .group = group };
	r = start(a, &owned);
	if (r < 0) {
		pk_api_free(a);
		return r;
	}
	*ret_api = a;
	return 0;
}

void pk_api_free(struct pk_api *a)
{
	if (!a)
		return;
	if (a->http)
		evhttp_free(a->http);
	free(a);
}
