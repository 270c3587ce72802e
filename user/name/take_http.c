/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1. The fact is of a connection's first request and answer; later ones are news only. Cookies
 * and what follows a '?' in a path are not kept.
 */
#include "decode/app.h"
#include "decode/http.h"
#include "name/take.h"

#include <errno.h>
#include <string.h>

#define PIPELINED_MAX 16 /* requests of one segment */

static struct pk_slice path_of(const struct pk_http *h)
{
	struct pk_slice p = h->target;
	const char *end;

	if (h->connect)
		return (struct pk_slice){ 0 };
	if (h->absolute && p.len) { /* behind "http://authority" */
		const char *at = memmem(p.s, p.len, "://", 3);
		const char *from = at ? at + 3 : p.s;
		const char *slash = memchr(from, '/', p.len - (size_t)(from - p.s));

		if (!slash)
			return (struct pk_slice){ 0 };
		p.len -= (uint32_t)(slash - p.s);
		p.s = slash;
	}
	end = p.len ? memchr(p.s, '?', p.len) : NULL;
	if (end)
		p.len = (uint32_t)(end - p.s);
	return p;
}

static void take_request(struct pk_names *n, const struct pk_take *t, const struct pk_http *h)
{
	struct pk_fact *f = t->fact;
	struct pk_slice host = h->target_host.len ? h->target_host : h->host;
	const char *before = f->http_host;

	if (h->connect || h->absolute)
		f->flags |= PK_FACT_PROXIED;
	if (h->basic)
		f->flags |= PK_FACT_CLEAR;
	pk_names_set(n, &f->http_method, h->method);
	pk_names_set_name(n, &f->http_host, pk_http_host_name(host));
	pk_names_set(n, &f->http_path, path_of(h));
	pk_names_set(n, &f->http_agent, h->user_agent);
	pk_names_compare(n, f, &t->s->key, t->s->hdr.ts);
	if (f->http_host && f->http_host != before)
		pk_names_tell(n, t, PK_NEWS_HTTP, NULL);
}

static void tell(struct pk_names *n, const struct pk_take *t, const struct pk_http *head,
		 const uint8_t *bytes, size_t len)
{
	bool answer = head && head->kind == PK_HTTP_RESPONSE;
	const struct pk_news_http http = { .head = head, .bytes = bytes, .len = len };

	pk_names_tell_http(n, t, answer ? PK_NEWS_RESPONSE : PK_NEWS_REQUEST, &http);
}

/* Of len bytes those that are of this message. Without a length it goes on where it is chunked, and
 * ends with its head where it is not (RFC 9112 6.3). */
static size_t message_len(const struct pk_http *h, size_t len)
{
	size_t body = len - h->head_len;

	if (h->end != PK_HTTP_WHOLE || h->chunked)
		return len;
	if (h->content_length < 0)
		return h->head_len;
	return h->head_len +
	       ((uint64_t)h->content_length < body ? (size_t)h->content_length : body);
}

/* The message that h is the head of, and the requests behind it that did not wait for an answer. */
static void tell_requests(struct pk_names *n, const struct pk_take *t, const struct pk_http *h,
			  const uint8_t *data, size_t len)
{
	struct pk_http next;

	for (unsigned i = 0; i < PIPELINED_MAX; i++) {
		size_t used = message_len(h, len);

		tell(n, t, h, data, used);
		data += used;
		len -= used;
		if (!len || pk_http_decode(&next, data, len) < 0 || next.kind != PK_HTTP_REQUEST)
			return;
		h = &next;
	}
}

/* "100 Continue" and the like: the real answer follows. */
static bool is_interim(const struct pk_http *h)
{
	return h->kind == PK_HTTP_RESPONSE && h->end == PK_HTTP_WHOLE && h->status / 100 == 1 &&
	       h->status != 101;
}

int pk_take_http(struct pk_names *n, const struct pk_take *t, size_t *ret_used)
{
	struct pk_fact *f = t->fact;
	struct pk_http h;
	int r;

	*ret_used = 0;
	do {
		r = pk_http_decode(&h, t->data + *ret_used, t->len - *ret_used);
		if (r == 0 && is_interim(&h))
			*ret_used += h.head_len;
	} while (r == 0 && is_interim(&h));
	if (r < 0)
		return r == -ENODATA ? -EAGAIN : r;
	f->app = PK_PROTO_HTTP;
	f->flags |= PK_FACT_HTTP;
	if (h.kind == PK_HTTP_REQUEST) {
		take_request(n, t, &h);
		tell_requests(n, t, &h, t->data + *ret_used, t->len - *ret_used);
	} else {
		if (!f->http_status)
			tell(n, t, &h, t->data + *ret_used, t->len - *ret_used);
		f->http_status = h.status;
		pk_names_set(n, &f->http_server, h.server);
	}
	return h.end == PK_HTTP_PARTIAL ? -EAGAIN : 0;
}

void pk_take_http_more(struct pk_names *n, const struct pk_take *t)
{
	bool server = t->s->dir == t->server;
	struct pk_http h;

	if (pk_http_decode(&h, t->data, t->len) < 0 || (h.kind == PK_HTTP_RESPONSE) != server) {
		if (!server)
			tell(n, t, NULL, t->data, t->len);
		return;
	}
	if (!server)
		tell_requests(n, t, &h, t->data, t->len);
	else if (!is_interim(&h))
		tell(n, t, &h, t->data, t->len);
}
