/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Correlations as a part of the set: references by id or name, aliases, and the fields to group by,
 * found out once, when the set is built. Counting is in state.c.
 */
#include "sigma/correlation.h"

#include "base/cleanup.h"
#include "sigma/field.h"
#include "sigma/set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 8    /* correlations of correlations */
#define REFS_MAX  4096 /* of one correlation, all leaves counted */

struct pk_sigma_rule *pk_sigma_rule_by_id(const struct pk_sigma_set *set, const char *id)
{
	for (size_t i = 0; id && i < set->rules.n; i++)
		if (set->rules.v[i]->id && strcasecmp(set->rules.v[i]->id, id) == 0)
			return set->rules.v[i];
	return NULL;
}

struct pk_sigma_rule *pk_sigma_rule_find(const struct pk_sigma_set *set, const char *id_or_name)
{
	struct pk_sigma_rule *rule = pk_sigma_rule_by_id(set, id_or_name);

	for (size_t i = 0; id_or_name && !rule && i < set->rules.n; i++)
		if (set->rules.v[i]->name && strcmp(set->rules.v[i]->name, id_or_name) == 0)
			rule = set->rules.v[i];
	return rule;
}

static int complain(struct pk_sigma_set *set, struct pk_sigma_rule *rule, struct pk_sigma_mark at,
		    bool unsupported, const char *what, const char *which)
{
	return pk_sigma_complain(&set->arena, rule, at, unsupported, "correlation: %s%s", what,
				 which);
}

/* Does the reference word mean this rule? */
static bool means(const char *word, const struct pk_sigma_rule *rule)
{
	return (rule->id && strcasecmp(word, rule->id) == 0) ||
	       (rule->name && strcmp(word, rule->name) == 0);
}

/* The field of the leaf's events behind a name, which may be an alias of the correlation. */
static int find_field(struct pk_sigma_set *set, struct pk_sigma_rule *corr,
		      const struct pk_sigma_ref *ref, const char *name, struct pk_sigma_mark at,
		      uint8_t *ret)
{
	const struct pk_sigma_correlation *c = corr->correlation;
	bool alias = false;
	int field = -1;

	for (size_t i = 0; i < c->n_aliases; i++) {
		if (strcmp(c->alias[i].name, name) != 0)
			continue;
		alias = true;
		if (means(c->alias[i].rule, ref->rule) || means(c->alias[i].rule, ref->leaf))
			field = pk_sigma_field_find(ref->leaf->row, c->alias[i].field);
	}
	if (!alias)
		field = pk_sigma_field_find(ref->leaf->row, name);
	if (field < 0)
		return pk_sigma_complain(&set->arena, corr, at, true,
					 "correlation: Picket has no field %s for the events of "
					 "%s",
					 name, ref->leaf->title);
	*ret = field;
	return 0;
}

static int fill_fields(struct pk_sigma_set *set, struct pk_sigma_rule *corr,
		       struct pk_sigma_ref *ref)
{
	const struct pk_sigma_correlation *c = corr->correlation;
	int r = 0;

	for (size_t i = 0; i < c->group_by.n && r == 0; i++)
		r = find_field(set, corr, ref, c->group_by.v[i], c->group_at, &ref->group[i]);
	if (r == 0 && c->field)
		r = find_field(set, corr, ref, c->field, c->field_at, &ref->field);
	return r;
}

