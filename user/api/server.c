/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the evhttp server, checks how it is asked (who asks is peer.c's), and answers with
 * problems (RFC 9457). It knows no route's meaning. libevent bounds heads, bodies and silence; the
 * number of connections is bounded here: above it the listener rests until the next tick.
 */
#include "api/server.h"

#include "api/coding.h"
#include "api/exchange.h"
#include "api/kept.h"
#include "api/link.h"
#include "api/peer.h"
#include "api/record.h"
#include "api/status_pull.h"
#include "api/upload.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/page.h"
#include "flow/filter.h"
#include "pull/told.h"

#include <picket/api.h>

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

#define FDS_MAX 1024 /* looked at to count connections */

struct pk_api {
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listener; /* owned by http */
	struct pk_view *view;
	gid_t group;
	struct pk_api_later *later;
	struct pk_uploads *uploads;
	struct pk_codings *codings;
	struct pk_records *records;
	struct pk_kept *kept;
	struct pk_link *gate;                   /* NULL: there was none yet */
	struct pk_link *pull;                   /* the same */
	uint64_t gate_before[PK_GATE_COUNTERS]; /* of gates that were there before this one */
	struct pk_page page;
	uint64_t upload_max;
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

/* Called for each new connection; NULL lets evhttp make its bufferevent. */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct pk_api *a = arg;

	struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);

	if (bev)
		(void)pk_page_watch(bev, &a->page); /* no memory: its pages stay as they are */
	if (++a->connections >= PK_API_CONNECTIONS_MAX) {
		a->connections = count_connections() + 1;
		if (a->connections >= PK_API_CONNECTIONS_MAX)
			a->resting = evconnlistener_disable(a->listener) == 0;
	}
	return bev;
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
	case 202:
		return "Accepted";
	case 409:
		return "Conflict";
	case 304:
		return "Not Modified";
	case 412:
		return "Precondition Failed";
	case 415:
		return "Unsupported Media Type";
	case 413:
		return "Content Too Large";
	case 422:
		return "Unprocessable Content";
	case 507:
		return "Insufficient Storage";
	case 503:
		return "Service Unavailable";
	default:
		return "Internal Server Error";
	}
}

void pk_api_reply(struct pk_api_request *q, int status, const char *type, struct pk_buf *body)
{
	struct pk_exchange *x = PK_TAKE(q->x);

	if (x && body->error) {
		pk_exchange_reply(x, 500, "out of memory", NULL, 0);
	} else if (x) {
		pk_exchange_head(x, "Content-Type", type);
		pk_exchange_head(x, "Cache-Control", "no-store");
		pk_exchange_reply(x, status, title_of(status), body->data, body->len);
	}
	pk_buf_done(body);
}

void pk_api_problem_begin(struct pk_json *j, struct pk_buf *body, int status, const char *detail)
{
	pk_json_init(j, body);
	pk_json_obj(j, NULL);
	pk_json_str(j, "type", "about:blank");
	pk_json_str(j, "title", title_of(status));
	pk_json_i64(j, "status", status);
	pk_json_str(j, "detail", detail);
}

int pk_api_problem_end(struct pk_api_request *q, struct pk_json *j, int status)
{
	pk_json_end(j);
	pk_buf_char(j->out, '\n');
	pk_api_reply(q, status, PK_API_TYPE_PROBLEM, j->out);
	return 0;
}

int pk_api_problem(struct pk_api_request *q, int status, const char *detail)
{
	struct pk_buf body = { 0 };
	struct pk_json j;

	pk_api_problem_begin(&j, &body, status, detail);
	return pk_api_problem_end(q, &j, status);
}

