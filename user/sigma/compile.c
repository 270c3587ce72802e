/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule to its program: conditions and identifiers to and, or, not; items to tests. Complains of
 * all that can't be supplied, so that no rule is silently one that never matches.
 */
#include "sigma/program.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "sigma/condition.h"
#include "sigma/field.h"
#include "sigma/regex.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define OPS_MAX 200000u /* of one rule */

struct compile {
	struct pk_arena *arena;
	struct pk_sigma_rule *rule;
	const struct pk_sigma_rules *places;
	struct pk_sigma_tests *tests;
	struct pk_sigma_program *program;
};

void pk_sigma_program_done(struct pk_sigma_program *p)
{
	free(p->op);
	*p = (struct pk_sigma_program){ 0 };
}

static int complain(struct compile *c, struct pk_sigma_mark at, bool unsupported, const char *what,
		    const char *field, const char *more)
{
	return pk_sigma_complain(c->arena, c->rule, at, unsupported, "%s: %s%s", field, what, more);
}

/* Adds an op; its end is set by close_op(). */
static int add_op(struct compile *c, enum pk_sigma_op_kind kind, uint32_t arg, uint32_t *ret_at)
{
	struct pk_sigma_program *p = c->program;

	if (p->n - c->rule->op >= OPS_MAX)
		return complain(c, c->rule->at, false, "too large", "the rule", "");
	if (p->n == p->cap) {
		uint32_t cap = p->cap ? p->cap * 2 : 1024;
		struct pk_sigma_op *op = reallocarray(p->op, cap, sizeof(*op));

		if (!op)
			return -ENOMEM;
		p->op = op;
		p->cap = cap;
	}
	p->op[p->n] = (struct pk_sigma_op){ .kind = kind, .arg = arg, .end = p->n + 1 };
	if (ret_at)
		*ret_at = p->n;
	p->n++;
	return 0;
}

static void close_op(struct compile *c, uint32_t at)
{
	c->program->op[at].end = c->program->n;
}

static int add_test(struct compile *c, struct pk_sigma_mark at, int64_t test)
{
	if (test == -E2BIG)
		return complain(c, at, false, "too many tests in all rules", "the rule", "");
	return test < 0 ? (int)test : add_op(c, PK_SIGMA_OP_TEST, test, NULL);
}

static struct pk_sigma_test test_of(const struct compile *c, enum pk_sigma_test_kind kind,
				    unsigned field, const char *text)
{
	return (struct pk_sigma_test){ .kind = kind,
				       .source = c->rule->source,
				       .field = field,
				       .text = text,
				       .gate = PK_SIGMA_NO_TEST };
}

/* Literals without which an expression can't match: the scan finds them, and leads to the rule. */
static int emit_literals(struct compile *c, const struct pk_sigma_re_alts *alts, unsigned field,
			 struct pk_sigma_mark mark)
{
	uint32_t at = 0;
	int r = alts->n > 1 ? add_op(c, PK_SIGMA_OP_ANY, 0, &at) : 0;

	for (size_t i = 0; i < alts->n && r == 0; i++)
		r = add_test(c, mark,
			     pk_sigma_tests_gate(c->tests, c->arena, c->rule->source, field,
						 alts->v[i].s, alts->v[i].len, alts->cased));
	if (r == 0 && alts->n > 1)
		close_op(c, at);
	return r;
}

static int emit_re(struct compile *c, const struct pk_sigma_wants *wants,
		   const struct pk_sigma_want *w, unsigned field)
{
	struct pk_sigma_test t = test_of(c, PK_SIGMA_T_RE, field, w->text[0]);
	struct pk_sigma_re_alts alts;
	char error[128];
	uint32_t gate = 0;
	size_t at;
	int r = pk_sigma_re_compile(w->text[0], wants->re_flags, &t.re, error, sizeof(error), &at);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return pk_sigma_complain(c->arena, c->rule, w->from->at, false,
					 "a wrong regular expression: %s, at its byte %zu", error,
					 at);
	t.re_flags = wants->re_flags;
	pk_sigma_re_literals(t.text, wants->re_flags, &alts);
	if (alts.n) {
		r = add_op(c, PK_SIGMA_OP_GATE, 0, &gate);
		if (r == 0)
			r = emit_literals(c, &alts, field, w->from->at);
	}
	if (r < 0) {
		pcre2_code_free(t.re);
		return r;
	}
	r = add_test(c, w->from->at, pk_sigma_tests_add(c->tests, &t));
	if (r == 0 && alts.n)
		close_op(c, gate);
	return r;
}

