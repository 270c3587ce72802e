/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64, UTF-16, windash, expand. The rules of base64offset and of which dashes count are those of
 * pySigma, which rule authors test with.
 */
#include "sigma/encode.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <openssl/evp.h>
#include <string.h>

static int to_utf16(struct pk_arena *a, enum pk_sigma_encoding e, const struct pk_sigma_pattern *p,
		    struct pk_sigma_pattern *ret)
{
	iconv_t cd = iconv_open(e == PK_SIGMA_UTF16BE ? "UTF-16BE" : "UTF-16LE", "UTF-8");
	size_t left = p->n, room = 4 * p->n + 2, mark = e == PK_SIGMA_UTF16 ? 2 : 0;
	char *out = pk_arena_alloc(a, room), *to = out + mark, *from = (char *)p->byte;
	size_t r;
	bool opened = (intptr_t)cd != -1; /* glibc has both: only memory can be missing */

	if (!opened || !out) {
		if (opened)
			iconv_close(cd);
		return -ENOMEM;
	}
	memcpy(out, "\xff\xfe", mark);
	room -= mark;
	r = iconv(cd, &from, &left, &to, &room);
	iconv_close(cd);
	if (r == (size_t)-1)
		return -EBADMSG;
	return pk_sigma_pattern_bytes(a, out, to - out, ret);
}

/* Encodes p behind pad blanks, and leaves out what depends on its neighbours. */
static int to_base64(struct pk_arena *a, const struct pk_sigma_pattern *p, size_t pad, bool offset,
		     struct pk_sigma_pattern *ret)
{
	static const size_t skip[] = { 0, 2, 3 }, drop[] = { 0, 3, 2 };
	size_t len = p->n + pad, from = offset ? skip[pad] : 0, less = offset ? drop[len % 3] : 0;
	uint8_t *in = pk_arena_alloc(a, len), *out = pk_arena_alloc(a, len / 3 * 4 + 8);
	size_t n;

	if (!in || !out)
		return -ENOMEM;
	memset(in, ' ', pad);
	if (p->n)
		memcpy(in + pad, p->byte, p->n);
	n = EVP_EncodeBlock(out, in, (int)len);
	if (n < from + less)
		return pk_sigma_pattern_bytes(a, "", 0, ret);
	return pk_sigma_pattern_bytes(a, out + from, n - from - less, ret);
}

#define DASHES 5

static const char *const dashes[DASHES] = { "-", "/", "\u2013", "\u2014", "\u2015" };

static bool is_word(const struct pk_sigma_pattern *p, size_t at)
{
	return at < p->n && p->kind[at] == PK_SIGMA_BYTE &&
	       (isalnum(p->byte[at]) || p->byte[at] == '_');
}

/* Bytes of the dash at this place that introduces a word; 0: none. */
static size_t dash_at(const struct pk_sigma_pattern *p, size_t at)
{
	for (size_t i = 0; i < DASHES; i++) {
		size_t len = strlen(dashes[i]);

		if (at + len > p->n || memcmp(p->byte + at, dashes[i], len) != 0 ||
		    p->kind[at] != PK_SIGMA_BYTE)
			continue;
		return is_word(p, at + len) && !(at && is_word(p, at - 1)) ? len : 0;
	}
	return 0;
}

/* The combination number which, a digit of base 5 for each dash. */
static int with_dashes(struct pk_arena *a, const struct pk_sigma_pattern *p, size_t which,
		       struct pk_sigma_pattern *ret)
{
	struct pk_sigma_pattern q = { .byte = pk_arena_alloc(a, 3 * p->n),
				      .kind = pk_arena_alloc(a, 3 * p->n) };

	if (!q.byte || !q.kind)
		return -ENOMEM;
	for (size_t i = 0; i < p->n;) {
		size_t len = dash_at(p, i);
		const char *dash = dashes[which % DASHES];

		if (!len) {
			q.byte[q.n] = p->byte[i];
			q.kind[q.n++] = p->kind[i++];
			continue;
		}
		memcpy(q.byte + q.n, dash, strlen(dash));
		q.n += strlen(dash);
		i += len;
		which /= DASHES;
	}
	*ret = q;
	return 0;
}

static size_t combinations(const struct pk_sigma_pattern *p)
{
	size_t n = 1;

	for (size_t i = 0; i < p->n && n <= PK_SIGMA_ALTS_MAX; i++)
		if (dash_at(p, i))
			n *= DASHES;
	return n;
}

static size_t become(enum pk_sigma_encoding e, const struct pk_sigma_pattern *p)
{
	if (e == PK_SIGMA_WINDASH)
		return combinations(p);
	return e == PK_SIGMA_BASE64OFFSET ? 3 : 1;
}

