/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns flow entries, their two indexes, the order of their last reports, and rates. It does not
 * know processes, names or interfaces, and it never reads a clock. Entries are one array; links are
 * indexes into it, 0 is none. A live flow is never evicted: the kernel's table is the bound, and
 * what does not fit here is counted as refused. Ended flows leave oldest first.
 */
#include "flow/table.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <string.h>
#include <sys/mman.h>

#define NS_PER_S 1000000000ULL

struct list {
	uint32_t newest, oldest;
	uint64_t used, max, evicted, refused;
};

struct pk_flow_table {
	struct pk_flow_entry *e;    /* [0] is not used */
	uint32_t *by_id, *by_tuple; /* mask + 1 heads each */
	size_t entries, bytes;
	uint32_t mask;
	uint32_t fresh; /* entries from here on were never used */
	uint32_t free;  /* chained by next_id */
	struct list live, ended;
	uint64_t reports;
	struct pk_flow_totals totals;
	struct pk_hash_key key;
	void (*forgot)(void *arg, uint64_t id);
	void *arg;
};

static void *map_zero(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap(void *p, size_t bytes)
{
	if (p)
		munmap(p, bytes);
}

void pk_flow_table_free(struct pk_flow_table *t)
{
	if (!t)
		return;
	unmap(t->e, t->bytes);
	unmap(t->by_id, (t->mask + 1ul) * sizeof(uint32_t));
	unmap(t->by_tuple, (t->mask + 1ul) * sizeof(uint32_t));
	free(t);
}

struct pk_flow_table *pk_flow_table_new(size_t live_max, size_t ended_max)
{
	struct pk_flow_table *t = calloc(1, sizeof(*t));
	size_t heads = 64;

	if (!t)
		return NULL;
	if (ended_max == 0)
		ended_max = 1; /* a flow that ends is shown at least until the next one ends */
	t->live.max = live_max;
	t->ended.max = ended_max;
	t->entries = live_max + ended_max + 1;
	t->bytes = t->entries * sizeof(*t->e);
	while (heads < t->entries)
		heads *= 2;
	t->mask = heads - 1;
	t->fresh = 1;
	t->e = map_zero(t->bytes);
	t->by_id = map_zero(heads * sizeof(uint32_t));
	t->by_tuple = map_zero(heads * sizeof(uint32_t));
	pk_hash_key_init(&t->key);
	if (t->e && t->by_id && t->by_tuple)
		return t;
	pk_flow_table_free(t);
	return NULL;
}

void pk_flow_table_on_forget(struct pk_flow_table *t, void (*forgot)(void *arg, uint64_t id),
			     void *arg)
{
	t->forgot = forgot;
	t->arg = arg;
}

static uint32_t id_slot(const struct pk_flow_table *t, uint64_t id)
{
	return pk_hash_mix(id ^ t->key.k[7]) & t->mask;
}

static uint32_t tuple_slot(const struct pk_flow_table *t, const struct pk_flow_key *key)
{
	uint64_t w[5];

	memcpy(w, key->addr, 32);
	w[4] = (uint64_t)key->port[0] << 48 | (uint64_t)key->port[1] << 32 | key->proto;
	return pk_hash_words(&t->key, w, PK_ARRAY_SIZE(w)) & t->mask;
}

static bool same_tuple(const struct pk_flow_key *a, const struct pk_flow_key *b)
{
	return a->proto == b->proto && memcmp(a->port, b->port, sizeof(a->port)) == 0 &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static void list_push(struct pk_flow_table *t, struct list *l, uint32_t i)
{
	struct pk_flow_entry *e = &t->e[i];

	e->newer = 0;
	e->older = l->newest;
	if (l->newest)
		t->e[l->newest].newer = i;
	else
		l->oldest = i;
	l->newest = i;
	l->used++;
}

static void list_pop(struct pk_flow_table *t, struct list *l, uint32_t i)
{
	struct pk_flow_entry *e = &t->e[i];

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

static void chain_out(struct pk_flow_table *t, uint32_t i)
{
	struct pk_flow_entry *e = &t->e[i];
	uint32_t *p = &t->by_id[id_slot(t, e->flow.meta.id)];

	while (*p != i)
		p = &t->e[*p].next_id;
	*p = e->next_id;
	p = &t->by_tuple[tuple_slot(t, &e->flow.key)];
	while (*p != i)
		p = &t->e[*p].next_tuple;
	*p = e->next_tuple;
}

static void evict_ended(struct pk_flow_table *t)
{
	uint32_t i = t->ended.oldest;

	if (t->forgot)
		t->forgot(t->arg, t->e[i].flow.meta.id);
	list_pop(t, &t->ended, i);
	chain_out(t, i);
	t->e[i].next_id = t->free;
	t->free = i;
	t->ended.evicted++;
}

static uint32_t entry_new(struct pk_flow_table *t, const struct pk_flow *flow)
{
	uint32_t i = t->free, slot;

	if (i) {
		t->free = t->e[i].next_id;
	} else if (t->fresh < t->entries) {
		i = t->fresh++;
	} else {
		return 0;
	}
	memset(&t->e[i], 0, sizeof(t->e[i]));
	t->e[i].flow.key = flow->key;
	t->e[i].flow.meta.id = flow->meta.id;
	slot = id_slot(t, flow->meta.id);
	t->e[i].next_id = t->by_id[slot];
	t->by_id[slot] = i;
	slot = tuple_slot(t, &flow->key);
	t->e[i].next_tuple = t->by_tuple[slot];
	t->by_tuple[slot] = i;
	return i;
}

struct pk_flow_entry *pk_flow_table_find(struct pk_flow_table *t, uint64_t id)
{
	for (uint32_t i = t->by_id[id_slot(t, id)]; i; i = t->e[i].next_id)
		if (t->e[i].flow.meta.id == id)
			return &t->e[i];
	return NULL;
}

struct pk_flow_entry *pk_flow_table_same(struct pk_flow_table *t, const struct pk_flow_key *key,
					 const struct pk_flow_entry *after)
{
	uint32_t i = after ? after->next_tuple : t->by_tuple[tuple_slot(t, key)];

	for (; i; i = t->e[i].next_tuple)
		if (same_tuple(&t->e[i].flow.key, key))
			return &t->e[i];
	return NULL;
}

/* Adds what is new to totals and rates. A counter that went back is an old report: no change. */
static void account(struct pk_flow_table *t, struct pk_flow_entry *e, const struct pk_flow *now,
		    uint64_t ts)
{
	uint64_t since = e->updated_ns ? e->updated_ns : now->meta.start_ns;
	uint64_t ns = ts > since ? ts - since : 0;

	if (!e->updated_ns && ns < NS_PER_S)
		ns = NS_PER_S; /* a flow of a millisecond has no rate worth the name */
	for (int d = 0; d < 2; d++) {
		const struct pk_flow_dir *dir = &now->dir[d], *old = &e->flow.dir[d];
		uint64_t bytes = dir->bytes > old->bytes ? dir->bytes - old->bytes : 0;
		uint64_t packets = dir->packets > old->packets ? dir->packets - old->packets : 0;
		int side = dir->where == PK_AT_INGRESS;

		e->new_bytes[d] = bytes;
		t->totals.bytes[side] += bytes;
		t->totals.packets[side] += packets;
		if (ns) {
			e->rate_bytes[d] = (double)bytes * NS_PER_S / ns;
			e->rate_packets[d] = (double)packets * NS_PER_S / ns;
		}
	}
}

static bool is_old(const struct pk_flow_entry *e, const struct pk_flow_report *r)
{
	return r->hdr.ts < e->updated_ns || (e->ended && !r->final) ||
	       r->flow.dir[0].packets < e->flow.dir[0].packets ||
	       r->flow.dir[1].packets < e->flow.dir[1].packets;
}

static bool has_owner(const struct pk_owner *o)
{
	return o->cookie || o->user.tgid || o->creator.tgid || o->flags;
}

static void take_report(struct pk_flow_table *t, struct pk_flow_entry *e,
			const struct pk_flow_report *r)
{
	struct pk_owner joined[2] = { e->flow.own[0], e->flow.own[1] };

	account(t, e, &r->flow, r->hdr.ts);
	e->flow = r->flow;
	for (int d = 0; d < 2; d++) {
		if (has_owner(&e->flow.own[d]))
			e->joined &= ~(PK_FLOW_JOINED(d) | PK_FLOW_VIEWED(d));
		else if (has_owner(&joined[d]))
			e->flow.own[d] = joined[d]; /* an owner once known stays known */
	}
	e->updated_ns = r->hdr.ts;
	e->why = r->why;
}

struct pk_flow_entry *pk_flow_table_update(struct pk_flow_table *t, const struct pk_flow_report *r)
{
	struct pk_flow_entry *e = pk_flow_table_find(t, r->flow.meta.id);
	uint32_t i;

	if (e && (is_old(e, r) || !same_tuple(&e->flow.key, &r->flow.key))) {
		e->new_bytes[0] = e->new_bytes[1] = 0;
		e->was_ended = e->ended;
		return e;
	}
	if (!e) {
		if (t->live.used >= t->live.max) {
			t->live.refused++;
			return NULL;
		}
		i = entry_new(t, &r->flow);
		if (!i) {
			t->live.refused++;
			return NULL;
		}
		e = &t->e[i];
		t->totals.flows++;
	} else {
		i = e - t->e;
		list_pop(t, e->ended ? &t->ended : &t->live, i);
	}
	e->is_new = !e->updated_ns;
	e->report = ++t->reports;
	take_report(t, e, r);
	e->was_ended = e->ended;
	e->ended = e->ended || r->final;
	if (e->ended && t->ended.used >= t->ended.max)
		evict_ended(t);
	list_push(t, e->ended ? &t->ended : &t->live, i);
	return e;
}

void pk_flow_entry_count(struct pk_flow_entry *e)
{
	for (int d = 0; d < 2; d++) {
		const struct pk_proc_id *user = &e->flow.own[d].user;

		e->counted_before[d] = e->was_ended ? (struct pk_flow_counted){ 0 } : e->counted[d];
		e->counted[d] = (struct pk_flow_counted){ 0 };
		if (!(e->joined & PK_FLOW_VIEWED(d)))
			e->counted[d] = (struct pk_flow_counted){ user->start_ns, user->tgid, 0 };
	}
}

static struct pk_flow_entry *list_next(struct pk_flow_table *t, const struct list *l,
				       const struct pk_flow_entry *after)
{
	uint32_t i = after ? after->older : l->newest;

	return i ? &t->e[i] : NULL;
}

struct pk_flow_entry *pk_flow_table_live(struct pk_flow_table *t, const struct pk_flow_entry *after)
{
	return list_next(t, &t->live, after);
}

struct pk_flow_entry *pk_flow_table_ended(struct pk_flow_table *t,
					  const struct pk_flow_entry *after)
{
	return list_next(t, &t->ended, after);
}

const struct pk_flow_totals *pk_flow_table_totals(const struct pk_flow_table *t)
{
	return &t->totals;
}

static struct pk_table_use_count list_counts(const struct list *l)
{
	return (struct pk_table_use_count){ l->used, l->max, l->evicted, l->refused };
}

void pk_flow_table_counts(const struct pk_flow_table *t, struct pk_table_use_count *ret_live,
			  struct pk_table_use_count *ret_ended)
{
	*ret_live = list_counts(&t->live);
	*ret_ended = list_counts(&t->ended);
}

static bool is_stale(const struct pk_flow_entry *e, uint64_t now_ns, uint64_t stale_ns)
{
	return now_ns > e->updated_ns && now_ns - e->updated_ns > stale_ns;
}

double pk_flow_rate_bytes(const struct pk_flow_entry *e, unsigned d, uint64_t now_ns,
			  uint64_t stale_ns)
{
	return is_stale(e, now_ns, stale_ns) ? 0 : (double)e->rate_bytes[d & 1];
}

double pk_flow_rate_packets(const struct pk_flow_entry *e, unsigned d, uint64_t now_ns,
			    uint64_t stale_ns)
{
	return is_stale(e, now_ns, stale_ns) ? 0 : (double)e->rate_packets[d & 1];
}

/* Lists are in the order of reports, so what is new is behind their newest ends. */
struct pk_flow_entry *pk_flow_table_after(struct pk_flow_table *t, bool ended, uint64_t report)
{
	const struct list *l = ended ? &t->ended : &t->live;
	uint32_t first = 0;

	for (uint32_t i = l->newest; i && t->e[i].report > report; i = t->e[i].older)
		first = i;
	return first ? &t->e[first] : NULL;
}

struct pk_flow_entry *pk_flow_table_newer(struct pk_flow_table *t, const struct pk_flow_entry *e)
{
	return e->newer ? &t->e[e->newer] : NULL;
}

uint64_t pk_flow_table_reports(const struct pk_flow_table *t)
{
	return t->reports;
}
