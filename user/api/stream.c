/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the replies that never end, their filters and what is not yet handed to the socket. It does
 * not know what the lines mean. A reader whose socket takes nothing for a minute is closed.
 */
#include "api/stream.h"

#include "api/server.h"
#include "base/cleanup.h"
#include "flow/filter.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <stdio.h>
#include <string.h>

#define STALLED_S 60

struct pk_stream {
	struct pk_streams *all;
	struct pk_stream *next;
	struct evhttp_request *http;
	struct evbuffer *pending;
	struct pk_filter *filter;
	enum pk_stream_kind kind;
	uint64_t arg, lost;
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
	free(r);
}

static void on_close(struct evhttp_connection *c, void *arg)
{
	(void)c; /* gone with its request */
	stream_free(arg);
}

void pk_streams_free(struct pk_streams *s)
{
	if (!s)
		return;
	while (s->first) {
		struct pk_stream *r = s->first;
		struct evhttp_connection *c = evhttp_request_get_connection(r->http);

		if (c)
			evhttp_connection_set_closecb(c, NULL, NULL);
		evhttp_send_reply_end(r->http);
		stream_free(r);
	}
	free(s);
}

int pk_stream_open(struct pk_streams *s, struct pk_api_request *q, enum pk_stream_kind kind,
		   struct pk_filter **filter, uint64_t arg)
{
	struct evhttp_connection *c = evhttp_request_get_connection(q->http);
	struct evkeyvalq *head = evhttp_request_get_output_headers(q->http);
	struct timeval stalled = { .tv_sec = STALLED_S };
	struct pk_stream *r;

	if (s->readers >= PK_STREAM_MAX || !c)
		return -EBUSY;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = (struct pk_stream){ .all = s, .http = q->http, .kind = kind, .arg = arg };
	r->pending = evbuffer_new();
	if (!r->pending) {
		free(r);
		return -ENOMEM;
	}
	r->filter = PK_TAKE(*filter);
	r->next = s->first;
	s->first = r;
	s->n[kind]++;
	s->readers++;
	evhttp_connection_set_closecb(c, on_close, r);
	evhttp_add_header(head, "Content-Type", "application/x-ndjson");
	evhttp_add_header(head, "Cache-Control", "no-store");
	evhttp_send_reply_start(q->http, 200, "OK");
	/* evhttp's own timeout is for requests: a reader says nothing for as long as it likes */
	bufferevent_set_timeouts(evhttp_connection_get_bufferevent(c), NULL, &stalled);
	return 0;
}

struct pk_stream *pk_stream_next(const struct pk_streams *s, enum pk_stream_kind kind,
				 const struct pk_stream *after)
{
	struct pk_stream *r = after ? after->next : s->first;

	while (r && r->kind != kind)
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
	struct evhttp_connection *c = evhttp_request_get_connection(r->http);
	struct bufferevent *b = c ? evhttp_connection_get_bufferevent(c) : NULL;

	return evbuffer_get_length(r->pending) +
	       (b ? evbuffer_get_length(bufferevent_get_output(b)) : 0);
}

bool pk_stream_has_room(struct pk_stream *r)
{
	if (behind(r) < PK_STREAM_BACKLOG)
		return true;
	r->lost++;
	r->all->lost++;
	return false;
}

void pk_stream_add(struct pk_stream *r, const char *line, size_t len)
{
	if (r->lost) {
		evbuffer_add_printf(r->pending, "{\"lost\":%llu}\n", (unsigned long long)r->lost);
		r->lost = 0;
	}
	evbuffer_add(r->pending, line, len);
	evbuffer_add(r->pending, "\n", 1);
}

void pk_streams_flush(struct pk_streams *s)
{
	struct pk_stream *next;

	for (struct pk_stream *r = s->first; r; r = next) {
		next = r->next;
		if (r->lost && behind(r) < PK_STREAM_BACKLOG / 2) {
			evbuffer_add_printf(r->pending, "{\"lost\":%llu}\n",
					    (unsigned long long)r->lost);
			r->lost = 0;
		}
		if (evbuffer_get_length(r->pending))
			evhttp_send_reply_chunk(r->http, r->pending);
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