static int encode_one(struct pk_arena *a, enum pk_sigma_encoding e,
		      const struct pk_sigma_pattern *p, size_t i, struct pk_sigma_pattern *ret)
{
	if (e == PK_SIGMA_WINDASH)
		return with_dashes(a, p, i, ret);
	if (!pk_sigma_pattern_is_plain(p))
		return -EBADMSG;
	if (e == PK_SIGMA_BASE64 || e == PK_SIGMA_BASE64OFFSET)
		return to_base64(a, p, i, e == PK_SIGMA_BASE64OFFSET, ret);
	return to_utf16(a, e, p, ret);
}

int pk_sigma_encode(struct pk_arena *a, enum pk_sigma_encoding e, size_t room,
		    struct pk_sigma_want *w)
{
	struct pk_sigma_pattern *alt;
	size_t n = 0, at = 0;

	for (size_t i = 0; i < w->n; i++)
		n += become(e, &w->alt[i]);
	if (n > w->n + room)
		return -E2BIG;
	alt = pk_arena_alloc(a, n * sizeof(*alt));
	if (!alt)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++)
		for (size_t j = 0, m = become(e, &w->alt[i]); j < m; j++) {
			int r = encode_one(a, e, &w->alt[i], j, &alt[at++]);

			if (r < 0)
				return r;
		}
	w->alt = alt;
	w->n = n;
	return 0;
}

/* s and behind it len bytes of t. */
static const char *join(struct pk_arena *a, const char *s, const char *t, size_t len)
{
	size_t before = strlen(s);
	char *j = pk_arena_alloc(a, before + len + 1);

	if (!j)
		return NULL;
	(void)mempcpy(mempcpy(j, s, before), t, len); /* its NUL is there */
	return j;
}

/* Each text of l with each of the n pieces behind it. */
static int cross(struct pk_arena *a, struct pk_sigma_list *l, const char *const *piece, size_t n,
		 size_t len, size_t room)
{
	struct pk_sigma_list next = { 0 };

	if (l->n * n > room)
		return -E2BIG;
	next.v = pk_arena_alloc(a, l->n * n * sizeof(*next.v));
	if (!next.v)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = 0; j < n; j++) {
			size_t bytes = len ? len : strlen(piece[j]);

			next.v[next.n] = join(a, l->v[i], piece[j], bytes);
			if (!next.v[next.n++])
				return -ENOMEM;
		}
	*l = next;
	return 0;
}

static const struct pk_sigma_place *place_find(const struct pk_sigma_rules *places,
					       const char *name, size_t len)
{
	for (size_t i = 0; i < places->n_places; i++)
		if (strlen(places->place[i].name) == len &&
		    memcmp(places->place[i].name, name, len) == 0)
			return &places->place[i];
	return NULL;
}

/* Bytes of "%NAME%" at s; 0: it is none. */
static size_t place_len(const char *s)
{
	const char *end = *s == '%' ? strchr(s + 1, '%') : NULL;

	return end && end > s + 1 ? (size_t)(end - s) + 1 : 0;
}

/* Takes the next piece of the value: a placeholder, an escaped percent sign, or plain text. */
static int expand_step(struct pk_arena *a, const struct pk_sigma_rules *places, size_t room,
		       const char **s, struct pk_sigma_list *l, const char **ret_missing)
{
	const char *at = *s;
	size_t len = place_len(at);
	const struct pk_sigma_place *p = len ? place_find(places, at + 1, len - 2) : NULL;

	*s += len;
	if (p && p->values.n)
		return cross(a, l, p->values.v, p->values.n, 0, room);
	if (len) {
		*ret_missing = pk_arena_copy(a, at + 1, len - 2);
		return *ret_missing ? -ENOENT : -ENOMEM;
	}
	if (at[0] == '\\' && at[1] == '%') {
		*s += 2;
		return cross(a, l, (const char *const[]){ "%" }, 1, 1, room);
	}
	do {
		len++;
	} while (at[len] && at[len] != '%' && !(at[len] == '\\' && at[len + 1] == '%'));
	*s += len;
	return cross(a, l, &at, 1, len, room);
}

int pk_sigma_expand(struct pk_arena *a, const struct pk_sigma_rules *places, const char *s,
		    size_t room, struct pk_sigma_want *w, const char **ret_missing)
{
	static const char *empty[] = { "" };
	struct pk_sigma_list l = { .v = empty, .n = 1 };
	int r = 0;

	while (*s && r == 0)
		r = expand_step(a, places, room, &s, &l, ret_missing);
	if (r < 0)
		return r;
	w->text = l.v;
	w->n = l.n;
	return 0;
}
