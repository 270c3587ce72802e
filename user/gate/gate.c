/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate's loop: connections come in as HTTP over TLS, go to the core as messages, and answers
 * come back. It looks into no body and knows no route; whether a role may use one is said by the
 * core's table. Ends with either of those it speaks to.
 */
#include "gate/gate.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "conf/conf.h"
#include "gate/conn.h"
#include "gate/msg.h"
#include "gate/rate.h"
#include "gate/sandbox.h"
#include "probe/channel.h"

#include <picket/api.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define HEADERS_MAX 8192
#define BACKLOG     512
#define METHODS                                                                                    \
	(EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | \
	 EVHTTP_REQ_PATCH)

/* A request that the core has. */
struct asked {
	struct gate *gate;
	struct asked *next;
	struct evhttp_request *req;
	struct pk_conn *conn;
	uint64_t id, sent_bytes; /* sent: handed to the connection and not told as taken */
	struct evbuffer *out;
	struct pk_gate_answer answer;
	bool answered, begun;
};

struct gate {
	const struct pk_gate_opts *o;
	const struct pk_conf *conf;
	struct event_base *base;
	struct evhttp *http;
	struct bufferevent *core;
	struct event *files;
	struct pk_conns conns;
	struct pk_gate_counts told; /* to the core */
	struct pk_rate rate;
	struct evconnlistener *listener;
	struct event *tell;
	struct asked *first;
	uint64_t last_id;
};

static struct asked *find(struct gate *g, uint64_t id)
{
	struct asked *a = g->first;

	while (a && a->id != id)
		a = a->next;
	return a;
}

static void asked_free(struct asked *a)
{
	struct asked **p = &a->gate->first;

	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	evbuffer_free(a->out);
	free(a);
}

static struct evbuffer *to_core(struct gate *g)
{
	return bufferevent_get_output(g->core);
}

/* The core can't be told: nothing makes sense any more. */
static void must(struct gate *g, int r)
{
	if (r < 0)
		event_base_loopbreak(g->base);
}

static void problem(struct evhttp_request *req, int status, const char *title, const char *detail)
{
	_cleanup_(pk_buf_done) struct pk_buf body = { 0 };
	struct pk_json j;

	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "type", "about:blank");
	pk_json_str(&j, "title", title);
	pk_json_i64(&j, "status", status);
	pk_json_str(&j, "detail", detail);
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
			  PK_API_TYPE_PROBLEM);
	evbuffer_add(evhttp_request_get_output_buffer(req), body.data, body.len);
	evhttp_send_reply(req, status, title, NULL);
}

/* The connection ended before its answer did. evhttp has let go of the request by then. */
static void on_close(struct evhttp_connection *c, void *arg)
{
	struct asked *a = arg;

	(void)c;
	must(a->gate, pk_gate_msg_put(to_core(a->gate), PK_GATE_GONE, a->id, NULL, 0));
	asked_free(a);
}

static int take_asked(struct gate *g, struct evhttp_request *req, struct pk_conn *c)
{
	struct asked *a = calloc(1, sizeof(*a));

	if (a)
		a->out = evbuffer_new();
	if (!a || !a->out) {
		free(a);
		return -ENOMEM;
	}
	a->gate = g;
	a->req = req;
	a->conn = c;
	a->id = ++g->last_id;
	a->next = g->first;
	g->first = a;
	pk_conn_asked(c);
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_close, a);
	return 0;
}

static bool is_printable(const char *s)
{
	while (*s >= 0x20 && *s <= 0x7e)
		s++;
	return !*s;
}

/* Those headers that the core gets to see. -EINVAL: one is too long, or not ASCII. */
static int read_said(struct evhttp_request *req, struct pk_gate_ask *ask,
		     const char *ret_said[PK_GATE_SAIDS])
{
	struct evkeyvalq *heads = evhttp_request_get_input_headers(req);

	for (int i = 0; i < PK_GATE_SAIDS; i++) {
		const char *s = evhttp_find_header(heads, pk_gate_said[i]);

		ret_said[i] = s;
		if (s && (strlen(s) > PK_GATE_HEAD_MAX || !is_printable(s)))
			return -EINVAL;
		ask->said_len[i] = s ? (uint16_t)strlen(s) : 0;
	}
	return 0;
}

