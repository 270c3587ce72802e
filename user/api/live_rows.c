/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns four lists of rows, rebuilt for each snapshot, each with a hash index. Rows are bounded by
 * the flow table: a flow adds at most two rows to a list. Nothing is written here.
 */
#include "api/live_rows.h"

#include "api/view.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "enrich/enrich.h"
#include "flow/filter.h"
#include "flow/local.h"
#include "flow/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define ENDED_SHOWN_NS 5000000000ull

struct list {
	struct pk_live_row *row;
	size_t n, cap;
	uint32_t *slot; /* row + 1; 0: free */
	size_t slots;
};

struct pk_live_rows {
	struct list list[PK_LIVE_LISTS];
	struct pk_hash_key key;
};

struct pk_live_rows *pk_live_rows_new(void)
{
	struct pk_live_rows *r = calloc(1, sizeof(*r));

	if (r)
		pk_hash_key_init(&r->key);
	return r;
}

void pk_live_rows_free(struct pk_live_rows *r)
{
	if (!r)
		return;
	for (int i = 0; i < PK_LIVE_LISTS; i++) {
		free(r->list[i].row);
		free(r->list[i].slot);
	}
	free(r);
}

static uint64_t row_hash(const struct pk_live_rows *r, const struct pk_live_row *k)
{
	uint64_t w[5] = { (uintptr_t)k->flow, (uintptr_t)k->process,
			  (uint64_t)k->proto << 16 | k->port };

	memcpy(&w[3], k->addr, 16);
	return pk_hash_words(&r->key, w, PK_ARRAY_SIZE(w));
}

static bool same_row(const struct pk_live_row *a, const struct pk_live_row *b)
{
	return a->flow == b->flow && a->process == b->process && a->proto == b->proto &&
	       a->port == b->port && memcmp(a->addr, b->addr, 16) == 0;
}

