/* SPDX-License-Identifier: Apache-2.0 */
/* Hands each step to whoever carries the exchange. */
#include "api/exchange.h"

const char *pk_exchange_said(const struct pk_exchange *x, const char *name)
{
	return x->ops->said(x, name);
}

int pk_exchange_fd(const struct pk_exchange *x)
{
	return x->ops->fd(x);
}

void pk_exchange_head(struct pk_exchange *x, const char *name, const char *value)
{
	x->ops->head(x, name, value);
}

void pk_exchange_reply(struct pk_exchange *x, int status, const char *title, const void *data,
		       size_t len)
{
	x->ops->reply(x, status, title, data, len);
}

void pk_exchange_begin(struct pk_exchange *x, void (*gone)(void *arg), void *arg)
{
	x->gone = gone;
	x->arg = arg;
	x->ops->begin(x, 200, "OK");
}

void pk_exchange_send(struct pk_exchange *x, struct evbuffer *data)
{
	x->ops->send(x, data, NULL);
}

void pk_exchange_send_then(struct pk_exchange *x, struct evbuffer *data, void (*sent)(void *arg))
{
	x->ops->send(x, data, sent);
}

void pk_exchange_end(struct pk_exchange *x)
{
	x->ops->end(x);
}

void pk_exchange_cut(struct pk_exchange *x)
{
	x->ops->cut(x);
}

size_t pk_exchange_behind(const struct pk_exchange *x)
{
	return x->ops->behind(x);
}
