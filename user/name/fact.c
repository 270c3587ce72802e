/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the facts: one array, found by flow id, in two lists by when they were last touched: of
 * flows that are in the flow table, and of the others, which go first. What the facts mean is
 * name.c's business. Links are indexes into the array, 0 is none.
 */
#include "name/fact.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <string.h>
#include <sys/mman.h>

struct list {
	uint32_t newest, oldest;
	uint64_t used;
};

struct pk_facts {
	struct pk_fact *e; /* [0] is not used */
	uint32_t *by_flow; /* mask + 1 heads */
	size_t max;
	uint32_t mask, fresh, free; /* entries from fresh on were never used; free: by next */
	struct list loose, held;
	uint64_t evicted;
	struct pk_intern *texts;
	struct pk_hash_key key;
};

/* Touched as it is used. */
static void *map_zero(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct pk_facts *pk_facts_new(size_t max, struct pk_intern *texts)
{
	struct pk_facts *f = calloc(1, sizeof(*f));
	size_t heads = 64;

	if (!f)
		return NULL;
	f->max = max ? max : 1;
	while (heads < f->max)
		heads *= 2;
	f->mask = (uint32_t)(heads - 1);
	f->fresh = 1;
	f->texts = texts;
	f->e = map_zero((f->max + 1) * sizeof(*f->e));
	f->by_flow = map_zero(heads * sizeof(uint32_t));
	pk_hash_key_init(&f->key);
	if (f->e && f->by_flow)
		return f;
	pk_facts_free(f);
	return NULL;
}

void pk_facts_free(struct pk_facts *f)
{
	if (!f)
		return;
	if (f->e)
		munmap(f->e, (f->max + 1) * sizeof(*f->e));
	if (f->by_flow)
		munmap(f->by_flow, (f->mask + 1ul) * sizeof(uint32_t));
	free(f);
}

static uint32_t slot_of(const struct pk_facts *f, uint64_t flow)
{
	return (uint32_t)pk_hash_mix(flow ^ f->key.k[7]) & f->mask;
}

static struct list *list_of(struct pk_facts *f, const struct pk_fact *x)
{
	return x->flags & PK_FACT_HELD ? &f->held : &f->loose;
}

static void list_push(struct pk_facts *f, struct pk_fact *x)
{
	struct list *l = list_of(f, x);
	uint32_t i = (uint32_t)(x - f->e);

	x->newer = 0;
	x->older = l->newest;
	if (l->newest)
		f->e[l->newest].newer = i;
	else
		l->oldest = i;
	l->newest = i;
	l->used++;
}

static void list_pop(struct pk_facts *f, struct pk_fact *x)
{
	struct list *l = list_of(f, x);

	if (x->newer)
		f->e[x->newer].older = x->older;
	else
		l->newest = x->older;
	if (x->older)
		f->e[x->older].newer = x->newer;
	else
		l->oldest = x->newer;
	l->used--;
}

static void put_texts(struct pk_facts *f, struct pk_fact *x)
{
	const char **text[] = {
		&x->dns[0],       &x->dns[1],        &x->place[0].as_name, &x->place[1].as_name,
		&x->sni,          &x->alpn,          &x->alpn_chosen,      &x->ja4,
		&x->ja3,          &x->http_method,   &x->http_host,        &x->http_path,
		&x->http_agent,   &x->http_server,   &x->ssh[0],           &x->ssh[1],
		&x->hassh[0],     &x->hassh[1],      &x->banner,           &x->user,
		&x->dns_question, &x->dhcp_hostname, &x->dhcp_vendor,
	};

	for (size_t i = 0; i < PK_ARRAY_SIZE(text); i++)
		pk_intern_put(f->texts, text[i]);
}

static void drop(struct pk_facts *f, struct pk_fact *x)
{
	uint32_t i = (uint32_t)(x - f->e), *p = &f->by_flow[slot_of(f, x->flow)];

	while (*p != i)
		p = &f->e[*p].next;
	*p = x->next;
	list_pop(f, x);
	put_texts(f, x);
	x->next = f->free;
	f->free = i;
}

struct pk_fact *pk_facts_find(struct pk_facts *f, uint64_t flow)
{
	for (uint32_t i = flow ? f->by_flow[slot_of(f, flow)] : 0; i; i = f->e[i].next)
		if (f->e[i].flow == flow)
			return &f->e[i];
	return NULL;
}

struct pk_fact *pk_facts_make(struct pk_facts *f, uint64_t flow)
{
	struct pk_fact *x = pk_facts_find(f, flow);
	uint32_t i, *head;

	if (x) {
		list_pop(f, x);
		list_push(f, x);
		return x;
	}
	if (!flow)
		return NULL;
	if (!f->free && f->fresh > f->max) {
		drop(f, &f->e[f->loose.oldest ? f->loose.oldest : f->held.oldest]);
		f->evicted++;
	}
	i = f->free;
	if (i)
		f->free = f->e[i].next;
	else
		i = f->fresh++;
	head = &f->by_flow[slot_of(f, flow)];
	x = &f->e[i];
	*x = (struct pk_fact){ .flow = flow, .next = *head };
	*head = i;
	list_push(f, x);
	return x;
}

void pk_facts_hold(struct pk_facts *f, struct pk_fact *x)
{
	if (x->flags & PK_FACT_HELD)
		return;
	list_pop(f, x);
	x->flags |= PK_FACT_HELD;
	list_push(f, x);
}

void pk_facts_forget(struct pk_facts *f, uint64_t flow)
{
	struct pk_fact *x = pk_facts_find(f, flow);

	if (x)
		drop(f, x);
}

void pk_fact_set(struct pk_facts *f, const char **field, const char *text)
{
	pk_intern_put(f->texts, field);
	*field = text;
}

void pk_facts_counts(const struct pk_facts *f, struct pk_facts_count *ret)
{
	*ret = (struct pk_facts_count){ .used = f->loose.used + f->held.used,
					.max = f->max,
					.evicted = f->evicted,
					.bytes = sizeof(struct pk_fact) };
}

const char *pk_conflict_name(unsigned conflict)
{
	static const char *const names[] = { NULL, "sni_dns", "http_dns", "http_sni" };

	return conflict < PK_ARRAY_SIZE(names) ? names[conflict] : NULL;
}

const char *pk_name_source_name(unsigned source)
{
	static const char *const names[] = { NULL, "sni", "http", "dns" };

	return source < PK_ARRAY_SIZE(names) ? names[source] : NULL;
}
