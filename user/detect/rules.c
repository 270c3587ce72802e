/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sigma rules of detect.rules_dir as one detector: what it sees becomes events (rules_event.c),
 * what fits becomes findings that carry the rule's id, title, author and techniques. Rules are read
 * at the start and when the configuration is read again; rules that can't run then are told as a
 * finding.
 */
#include "detect/rules.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"
#include "detect/detect.h"
#include "detect/registry.h"
#include "detect/rules_event.h"
#include "enrich/process.h"
#include "name/intern.h"
#include "sigma/correlation.h"
#include "sigma/match.h"
#include "sigma/set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MARKS_A_GROUP 8
#define TEXT_BYTES    (16u << 20) /* of rules that ever matched: findings outlive a set */
#define ERRORS_SHOWN  600
#define COUNTED_MAX   4096 /* rules that ever matched */

/* Of a rule that ever matched. */
struct count {
	const char *name; /* in the pool: the same text is the same pointer */
	uint64_t hits, last_ns;
};

struct state {
	const char *dir;
	struct pk_sigma_set *set;
	struct pk_sigma_scratch *scratch;
	struct pk_sigma_state *counts;
	struct count *hit; /* COUNTED_MAX, hits of them used */
	size_t hits;
	struct pk_intern *texts;
	struct pk_rules_texts event_texts;
	struct pk_buf errors; /* of the last time rules were read; told at the next chance */
	bool kept;            /* the rules before stayed */
};

/* What is being looked at, while rules are matched. */
struct look {
	struct pk_detect *d;
	struct state *st;
	const struct pk_rules_event *e; /* NULL: a window closed */
	uint64_t now_ns;
};

static const char *keep(struct state *st, const char *s)
{
	return s ? pk_intern_text(st->texts, s, strlen(s)) : NULL;
}

/* The texts of the finding that have to outlive the rule. */
static void put_rule(struct state *st, const struct pk_sigma_rule *rule, struct pk_finding *f)
{
	const char *name = keep(st, pk_rules_name(rule));

	f->is_rule = true;
	f->rule = name ? name : "rules"; /* no room: counted by the pool */
	f->title = keep(st, rule->title);
	f->author = keep(st, rule->author);
	if (rule->falsepositives.n)
		f->doubt = keep(st, rule->falsepositives.v[0]);
	for (size_t i = 0; i < rule->techniques.n && i < PK_TECHNIQUES_MAX; i++)
		f->technique[i] = keep(st, rule->techniques.v[i]);
	f->severity =
		rule->level == PK_SIGMA_LEVEL_NONE ? PK_MEDIUM : (enum pk_severity)rule->level;
}

_Static_assert((int)PK_SIGMA_INFORMATIONAL == (int)PK_INFORMATIONAL &&
		       (int)PK_SIGMA_CRITICAL == (int)PK_CRITICAL,
	       "levels and severities count alike");

static void put_found(const struct pk_sigma_hit *hit, struct pk_finding *f)
{
	for (size_t i = 0; i < hit->n_found; i++) {
		const struct pk_sigma_found *x = &hit->found[i];
		struct pk_sigma_text t = hit->event->field[x->field];
		bool told = false;

		for (size_t j = 0; j < i && !told; j++)
			told = hit->found[j].field == x->field;
		if (!told && t.s)
			pk_finding_field(f, x->name, "%.*s", (int)(t.len < 512 ? t.len : 512), t.s);
	}
	if (hit->n_found)
		pk_finding_field(f, "pattern", "%s", hit->found[0].pattern);
}

static void put_event(const struct pk_rules_event *e, struct pk_finding *f)
{
	const char *path = e->proc ? pk_process_path(e->proc) : "";

	if (e->key)
		pk_finding_flow(f, e->key, e->flow, e->client, e->far);
	if (e->event.source == PK_SIGMA_DNS)
		f->has_remote = false; /* a resolver */
	if (e->proc) {
		pk_finding_proc(f, &e->proc->id);
		pk_finding_proc(f, &e->proc->parent);
		f->netns = e->proc->netns;
	}
	pk_finding_fold(f, path, strlen(path));
	if (f->has_remote)
		pk_finding_fold(f, f->remote, sizeof(f->remote));
}

