/* SPDX-License-Identifier: Apache-2.0 */
/* What stands under `detection`: search identifiers of maps, lists and keywords, and conditions. */
#include "sigma/load_part.h"

#include <errno.h>
#include <string.h>

static struct pk_sigma_node *node_item(struct pk_sigma_doc *d, struct pk_sigma_item *item)
{
	struct pk_sigma_node *n = pk_sigma_node_new(d->arena, PK_SIGMA_ITEM, 0);

	if (n)
		n->item = item;
	return n;
}

static struct pk_sigma_item *item_new(struct pk_sigma_doc *d, size_t values,
				      struct pk_sigma_mark at)
{
	struct pk_sigma_item *item = pk_arena_alloc(d->arena, sizeof(*item));

	if (!item)
		return NULL;
	item->field = "";
	item->at = at;
	item->value = pk_arena_alloc(d->arena, values * sizeof(*item->value));
	return item->value ? item : NULL;
}

static int read_value(struct pk_sigma_doc *d, const yaml_node_t *n, struct pk_sigma_item *item)
{
	struct pk_sigma_value *v = &item->value[item->n_values];
	int r;

	if (!pk_sigma_is_scalar(n))
		return pk_sigma_doc_complain(d, n, "a value must be a text, number or null");
	r = pk_sigma_doc_text(d, n, &v->s, &v->len);
	if (r < 0)
		return r;
	v->at = pk_sigma_doc_mark(n);
	item->n_values++;
	return 0;
}

/* "Image|endswith|cased": field and modifiers. */
static int read_key(struct pk_sigma_doc *d, const struct pk_sigma_pair *p,
		    struct pk_sigma_item *item)
{
	char *word = pk_arena_copy(d->arena, p->key, strlen(p->key));
	char *next = word ? strchr(word, '|') : NULL;

	if (!word)
		return -ENOMEM;
	item->field = word;
	for (; next; next = strchr(word, '|')) {
		*next = '\0';
		word = next + 1;
		if (item->n_modifiers == PK_SIGMA_CHAIN_MAX)
			return pk_sigma_complain(d->arena, d->rule, p->at, false,
						 "%s: more than %d modifiers", item->field,
						 PK_SIGMA_CHAIN_MAX);
		item->modifier[item->n_modifiers++] = word;
	}
	return 0;
}

static int read_item(struct pk_sigma_doc *d, const struct pk_sigma_pair *p,
		     struct pk_sigma_node **ret)
{
	bool is_list = pk_sigma_is_list(p->value);
	size_t n = is_list ? pk_sigma_doc_count(p->value) : 1;
	struct pk_sigma_item *item = item_new(d, n, p->at);
	int r = item ? read_key(d, p, item) : -ENOMEM;

	if (r < 0)
		return r;
	item->is_list = is_list;
	if (!n)
		return pk_sigma_complain(d->arena, d->rule, p->at, false, "%s: an empty list",
					 p->key);
	for (size_t i = 0; i < n; i++) {
		const yaml_node_t *m = is_list ? pk_sigma_doc_member(d, p->value, i) : p->value;

		r = m ? read_value(d, m, item) : -EINVAL;
		if (r < 0)
			return r;
	}
	*ret = node_item(d, item);
	return *ret ? 0 : -ENOMEM;
}

static int read_map(struct pk_sigma_doc *d, const yaml_node_t *n, struct pk_sigma_node **ret)
{
	size_t count = pk_sigma_doc_count(n);
	struct pk_sigma_node *node = pk_sigma_node_new(d->arena, PK_SIGMA_ALL, count);

	if (!node)
		return -ENOMEM;
	if (!count)
		return pk_sigma_doc_complain(d, n, "an empty search identifier");
	for (; node->n < count; node->n++) {
		struct pk_sigma_pair p;
		int r = pk_sigma_doc_pair(d, n, node->n, &p)
				? read_item(d, &p, &node->child[node->n])
				: -EINVAL;

		if (r < 0)
			return r;
	}
	*ret = node;
	return 0;
}

static int read_keyword(struct pk_sigma_doc *d, const yaml_node_t *n, struct pk_sigma_node **ret)
{
	struct pk_sigma_item *item = item_new(d, 1, pk_sigma_doc_mark(n));
	int r = item ? read_value(d, n, item) : -ENOMEM;

	if (r < 0)
		return r;
	*ret = node_item(d, item);
	return *ret ? 0 : -ENOMEM;
}

static int read_member(struct pk_sigma_doc *d, const yaml_node_t *n, struct pk_sigma_node **ret)
{
	if (pk_sigma_is_map(n))
		return read_map(d, n, ret);
	if (pk_sigma_is_scalar(n))
		return read_keyword(d, n, ret);
	return pk_sigma_doc_complain(d, n, "a list within a list");
}

static int read_ident(struct pk_sigma_doc *d, const yaml_node_t *n, struct pk_sigma_node **ret)
{
	size_t count = pk_sigma_doc_count(n);
	struct pk_sigma_node *node;

	if (!pk_sigma_is_list(n))
		return read_member(d, n, ret);
	node = pk_sigma_node_new(d->arena, PK_SIGMA_ANY, count);
	if (!node)
		return -ENOMEM;
	if (!count)
		return pk_sigma_doc_complain(d, n, "an empty search identifier");
	for (; node->n < count; node->n++) {
		const yaml_node_t *m = pk_sigma_doc_member(d, n, node->n);
		int r = m ? read_member(d, m, &node->child[node->n]) : -EINVAL;

		if (r < 0)
			return r;
	}
	*ret = node;
	return 0;
}

static int read_conditions(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	struct pk_sigma_rule *rule = d->rule;
	size_t count = pk_sigma_is_list(n) ? pk_sigma_doc_count(n) : 1;

	rule->condition = pk_arena_alloc(d->arena, count * sizeof(*rule->condition));
	if (!rule->condition)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct pk_sigma_condition *c = &rule->condition[i];
		const yaml_node_t *m = pk_sigma_is_list(n) ? pk_sigma_doc_member(d, n, i) : n;
		int r = m ? pk_sigma_doc_string(d, m, "condition", &c->text) : -EINVAL;

		if (r < 0)
			return r;
		c->at = pk_sigma_doc_mark(m);
		rule->n_conditions++;
	}
	return 0;
}

int pk_sigma_load_detection(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	struct pk_sigma_rule *rule = d->rule;

	if (!pk_sigma_is_map(n))
		return pk_sigma_doc_complain(d, n, "detection: expected search identifiers");
	rule->ident = pk_arena_alloc(d->arena, pk_sigma_doc_count(n) * sizeof(*rule->ident));
	if (!rule->ident)
		return -ENOMEM;
	for (size_t i = 0; i < pk_sigma_doc_count(n); i++) {
		struct pk_sigma_ident *ident = &rule->ident[rule->n_idents];
		struct pk_sigma_pair p;
		int r;

		if (!pk_sigma_doc_pair(d, n, i, &p))
			return -EINVAL;
		if (!strcmp(p.key, "timeframe"))
			return pk_sigma_complain(d->arena, rule, p.at, true,
						 "timeframe: deprecated, a correlation says it");
		if (!strcmp(p.key, "condition")) {
			r = read_conditions(d, p.value);
		} else {
			ident->name = pk_arena_copy(d->arena, p.key, strlen(p.key));
			ident->at = p.at;
			r = ident->name ? read_ident(d, p.value, &ident->node) : -ENOMEM;
			rule->n_idents += r == 0;
		}
		if (r < 0)
			return r;
	}
	return 0;
}
