/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the replies that never end, their filters and what is not yet handed to the socket. It does
 * not know what the lines mean.
 */
#include "api/stream.h"

#include "api/exchange.h"
#include "api/said.h"
#include "api/server.h"
#include "api/view.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "flow/filter.h"

#include <picket/api.h>

#include <errno.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

struct pk_stream {
	struct pk_streams *all;
	struct pk_stream *next;
	struct pk_exchange *x;
	struct evbuffer *pending;
	struct pk_filter *filter;
	struct pk_stream_past *past; /* NULL: it has all that was */
	enum pk_stream_kind kind;
	uint64_t arg, lost, said_ns;
	bool events, numbered; /* server-sent; with ids to go on from */
	char run[17];
};

struct pk_streams {
	struct pk_stream *first;
	size_t n[PK_STREAM_KINDS], readers;
	uint64_t lost;
};

struct pk_streams *pk_streams_new(void)
{
	return calloc(1, sizeof(struct pk_streams));
}

static void stream_free(struct pk_stream *r)
{
	struct pk_stream **p = &r->all->first;

	while (*p != r)
		p = &(*p)->next;
	*p = r->next;
	r->all->n[r->kind]--;
	r->all->readers--;
	evbuffer_free(r->pending);
	pk_filter_free(r->filter);
	free(r->past);
	free(r);
}

static void on_gone(void *arg)
{
	stream_free(arg);
}

void pk_streams_free(struct pk_streams *s)
{
	if (!s)
		return;
	while (s->first) {
		struct pk_stream *r = s->first;

		pk_exchange_end(r->x);
		stream_free(r);
	}
	free(s);
}

static void begin(struct pk_stream *r)
{
	pk_exchange_head(r->x, "Content-Type", r->events ? PK_API_TYPE_EVENTS : PK_API_TYPE_NDJSON);
	pk_exchange_head(r->x, "Cache-Control", "no-store");
	pk_exchange_begin(r->x, on_gone, r);
}

int pk_stream_open(struct pk_streams *s, struct pk_api_request *q, enum pk_stream_kind kind,
		   struct pk_filter **filter, uint64_t arg, struct pk_stream_past *past)
{
	_cleanup_free_ struct pk_stream_past *mine = past;
	const struct pk_ocsf *o = &q->view->ocsf;
	struct pk_stream *r;

	if (s->readers >= PK_STREAM_MAX)
		return -EBUSY;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = (struct pk_stream){ .all = s, .x = q->x, .kind = kind, .arg = arg };
	r->pending = evbuffer_new();
	if (!r->pending) {
		free(r);
		return -ENOMEM;
	}
	r->events = pk_said_accepts(pk_exchange_said(q->x, "Accept"), PK_API_TYPE_EVENTS);
	/* events are kept without what a filter asks about: nobody can go on there with one */
	r->numbered = kind != PK_STREAM_EVENTS || !pk_api_param(q, "filter");
	snprintf(r->run, sizeof(r->run), "%.8s%.8s", o->run[0] ? o->boot : "", o->run);
	r->filter = PK_TAKE(*filter);
	r->past = PK_TAKE(mine);
	r->said_ns = pk_clock_boot_ns();
	r->next = s->first;
	s->first = r;
	s->n[kind]++;
	s->readers++;
	begin(r);
	return 0;
}

struct pk_stream *pk_stream_latest(const struct pk_streams *s)
{
	return s->first;
}

struct pk_stream *pk_stream_next(const struct pk_streams *s, enum pk_stream_kind kind,
				 const struct pk_stream *after)
{
	struct pk_stream *r = after ? after->next : s->first;

	while (r && (r->kind != kind || r->past))
		r = r->next;
	return r;
}

const struct pk_filter *pk_stream_filter(const struct pk_stream *r)
{
	return r->filter;
}

uint64_t pk_stream_arg(const struct pk_stream *r)
{
	return r->arg;
}

