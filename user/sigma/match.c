/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scan the fields, run the programs of the rules that the scan leads to. What was found or answered
 * for this event is marked with the event's number: nothing has to be cleared in between.
 */
#include "sigma/match.h"

#include "base/cleanup.h"
#include "sigma/exact.h"
#include "sigma/field.h"
#include "sigma/set.h"

#include <errno.h>
#include <string.h>

#define NUMBER_MAX (UINT32_MAX >> 1)

/*
 * vectorscan 5.4.9 does not see all literals in the last 64 bytes when there are few of them: with
 * 3 it missed up to 4 in 100, with 12 4 in 1,000, with 60 none. So what it reads goes on for so
 * long. It is the search for up to 96 literals (Teddy) that is wrong there; the one for more (FDR)
 * is not: none of 9 million literals was missed by 300 sets of 97 and more, whatever stood behind
 * the text. Its cost is by the byte, so that it gets no more bytes than there are.
 */
#define PAD       64
#define PAD_BELOW 128 /* literals of a database */

struct pk_sigma_scratch {
	hs_scratch_t *hs;
	struct pk_sigma_work work;
	uint32_t number;  /* of the event, from 1 */
	uint32_t *found;  /* by test: event in which the scan found it */
	uint32_t *answer; /* by test: event << 1 | whether it holds */
	uint32_t *seen;   /* by rule: event for which it is among the tried */
	uint32_t *tried;
	uint32_t n_tried;
	uint32_t late[PK_SIGMA_FIELDS]; /* event whose field was searched a second time */
	size_t n_tests, n_rules;
	struct pk_sigma_counts counts;
	char *padded; /* the text being searched, and PAD zeros */
	size_t padded_size;
};

/* What the callback of a scan needs. */
struct scan {
	const struct pk_sigma_set *set;
	const struct pk_sigma_scan *scan;
	const struct pk_sigma_literal *literal; /* by pattern */
	struct pk_sigma_scratch *s;
	struct pk_sigma_text text;
};

struct run {
	const struct pk_sigma_set *set;
	struct pk_sigma_scratch *s;
	const struct pk_sigma_event *ev;
};

void pk_sigma_scratch_free(struct pk_sigma_scratch *s)
{
	if (!s)
		return;
	hs_free_scratch(s->hs);
	pk_sigma_work_done(&s->work);
	free(s->found);
	free(s->answer);
	free(s->seen);
	free(s->tried);
	free(s->padded);
	free(s);
}

void pk_sigma_scratch_freep(struct pk_sigma_scratch **s)
{
	pk_sigma_scratch_free(*s);
}

static int grow_scratch(struct pk_sigma_scratch *s, const struct pk_sigma_scan *scan)
{
	if (scan->db && hs_alloc_scratch(scan->db, &s->hs) != HS_SUCCESS)
		return -ENOMEM;
	if (scan->late_db && hs_alloc_scratch(scan->late_db, &s->hs) != HS_SUCCESS)
		return -ENOMEM;
	return 0;
}

int pk_sigma_scratch_new(const struct pk_sigma_set *set, struct pk_sigma_scratch **ret)
{
	_cleanup_(pk_sigma_scratch_freep) struct pk_sigma_scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->n_tests = set->tests.n;
	s->n_rules = set->rules.n;
	s->found = calloc(s->n_tests + 1, sizeof(*s->found));
	s->answer = calloc(s->n_tests + 1, sizeof(*s->answer));
	s->seen = calloc(s->n_rules + 1, sizeof(*s->seen));
	s->tried = calloc(s->n_rules + 1, sizeof(*s->tried));
	if (!s->found || !s->answer || !s->seen || !s->tried || pk_sigma_work_init(&s->work) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < PK_SIGMA_SOURCES; i++)
		for (size_t j = 0; j < set->scans[i].n; j++)
			if (grow_scratch(s, &set->scans[i].scan[j]) < 0)
				return -ENOMEM;
	*ret = PK_TAKE(s);
	return 0;
}

const struct pk_sigma_counts *pk_sigma_scratch_counts(const struct pk_sigma_scratch *s)
{
	return &s->counts;
}