/* Says the request to the core. -EINVAL: it is not what a message may hold. */
static int say(struct gate *g, struct evhttp_request *req, const struct pk_tls_client *who)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);
	struct evbuffer *body = evhttp_request_get_input_buffer(req);
	struct pk_gate_ask ask = { .body_bytes = evbuffer_get_length(body),
				   .method = evhttp_request_get_command(req),
				   .role = who->role,
				   .has_query = query != NULL };
	size_t path_len = path ? strlen(path) : 0, query_len = query ? strlen(query) : 0;
	const char *said[PK_GATE_SAIDS];
	int r;

	if (!path_len || *path != '/' || path_len > PK_GATE_PATH_MAX ||
	    query_len > PK_GATE_QUERY_MAX || !is_printable(path) ||
	    !is_printable(query ? query : "") || read_said(req, &ask, said) < 0)
		return -EINVAL;
	ask.path_len = (uint16_t)path_len;
	ask.query_len = (uint16_t)query_len;
	ask.name_len = (uint16_t)strlen(who->name);
	memcpy(ask.fingerprint, who->fingerprint, sizeof(ask.fingerprint));
	r = pk_gate_msg_ask(to_core(g), g->last_id, &ask, path, query ? query : "", who->name,
			    said);
	if (!r)
		r = pk_gate_msg_data(to_core(g), PK_GATE_BODY, g->last_id, body);
	return r;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct gate *g = arg;
	struct evhttp_connection *hc = evhttp_request_get_connection(req);
	SSL *ssl = bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(hc));
	struct pk_tls_client *who;
	struct pk_conn *c;
	int r;

	if (!ssl) { /* no memory for one: evhttp made a connection without TLS */
		problem(req, 503, "Service Unavailable", "no memory for this connection");
		return;
	}
	c = pk_conn_of(evhttp_connection_get_bufferevent(hc));
	who = &c->client;
	r = pk_tls_client(g->conf, ssl, who);
	if (r < 0 || !who->role) {
		pk_conn_refused(c, PK_GATE_NO_ROLE);
		problem(req, 403, "Forbidden", "this certificate has no role here");
		return;
	}
	if (!pk_rate_take(&g->rate, who->fingerprint, g->conf->gate_rate, pk_clock_boot_ns())) {
		pk_conn_refused(c, PK_GATE_LIMITED);
		evhttp_add_header(evhttp_request_get_output_headers(req), "Retry-After", "1");
		problem(req, 429, "Too Many Requests", "this client asks too often (gate.rate)");
		return;
	}
	if (take_asked(g, req, c) < 0) {
		pk_conn_refused(c, PK_GATE_NO_MEMORY);
		evhttp_add_header(evhttp_request_get_output_headers(req), "Retry-After", "1");
		problem(req, 503, "Service Unavailable", "no memory for this request");
		return;
	}
	r = say(g, req, who);
	if (r == -EINVAL) {
		evhttp_connection_set_closecb(hc, NULL, NULL);
		pk_conn_answered(c);
		asked_free(g->first);
		pk_conn_refused(c, PK_GATE_MALFORMED);
		problem(req, 400, "Bad Request",
			"the path, the query or a header is too long or not ASCII");
		return;
	}
	g->conns.counts.n[PK_GATE_ASKED]++;
	must(g, r);
}

static void on_piece_sent(struct evhttp_connection *c, void *arg)
{
	struct asked *a = arg;
	const struct pk_gate_taken taken = { a->sent_bytes };

	(void)c;
	if (!a->sent_bytes)
		return;
	a->sent_bytes = 0;
	must(a->gate,
	     pk_gate_msg_put(to_core(a->gate), PK_GATE_TAKEN, a->id, &taken, sizeof(taken)));
}

