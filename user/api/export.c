/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list as text, piece by piece as the reader takes it: the loop goes on in between, and a list of
 * any size takes the memory of one piece.
 */
#include "api/answer.h"
#include "api/exchange.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/tag.h"
#include "base/buf.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES (256u << 10)

struct export
{
	struct pk_exchange *x;
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

static void on_gone(void *arg)
{
	export_free(arg);
}

static void send_piece(void *arg)
{
	struct export *x = arg;
	struct pk_buf text = { 0 };
	int r;

	if (x->last) {
		pk_exchange_end(x->x);
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
		pk_exchange_cut(x->x); /* the list was removed meanwhile, or no memory */
	else
		pk_exchange_send_then(x->x, x->out, send_piece);
}

int pk_list_export(struct pk_api_request *q)
{
	struct pk_block *b = pk_answer_block(q);
	struct pk_block_info info;
	struct export *x;

	if (!b)
		return 0;
	if (strlen(q->rest) >= sizeof(x->list) || !pk_block_list_get(b, q->rest, &info))
		return pk_api_problem(q, 404, "there is no list of this name");
	if (!pk_tag_passes(q, &info))
		return 0;
	x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->out = evbuffer_new();
	if (!x->out) {
		free(x);
		return -ENOMEM;
	}
	x->x = q->x;
	x->block = b;
	memcpy(x->list, q->rest, strlen(q->rest) + 1);
	pk_exchange_head(x->x, "Content-Type", "text/plain; charset=utf-8");
	pk_exchange_head(x->x, "Cache-Control", "no-store");
	pk_tag_head(q, &info);
	pk_exchange_begin(x->x, on_gone, x);
	send_piece(x);
	return 0;
}
