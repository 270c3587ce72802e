/* SPDX-License-Identifier: Apache-2.0 */
/* A small sorted table. It finds nothing out by itself. */
#include "enrich/netns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pk_netns_init(struct pk_netns_table *t)
{
	*t = (struct pk_netns_table){ 0 };
}

void pk_netns_done(struct pk_netns_table *t)
{
	free(t->ns);
	pk_netns_init(t);
}

/* Where the cookie is or would be. */
static uint32_t find(const struct pk_netns_table *t, uint64_t cookie)
{
	uint32_t lo = 0, hi = t->n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (t->ns[mid].cookie < cookie)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int make_room(struct pk_netns_table *t)
{
	uint32_t max = t->max ? t->max * 2 : 16;
	struct pk_netns_name *ns;

	if (t->n < t->max)
		return 0;
	if (t->n >= PK_NETNS_MAX) {
		t->refused++;
		return -ENOSPC;
	}
	ns = reallocarray(t->ns, max, sizeof(*ns));
	if (!ns)
		return -ENOMEM;
	t->ns = ns;
	t->max = max;
	return 0;
}

int pk_netns_set(struct pk_netns_table *t, uint64_t cookie, uint32_t inum, const char *name)
{
	uint32_t i = find(t, cookie);

	if (i == t->n || t->ns[i].cookie != cookie) {
		int r = make_room(t);

		if (r < 0)
			return r;
		memmove(&t->ns[i + 1], &t->ns[i], (t->n - i) * sizeof(*t->ns));
		t->n++;
	}
	t->ns[i] = (struct pk_netns_name){ .cookie = cookie, .inum = inum };
	snprintf(t->ns[i].name, sizeof(t->ns[i].name), "%s", name);
	return 0;
}

void pk_netns_remove(struct pk_netns_table *t, uint64_t cookie)
{
	uint32_t i = find(t, cookie);

	if (i == t->n || t->ns[i].cookie != cookie)
		return;
	t->n--;
	memmove(&t->ns[i], &t->ns[i + 1], (t->n - i) * sizeof(*t->ns));
}

const struct pk_netns_name *pk_netns_get(const struct pk_netns_table *t, uint64_t cookie)
{
	uint32_t i = find(t, cookie);

	return i < t->n && t->ns[i].cookie == cookie ? &t->ns[i] : NULL;
}
