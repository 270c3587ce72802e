/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names whose queries are refused, in the kernel's hash: what the lists say about a name becomes
 * its one element there. Keeps what was written, so that an element whose name is no more listed is
 * found. A whole list changes over in slices: what comes is there before what goes has left.
 */
#include "block/lists.h"
#include "block/name_rules.h"
#include "block/show.h"

#include "base/clock.h"
#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct element {
	struct pk_dns_key key;
	char *name; /* NULL: free */
};

struct pk_refuse {
	struct element *v; /* open addressing by key.a; as many slots as twice the names */
	size_t n, slots;
	/* going through all of it */
	bool walking, sweeping;
	size_t list, at;
	struct pk_dns_key *found; /* of an agent before us: theirs go when all of ours are there */
	size_t n_found, cap_found;
};

static struct pk_refuse *table_of(struct pk_block *b)
{
	if (!b->refuse && b->dns && b->ops.refuse)
		b->refuse = calloc(1, sizeof(*b->refuse));
	return b->refuse;
}

void pk_refuse_free(struct pk_block *b)
{
	struct pk_refuse *t = b->refuse;

	if (!t)
		return;
	for (size_t i = 0; i < t->slots; i++)
		free(t->v[i].name);
	free(t->v);
	free(t->found);
	free(t);
	b->refuse = NULL;
}

void pk_block_set_dns(struct pk_block *b, struct pk_dns_ctl *dns)
{
	static const uint32_t rcodes[] = { [PK_RCODE_REFUSED] = PK_DNS_REFUSED,
					   [PK_RCODE_NXDOMAIN] = PK_DNS_NXDOMAIN,
					   [PK_RCODE_DROP] = PK_DNS_SILENT };

	/* the key lives as long as the elements do */
	if (!dns->seed.a && getrandom(&dns->seed, sizeof(dns->seed), 0) < 0)
		return; /* not refused: said by pk_refuse_room() */
	dns->rcode = rcodes[b->conf->block_rcode];
	b->dns = dns;
}

int pk_block_add_refused(struct pk_block *b, const struct pk_dns_key *key)
{
	struct pk_refuse *t = table_of(b);
	struct pk_dns_key *v;

	if (!t)
		return -ENOMEM;
	if (t->n_found == t->cap_found) {
		size_t cap = t->cap_found ? t->cap_found * 2 : 256;

		v = reallocarray(t->found, cap, sizeof(*v));
		if (!v)
			return -ENOMEM;
		t->found = v;
		t->cap_found = cap;
	}
	t->found[t->n_found++] = *key;
	return 0;
}

static struct pk_dns_key key_of(const struct pk_block *b, const char *name)
{
	struct pk_dns_key k = b->dns->seed;

	for (size_t i = strlen(name); i; i--)
		k = pk_dns_step(k, (uint8_t)name[i - 1]);
	return k;
}

static bool is_same(const struct pk_dns_key *x, const struct pk_dns_key *y)
{
	return x->a == y->a && x->b == y->b;
}

static struct element *place(struct element *v, size_t slots, const struct pk_dns_key *key)
{
	size_t i = key->a & (slots - 1);

	while (v[i].name && !is_same(&v[i].key, key))
		i = (i + 1) & (slots - 1);
	return &v[i];
}

static int grow(struct pk_refuse *t)
{
	size_t slots = t->slots ? t->slots * 2 : 64;
	struct element *v;

	if (t->n * 2 < t->slots)
		return 0;
	v = calloc(slots, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < t->slots; i++)
		if (t->v[i].name)
			*place(v, slots, &t->v[i].key) = t->v[i];
	free(t->v);
	t->v = v;
	t->slots = slots;
	return 0;
}

