/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the list of interfaces, sorted by namespace and index, found by bisection. The broker's
 * messages fill it; it does not ask the kernel.
 */
#include "flow/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct pk_links {
	struct pk_link *v;
	size_t n, max, cap;
	uint64_t refused;
};

struct pk_links *pk_links_new(size_t max)
{
	struct pk_links *l = calloc(1, sizeof(*l));

	if (l)
		l->max = max;
	return l;
}

void pk_links_free(struct pk_links *l)
{
	if (!l)
		return;
	free(l->v);
	free(l);
}

/* First place whose link is not before (netns, ifindex). */
static size_t place(const struct pk_links *l, uint64_t netns, uint32_t ifindex)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct pk_link *k = &l->v[mid];

		if (k->netns < netns || (k->netns == netns && k->ifindex < ifindex))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct pk_link *pk_links_find(const struct pk_links *l, uint64_t netns, uint32_t ifindex)
{
	size_t i = place(l, netns, ifindex);

	return i < l->n && l->v[i].netns == netns && l->v[i].ifindex == ifindex ? &l->v[i] : NULL;
}

const struct pk_link *pk_links_of(const struct pk_links *l, uint64_t netns)
{
	size_t i = place(l, netns, 0);

	return i < l->n && l->v[i].netns == netns ? &l->v[i] : NULL;
}

int pk_links_set(struct pk_links *l, const struct pk_link *link)
{
	size_t i = place(l, link->netns, link->ifindex);

	if (i < l->n && l->v[i].netns == link->netns && l->v[i].ifindex == link->ifindex) {
		l->v[i] = *link;
		return 0;
	}
	if (l->n >= l->max) {
		l->refused++;
		return -ENOSPC;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct pk_link *v = reallocarray(l->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->cap = cap;
	}
	memmove(&l->v[i + 1], &l->v[i], (l->n - i) * sizeof(*l->v));
	l->v[i] = *link;
	l->n++;
	return 0;
}

void pk_links_remove(struct pk_links *l, uint64_t netns, uint32_t ifindex)
{
	size_t i = place(l, netns, ifindex);

	if (i >= l->n || l->v[i].netns != netns || l->v[i].ifindex != ifindex)
		return;
	l->n--;
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof(*l->v));
}

const struct pk_link *pk_links_at(const struct pk_links *l, size_t i)
{
	return i < l->n ? &l->v[i] : NULL;
}

uint64_t pk_links_refused(const struct pk_links *l)
{
	return l->refused;
}
