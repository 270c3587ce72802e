/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the requests of one gate, from their head to the last byte of the answer. The gate is not
 * believed more than it must be: what it sends is checked and counted, and anything out of order
 * ends it. Changing calls are told in the log with who made them and what became of it.
 */
#include "api/link.h"

#include "api/exchange.h"
#include "api/server.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "gate/msg.h"

#include <picket/api.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/util.h>
#include <string.h>

#define TIME_AT_ONCE   64 /* frames before others have their turn */
#define BODIES_AT_ONCE 2  /* as large as one may be */

struct asked {
	struct pk_exchange x;
	struct pk_link *link; /* NULL: the gate has gone, the answer goes nowhere */
	struct asked *next;
	uint64_t id, body_bytes, untaken;
	struct pk_link_client client;
	struct pk_gate_answer answer;
	struct event *kick; /* sent, when nothing had to be sent */
	void (*sent)(void *arg);
	bool serving, begun, lost; /* lost: nobody waits */
	char path[PK_GATE_PATH_MAX + 1], query[PK_GATE_QUERY_MAX + 1];
	char said[PK_GATE_SAIDS][PK_GATE_HEAD_MAX + 1];
};

struct pk_link {
	struct pk_link_opts o;
	struct bufferevent *bev;
	struct event *more; /* frames that were left for the next turn */
	struct asked *first;
	uint64_t last_id, waiting_bytes; /* waiting: of bodies, as told before they come */
	unsigned n;
	struct pk_gate_counts counts; /* as told last */
};

static struct asked *of(const struct pk_exchange *x)
{
	return (struct asked *)x; /* its first member */
}

static void asked_free(struct asked *a)
{
	struct asked **p = a->link ? &a->link->first : NULL;

	while (p && *p != a)
		p = &(*p)->next;
	if (p) {
		*p = a->next;
		a->link->n--;
		if (!a->serving)
			a->link->waiting_bytes -= a->body_bytes;
	}
	event_free(a->kick);
	evbuffer_free(a->x.body);
	free(a);
}

static struct evbuffer *to_gate(struct asked *a)
{
	return a->link && !a->lost ? bufferevent_get_output(a->link->bev) : NULL;
}

static void put(struct asked *a, uint32_t type, const void *payload, size_t len)
{
	struct evbuffer *out = to_gate(a);

	if (out && pk_gate_msg_put(out, type, a->id, payload, len) < 0)
		pk_warn("%s: no memory for an answer, it is cut short",
			a->link->o.news ? "pull" : "gate");
}

static bool is_change(const struct asked *a)
{
	return a->x.method != EVHTTP_REQ_GET && a->x.method != EVHTTP_REQ_HEAD;
}

/* One line for each call that changes something, or was to. */
static void audit(const struct asked *a, int status)
{
	static const struct {
		int method;
		const char *name;
	} names[] = { { EVHTTP_REQ_POST, "POST" },
		      { EVHTTP_REQ_PUT, "PUT" },
		      { EVHTTP_REQ_PATCH, "PATCH" },
		      { EVHTTP_REQ_DELETE, "DELETE" } };
	const char *name = "other";

	if (!is_change(a) && status != 403)
		return;
	for (size_t i = 0; i < PK_ARRAY_SIZE(names); i++)
		if (names[i].method == a->x.method)
			name = names[i].name;
	pk_notice("audit: %s %s by %s (%s%s%s): %d", is_change(a) ? name : "GET", a->path,
		  a->client.name, pk_role_name(a->client.role), *a->client.fingerprint ? ", " : "",
		  a->client.fingerprint, status);
}

static void answer(struct asked *a, int status, bool stream)
{
	a->answer.status = (uint32_t)status;
	a->answer.stream = stream;
	audit(a, status);
	put(a, PK_GATE_ANSWER, &a->answer, sizeof(a->answer));
}

static const char *said(const struct pk_exchange *x, const char *name)
{
	const struct asked *a = of(x);

	for (int i = 0; i < PK_GATE_SAIDS; i++)
		if (!strcasecmp(name, pk_gate_said[i]) && a->said[i][0])
			return a->said[i];
	return NULL; /* the others stay in the gate */
}

static int no_fd(const struct pk_exchange *x)
{
	(void)x;
	return -1;
}

static void head(struct pk_exchange *x, const char *name, const char *value)
{
	struct pk_gate_answer *a = &of(x)->answer;

	for (int i = 0; i < PK_GATE_TOLDS; i++)
		if (!strcmp(name, pk_gate_told[i]))
			snprintf(a->told[i], sizeof(a->told[i]), "%s", value);
}

static void reply(struct pk_exchange *x, int status, const char *title, const void *data,
		  size_t len)
{
	struct asked *a = of(x);
	const char *p = data;

	(void)title;
	answer(a, status, false);
	while (len && x->method != EVHTTP_REQ_HEAD) {
		size_t n = len > PK_GATE_DATA_MAX ? PK_GATE_DATA_MAX : len;

		put(a, PK_GATE_DATA, p, n);
		p += n;
		len -= n;
	}
	put(a, PK_GATE_END, NULL, 0);
	asked_free(a);
}

