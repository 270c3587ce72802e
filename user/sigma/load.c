/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule files: libyaml parses, this file walks each document into a struct pk_sigma_rule. What
 * stands under `detection` is in load_detection.c, `correlation` in load_correlation.c.
 */
#include "sigma/load.h"

#include "base/cleanup.h"
#include "sigma/load_part.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#define STEPS_MAX     200000
#define DOCUMENTS_MAX 1000 /* of one file */
#define RULES_MAX     50000
#define TITLE_MAX     1024

void pk_sigma_rules_done(struct pk_sigma_rules *r)
{
	free(r->v);
	free(r->place);
	*r = (struct pk_sigma_rules){ 0 };
}

struct pk_sigma_rule *pk_sigma_rules_add(struct pk_arena *a, struct pk_sigma_rules *rules,
					 const char *file, struct pk_sigma_mark at)
{
	struct pk_sigma_rule *rule = pk_arena_alloc(a, sizeof(*rule));

	if (!rule || rules->n >= RULES_MAX)
		return NULL;
	if (rules->n == rules->cap) {
		size_t cap = rules->cap ? rules->cap * 2 : 64;
		struct pk_sigma_rule **v = reallocarray(rules->v, cap, sizeof(*v));

		if (!v)
			return NULL;
		rules->v = v;
		rules->cap = cap;
	}
	rule->file = file;
	rule->at = at;
	rules->v[rules->n++] = rule;
	return rule;
}

