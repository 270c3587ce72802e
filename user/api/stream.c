/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the replies that never end, their filters and what is not yet handed to the socket. It does
 * not know what the lines mean.
 */
#include "api/stream.h"

#include "api/exchange.h"
#include "api/server.h"
#include "base/cleanup.h"
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

int pk_stream_open(struct pk_streams *s, struct pk_api_request *q, enum pk_stream_kind kind,
		   struct pk_filter **filter, uint64_t arg)
{
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
	r->filter = PK_TAKE(*filter);
	r->next = s->first;
	s->first = r;
	s->n[kind]++;
	s->readers++;
	pk_exchange_head(r->x, "Content-Type", PK_API_TYPE_NDJSON);
	pk_exchange_head(r->x, "Cache-Control", "no-store");
	pk_exchange_begin(r->x, on_gone, r);
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
			pk_exchange_send(r->x, r->pending);
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