static int grow(struct pk_live_rows *r, struct list *l)
{
	size_t cap = l->cap ? l->cap * 2 : 256;
	struct pk_live_row *row = reallocarray(l->row, cap, sizeof(*row));
	uint32_t *slot;

	if (!row)
		return -ENOMEM;
	l->row = row;
	slot = calloc(cap * 2, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(l->slot);
	l->slot = slot;
	l->slots = cap * 2;
	l->cap = cap;
	for (size_t i = 0; i < l->n; i++) {
		size_t at = row_hash(r, &l->row[i]) & (l->slots - 1);

		while (slot[at])
			at = (at + 1) & (l->slots - 1);
		slot[at] = i + 1;
	}
	return 0;
}

/* The row with this key, made if need be; NULL: out of memory. */
static struct pk_live_row *row_of(struct pk_live_rows *r, struct list *l,
				  const struct pk_live_row *key)
{
	size_t at;

	if (l->n == l->cap && grow(r, l) < 0)
		return NULL;
	at = row_hash(r, key) & (l->slots - 1);
	for (; l->slot[at]; at = (at + 1) & (l->slots - 1))
		if (same_row(&l->row[l->slot[at] - 1], key))
			return &l->row[l->slot[at] - 1];
	l->row[l->n] = *key;
	l->slot[at] = ++l->n;
	return &l->row[l->n - 1];
}

/* Adds the flow to a row; out is what end d sent. */
static int add(struct pk_live_rows *r, enum pk_live_list list, const struct pk_live_row *key,
	       const struct pk_flow_entry *e, unsigned d, const struct pk_view *v)
{
	struct pk_live_row *row = row_of(r, &r->list[list], key);

	if (!row)
		return -ENOMEM;
	row->flows++;
	row->bytes_out += e->flow.dir[d].bytes;
	row->bytes_in += e->flow.dir[!d].bytes;
	row->rate_out += pk_flow_rate_bytes(e, d, v->now_ns, v->ocsf.stale_ns);
	row->rate_in += pk_flow_rate_bytes(e, !d, v->now_ns, v->ocsf.stale_ns);
	return 0;
}

static int add_processes(struct pk_live_rows *r, struct pk_view *v, const struct pk_flow_entry *e)
{
	const struct pk_process *p[2];
	int n = 0;

	for (unsigned d = 0; d < 2; d++) {
		p[d] = e->flow.own[d].user.tgid && !(e->joined & PK_FLOW_VIEWED(d))
			       ? pk_enrich_owner(v->ocsf.enrich, &e->flow.own[d].user)
			       : NULL;
		if (!p[d] || (d && p[1] == p[0])) /* one that talks to itself counts once */
			continue;
		struct pk_live_row key = { .process = p[d] };
		n |= add(r, PK_LIVE_PROCESSES, &key, e, d, v);
	}
	return n ? -ENOMEM : 0;
}

/* The end that this host is for remotes and ports: the local one, else the initiator. */
static unsigned here_of(const struct pk_view *v, const struct pk_flow_entry *e)
{
	unsigned from = e->flow.meta.initiator & 1;

	if (pk_local_is_end(v->ocsf.local, &e->flow, e->joined, from) ||
	    !pk_local_is_end(v->ocsf.local, &e->flow, e->joined, !from))
		return from;
	return !from;
}

static bool has_ports(uint16_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

static int add_flow(struct pk_live_rows *r, struct pk_view *v, struct pk_flow_entry *e)
{
	const struct pk_flow_key *k = &e->flow.key;
	unsigned from = e->flow.meta.initiator & 1, here;
	struct pk_live_row key = { .flow = e };
	int n;

	pk_ocsf_join(&v->ocsf, e);
	n = add(r, PK_LIVE_FLOWS, &key, e, from, v);
	n |= add_processes(r, v, e);
	here = here_of(v, e);
	key = (struct pk_live_row){ 0 };
	memcpy(key.addr, k->addr[!here], 16);
	n |= add(r, PK_LIVE_REMOTES, &key, e, here, v);
	key = (struct pk_live_row){ .proto = k->proto };
	if (has_ports(k->proto))
		key.port = ntohs(k->port[!from]); /* of who was asked */
	n |= add(r, PK_LIVE_PORTS, &key, e, here, v);
	return n ? -ENOMEM : 0;
}

static bool takes(struct pk_view *v, const struct pk_filter *f, struct pk_flow_entry *e)
{
	struct pk_filter_subject s;

	if (!f)
		return true;
	pk_ocsf_subject(&v->ocsf, e, pk_filter_needs(f), v->now_ns, &s);
	return pk_filter_match(f, &s);
}

int pk_live_rows_fill(struct pk_live_rows *r, struct pk_view *v, const struct pk_filter *f)
{
	int n = 0;

	for (int i = 0; i < PK_LIVE_LISTS; i++) {
		r->list[i].n = 0;
		if (r->list[i].slot)
			memset(r->list[i].slot, 0, r->list[i].slots * sizeof(uint32_t));
	}
	for (struct pk_flow_entry *e = NULL; (e = pk_flow_table_live(v->ocsf.flows, e));)
		if (takes(v, f, e))
			n |= add_flow(r, v, e);
	for (struct pk_flow_entry *e = NULL; (e = pk_flow_table_ended(v->ocsf.flows, e));) {
		if (v->now_ns > e->updated_ns && v->now_ns - e->updated_ns > ENDED_SHOWN_NS)
			break; /* latest first */
		if (takes(v, f, e))
			n |= add_flow(r, v, e);
	}
	return n ? -ENOMEM : 0;
}

static int by_rate(const void *a, const void *b)
{
	const struct pk_live_row *x = a, *y = b;
	double rx = x->rate_out + x->rate_in, ry = y->rate_out + y->rate_in;
	uint64_t bx = x->bytes_out + x->bytes_in, by = y->bytes_out + y->bytes_in;

	if (rx < ry || rx > ry)
		return rx < ry ? 1 : -1;
	return bx < by ? 1 : bx > by ? -1 : 0;
}

size_t pk_live_rows_top(struct pk_live_rows *r, enum pk_live_list list, size_t n,
			const struct pk_live_row **ret_rows)
{
	struct list *l = &r->list[list];

	if (l->n)
		qsort(l->row, l->n, sizeof(*l->row), by_rate);
	*ret_rows = l->row;
	return l->n < n ? l->n : n;
}
