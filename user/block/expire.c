/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the heap of expiries. Wall clock throughout, so that a clock that is set needs no repair. */
#include "block/expire.h"

#include <errno.h>
#include <stdlib.h>

void pk_expiry_done(struct pk_expiry *x)
{
	free(x->v);
	*x = (struct pk_expiry){ 0 };
}

void pk_expiry_clear(struct pk_expiry *x)
{
	x->n = 0;
}

int pk_expiry_push(struct pk_expiry *x, const struct pk_expiry_item *item)
{
	size_t i = x->n;

	if (x->n == x->cap) {
		size_t cap = x->cap ? x->cap * 2 : 256;
		struct pk_expiry_item *v = realloc(x->v, cap * sizeof(*v));

		if (!v)
			return -ENOMEM;
		x->v = v;
		x->cap = cap;
	}
	x->n++;
	for (; i && x->v[(i - 1) / 2].expires_ms > item->expires_ms; i = (i - 1) / 2)
		x->v[i] = x->v[(i - 1) / 2];
	x->v[i] = *item;
	return 0;
}

bool pk_expiry_pop(struct pk_expiry *x, int64_t now_ms, struct pk_expiry_item *ret)
{
	struct pk_expiry_item last;
	size_t i = 0;

	if (!x->n || x->v[0].expires_ms > now_ms)
		return false;
	*ret = x->v[0];
	last = x->v[--x->n];
	for (size_t child; (child = 2 * i + 1) < x->n; i = child) {
		if (child + 1 < x->n && x->v[child + 1].expires_ms < x->v[child].expires_ms)
			child++;
		if (x->v[child].expires_ms >= last.expires_ms)
			break;
		x->v[i] = x->v[child];
	}
	x->v[i] = last;
	return true;
}

int64_t pk_expiry_next_ms(const struct pk_expiry *x)
{
	return x->n ? x->v[0].expires_ms : 0;
}