static int emit_cidr(struct compile *c, const struct pk_sigma_want *w, size_t alt, unsigned field)
{
	struct pk_sigma_test t = test_of(c, PK_SIGMA_T_CIDR, field, w->text[alt]);
	unsigned bits;

	if (pk_ip_parse_cidr(t.text, t.addr, &bits) < 0)
		return complain(c, w->from->at, false, "not a network: ", "cidr", t.text);
	t.bits = bits;
	return add_test(c, w->from->at, pk_sigma_tests_add(c->tests, &t));
}

static int emit_number(struct compile *c, const struct pk_sigma_wants *wants,
		       const struct pk_sigma_want *w, size_t alt, unsigned field)
{
	struct pk_sigma_test t = test_of(c, PK_SIGMA_T_NUMBER, field, w->text[alt]);
	char *end;

	t.number = strtod(t.text, &end);
	if (!*t.text || *end || !isfinite(t.number))
		return complain(c, w->from->at, false, "not a number: ", "gt, gte, lt, lte",
				t.text);
	t.how = wants->how;
	return add_test(c, w->from->at, pk_sigma_tests_add(c->tests, &t));
}

static int emit_exists(struct compile *c, const struct pk_sigma_item *item,
		       const struct pk_sigma_want *w, unsigned field)
{
	struct pk_sigma_test t = test_of(c, PK_SIGMA_T_PRESENT, field, "");

	if (item->n_values != 1 ||
	    (strcmp(w->text[0], "true") != 0 && strcmp(w->text[0], "false") != 0))
		return complain(c, w->from->at, false, "expected true or false", "exists", "");
	if (!strcmp(w->text[0], "false"))
		t.kind = PK_SIGMA_T_ABSENT;
	return add_test(c, w->from->at, pk_sigma_tests_add(c->tests, &t));
}

static int unknown_field(struct compile *c, struct pk_sigma_mark at, const char *name)
{
	struct pk_buf known = { 0 };
	const char *s;
	int r;

	for (size_t i = 0; (s = pk_sigma_field_at(c->rule->row, i)); i++)
		pk_buf_fmt(&known, "%s%s", i ? ", " : "", s);
	r = known.error
		    ? -ENOMEM
		    : pk_sigma_complain(c->arena, c->rule, at, true,
					"field %s: Picket has none for this log source (it has: "
					"%s)",
					name, known.data ? known.data : "none");
	pk_buf_done(&known);
	return r;
}

static int emit_fieldref(struct compile *c, const struct pk_sigma_wants *wants,
			 const struct pk_sigma_want *w, unsigned field)
{
	struct pk_sigma_test t = test_of(c, PK_SIGMA_T_FIELD, field, w->text[0]);
	int other = pk_sigma_field_find(c->rule->row, t.text);

	if (other < 0)
		return unknown_field(c, w->from->at, t.text);
	t.other = other;
	t.cased = wants->cased;
	t.at = (wants->before ? 0 : PK_SIGMA_AT_START) | (wants->behind ? 0 : PK_SIGMA_AT_END);
	c->rule->fields_used |= 1ull << other;
	return add_test(c, w->from->at, pk_sigma_tests_add(c->tests, &t));
}

