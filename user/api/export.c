/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list as text, piece by piece as the reader takes it: the loop goes on in between, and a list of
 * any size takes the memory of one piece.
 */
#include "api/answer.h"
#include "api/routes.h"
#include "api/server.h"
#include "base/buf.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES (256u << 10)

struct export
{
	struct evhttp_request *http;
	struct pk_block *block;
	struct pk_block_export at;
	struct evbuffer *out;
	bool last;
	char list[64];
};

static void export_free(struct export *x)
{
	evbuffer_free(x->out);
	free(x);
}

static void on_close(struct evhttp_connection *c, void *arg)
{
	(void)c; /* gone with its request */
	export_free(arg);
}

/* A list that is removed meanwhile, or no memory: cut off, so that the reader sees an error and no
 * list that looks whole. */
static void give_up(struct export *x)
{
	struct evhttp_connection *c = evhttp_request_get_connection(x->http);

	if (c)
		evhttp_connection_free(c); /* calls on_close() */
}

static void send_piece(struct evhttp_connection *c, void *arg)
{
	struct export *x = arg;
	struct pk_buf text = { 0 };
	int r;

	if (x->last) {
		evhttp_connection_set_closecb(c, NULL, NULL);
		evhttp_send_reply_end(x->http);
		export_free(x);
		return;
	}
	r = pk_block_export(x->block, x->list, &x->at, PIECE_BYTES, &text);
	if (r >= 0 && text.error)
		r = text.error;
	if (r >= 0 && evbuffer_add(x->out, text.data, text.len) < 0)
		r = -ENOMEM;
	pk_buf_done(&text);
	x->last = r == 0;
	if (r < 0)
		give_up(x);
	else
		evhttp_send_reply_chunk_with_cb(x->http, x->out, send_piece, x);
}

int pk_list_export(struct pk_api_request *q)
{
	struct evhttp_connection *c = evhttp_request_get_connection(q->http);
	struct evkeyvalq *head = evhttp_request_get_output_headers(q->http);
	struct pk_block *b = pk_answer_block(q);
	struct pk_block_info info;
	struct export *x;

	if (!b)
		return 0;
	if (!c || strlen(q->rest) >= sizeof(x->list) || !pk_block_list_get(b, q->rest, &info))
		return pk_api_problem(q, 404, "there is no list of this name");
	x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->out = evbuffer_new();
	if (!x->out) {
		free(x);
		return -ENOMEM;
	}
	x->http = q->http;
	x->block = b;
	memcpy(x->list, q->rest, strlen(q->rest) + 1);
	evhttp_connection_set_closecb(c, on_close, x);
	evhttp_add_header(head, "Content-Type", "text/plain; charset=utf-8");
	evhttp_add_header(head, "Cache-Control", "no-store");
	evhttp_send_reply_start(q->http, 200, "OK");
	send_piece(c, x);
	return 0;
}
