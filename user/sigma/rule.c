/* SPDX-License-Identifier: Apache-2.0 */
/* What all who work on a rule share: complaints with a place, nodes, levels and techniques. */
#include "sigma/rule.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PROBLEM_BYTES 512
#define PROBLEMS_MAX  64 /* of one rule: more say nothing new */

int pk_sigma_complain(struct pk_arena *a, struct pk_sigma_rule *rule, struct pk_sigma_mark at,
		      bool unsupported, const char *fmt, ...)
{
	struct pk_sigma_problem **last = &rule->problem, *p;
	char text[PROBLEM_BYTES];
	size_t n = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (; *last; last = &(*last)->next)
		n++;
	if (n >= PROBLEMS_MAX)
		return unsupported ? -ENOTSUP : -EINVAL;
	p = pk_arena_alloc(a, sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = (struct pk_sigma_problem){ .at = at, .unsupported = unsupported };
	p->text = pk_arena_copy(a, text, strlen(text));
	if (!p->text)
		return -ENOMEM;
	*last = p;
	return unsupported ? -ENOTSUP : -EINVAL;
}

struct pk_sigma_node *pk_sigma_node_new(struct pk_arena *a, enum pk_sigma_node_kind kind, size_t n)
{
	struct pk_sigma_node *node = pk_arena_alloc(a, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = kind;
	node->child = pk_arena_alloc(a, n * sizeof(*node->child));
	return node->child ? node : NULL;
}

static const char *const levels[] = {
	[PK_SIGMA_INFORMATIONAL] = "informational",
	[PK_SIGMA_LOW] = "low",
	[PK_SIGMA_MEDIUM] = "medium",
	[PK_SIGMA_HIGH] = "high",
	[PK_SIGMA_CRITICAL] = "critical",
};

const char *pk_sigma_level_name(enum pk_sigma_level level)
{
	return level <= PK_SIGMA_CRITICAL ? levels[level] : NULL;
}

enum pk_sigma_level pk_sigma_level_parse(const char *s)
{
	for (int i = PK_SIGMA_INFORMATIONAL; i <= PK_SIGMA_CRITICAL; i++)
		if (strcasecmp(s, levels[i]) == 0)
			return i;
	return PK_SIGMA_LEVEL_NONE;
}

static bool is_digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return true;
}

const char *pk_sigma_technique(struct pk_arena *a, const char *tag)
{
	static const char prefix[] = "attack.t";
	const char *number = tag + sizeof(prefix) - 1;
	size_t len;
	char *text;

	if (strncasecmp(tag, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	len = strlen(number);
	if (!(len == 4 || (len == 8 && number[4] == '.' && is_digits(number + 5, 3))) ||
	    !is_digits(number, 4))
		return NULL;
	text = pk_arena_copy(a, number - 1, len + 1);
	if (text)
		text[0] = 'T';
	return text;
}