static void begin(struct pk_exchange *x, int status, const char *title)
{
	(void)title;
	of(x)->begun = true;
	answer(of(x), status, true);
}

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct asked *a = arg;
	void (*sent)(void *arg) = PK_TAKE(a->sent);

	(void)fd, (void)what;
	if (sent)
		sent(a->x.arg);
}

static void send_piece(struct pk_exchange *x, struct evbuffer *data, void (*sent)(void *arg))
{
	struct asked *a = of(x);
	struct evbuffer *out = to_gate(a);

	a->untaken += evbuffer_get_length(data);
	a->sent = sent;
	if (!out || pk_gate_msg_data(out, PK_GATE_DATA, a->id, data) < 0)
		evbuffer_drain(data, evbuffer_get_length(data));
	if (sent && !a->untaken)
		event_active(a->kick, EV_TIMEOUT, 0);
}

static void end(struct pk_exchange *x)
{
	put(of(x), PK_GATE_END, NULL, 0);
	asked_free(of(x));
}

/* The asker of an answer that was begun has gone: its owner lets go of it. */
static void gone(struct asked *a)
{
	if (a->x.gone)
		a->x.gone(a->x.arg);
	asked_free(a);
}

static void cut(struct pk_exchange *x)
{
	put(of(x), PK_GATE_CUT, NULL, 0);
	gone(of(x));
}

static size_t behind(const struct pk_exchange *x)
{
	return of(x)->untaken;
}

static const struct pk_exchange_ops ops = { said, head, reply,  begin, send_piece,
					    end,  cut,  behind, no_fd };

bool pk_link_is_there(const struct pk_link *l)
{
	return l->bev;
}

bool pk_link_counts(const struct pk_link *l, struct pk_gate_counts *ret_counts)
{
	*ret_counts = l->counts;
	return l->bev != NULL;
}

const struct pk_link_client *pk_link_client(const struct pk_exchange *x)
{
	return x && x->ops == &ops ? &of(x)->client : NULL;
}

static void serve(struct asked *a)
{
	struct pk_link *l = a->link;

	l->waiting_bytes -= a->body_bytes;
	a->serving = true;
	l->o.serve(l->o.api, &a->x);
}

static struct asked *asked_new(struct pk_link *l, const struct pk_gate_msg *m)
{
	struct asked *a = calloc(1, sizeof(*a));
	struct pk_link_client *c;

	if (!a)
		return NULL;
	a->x.body = evbuffer_new();
	a->kick = event_new(bufferevent_get_base(l->bev), -1, 0, on_kick, a);
	if (!a->x.body || !a->kick) {
		if (a->x.body)
			evbuffer_free(a->x.body);
		free(a);
		return NULL;
	}
	memcpy(a->path, m->path, m->ask.path_len);
	memcpy(a->query, m->query, m->ask.query_len);
	a->x.ops = &ops;
	a->x.method = (int)m->ask.method;
	a->x.path = a->path;
	a->x.query = m->ask.has_query ? a->query : NULL;
	a->id = m->id;
	a->body_bytes = m->ask.body_bytes;
	c = &a->client;
	c->role = (enum pk_role)m->ask.role;
	memcpy(c->name, m->name, m->ask.name_len);
	for (int i = 0; i < PK_GATE_SAIDS; i++)
		memcpy(a->said[i], m->said[i], m->ask.said_len[i]);
	for (size_t i = 0; !l->o.news && i < sizeof(m->ask.fingerprint); i++)
		snprintf(c->fingerprint + 2 * i, 3, "%02x", m->ask.fingerprint[i]);
	a->link = l;
	a->next = l->first;
	l->first = a;
	l->n++;
	return a;
}

/* What is too much is refused before it comes; what comes of it all the same is let pass. */
static void refuse(struct asked *a)
{
	struct pk_link *l = a->link;
	bool ever = a->body_bytes > l->o.body_max;
	struct pk_api_request q = { .api = l->o.api, .x = &a->x };

	l->waiting_bytes -= a->body_bytes;
	a->serving = true;
	if (ever)
		(void)pk_api_problem(&q, 413, /* always 0 */
				     "the body is larger than the agent takes (api.upload_max)");
	else
		(void)pk_api_busy(&q, "other bodies are on their way: try again");
}

static int take_ask(struct pk_link *l, const struct pk_gate_msg *m)
{
	struct asked *a;

	/* numbers only go up, so none is used twice */
	if (m->id <= l->last_id || l->n >= PK_LINK_REQUESTS_MAX ||
	    (m->ask.role == PK_ROLE_CARRIER) != (l->o.news != NULL))
		return -EPROTO;
	l->last_id = m->id;
	a = asked_new(l, m);
	if (!a)
		return -ENOMEM;
	l->waiting_bytes += a->body_bytes;
	if (a->body_bytes > l->o.body_max || l->waiting_bytes > BODIES_AT_ONCE * l->o.body_max)
		refuse(a);
	else if (!a->body_bytes)
		serve(a);
	return 0;
}