int pk_api_busy(struct pk_api_request *q, const char *detail)
{
	if (q->x)
		pk_exchange_head(q->x, "Retry-After", "1");
	return pk_api_problem(q, 503, detail);
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

int pk_api_param_bool(struct pk_api_request *q, const char *name, bool *value)
{
	const char *s = pk_api_param(q, name);
	char detail[96];

	if (!s)
		return 0;
	if (!*s || strcmp(s, "1") == 0 || strcmp(s, "true") == 0) {
		*value = true;
		return 0;
	}
	if (strcmp(s, "0") == 0 || strcmp(s, "false") == 0) {
		*value = false;
		return 0;
	}
	snprintf(detail, sizeof(detail), "%s must be 0 or 1", name);
	(void)pk_api_problem(q, 400, detail); /* always 0 */
	return -EINVAL;
}

int pk_api_param_filter(struct pk_api_request *q, struct pk_filter **ret_filter)
{
	const char *text = pk_api_param(q, "filter");
	_cleanup_(pk_buf_done) struct pk_buf caret = { 0 };
	struct pk_buf body = { 0 };
	struct pk_filter_error e;
	struct pk_json j;
	int r = pk_filter_new(text ? text : "", ret_filter, &e);

	if (r >= 0)
		return r;
	pk_api_problem_begin(&j, &body, 400, e.text);
	pk_filter_explain(&caret, text ? text : "", &e);
	pk_json_u64(&j, "offset", e.offset);
	pk_json_str(&j, "caret", caret.data);
	(void)pk_api_problem_end(q, &j, 400); /* always 0 */
	return r;
}

struct evbuffer *pk_api_body(struct pk_api_request *q)
{
	return q->x->body;
}

struct pk_api_later *pk_api_later_new(struct pk_api_request *q)
{
	struct pk_api_later *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->q = *q;
	l->q.query = NULL;
	l->q.rest = "";
	l->next = q->api->later;
	q->api->later = l;
	return l;
}

void pk_api_later_free(struct pk_api_later *l)
{
	struct pk_api_later **p;

	if (!l)
		return;
	if (l->q.x)
		(void)pk_api_problem(&l->q, 500, "this was not finished"); /* always 0 */
	for (p = l->q.api ? &l->q.api->later : NULL; p && *p; p = &(*p)->next)
		if (*p == l) {
			*p = l->next;
			break;
		}
	free(l);
}

static bool in_words(const char *words, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(words, name); p && n; p = strstr(p + 1, name))
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
	return false;
}

/* Is it the path of this route? Then what is behind the route's own part is in q->rest. */
static bool is_path(const struct pk_route *r, const char *path, struct pk_api_request *q)
{
	size_t n = strlen(r->path), rest;

	if (strncmp(path, r->path, n) != 0)
		return false;
	path += n;
	q->rest = "";
	if (!(r->flags & PK_ROUTE_REST))
		return !*path;
	rest = *path == '/' ? strcspn(path + 1, "/") : 0;
	if (!rest || rest >= sizeof(q->part))
		return false;
	memcpy(q->part, path + 1, rest);
	q->part[rest] = '\0';
	q->rest = q->part;
	path += 1 + rest;
	return r->behind ? *path == '/' && strcmp(path + 1, r->behind) == 0 : !*path;
}

static bool is_method(const struct pk_route *r, int cmd)
{
	return cmd == r->method || (cmd == EVHTTP_REQ_HEAD && r->method == EVHTTP_REQ_GET &&
				    !(r->flags & PK_ROUTE_STREAM));
}

static const char *method_name(const struct pk_route *r)
{
	switch (r->method) {
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	default:
		return r->flags & PK_ROUTE_STREAM ? "GET" : "GET, HEAD";
	}
}