/* One alternative of one value, of one field. */
static int emit_alt(struct compile *c, const struct pk_sigma_item *item,
		    const struct pk_sigma_wants *wants, const struct pk_sigma_want *w, size_t alt,
		    unsigned field)
{
	switch (wants->how) {
	case PK_SIGMA_EQUAL:
		return add_test(c, w->from->at,
				pk_sigma_tests_pattern(c->tests, c->arena, c->rule->source, field,
						       &w->alt[alt], wants->cased));
	case PK_SIGMA_RE:
		return emit_re(c, wants, w, field);
	case PK_SIGMA_CIDR:
		return emit_cidr(c, w, alt, field);
	case PK_SIGMA_EXISTS:
		return emit_exists(c, item, w, field);
	case PK_SIGMA_FIELDREF:
		return emit_fieldref(c, wants, w, field);
	default:
		return emit_number(c, wants, w, alt, field);
	}
}

static int emit_null(struct compile *c, const struct pk_sigma_want *w, unsigned field)
{
	struct pk_sigma_test t = test_of(c, PK_SIGMA_T_ABSENT, field, "");

	return add_test(c, w->from->at, pk_sigma_tests_add(c->tests, &t));
}

/* One value: any of its alternatives, in any of the fields. */
static int emit_want(struct compile *c, const struct pk_sigma_item *item,
		     const struct pk_sigma_wants *wants, const struct pk_sigma_want *w,
		     uint64_t fields)
{
	bool group = w->n * __builtin_popcountll(fields) > 1;
	uint32_t at = 0;
	int r = group ? add_op(c, PK_SIGMA_OP_ANY, 0, &at) : 0;

	for (unsigned f = 0; f < PK_SIGMA_FIELDS && r == 0; f++) {
		if (!(fields >> f & 1))
			continue;
		if (!w->n)
			r = emit_null(c, w, f);
		for (size_t i = 0; i < w->n && r == 0; i++)
			r = emit_alt(c, item, wants, w, i, f);
	}
	if (r == 0 && group)
		close_op(c, at);
	return r;
}

/* Could the field ever have this value? */
static bool can_be(const struct pk_sigma_want *w, bool cased, const char *only)
{
	for (const char *s = only; *s; s += strspn(s, " ")) {
		size_t len = strcspn(s, " ");

		for (size_t i = 0; i < w->n; i++)
			if (pk_sigma_pattern_fits(&w->alt[i], cased, s, len))
				return true;
		s += len;
	}
	return !w->n;
}

/* A field with few values: a rule that asks for others only would never match. */
static int check_only(struct compile *c, const struct pk_sigma_item *item,
		      const struct pk_sigma_wants *wants, unsigned field)
{
	const char *only = pk_sigma_field_only(field);
	const struct pk_sigma_want *bad = NULL;
	size_t can = 0;

	if (!only || wants->how != PK_SIGMA_EQUAL)
		return 0;
	for (size_t i = 0; i < wants->n; i++) {
		if (can_be(&wants->v[i], wants->cased, only))
			can++;
		else if (!bad)
			bad = &wants->v[i];
	}
	if (!bad || (can && !wants->all))
		return 0;
	return pk_sigma_complain(c->arena, c->rule, bad->from->at, true,
				 "%s: %.100s: Picket has no such events (only: %s)", item->field,
				 bad->from->s, only);
}

static int find_fields(struct compile *c, const struct pk_sigma_item *item, uint64_t *ret)
{
	int field;

	if (!*item->field) {
		*ret = pk_sigma_source_fields(c->rule->source);
		return 0;
	}
	field = pk_sigma_field_find(c->rule->row, item->field);
	if (field < 0)
		return unknown_field(c, item->at, item->field);
	*ret = 1ull << field;
	return 0;
}

static int check_keyword(struct compile *c, const struct pk_sigma_item *item,
			 const struct pk_sigma_wants *wants)
{
	if (!*item->field && wants->how != PK_SIGMA_EQUAL && wants->how != PK_SIGMA_RE)
		return complain(c, item->at, false, "this modifier needs a field", "keywords", "");
	return 0;
}