static void describe(const struct pk_sigma_rule *rule, const struct look *l,
		     const struct pk_sigma_hit *hit, struct pk_finding *f)
{
	const char *who = l->e && l->e->proc ? pk_process_name(l->e->proc) : NULL;

	pk_finding_plain(f, "A rule that somebody wrote for this fits%s%s: %s.",
			 who ? " what a program did, " : "", who ? who : "", rule->title);
	pk_finding_detail(f, "Sigma rule \"%s\" by %s, %s.%s%s%s%s", rule->title,
			  rule->author ? rule->author : "an author it does not name", rule->file,
			  hit->group ? " Counted for " : "", hit->group ? hit->group : "",
			  rule->description ? " " : "", rule->description ? rule->description : "");
}

static void tell(struct look *l, const struct pk_sigma_hit *hit)
{
	const struct pk_sigma_rule *rule = hit->rule;
	struct pk_finding f = { .ts_ns = l->now_ns, .first_ns = hit->first_ns };

	put_rule(l->st, rule, &f);
	if (l->e)
		put_event(l->e, &f);
	describe(rule, l, hit, &f);
	if (hit->event)
		put_found(hit, &f);
	if (hit->group) {
		pk_finding_field(&f, "group", "%s", hit->group);
		pk_finding_field(&f, "count", "%llu", (unsigned long long)hit->count);
		pk_finding_fold(&f, hit->group, strlen(hit->group));
	}
	pk_detect_found(l->d, &pk_detect_rules, &f);
}

/* Counts go on when rules are read again. */
static void count(struct look *l, const struct pk_sigma_rule *rule)
{
	const char *name = keep(l->st, pk_rules_name(rule));
	struct state *st = l->st;
	size_t i = 0;

	while (i < st->hits && st->hit[i].name != name)
		i++;
	if (i == COUNTED_MAX || !name)
		return; /* no room: what is counted stays right */
	st->hits += i == st->hits;
	st->hit[i].name = name;
	st->hit[i].hits++;
	st->hit[i].last_ns = l->now_ns;
}

static void on_correlation(void *arg, const struct pk_sigma_hit *hit)
{
	count(arg, hit->rule);
	if (!hit->rule->silent)
		tell(arg, hit);
}

static void on_hit(void *arg, const struct pk_sigma_hit *hit)
{
	struct look *l = arg;

	count(l, hit->rule);
	if (!hit->rule->silent)
		tell(l, hit);
	pk_sigma_state_feed(l->st->counts, l->st->set, hit, on_correlation, l);
}

/* Reads the rules again. The old ones stay whatever fails. */
static int read_rules(struct state *st)
{
	struct pk_sigma_set *was = st->set;
	struct pk_sigma_scratch *scratch;
	int r;

	pk_buf_reset(&st->errors);
	r = pk_sigma_set_reload(&st->set, &st->dir, 1, &st->errors);
	st->kept = r < 0;
	if (r < 0)
		return r;
	r = pk_sigma_scratch_new(st->set, &scratch);
	if (r < 0) { /* no rules rather than a scratch of others */
		pk_sigma_set_free(st->set);
		st->set = NULL;
		return r;
	}
	pk_sigma_scratch_free(st->scratch);
	st->scratch = scratch;
	for (size_t i = 0; !was && i < st->set->rules.n; i++)
		if (pk_sigma_rule_is_broken(st->set->rules.v[i]))
			pk_sigma_rule_problems(st->set->rules.v[i], &st->errors);
	return 0;
}

/* A finding about the rules themselves: nobody should think that they all run. */
static void tell_errors(struct pk_detect *d, struct state *st, uint64_t now_ns)
{
	struct pk_finding f = { .ts_ns = now_ns, .severity = PK_LOW, .confidence = 100 };

	if (!st->errors.len)
		return;
	pk_finding_plain(&f, st->kept ? "New detection rules have errors, so the old ones stay."
				      : "Some detection rules have errors and do not run.");
	pk_finding_detail(&f, "`picket rule check %s` says: %.*s", st->dir, ERRORS_SHOWN,
			  st->errors.data);
	f.title = "Detection rules with errors";
	f.doubt = "It is a mistake in a file, not an attack.";
	f.next = "Correct the rules, then `systemctl reload picket`.";
	pk_finding_fold(&f, st->errors.data, st->errors.len);
	pk_detect_found(d, &pk_detect_rules, &f);
	pk_buf_reset(&st->errors);
}

static void done(void *state)
{
	struct state *st = state;

	pk_sigma_scratch_free(st->scratch);
	pk_sigma_set_free(st->set);
	pk_sigma_state_free(st->counts);
	free(st->hit);
	pk_intern_free(st->texts);
	pk_buf_done(&st->event_texts.answers);
	pk_buf_done(&st->errors);
	free(st);
}

