/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which literals lead to which rule, and the databases that find them. A rule that can match
 * without any literal is tried on every event of its source.
 */
#include "sigma/scan.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "sigma/exact.h"
#include "sigma/field.h"
#include "sigma/set.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIRECT_MAX 16 /* literals of a rule that are looked for one by one */

void pk_sigma_scans_done(struct pk_sigma_scans *s)
{
	for (size_t i = 0; i < s->n; i++) {
		hs_free_database(s->scan[i].db);
		hs_free_database(s->scan[i].late_db);
		free(s->scan[i].literal);
		free(s->scan[i].late);
		pk_sigma_exact_done(&s->scan[i].exact);
	}
	free(s->scan);
	free(s->always);
	*s = (struct pk_sigma_scans){ 0 };
}

/* A guess how often a literal is met: long ones seldom, whole fields more so. */
static double weight_of_test(const struct pk_sigma_set *set, uint32_t i)
{
	const struct pk_sigma_test *t = &set->tests.v[i];
	double w;

	if (t->kind != PK_SIGMA_T_LITERAL)
		return t->gate == PK_SIGMA_NO_TEST ? INFINITY : weight_of_test(set, t->gate);
	if (pk_sigma_field_only(t->field)) /* "true" is met all the time */
		return 0.5;
	w = exp2(-(double)(t->len < 24 ? t->len : 24));
	if (t->at & PK_SIGMA_AT_START)
		w /= 4;
	return t->at & PK_SIGMA_AT_END ? w / 8 : w;
}

/* How often the literals of the best cover are met; INFINITY: there is none. */
static double weigh(const struct pk_sigma_set *set, uint32_t at)
{
	const struct pk_sigma_op *op = &set->program.op[at];
	bool all = op->kind == PK_SIGMA_OP_ALL || op->kind == PK_SIGMA_OP_GATE;
	double sum = all ? INFINITY : 0;

	if (op->kind == PK_SIGMA_OP_TEST)
		return weight_of_test(set, op->arg);
	if (op->kind == PK_SIGMA_OP_NOT)
		return INFINITY;
	for (uint32_t i = at + 1; i < op->end; i = set->program.op[i].end) {
		double w = weigh(set, i);

		sum = all ? fmin(sum, w) : sum + w;
	}
	return sum;
}

/* Calls use with each test of the best cover, literals only. Only for a finite weight. */
static void cover(const struct pk_sigma_set *set, uint32_t at,
		  void (*use)(struct pk_sigma_test *t, uint32_t rule, uint32_t *posting),
		  uint32_t rule)
{
	const struct pk_sigma_op *op = &set->program.op[at];
	bool all = op->kind == PK_SIGMA_OP_ALL || op->kind == PK_SIGMA_OP_GATE;
	double best = INFINITY;
	uint32_t chosen = 0;

	if (op->kind == PK_SIGMA_OP_TEST) {
		struct pk_sigma_test *t = &set->tests.v[op->arg];

		use(t->kind == PK_SIGMA_T_LITERAL ? t : &set->tests.v[t->gate], rule, set->posting);
		return;
	}
	for (uint32_t i = at + 1; i < op->end; i = set->program.op[i].end) {
		double w = all ? weigh(set, i) : 0;

		if (!all)
			cover(set, i, use, rule);
		else if (w < best) {
			best = w;
			chosen = i;
		}
	}
	if (chosen)
		cover(set, chosen, use, rule);
}

static void count(struct pk_sigma_test *t, uint32_t rule, uint32_t *posting)
{
	(void)rule;
	(void)posting;
	t->n_rules++;
}

static void post(struct pk_sigma_test *t, uint32_t rule, uint32_t *posting)
{
	posting[t->first_rule + t->n_rules++] = rule;
}

static bool runs(const struct pk_sigma_rule *rule)
{
	return !rule->problem && !rule->correlation;
}