static int add_ref(struct pk_sigma_set *set, struct pk_sigma_rule *corr,
		   const struct pk_sigma_rule *rule, struct pk_sigma_rule *leaf, uint32_t position)
{
	struct pk_sigma_ref *ref = pk_arena_alloc(&set->arena, sizeof(*ref));
	const struct pk_sigma_ref **v;
	int r;

	if (!ref)
		return -ENOMEM;
	*ref = (struct pk_sigma_ref){
		.correlation = corr, .rule = rule, .leaf = leaf, .position = position
	};
	r = fill_fields(set, corr, ref);
	if (r < 0)
		return r;
	/* On the rule that feeds it: on each firing all of these are gone through. */
	v = pk_arena_alloc(&set->arena, (rule->n_refs + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (rule->n_refs)
		memcpy(v, rule->ref, rule->n_refs * sizeof(*v));
	v[rule->n_refs] = ref;
	set->rules.v[rule->index]->ref = v;
	set->rules.v[rule->index]->n_refs++;
	return 0;
}

/* All ordinary rules below rule feed the correlation through it. */
static int add_leaves(struct pk_sigma_set *set, struct pk_sigma_rule *corr,
		      const struct pk_sigma_rule *through, struct pk_sigma_rule *rule,
		      uint32_t position, unsigned depth)
{
	const struct pk_sigma_correlation *c = rule->correlation;
	int r = 0;

	if (!c)
		return add_ref(set, corr, through, rule, position);
	if (depth > DEPTH_MAX)
		return complain(set, corr, corr->correlation->rules_at, false,
				"refers to itself, or too deeply, by ", rule->title);
	for (size_t i = 0; i < c->rules.n && r == 0; i++) {
		struct pk_sigma_rule *below = pk_sigma_rule_find(set, c->rules.v[i]);

		r = below ? add_leaves(set, corr, through, below, position, depth + 1) : 0;
	}
	return r;
}

static bool has_upper(const struct pk_sigma_correlation *c)
{
	return c->bounds.high != UINT64_MAX || c->bounds.has_not;
}

static int check_counts(struct pk_sigma_set *set, struct pk_sigma_rule *corr)
{
	const struct pk_sigma_correlation *c = corr->correlation;
	const struct pk_sigma_bounds *b = &c->bounds;
	uint64_t top = b->high != UINT64_MAX ? b->high : b->low;

	if (b->has_not && b->not > top)
		top = b->not ;
	if (c->type == PK_SIGMA_EVENT_COUNT && !has_upper(c) && top > PK_SIGMA_EVENTS_MAX)
		return complain(set, corr, c->at, true,
				"counts of more than 10000 events are not "
				"supported",
				"");
	if (c->type == PK_SIGMA_VALUE_COUNT && top > PK_SIGMA_VALUES_MAX)
		return complain(set, corr, c->at, true,
				"counts of more than 1000 values are not "
				"supported",
				"");
	if (c->type == PK_SIGMA_TEMPORAL_ORDERED && c->has_bounds &&
	    (has_upper(c) || b->low != c->rules.n))
		return complain(set, corr, c->at, true,
				"temporal_ordered has to see all of its rules", "");
	if (c->type == PK_SIGMA_TEMPORAL && b->low > c->rules.n)
		return complain(set, corr, c->at, false,
				"the condition asks for more rules than "
				"there are",
				"");
	return 0;
}

static int link_rule(struct pk_sigma_set *set, struct pk_sigma_rule *corr, size_t i)
{
	struct pk_sigma_correlation *c = corr->correlation;
	struct pk_sigma_rule *rule = pk_sigma_rule_find(set, c->rules.v[i]);

	if (!rule)
		return complain(set, corr, c->rules_at, false, "there is no rule ", c->rules.v[i]);
	if (rule->problem)
		return complain(set, corr, c->rules_at, true, "this rule does not run: ",
				rule->title ? rule->title : c->rules.v[i]);
	if (rule->correlation && has_upper(rule->correlation))
		return complain(set, corr, c->rules_at, true,
				"a correlation with lt, lte, eq or neq can not feed another: ",
				rule->title);
	return add_leaves(set, corr, rule, rule, i, 0);
}

static int link_correlation(struct pk_sigma_set *set, struct pk_sigma_rule *corr)
{
	const struct pk_sigma_correlation *c = corr->correlation;
	int r = check_counts(set, corr);

	for (size_t i = 0; i < c->rules.n && r == 0; i++)
		r = i < REFS_MAX ? link_rule(set, corr, i)
				 : complain(set, corr, c->rules_at, false, "too many rules", "");
	if (r == 0 && c->type == PK_SIGMA_TEMPORAL && !c->has_bounds)
		corr->correlation->bounds.low = c->rules.n;
	return r == -ENOMEM ? r : 0;
}

/* Rules that only correlations look at: those one refers to, unless another lets them speak. */
static void hush(struct pk_sigma_set *set, bool generate)
{
	for (size_t i = 0; i < set->rules.n; i++) {
		const struct pk_sigma_rule *corr = set->rules.v[i];

		if (!corr->correlation || corr->problem || corr->correlation->generate != generate)
			continue;
		for (size_t j = 0; j < corr->correlation->rules.n; j++)
			pk_sigma_rule_find(set, corr->correlation->rules.v[j])->silent = !generate;
	}
}

/* What a refused correlation would have been fed must not go anywhere. */
static void drop_refused(struct pk_sigma_set *set)
{
	for (size_t i = 0; i < set->rules.n; i++) {
		struct pk_sigma_rule *rule = set->rules.v[i];
		uint32_t n = 0;

		for (uint32_t j = 0; j < rule->n_refs; j++)
			if (!rule->ref[j]->correlation->problem)
				rule->ref[n++] = rule->ref[j];
		rule->n_refs = n;
	}
}

/* A correlation of one that was refused is refused, too: again until nothing changes. */
static int refuse_above(struct pk_sigma_set *set, bool *ret_changed)
{
	*ret_changed = false;
	for (size_t i = 0; i < set->rules.n; i++) {
		struct pk_sigma_rule *corr = set->rules.v[i];

		for (size_t j = 0;
		     corr->correlation && !corr->problem && j < corr->correlation->rules.n; j++) {
			struct pk_sigma_rule *rule =
				pk_sigma_rule_find(set, corr->correlation->rules.v[j]);

			if (!rule->problem)
				continue;
			*ret_changed = true;
			if (complain(set, corr, corr->correlation->rules_at, true,
				     "this rule does not run: ", rule->title) == -ENOMEM)
				return -ENOMEM;
		}
	}
	return 0;
}

int pk_sigma_correlations_link(struct pk_sigma_set *set)
{
	bool changed = true;
	int r = 0;

	for (size_t i = 0; i < set->rules.n && r == 0; i++)
		if (set->rules.v[i]->correlation && !set->rules.v[i]->problem)
			r = link_correlation(set, set->rules.v[i]);
	while (r == 0 && changed)
		r = refuse_above(set, &changed);
	if (r < 0)
		return r;
	drop_refused(set);
	hush(set, false);
	hush(set, true);
	return 0;
}