static void try_rule(struct pk_sigma_scratch *s, uint32_t rule)
{
	if (s->seen[rule] == s->number)
		return;
	s->seen[rule] = s->number;
	s->tried[s->n_tried++] = rule;
}

/* Is the literal that ends at to where its test wants it? A NUL byte parts values. */
static bool is_in_place(const struct pk_sigma_literal *l, struct pk_sigma_text text, size_t to)
{
	size_t from = to - l->len;

	if (l->at & PK_SIGMA_AT_START && from && text.s[from - 1])
		return false;
	return !(l->at & PK_SIGMA_AT_END) || to == text.len || !text.s[to];
}

static void on_found(void *arg, const struct pk_sigma_literal *l)
{
	const struct scan *c = arg;

	c->s->found[l->test] = c->s->number;
	for (uint32_t r = 0; r < l->n_rules; r++)
		try_rule(c->s, c->set->posting[l->first_rule + r]);
}

static int on_literal(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
		      void *arg)
{
	struct scan *c = arg;
	const struct pk_sigma_literal *l = &c->literal[id];

	(void)from; /* vectorscan does not know it of literals */
	(void)flags;
	if (c->s->found[l->test] != c->s->number && is_in_place(l, c->text, to))
		on_found(c, l);
	return 0;
}

/* The text with PAD zeros behind it, which are in no literal; NULL: out of memory. */
static const char *pad(struct pk_sigma_scratch *s, const struct pk_sigma_text *text)
{
	size_t size = text->len + PAD;

	if (size > s->padded_size) {
		char *more = realloc(s->padded, 2 * size);

		if (!more)
			return NULL;
		s->padded = more;
		s->padded_size = 2 * size;
	}
	memcpy(s->padded, text->s, text->len);
	memset(s->padded + text->len, 0, PAD);
	return s->padded;
}

static void scan_text(struct scan *c, const hs_database_t *db, uint32_t n_literals)
{
	bool padded = n_literals < PAD_BELOW;
	const char *text = padded ? pad(c->s, &c->text) : c->text.s;
	size_t len = c->text.len + (padded ? PAD : 0);

	if (!text || hs_scan(db, text, (unsigned)len, 0, c->s->hs, on_literal, c) != HS_SUCCESS)
		c->s->counts.scan_failed++;
}

static void scan_exact(struct scan *c)
{
	const char *s = c->text.s, *end = s + c->text.len, *part;

	for (; s <= end; s = part + 1) {
		part = s < end ? memchr(s, '\0', end - s) : NULL;
		part = part ? part : end;
		pk_sigma_exact_find(&c->scan->exact, s, part - s, on_found, c);
	}
}

static void scan_fields(const struct run *r)
{
	const struct pk_sigma_scans *scans = &r->set->scans[r->ev->source];

	for (size_t i = 0; i < scans->n; i++) {
		const struct pk_sigma_scan *scan = &scans->scan[i];
		struct scan c = { r->set, scan, scan->literal, r->s, r->ev->field[scan->field] };

		if (!c.text.s || !c.text.len)
			continue;
		if (c.scan->exact.n)
			scan_exact(&c);
		if (c.scan->db)
			scan_text(&c, c.scan->db, scan->n_literals);
	}
}

/* The second search of a field, for the literals of rules with many: once an event, if at all. */
static void scan_late(const struct run *r, unsigned field)
{
	const struct pk_sigma_scan *scan = r->set->scans[r->ev->source].of_field[field];
	struct scan c = { r->set, scan, scan->late, r->s, r->ev->field[field] };

	if (r->s->late[field] == r->s->number)
		return;
	r->s->late[field] = r->s->number;
	if (c.text.s && c.text.len)
		scan_text(&c, scan->late_db, scan->n_late);
}

static bool holds(const struct run *r, uint32_t i)
{
	const struct pk_sigma_test *t = &r->set->tests.v[i];
	struct pk_sigma_scratch *s = r->s;

	if (t->late)
		scan_late(r, t->field);
	if (t->scanned || t->late)
		return s->found[i] == s->number;
	if (t->gate != PK_SIGMA_NO_TEST && s->found[t->gate] != s->number)
		return false;
	if (s->answer[i] >> 1 != s->number)
		s->answer[i] = s->number << 1 | pk_sigma_test_holds(t, r->ev, &s->work);
	return s->answer[i] & 1;
}

