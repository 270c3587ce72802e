/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a pattern by recursive descent into a list of alternatives, each a set of things that must
 * hold together; then judges each of them. Bounded in depth and in alternatives, since AND
 * multiplies them.
 */
#include "block/pattern.h"

#include "base/hex.h"
#include "block/domain.h"
#include "block/pattern_lex.h"

#include <picket/block.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32
#define TERMS_MAX 100000u
#define WORK_MAX  2000000u /* terms touched by AND and what follows an observation */

#define ANY_ADDR (PK_HAS_ADDR | PK_HAS_SRC | PK_HAS_DST | PK_HAS_RESOLVES)
#define CONCERNS (ANY_ADDR | PK_HAS_NAME | PK_HAS_UNSAID)

struct terms {
	struct pk_pattern_term *v;
	size_t n, cap;
};

static void terms_done(struct terms *t)
{
	free(t->v);
}
#define _terms_ __attribute__((cleanup(terms_done)))

void pk_pattern_done(struct pk_pattern *p)
{
	free(p->v);
	pk_buf_done(&p->texts);
	*p = (struct pk_pattern){ 0 };
}

static bool push(struct pk_pattern_parser *s, struct terms *t, const struct pk_pattern_term *term)
{
	if (t->n == TERMS_MAX)
		return pk_pattern_fail(s, "too many alternatives");
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 4;
		struct pk_pattern_term *v = reallocarray(t->v, cap, sizeof(*v));

		if (!v) {
			s->error = -ENOMEM;
			return false;
		}
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n++] = *term;
	return true;
}

static bool to_proto(struct pk_pattern_term *t, const char *v, size_t len)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} protos[] = { { "tcp", 6 },    { "udp", 17 },     { "sctp", 132 }, { "icmp", 1 },
		       { "icmp6", 58 }, { "icmpv6", 58 },  { "gre", 47 },   { "ipv4", 0 },
		       { "ipv6", 0 },   { "udplite", 136 } };

	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (strlen(protos[i].name) == len && strncmp(v, protos[i].name, len) == 0) {
			t->proto = protos[i].proto;
			if (!t->proto)
				t->has &= ~(unsigned)PK_HAS_PROTO;
			return true;
		}
	}
	t->has = PK_HAS_OTHER;
	return true;
}

static bool to_port(struct pk_pattern_parser *s, struct pk_pattern_term *t, const char *v,
		    size_t len)
{
	unsigned port = 0;

	for (size_t i = 0; i < len && port < 65536; i++) {
		if (v[i] < '0' || v[i] > '9')
			return pk_pattern_fail(s, "not a port: expected a number from 1 to 65535");
		port = port * 10 + (unsigned)(v[i] - '0');
	}
	if (!port || port > 65535)
		return pk_pattern_fail(s, "not a port: expected a number from 1 to 65535");
	t->port = (uint16_t)port;
	return true;
}

/* One comparison for equality; the value is in texts. */
static bool to_term(struct pk_pattern_parser *s, unsigned kind, size_t at, size_t len,
		    struct terms *out)
{
	struct pk_pattern_term t = { .has = kind };
	const char *v = s->out->texts.data ? s->out->texts.data + at : "", *why;
	char name[PK_DOMAIN_MAX];

	if (kind & ANY_ADDR) {
		if (pk_span_scan(v, v + len, &t.span, &why) != v + len || !len)
			return pk_pattern_fail(s, "not an address");
		if (t.span.port || t.span.is_range)
			return pk_pattern_fail(s, "not an address: expected one, or a prefix");
	} else if (kind == PK_HAS_NAME) {
		if (pk_domain_normalise(v, len, name, &why) < 0)
			return pk_pattern_fail(s, why);
		t.name = at;
		t.name_len = len;
	} else if (kind == PK_HAS_HASH) {
		t.has_hash = len == 64 && pk_hex_is(v, len);
		t.hash = at;
		if (!t.has_hash)
			t.has = PK_HAS_OTHER;
	} else if (kind & (PK_HAS_SPORT | PK_HAS_DPORT)) {
		if (!to_port(s, &t, v, len))
			return false;
	} else if (kind == PK_HAS_PROTO) {
		(void)to_proto(&t, v, len); /* an unknown one is PK_HAS_OTHER */
	}
	return push(s, out, &t);
}

