/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the connections, each allocated when first needed and kept for the next. It does not read
 * them. There are few: they are looked through.
 */
#include "name/handshake.h"

#include "base/cleanup.h"
#include "decode/quic.h"

#include <string.h>

struct slot {
	uint64_t flow; /* 0: free */
	uint64_t touched;
};

struct pk_handshakes {
	struct slot *slot;
	struct pk_quic_conn **conn;
	size_t max;
	uint64_t now; /* counts touches */
	struct pk_handshakes_count count;
};

struct pk_handshakes *pk_handshakes_new(size_t max)
{
	struct pk_handshakes *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->max = h->count.max = max ? max : 1;
	h->slot = calloc(h->max, sizeof(*h->slot));
	h->conn = calloc(h->max, sizeof(*h->conn));
	if (h->slot && h->conn)
		return h;
	pk_handshakes_free(h);
	return NULL;
}

void pk_handshakes_free(struct pk_handshakes *h)
{
	if (!h)
		return;
	for (size_t i = 0; h->conn && i < h->max; i++)
		free(h->conn[i]);
	free(h->conn);
	free(h->slot);
	free(h);
}

static struct slot *find(struct pk_handshakes *h, uint64_t flow)
{
	for (size_t i = 0; flow && i < h->max; i++)
		if (h->slot[i].flow == flow)
			return &h->slot[i];
	return NULL;
}

struct pk_quic_conn *pk_handshakes_find(struct pk_handshakes *h, uint64_t flow)
{
	struct slot *s = find(h, flow);

	if (!s)
		return NULL;
	s->touched = ++h->now;
	return h->conn[s - h->slot];
}

struct pk_quic_conn *pk_handshakes_make(struct pk_handshakes *h, uint64_t flow)
{
	struct pk_quic_conn *c = pk_handshakes_find(h, flow);
	size_t best = 0;

	if (c || !flow)
		return c;
	for (size_t i = 1; i < h->max && h->slot[best].flow; i++)
		if (!h->slot[i].flow || h->slot[i].touched < h->slot[best].touched)
			best = i;
	c = h->conn[best];
	if (!c)
		c = h->conn[best] = malloc(sizeof(*c));
	if (!c)
		return NULL;
	memset(c, 0, sizeof(*c));
	if (h->slot[best].flow)
		h->count.evicted++;
	else
		h->count.used++;
	h->slot[best] = (struct slot){ .flow = flow, .touched = ++h->now };
	return c;
}

void pk_handshakes_drop(struct pk_handshakes *h, uint64_t flow)
{
	struct slot *s = find(h, flow);

	if (!s)
		return;
	s->flow = 0;
	h->count.used--;
}

void pk_handshakes_counts(const struct pk_handshakes *h, struct pk_handshakes_count *ret)
{
	*ret = h->count;
}
