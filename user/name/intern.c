/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the pool of texts: a hash table of counted strings that doubles as it fills. It does not
 * know what they mean.
 */
#include "name/intern.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#define HEADS_MIN 256

struct interned {
	struct interned *next;
	uint64_t hash;
	uint32_t owners, len;
	char s[];
};

struct pk_intern {
	struct interned **head;
	size_t heads;
	struct pk_intern_count count;
	struct pk_hash_key key;
};

struct pk_intern *pk_intern_new(size_t bytes_max)
{
	struct pk_intern *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->heads = HEADS_MIN;
	t->count.max = bytes_max;
	t->head = calloc(t->heads, sizeof(struct interned *));
	pk_hash_key_init(&t->key);
	if (t->head)
		return t;
	free(t);
	return NULL;
}

void pk_intern_free(struct pk_intern *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->heads; i++)
		for (struct interned *x = t->head[i], *next; x; x = next) {
			next = x->next;
			free(x);
		}
	free(t->head);
	free(t);
}

static uint64_t hash_of(const struct pk_intern *t, const char *s, size_t len)
{
	uint64_t h = t->key.k[0] ^ len;

	for (size_t i = 0; i < len; i += 8 * PK_HASH_WORDS) {
		uint64_t w[PK_HASH_WORDS] = { 0 };
		size_t n = len - i < sizeof(w) ? len - i : sizeof(w);

		memcpy(w, s + i, n);
		h = pk_hash_mix(h ^ pk_hash_words(&t->key, w, (n + 7) / 8));
	}
	return h;
}

/* Without memory the chains just grow longer. */
static void grow(struct pk_intern *t)
{
	size_t heads = t->heads * 2;
	struct interned **head = calloc(heads, sizeof(struct interned *));

	if (!head)
		return;
	for (size_t i = 0; i < t->heads; i++)
		for (struct interned *x = t->head[i], *next; x; x = next) {
			next = x->next;
			x->next = head[x->hash & (heads - 1)];
			head[x->hash & (heads - 1)] = x;
		}
	free(t->head);
	t->head = head;
	t->heads = heads;
}

static size_t cost(size_t len)
{
	return sizeof(struct interned) + len + 1;
}

static const char *keep(struct pk_intern *t, const char *s, size_t len)
{
	uint64_t h = hash_of(t, s, len);
	struct interned *x;

	for (x = t->head[h & (t->heads - 1)]; x; x = x->next)
		if (x->hash == h && x->len == len && !memcmp(x->s, s, len)) {
			x->owners++;
			return x->s;
		}
	x = t->count.bytes + cost(len) <= t->count.max ? malloc(cost(len)) : NULL;
	if (!x) {
		t->count.refused++;
		return NULL;
	}
	if (t->count.texts >= t->heads)
		grow(t);
	*x = (struct interned){
		.next = t->head[h & (t->heads - 1)], .hash = h, .owners = 1, .len = (uint32_t)len
	};
	memcpy(x->s, s, len);
	x->s[len] = '\0';
	t->head[h & (t->heads - 1)] = x;
	t->count.texts++;
	t->count.bytes += cost(len);
	return x->s;
}

/* Copies what fits, NUL as \000, in lower case if asked. Returns its length. */
static size_t clean(char out[PK_INTERN_MAX], const char *s, size_t len, int lower)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < PK_INTERN_MAX; i++) {
		char c = s[i];

		if (!c) {
			if (n + 4 > PK_INTERN_MAX)
				break;
			out[n++] = '\\';
			memset(out + n, '0', 3);
			n += 3;
			continue;
		}
		out[n++] = lower && c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
	}
	return n;
}

const char *pk_intern_text(struct pk_intern *t, const char *s, size_t len)
{
	char text[PK_INTERN_MAX];

	if (!s || !len)
		return NULL;
	return keep(t, text, clean(text, s, len, 0));
}

const char *pk_intern_name(struct pk_intern *t, const char *s, size_t len)
{
	char text[PK_INTERN_MAX];

	if (s && len > 1 && s[len - 1] == '.')
		len--;
	if (!s || !len)
		return NULL;
	return keep(t, text, clean(text, s, len, 1));
}

/* Texts are constant for whoever reads them, not for their owner. */
static struct interned *text_of(const char *s)
{
	char *p;

	memcpy(&p, &s, sizeof(p));
	return (struct interned *)(void *)(p - offsetof(struct interned, s));
}

const char *pk_intern_again(const char *text)
{
	if (text)
		text_of(text)->owners++;
	return text;
}

void pk_intern_put(struct pk_intern *t, const char **text)
{
	struct interned *x, **p;

	if (!*text)
		return;
	x = text_of(*text);
	*text = NULL;
	if (--x->owners)
		return;
	for (p = &t->head[x->hash & (t->heads - 1)]; *p != x;)
		p = &(*p)->next;
	*p = x->next;
	t->count.texts--;
	t->count.bytes -= cost(x->len);
	free(x);
}

void pk_intern_counts(const struct pk_intern *t, struct pk_intern_count *ret_counts)
{
	*ret_counts = t->count;
}