/* Something that is no equality: it can't be enforced, and concerns us only with an address. */
static bool to_unsaid(struct pk_pattern_parser *s, unsigned kind, struct terms *out)
{
	struct pk_pattern_term t = { .has = PK_HAS_OTHER };

	if (kind & (ANY_ADDR | PK_HAS_NAME))
		t.has |= PK_HAS_UNSAID;
	return push(s, out, &t);
}

static bool take_set(struct pk_pattern_parser *s, unsigned kind, bool is_not, struct terms *out)
{
	size_t at, len;

	if (!pk_pattern_take(s, '('))
		return pk_pattern_fail(s, "expected ( after IN");
	do {
		if (!pk_pattern_constant(s, &at, &len))
			return false;
		if (!is_not && !to_term(s, kind, at, len, out))
			return false;
	} while (pk_pattern_take(s, ','));
	if (is_not && !to_unsaid(s, kind, out))
		return false;
	return pk_pattern_take(s, ')') || pk_pattern_fail(s, "expected , or ) in a set");
}

static bool take_operator(struct pk_pattern_parser *s, bool *ret_is_equal)
{
	static const char *const words[] = { "LIKE", "MATCHES", "ISSUPERSET" };

	*ret_is_equal = false;
	if (pk_pattern_word(s, "ISSUBSET"))
		return *ret_is_equal = true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (pk_pattern_word(s, words[i]))
			return true;
	if (pk_pattern_take(s, '=')) {
		(void)pk_pattern_take(s, '='); /* == is the same */
		return *ret_is_equal = true;
	}
	if (pk_pattern_take(s, '!'))
		return pk_pattern_take(s, '=') || pk_pattern_fail(s, "expected != ");
	if (pk_pattern_take(s, '<')) {
		(void)(pk_pattern_take(s, '=') ||
		       pk_pattern_take(s, '>')); /* <= and <> are no equality either */
		return true;
	}
	if (pk_pattern_take(s, '>')) {
		(void)pk_pattern_take(s, '=');
		return true;
	}
	return pk_pattern_fail(s, "expected =, IN, ISSUBSET or another comparison");
}

static bool take_test(struct pk_pattern_parser *s, struct terms *out)
{
	bool is_not, is_equal;
	size_t at, len;
	unsigned kind;

	if (pk_pattern_word(s, "EXISTS"))
		return pk_pattern_path(s, &kind) && to_unsaid(s, kind, out);
	is_not = pk_pattern_word(s, "NOT");
	if (!pk_pattern_path(s, &kind))
		return false;
	is_not |= pk_pattern_word(s, "NOT");
	if (pk_pattern_word(s, "IN"))
		return take_set(s, kind, is_not, out);
	if (!take_operator(s, &is_equal) || !pk_pattern_constant(s, &at, &len))
		return false;
	return is_equal && !is_not ? to_term(s, kind, at, len, out) : to_unsaid(s, kind, out);
}

/* A short pattern must not keep us busy for long. */
static bool spend(struct pk_pattern_parser *s, size_t n)
{
	s->work += n;
	return s->work <= WORK_MAX || pk_pattern_fail(s, "too many alternatives");
}

/* Both at once. */
static struct pk_pattern_term join(struct pk_pattern_term a, const struct pk_pattern_term *b)
{
	unsigned both = a.has & b->has & ~(unsigned)(PK_HAS_OTHER | PK_HAS_CLASH | PK_HAS_UNSAID);

	if (both || ((a.has & ANY_ADDR) && (b->has & ANY_ADDR)))
		a.has |= PK_HAS_CLASH;
	if (b->has & ANY_ADDR)
		a.span = b->span;
	if (b->has & PK_HAS_NAME) {
		a.name = b->name;
		a.name_len = b->name_len;
	}
	if (b->port)
		a.port = b->port;
	if (b->proto)
		a.proto = b->proto;
	a.has |= b->has;
	return a;
}

