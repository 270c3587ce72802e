/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns (client, address) entries with their names, newest first, in the order they were last used.
 * It believes what it is told: whether an answer is to be believed is name.c's to decide.
 */
#include "name/address.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "name/intern.h"

#include <string.h>
#include <sys/mman.h>

#define NS_PER_S   1000000000ull
#define AHEAD_NS   NS_PER_S /* records of two rings may pass each other by so much */
#define TICK_LOOKS 256

struct name {
	const char *text;
	uint64_t learned_ns, ends_ns;
};

struct entry {
	struct pk_client client;
	uint8_t addr[16];
	uint32_t next, older, newer;
	uint8_t names;
	struct name name[PK_ADDRESS_NAMES];
};

struct pk_addresses {
	struct entry *e; /* [0] is not used */
	uint32_t *head, mask, fresh, free, newest, oldest;
	struct pk_addresses_count count;
	struct pk_intern *texts;
	struct pk_hash_key key;
};

static void *map_zero(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct pk_addresses *pk_addresses_new(size_t max, struct pk_intern *texts)
{
	struct pk_addresses *a = calloc(1, sizeof(*a));
	size_t heads = 64;

	if (!a)
		return NULL;
	a->count.max = max ? max : 1;
	while (heads < a->count.max)
		heads *= 2;
	a->mask = (uint32_t)(heads - 1);
	a->fresh = 1;
	a->texts = texts;
	a->e = map_zero((a->count.max + 1) * sizeof(*a->e));
	a->head = map_zero(heads * sizeof(*a->head));
	pk_hash_key_init(&a->key);
	if (a->e && a->head)
		return a;
	pk_addresses_free(a);
	return NULL;
}

void pk_addresses_free(struct pk_addresses *a)
{
	if (!a)
		return;
	if (a->e)
		munmap(a->e, (a->count.max + 1) * sizeof(*a->e));
	if (a->head)
		munmap(a->head, (a->mask + 1ul) * sizeof(*a->head));
	free(a);
}

static uint32_t *head_of(const struct pk_addresses *a, const struct pk_client *c,
			 const uint8_t addr[16])
{
	uint64_t w[5] = { c->netns };

	memcpy(w + 1, c->addr, 16);
	memcpy(w + 3, addr, 16);
	return &a->head[pk_hash_words(&a->key, w, PK_ARRAY_SIZE(w)) & a->mask];
}

static void list_push(struct pk_addresses *a, struct entry *e)
{
	uint32_t i = (uint32_t)(e - a->e);

	e->newer = 0;
	e->older = a->newest;
	if (a->newest)
		a->e[a->newest].newer = i;
	else
		a->oldest = i;
	a->newest = i;
}

static void list_pop(struct pk_addresses *a, struct entry *e)
{
	if (e->newer)
		a->e[e->newer].older = e->older;
	else
		a->newest = e->older;
	if (e->older)
		a->e[e->older].newer = e->newer;
	else
		a->oldest = e->newer;
}

static struct entry *find(struct pk_addresses *a, const struct pk_client *c, const uint8_t addr[16])
{
	for (uint32_t i = *head_of(a, c, addr); i; i = a->e[i].next) {
		struct entry *e = &a->e[i];

		if (e->client.netns == c->netns && !memcmp(e->client.addr, c->addr, 16) &&
		    !memcmp(e->addr, addr, 16)) {
			list_pop(a, e);
			list_push(a, e);
			return e;
		}
	}
	return NULL;
}

static void drop(struct pk_addresses *a, struct entry *e)
{
	uint32_t i = (uint32_t)(e - a->e), *p = head_of(a, &e->client, e->addr);

	while (*p != i)
		p = &a->e[*p].next;
	*p = e->next;
	list_pop(a, e);
	for (unsigned k = 0; k < e->names; k++)
		pk_intern_put(a->texts, &e->name[k].text);
	e->next = a->free;
	a->free = i;
	a->count.used--;
}

static struct entry *make(struct pk_addresses *a, const struct pk_client *c, const uint8_t addr[16])
{
	struct entry *e = find(a, c, addr);
	uint32_t i, *head;

	if (e)
		return e;
	if (!a->free && a->fresh > a->count.max) {
		drop(a, &a->e[a->oldest]);
		a->count.evicted++;
	}
	i = a->free;
	if (i)
		a->free = a->e[i].next;
	else
		i = a->fresh++;
	head = head_of(a, c, addr);
	e = &a->e[i];
	*e = (struct entry){ .client = *c, .next = *head };
	memcpy(e->addr, addr, 16);
	*head = i;
	list_push(a, e);
	a->count.used++;
	return e;
}

void pk_addresses_learn(struct pk_addresses *a, const struct pk_client *client,
			const uint8_t addr[16], const char *name, uint32_t ttl_s, uint64_t now_ns)
{
	struct entry *e = make(a, client, addr);
	struct name new = { .learned_ns = now_ns };
	unsigned at = 0;

	if (ttl_s < PK_ADDRESS_TTL_MIN_S)
		ttl_s = PK_ADDRESS_TTL_MIN_S;
	if (ttl_s > PK_ADDRESS_TTL_MAX_S)
		ttl_s = PK_ADDRESS_TTL_MAX_S;
	new.ends_ns = now_ns + ttl_s *NS_PER_S;
	while (at < e->names && e->name[at].text != name)
		at++;
	if (at < e->names) { /* known: it becomes the newest */
		new.text = e->name[at].text;
	} else {
		new.text = pk_intern_again(name);
		a->count.names++;
		if (e->names == PK_ADDRESS_NAMES)
			pk_intern_put(a->texts, &e->name[--at].text);
		else
			e->names++;
	}
	memmove(&e->name[1], &e->name[0], at * sizeof(e->name[0]));
	e->name[0] = new;
}

static bool counts(const struct name *n, uint64_t at_ns)
{
	return n->learned_ns <= at_ns + AHEAD_NS &&
	       at_ns <= n->ends_ns + PK_ADDRESS_GRACE_S * NS_PER_S;
}

const char *pk_addresses_name(struct pk_addresses *a, const struct pk_client *client,
			      const uint8_t addr[16], uint64_t at_ns)
{
	const struct entry *e = find(a, client, addr);
	const char *late = NULL;

	for (unsigned i = 0; e && i < e->names; i++) {
		const struct name *n = &e->name[i];

		if (!counts(n, at_ns))
			continue;
		if (at_ns <= n->ends_ns)
			return n->text;
		late = late ? late : n->text;
	}
	return late;
}

bool pk_addresses_has(struct pk_addresses *a, const struct pk_client *client,
		      const uint8_t addr[16], const char *name, uint64_t at_ns)
{
	const struct entry *e = find(a, client, addr);

	for (unsigned i = 0; e && i < e->names; i++)
		if (e->name[i].text == name)
			return counts(&e->name[i], at_ns);
	return false;
}

void pk_addresses_tick(struct pk_addresses *a, uint64_t now_ns)
{
	for (int i = 0; i < TICK_LOOKS && a->oldest; i++) {
		struct entry *e = &a->e[a->oldest];
		bool any = false;

		for (unsigned k = 0; k < e->names; k++)
			any = any || counts(&e->name[k], now_ns);
		if (any)
			return;
		drop(a, e);
	}
}

void pk_addresses_counts(const struct pk_addresses *a, struct pk_addresses_count *ret)
{
	*ret = a->count;
}
