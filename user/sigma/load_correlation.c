/* SPDX-License-Identifier: Apache-2.0 */
/* What stands under `correlation` (Sigma correlation rules specification 2.0). */
#include "sigma/load_part.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S     1000000000ull
#define TIMESPAN_MAX (365ull * 86400 * NS_PER_S)
#define COUNT_MAX    1000000000ull

uint64_t pk_sigma_timespan(const char *s)
{
	static const char units[] = "smhd";
	static const uint64_t seconds[] = { 1, 60, 3600, 86400 };
	const char *unit;
	uint64_t v = 0;

	for (; isdigit((unsigned char)*s) && v < UINT32_MAX; s++)
		v = v * 10 + (*s - '0');
	unit = *s ? strchr(units, *s) : NULL;
	if (!unit || s[1] || v > TIMESPAN_MAX / NS_PER_S / seconds[unit - units])
		return 0;
	return v * seconds[unit - units] * NS_PER_S;
}

static int read_type(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	static const char *const types[] = {
		[PK_SIGMA_EVENT_COUNT] = "event_count",
		[PK_SIGMA_VALUE_COUNT] = "value_count",
		[PK_SIGMA_TEMPORAL] = "temporal",
		[PK_SIGMA_TEMPORAL_ORDERED] = "temporal_ordered",
	};
	const char *s;
	int r = pk_sigma_doc_string(d, n, "type", &s);

	if (r < 0)
		return r;
	for (size_t i = 0; i < PK_ARRAY_SIZE(types); i++)
		if (strcmp(s, types[i]) == 0) {
			d->rule->correlation->type = i;
			return 1;
		}
	return pk_sigma_complain(d->arena, d->rule, pk_sigma_doc_mark(n), true,
				 "correlation type %s: not supported", s);
}

static int read_rules(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	d->rule->correlation->rules_at = pk_sigma_doc_mark(n);
	return pk_sigma_doc_list(d, n, "rules", &d->rule->correlation->rules);
}

static int read_group(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	struct pk_sigma_correlation *c = d->rule->correlation;
	int r = pk_sigma_doc_list(d, n, "group-by", &c->group_by);

	c->group_at = pk_sigma_doc_mark(n);
	if (r == 0 && c->group_by.n > PK_SIGMA_GROUP_MAX)
		return pk_sigma_doc_complain(d, n, "group-by: more than %d fields",
					     PK_SIGMA_GROUP_MAX);
	return r;
}

