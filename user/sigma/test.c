/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of tests, and the answer to each that the scan for literals does not give. */
#include "sigma/test.h"

#include "base/ip.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define TESTS_MAX      500000u
#define RE_MATCH_LIMIT 20000 /* steps: some ten microseconds of a hostile expression */
#define RE_DEPTH_LIMIT 500
#define RE_HEAP_KIB    256

void pk_sigma_tests_done(struct pk_sigma_tests *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		pcre2_code_free(t->v[i].re);
	free(t->v);
	free(t->bucket);
	*t = (struct pk_sigma_tests){ 0 };
}

static bool is_same(const struct pk_sigma_test *a, const struct pk_sigma_test *b)
{
	return memcmp(a, b, offsetof(struct pk_sigma_test, text)) == 0 &&
	       strcmp(a->text, b->text) == 0;
}

static uint64_t hash(const struct pk_sigma_test *t)
{
	uint64_t head;

	_Static_assert(offsetof(struct pk_sigma_test, text) == sizeof(head), "no padding");
	memcpy(&head, t, sizeof(head));
	return XXH3_64bits_withSeed(t->text, strlen(t->text), head);
}

static uint32_t *bucket_of(struct pk_sigma_tests *pool, const struct pk_sigma_test *t)
{
	uint32_t i = hash(t) & pool->mask;

	while (pool->bucket[i] && !is_same(&pool->v[pool->bucket[i] - 1], t))
		i = (i + 1) & pool->mask;
	return &pool->bucket[i];
}

static int grow(struct pk_sigma_tests *pool)
{
	uint32_t cap = pool->cap ? pool->cap * 2 : 256;
	struct pk_sigma_test *v = reallocarray(pool->v, cap, sizeof(*v));
	uint32_t *bucket;

	if (!v)
		return -ENOMEM;
	pool->v = v;
	bucket = calloc(2 * (size_t)cap, sizeof(*bucket));
	if (!bucket)
		return -ENOMEM;
	free(pool->bucket);
	pool->bucket = bucket;
	pool->mask = 2 * cap - 1;
	pool->cap = cap;
	for (uint32_t i = 0; i < pool->n; i++)
		*bucket_of(pool, &pool->v[i]) = i + 1;
	return 0;
}

int64_t pk_sigma_tests_add(struct pk_sigma_tests *pool, struct pk_sigma_test *t)
{
	int r = pool->n == pool->cap ? grow(pool) : 0;
	uint32_t *bucket;

	if (r == 0 && pool->n >= TESTS_MAX)
		r = -E2BIG;
	bucket = r == 0 ? bucket_of(pool, t) : NULL;
	if (!bucket || *bucket) {
		pcre2_code_free(t->re);
		t->re = NULL;
		return bucket ? (int64_t)*bucket - 1 : r;
	}
	pool->v[pool->n] = *t;
	*bucket = ++pool->n;
	t->re = NULL;
	return pool->n - 1;
}

/* A pattern as text, with what is no wildcard escaped. */
static const char *show(struct pk_arena *a, const struct pk_sigma_pattern *p)
{
	char *s = pk_arena_alloc(a, 2 * p->n + 1), *to = s;

	for (size_t i = 0; s && i < p->n; i++) {
		if (p->kind[i] == PK_SIGMA_BYTE && p->byte[i] && strchr("*?\\", p->byte[i]))
			*to++ = '\\';
		*to++ = p->kind[i] == PK_SIGMA_STAR       ? '*'
			: p->kind[i] == PK_SIGMA_QUESTION ? '?'
							  : (char)p->byte[i];
	}
	return s;
}

/* The pattern without `*` at its ends; what was there is in *ret_at. */
static struct pk_sigma_pattern strip(const struct pk_sigma_pattern *p, uint8_t *ret_at)
{
	struct pk_sigma_pattern s = *p;

	*ret_at = PK_SIGMA_AT_START | PK_SIGMA_AT_END;
	while (s.n && s.kind[0] == PK_SIGMA_STAR) {
		s = (struct pk_sigma_pattern){ s.byte + 1, s.kind + 1, s.n - 1 };
		*ret_at &= ~PK_SIGMA_AT_START;
	}
	while (s.n && s.kind[s.n - 1] == PK_SIGMA_STAR) {
		s.n--;
		*ret_at &= ~PK_SIGMA_AT_END;
	}
	return s;
}

