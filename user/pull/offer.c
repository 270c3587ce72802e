/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the socket to the core and the offers that wait for their turn. It looks into no list. */
#include "pull/offer.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "gate/msg.h"

#include <picket/api.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <jansson.h>
#include <string.h>

#define ANSWER_MAX 65536 /* bytes of an answer that are looked at */

struct offer {
	struct offer *next;
	char list[64], source[256];
	struct evbuffer *body;
	pk_offer_done done;
	void *arg;
};

struct pk_offers {
	struct bufferevent *bev;
	void (*gone)(void *arg);
	void *arg;
	struct offer *first; /* the core has it, if asked */
	bool asked, answered;
	uint64_t last_id;
	int status;
	struct pk_buf answer;
};

static void offer_free(struct offer *o)
{
	if (o->body)
		evbuffer_free(o->body);
	free(o);
}

/* Where memory ends, so do we: the core would wait for the rest of a frame. */
static void must(struct pk_offers *s, int r)
{
	if (r >= 0)
		return;
	pk_error("pull: no memory for a message to the core, leaving");
	s->gone(s->arg);
}

static int query_of(const struct offer *o, struct pk_buf *out)
{
	char *source = evhttp_uriencode(o->source, -1, 0);

	if (!source)
		return -ENOMEM;
	pk_buf_fmt(out, "signed=1&source=%s", source);
	free(source);
	return out->error;
}

static int say(struct pk_offers *s, struct offer *o)
{
	static const char *const none[PK_GATE_SAIDS];
	struct evbuffer *out = bufferevent_get_output(s->bev);
	_cleanup_(pk_buf_done) struct pk_buf query = { 0 };
	char path[sizeof(PK_API_LISTS) + sizeof(o->list)];
	struct pk_gate_ask ask = { .body_bytes = evbuffer_get_length(o->body),
				   .method = EVHTTP_REQ_PUT,
				   .role = PK_ROLE_CARRIER,
				   .has_query = 1 };
	int r = query_of(o, &query);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), PK_API_LISTS "/%s", o->list);
	ask.path_len = (uint16_t)strlen(path);
	ask.query_len = (uint16_t)query.len;
	ask.name_len = (uint16_t)strlen(o->source);
	r = pk_gate_msg_ask(out, ++s->last_id, &ask, path, query.data, o->source, none);
	return r < 0 ? r : pk_gate_msg_data(out, PK_GATE_BODY, s->last_id, o->body);
}

static void ask_next(struct pk_offers *s)
{
	if (s->asked || !s->first)
		return;
	s->asked = true;
	s->answered = false;
	pk_buf_done(&s->answer);
	s->answer.max = ANSWER_MAX;
	must(s, say(s, s->first));
}

/* "code" of a problem, else its detail. */
static void finish(struct pk_offers *s)
{
	struct offer *o = s->first;
	json_t *j = json_loadb(s->answer.data ? s->answer.data : "", s->answer.len, 0, NULL);
	const char *code = json_string_value(json_object_get(j, "code"));
	char text[PK_PULL_WHY];

	if (!code)
		code = json_string_value(json_object_get(j, "detail"));
	pk_pull_text(text, sizeof(text), s->status < 300 ? "" : code ? code : "it was not taken");
	json_decref(j);
	s->first = o->next;
	s->asked = false;
	o->done(o->arg, s->status, text);
	offer_free(o);
	ask_next(s);
}

/* -EPROTO: not what a core says at this point. */
static int take(struct pk_offers *s, const struct pk_gate_msg *m)
{
	if (!s->asked || m->id != s->last_id || (m->type == PK_GATE_ANSWER) == s->answered)
		return -EPROTO;
	switch (m->type) {
	case PK_GATE_ANSWER:
		s->answered = true;
		s->status = (int)m->answer.status;
		return m->answer.stream ? -EPROTO : 0;
	case PK_GATE_DATA:
		pk_buf_add(&s->answer, m->data, m->len); /* what is too much is not looked at */
		return 0;
	case PK_GATE_END:
		finish(s);
		return 0;
	default:
		return -EPROTO;
	}
}

static void on_core(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct pk_offers *s = arg;
	struct pk_gate_msg m;
	int n;

	while ((n = pk_gate_msg_peek(in, 0, &m)) > 0) {
		if (take(s, &m) < 0) {
			n = -EPROTO;
			break;
		}
		evbuffer_drain(in, (size_t)n);
	}
	if (n >= 0)
		return;
	pk_error("pull: what the core said is no message, leaving");
	s->gone(s->arg);
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
	struct pk_offers *s = arg;

	(void)bev, (void)what;
	s->gone(s->arg);
}

int pk_offers_new(struct event_base *base, int fd, void (*gone)(void *arg), void *arg,
		  struct pk_offers **ret_offers)
{
	struct pk_offers *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM; /* the process ends now, and all that is its with it */
	s->gone = gone;
	s->arg = arg;
	s->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!s->bev || bufferevent_enable(s->bev, EV_READ | EV_WRITE) < 0)
		return -ENOMEM;
	bufferevent_setcb(s->bev, on_core, NULL, on_end, s);
	*ret_offers = s;
	return 0;
}

int pk_offer(struct pk_offers *s, const char *list, const char *source, struct evbuffer *body,
	     pk_offer_done done, void *arg)
{
	struct offer *o = calloc(1, sizeof(*o)), **p = &s->first;

	if (!o) {
		evbuffer_free(body);
		return -ENOMEM;
	}
	snprintf(o->list, sizeof(o->list), "%s", list);
	snprintf(o->source, sizeof(o->source), "%s", source);
	o->body = body;
	o->done = done;
	o->arg = arg;
	while (*p)
		p = &(*p)->next;
	*p = o;
	ask_next(s);
	return 0;
}

void pk_offers_tell(struct pk_offers *s, const struct pk_pull_news *n)
{
	must(s, pk_gate_msg_put(bufferevent_get_output(s->bev), PK_GATE_PULL, 0, n, sizeof(*n)));
}