/* What follows moves up, or it would not be found any more. */
static void take_out(struct pk_refuse *t, struct element *e)
{
	size_t hole = (size_t)(e - t->v), i = hole;

	free(e->name);
	e->name = NULL;
	t->n--;
	for (;;) {
		size_t home;

		i = (i + 1) & (t->slots - 1);
		if (!t->v[i].name)
			return;
		home = t->v[i].key.a & (t->slots - 1);
		if (((i - home) & (t->slots - 1)) < ((i - hole) & (t->slots - 1)))
			continue;
		t->v[hole] = t->v[i];
		t->v[i].name = NULL;
		hole = i;
	}
}

static void publish(struct pk_block *b)
{
	__atomic_store_n(&b->dns->names, (uint32_t)b->refuse->n, __ATOMIC_RELEASE);
}

static bool refuses(const struct pk_block *b)
{
	for (size_t i = 0; i < b->n_lists; i++)
		if (b->list[b->order[i]]->now.names.refusing)
			return true;
	return false;
}

/* The lists that speak about the name itself; those above it have elements of their own. */
static struct pk_dns_name wanted(const struct pk_block *b, const char *name)
{
	uint32_t hash = pk_domain_hash(name, strlen(name));
	struct pk_dns_name e = { 0 };
	int best = -1;

	for (size_t i = 0; i < b->n_lists; i++) {
		const struct pk_block_list *l = b->list[b->order[i]];
		const struct pk_block_name *n =
			pk_domains_find(&l->now.names, &l->now.texts, name, strlen(name), hash);

		if (!n || (n->expires_ms && n->expires_ms <= b->now_ms))
			continue;
		if (l->allow && (!e.allow || l->mode == PK_BLK_ENFORCE))
			e.allow = (uint16_t)l->index;
		if (l->allow || !(n->how & PK_BLOCK_REFUSE) || (int)l->mode <= best)
			continue;
		best = (int)l->mode;
		e.block = (uint16_t)l->index;
	}
	return e;
}

/* A name of an allow list is of interest only where something is refused. */
static bool is_used(const struct pk_dns_name *e)
{
	return e->block || e->allow;
}

static void put(struct pk_block *b, struct pk_refuse *t, const char *name,
		const struct pk_dns_key *key, struct pk_dns_name *e)
{
	struct element *have = t->slots ? place(t->v, t->slots, key) : NULL;
	struct pk_dns_name before;
	bool is_new = !have || !have->name;
	int r;

	if (is_new && t->n >= PK_DNS_NAMES)
		return; /* refused before; of allow lists and loads: told by the step */
	if (b->ops.refused(b->ops.arg, key, &before) == 0) {
		e->queries = before.queries;
		e->last_ns = before.last_ns;
		if (!is_new && before.block == e->block && before.allow == e->allow)
			return;
	}
	r = is_new ? grow(t) : 0;
	if (r == 0)
		r = b->ops.refuse(b->ops.arg, key, e);
	if (r < 0 || !is_new)
		return;
	have = place(t->v, t->slots, key);
	have->name = strdup(name);
	if (!have->name) {
		(void)b->ops.refuse(b->ops.arg, key, NULL); /* it was there just now */
		return;
	}
	have->key = *key;
	t->n++;
	publish(b);
}

void pk_refuse_sync(struct pk_block *b, const char *name)
{
	struct pk_refuse *t = table_of(b);
	struct pk_dns_name e;
	struct pk_dns_key key;
	struct element *have;

	if (!t)
		return;
	e = wanted(b, name);
	key = key_of(b, name);
	if (is_used(&e) && refuses(b)) {
		put(b, t, name, &key, &e);
		return;
	}
	have = t->slots ? place(t->v, t->slots, &key) : NULL;
	if (!have || !have->name)
		return;
	(void)b->ops.refuse(b->ops.arg, &key, NULL); /* gone already, then */
	take_out(t, have);
	publish(b);
}

bool pk_refuse_read(struct pk_block *b, const char *name, struct pk_dns_name *ret)
{
	struct pk_dns_key key;

	if (!b->refuse || !b->refuse->n)
		return false;
	key = key_of(b, name);
	return b->ops.refused(b->ops.arg, &key, ret) == 0;
}

