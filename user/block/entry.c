/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the texts of entries, each kept once, and says in which order entries stand. Reads and
 * writes no format.
 */
#include "block/entry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX ((size_t)INT32_MAX)

void pk_block_texts_done(struct pk_block_texts *t)
{
	free(t->data);
	free(t->index);
	*t = (struct pk_block_texts){ 0 };
}

/* FNV-1a: texts are short and the table is no target, it has a bound and nobody waits on it. */
static uint64_t hash(const char *s, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)s[i]) * 0x100000001b3;
	return h ^ h >> 32;
}

/* The slot of the text, or the free one where it belongs. */
static size_t find(const struct pk_block_texts *t, const char *s, size_t len)
{
	size_t i = hash(s, len) & (t->slots - 1);

	while (t->index[i]) {
		const char *have = t->data + t->index[i];

		if (strncmp(have, s, len) == 0 && !have[len])
			break;
		i = (i + 1) & (t->slots - 1);
	}
	return i;
}

static int grow_index(struct pk_block_texts *t)
{
	size_t slots = t->slots ? t->slots * 2 : 64;
	struct pk_block_texts next = *t;

	if (t->n * 2 < t->slots)
		return 0;
	next.index = calloc(slots, sizeof(*next.index));
	if (!next.index)
		return -ENOMEM;
	next.slots = slots;
	for (size_t i = 0; i < t->slots; i++) {
		const char *s = t->data + t->index[i];

		if (t->index[i])
			next.index[find(&next, s, strlen(s))] = t->index[i];
	}
	free(t->index);
	*t = next;
	return 0;
}

static int grow_data(struct pk_block_texts *t, size_t more)
{
	size_t cap = t->cap ? t->cap : 4096;
	char *data;

	if (more > TEXTS_MAX - t->len)
		return -EFBIG;
	while (cap < t->len + more)
		cap *= 2;
	if (cap == t->cap)
		return 0;
	data = realloc(t->data, cap);
	if (!data)
		return -ENOMEM;
	t->data = data;
	t->cap = cap;
	return 0;
}

int64_t pk_block_text(struct pk_block_texts *t, const char *s, size_t len)
{
	size_t slot, had = t->len;
	int r;

	len = strnlen(s, len);
	if (!len)
		return 0;
	r = grow_index(t);
	if (r < 0)
		return r;
	slot = find(t, s, len);
	if (t->index[slot])
		return t->index[slot];
	r = grow_data(t, len + 1 + !had);
	if (r < 0)
		return r;
	if (!had)
		t->data[t->len++] = '\0';
	t->index[slot] = t->len;
	memcpy(t->data + t->len, s, len);
	t->data[t->len + len] = '\0';
	t->len += len + 1;
	t->n++;
	return t->index[slot];
}

const char *pk_block_text_at(const struct pk_block_texts *t, uint32_t offset)
{
	return offset < t->len ? t->data + offset : "";
}

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static uint64_t conditions(const struct pk_block_entry *e)
{
	return (uint64_t)e->proto << 40 | (uint64_t)e->dir << 32 | (uint64_t)e->port_lo << 16 |
	       e->port_hi;
}

int pk_block_entry_compare_cond(const struct pk_block_entry *a, const struct pk_block_entry *b)
{
	int r = order(conditions(a), conditions(b));

	return r ? r : order(a->iface, b->iface);
}

int pk_block_entry_compare(const struct pk_block_entry *a, const struct pk_block_entry *b)
{
	int r = order(!a->v4, !b->v4);

	if (!r)
		r = memcmp(a->prefix, b->prefix, sizeof(a->prefix));
	if (!r)
		r = order(a->bits, b->bits);
	return r ? r : pk_block_entry_compare_cond(a, b);
}

bool pk_block_entry_has_cond(const struct pk_block_entry *e)
{
	return e->proto || e->dir != (PK_BLK_IN | PK_BLK_OUT) || e->port_lo || e->port_hi ||
	       e->iface || e->expires_ms;
}