static int add_place(struct pk_sigma_rules *rules, const struct pk_sigma_place *p)
{
	if (rules->n_places == rules->cap_places) {
		size_t cap = rules->cap_places ? rules->cap_places * 2 : 8;
		struct pk_sigma_place *v = reallocarray(rules->place, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		rules->place = v;
		rules->cap_places = cap;
	}
	rules->place[rules->n_places++] = *p;
	return 0;
}

static int read_places(struct pk_sigma_doc *d, const yaml_node_t *n, struct pk_sigma_rules *rules)
{
	if (!pk_sigma_is_map(n))
		return pk_sigma_doc_complain(d, n, "placeholders: expected names with values");
	for (size_t i = 0; i < pk_sigma_doc_count(n); i++) {
		struct pk_sigma_place p = { 0 };
		struct pk_sigma_pair pair;
		int r;

		if (!pk_sigma_doc_pair(d, n, i, &pair))
			return -EINVAL;
		p.name = pk_arena_copy(d->arena, pair.key, strlen(pair.key));
		r = p.name ? pk_sigma_doc_list(d, pair.value, p.name, &p.values) : -ENOMEM;
		if (r == 0)
			r = add_place(rules, &p);
		d->no_memory |= r == -ENOMEM;
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_level(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	const char *s;
	int r = pk_sigma_doc_string(d, n, "level", &s);

	if (r < 0)
		return r;
	d->rule->level = pk_sigma_level_parse(s);
	if (!d->rule->level)
		return pk_sigma_doc_complain(d, n,
					     "level: %s, expected informational, low, medium, high "
					     "or critical",
					     s);
	return 0;
}

static int read_tags(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	struct pk_sigma_rule *rule = d->rule;
	int r = pk_sigma_doc_list(d, n, "tags", &rule->tags);

	if (r < 0)
		return r;
	rule->techniques.v = pk_arena_alloc(d->arena, rule->tags.n * sizeof(char *));
	if (!rule->techniques.v)
		return -ENOMEM;
	for (size_t i = 0; i < rule->tags.n; i++) {
		const char *t = pk_sigma_technique(d->arena, rule->tags.v[i]);

		if (t)
			rule->techniques.v[rule->techniques.n++] = t;
	}
	return 0;
}

static int read_logsource(struct pk_sigma_doc *d, const yaml_node_t *n)
{
	struct pk_sigma_rule *rule = d->rule;

	rule->logsource_at = pk_sigma_doc_mark(n);
	if (!pk_sigma_is_map(n))
		return pk_sigma_doc_complain(d, n,
					     "logsource: expected category, product, service");
	for (size_t i = 0; i < pk_sigma_doc_count(n); i++) {
		struct pk_sigma_pair p;
		const char **to = NULL;
		int r;

		if (!pk_sigma_doc_pair(d, n, i, &p))
			return -EINVAL;
		if (!strcmp(p.key, "category"))
			to = &rule->category;
		else if (!strcmp(p.key, "product"))
			to = &rule->product;
		else if (!strcmp(p.key, "service"))
			to = &rule->service;
		r = to ? pk_sigma_doc_string(d, p.value, p.key, to) : 0; /* others are free */
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct {
	const char *key;
	size_t offset;
	bool list;
} metas[] = {
	{ "title", offsetof(struct pk_sigma_rule, title), false },
	{ "id", offsetof(struct pk_sigma_rule, id), false },
	{ "name", offsetof(struct pk_sigma_rule, name), false },
	{ "author", offsetof(struct pk_sigma_rule, author), false },
	{ "status", offsetof(struct pk_sigma_rule, status), false },
	{ "description", offsetof(struct pk_sigma_rule, description), false },
	{ "license", offsetof(struct pk_sigma_rule, license), false },
	{ "date", offsetof(struct pk_sigma_rule, date), false },
	{ "references", offsetof(struct pk_sigma_rule, references), true },
	{ "falsepositives", offsetof(struct pk_sigma_rule, falsepositives), true },
	{ "fields", offsetof(struct pk_sigma_rule, fields), true },
};

static int read_meta(struct pk_sigma_doc *d, const struct pk_sigma_pair *p)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(metas); i++) {
		void *to = (char *)d->rule + metas[i].offset;

		if (strcmp(metas[i].key, p->key) != 0)
			continue;
		return metas[i].list ? pk_sigma_doc_list(d, p->value, p->key, to)
				     : pk_sigma_doc_string(d, p->value, p->key, to);
	}
	return 0; /* "arbitrary custom fields" */
}

/* Old collections of rules, and filters that change other rules, are not Sigma 2 rules. */
static int refuse_kind(struct pk_sigma_doc *d, const struct pk_sigma_pair *p)
{
	int r = pk_sigma_complain(d->arena, d->rule, p->at, true, "%s: not supported",
				  !strcmp(p->key, "filter") ? "a Sigma filter" : "action");

	d->no_memory |= r == -ENOMEM;
	return r;
}

static int read_pair(struct pk_sigma_doc *d, const struct pk_sigma_pair *p,
		     const yaml_node_t **ret_generate)
{
	if (!strcmp(p->key, "level"))
		return read_level(d, p->value);
	if (!strcmp(p->key, "tags"))
		return read_tags(d, p->value);
	if (!strcmp(p->key, "logsource"))
		return read_logsource(d, p->value);
	if (!strcmp(p->key, "detection"))
		return pk_sigma_load_detection(d, p->value);
	if (!strcmp(p->key, "correlation"))
		return pk_sigma_load_correlation(d, p->value);
	if (!strcmp(p->key, "filter") || !strcmp(p->key, "action"))
		return refuse_kind(d, p);
	if (!strcmp(p->key, "generate"))
		*ret_generate = p->value;
	return read_meta(d, p);
}

/* What a rule can't be without. */
static int check_whole(struct pk_sigma_doc *d, const yaml_node_t *root)
{
	const struct pk_sigma_rule *rule = d->rule;

	if (!rule->title || !*rule->title)
		return pk_sigma_doc_complain(d, root, "title: missing");
	if (strlen(rule->title) > TITLE_MAX)
		return pk_sigma_doc_complain(d, root, "title: longer than %d bytes", TITLE_MAX);
	if (rule->correlation)
		return rule->n_idents ? pk_sigma_doc_complain(d, root,
							      "both a detection and a correlation")
				      : 0;
	if (!rule->n_idents)
		return pk_sigma_doc_complain(d, root, "neither a detection nor a correlation");
	if (!rule->n_conditions)
		return pk_sigma_doc_complain(d, root, "condition: missing");
	if (!rule->logsource_at.line)
		return pk_sigma_doc_complain(d, root, "logsource: missing");
	return 0;
}

static void read_rule(struct pk_sigma_doc *d, const yaml_node_t *root)
{
	const yaml_node_t *generate = NULL;

	for (size_t i = 0; i < pk_sigma_doc_count(root); i++) {
		struct pk_sigma_pair p;

		if (pk_sigma_doc_pair(d, root, i, &p) && read_pair(d, &p, &generate) == -ENOMEM)
			d->no_memory = true;
	}
	if (generate && d->rule->correlation)
		(void)pk_sigma_load_generate(d, generate); /* it says itself what is wrong */
	if (!d->rule->problem)
		(void)check_whole(d, root); /* it says itself what is wrong */
}

/* Is this the document that only says what placeholders stand for? */
static const yaml_node_t *places_of(struct pk_sigma_doc *d, const yaml_node_t *root)
{
	struct pk_sigma_pair p;

	if (!pk_sigma_is_map(root) || pk_sigma_doc_count(root) != 1 ||
	    !pk_sigma_doc_pair(d, root, 0, &p) || strcmp(p.key, "placeholders") != 0)
		return NULL;
	return p.value;
}

static int read_document(struct pk_arena *a, const char *file, yaml_document_t *yaml,
			 uint64_t digest, struct pk_sigma_rules *rules)
{
	const yaml_node_t *root = yaml_document_get_root_node(yaml), *places;
	struct pk_sigma_doc d = { .arena = a, .yaml = yaml, .steps = STEPS_MAX };

	if (!root || (pk_sigma_is_scalar(root) && !root->data.scalar.length))
		return 0; /* comments only */
	d.rule = pk_sigma_rules_add(a, rules, file, pk_sigma_doc_mark(root));
	if (!d.rule)
		return -ENOMEM;
	d.rule->digest = digest;
	places = places_of(&d, root);
	if (places && read_places(&d, places, rules) == 0)
		rules->n--; /* no rule after all */
	else if (!places && !pk_sigma_is_map(root))
		pk_sigma_doc_complain(&d, root, "not a rule: expected title, logsource, ...");
	else if (!places)
		read_rule(&d, root);
	return d.no_memory ? -ENOMEM : 0;
}

static int not_yaml(struct pk_arena *a, const char *file, const yaml_parser_t *parser,
		    struct pk_sigma_rules *rules)
{
	struct pk_sigma_mark at = { .line = parser->problem_mark.line + 1,
				    .column = parser->problem_mark.column + 1 };
	struct pk_sigma_rule *rule = pk_sigma_rules_add(a, rules, file, at);
	int r;

	if (!rule || parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	r = pk_sigma_complain(a, rule, at, false, "not YAML: %s",
			      parser->problem ? parser->problem : "unreadable");
	return r == -ENOMEM ? r : 0;
}

int pk_sigma_load_text(struct pk_arena *a, const char *file, const char *text, size_t len,
		       struct pk_sigma_rules *rules)
{
	uint64_t digest = XXH3_64bits(text, len);
	yaml_parser_t parser;
	int r = 0;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	for (unsigned i = 0; i < DOCUMENTS_MAX; i++) {
		yaml_document_t yaml;
		bool last;

		if (!yaml_parser_load(&parser, &yaml)) {
			r = not_yaml(a, file, &parser, rules);
			break;
		}
		last = !yaml_document_get_root_node(&yaml);
		r = read_document(a, file, &yaml, digest + i, rules);
		yaml_document_delete(&yaml);
		if (last || r < 0)
			break;
	}
	yaml_parser_delete(&parser);
	return r;
}