static bool multiply(struct pk_pattern_parser *s, struct terms *a, const struct terms *b)
{
	_terms_ struct terms all = { 0 };
	struct terms was = *a;

	if (b->n > 1 && a->n > TERMS_MAX / b->n)
		return pk_pattern_fail(s, "too many alternatives");
	if (!spend(s, a->n * b->n))
		return false;
	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < b->n; k++) {
			struct pk_pattern_term t = join(a->v[i], &b->v[k]);

			if (!push(s, &all, &t))
				return false;
		}
	}
	*a = all;
	all = was;
	return true;
}

static bool append(struct pk_pattern_parser *s, struct terms *a, const struct terms *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (!push(s, a, &b->v[i]))
			return false;
	return true;
}

static bool take_or(struct pk_pattern_parser *s, struct terms *out);

static bool take_factor(struct pk_pattern_parser *s, struct terms *out)
{
	bool ok;

	if (!pk_pattern_take(s, '('))
		return take_test(s, out);
	if (++s->depth > DEPTH_MAX)
		return pk_pattern_fail(s, "nested too deeply");
	ok = take_or(s, out) && (pk_pattern_take(s, ')') || pk_pattern_fail(s, "expected )"));
	s->depth--;
	return ok;
}

static bool take_and(struct pk_pattern_parser *s, struct terms *out)
{
	if (!take_factor(s, out))
		return false;
	while (pk_pattern_word(s, "AND")) {
		_terms_ struct terms more = { 0 };

		if (!take_factor(s, &more) || !multiply(s, out, &more))
			return false;
	}
	return true;
}

static bool take_or(struct pk_pattern_parser *s, struct terms *out)
{
	if (!take_and(s, out))
		return false;
	while (pk_pattern_word(s, "OR")) {
		_terms_ struct terms more = { 0 };

		if (!take_and(s, &more) || !append(s, out, &more))
			return false;
	}
	return true;
}

static void mark(struct terms *t, unsigned has)
{
	for (size_t i = 0; i < t->n; i++)
		t->v[i].has |= has;
}

static bool concerns(const struct terms *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].has & CONCERNS)
			return true;
	return false;
}

/* WITHIN 5 SECONDS, REPEATS 3 TIMES, START t'..' STOP t'..': a list can't count or wait. */
static bool take_qualifiers(struct pk_pattern_parser *s, struct terms *out)
{
	size_t at, len;

	for (;;) {
		if (pk_pattern_word(s, "WITHIN")) {
			if (!pk_pattern_constant(s, &at, &len) || !pk_pattern_word(s, "SECONDS"))
				return pk_pattern_fail(s, "expected WITHIN n SECONDS");
		} else if (pk_pattern_word(s, "REPEATS")) {
			if (!pk_pattern_constant(s, &at, &len) || !pk_pattern_word(s, "TIMES"))
				return pk_pattern_fail(s, "expected REPEATS n TIMES");
		} else if (pk_pattern_word(s, "START")) {
			if (!pk_pattern_constant(s, &at, &len) || !pk_pattern_word(s, "STOP") ||
			    !pk_pattern_constant(s, &at, &len))
				return pk_pattern_fail(s, "expected START t'...' STOP t'...'");
		} else {
			return true;
		}
		if (!spend(s, out->n))
			return false;
		mark(out, PK_HAS_OTHER);
	}
}

static bool take_pattern(struct pk_pattern_parser *s, struct terms *out);

static bool take_observation(struct pk_pattern_parser *s, struct terms *out)
{
	if (pk_pattern_take(s, '[')) {
		if (!take_or(s, out) ||
		    !(pk_pattern_take(s, ']') || pk_pattern_fail(s, "expected ], AND or OR")))
			return false;
		return take_qualifiers(s, out);
	}
	if (!pk_pattern_take(s, '('))
		return pk_pattern_fail(s, "expected [ at the begin of an observation");
	if (++s->depth > DEPTH_MAX)
		return pk_pattern_fail(s, "nested too deeply");
	if (!take_pattern(s, out) || !(pk_pattern_take(s, ')') || pk_pattern_fail(s, "expected )")))
		return false;
	s->depth--;
	return take_qualifiers(s, out);
}