const char *pk_block_refused_name(struct pk_block *b, const struct pk_dns_key *key)
{
	struct pk_refuse *t = b->refuse;

	return t && t->slots ? place(t->v, t->slots, key)->name : NULL;
}

int pk_refuse_room(struct pk_block *b, const struct pk_block_name *have)
{
	struct pk_refuse *t = table_of(b);

	if (!t)
		return -EOPNOTSUPP;
	return t->n < PK_DNS_NAMES || (have && have->how & PK_BLOCK_REFUSE) ? 0 : -ENOSPC;
}

void pk_refuse_changed(struct pk_block *b)
{
	struct pk_refuse *t = table_of(b);

	if (!t)
		return;
	t->walking = true;
	t->sweeping = false;
	t->list = t->at = 0;
	b->ops.work(b->ops.arg);
}

/* All that is listed is put in; true: the slice was too short. */
static bool walk(struct pk_block *b, struct pk_refuse *t, uint64_t until_ns)
{
	bool any = refuses(b);
	uint32_t slice = 0;

	for (; any && t->list < b->n_lists; t->list++, t->at = 0) {
		struct pk_block_list *l = b->list[b->order[t->list]];
		const struct pk_block_name *n;

		if (!l->allow && !l->now.names.refusing)
			continue;
		while ((n = pk_domains_next(&l->now.names, &t->at))) {
			if (l->allow || n->how & PK_BLOCK_REFUSE)
				pk_refuse_sync(b, pk_block_text_at(&l->now.texts, n->text));
			if (pk_slice_over(&slice, until_ns, pk_clock_boot_ns))
				return true;
		}
	}
	return false;
}

/* All that is there and no more listed is taken out: from the end, as others move up. */
static bool sweep(struct pk_block *b, struct pk_refuse *t, uint64_t until_ns)
{
	bool any = refuses(b);
	uint32_t slice = 0;

	while (t->at < t->slots) {
		struct element *e = &t->v[t->at];
		struct pk_dns_name want;

		if (pk_slice_over(&slice, until_ns, pk_clock_boot_ns))
			return true;
		want = e->name ? wanted(b, e->name) : (struct pk_dns_name){ 0 };
		if (!e->name || (any && is_used(&want))) {
			t->at++;
			continue;
		}
		(void)b->ops.refuse(b->ops.arg, &e->key, NULL); /* gone already, then */
		take_out(t, e);                                 /* the next may be here now */
		publish(b);
	}
	return false;
}

/* Elements of the agent before us that are nobody's. */
static void drop_found(struct pk_block *b, struct pk_refuse *t)
{
	for (size_t i = 0; i < t->n_found; i++)
		if (!t->slots || !place(t->v, t->slots, &t->found[i])->name)
			(void)b->ops.refuse(b->ops.arg, &t->found[i], NULL);
	free(t->found);
	t->found = NULL;
	t->n_found = t->cap_found = 0;
	publish(b);
}

static void tell_full(struct pk_block *b, const struct pk_refuse *t)
{
	uint64_t want = 0;

	for (size_t i = 0; i < b->n_lists; i++)
		want += b->list[b->order[i]]->now.names.refusing;
	if (t->n >= PK_DNS_NAMES && want > t->n)
		pk_block_notice(b,
				"queries are refused for %u names, which is as many as can be; for "
				"%llu they are not",
				PK_DNS_NAMES, (unsigned long long)(want - t->n));
}

bool pk_refuse_step(struct pk_block *b, uint64_t until_ns)
{
	struct pk_refuse *t = b->refuse;

	if (!t || !b->ready || (!t->walking && !t->n_found))
		return false;
	if (t->walking && !t->sweeping) {
		if (walk(b, t, until_ns))
			return true;
		t->sweeping = true;
		t->at = 0;
	}
	if (t->sweeping && sweep(b, t, until_ns))
		return true;
	if (t->walking)
		tell_full(b, t);
	t->walking = t->sweeping = false;
	drop_found(b, t);
	return false;
}

size_t pk_block_refused_names(const struct pk_block *b)
{
	return b->refuse ? b->refuse->n : 0;
}
