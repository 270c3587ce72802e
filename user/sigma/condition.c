/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of conditions, from least to most binding: or, and, not, "N of NAMES", parentheses. A
 * recursive descent over words; what an identifier holds is not looked at.
 */
#include "sigma/condition.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 32
#define WORD_MAX  256
#define CHAIN_MAX 128

struct parse {
	struct pk_arena *arena;
	struct pk_sigma_rule *rule;
	struct pk_sigma_mark at;
	const char *s;       /* behind word */
	char word[WORD_MAX]; /* "": the end */
	unsigned depth;
};

static int complain(struct parse *p, const char *what, const char *word)
{
	return pk_sigma_complain(p->arena, p->rule, p->at, false, "condition: %s%s%s", what,
				 *word ? " " : "", word);
}

static int next(struct parse *p)
{
	size_t len = 0;

	p->s += strspn(p->s, " \t\r\n");
	if (*p->s == '|')
		return pk_sigma_complain(p->arena, p->rule, p->at, true,
					 "condition: the aggregation \"%.64s\" is deprecated, a "
					 "correlation says it",
					 p->s);
	if (*p->s == '(' || *p->s == ')')
		len = 1;
	else
		len = strcspn(p->s, " \t\r\n()|");
	if (len >= WORD_MAX)
		return complain(p, "a name is too long", "");
	memcpy(p->word, p->s, len);
	p->word[len] = '\0';
	p->s += len;
	return 0;
}

static bool is(const struct parse *p, const char *word)
{
	return strcasecmp(p->word, word) == 0;
}

static int parse_or(struct parse *p, struct pk_sigma_node **ret);

/* Does name fit a pattern whose `*` stand for anything? */
static bool fits(const char *pattern, const char *name)
{
	if (*pattern != '*')
		return *pattern == *name && (!*pattern || fits(pattern + 1, name + 1));
	while (*pattern == '*')
		pattern++;
	for (; *name; name++)
		if (fits(pattern, name))
			return true;
	return !*pattern;
}

static bool is_meant(const char *pattern, const char *name)
{
	if (strcasecmp(pattern, "them") == 0)
		return name[0] != '_';
	return fits(pattern, name);
}

/* "1 of selection_*": all identifiers meant by the word, with kind and need of the quantifier. */
static int parse_of(struct parse *p, enum pk_sigma_node_kind kind, uint32_t need,
		    struct pk_sigma_node **ret)
{
	const struct pk_sigma_rule *rule = p->rule;
	struct pk_sigma_node *n = pk_sigma_node_new(p->arena, kind, rule->n_idents);
	unsigned stars = 0;

	if (!n)
		return -ENOMEM;
	for (const char *s = p->word; *s; s++)
		stars += *s == '*';
	if (stars > 4) /* fits() takes a power of them */
		return complain(p, "too many wildcards in", p->word);
	for (size_t i = 0; i < rule->n_idents; i++)
		if (is_meant(p->word, rule->ident[i].name))
			n->child[n->n++] = rule->ident[i].node;
	if (!n->n)
		return complain(p, "no search identifier is named", p->word);
	if (need > n->n)
		return complain(p, "it asks for more than there are of", p->word);
	n->need = need;
	*ret = n;
	return next(p);
}

static int parse_ident(struct parse *p, const char *name, struct pk_sigma_node **ret)
{
	for (size_t i = 0; i < p->rule->n_idents; i++)
		if (strcmp(p->rule->ident[i].name, name) == 0) {
			*ret = p->rule->ident[i].node;
			return 0;
		}
	return complain(p, *name ? "no search identifier is named" : "it ends too early", name);
}

/* The quantifier's kind; false: the word is none. */
static bool quantifier(const char *word, enum pk_sigma_node_kind *ret_kind, uint32_t *ret_need)
{
	bool any = !strcasecmp(word, "any") || !strcmp(word, "1");
	unsigned long n;
	char *end;

	*ret_need = 0;
	*ret_kind = any ? PK_SIGMA_ANY : PK_SIGMA_ALL;
	if (any || !strcasecmp(word, "all"))
		return true;
	if (!isdigit((unsigned char)*word))
		return false;
	n = strtoul(word, &end, 10);
	*ret_kind = PK_SIGMA_COUNT;
	*ret_need = n < UINT32_MAX ? n : UINT32_MAX;
	return !*end && n;
}

