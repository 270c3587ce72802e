/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns socket entries and their three indexes: cookie; (protocol, local end, remote end);
 * (namespace, protocol, local port). It does not know flows beyond their key. A record tells all
 * that the kernel knew, so the latest one wins; a zero address or port keeps the older one.
 */
#include "flow/socket.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <netinet/in.h>
#include <string.h>

#define CHAIN_MAX 64 /* entries looked at for one port: more bound to it are alike */

struct list {
	uint32_t newest, oldest;
	uint64_t used;
};

struct pk_sock_table {
	struct pk_sock_entry *e; /* [0] is not used */
	uint32_t *by_cookie, *by_tuple, *by_port;
	size_t max;
	uint32_t mask, fresh, free;
	struct list open, closed;
	uint64_t evicted, listening;
	struct pk_hash_key key;
};

static const uint8_t no_addr[16];

struct pk_sock_table *pk_sock_table_new(size_t max)
{
	struct pk_sock_table *t = calloc(1, sizeof(*t));
	size_t heads = 64;

	if (!t)
		return NULL;
	t->max = max ? max : 1;
	while (heads < t->max)
		heads *= 2;
	t->mask = heads - 1;
	t->fresh = 1;
	t->e = calloc(t->max + 1, sizeof(*t->e));
	t->by_cookie = calloc(heads, sizeof(uint32_t));
	t->by_tuple = calloc(heads, sizeof(uint32_t));
	t->by_port = calloc(heads, sizeof(uint32_t));
	pk_hash_key_init(&t->key);
	if (t->e && t->by_cookie && t->by_tuple && t->by_port)
		return t;
	pk_sock_table_free(t);
	return NULL;
}

void pk_sock_table_free(struct pk_sock_table *t)
{
	if (!t)
		return;
	free(t->e);
	free(t->by_cookie);
	free(t->by_tuple);
	free(t->by_port);
	free(t);
}

static uint32_t cookie_slot(const struct pk_sock_table *t, uint64_t cookie)
{
	return pk_hash_mix(cookie ^ t->key.k[7]) & t->mask;
}

static uint32_t tuple_slot(const struct pk_sock_table *t, uint8_t l4, const uint8_t laddr[16],
			   uint16_t lport, const uint8_t raddr[16], uint16_t rport)
{
	uint64_t w[5];

	memcpy(w, laddr, 16);
	memcpy(w + 2, raddr, 16);
	w[4] = (uint64_t)lport << 48 | (uint64_t)rport << 32 | l4;
	return pk_hash_words(&t->key, w, PK_ARRAY_SIZE(w)) & t->mask;
}

static uint32_t port_slot(const struct pk_sock_table *t, uint64_t netns, uint8_t l4, uint16_t lport)
{
	uint64_t w[2] = { netns, (uint64_t)lport << 8 | l4 };

	return pk_hash_words(&t->key, w, PK_ARRAY_SIZE(w)) & t->mask;
}

static void list_push(struct pk_sock_table *t, struct list *l, uint32_t i)
{
	t->e[i].newer = 0;
	t->e[i].older = l->newest;
	if (l->newest)
		t->e[l->newest].newer = i;
	else
		l->oldest = i;
	l->newest = i;
	l->used++;
}

static void list_pop(struct pk_sock_table *t, struct list *l, uint32_t i)
{
	struct pk_sock_entry *e = &t->e[i];

	if (e->newer)
		t->e[e->newer].older = e->older;
	else
		l->newest = e->older;
	if (e->older)
		t->e[e->older].newer = e->newer;
	else
		l->oldest = e->newer;
	l->used--;
}

static void link_ends(struct pk_sock_table *t, uint32_t i)
{
	struct pk_sock_entry *e = &t->e[i];
	uint32_t s = tuple_slot(t, e->l4, e->laddr, e->lport, e->raddr, e->rport);

	e->next_tuple = t->by_tuple[s];
	t->by_tuple[s] = i;
	s = port_slot(t, e->netns, e->l4, e->lport);
	e->next_port = t->by_port[s];
	t->by_port[s] = i;
}

static void unlink_ends(struct pk_sock_table *t, uint32_t i)
{
	struct pk_sock_entry *e = &t->e[i];
	uint32_t *p = &t->by_tuple[tuple_slot(t, e->l4, e->laddr, e->lport, e->raddr, e->rport)];

	while (*p != i)
		p = &t->e[*p].next_tuple;
	*p = e->next_tuple;
	p = &t->by_port[port_slot(t, e->netns, e->l4, e->lport)];
	while (*p != i)
		p = &t->e[*p].next_port;
	*p = e->next_port;
}

static void evict(struct pk_sock_table *t)
{
	struct list *l = t->closed.oldest ? &t->closed : &t->open;
	uint32_t i = l->oldest, *p = &t->by_cookie[cookie_slot(t, t->e[i].owner.cookie)];

	while (*p != i)
		p = &t->e[*p].next_cookie;
	*p = t->e[i].next_cookie;
	unlink_ends(t, i);
	list_pop(t, l, i);
	t->evicted += !t->e[i].closed;
	t->listening -= t->e[i].listening;
	t->e[i].next_cookie = t->free;
	t->free = i;
}

struct pk_sock_entry *pk_sock_table_find(struct pk_sock_table *t, uint64_t cookie)
{
	for (uint32_t i = t->by_cookie[cookie_slot(t, cookie)]; i; i = t->e[i].next_cookie)
		if (t->e[i].owner.cookie == cookie)
			return &t->e[i];
	return NULL;
}