static int add_always(struct pk_sigma_set *set, const struct pk_sigma_rule *rule)
{
	struct pk_sigma_scans *s = &set->scans[rule->source];
	uint32_t *v = reallocarray(s->always, s->n_always + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	s->always = v;
	v[s->n_always++] = rule->index;
	set->n_always++;
	return 0;
}

static int build_postings(struct pk_sigma_set *set)
{
	uint32_t total = 0;

	for (size_t i = 0; i < set->rules.n; i++) {
		const struct pk_sigma_rule *rule = set->rules.v[i];

		if (!runs(rule))
			continue;
		if (isfinite(weigh(set, rule->op)))
			cover(set, rule->op, count, rule->index);
		else if (add_always(set, rule) < 0)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < set->tests.n; i++) {
		set->tests.v[i].first_rule = total;
		total += set->tests.v[i].n_rules;
		set->tests.v[i].n_rules = 0;
	}
	set->posting = calloc(total + 1, sizeof(*set->posting));
	if (!set->posting)
		return -ENOMEM;
	for (size_t i = 0; i < set->rules.n; i++)
		if (runs(set->rules.v[i]) && isfinite(weigh(set, set->rules.v[i]->op)))
			cover(set, set->rules.v[i]->op, post, set->rules.v[i]->index);
	return 0;
}

/* Literals of a program that lead to no rule, from one op to another. */
static uint32_t count_others(const struct pk_sigma_set *set, uint32_t at, uint32_t end)
{
	uint32_t n = 0;

	for (; at < end; at++) {
		const struct pk_sigma_op *op = &set->program.op[at];
		const struct pk_sigma_test *t = &set->tests.v[op->arg];

		n += op->kind == PK_SIGMA_OP_TEST && t->kind == PK_SIGMA_T_LITERAL && !t->n_rules;
	}
	return n;
}

/*
 * Tests that only refused rules asked are in no scan. A literal that leads to no rule is looked for
 * when a rule asks, for few come so far: one by one, or all of a field's at once where a rule has
 * many.
 */
static void mark_rule(struct pk_sigma_set *set, uint32_t at)
{
	uint32_t end = set->program.op[at].end;
	bool many = count_others(set, at, end) > DIRECT_MAX;

	for (; at < end; at++) {
		const struct pk_sigma_op *op = &set->program.op[at];
		struct pk_sigma_test *t = &set->tests.v[op->arg];

		if (op->kind != PK_SIGMA_OP_TEST)
			continue;
		if (t->gate != PK_SIGMA_NO_TEST)
			set->tests.v[t->gate].scanned = true;
		t->scanned |= t->kind == PK_SIGMA_T_LITERAL && t->n_rules;
		t->late |= t->kind == PK_SIGMA_T_LITERAL && many;
	}
}

static void mark_tests(struct pk_sigma_set *set)
{
	for (size_t i = 0; i < set->rules.n; i++)
		if (runs(set->rules.v[i]))
			mark_rule(set, set->rules.v[i]->op);
	for (uint32_t i = 0; i < set->tests.n; i++)
		set->tests.v[i].late &= !set->tests.v[i].scanned;
}

/* The patterns of one scanner, as vectorscan wants them. */
struct patterns {
	const char **literal;
	unsigned *flags, *id;
	size_t *len;
	unsigned n;
};

static void patterns_done(struct patterns *p)
{
	free(p->literal);
	free(p->flags);
	free(p->id);
	free(p->len);
}

static int patterns_init(struct patterns *p, size_t n)
{
	p->literal = calloc(n, sizeof(*p->literal));
	p->flags = calloc(n, sizeof(*p->flags));
	p->id = calloc(n, sizeof(*p->id));
	p->len = calloc(n, sizeof(*p->len));
	return p->literal && p->flags && p->id && p->len ? 0 : -ENOMEM;
}

static bool is_exact(const struct pk_sigma_test *t)
{
	return t->at == (PK_SIGMA_AT_START | PK_SIGMA_AT_END);
}

static struct pk_sigma_literal literal_of(const struct pk_sigma_set *set, uint32_t i)
{
	const struct pk_sigma_test *t = &set->tests.v[i];

	return (struct pk_sigma_literal){ .s = t->literal,
					  .len = t->len,
					  .test = i,
					  .first_rule = t->first_rule,
					  .n_rules = t->n_rules,
					  .at = t->at,
					  .cased = t->cased };
}

static int build_db(const struct patterns *p, hs_database_t **ret, struct pk_buf *errors)
{
	hs_compile_error_t *error = NULL;
	hs_error_t r = hs_compile_lit_multi(p->literal, p->flags, p->id, p->len, p->n,
					    HS_MODE_BLOCK, NULL, ret, &error);

	if (r == HS_SUCCESS)
		return 0;
	pk_buf_fmt(errors, "vectorscan: %s\n", error && error->message ? error->message : "failed");
	hs_free_compile_error(error);
	return r == HS_NOMEM ? -ENOMEM : -EINVAL;
}

/* How many literals a field has. */
struct number {
	size_t exact, others, late;
};

static void add_pattern(struct patterns *p, struct pk_sigma_literal *to,
			const struct pk_sigma_literal *l)
{
	p->literal[p->n] = l->s;
	p->len[p->n] = l->len;
	p->flags[p->n] = l->cased ? 0 : HS_FLAG_CASELESS;
	p->id[p->n] = p->n;
	to[p->n++] = *l;
}

static int build_scan(struct pk_sigma_set *set, unsigned source, struct pk_sigma_scan *scan,
		      const struct number *n, struct pk_buf *errors)
{
	_cleanup_(patterns_done) struct patterns p = { 0 }, late = { 0 };
	int r;

	scan->literal = calloc(n->others + 1, sizeof(*scan->literal));
	scan->late = calloc(n->late + 1, sizeof(*scan->late));
	if (!scan->literal || !scan->late || patterns_init(&p, n->others + 1) < 0 ||
	    patterns_init(&late, n->late + 1) < 0 ||
	    pk_sigma_exact_init(&scan->exact, n->exact + 1) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < set->tests.n; i++) {
		const struct pk_sigma_test *t = &set->tests.v[i];
		const struct pk_sigma_literal l = literal_of(set, i);

		if (t->source != source || t->field != scan->field)
			continue;
		if (t->late)
			add_pattern(&late, scan->late, &l);
		else if (t->scanned && is_exact(t))
			pk_sigma_exact_add(&scan->exact, &l);
		else if (t->scanned)
			add_pattern(&p, scan->literal, &l);
	}
	scan->n_literals = p.n;
	scan->n_late = late.n;
	r = p.n ? build_db(&p, &scan->db, errors) : 0;
	return r == 0 && late.n ? build_db(&late, &scan->late_db, errors) : r;
}

static int build_source(struct pk_sigma_set *set, unsigned source,
			const struct number n[PK_SIGMA_FIELDS], struct pk_buf *errors)
{
	struct pk_sigma_scans *s = &set->scans[source];
	int r = 0;

	s->scan = calloc(PK_SIGMA_FIELDS, sizeof(*s->scan));
	if (!s->scan)
		return -ENOMEM;
	for (unsigned f = 0; f < PK_SIGMA_FIELDS && r == 0; f++) {
		if (!n[f].exact && !n[f].others && !n[f].late)
			continue;
		s->of_field[f] = &s->scan[s->n];
		s->scan[s->n].field = f;
		r = build_scan(set, source, &s->scan[s->n++], &n[f], errors);
	}
	return r;
}

int pk_sigma_scans_build(struct pk_sigma_set *set, struct pk_buf *errors)
{
	struct number n[PK_SIGMA_SOURCES][PK_SIGMA_FIELDS] = { 0 };
	int r = build_postings(set);

	if (r < 0)
		return r;
	mark_tests(set);
	for (uint32_t i = 0; i < set->tests.n; i++) {
		const struct pk_sigma_test *t = &set->tests.v[i];
		struct number *of = &n[t->source][t->field];

		of->late += t->late;
		of->exact += t->scanned && is_exact(t);
		of->others += t->scanned && !is_exact(t);
	}
	for (unsigned s = 0; s < PK_SIGMA_SOURCES && r == 0; s++)
		r = build_source(set, s, n[s], errors);
	return r;
}