int64_t pk_sigma_tests_gate(struct pk_sigma_tests *pool, struct pk_arena *a,
			    enum pk_sigma_source source, enum pk_sigma_field field, const char *s,
			    size_t len, bool cased)
{
	struct pk_sigma_pattern p, w;
	int r = pk_sigma_pattern_bytes(a, s, len, &p);

	if (r == 0)
		r = pk_sigma_pattern_wrap(a, &p, true, true, &w);
	if (r < 0)
		return r;
	if (!cased)
		pk_sigma_pattern_lower(&w);
	return pk_sigma_tests_pattern(pool, a, source, field, &w, cased);
}

int64_t pk_sigma_tests_pattern(struct pk_sigma_tests *pool, struct pk_arena *a,
			       enum pk_sigma_source source, enum pk_sigma_field field,
			       const struct pk_sigma_pattern *p, bool cased)
{
	struct pk_sigma_test t = {
		.source = source, .field = field, .gate = PK_SIGMA_NO_TEST, .text = show(a, p)
	};
	struct pk_sigma_pattern core = strip(p, &t.at);

	if (!t.text)
		return -ENOMEM;
	if (!core.n) {
		t.kind = t.at == (PK_SIGMA_AT_START | PK_SIGMA_AT_END) ? PK_SIGMA_T_EMPTY
								       : PK_SIGMA_T_PRESENT;
		t.at = 0;
	} else if (pk_sigma_pattern_is_plain(&core)) {
		t.kind = PK_SIGMA_T_LITERAL;
		t.cased = cased;
		t.literal = (const char *)core.byte;
		t.len = core.n;
	} else {
		struct pk_sigma_run run = pk_sigma_pattern_run(p);
		int64_t gate = run.len ? pk_sigma_tests_gate(pool, a, source, field,
							     (const char *)p->byte + run.at,
							     run.len, false)
				       : PK_SIGMA_NO_TEST;

		if (gate < 0)
			return gate;
		t.kind = PK_SIGMA_T_GLOB;
		t.at = 0;
		t.cased = cased;
		t.pattern = *p;
		t.gate = gate;
	}
	return pk_sigma_tests_add(pool, &t);
}

int pk_sigma_work_init(struct pk_sigma_work *w)
{
	*w = (struct pk_sigma_work){ .data = pcre2_match_data_create(1, NULL),
				     .context = pcre2_match_context_create(NULL) };
	if (!w->data || !w->context) {
		pk_sigma_work_done(w);
		return -ENOMEM;
	}
	pcre2_set_match_limit(w->context, RE_MATCH_LIMIT);
	pcre2_set_depth_limit(w->context, RE_DEPTH_LIMIT);
	pcre2_set_heap_limit(w->context, RE_HEAP_KIB);
	return 0;
}

void pk_sigma_work_done(struct pk_sigma_work *w)
{
	pcre2_match_data_free(w->data);
	pcre2_match_context_free(w->context);
	*w = (struct pk_sigma_work){ 0 };
}

static bool re_holds(const struct pk_sigma_test *t, struct pk_sigma_text v, struct pk_sigma_work *w)
{
	int r = pcre2_match(t->re, (PCRE2_SPTR)v.s, v.len, 0, 0, w->data, w->context);

	if (r < 0 && r != PCRE2_ERROR_NOMATCH)
		w->re_gave_up++;
	return r >= 0;
}

static bool copy(char *to, size_t cap, struct pk_sigma_text v)
{
	if (v.len >= cap)
		return false;
	memcpy(to, v.s, v.len);
	to[v.len] = '\0';
	return true;
}

static bool cidr_holds(const struct pk_sigma_test *t, struct pk_sigma_text v)
{
	char text[PK_IP_TEXT];
	uint8_t addr[16];

	return copy(text, sizeof(text), v) && pk_ip_parse(text, addr) == 0 &&
	       pk_ip_in(addr, t->addr, t->bits);
}