static void add_heads(struct asked *a)
{
	struct evkeyvalq *head = evhttp_request_get_output_headers(a->req);

	for (int i = 0; i < PK_GATE_TOLDS; i++)
		if (*a->answer.told[i])
			evhttp_add_header(head, pk_gate_told[i], a->answer.told[i]);
	evhttp_add_header(head, "Cache-Control", "no-store");
}

static void begin(struct asked *a)
{
	struct timeval stalled = { .tv_sec = 60 };

	a->answered = true;
	add_heads(a);
	if (!a->answer.stream)
		return;
	evhttp_send_reply_start(a->req, (int)a->answer.status, NULL);
	bufferevent_set_timeouts(a->conn->bev, NULL, &stalled);
	a->begun = true;
}

static void take_data(struct asked *a, const struct pk_gate_msg *m)
{
	(void)evbuffer_add(a->out, m->data, m->len); /* no memory: cut short, seen by its length */
	if (!a->begun)
		return;
	a->sent_bytes += m->len;
	evhttp_send_reply_chunk_with_cb(a->req, a->out, on_piece_sent, a);
}

static void finish(struct asked *a)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(a->req), NULL, NULL);
	pk_conn_answered(a->conn);
	if (a->begun)
		evhttp_send_reply_end(a->req);
	else
		evhttp_send_reply(a->req, (int)a->answer.status, NULL, a->out);
	asked_free(a);
}

/* -EPROTO: not what a core says at this point. Of who has gone, the rest is let pass. */
static int take(struct gate *g, const struct pk_gate_msg *m)
{
	struct asked *a = find(g, m->id);

	if (!a)
		return m->id <= g->last_id ? 0 : -EPROTO;
	if ((m->type == PK_GATE_ANSWER) == a->answered && m->type != PK_GATE_CUT)
		return -EPROTO;
	switch (m->type) {
	case PK_GATE_ANSWER:
		a->answer = m->answer;
		begin(a);
		return 0;
	case PK_GATE_DATA:
		take_data(a, m);
		return 0;
	case PK_GATE_END:
		finish(a);
		return 0;
	default: /* PK_GATE_CUT */
		pk_conn_shut(a->conn);
		return 0;
	}
}

static void on_core(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct gate *g = arg;
	struct pk_gate_msg m;
	int n;

	while ((n = pk_gate_msg_peek(in, 0, &m)) > 0) {
		if (take(g, &m) < 0) {
			n = -EPROTO;
			break;
		}
		evbuffer_drain(in, (size_t)n);
	}
	if (n >= 0)
		return;
	pk_error("gate: what the core said is no message, leaving");
	event_base_loopbreak(g->base);
}

static void on_core_end(struct bufferevent *bev, short what, void *arg)
{
	struct gate *g = arg;

	(void)bev, (void)what;
	event_base_loopbreak(g->base); /* another one begins with another core */
}

static void take_files(struct gate *g, int fds[PK_FD_MAX])
{
	static const char *const names[PK_TLS_FILES] = { "gate.cert", "gate.key", "gate.ca",
							 "gate.crl" };
	SSL_CTX *ctx;
	int file = 0;
	int r = pk_tls_new(fds, &ctx, &file);

	if (r < 0) {
		pk_error("gate: %s is not what it should be, %s", names[file],
			 g->conns.ctx ? "going on with what was before"
				      : "nobody is let in until a reload finds it right");
		return;
	}
	pk_conns_use(&g->conns, ctx);
	if (listen(g->o->listen_fd, BACKLOG) < 0 || evconnlistener_enable(g->listener) < 0) {
		pk_error("gate: nobody can be listened to");
		event_base_loopbreak(g->base);
		return;
	}
	g->conns.counts.listening = 1;
	pk_notice("gate: certificates were read; connections begin anew");
}