static int take_body(struct asked *a, const struct pk_gate_msg *m)
{
	size_t have = evbuffer_get_length(a->x.body);

	if (a->serving || have + m->len > a->body_bytes)
		return -EPROTO;
	if (evbuffer_add(a->x.body, m->data, m->len) < 0)
		return -ENOMEM;
	if (have + m->len == a->body_bytes)
		serve(a);
	return 0;
}

static int take_taken(struct asked *a, uint64_t bytes)
{
	if (!a->begun || bytes > a->untaken)
		return -EPROTO;
	a->untaken -= bytes;
	if (!a->untaken)
		on_kick(-1, EV_TIMEOUT, a);
	return 0;
}

static void take_gone(struct asked *a)
{
	a->lost = true;
	if (a->begun)
		gone(a);
	else if (!a->serving)
		asked_free(a);
	/* else its answer frees it */
}

/* About no request. -EPROTO: not for this end to tell. */
static int take_told(struct pk_link *l, const struct pk_gate_msg *m)
{
	if ((m->type == PK_GATE_PULL) != (l->o.news != NULL))
		return -EPROTO;
	if (l->o.news)
		return l->o.news(l->o.api, &m->pull);
	l->counts = m->counts;
	return 0;
}

static int take(struct pk_link *l, const struct pk_gate_msg *m)
{
	struct asked *a = l->first;

	if (m->type == PK_GATE_COUNTS || m->type == PK_GATE_PULL)
		return take_told(l, m);
	if (m->type == PK_GATE_ASK)
		return take_ask(l, m);
	while (a && a->id != m->id)
		a = a->next;
	if (!a) /* it crossed the end of the answer, or was refused */
		return m->id <= l->last_id ? 0 : -EPROTO;
	if (m->type == PK_GATE_BODY)
		return take_body(a, m);
	if (m->type == PK_GATE_TAKEN)
		return take_taken(a, m->taken.bytes);
	take_gone(a);
	return 0;
}

/* Ends what the gate began. The link stays, empty, until it is freed. */
static void hang_up(struct pk_link *l)
{
	struct asked *a;

	if (l->bev)
		bufferevent_free(PK_TAKE(l->bev));
	while ((a = l->first)) {
		l->first = a->next;
		a->link = NULL;
		a->lost = true;
		if (a->begun)
			gone(a);
		else if (!a->serving)
			asked_free(a);
	}
	l->n = 0;
	l->waiting_bytes = 0;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct pk_link *l = arg;
	struct pk_gate_msg m;
	int n = 0, r = 0;

	for (int i = 0; i < TIME_AT_ONCE && r >= 0; i++) {
		n = pk_gate_msg_peek(in, 1, &m);
		if (n <= 0)
			break;
		r = take(l, &m);
		if (l->bev)
			evbuffer_drain(in, (size_t)n);
	}
	if (n < 0 || r < 0) {
		pk_error("the %s said something out of order: ending it",
			 l->o.news ? "pull" : "gate");
		hang_up(l);
	} else if (n > 0) {
		event_active(l->more, EV_TIMEOUT, 0);
	}
}

static void on_more(evutil_socket_t fd, short what, void *arg)
{
	struct pk_link *l = arg;

	(void)fd, (void)what;
	if (l->bev)
		on_read(l->bev, l);
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
	(void)bev, (void)what;
	hang_up(arg);
}

int pk_link_new(const struct pk_link_opts *o, int fd, struct pk_link **ret_link)
{
	struct event_base *base = pk_api_base(o->api);
	struct pk_link *l = calloc(1, sizeof(*l));
	_cleanup_close_ int owned = fd;

	if (!l)
		return -ENOMEM;
	l->o = *o;
	l->more = event_new(base, -1, 0, on_more, l);
	l->bev = evutil_make_socket_nonblocking(fd) < 0
			 ? NULL
			 : bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!l->more || !l->bev) {
		if (l->bev)
			owned = -1;
		pk_link_free(l);
		return -ENOMEM;
	}
	owned = -1;
	bufferevent_setcb(l->bev, on_read, NULL, on_end, l);
	/* what is not taken yet waits in the gate */
	bufferevent_setwatermark(l->bev, EV_READ, 0, 4 * PK_GATE_FRAME_MAX);
	(void)bufferevent_enable(l->bev, EV_READ | EV_WRITE); /* what fails shows as its end */
	*ret_link = l;
	return 0;
}

void pk_link_free(struct pk_link *l)
{
	if (!l)
		return;
	hang_up(l);
	if (l->more)
		event_free(l->more);
	free(l);
}