/* All values of an item, linked as its modifiers say. */
static int emit_wants(struct compile *c, const struct pk_sigma_item *item,
		      const struct pk_sigma_wants *wants, uint64_t fields)
{
	uint32_t not_at = 0, at = 0;
	int r = wants->neq ? add_op(c, PK_SIGMA_OP_NOT, 0, &not_at) : 0;

	if (r == 0 && wants->n > 1)
		r = add_op(c, wants->all ? PK_SIGMA_OP_ALL : PK_SIGMA_OP_ANY, 0, &at);
	for (size_t i = 0; i < wants->n && r == 0; i++)
		r = emit_want(c, item, wants, &wants->v[i], fields);
	if (r < 0)
		return r;
	if (wants->n > 1)
		close_op(c, at);
	if (wants->neq)
		close_op(c, not_at);
	return 0;
}

static int emit_item(struct compile *c, const struct pk_sigma_item *item)
{
	struct pk_sigma_wants wants;
	uint64_t fields = 0;
	int r = find_fields(c, item, &fields);

	if (r == 0)
		r = pk_sigma_modify(c->arena, c->rule, item, c->places, &wants);
	if (r == 0)
		r = check_keyword(c, item, &wants);
	if (r == 0 && *item->field)
		r = check_only(c, item, &wants, __builtin_ctzll(fields));
	if (r < 0)
		return r;
	c->rule->fields_used |= fields;
	return emit_wants(c, item, &wants, fields);
}

/* Does it ask for more than a look at what the scan found? */
static bool is_costly(const struct pk_sigma_node *n)
{
	if (n->kind == PK_SIGMA_ITEM)
		return n->item->n_modifiers && !strcmp(n->item->modifier[0], "re");
	for (size_t i = 0; i < n->n; i++)
		if (is_costly(n->child[i]))
			return true;
	return false;
}

static const enum pk_sigma_op_kind op_of[] = {
	[PK_SIGMA_ALL] = PK_SIGMA_OP_ALL,
	[PK_SIGMA_ANY] = PK_SIGMA_OP_ANY,
	[PK_SIGMA_NOT] = PK_SIGMA_OP_NOT,
	[PK_SIGMA_COUNT] = PK_SIGMA_OP_COUNT,
};

/* Goes on after a complaint, so that all of them are heard. */
static int emit(struct compile *c, const struct pk_sigma_node *n)
{
	bool group = n->n > 1 || n->kind == PK_SIGMA_NOT || n->kind == PK_SIGMA_COUNT;
	uint32_t at = 0;
	int bad = 0, r;

	if (n->kind == PK_SIGMA_ITEM)
		return emit_item(c, n->item);
	r = group ? add_op(c, op_of[n->kind], n->need, &at) : 0;
	if (r < 0)
		return r;
	for (int costly = 0; costly < 2; costly++)
		for (size_t i = 0; i < n->n; i++) {
			r = is_costly(n->child[i]) == costly ? emit(c, n->child[i]) : 0;
			if (r == -ENOMEM)
				return r;
			bad = r < 0 ? r : bad;
			if (c->program->n - c->rule->op >= OPS_MAX)
				return bad;
		}
	if (group && bad == 0)
		close_op(c, at);
	return bad;
}

static int find_source(struct compile *c)
{
	struct pk_sigma_rule *rule = c->rule;
	const char *reason;
	int row = pk_sigma_logsource(rule, &reason);

	if (row < 0)
		return pk_sigma_complain(
			c->arena, rule, rule->logsource_at, true, "logsource%s%s%s%s%s%s: %s",
			rule->category ? " category " : "", rule->category ? rule->category : "",
			rule->product ? " product " : "", rule->product ? rule->product : "",
			rule->service ? " service " : "", rule->service ? rule->service : "",
			reason);
	rule->row = row;
	rule->source = pk_sigma_row_source(row);
	return 0;
}

int pk_sigma_compile(struct pk_arena *a, struct pk_sigma_rule *rule,
		     const struct pk_sigma_rules *places, struct pk_sigma_tests *tests,
		     struct pk_sigma_program *program)
{
	struct compile c = { a, rule, places, tests, program };
	struct pk_sigma_node *root;
	int r = find_source(&c);

	rule->op = program->n;
	if (r == 0)
		r = pk_sigma_condition_parse(a, rule, &root);
	if (r == 0)
		r = emit(&c, root);
	if (r == 0)
		return 0;
	program->n = rule->op;
	return r == -ENOMEM ? r : 0;
}
