/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the lists of rows, rebuilt for each snapshot, each with a hash index. Rows are bounded by
 * the flow table: a flow adds at most two rows to a list. Nothing is written here.
 */
#include "api/live_rows.h"

#include "api/view.h"
#include "base/cleanup.h"
#include "base/hash.h"
#include "base/ip.h"
#include "enrich/enrich.h"
#include "flow/filter.h"
#include "flow/local.h"
#include "flow/table.h"
#include "name/name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define ETH_ARP        0x0806
#define ENDED_SHOWN_NS 5000000000ull

struct list {
	struct pk_live_row *row;
	double *top; /* weight of each row's busiest flow */
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
		free(r->list[i].top);
		free(r->list[i].slot);
	}
	free(r);
}

static uint64_t row_hash(const struct pk_live_rows *r, const struct pk_live_row *k)
{
	uint64_t w[6] = { (uintptr_t)k->flow, (uintptr_t)k->process,
			  (uint64_t)k->proto << 16 | k->port, k->text };

	memcpy(&w[4], k->addr, 16);
	return pk_hash_words(&r->key, w, PK_ARRAY_SIZE(w));
}

static bool same_row(const struct pk_live_row *a, const struct pk_live_row *b)
{
	return a->flow == b->flow && a->process == b->process && a->proto == b->proto &&
	       a->port == b->port && a->text == b->text && memcmp(a->addr, b->addr, 16) == 0;
}