static void on_files(evutil_socket_t fd, short what, void *arg)
{
	struct gate *g = arg;
	union pk_msg msg;
	int fds[PK_FD_MAX];
	int r = pk_chan_recv((int)fd, &msg, fds);

	(void)what;
	if (r > 0 && msg.head.type == PK_MSG_WARD_FILES)
		take_files(g, fds);
	for (int i = 0; r > 0 && i < PK_FD_MAX; i++)
		pk_closep(&fds[i]);
	if (r == 0 || (r < 0 && r != -EAGAIN && r != -EBADMSG))
		event_base_loopbreak(g->base); /* the broker has gone */
}

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	(void)base;
	return pk_conn_new(arg);
}

static int start_http(struct gate *g)
{
	struct timeval quiet = { .tv_sec = (time_t)(g->conf->gate_timeout_ns / 1000000000) };

	g->http = evhttp_new(g->base);
	if (!g->http)
		return -ENOMEM;
	evhttp_set_bevcb(g->http, on_connection, &g->conns);
	evhttp_set_gencb(g->http, on_request, g);
	evhttp_set_timeout_tv(g->http, &quiet);
	evhttp_set_max_headers_size(g->http, HEADERS_MAX);
	evhttp_set_max_body_size(g->http, (ev_ssize_t)g->conf->gate_body_max);
	evhttp_set_allowed_methods(g->http, METHODS);
	/* nobody gets through before there is a certificate to show */
	g->listener = evconnlistener_new(
		g->base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_DISABLED, 0, g->o->listen_fd);
	return g->listener && evhttp_bind_listener(g->http, g->listener) ? 0 : -ENOMEM;
}

static void on_tell(evutil_socket_t fd, short what, void *arg)
{
	struct gate *g = arg;
	struct pk_gate_counts *c = &g->conns.counts;

	(void)fd, (void)what;
	c->open = g->conns.n;
	if (memcmp(c, &g->told, sizeof(*c)) == 0)
		return; /* nobody is woken for nothing */
	g->told = *c;
	must(g, pk_gate_msg_put(to_core(g), PK_GATE_COUNTS, 0, c, sizeof(*c)));
}

static int start(struct gate *g)
{
	struct timeval second = { .tv_sec = 1 };
	int r;

	g->base = event_base_new();
	if (!g->base)
		return -ENOMEM;
	/* OpenSSL reads its configuration at its first use: before no file can be read */
	if (OPENSSL_init_ssl(0, NULL) != 1)
		return -ENOMEM;
	r = pk_conns_init(&g->conns, g->base, g->conf);
	if (!r)
		r = start_http(g);
	g->core = bufferevent_socket_new(g->base, g->o->core_fd, 0);
	g->files = event_new(g->base, g->o->files_fd, EV_READ | EV_PERSIST, on_files, g);
	g->tell = event_new(g->base, -1, EV_PERSIST, on_tell, g);
	if (r < 0 || !g->core || !g->files || event_add(g->files, NULL) < 0 || !g->tell ||
	    event_add(g->tell, &second) < 0)
		return r < 0 ? r : -ENOMEM;
	bufferevent_setcb(g->core, on_core, NULL, on_core_end, g);
	return bufferevent_enable(g->core, EV_READ | EV_WRITE);
}

int pk_gate_run(const struct pk_gate_opts *o)
{
	struct gate *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	g->o = o;
	g->conf = o->conf;
	r = start(g);
	if (!r)
		r = pk_gate_sandbox();
	if (!r && event_base_dispatch(g->base) < 0)
		r = -EIO;
	return r; /* the process ends now, and all that is its with it */
}

int pk_gate_listen(const char *address, int *ret_fd)
{
	struct sockaddr_storage addr = { 0 };
	int len = sizeof(addr), one = 1;
	_cleanup_close_ int fd = -1;

	if (evutil_parse_sockaddr_port(address, (struct sockaddr *)&addr, &len) < 0 ||
	    !((struct sockaddr_in *)&addr)->sin_port) /* the same place for IPv6 */
		return -EINVAL;
	fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* connections inherit TCP_NODELAY: without it, evhttp waits 40 ms for each answer */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&addr, (socklen_t)len) < 0)
		return -errno;
	*ret_fd = PK_TAKE_FD(fd);
	return 0;
}
