/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges of the unix socket, carried by evhttp. A request that waits for its answer outlives
 * its connection: then the answer goes nowhere. One that was begun ends with its connection.
 */
#include "api/exchange.h"

#include "base/cleanup.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <sys/time.h>

#define STALLED_S 60         /* a reader that takes nothing for so long is closed */
#define WRITE_MAX (1u << 20) /* at once; libevent's own limit is 16 KiB each turn of the loop */

struct http {
	struct pk_exchange x;
	struct evhttp_request *req;
	void (*sent)(void *arg);
};

static struct http *of(struct pk_exchange *x)
{
	return (struct http *)x; /* its first member */
}

static struct evhttp_connection *connection(const struct pk_exchange *x)
{
	return evhttp_request_get_connection(((const struct http *)x)->req);
}

static const char *said(const struct pk_exchange *x, const char *name)
{
	struct evhttp_request *req = ((const struct http *)x)->req;

	return evhttp_find_header(evhttp_request_get_input_headers(req), name);
}

static int fd(const struct pk_exchange *x)
{
	struct evhttp_connection *c = connection(x);

	return c ? bufferevent_getfd(evhttp_connection_get_bufferevent(c)) : -1;
}

static void head(struct pk_exchange *x, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(of(x)->req), name, value);
}

static void reply(struct pk_exchange *x, int status, const char *title, const void *data,
		  size_t len)
{
	struct evhttp_request *req = of(x)->req;

	if (x->method != EVHTTP_REQ_HEAD)
		evbuffer_add(evhttp_request_get_output_buffer(req), data, len);
	evhttp_send_reply(req, status, title, NULL);
	free(x);
}

static void on_close(struct evhttp_connection *c, void *arg)
{
	struct pk_exchange *x = arg;

	(void)c; /* gone with its request */
	if (x->gone)
		x->gone(x->arg);
	if (!connection(x)) /* it failed: then libevent leaves the request to who answers it */
		evhttp_request_free(of(x)->req);
	free(x);
}

static void begin(struct pk_exchange *x, int status, const char *title)
{
	struct timeval stalled = { .tv_sec = STALLED_S };
	struct evhttp_connection *c = connection(x);
	struct bufferevent *b = c ? evhttp_connection_get_bufferevent(c) : NULL;

	if (c)
		evhttp_connection_set_closecb(c, on_close, x);
	evhttp_send_reply_start(of(x)->req, status, title);
	/* evhttp's own timeout is for requests: a reader says nothing for as long as it likes */
	if (b)
		bufferevent_set_timeouts(b, NULL, &stalled);
	if (b)
		(void)bufferevent_set_max_single_write(b, WRITE_MAX); /* else it stays slow */
}

static void on_sent(struct evhttp_connection *c, void *arg)
{
	struct http *h = arg;

	(void)c;
	h->sent(h->x.arg);
}

static void send_piece(struct pk_exchange *x, struct evbuffer *data, void (*sent)(void *arg))
{
	of(x)->sent = sent;
	evhttp_send_reply_chunk_with_cb(of(x)->req, data, sent ? on_sent : NULL, x);
}

static void end(struct pk_exchange *x)
{
	struct evhttp_connection *c = connection(x);

	if (c)
		evhttp_connection_set_closecb(c, NULL, NULL);
	evhttp_send_reply_end(of(x)->req);
	free(x);
}

static void cut(struct pk_exchange *x)
{
	struct evhttp_connection *c = connection(x);

	if (c)
		evhttp_connection_free(c); /* calls on_close() */
}

static size_t behind(const struct pk_exchange *x)
{
	struct evhttp_connection *c = connection(x);
	struct bufferevent *b = c ? evhttp_connection_get_bufferevent(c) : NULL;

	return b ? evbuffer_get_length(bufferevent_get_output(b)) : 0;
}

static const struct pk_exchange_ops ops = { said, head, reply,  begin, send_piece,
					    end,  cut,  behind, fd };

struct pk_exchange *pk_exchange_http(struct evhttp_request *req)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->req = req;
	h->x = (struct pk_exchange){
		.ops = &ops,
		.method = evhttp_request_get_command(req),
		.path = evhttp_uri_get_path(uri),
		.query = evhttp_uri_get_query(uri),
		.body = evhttp_request_get_input_buffer(req),
	};
	return &h->x;
}