/* The route for path and method; NULL: what was answered says why there is none. */
static const struct pk_route *find_route(struct pk_api_request *q)
{
	const char *path = q->x->path;
	_cleanup_(pk_buf_done) struct pk_buf allow = { 0 }, detail = { 0 };

	for (size_t i = 0; path && i < pk_routes_n; i++) {
		if (!is_path(&pk_routes[i], path, q))
			continue;
		if (is_method(&pk_routes[i], q->x->method))
			return &pk_routes[i];
		pk_buf_fmt(&allow, "%s%s", allow.len ? ", " : "", method_name(&pk_routes[i]));
	}
	if (!allow.len) {
		(void)pk_api_problem(q, 404, "there is no such path"); /* always 0 */
		return NULL;
	}
	pk_exchange_head(q->x, "Allow", allow.data);
	pk_buf_fmt(&detail, "this path knows %s only", allow.data);
	(void)pk_api_problem(q, 405, detail.data ? detail.data : ""); /* always 0 */
	return NULL;
}

/* 0: they are right. -EINVAL: a problem was answered. */
static int check_params(struct pk_api_request *q, const struct pk_route *route)
{
	const char *query = q->x->query;
	struct evkeyval *kv;
	char detail[96];

	if (query && evhttp_parse_query_str(query, q->query) < 0) {
		(void)pk_api_problem(q, 400, "the query string is not well formed"); /* always 0 */
		return -EINVAL;
	}
	TAILQ_FOREACH(kv, q->query, next)
	{
		if (in_words(route->params, kv->key))
			continue;
		snprintf(detail, sizeof(detail), "this path has no parameter \"%.40s\"", kv->key);
		(void)pk_api_problem(q, 400, detail); /* always 0 */
		return -EINVAL;
	}
	return 0;
}

/* Over the network a role decides; on the unix socket, who may ask may do all. */
static bool may_use(const struct pk_api_request *q, const struct pk_route *route)
{
	const struct pk_link_client *c = pk_link_client(q->x);

	return !c || (route->role && c->role >= route->role) || pk_pull_may(q, route);
}

static uint64_t body_max(const struct pk_api *a, const struct pk_route *route)
{
	return route->flags & PK_ROUTE_UPLOAD ? a->upload_max : PK_API_BODY_MAX;
}

static void serve(struct pk_api *a, struct pk_exchange *x);

static int answer(struct pk_api_request *q)
{
	const struct pk_route *route;
	uint8_t session[16];

	if (!pk_api_peer_may_ask(q, q->api->group))
		return pk_api_problem(q, 403,
				      "only root and members of the sensor's group may ask");
	route = find_route(q);
	if (!route || check_params(q, route) < 0)
		return 0;
	if (!may_use(q, route))
		return pk_api_problem(q, 403, "this certificate's role may not do this");
	if (evbuffer_get_length(pk_api_body(q)) > body_max(q->api, route))
		return pk_api_problem(q, 413, "the body is too large for this path");
	if (pk_coding_opens(q, body_max(q->api, route), serve))
		return 0; /* it comes here again when its body is open, or was refused */
	if (q->view->admin && pk_api_peer_session(q, session))
		q->view->admin(q->view->arg, session);
	return route->answer(q);
}

static void serve(struct pk_api *a, struct pk_exchange *x)
{
	struct evkeyvalq query = TAILQ_HEAD_INITIALIZER(query);
	struct pk_api_request q = { .api = a, .view = a->view, .x = x, .query = &query };
	int r;

	r = answer(&q);
	if (r < 0 && q.x)
		(void)pk_api_problem(&q, 500, strerror(-r)); /* always 0 */
	evhttp_clear_headers(&query);
}

static void on_request(struct evhttp_request *http, void *arg)
{
	struct pk_exchange *x = pk_exchange_http(http);

	if (x)
		serve(arg, x);
	else
		evhttp_send_error(http, 500, "out of memory");
}

