/* SPDX-License-Identifier: Apache-2.0 */
/* Compares what rules use with what there is. It runs none of them. */
#include "rule_judge.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "detect/finding.h"
#include "detect/rules.h"
#include "sigma/correlation.h"
#include "sigma/field.h"
#include "sigma/set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BIT(f) (1ull << (f))
#define ENDS                                                                                       \
	(BIT(PK_SIGMA_F_SOURCE_IP) | BIT(PK_SIGMA_F_SOURCE_PORT) |                                 \
	 BIT(PK_SIGMA_F_DESTINATION_IP) | BIT(PK_SIGMA_F_DESTINATION_PORT) |                       \
	 BIT(PK_SIGMA_F_PROTOCOL))

/* All that packets tell. */
static const uint64_t capture_fields[PK_SIGMA_SOURCES] = {
	[PK_SIGMA_NETWORK] =
		ENDS | BIT(PK_SIGMA_F_INITIATED) | BIT(PK_SIGMA_F_DESTINATION_HOSTNAME),
	[PK_SIGMA_FLOW] = ENDS | BIT(PK_SIGMA_F_ACTION) | BIT(PK_SIGMA_F_BLOCKED),
	[PK_SIGMA_DNS] = ENDS | BIT(PK_SIGMA_F_QUERY) | BIT(PK_SIGMA_F_RECORD_TYPE) |
			 BIT(PK_SIGMA_F_ANSWER) | BIT(PK_SIGMA_F_RCODE) |
			 BIT(PK_SIGMA_F_RCODE_NAME) | BIT(PK_SIGMA_F_DNS_Z),
	[PK_SIGMA_HTTP] = ENDS | BIT(PK_SIGMA_F_HTTP_HOST) | BIT(PK_SIGMA_F_HTTP_URI) |
			  BIT(PK_SIGMA_F_HTTP_METHOD) | BIT(PK_SIGMA_F_HTTP_USER_AGENT),
};

const struct pk_rule_place pk_rule_capture = {
	.fields = capture_fields,
	.no_events = "are not in a capture: it has packets, and no processes",
	.no_field = "is not in a capture, which has no processes",
	.one_side = true,
};

int pk_rule_judge_load(struct pk_rule_judged *j, const char *path, struct pk_buf *errors)
{
	int r = pk_sigma_set_load(&path, 1, errors, &j->set);

	if (r < 0)
		return r;
	j->reason = calloc(j->set->rules.n + 1, sizeof(*j->reason));
	return j->reason ? 0 : -ENOMEM;
}

void pk_rule_judge_done(struct pk_rule_judged *j)
{
	pk_sigma_set_free(j->set);
	free(j->reason);
	*j = (struct pk_rule_judged){ 0 };
}

/* In three pieces. The first reason counts. */
static void give_reason(struct pk_rule_judged *j, const struct pk_sigma_rule *rule,
			const char *before, const char *what, const char *behind)
{
	char *reason = j->reason[rule->index];

	if (!*reason)
		snprintf(reason, sizeof(j->reason[0]), "%s%s%s%s", before, what, *behind ? " " : "",
			 behind);
}

/* Does it ask for connections that began elsewhere? */
static bool asks_incoming(const struct pk_sigma_rule *rule, const struct pk_sigma_node *n)
{
	if (n->kind != PK_SIGMA_ITEM) {
		for (size_t i = 0; i < n->n; i++)
			if (asks_incoming(rule, n->child[i]))
				return true;
		return false;
	}
	if (pk_sigma_field_find(rule->row, n->item->field) != PK_SIGMA_F_INITIATED)
		return false;
	for (size_t i = 0; i < n->item->n_values; i++)
		if (n->item->value[i].s && strcasecmp(n->item->value[i].s, "false") == 0)
			return true;
	return false;
}