static int parse_word(struct parse *p, struct pk_sigma_node **ret)
{
	enum pk_sigma_node_kind kind;
	char name[WORD_MAX];
	uint32_t need;
	int r;

	memcpy(name, p->word, sizeof(name));
	r = next(p);
	if (r < 0)
		return r;
	if (!is(p, "of"))
		return parse_ident(p, name, ret);
	if (!quantifier(name, &kind, &need))
		return complain(p, "expected 1, any, all or a number before \"of\", not", name);
	r = next(p);
	return r < 0 ? r : parse_of(p, kind, need, ret);
}

static int parse_primary(struct parse *p, struct pk_sigma_node **ret)
{
	int r;

	if (!is(p, "("))
		return parse_word(p, ret);
	r = next(p);
	if (r == 0)
		r = parse_or(p, ret);
	if (r < 0)
		return r;
	return is(p, ")") ? next(p) : complain(p, "expected ) before", p->word);
}

static int parse_not(struct parse *p, struct pk_sigma_node **ret)
{
	struct pk_sigma_node *n;
	int r;

	if (!is(p, "not"))
		return parse_primary(p, ret);
	if (++p->depth > DEPTH_MAX)
		return complain(p, "nested too deeply", "");
	r = next(p);
	n = pk_sigma_node_new(p->arena, PK_SIGMA_NOT, 1);
	if (r == 0)
		r = n ? parse_not(p, &n->child[0]) : -ENOMEM;
	p->depth--;
	if (r < 0)
		return r;
	n->n = 1;
	*ret = n;
	return 0;
}

/* "a WORD b WORD c": one node, or the operand itself where there is but one. */
static int parse_chain(struct parse *p, const char *word, enum pk_sigma_node_kind kind,
		       int (*operand)(struct parse *, struct pk_sigma_node **),
		       struct pk_sigma_node **ret)
{
	struct pk_sigma_node *first = NULL, *n = NULL;
	int r = operand(p, &first);

	while (r == 0 && is(p, word)) {
		if (!n && !(n = pk_sigma_node_new(p->arena, kind, CHAIN_MAX)))
			return -ENOMEM;
		if (!n->n)
			n->child[n->n++] = first;
		if (n->n == CHAIN_MAX)
			return complain(p, "too long a chain of", word);
		r = next(p);
		if (r == 0)
			r = operand(p, &n->child[n->n++]);
	}
	if (r == 0)
		*ret = n ? n : first;
	return r;
}

static int parse_and(struct parse *p, struct pk_sigma_node **ret)
{
	return parse_chain(p, "and", PK_SIGMA_ALL, parse_not, ret);
}

static int parse_or(struct parse *p, struct pk_sigma_node **ret)
{
	int r;

	if (++p->depth > DEPTH_MAX)
		return complain(p, "nested too deeply", "");
	r = parse_chain(p, "or", PK_SIGMA_ANY, parse_and, ret);
	p->depth--;
	return r;
}

static int parse_one(struct pk_arena *a, struct pk_sigma_rule *rule,
		     const struct pk_sigma_condition *c, struct pk_sigma_node **ret)
{
	struct parse p = { .arena = a, .rule = rule, .at = c->at, .s = c->text };
	int r = next(&p);

	if (r == 0)
		r = parse_or(&p, ret);
	if (r < 0)
		return r;
	return *p.word ? complain(&p, "expected and, or, or its end before", p.word) : 0;
}

int pk_sigma_condition_parse(struct pk_arena *a, struct pk_sigma_rule *rule,
			     struct pk_sigma_node **ret)
{
	struct pk_sigma_node *any = pk_sigma_node_new(a, PK_SIGMA_ANY, rule->n_conditions);

	if (!any)
		return -ENOMEM;
	for (; any->n < rule->n_conditions; any->n++) {
		int r = parse_one(a, rule, &rule->condition[any->n], &any->child[any->n]);

		if (r < 0)
			return r;
	}
	*ret = any->n == 1 ? any->child[0] : any;
	return 0;
}