static int start(struct pk_api *a, int *fd, uint64_t upload_max)
{
	a->http = evhttp_new(a->base);
	if (!a->http)
		return -ENOMEM;
	a->uploads = pk_uploads_new(a->base);
	a->codings = pk_codings_new(a->base);
	a->records = pk_records_new(a->view);
	a->kept = pk_kept_new(a, a->view->store);
	if (!a->uploads || !a->codings || !a->records || !a->kept)
		return -ENOMEM;
	evhttp_set_bevcb(a->http, on_connection, a);
	evhttp_set_gencb(a->http, on_request, a);
	evhttp_set_timeout(a->http, PK_API_TIMEOUT_S);
	evhttp_set_max_headers_size(a->http, PK_API_HEADERS_MAX);
	/* libevent knows one limit for all: that of other requests is looked at before they run */
	evhttp_set_max_body_size(a->http, (ev_ssize_t)upload_max);
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

int pk_api_gate(struct pk_api *a, int fd)
{
	const struct pk_link_opts o = { .api = a, .serve = serve, .body_max = a->upload_max };
	struct pk_gate_counts c;

	if (a->gate) {
		(void)pk_link_counts(a->gate, &c); /* whether it is there is no matter */
		for (int i = 0; i < PK_GATE_COUNTERS; i++)
			a->gate_before[i] += c.n[i];
	}
	pk_link_free(PK_TAKE(a->gate));
	return pk_link_new(&o, fd, &a->gate);
}

bool pk_api_gate_counts(const struct pk_api *a, struct pk_gate_counts *ret_counts)
{
	bool there;

	*ret_counts = (struct pk_gate_counts){ 0 };
	there = a->gate && pk_link_counts(a->gate, ret_counts);
	if (!there) {
		ret_counts->open = 0;
		ret_counts->listening = 0;
	}
	for (int i = 0; i < PK_GATE_COUNTERS; i++)
		ret_counts->n[i] += a->gate_before[i];
	return there;
}

static int take_news(struct pk_api *a, const struct pk_pull_news *n)
{
	return a->view->pulls ? pk_pulls_take(a->view->pulls, n, pk_clock_boot_ns()) : -ENOENT;
}

int pk_api_pull(struct pk_api *a, int fd)
{
	const struct pk_link_opts o = {
		.api = a, .serve = serve, .body_max = a->upload_max, .news = take_news
	};

	pk_link_free(PK_TAKE(a->pull));
	return pk_link_new(&o, fd, &a->pull);
}

bool pk_api_pull_runs(const struct pk_api *a)
{
	return a->pull && pk_link_is_there(a->pull);
}

struct event_base *pk_api_base(const struct pk_api *a)
{
	return a->base;
}

struct pk_uploads *pk_api_uploads(const struct pk_api *a)
{
	return a->uploads;
}

struct pk_codings *pk_api_codings(const struct pk_api *a)
{
	return a->codings;
}

struct pk_records *pk_api_records(const struct pk_api *a)
{
	return a->records;
}

struct pk_kept *pk_api_kept(const struct pk_api *a)
{
	return a->kept;
}

void pk_api_flush(struct pk_api *a)
{
	pk_records_flush(a->records);
}

int pk_api_new(struct event_base *base, struct pk_view *view, int fd, gid_t group,
	       uint64_t upload_max, struct pk_api **ret_api)
{
	struct pk_api *a = calloc(1, sizeof(*a));
	_cleanup_close_ int owned = fd;
	int r;

	if (!a)
		return -ENOMEM;
	*a = (struct pk_api){
		.base = base, .view = view, .group = group, .upload_max = upload_max
	};
	r = start(a, &owned, upload_max);
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
	for (struct pk_api_later *l; (l = a->later);) {
		(void)pk_api_problem(&l->q, 503, "the agent ends"); /* always 0 */
		a->later = l->next;
		l->q.api = NULL;
		if (l->gone)
			l->gone(l->arg);
	}
	pk_link_free(a->gate);
	pk_link_free(a->pull);
	pk_uploads_free(a->uploads);
	pk_codings_free(a->codings);
	pk_records_free(a->records);
	pk_kept_free(a->kept);
	if (a->http)
		evhttp_free(a->http);
	free(a);
}