static int read_timespan(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	const char *s;
	int r = pk_sigma_doc_string(d, n, "timespan", &s);

	if (r < 0)
		return r;
	d->rule->correlation->timespan_ns = pk_sigma_timespan(s);
	if (!d->rule->correlation->timespan_ns)
		return pk_sigma_doc_complain(
			d, n, "timespan: %s, expected a number and s, m, h or d, up to 365d", s);
	return 0;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* One "gte: 10"; false: no such operator, or one that no count can meet. */
static bool add_bound(struct pk_sigma_bounds *b, const char *op, uint64_t v)
{
	if (!strcmp(op, "gt"))
		b->low = max(b->low, v + 1);
	else if (!strcmp(op, "gte"))
		b->low = max(b->low, v);
	else if (!strcmp(op, "lt") && v)
		b->high = min(b->high, v - 1);
	else if (!strcmp(op, "lte"))
		b->high = min(b->high, v);
	else if (!strcmp(op, "eq"))
		*b = (struct pk_sigma_bounds){ max(b->low, v), min(b->high, v), b->has_not,
					       b->not };
	else if (!strcmp(op, "neq") && !b->has_not)
		*b = (struct pk_sigma_bounds){ b->low, b->high, true, v };
	else
		return false;
	return true;
}

static int read_bound(struct pk_sigma_doc *d, const struct pk_sigma_pair *p)
{
	struct pk_sigma_correlation *c = d->rule->correlation;
	const char *s;
	char *end;
	uint64_t v;
	int r = pk_sigma_doc_string(d, p->value, p->key, &s);

	if (r < 0)
		return r;
	if (!strcmp(p->key, "field")) {
		c->field = s;
		c->field_at = pk_sigma_doc_mark(p->value);
		return 0;
	}
	v = isdigit((unsigned char)*s) ? strtoull(s, &end, 10) : UINT64_MAX;
	if (v > COUNT_MAX || *end)
		return pk_sigma_doc_complain(d, p->value, "%s: %s, expected a count", p->key, s);
	if (!add_bound(&c->bounds, p->key, v))
		return pk_sigma_doc_complain(
			d, p->value, "condition %s: %s, expected gt, gte, lt, lte, eq or neq",
			p->key, s);
	c->has_bounds = true;
	return 0;
}

static int read_bounds(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	struct pk_sigma_bounds *b = &d->rule->correlation->bounds;

	if (!pk_sigma_is_map(n))
		return pk_sigma_complain(d->arena, d->rule, pk_sigma_doc_mark(n), true,
					 "condition: only gt, gte, lt, lte, eq, neq are supported");
	b->high = UINT64_MAX;
	for (size_t i = 0; i < pk_sigma_doc_count(n); i++) {
		struct pk_sigma_pair p;
		int r = pk_sigma_doc_pair(d, n, i, &p) ? read_bound(d, &p) : -EINVAL;

		if (r < 0)
			return r;
	}
	if (b->low > b->high)
		return pk_sigma_doc_complain(d, n, "condition: no count can meet it");
	return 0;
}

static int read_alias(struct pk_sigma_doc *d, const struct pk_sigma_pair *alias)
{
	struct pk_sigma_correlation *c = d->rule->correlation;
	size_t n = pk_sigma_doc_count(alias->value);
	struct pk_sigma_alias *v;

	if (!pk_sigma_is_map(alias->value))
		return pk_sigma_doc_complain(d, alias->value, "alias: expected rules with fields");
	v = pk_arena_alloc(d->arena, (c->n_aliases + n) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (c->n_aliases)
		memcpy(v, c->alias, c->n_aliases * sizeof(*v));
	c->alias = v;
	for (size_t i = 0; i < n; i++) {
		struct pk_sigma_pair p;
		int r;

		if (!pk_sigma_doc_pair(d, alias->value, i, &p))
			return -EINVAL;
		v = &c->alias[c->n_aliases];
		v->at = p.at;
		v->name = pk_arena_copy(d->arena, alias->key, strlen(alias->key));
		v->rule = pk_arena_copy(d->arena, p.key, strlen(p.key));
		if (!v->name || !v->rule)
			return -ENOMEM;
		r = pk_sigma_doc_string(d, p.value, p.key, &v->field);
		if (r < 0)
			return r;
		c->n_aliases++;
	}
	return 0;
}

static int read_aliases(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	if (!pk_sigma_is_map(n))
		return pk_sigma_doc_complain(d, n, "aliases: expected names");
	for (size_t i = 0; i < pk_sigma_doc_count(n); i++) {
		struct pk_sigma_pair p;
		int r = pk_sigma_doc_pair(d, n, i, &p) ? read_alias(d, &p) : -EINVAL;

		if (r < 0)
			return r;
	}
	return 0;
}

int pk_sigma_load_generate(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	const char *s;
	int r = pk_sigma_doc_string(d, n, "generate", &s);

	if (r < 0)
		return r;
	d->rule->correlation->generate = !strcmp(s, "true");
	if (!d->rule->correlation->generate && strcmp(s, "false") != 0)
		return pk_sigma_doc_complain(d, n, "generate: expected true or false");
	return 0;
}

static const struct {
	const char *key;
	int (*read)(struct pk_sigma_doc *d, const yaml_node_t *n);
} keys[] = {
	{ "type", read_type },
	{ "rules", read_rules },
	{ "group-by", read_group },
	{ "timespan", read_timespan },
	{ "condition", read_bounds },
	{ "aliases", read_aliases },
	{ "generate", pk_sigma_load_generate },
};

static int read_key(struct pk_sigma_doc *d, const struct pk_sigma_pair *p)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i].key, p->key) == 0)
			return keys[i].read(d, p->value);
	return pk_sigma_complain(d->arena, d->rule, p->at, true, "correlation %s: not supported",
				 p->key);
}

static int check_whole(struct pk_sigma_doc *d, const yaml_node_t *n, bool has_type)
{
	const struct pk_sigma_correlation *c = d->rule->correlation;
	bool counts = c->type == PK_SIGMA_EVENT_COUNT || c->type == PK_SIGMA_VALUE_COUNT;

	if (!has_type)
		return pk_sigma_doc_complain(d, n, "correlation type: missing");
	if (!c->rules.n)
		return pk_sigma_doc_complain(d, n, "correlation rules: missing");
	if (!c->timespan_ns)
		return pk_sigma_doc_complain(d, n, "correlation timespan: missing");
	if (counts && !c->has_bounds)
		return pk_sigma_doc_complain(d, n, "correlation condition: missing");
	if (c->type == PK_SIGMA_VALUE_COUNT && !c->field)
		return pk_sigma_doc_complain(d, n, "value_count: its condition names no field");
	if (c->type != PK_SIGMA_VALUE_COUNT && c->field)
		return pk_sigma_doc_complain(d, n, "a field is only for value_count");
	return 0;
}

int pk_sigma_load_correlation(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	bool has_type = false;

	d->rule->correlation = pk_arena_alloc(d->arena, sizeof(*d->rule->correlation));
	if (!d->rule->correlation)
		return -ENOMEM;
	d->rule->correlation->at = pk_sigma_doc_mark(n);
	d->rule->correlation->bounds.high = UINT64_MAX;
	if (!pk_sigma_is_map(n))
		return pk_sigma_doc_complain(d, n, "correlation: expected type, rules, ...");
	for (size_t i = 0; i < pk_sigma_doc_count(n); i++) {
		struct pk_sigma_pair p;
		int r = pk_sigma_doc_pair(d, n, i, &p) ? read_key(d, &p) : -EINVAL;

		if (r < 0)
			return r;
		has_type |= r == 1;
	}
	return check_whole(d, n, has_type);
}
