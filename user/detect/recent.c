/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the entries: hash chains and a list from the oldest to the one used last, by index; [0] is
 * not used. It does not know what entries mean or how long they count.
 */
#include "detect/recent.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGN 8

struct head {
	uint32_t next, older, newer, pad;
	unsigned char data[]; /* key, value */
};

struct pk_recent {
	struct pk_hash_key hash;
	unsigned char *mem;
	uint32_t *chain;
	size_t max, chains, key_bytes, key_room, value_bytes, step;
	uint32_t fresh, free, oldest, newest;
	uint32_t retired; /* the newest of those that begin the list; 0: none */
	uint64_t used, evicted;
};

static size_t rounded(size_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t step_of(size_t key_bytes, size_t value_bytes)
{
	return sizeof(struct head) + rounded(key_bytes) + rounded(value_bytes);
}

static size_t chains_of(size_t max)
{
	size_t n = 16;

	while (n < max)
		n *= 2;
	return n;
}

static void *map_zero(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

size_t pk_recent_bytes_max(size_t max, size_t key_bytes, size_t value_bytes)
{
	return (max + 1) * step_of(key_bytes, value_bytes) + chains_of(max) * sizeof(uint32_t) +
	       sizeof(struct pk_recent);
}

struct pk_recent *pk_recent_new(size_t max, size_t key_bytes, size_t value_bytes)
{
	struct pk_recent *t = calloc(1, sizeof(*t));

	assert(key_bytes <= PK_RECENT_KEY_MAX && max > 0 && max < UINT32_MAX);
	if (!t)
		return NULL;
	t->max = max;
	t->chains = chains_of(max);
	t->key_bytes = key_bytes;
	t->key_room = rounded(key_bytes);
	t->value_bytes = value_bytes;
	t->step = step_of(key_bytes, value_bytes);
	t->fresh = 1;
	pk_hash_key_init(&t->hash);
	t->mem = map_zero((max + 1) * t->step);
	t->chain = map_zero(t->chains * sizeof(*t->chain));
	if (t->mem && t->chain)
		return t;
	pk_recent_free(t);
	return NULL;
}

void pk_recent_free(struct pk_recent *t)
{
	if (!t)
		return;
	if (t->mem)
		munmap(t->mem, (t->max + 1) * t->step);
	if (t->chain)
		munmap(t->chain, t->chains * sizeof(*t->chain));
	free(t);
}

static struct head *at(const struct pk_recent *t, uint32_t i)
{
	return (struct head *)(t->mem + i * t->step);
}

static uint32_t index_of(const struct pk_recent *t, const struct head *h)
{
	return (uint32_t)((size_t)((const unsigned char *)h - t->mem) / t->step);
}

static struct head *head_of(const struct pk_recent *t, const void *value)
{
	return (struct head *)(t->mem + ((const unsigned char *)value - t->mem) - t->key_room -
			       sizeof(struct head));
}

static void *value_of(const struct pk_recent *t, struct head *h)
{
	return h->data + t->key_room;
}

static uint32_t *chain_of(const struct pk_recent *t, const void *key)
{
	return &t->chain[pk_hash_bytes(&t->hash, key, t->key_bytes) & (t->chains - 1)];
}

static void push(struct pk_recent *t, struct head *h)
{
	uint32_t i = index_of(t, h);

	h->newer = 0;
	h->older = t->newest;
	if (t->newest)
		at(t, t->newest)->newer = i;
	else
		t->oldest = i;
	t->newest = i;
}

static void pop(struct pk_recent *t, struct head *h)
{
	if (t->retired == index_of(t, h))
		t->retired = h->older;
	if (h->newer)
		at(t, h->newer)->older = h->older;
	else
		t->newest = h->older;
	if (h->older)
		at(t, h->older)->newer = h->newer;
	else
		t->oldest = h->newer;
}

static struct head *lookup(struct pk_recent *t, const void *key)
{
	for (uint32_t i = *chain_of(t, key); i; i = at(t, i)->next)
		if (!memcmp(at(t, i)->data, key, t->key_bytes))
			return at(t, i);
	return NULL;
}

void *pk_recent_find(struct pk_recent *t, const void *key)
{
	struct head *h = lookup(t, key);

	if (!h)
		return NULL;
	pop(t, h);
	push(t, h);
	return value_of(t, h);
}

void pk_recent_drop(struct pk_recent *t, void *value)
{
	struct head *h = head_of(t, value);
	uint32_t i = index_of(t, h), *p = chain_of(t, h->data);

	while (*p != i)
		p = &at(t, *p)->next;
	*p = h->next;
	pop(t, h);
	h->next = t->free;
	t->free = i;
	t->used--;
}

void pk_recent_retire(struct pk_recent *t, void *value)
{
	struct head *h = head_of(t, value);
	uint32_t i = index_of(t, h), next;

	pop(t, h);
	next = t->retired ? at(t, t->retired)->newer : t->oldest;
	h->older = t->retired;
	h->newer = next;
	*(h->older ? &at(t, h->older)->newer : &t->oldest) = i;
	*(next ? &at(t, next)->older : &t->newest) = i;
	t->retired = i;
}

static struct head *room(struct pk_recent *t)
{
	struct head *h;

	if (!t->free && t->fresh <= t->max)
		return at(t, t->fresh++);
	if (!t->free) {
		pk_recent_drop(t, pk_recent_oldest(t));
		t->evicted++;
	}
	h = at(t, t->free);
	t->free = h->next;
	return h;
}

void *pk_recent_take(struct pk_recent *t, const void *key, bool *ret_is_new)
{
	void *v = pk_recent_find(t, key);
	struct head *h;
	uint32_t *chain;

	*ret_is_new = !v;
	if (v)
		return v;
	h = room(t);
	memset(h, 0, t->step);
	memcpy(h->data, key, t->key_bytes);
	chain = chain_of(t, key);
	h->next = *chain;
	*chain = index_of(t, h);
	push(t, h);
	t->used++;
	return value_of(t, h);
}

void *pk_recent_oldest(const struct pk_recent *t)
{
	return t->oldest ? value_of(t, at(t, t->oldest)) : NULL;
}

void *pk_recent_next(const struct pk_recent *t, const void *value)
{
	uint32_t i;

	if (!value)
		return pk_recent_oldest(t);
	i = head_of(t, value)->newer;
	return i ? value_of(t, at(t, i)) : NULL;
}

const void *pk_recent_key(const struct pk_recent *t, const void *value)
{
	return head_of(t, value)->data;
}

uint64_t pk_recent_used(const struct pk_recent *t)
{
	return t->used;
}

void pk_recent_memory(const struct pk_recent *t, struct pk_memory *sum)
{
	sum->bytes += t->fresh * t->step + t->chains * sizeof(*t->chain) + sizeof(*t);
	sum->evicted += t->evicted;
}
