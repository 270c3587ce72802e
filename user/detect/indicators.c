/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the indicators: an array, one buffer of texts and keys, an index by keyed hash. It reads no
 * file and knows no clock.
 */
#include "detect/indicators.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/hex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 255

struct entry {
	int64_t expires_ms;
	uint32_t next;           /* index + 1; 0 end */
	uint32_t key;            /* in texts: kind, then the key itself */
	uint32_t source, reason; /* in texts */
	uint16_t port;
	uint16_t key_len;
};

struct pk_indicators {
	struct entry *v;
	size_t n, cap, max;
	uint32_t *head;
	size_t heads;
	struct pk_buf texts;
	uint32_t last_source;
	uint64_t bits[3]; /* lengths of prefixes that there are */
	struct pk_hash_key hash;
	struct pk_indicators_count count;
};

struct pk_indicators *pk_indicators_new(size_t max)
{
	struct pk_indicators *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->max = max < UINT32_MAX ? max : UINT32_MAX - 1;
	t->texts.max = UINT32_MAX;
	pk_buf_add(&t->texts, "", 1);
	pk_hash_key_init(&t->hash);
	return t;
}

void pk_indicators_free(struct pk_indicators *t)
{
	if (!t)
		return;
	free(t->v);
	free(t->head);
	pk_buf_done(&t->texts);
	free(t);
}

static uint32_t keep_text(struct pk_indicators *t, const char *s)
{
	uint32_t at = (uint32_t)t->texts.len;

	if (!s || !*s)
		return 0;
	pk_buf_add(&t->texts, s, strlen(s) + 1);
	return at;
}

/* Many in a row are from one list. */
static uint32_t keep_source(struct pk_indicators *t, const char *s)
{
	if (!t->last_source || strcmp(t->texts.data + t->last_source, s ? s : "") != 0)
		t->last_source = keep_text(t, s);
	return t->last_source;
}

static int add(struct pk_indicators *t, const struct pk_indicator *i, const void *key, size_t len)
{
	const char kind = (char)i->kind;
	struct entry e = { .expires_ms = i->expires_ms, .port = i->port };
	struct entry *more;
	size_t cap;

	if (!len || len >= KEY_MAX)
		return -EINVAL;
	if (t->n >= t->max) {
		t->count.refused++;
		return -ENOSPC;
	}
	if (t->n == t->cap) {
		cap = t->cap ? t->cap * 2 : 256;
		more = reallocarray(t->v, cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		t->v = more;
		t->cap = cap;
	}
	e.source = keep_source(t, i->source);
	e.reason = keep_text(t, i->reason);
	e.key = (uint32_t)t->texts.len;
	e.key_len = (uint16_t)(len + 1);
	pk_buf_add(&t->texts, &kind, 1);
	pk_buf_add(&t->texts, key, len);
	if (t->texts.error)
		return t->texts.error;
	t->v[t->n++] = e;
	return 0;
}

/* The length, then the address with what is behind it cleared. */
static void addr_key(const uint8_t addr[16], unsigned bits, uint8_t ret_key[17])
{
	ret_key[0] = (uint8_t)bits;
	memset(ret_key + 1, 0, 16);
	memcpy(ret_key + 1, addr, bits / 8);
	if (bits % 8)
		ret_key[1 + bits / 8] = (uint8_t)(addr[bits / 8] & (0xff00 >> bits % 8));
}

int pk_indicators_add_addr(struct pk_indicators *t, const struct pk_indicator *i,
			   const uint8_t addr[16], unsigned bits)
{
	uint8_t key[17];
	int r;

	if (i->kind != PK_INDICATOR_ADDR || bits > 128)
		return -EINVAL;
	addr_key(addr, bits, key);
	r = add(t, i, key, sizeof(key));
	if (r < 0)
		return r;
	t->bits[bits / 64] |= 1ull << bits % 64;
	t->count.addrs++;
	return 0;
}

int pk_indicators_add_text(struct pk_indicators *t, const struct pk_indicator *i, const char *text,
			   size_t len)
{
	char small[64];
	int r;

	if (i->kind != PK_INDICATOR_NAME && i->kind != PK_INDICATOR_JA4 &&
	    i->kind != PK_INDICATOR_SHA256)
		return -EINVAL;
	if ((i->kind == PK_INDICATOR_JA4 && !pk_indicator_is_ja4(text, len)) ||
	    (i->kind == PK_INDICATOR_SHA256 && !pk_indicator_is_sha256(text, len)))
		return -EINVAL;
	for (size_t n = 0; i->kind == PK_INDICATOR_SHA256 && n < len; n++)
		small[n] = text[n] >= 'A' && text[n] <= 'F' ? (char)(text[n] | 0x20) : text[n];
	r = add(t, i, i->kind == PK_INDICATOR_SHA256 ? small : text, len);
	if (r < 0)
		return r;
	t->count.names += i->kind == PK_INDICATOR_NAME;
	t->count.hashes += i->kind == PK_INDICATOR_SHA256;
	t->count.prints += i->kind == PK_INDICATOR_JA4;
	return 0;
}

static uint32_t *head_of(const struct pk_indicators *t, const void *key, size_t len)
{
	return &t->head[pk_hash_bytes(&t->hash, key, len) & (t->heads - 1)];
}

int pk_indicators_seal(struct pk_indicators *t)
{
	for (t->heads = 16; t->heads < t->n;)
		t->heads *= 2;
	t->head = calloc(t->heads, sizeof(*t->head));
	if (!t->head)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		struct entry *e = &t->v[i];
		uint32_t *head = head_of(t, t->texts.data + e->key, e->key_len);

		e->next = *head;
		*head = (uint32_t)i + 1;
	}
	return 0;
}

