/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the places of a detector's table: hash chains, the order of last touch and the estimate of
 * how often each key comes. It does not know what the values mean.
 */
#include "detect/memo.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/often.h"

#include <stdlib.h>
#include <string.h>

#define NONE       UINT32_MAX
#define CANDIDATES 4 /* that a newcomer is compared with */

struct place {
	struct pk_memo_key key;
	uint64_t hash;
	uint32_t next, older, newer;
	bool used;
	max_align_t value[];
};

struct pk_memo {
	uint8_t *place;
	uint32_t *bucket;
	struct pk_often *often; /* NULL: not held on to */
	size_t place_bytes, max, top, used, mask;
	uint32_t oldest, newest, free;
	uint64_t evicted, refused, aged_ns;
	struct pk_hash_key hash_key;
};

static size_t place_bytes(size_t value_bytes)
{
	size_t align = _Alignof(max_align_t);

	return sizeof(struct place) + (value_bytes + align - 1) / align * align;
}

static size_t buckets(size_t max)
{
	size_t n = 16;

	while (n < max)
		n *= 2;
	return n;
}

static struct place *at(const struct pk_memo *k, uint32_t i)
{
	return (struct place *)(void *)(k->place + i * k->place_bytes);
}

static const struct place *place_of(const void *value)
{
	return (const struct place *)(const void *)((const uint8_t *)value -
						    offsetof(struct place, value));
}

static uint32_t index_of(const struct pk_memo *k, const struct place *p)
{
	return (uint32_t)((size_t)((const uint8_t *)p - k->place) / k->place_bytes);
}

static void memo_freep(struct pk_memo **k)
{
	pk_memo_free(*k);
}

struct pk_memo *pk_memo_new(size_t max, size_t value_bytes, bool hold_on)
{
	_cleanup_(memo_freep) struct pk_memo *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->max = max;
	k->place_bytes = place_bytes(value_bytes);
	k->mask = buckets(max) - 1;
	k->oldest = k->newest = k->free = NONE;
	k->place = calloc(max, k->place_bytes);
	k->bucket = malloc((k->mask + 1) * sizeof(*k->bucket));
	k->often = hold_on ? pk_often_new() : NULL;
	if (!k->place || !k->bucket || (hold_on && !k->often))
		return NULL;
	memset(k->bucket, 0xff, (k->mask + 1) * sizeof(*k->bucket));
	pk_hash_key_init(&k->hash_key);
	return PK_TAKE(k);
}

void pk_memo_free(struct pk_memo *k)
{
	if (!k)
		return;
	free(k->place);
	free(k->bucket);
	pk_often_free(k->often);
	free(k);
}

uint64_t pk_memo_hash(const struct pk_memo *k, const void *data, size_t len)
{
	uint64_t w[PK_HASH_WORDS] = { 0 };

	memcpy(w, data, len < sizeof(w) ? len : sizeof(w));
	return pk_hash_words(&k->hash_key, w, (len + 7) / 8);
}

void pk_memo_age(struct pk_memo *k, uint64_t now_ns, uint64_t every_ns)
{
	if (!k->aged_ns)
		k->aged_ns = now_ns;
	if (now_ns < k->aged_ns || now_ns - k->aged_ns < every_ns)
		return;
	k->aged_ns = now_ns;
	if (k->often)
		pk_often_halve(k->often);
}

static void unlink_age(struct pk_memo *k, struct place *p)
{
	*(p->older == NONE ? &k->oldest : &at(k, p->older)->newer) = p->newer;
	*(p->newer == NONE ? &k->newest : &at(k, p->newer)->older) = p->older;
}

static void link_newest(struct pk_memo *k, struct place *p)
{
	p->older = k->newest;
	p->newer = NONE;
	*(k->newest == NONE ? &k->oldest : &at(k, k->newest)->newer) = index_of(k, p);
	k->newest = index_of(k, p);
}

static void touch(struct pk_memo *k, struct place *p)
{
	if (p->newer == NONE)
		return;
	unlink_age(k, p);
	link_newest(k, p);
}

void pk_memo_drop(struct pk_memo *k, void *value)
{
	uint32_t i = index_of(k, place_of(value));
	struct place *p = at(k, i);
	uint32_t *link = &k->bucket[p->hash & k->mask];

	while (*link != i)
		link = &at(k, *link)->next;
	*link = p->next;
	unlink_age(k, p);
	p->used = false;
	p->next = k->free;
	k->free = i;
	k->used--;
}

