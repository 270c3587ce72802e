/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the servers of each network. Whether a second one is bad is for the detectors to say. */
#include "detect/servers.h"

#include "detect/memo.h"

#include <stdlib.h>
#include <string.h>

#define SEGMENTS_MAX 4097 /* an interface and each of its VLANs */

struct pk_servers {
	struct pk_memo *networks; /* holds on: made-up VLANs do not wash the real network out */
};

struct pk_servers *pk_servers_new(void)
{
	struct pk_servers *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->networks = pk_memo_new(SEGMENTS_MAX, sizeof(struct pk_servers_row), true);
	if (t->networks)
		return t;
	free(t);
	return NULL;
}

void pk_servers_free(struct pk_servers *t)
{
	if (t)
		pk_memo_free(t->networks);
	free(t);
}

void pk_servers_memory(const struct pk_servers *t, struct pk_memory *sum)
{
	pk_memo_memory(t->networks, sum);
	sum->bytes += sizeof(*t);
}

size_t pk_servers_bytes_max(void)
{
	return pk_memo_bytes_max(SEGMENTS_MAX, sizeof(struct pk_servers_row), true) +
	       sizeof(struct pk_servers);
}

struct pk_memo *pk_servers_memo(struct pk_servers *t)
{
	return t->networks;
}

bool pk_servers_is_sane(const void *row, int64_t now_ns)
{
	const struct pk_servers_row *n = row;

	if (n->n > PK_SERVERS_EACH)
		return false;
	for (unsigned i = 0; i < n->n; i++)
		if (n->server[i].seen_ns > (uint64_t)now_ns)
			return false;
	return true;
}

static struct pk_server *find(struct pk_servers_row *n, const uint8_t addr[16])
{
	for (unsigned i = 0; i < n->n; i++)
		if (!memcmp(n->server[i].addr, addr, 16))
			return &n->server[i];
	return NULL;
}

/* The one known longest stays: it is what others are compared with. */
static struct pk_server *room(struct pk_servers_row *n)
{
	struct pk_server *least = &n->server[1];

	if (n->n < PK_SERVERS_EACH)
		return &n->server[n->n++];
	for (unsigned i = 2; i < n->n; i++)
		if (n->server[i].seen_ns < least->seen_ns)
			least = &n->server[i];
	return least;
}

bool pk_servers_take(struct pk_servers *t, const struct pk_segment *where,
		     const struct pk_server *offer, uint64_t now_ns, uint64_t within_ns,
		     struct pk_server *ret_other)
{
	struct pk_memo_key key = pk_segment_key(where);
	bool is_new, second;
	struct pk_servers_row *n = pk_memo_take(t->networks, &key, &is_new);
	struct pk_server *s;

	pk_memo_age(t->networks, now_ns, within_ns);
	if (!n)
		return false; /* no room: counted */
	s = find(n, offer->addr);
	if (s) {
		s->seen_ns = now_ns;
		s->terms = offer->terms;
		return false;
	}
	second = n->n && now_ns - n->server[0].seen_ns < within_ns;
	if (second)
		*ret_other = n->server[0];
	else
		n->n = 0; /* nobody was heard of for long: this one is the server now */
	s = room(n);
	*s = *offer;
	s->first_ns = s->seen_ns = now_ns;
	return second;
}