static uint32_t entry_new(struct pk_sock_table *t, uint64_t cookie)
{
	uint32_t i, s = cookie_slot(t, cookie);

	if (!t->free && t->fresh > t->max)
		evict(t);
	if (t->free) {
		i = t->free;
		t->free = t->e[i].next_cookie;
	} else {
		i = t->fresh++;
	}
	t->e[i] = (struct pk_sock_entry){ .owner.cookie = cookie, .next_cookie = t->by_cookie[s] };
	t->by_cookie[s] = i;
	return i;
}

/* A datagram socket that was bound by hand takes what comes, as a listening one does. */
static bool listens(const struct pk_sock *ev)
{
	return ev->op == PK_SOCK_LISTEN ||
	       (ev->op == PK_SOCK_BIND && (ev->l4 == IPPROTO_UDP || ev->l4 == IPPROTO_UDPLITE) &&
		ev->lport);
}

static void take_record(struct pk_sock_table *t, struct pk_sock_entry *e, const struct pk_sock *ev)
{
	bool listening;

	e->owner = ev->owner;
	e->netns = ev->netns;
	e->l4 = ev->l4;
	e->seen_ns = ev->hdr.ts;
	if (memcmp(ev->laddr, no_addr, 16) != 0)
		memcpy(e->laddr, ev->laddr, 16);
	if (memcmp(ev->raddr, no_addr, 16) != 0)
		memcpy(e->raddr, ev->raddr, 16);
	e->lport = ev->lport ? ev->lport : e->lport;
	e->rport = ev->rport ? ev->rport : e->rport;
	e->closed = ev->op == PK_SOCK_CLOSE;
	e->established |= ev->l4 == IPPROTO_TCP &&
			  (ev->op == PK_SOCK_ESTABLISHED || ev->op == PK_SOCK_ACCEPT);
	listening = (e->listening || listens(ev)) && !e->closed && !e->rport;
	t->listening += listening - e->listening;
	e->listening = listening;
}

struct pk_sock_entry *pk_sock_table_update(struct pk_sock_table *t, const struct pk_sock *ev)
{
	struct pk_sock_entry *e;
	uint32_t i;

	if (!ev->owner.cookie)
		return NULL;
	e = pk_sock_table_find(t, ev->owner.cookie);
	if (e) {
		i = e - t->e;
		list_pop(t, e->closed ? &t->closed : &t->open, i);
		unlink_ends(t, i);
	} else {
		i = entry_new(t, ev->owner.cookie);
		e = &t->e[i];
	}
	take_record(t, e, ev);
	link_ends(t, i);
	list_push(t, e->closed ? &t->closed : &t->open, i);
	return e;
}

static bool has_ends(const struct pk_sock_entry *e, const struct pk_flow_key *key, unsigned d)
{
	return e->l4 == key->proto && e->lport == key->port[d] && e->rport == key->port[!d] &&
	       memcmp(e->laddr, key->addr[d], 16) == 0 && memcmp(e->raddr, key->addr[!d], 16) == 0;
}

static bool is_bound(const struct pk_sock_entry *e, const struct pk_flow_key *key, unsigned d)
{
	static const uint8_t any_v4[16] = { [10] = 0xff, [11] = 0xff };

	if (e->netns != key->netns || e->l4 != key->proto || e->lport != key->port[d] || e->rport)
		return false;
	return memcmp(e->laddr, key->addr[d], 16) == 0 || memcmp(e->laddr, no_addr, 16) == 0 ||
	       memcmp(e->laddr, any_v4, 16) == 0;
}

const struct pk_sock_entry *pk_sock_table_owner(struct pk_sock_table *t,
						const struct pk_flow_key *key, unsigned d)
{
	const struct pk_sock_entry *best = NULL;
	uint32_t i;
	int n = 0;

	i = t->by_tuple[tuple_slot(t, key->proto, key->addr[d], key->port[d], key->addr[!d],
				   key->port[!d])];
	for (; i && n < CHAIN_MAX; i = t->e[i].next_tuple, n++) {
		if (!has_ends(&t->e[i], key, d))
			continue;
		if (t->e[i].netns == key->netns)
			return &t->e[i];
		best = best ? best : &t->e[i];
	}
	if (best || key->port[d] == 0)
		return best;
	i = t->by_port[port_slot(t, key->netns, key->proto, key->port[d])];
	for (n = 0; i && n < CHAIN_MAX; i = t->e[i].next_port, n++) {
		if (!is_bound(&t->e[i], key, d))
			continue;
		if (!t->e[i].closed)
			return &t->e[i];
		best = best ? best : &t->e[i];
	}
	return best;
}

const struct pk_sock_entry *pk_sock_table_next(struct pk_sock_table *t,
					       const struct pk_sock_entry *after)
{
	uint32_t i = after ? after->older : t->open.newest;

	return i ? &t->e[i] : NULL;
}

void pk_sock_table_counts(const struct pk_sock_table *t, struct pk_table_use_count *ret_use,
			  uint64_t *ret_listening)
{
	*ret_use = (struct pk_table_use_count){ .used = t->open.used + t->closed.used,
						.max = t->max,
						.evicted = t->evicted };
	*ret_listening = t->listening;
}