static bool number_holds(const struct pk_sigma_test *t, struct pk_sigma_text v)
{
	char text[64], *end;
	double x;

	if (!v.len || !copy(text, sizeof(text), v))
		return false;
	x = strtod(text, &end);
	if (*end || !isfinite(x))
		return false;
	switch (t->how) {
	case PK_SIGMA_LT:
		return x < t->number;
	case PK_SIGMA_LTE:
		return x <= t->number;
	case PK_SIGMA_GT:
		return x > t->number;
	default:
		return x >= t->number;
	}
}

static bool same_bytes(const char *a, const char *b, size_t n, bool cased)
{
	if (cased)
		return memcmp(a, b, n) == 0;
	for (size_t i = 0; i < n; i++)
		if (pk_sigma_lower(a[i]) != pk_sigma_lower(b[i]))
			return false;
	return true;
}

/* Is b in a where the test wants it? */
static bool text_holds(const struct pk_sigma_test *t, struct pk_sigma_text a,
		       struct pk_sigma_text b)
{
	size_t last = a.len - b.len, i = t->at & PK_SIGMA_AT_END ? last : 0;
	char first, other; /* of b, in either case */

	if (b.len > a.len || (t->at == (PK_SIGMA_AT_START | PK_SIGMA_AT_END) && last))
		return false;
	if (!b.len)
		return true;
	first = t->cased ? b.s[0] : (char)pk_sigma_lower(b.s[0]);
	other = !t->cased && first >= 'a' && first <= 'z' ? (char)(first - 'a' + 'A') : first;
	for (last = t->at & PK_SIGMA_AT_START ? 0 : last; i <= last; i++)
		if ((a.s[i] == first || a.s[i] == other) &&
		    same_bytes(a.s + i, b.s, b.len, t->cased))
			return true;
	return false;
}

/* The next of several values; false: no more. Start with *at 0. */
static bool next_value(struct pk_sigma_text all, size_t *at, struct pk_sigma_text *ret)
{
	const char *end;

	if (*at > all.len)
		return false;
	*ret = (struct pk_sigma_text){ all.s + *at, all.len - *at };
	end = ret->len ? memchr(ret->s, '\0', ret->len) : NULL;
	if (end)
		ret->len = end - ret->s;
	*at += ret->len + 1;
	return true;
}

static bool field_holds(const struct pk_sigma_test *t, struct pk_sigma_text v,
			const struct pk_sigma_event *ev)
{
	struct pk_sigma_text other = ev->field[t->other], o;
	size_t at = 0;

	while (other.s && next_value(other, &at, &o))
		if (text_holds(t, v, o))
			return true;
	return false;
}

static bool value_holds(const struct pk_sigma_test *t, struct pk_sigma_text v,
			const struct pk_sigma_event *ev, struct pk_sigma_work *w)
{
	switch ((enum pk_sigma_test_kind)t->kind) {
	case PK_SIGMA_T_LITERAL:
		return text_holds(t, v, (struct pk_sigma_text){ t->literal, t->len });
	case PK_SIGMA_T_GLOB:
		return pk_sigma_pattern_fits(&t->pattern, t->cased, v.s, v.len);
	case PK_SIGMA_T_RE:
		return re_holds(t, v, w);
	case PK_SIGMA_T_CIDR:
		return cidr_holds(t, v);
	case PK_SIGMA_T_NUMBER:
		return number_holds(t, v);
	case PK_SIGMA_T_FIELD:
		return field_holds(t, v, ev);
	case PK_SIGMA_T_EMPTY:
		return !v.len;
	default:
		return false;
	}
}

bool pk_sigma_test_holds(const struct pk_sigma_test *t, const struct pk_sigma_event *ev,
			 struct pk_sigma_work *w)
{
	struct pk_sigma_text all = ev->field[t->field], v;
	size_t at = 0;

	if (t->kind == PK_SIGMA_T_ABSENT || t->kind == PK_SIGMA_T_PRESENT)
		return (t->kind == PK_SIGMA_T_PRESENT) == !!all.s;
	while (all.s && next_value(all, &at, &v))
		if (value_holds(t, v, ev, w))
			return true;
	return false;
}