static int grow(struct pk_live_rows *r, struct list *l)
{
	size_t cap = l->cap ? l->cap * 2 : 256;
	struct pk_live_row *row = reallocarray(l->row, cap, sizeof(*row));
	uint32_t *slot;
	double *top;

	if (!row)
		return -ENOMEM;
	l->row = row;
	top = reallocarray(l->top, cap, sizeof(*top));
	if (!top)
		return -ENOMEM;
	l->top = top;
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

static struct pk_live_row *find_row(const struct pk_live_rows *r, const struct list *l,
				    const struct pk_live_row *key)
{
	size_t at = row_hash(r, key);

	for (at &= l->slots - 1; l->slots && l->slot[at]; at = (at + 1) & (l->slots - 1))
		if (same_row(&l->row[l->slot[at] - 1], key))
			return &l->row[l->slot[at] - 1];
	return NULL;
}

/* The row with this key, made if need be; NULL: out of memory. */
static struct pk_live_row *row_of(struct pk_live_rows *r, struct list *l,
				  const struct pk_live_row *key)
{
	struct pk_live_row *row = find_row(r, l, key);
	size_t at;

	if (row)
		return row;
	if (l->n == l->cap && grow(r, l) < 0)
		return NULL;
	for (at = row_hash(r, key) & (l->slots - 1); l->slot[at];)
		at = (at + 1) & (l->slots - 1);
	l->row[l->n] = *key;
	l->slot[at] = ++l->n;
	return &l->row[l->n - 1];
}

/* A flow as all lists see it. */
struct seen {
	const struct pk_flow_entry *e;
	const struct pk_process *who[2]; /* of each end, in the flow's own namespace */
	double rate[2];                  /* bytes a second that the end sends */
	unsigned here;
};

static double weight(const struct seen *s)
{
	/* rate first: bytes only tell apart what does not move */
	return s->rate[0] + s->rate[1] +
	       1e-12 * (double)(s->e->flow.dir[0].bytes + s->e->flow.dir[1].bytes);
}

/* The busiest flow stands for the row; whether it stands alone is kept too. */
static void represent(struct pk_live_row *row, double *top, const struct seen *s, unsigned d)
{
	const struct pk_process *who = s->who[d];
	double w = weight(s);

	if (row->top) {
		row->more_who |= who != row->who;
		row->more_remotes |= memcmp(row->top->flow.key.addr[!row->end],
					    s->e->flow.key.addr[!d], 16) != 0;
		if (w <= *top)
			return;
	}
	*top = w;
	row->top = s->e;
	row->who = who;
	row->end = d;
}

/* Adds the flow to a row; out is what end d sent. */
static int add(struct pk_live_rows *r, enum pk_live_list list, const struct pk_live_row *key,
	       const struct seen *s, unsigned d)
{
	struct pk_live_row *row = row_of(r, &r->list[list], key);
	const struct pk_flow *f = &s->e->flow;

	if (!row)
		return -ENOMEM;
	represent(row, &r->list[list].top[row - r->list[list].row], s, d);
	if (!row->flows || f->meta.start_ns < row->start_ns)
		row->start_ns = f->meta.start_ns;
	row->flows++;
	row->bytes_out += f->dir[d].bytes;
	row->bytes_in += f->dir[!d].bytes;
	row->rate_out += s->rate[d];
	row->rate_in += s->rate[!d];
	return 0;
}

static uint64_t text_hash(const struct pk_live_rows *r, const char *text)
{
	uint64_t w[PK_HASH_WORDS] = { 0 };
	size_t n = strlen(text);

	while (n) {
		size_t part = n < sizeof(w) - 8 ? n : sizeof(w) - 8;

		memset(&w[1], 0, sizeof(w) - 8);
		memcpy(&w[1], text, part);
		w[0] = pk_hash_words(&r->key, w, PK_HASH_WORDS) + part;
		text += part;
		n -= part;
	}
	return w[0] | 1; /* 0: none */
}

/* Container or, outside of one, the service: "" neither. */
static uint64_t group_of(const struct pk_live_rows *r, struct pk_view *v,
			 const struct pk_process *p)
{
	const struct pk_container *c = pk_enrich_container(v->ocsf.enrich, p);

	if (!c)
		return 0;
	if (c->cgroup.runtime != PK_RUNTIME_NONE)
		return text_hash(r, c->cgroup.id);
	return c->cgroup.unit[0] ? text_hash(r, c->cgroup.unit) : 0;
}

static int add_processes(struct pk_live_rows *r, struct pk_view *v, const struct seen *s)
{
	uint64_t group[2] = { 0 };
	int n = 0;

	for (unsigned d = 0; d < 2; d++) {
		if (!s->who[d])
			continue;
		struct pk_live_row key = { .process = s->who[d] };
		if (!d || s->who[1] != s->who[0]) /* one that talks to itself counts once */
			n |= add(r, PK_LIVE_PROCESSES, &key, s, d);
		group[d] = group_of(r, v, s->who[d]);
		key = (struct pk_live_row){ .text = group[d] };
		if (group[d] && (!d || group[1] != group[0]))
			n |= add(r, PK_LIVE_CONTAINERS, &key, s, d);
	}
	return n ? -ENOMEM : 0;
}

unsigned pk_live_here(const struct pk_view *v, const struct pk_flow_entry *e)
{
	unsigned from = e->flow.meta.initiator & 1;

	if (pk_local_is_end(v->ocsf.local, &e->flow, e->joined, from) ||
	    !pk_local_is_end(v->ocsf.local, &e->flow, e->joined, !from))
		return from;
	return !from;
}

static const struct pk_fact *fact_of(const struct pk_view *v, const struct pk_flow_entry *e)
{
	return v->ocsf.names ? pk_names_fact(v->ocsf.names, e->flow.meta.id) : NULL;
}

const char *pk_live_name(const struct pk_view *v, const struct pk_flow_entry *e, unsigned d,
			 bool *ret_is_name)
{
	static char ip[PK_IP_TEXT];
	const struct pk_fact *fact = fact_of(v, e);
	struct pk_name_best best = { .name = NULL };

	/* what was asked for names the side that was asked; the other one has DNS's name at most */
	if (fact && d == fact->client)
		best.name = fact->dns[d];
	else if (fact)
		(void)pk_fact_best(fact, &best); /* name stays NULL: it has none */
	*ret_is_name = best.name;
	return best.name ? best.name : pk_ip_format(e->flow.key.addr[d], ip);
}

const char *pk_live_app(const struct pk_view *v, const struct pk_flow_entry *e)
{
	static char num[8];
	const struct pk_fact *fact = fact_of(v, e);
	const char *name = fact ? pk_app_name(fact->app) : NULL;

	if (!name)
		name = e->flow.key.proto == ETH_ARP ? "arp" : pk_ip_proto_name(e->flow.key.proto);
	if (name)
		return name;
	snprintf(num, sizeof(num), "%u", e->flow.key.proto);
	return num;
}

bool pk_live_is_odd(const struct pk_view *v, const struct pk_flow_entry *e)
{
	const struct pk_fact *fact = fact_of(v, e);

	return fact && (fact->flags & PK_FACT_ODD || fact->conflict != PK_CONFLICT_NONE);
}

static bool has_ports(uint16_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

static void look(struct seen *s, struct pk_view *v, struct pk_flow_entry *e)
{
	*s = (struct seen){ .e = e, .here = pk_live_here(v, e) };
	for (unsigned d = 0; d < 2; d++) {
		s->rate[d] = pk_flow_rate_bytes(e, d, v->now_ns, v->ocsf.stale_ns);
		if (e->flow.own[d].user.tgid && !(e->joined & PK_FLOW_VIEWED(d)))
			s->who[d] = pk_enrich_owner(v->ocsf.enrich, &e->flow.own[d].user);
	}
}

static int add_flow(struct pk_live_rows *r, struct pk_view *v, struct pk_flow_entry *e)
{
	const struct pk_flow_key *k = &e->flow.key;
	struct pk_live_row key = { .flow = e };
	bool is_name;
	struct seen s;
	int n;

	pk_ocsf_join(&v->ocsf, e);
	look(&s, v, e);
	n = add(r, PK_LIVE_FLOWS, &key, &s, s.here);
	n |= add_processes(r, v, &s);
	key = (struct pk_live_row){ .text = text_hash(r, pk_live_name(v, e, !s.here, &is_name)) };
	n |= add(r, PK_LIVE_NAMES, &key, &s, s.here);
	key = (struct pk_live_row){ 0 };
	memcpy(key.addr, k->addr[!s.here], 16);
	n |= add(r, PK_LIVE_REMOTES, &key, &s, s.here);
	key = (struct pk_live_row){ .proto = k->proto, .text = text_hash(r, pk_live_app(v, e)) };
	n |= add(r, PK_LIVE_APPS, &key, &s, s.here);
	key = (struct pk_live_row){ .proto = k->proto };
	if (has_ports(k->proto))
		key.port = ntohs(k->port[!(e->flow.meta.initiator & 1)]); /* of who was asked */
	n |= add(r, PK_LIVE_PORTS, &key, &s, s.here);
	return n ? -ENOMEM : 0;
}

const struct pk_process *pk_live_parent(const struct pk_view *v, const struct pk_process *p)
{
	unsigned depth = 0;

	do
		p = pk_process_parent(&v->ocsf.enrich->processes, p);
	while (p && p->end_ns && depth++ < PK_ANCESTORS_MAX);
	return p && !p->end_ns ? p : NULL;
}

/* What is counted for a process counts for those that began it. */
static int add_up(struct pk_live_rows *r, const struct pk_view *v, const struct pk_process *p,
		  const struct pk_live_row *sum)
{
	unsigned depth = 0;

	for (; p && depth++ < PK_ANCESTORS_MAX; p = pk_live_parent(v, p)) {
		struct pk_live_row key = { .process = p }, *row;

		if (p->end_ns && !sum->flows && !find_row(r, &r->list[PK_LIVE_TREE], &key))
			continue; /* over: it is not shown, its parents are */
		row = row_of(r, &r->list[PK_LIVE_TREE], &key);
		if (!row)
			return -ENOMEM;
		row->start_ns = p->id.start_ns;
		row->flows += sum->flows;
		row->bytes_out += sum->bytes_out;
		row->bytes_in += sum->bytes_in;
		row->rate_out += sum->rate_out;
		row->rate_in += sum->rate_in;
	}
	return 0;
}

/* With a filter, sums of the flows that it takes; without, of all that the processes ever sent. */
static int add_tree(struct pk_live_rows *r, const struct pk_view *v, bool all)
{
	const struct list *l = &r->list[PK_LIVE_PROCESSES];
	int n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct pk_live_row sum = l->row[i];

		if (all)
			sum.bytes_out = sum.bytes_in = 0;
		n |= add_up(r, v, sum.process, &sum);
	}
	for (struct pk_process *p = NULL;
	     all && (p = pk_process_next(&v->ocsf.enrich->processes, p));) {
		struct pk_live_row sum = { .bytes_out = p->net.bytes_out,
					   .bytes_in = p->net.bytes_in };

		if (sum.bytes_out || sum.bytes_in)
			n |= add_up(r, v, p, &sum);
	}
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
	n |= add_tree(r, v, !f);
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
