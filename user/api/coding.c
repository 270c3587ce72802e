/* SPDX-License-Identifier: Apache-2.0 */
/* Owns bodies while they are opened. What is in them is for the routes. */
#include "api/coding.h"

#include "api/exchange.h"
#include "api/said.h"
#include "api/server.h"
#include "api/work.h"
#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

struct pk_codings {
	struct pk_works *works;
	struct opening *first;
};

struct opening {
	struct pk_work work;
	struct pk_codings *all;
	struct opening *next;
	struct pk_api_later *later;
	void (*again)(struct pk_api *api, struct pk_exchange *x);
	enum pk_packed how;
	struct evbuffer *body;
	struct pk_buf out;
	int result;
	const char *why;
};

static void opening_free(struct opening *o)
{
	struct opening **p = o->all ? &o->all->first : NULL;

	while (p && *p != o)
		p = &(*p)->next;
	if (p)
		*p = o->next;
	pk_api_later_free(o->later);
	if (o->body)
		evbuffer_free(o->body);
	pk_buf_done(&o->out);
	free(o);
}

struct pk_codings *pk_codings_new(struct event_base *base)
{
	struct pk_codings *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->works = pk_works_new(base, PK_CODINGS_MAX);
	if (c->works)
		return c;
	free(c);
	return NULL;
}

void pk_codings_free(struct pk_codings *c)
{
	if (!c)
		return;
	pk_works_free(c->works);
	while (c->first)
		opening_free(c->first);
	free(c);
}

static void open_body(struct pk_work *w)
{
	struct opening *o = (struct opening *)w; /* its first member */
	size_t len = evbuffer_get_length(o->body);
	const void *bytes = evbuffer_pullup(o->body, -1);

	o->result = bytes ? pk_unpack(o->how, bytes, len, PK_UNPACK_WINDOW_HTTP, &o->out, &o->why)
			  : -ENOMEM;
	evbuffer_free(PK_TAKE(o->body));
}

static void free_data(const void *data, size_t len, void *arg)
{
	(void)data, (void)len;
	free(arg);
}

/* 0, or the status and why. */
static int put_back(struct opening *o, const char **ret_why)
{
	struct pk_exchange *x = o->later->q.x;

	*ret_why = o->why;
	if (o->result == -EBADMSG)
		return 400;
	*ret_why = "the body is too large once it is open";
	if (o->result == -EFBIG)
		return 413;
	*ret_why = "out of memory";
	if (o->result < 0 ||
	    evbuffer_add_reference(x->body, o->out.data, o->out.len, free_data, o->out.data) < 0)
		return 500;
	o->out = (struct pk_buf){ 0 };
	x->plain = true;
	return 0;
}

static void on_open(struct pk_work *w)
{
	struct opening *o = (struct opening *)w;
	struct pk_api *api = o->later->q.api;
	const char *why;
	int status = put_back(o, &why);
	struct pk_exchange *x = NULL;

	if (status)
		(void)pk_api_problem(&o->later->q, status, why); /* always 0 */
	else
		x = PK_TAKE(o->later->q.x);
	void (*again)(struct pk_api *, struct pk_exchange *) = o->again;

	opening_free(o);
	if (x)
		again(api, x);
}

static bool refuse_coding(struct pk_api_request *q)
{
	pk_exchange_head(q->x, "Accept-Encoding", "gzip, zstd");
	(void)pk_api_problem(q, 415, /* always 0 */
			     "this coding of a body is not known: one of gzip and zstd");
	return true;
}

/* Everything is taken from q but on failure. */
static int begin(struct pk_api_request *q, struct opening *o)
{
	o->body = evbuffer_new();
	if (!o->body || evbuffer_add_buffer(o->body, pk_api_body(q)) < 0)
		return -ENOMEM;
	o->later = pk_api_later_new(q);
	if (!o->later)
		return -ENOMEM;
	q->x = NULL;
	o->work.run = open_body;
	o->work.done = on_open;
	o->all = pk_api_codings(q->api);
	o->next = o->all->first;
	o->all->first = o;
	return 0;
}

bool pk_coding_opens(struct pk_api_request *q, uint64_t max,
		     void (*again)(struct pk_api *api, struct pk_exchange *x))
{
	struct pk_codings *c = pk_api_codings(q->api);
	enum pk_packed how = PK_PACKED_NOT;
	struct opening *o;

	if (q->x->plain || !evbuffer_get_length(pk_api_body(q)))
		return false;
	if (pk_said_coding(pk_exchange_said(q->x, "Content-Encoding"), &how) < 0)
		return refuse_coding(q);
	if (how == PK_PACKED_NOT)
		return false;
	if (pk_works_is_full(c->works))
		return pk_api_busy(q, "other bodies are being opened: try again") == 0;
	o = calloc(1, sizeof(*o));
	if (!o || begin(q, o) < 0) {
		if (o)
			opening_free(o);
		return pk_api_problem(q, 500, "out of memory") == 0;
	}
	o->how = how;
	o->again = again;
	o->out.max = max;
	if (pk_work_start(c->works, &o->work) < 0) {
		(void)pk_api_busy(&o->later->q, "no thread to open the body: try again");
		opening_free(o);
	}
	return true;
}