/* One of the oldest that comes no more often than n; those that do stay, as if touched. */
static bool make_room(struct pk_memo *k, unsigned n)
{
	for (unsigned i = 0; i < CANDIDATES; i++) {
		struct place *p = at(k, k->oldest);

		if (!k->often || pk_often_get(k->often, p->hash) < n) {
			pk_memo_drop(k, p->value);
			k->evicted++;
			return true;
		}
		touch(k, p);
	}
	k->refused++;
	return false;
}

static struct place *add(struct pk_memo *k, const struct pk_memo_key *key, uint64_t hash)
{
	uint32_t i = k->free;
	struct place *p;

	if (i == NONE) {
		i = (uint32_t)k->top++;
		p = at(k, i);
	} else {
		p = at(k, i);
		k->free = p->next;
	}
	memset(p, 0, k->place_bytes);
	p->key = *key;
	p->hash = hash;
	p->used = true;
	p->next = k->bucket[hash & k->mask];
	k->bucket[hash & k->mask] = i;
	link_newest(k, p);
	k->used++;
	return p;
}

static struct place *find(const struct pk_memo *k, const struct pk_memo_key *key, uint64_t hash)
{
	for (uint32_t i = k->bucket[hash & k->mask]; i != NONE; i = at(k, i)->next)
		if (at(k, i)->hash == hash && memcmp(&at(k, i)->key, key, sizeof(*key)) == 0)
			return at(k, i);
	return NULL;
}

void *pk_memo_take(struct pk_memo *k, const struct pk_memo_key *key, bool *ret_is_new)
{
	uint64_t hash = pk_memo_hash(k, key, sizeof(*key));
	unsigned n = k->often ? pk_often_add(k->often, hash) : 0;
	struct place *p = find(k, key, hash);

	*ret_is_new = !p;
	if (p)
		touch(k, p);
	else if (k->used < k->max || make_room(k, n))
		p = add(k, key, hash);
	return p ? p->value : NULL;
}

void *pk_memo_find(const struct pk_memo *k, const struct pk_memo_key *key)
{
	struct place *p = find(k, key, pk_memo_hash(k, key, sizeof(*key)));

	return p ? p->value : NULL;
}

const struct pk_memo_key *pk_memo_key_of(const void *value)
{
	return &place_of(value)->key;
}

void *pk_memo_next(const struct pk_memo *k, const void *value)
{
	uint32_t i = value ? place_of(value)->newer : k->oldest;

	return i == NONE ? NULL : at(k, i)->value;
}

const struct pk_hash_key *pk_memo_secret(const struct pk_memo *k)
{
	return &k->hash_key;
}

void pk_memo_begin_as(struct pk_memo *k, const struct pk_hash_key *secret)
{
	if (!k->used) /* else nothing in it would be found again */
		k->hash_key = *secret;
}

unsigned pk_memo_often(const struct pk_memo *k, const void *value)
{
	return k->often ? pk_often_get(k->often, place_of(value)->hash) : 0;
}

void *pk_memo_restore(struct pk_memo *k, const struct pk_memo_key *key, unsigned often)
{
	uint64_t hash = pk_memo_hash(k, key, sizeof(*key));
	bool is_new;

	for (unsigned i = 1; k->often && i < often && pk_often_get(k->often, hash) + 1 < often; i++)
		(void)pk_often_add(k->often, hash);
	return pk_memo_take(k, key, &is_new);
}

size_t pk_memo_used(const struct pk_memo *k)
{
	return k->used;
}

void pk_memo_memory(const struct pk_memo *k, struct pk_memory *sum)
{
	sum->bytes += sizeof(*k) + k->top * k->place_bytes + (k->mask + 1) * sizeof(*k->bucket) +
		      (k->often ? PK_OFTEN_BYTES : 0);
	sum->evicted += k->evicted;
	sum->refused += k->refused;
}

size_t pk_memo_bytes_max(size_t max, size_t value_bytes, bool hold_on)
{
	return sizeof(struct pk_memo) + max * place_bytes(value_bytes) +
	       buckets(max) * sizeof(uint32_t) + (hold_on ? PK_OFTEN_BYTES : 0);
}