/* Of an ordinary rule: is all that it looks at there? */
static void judge_rule(struct pk_rule_judged *j, const struct pk_rule_place *place,
		       const struct pk_sigma_rule *rule)
{
	uint64_t has = place->fields[rule->source], lacks = rule->fields_used & ~has;

	if (!has)
		give_reason(j, rule, "events of kind ", pk_sigma_source_name(rule->source),
			    place->no_events);
	else if (lacks)
		give_reason(j, rule, "", pk_sigma_field_name(rule->row, __builtin_ctzll(lacks)),
			    place->no_field);
	for (size_t i = 0; place->one_side && i < rule->n_idents; i++)
		if (asks_incoming(rule, rule->ident[i].node))
			give_reason(j, rule, "Initiated", ": false",
				    "is not in a capture: it has no side that is this host's");
}

/* Of the correlations that a rule feeds: can they group by and count what is there of it? */
static bool judge_fed(struct pk_rule_judged *j, const struct pk_rule_place *place,
		      const struct pk_sigma_rule *rule)
{
	bool news = false;

	for (uint32_t i = 0; i < rule->n_refs; i++) {
		const struct pk_sigma_ref *ref = rule->ref[i];
		const struct pk_sigma_correlation *c = ref->correlation->correlation;
		uint64_t uses = c->type == PK_SIGMA_VALUE_COUNT ? BIT(ref->field) : 0, lacks;

		for (size_t g = 0; g < c->group_by.n; g++)
			uses |= BIT(ref->group[g]);
		lacks = uses & ~place->fields[ref->leaf->source];
		if (*j->reason[ref->correlation->index])
			continue;
		if (*j->reason[rule->index])
			give_reason(j, ref->correlation,
				    "it counts a rule that can't be tested: ", rule->title, "");
		else if (lacks)
			give_reason(j, ref->correlation, "",
				    pk_sigma_field_name(ref->leaf->row, __builtin_ctzll(lacks)),
				    place->no_field);
		news |= *j->reason[ref->correlation->index] != '\0';
	}
	return news;
}

/* Correlations may feed others: until nothing more is found. */
void pk_rule_judge(struct pk_rule_judged *j, const struct pk_rule_place *place)
{
	const struct pk_sigma_rules *all = &j->set->rules;
	bool more = true;

	for (size_t i = 0; i < all->n; i++)
		if (!all->v[i]->problem && !all->v[i]->correlation)
			judge_rule(j, place, all->v[i]);
	while (more) {
		more = false;
		for (size_t i = 0; i < all->n; i++)
			if (!all->v[i]->problem)
				more |= judge_fed(j, place, all->v[i]);
	}
	for (size_t i = 0; i < all->n; i++) {
		bool can = pk_rule_judge_can(j, all->v[i]);

		j->asked += can;
		j->not_asked += !can;
	}
}

bool pk_rule_judge_can(const struct pk_rule_judged *j, const struct pk_sigma_rule *rule)
{
	return !rule->problem && !*j->reason[rule->index];
}

void pk_rule_judge_tell(const struct pk_rule_judged *j)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 };

	for (size_t i = 0; i < j->set->rules.n; i++) {
		const struct pk_sigma_rule *rule = j->set->rules.v[i];

		if (rule->problem)
			pk_sigma_rule_problems(rule, &out);
		if (rule->problem || !*j->reason[i])
			continue;
		pk_escape_text(&out, rule->file, strlen(rule->file));
		pk_buf_fmt(&out, ":%u:%u: ", rule->at.line, rule->at.column);
		pk_escape_text(&out, rule->title, strlen(rule->title));
		pk_buf_str(&out, ": ");
		pk_escape_text(&out, j->reason[i], strlen(j->reason[i]));
		pk_buf_char(&out, '\n');
	}
	fputs(out.len && !out.error ? out.data : "", stderr);
}

bool pk_rule_judge_wanted(void *arg, const struct pk_finding *f)
{
	const struct pk_rule_judged *j = arg;
	const struct pk_sigma_rules *all = &j->set->rules;

	for (size_t i = 0; f->is_rule && i < all->n; i++)
		if (!all->v[i]->problem && strcmp(pk_rules_name(all->v[i]), f->rule) == 0)
			return !*j->reason[i];
	return false;
}