static bool take_pattern(struct pk_pattern_parser *s, struct terms *out)
{
	if (!take_observation(s, out))
		return false;
	for (;;) {
		_terms_ struct terms more = { 0 };
		bool is_or = pk_pattern_word(s, "OR");

		if (!is_or && !pk_pattern_word(s, "AND") && !pk_pattern_word(s, "FOLLOWEDBY"))
			return true;
		if (!take_observation(s, &more))
			return false;
		if (!is_or && !spend(s, out->n + more.n))
			return false;
		/* Two observations that must both be made: no packet alone tells. */
		if (!is_or && (concerns(out) || concerns(&more))) {
			mark(out, PK_HAS_CLASH | PK_HAS_UNSAID);
			mark(&more, PK_HAS_CLASH | PK_HAS_UNSAID);
		}
		if (!append(s, out, &more))
			return false;
	}
}

/* NULL: it can be done. */
static const char *judge(struct pk_pattern_term *t)
{
	unsigned limits = t->has & (PK_HAS_SPORT | PK_HAS_DPORT | PK_HAS_PROTO);

	if (t->has & PK_HAS_CLASH)
		return "several things must hold together that no single packet tells";
	if (t->has & PK_HAS_UNSAID)
		return "a comparison that a list can't make: only =, IN and ISSUBSET are possible";
	if (t->has & (PK_HAS_OTHER | PK_HAS_HASH))
		return "an address or name only together with something that packets don't tell";
	if ((t->has & PK_HAS_NAME) && (limits || (t->has & (ANY_ADDR & ~PK_HAS_RESOLVES))))
		return "a name together with an address, port or protocol";
	if ((t->has & PK_HAS_RESOLVES) && !(t->has & PK_HAS_NAME))
		return "what an unnamed name resolves to";
	if ((t->has & PK_HAS_SPORT) && (t->has & (PK_HAS_DPORT | PK_HAS_DST)))
		return "the port at our end of a conversation to an address";
	t->has_addr = t->has & ANY_ADDR;
	/* A port of the address itself is where our packets go; the other one is ours. */
	if (limits & (PK_HAS_SPORT | PK_HAS_DPORT))
		t->dir = (t->has & PK_HAS_SRC) && (limits & PK_HAS_DPORT) ? PK_BLK_IN : PK_BLK_OUT;
	return NULL;
}

static bool judge_all(struct pk_pattern_parser *s, struct terms *all)
{
	struct pk_pattern *out = s->out;
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		const char *why;

		if (all->v[i].has == PK_HAS_HASH) {
			all->v[n++] = all->v[i];
			continue;
		}
		if (!(all->v[i].has & CONCERNS)) {
			out->ignored++;
			continue;
		}
		why = judge(&all->v[i]);
		if (why)
			return pk_pattern_fail(s, why);
		all->v[n++] = all->v[i];
	}
	out->v = all->v;
	out->n = n;
	out->cap = all->cap;
	*all = (struct terms){ 0 };
	return true;
}

int pk_pattern_parse(const char *text, size_t len, struct pk_pattern *ret, const char **ret_reason,
		     size_t *ret_column)
{
	struct pk_pattern_parser s = { .start = text, .p = text, .end = text + len, .out = ret };
	_terms_ struct terms all = { 0 };
	bool ok = take_pattern(&s, &all);

	pk_pattern_skip(&s);
	if (ok && s.p < s.end)
		ok = pk_pattern_fail(&s, "expected the end, OR, AND or FOLLOWEDBY");
	if (ok)
		ok = judge_all(&s, &all);
	if (ok)
		return 0;
	*ret_reason = s.reason ? s.reason : "out of memory";
	*ret_column = (size_t)(s.p - s.start) + 1;
	return s.error;
}
