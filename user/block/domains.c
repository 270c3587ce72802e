/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the names of a list and their index. Knows nothing of what they mean. */
#include "block/domains.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void pk_domains_done(struct pk_domains *s)
{
	free(s->v);
	free(s->slot);
	*s = (struct pk_domains){ 0 };
}

static void index_one(struct pk_domains *s, uint32_t place)
{
	size_t i = s->v[place].hash & (s->slots - 1);

	while (s->slot[i])
		i = (i + 1) & (s->slots - 1);
	s->slot[i] = place + 1;
}

static int grow_index(struct pk_domains *s, size_t n)
{
	size_t slots = s->slots ? s->slots : 64;
	uint32_t *slot;

	while (slots < n * 2)
		slots *= 2;
	if (slots == s->slots)
		return 0;
	slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(s->slot);
	s->slot = slot;
	s->slots = slots;
	for (size_t i = 0; i < s->n; i++)
		index_one(s, (uint32_t)i); /* the removed ones, too: a chain is not cut */
	return 0;
}

int pk_domains_reserve(struct pk_domains *s, size_t n)
{
	struct pk_block_name *v;

	if (n > UINT32_MAX / 2)
		return -ENOMEM;
	if (n > s->cap) {
		v = realloc(s->v, n * sizeof(*v));
		if (!v)
			return -ENOMEM;
		s->v = v;
		s->cap = n;
	}
	return grow_index(s, n);
}

struct pk_block_name *pk_domains_find(const struct pk_domains *s, const struct pk_block_texts *t,
				      const char *name, size_t len, uint32_t hash)
{
	if (!s->live)
		return NULL;
	for (size_t i = hash & (s->slots - 1); s->slot[i]; i = (i + 1) & (s->slots - 1)) {
		struct pk_block_name *n = &s->v[s->slot[i] - 1];
		const char *have;

		if (n->hash != hash || !n->text)
			continue;
		have = pk_block_text_at(t, n->text);
		if (strncmp(have, name, len) == 0 && !have[len])
			return n;
	}
	return NULL;
}

static void count(struct pk_domains *s, const struct pk_block_name *n, size_t one)
{
	s->expiring += n->expires_ms ? one : 0;
	s->refusing += n->how & PK_BLOCK_REFUSE ? one : 0;
	s->refuses |= n->how & PK_BLOCK_REFUSE;
}

int pk_domains_add(struct pk_domains *s, const struct pk_block_name *n)
{
	int r = s->n < s->cap ? grow_index(s, s->n + 1)
			      : pk_domains_reserve(s, s->cap ? s->cap * 2 : 64);

	if (r < 0)
		return r;
	s->v[s->n] = *n;
	index_one(s, (uint32_t)s->n);
	s->n++;
	s->live++;
	count(s, n, 1);
	return 0;
}

void pk_domains_set(struct pk_domains *s, struct pk_block_name *n, uint8_t how, int64_t expires_ms)
{
	count(s, n, (size_t)-1);
	n->how = how;
	n->expires_ms = expires_ms;
	count(s, n, 1);
}

void pk_domains_remove(struct pk_domains *s, struct pk_block_name *n)
{
	count(s, n, (size_t)-1);
	n->text = 0;
	s->live--;
}

bool pk_domains_compact(struct pk_domains *s)
{
	size_t n = 0;

	if (s->n < 2 * s->live + 1024)
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].text)
			s->v[n++] = s->v[i];
	s->n = n;
	memset(s->slot, 0, s->slots * sizeof(*s->slot));
	for (size_t i = 0; i < n; i++)
		index_one(s, (uint32_t)i);
	return true;
}

struct pk_block_name *pk_domains_next(const struct pk_domains *s, size_t *at)
{
	while (*at < s->n) {
		struct pk_block_name *n = &s->v[(*at)++];

		if (n->text)
			return n;
	}
	return NULL;
}

size_t pk_domains_bytes(const struct pk_domains *s)
{
	return s->cap * sizeof(*s->v) + s->slots * sizeof(*s->slot);
}

void pk_name_hits_done(struct pk_name_hit_table *t)
{
	free(t->v);
	*t = (struct pk_name_hit_table){ 0 };
}

/* Ids are given one after the other: they need no hash. */
static struct pk_name_hits *place(struct pk_name_hits *v, size_t slots, uint32_t id)
{
	size_t i = id & (slots - 1);

	while (v[i].id && v[i].id != id)
		i = (i + 1) & (slots - 1);
	return &v[i];
}

static int grow_hits(struct pk_name_hit_table *t)
{
	size_t slots = t->slots ? t->slots * 2 : 64;
	struct pk_name_hits *v;

	if (t->n * 2 < t->slots)
		return 0;
	v = calloc(slots, sizeof(*v));
	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < t->slots; i++)
		if (t->v[i].id)
			*place(v, slots, t->v[i].id) = t->v[i];
	free(t->v);
	t->v = v;
	t->slots = slots;
	return 0;
}

struct pk_name_hits *pk_name_hits_of(struct pk_name_hit_table *t, uint32_t id, bool make)
{
	struct pk_name_hits *h;

	if (!id || (make && grow_hits(t) < 0) || !t->slots)
		return NULL;
	h = place(t->v, t->slots, id);
	if (h->id)
		return h;
	if (!make)
		return NULL;
	h->id = id;
	t->n++;
	return h;
}