static bool find(const struct pk_indicators *t, enum pk_indicator_kind kind, const void *data,
		 size_t len, uint16_t port, int64_t now_ms, struct pk_indicator *ret)
{
	char key[KEY_MAX + 1] = { (char)kind };

	if (!t->head || !len || len >= KEY_MAX)
		return false;
	memcpy(key + 1, data, len);
	for (uint32_t i = *head_of(t, key, len + 1); i; i = t->v[i - 1].next) {
		const struct entry *e = &t->v[i - 1];

		if (e->key_len != len + 1 || memcmp(t->texts.data + e->key, key, len + 1) != 0 ||
		    (e->port && e->port != port) || (e->expires_ms && e->expires_ms <= now_ms))
			continue;
		*ret = (struct pk_indicator){ .kind = kind,
					      .source = t->texts.data + e->source,
					      .reason = t->texts.data + e->reason,
					      .expires_ms = e->expires_ms,
					      .port = e->port };
		return true;
	}
	return false;
}

bool pk_indicators_addr(const struct pk_indicators *t, const uint8_t addr[16], uint16_t port,
			int64_t now_ms, struct pk_indicator *ret)
{
	uint8_t key[17];

	for (int bits = 128; bits >= 0; bits--) {
		if (!(t->bits[bits / 64] >> bits % 64 & 1))
			continue;
		addr_key(addr, (unsigned)bits, key);
		if (find(t, PK_INDICATOR_ADDR, key, sizeof(key), port, now_ms, ret))
			return true;
	}
	return false;
}

bool pk_indicators_name(const struct pk_indicators *t, const char *name, int64_t now_ms,
			struct pk_indicator *ret)
{
	while (name) {
		if (find(t, PK_INDICATOR_NAME, name, strlen(name), 0, now_ms, ret))
			return true;
		name = strchr(name, '.');
		name = name ? name + 1 : NULL;
	}
	return false;
}

bool pk_indicators_ja4(const struct pk_indicators *t, const char *ja4, int64_t now_ms,
		       struct pk_indicator *ret)
{
	return find(t, PK_INDICATOR_JA4, ja4, strlen(ja4), 0, now_ms, ret);
}

bool pk_indicators_sha256(const struct pk_indicators *t, const char *sha256, int64_t now_ms,
			  struct pk_indicator *ret)
{
	return find(t, PK_INDICATOR_SHA256, sha256, strlen(sha256), 0, now_ms, ret);
}

void pk_indicators_counts(const struct pk_indicators *t, struct pk_indicators_count *ret_count)
{
	*ret_count = t->count;
	ret_count->bytes =
		t->cap * sizeof(*t->v) + t->heads * sizeof(*t->head) + t->texts.cap + sizeof(*t);
}

bool pk_indicator_is_sha256(const char *s, size_t len)
{
	return len == 64 && pk_hex_is(s, len);
}

static bool are_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") >= n;
}

bool pk_indicator_is_ja4(const char *s, size_t len)
{
	char text[37];

	if (len != 36)
		return false;
	memcpy(text, s, len);
	text[36] = '\0';
	return strchr("tqd", text[0]) && text[10] == '_' && text[23] == '_' &&
	       are_hex(text + 11, 12) && are_hex(text + 24, 12) && strchr("di", text[3]) &&
	       strspn(text + 4, "0123456789") >= 4;
}