static void donep(struct state **st)
{
	if (*st)
		done(*st);
}

static int init(const struct pk_world *w, void **ret_state)
{
	_cleanup_(donep) struct state *st = calloc(1, sizeof(*st));
	uint32_t groups = w->conf->rules_groups;

	if (!st)
		return -ENOMEM;
	st->dir = w->conf->rules_dir;
	st->counts = pk_sigma_state_new(groups, groups * MARKS_A_GROUP);
	st->texts = pk_intern_new(TEXT_BYTES);
	st->hit = calloc(COUNTED_MAX, sizeof(*st->hit));
	if (!st->counts || !st->texts || !st->hit || read_rules(st) == -ENOMEM)
		return -ENOMEM;
	*ret_state = PK_TAKE(st);
	return 0;
}

static bool is_reload(const struct pk_see *s)
{
	return s->kind == PK_SEE_NOTICE && strcmp(s->notice, "configuration read again") == 0;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *s)
{
	struct pk_rules_event e[PK_RULES_EVENTS_MAX];
	struct look l = { .d = d, .st = state, .now_ns = s->now_ns };
	size_t n;

	if (is_reload(s)) {
		(void)read_rules(l.st); /* what failed is told */
		tell_errors(d, l.st, s->now_ns);
		return;
	}
	if (!l.st->set)
		return;
	n = pk_rules_events(pk_detect_world(d), s, l.st->set->at_source, &l.st->event_texts, e);
	for (size_t i = 0; i < n; i++) {
		l.e = &e[i];
		(void)pk_sigma_match(l.st->set, l.st->scratch, &e[i].event, on_hit, &l);
	}
}

static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	struct state *st = state;
	struct look l = { .d = d, .st = st, .now_ns = now_ns };

	tell_errors(d, st, now_ns);
	if (st->set)
		pk_sigma_state_tick(st->counts, st->set, now_ns, on_correlation, &l);
}

static size_t bytes_max(const struct pk_conf *conf)
{
	return pk_sigma_state_bytes(conf->rules_groups, conf->rules_groups * MARKS_A_GROUP) +
	       TEXT_BYTES + COUNTED_MAX * sizeof(struct count);
}

/* Of what grows with what is seen; the rules themselves are as large as the operator made them. */
static void memory(const void *state, struct pk_memory *sum)
{
	const struct state *st = state;
	struct pk_sigma_state_counts c;
	struct pk_intern_count t;

	pk_sigma_state_counts(st->counts, &c);
	pk_intern_counts(st->texts, &t);
	sum->bytes += c.bytes + t.bytes + COUNTED_MAX * sizeof(struct count);
	sum->evicted += c.evicted;
	sum->refused += c.refused;
}

const struct pk_detector pk_detect_rules = {
	.name = "rules",
	.title = "Sigma rule",
	.severity = PK_MEDIUM,
	.confidence = 50,
	.doubt = "The rule does not say; it was written for other hosts than this one.",
	.next = "Look at what fits the rule, and read its references.",
	.wants = 1u << PK_SEE_EXEC | 1u << PK_SEE_FLOW | 1u << PK_SEE_NEWS | 1u << PK_SEE_NOTICE,
	.bytes_max = bytes_max,
	.init = init,
	.done = done,
	.see = see,
	.tick = tick,
	.memory = memory,
};

const char *pk_rules_name(const struct pk_sigma_rule *rule)
{
	return rule->id ? rule->id : rule->title;
}

bool pk_rules_at(const struct pk_detect *d, size_t i, struct pk_rules_row *ret_row)
{
	const struct state *st = pk_detect_state(d, &pk_detect_rules);
	const char *name;

	if (!st || !st->set || i >= st->set->rules.n)
		return false;
	*ret_row = (struct pk_rules_row){ .rule = st->set->rules.v[i] };
	name = pk_rules_name(ret_row->rule);
	for (size_t k = 0; name && k < st->hits; k++)
		if (strcmp(st->hit[k].name, name) == 0) {
			ret_row->hits = st->hit[k].hits;
			ret_row->last_ns = st->hit[k].last_ns;
		}
	return true;
}

bool pk_rules_has(const struct pk_detect *d, const char *name)
{
	struct pk_rules_row row;
	const char *is;

	for (size_t i = 0; pk_rules_at(d, i, &row); i++) {
		is = pk_rules_name(row.rule);
		if (is && strcmp(is, name) == 0)
			return true;
	}
	return false;
}