static bool run(const struct run *r, uint32_t at)
{
	const struct pk_sigma_op *op = &r->set->program.op[at];
	bool any = op->kind == PK_SIGMA_OP_ANY;
	uint32_t left = op->arg;

	if (op->kind == PK_SIGMA_OP_TEST)
		return holds(r, op->arg);
	if (op->kind == PK_SIGMA_OP_NOT)
		return !run(r, at + 1);
	for (uint32_t i = at + 1; i < op->end; i = r->set->program.op[i].end) {
		bool yes = run(r, i);

		if (op->kind != PK_SIGMA_OP_COUNT && yes == any)
			return any;
		if (op->kind == PK_SIGMA_OP_COUNT && yes && !--left)
			return true;
	}
	return op->kind == PK_SIGMA_OP_ALL || op->kind == PK_SIGMA_OP_GATE;
}

/* Evidence: all tests that hold and that no "not" stands before. */
static size_t collect(const struct run *r, const struct pk_sigma_rule *rule, uint32_t at,
		      struct pk_sigma_found *found, size_t n)
{
	const struct pk_sigma_op *op = &r->set->program.op[at];
	const struct pk_sigma_test *t = &r->set->tests.v[op->arg];

	if (op->kind == PK_SIGMA_OP_NOT || n == PK_SIGMA_FOUND_MAX)
		return n;
	if (op->kind == PK_SIGMA_OP_TEST) {
		const char *name = pk_sigma_field_name(rule->row, t->field);

		if (!holds(r, op->arg))
			return n;
		found[n] = (struct pk_sigma_found){ t->field, name ? name : "", t->text };
		return n + 1;
	}
	if (op->kind == PK_SIGMA_OP_GATE)
		return collect(r, rule, r->set->program.op[at + 1].end, found, n);
	for (uint32_t i = at + 1; i < op->end; i = r->set->program.op[i].end)
		if (run(r, i))
			n = collect(r, rule, i, found, n);
	return n;
}

static void tell(const struct run *r, const struct pk_sigma_rule *rule, pk_sigma_hit_fn fn,
		 void *arg)
{
	struct pk_sigma_found found[PK_SIGMA_FOUND_MAX];
	struct pk_sigma_hit hit = { .rule = rule, .event = r->ev, .found = found };

	hit.n_found = collect(r, rule, rule->op, found, 0);
	fn(arg, &hit);
}

/* After two billion events the numbers begin again: what is marked with old ones goes. */
static void next_number(struct pk_sigma_scratch *s)
{
	if (s->number++ < NUMBER_MAX - 1)
		return;
	memset(s->found, 0, s->n_tests * sizeof(*s->found));
	memset(s->answer, 0, s->n_tests * sizeof(*s->answer));
	memset(s->seen, 0, s->n_rules * sizeof(*s->seen));
	memset(s->late, 0, sizeof(s->late));
	s->number = 1;
}

int pk_sigma_match(const struct pk_sigma_set *set, struct pk_sigma_scratch *s,
		   const struct pk_sigma_event *ev, pk_sigma_hit_fn fn, void *arg)
{
	const struct run r = { set, s, ev };
	const struct pk_sigma_scans *scans = &set->scans[ev->source];
	int hits = 0;

	next_number(s);
	s->n_tried = 0;
	s->counts.events++;
	scan_fields(&r);
	for (size_t i = 0; i < scans->n_always; i++)
		try_rule(s, scans->always[i]);
	for (uint32_t i = 0; i < s->n_tried; i++) {
		const struct pk_sigma_rule *rule = set->rules.v[s->tried[i]];

		if (!run(&r, rule->op))
			continue;
		hits++;
		tell(&r, rule, fn, arg);
	}
	s->counts.tried += s->n_tried;
	s->counts.hits += hits;
	s->counts.re_gave_up = s->work.re_gave_up;
	return hits;
}