uint64_t pk_stream_lost(const struct pk_stream *r)
{
	return r->lost;
}

static size_t behind(const struct pk_stream *r)
{
	return evbuffer_get_length(r->pending) + pk_exchange_behind(r->x);
}

bool pk_stream_has_room(struct pk_stream *r)
{
	if (behind(r) < PK_STREAM_BACKLOG)
		return true;
	r->lost++;
	r->all->lost++;
	return false;
}

bool pk_stream_is_full(const struct pk_stream *r)
{
	return behind(r) >= PK_STREAM_BACKLOG / 2;
}

void pk_stream_lose(struct pk_stream *r, uint64_t n)
{
	r->lost += n;
	r->all->lost += n;
}

static void say(struct pk_stream *r, const char *event, const char *line, size_t len)
{
	if (r->events && event)
		evbuffer_add_printf(r->pending, "event: %s\n", event);
	if (r->events)
		evbuffer_add(r->pending, "data: ", 6);
	evbuffer_add(r->pending, line, len);
	evbuffer_add(r->pending, "\n\n", r->events ? 2 : 1);
	r->said_ns = pk_clock_boot_ns();
}

static void say_lost(struct pk_stream *r, const char *more)
{
	char text[80];
	int n = snprintf(text, sizeof(text), "{\"lost\":%llu%s}", (unsigned long long)r->lost,
			 more);

	say(r, "lost", text, (size_t)n);
	r->lost = 0;
}

void pk_stream_restarted(struct pk_stream *r, uint64_t lost)
{
	pk_stream_lose(r, lost);
	say_lost(r, ",\"restarted\":true");
}

static void say_id(struct pk_stream *r, struct pk_stream_id id)
{
	evbuffer_add_printf(r->pending, "id: %s%s%llu", r->run, r->run[0] ? "-" : "",
			    (unsigned long long)id.seq);
	if (id.mark && r->run[0])
		evbuffer_add_printf(r->pending, ".%llu", (unsigned long long)id.mark);
	evbuffer_add(r->pending, "\n", 1);
}

void pk_stream_add(struct pk_stream *r, struct pk_stream_id id, const char *line, size_t len)
{
	if (r->lost)
		say_lost(r, "");
	if (r->events && r->numbered && id.seq)
		say_id(r, id);
	say(r, NULL, line, len);
}

static void on_sent(void *arg);

static void give(struct pk_stream *r)
{
	if (!evbuffer_get_length(r->pending))
		return;
	if (r->past)
		pk_exchange_send_then(r->x, r->pending, on_sent);
	else
		pk_exchange_send(r->x, r->pending);
}

/* A piece of the past, as long as there is room; and a sign of life where nothing is told. */
static void move_on(struct pk_stream *r)
{
	if (r->past && !pk_stream_is_full(r) && !r->past->more(r->past, r)) {
		free(r->past);
		r->past = NULL;
	}
	if (r->lost && behind(r) < PK_STREAM_BACKLOG / 2)
		say_lost(r, "");
	if (r->events && pk_clock_boot_ns() - r->said_ns >= PK_STREAM_BEAT_NS) {
		evbuffer_add(r->pending, ":\n\n", 3);
		r->said_ns = pk_clock_boot_ns();
	}
	give(r);
}

/* The reader took all of it: it can have more at once. */
static void on_sent(void *arg)
{
	struct pk_stream *r = arg;

	if (r->past)
		move_on(r);
}

void pk_streams_flush(struct pk_streams *s)
{
	struct pk_stream *next;

	for (struct pk_stream *r = s->first; r; r = next) {
		next = r->next;
		move_on(r);
	}
}

size_t pk_streams_readers(const struct pk_streams *s, enum pk_stream_kind kind)
{
	return s->n[kind];
}

uint64_t pk_streams_lost(const struct pk_streams *s)
{
	return s->lost;
}
