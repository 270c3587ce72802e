/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCRE2 with bounds, and a reader of expressions that is only sure of plain text outside of groups.
 * It gives up on all that it does not know: then the expression is tried on every event.
 */
#include "sigma/regex.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

int pk_sigma_re_compile(const char *s, unsigned re_flags, pcre2_code **ret, char *ret_error,
			size_t size, size_t *ret_at)
{
	uint32_t options = PCRE2_NEVER_BACKSLASH_C;
	int error;

	if (re_flags & PK_SIGMA_RE_I)
		options |= PCRE2_CASELESS;
	if (re_flags & PK_SIGMA_RE_M)
		options |= PCRE2_MULTILINE;
	if (re_flags & PK_SIGMA_RE_S)
		options |= PCRE2_DOTALL;
	*ret_at = 0;
	*ret = pcre2_compile((PCRE2_SPTR)s, strlen(s), options, &error, ret_at, NULL);
	if (!*ret) {
		pcre2_get_error_message(error, (PCRE2_UCHAR *)ret_error, size);
		return error == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -EINVAL;
	}
	(void)pcre2_jit_compile(*ret, PCRE2_JIT_COMPLETE); /* else it is interpreted */
	return 0;
}

struct run {
	struct pk_sigma_re_alts best, now; /* now: of the run being read */
	const char *s;
};

static void begin_run(struct run *r)
{
	r->now.n = 1;
	r->now.v[0].len = 0;
}

/* What the shortest text of them is worth. */
static size_t worth(const struct pk_sigma_re_alts *a)
{
	size_t len = a->n ? SIZE_MAX : 0;

	for (size_t i = 0; i < a->n; i++)
		len = a->v[i].len < len ? a->v[i].len : len;
	return len;
}

static void end_run(struct run *r)
{
	if (worth(&r->now) > worth(&r->best))
		r->best = r->now;
	begin_run(r);
}

static void put(struct run *r, char c)
{
	if (r->now.v[0].len >= sizeof(r->now.v[0].s) / 2)
		end_run(r);
	for (size_t i = 0; i < r->now.n; i++)
		if (r->now.v[i].len < sizeof(r->now.v[i].s))
			r->now.v[i].s[r->now.v[i].len++] = c;
}

/* What is repeated may not be there. */
static void unput(struct run *r)
{
	for (size_t i = 0; i < r->now.n; i++)
		r->now.v[i].len -= r->now.v[i].len > 0;
}

/* Behind "[...]"; NULL: it does not end. */
static const char *skip_class(const char *s)
{
	s += 1 + (s[1] == '^');
	if (*s == ']')
		s++;
	for (; *s && *s != ']'; s++) {
		if (*s == '\\' && s[1])
			s++;
		else if (*s == '[' && s[1] == ':' && strstr(s + 2, ":]"))
			s = strstr(s + 2, ":]") + 1;
	}
	return *s ? s + 1 : NULL;
}

/* Behind "(...)", with what is nested; NULL: it does not end, or is more than a group. */
static const char *skip_group(const char *s)
{
	unsigned depth = 0;

	while (s && *s) {
		if (*s == '(')
			depth++;
		if (*s == ')' && !--depth)
			return s + 1;
		if (*s == '\\' && (!s[1] || strchr("QE", s[1])))
			return NULL;
		s = *s == '[' ? skip_class(s) : s + (*s == '\\' ? 2 : 1);
	}
	return NULL;
}

/* "(?i)" and "(?x" change what follows, "(*" are verbs. Groups that only group are fine. */
static bool is_plain_group(const char *s)
{
	return s[1] != '*' && (s[1] != '?' || strchr(":=!<>P", s[2]) || !strncmp(s, "(?i)", 4));
}

/* The texts of "(a|b|c)" or "(?:a|b)"; where the group ends, NULL: it is not so simple. */
static const char *simple_group(const char *s, struct pk_sigma_re_alts *ret)
{
	*ret = (struct pk_sigma_re_alts){ .n = 1 };
	for (s += strncmp(s, "(?:", 3) ? 1 : 3; *s && *s != ')'; s++) {
		size_t last = ret->n - 1;

		if (*s == '|') {
			if (ret->n == PK_SIGMA_RE_ALTS)
				return NULL;
			ret->v[ret->n++].len = 0;
		} else if (strchr("\\[](){}.*+?^$", *s) ||
			   ret->v[last].len == sizeof(ret->v[last].s) / 2) {
			return NULL;
		} else {
			ret->v[last].s[ret->v[last].len++] = *s;
		}
	}
	return *s && !(s[1] && strchr("*+?{", s[1])) ? s + 1 : NULL;
}

/* Each text so far with each of the group's behind it; false: too many, or too long. */
static bool cross(struct run *r, const struct pk_sigma_re_alts *group)
{
	struct pk_sigma_re_alts all = { 0 };

	if (r->now.n * group->n > PK_SIGMA_RE_ALTS)
		return false;
	for (size_t i = 0; i < r->now.n; i++)
		for (size_t j = 0; j < group->n; j++) {
			size_t a = r->now.v[i].len, b = group->v[j].len;

			if (a + b > sizeof(all.v[0].s))
				return false;
			all.v[all.n] = r->now.v[i];
			memcpy(all.v[all.n].s + a, group->v[j].s, b);
			all.v[all.n++].len = a + b;
		}
	r->now = all;
	return true;
}

static bool take_group(struct run *r)
{
	struct pk_sigma_re_alts group;
	const char *end = r->s[1] == '?' && r->s[2] != ':' ? NULL : simple_group(r->s, &group);

	if (end && cross(r, &group)) {
		r->s = end;
		return true;
	}
	end_run(r);
	r->s = is_plain_group(r->s) ? skip_group(r->s) : NULL;
	return r->s;
}

/* One more step; false: nothing can be said of this expression. */
static bool step(struct run *r)
{
	const char *s = r->s;

	switch (*s) {
	case '|':
	case ')':
		return false;
	case '[':
		end_run(r);
		r->s = skip_class(s);
		return r->s;
	case '(':
		return take_group(r);
	case '*':
	case '?':
	case '{':
		unput(r);
		end_run(r);
		r->s += *s == '{' ? 1 + strspn(s + 1, "0123456789, ") : 0;
		return (*s != '{' || *r->s == '}') && r->s++;
	case '+':
	case '.':
	case '^':
	case '$':
		end_run(r);
		r->s++;
		return true;
	case '\\':
		if (!s[1] ||
		    (isalnum((unsigned char)s[1]) && !strchr("dDwWsSbBAzZhHvVRntrfae", s[1])))
			return false;
		if (isalnum((unsigned char)s[1]))
			end_run(r);
		else
			put(r, s[1]);
		r->s += 2;
		return true;
	default:
		put(r, *s);
		r->s++;
		return true;
	}
}

void pk_sigma_re_literals(const char *s, unsigned re_flags, struct pk_sigma_re_alts *ret)
{
	struct run r = { .s = s };

	*ret = (struct pk_sigma_re_alts){ 0 };
	begin_run(&r);
	while (*r.s)
		if (!step(&r))
			return;
	end_run(&r);
	*ret = r.best;
	ret->cased = !(re_flags & PK_SIGMA_RE_I) && !strstr(s, "(?i");
}
