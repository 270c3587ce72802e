/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of modifiers and the order they may stand in. What base64, UTF-16, windash and expand
 * make of a value is in encode.c.
 */
#include "sigma/modifier.h"

#include "base/cleanup.h"
#include "sigma/encode.h"

#include <errno.h>
#include <string.h>

/* Classes, as bits: a modifier says which may stand before it. */
#define EXPAND   0x0001u
#define DASH     0x0002u
#define WIDE     0x0004u
#define BASE64   0x0008u
#define ANCHOR   0x0010u
#define RE       0x0020u
#define RE_FLAG  0x0040u
#define CIDR     0x0080u
#define NUMBER   0x0100u
#define EXISTS   0x0200u
#define FIELDREF 0x0400u
#define ALL      0x0800u
#define NEQ      0x1000u
#define CASED    0x2000u
#define DATE     0x4000u

#define LINKS (ALL | NEQ)

struct state {
	struct pk_arena *arena;
	struct pk_sigma_rule *rule;
	const struct pk_sigma_item *item;
	const struct pk_sigma_rules *places;
	struct pk_sigma_wants *wants;
	size_t alts; /* so far */
};

static int complain(struct state *s, const char *modifier, const char *what)
{
	return pk_sigma_complain(s->arena, s->rule, s->item->at, false, "%s|%s: %s", s->item->field,
				 modifier, what);
}

static int set_how(struct state *s, unsigned arg)
{
	s->wants->how = arg;
	return 0;
}

static int set_re_flag(struct state *s, unsigned arg)
{
	s->wants->re_flags |= arg;
	return 0;
}

static int set_all(struct state *s, unsigned arg)
{
	(void)arg;
	s->wants->all = true;
	return s->item->n_values > 1 ? 0 : complain(s, "all", "a single value can not have it");
}

static int set_neq(struct state *s, unsigned arg)
{
	(void)arg;
	s->wants->neq = true;
	return 0;
}

static int set_cased(struct state *s, unsigned arg)
{
	(void)arg;
	s->wants->cased = true;
	return 0;
}

static int set_anchor(struct state *s, unsigned arg)
{
	s->wants->before = arg & 1;
	s->wants->behind = arg & 2;
	return 0;
}

static int encode_alts(struct state *s, unsigned arg)
{
	for (size_t i = 0; i < s->wants->n; i++) {
		struct pk_sigma_want *w = &s->wants->v[i];
		size_t was = w->n;
		int r = w->n ? pk_sigma_encode(s->arena, arg, PK_SIGMA_ALTS_MAX - s->alts, w) : 0;

		if (r == -EBADMSG)
			return complain(s, "base64",
					"only plain UTF-8 text can be encoded, "
					"without wildcards");
		if (r == -E2BIG)
			return complain(s, "windash", "too many combinations");
		if (r < 0)
			return r;
		s->alts += w->n - was;
	}
	return 0;
}

static int refuse_date(struct state *s, unsigned arg)
{
	(void)arg;
	return pk_sigma_complain(s->arena, s->rule, s->item->at, true,
				 "%s: no field holds a date, modifiers of time are not supported",
				 s->item->field);
}

/* Done before all others, by make_texts(). */
static int no_more(struct state *s, unsigned arg)
{
	(void)s;
	(void)arg;
	return 0;
}

static const struct modifier {
	const char *name;
	unsigned class;
	unsigned after; /* classes that may stand before it */
	int (*apply)(struct state *s, unsigned arg);
	unsigned arg;
} modifiers[] = {
	{ "expand", EXPAND, 0, no_more, 0 },
	{ "contains", ANCHOR, EXPAND | DASH | WIDE | BASE64 | FIELDREF | LINKS | CASED, set_anchor,
	  3 },
	{ "startswith", ANCHOR, EXPAND | DASH | WIDE | BASE64 | FIELDREF | LINKS | CASED,
	  set_anchor, 2 },
	{ "endswith", ANCHOR, EXPAND | DASH | WIDE | BASE64 | FIELDREF | LINKS | CASED, set_anchor,
	  1 },
	{ "windash", DASH, EXPAND | LINKS | CASED | ANCHOR, encode_alts, PK_SIGMA_WINDASH },
	{ "utf16le", WIDE, EXPAND | DASH | LINKS | CASED, encode_alts, PK_SIGMA_UTF16LE },
	{ "wide", WIDE, EXPAND | DASH | LINKS | CASED, encode_alts, PK_SIGMA_UTF16LE },
	{ "utf16be", WIDE, EXPAND | DASH | LINKS | CASED, encode_alts, PK_SIGMA_UTF16BE },
	{ "utf16", WIDE, EXPAND | DASH | LINKS | CASED, encode_alts, PK_SIGMA_UTF16 },
	{ "base64", BASE64, EXPAND | DASH | WIDE | LINKS | CASED, encode_alts, PK_SIGMA_BASE64 },
	{ "base64offset", BASE64, EXPAND | DASH | WIDE | LINKS | CASED, encode_alts,
	  PK_SIGMA_BASE64OFFSET },
	{ "re", RE, LINKS, set_how, PK_SIGMA_RE },
	{ "i", RE_FLAG, RE | RE_FLAG | LINKS, set_re_flag, PK_SIGMA_RE_I },
	{ "m", RE_FLAG, RE | RE_FLAG | LINKS, set_re_flag, PK_SIGMA_RE_M },
	{ "s", RE_FLAG, RE | RE_FLAG | LINKS, set_re_flag, PK_SIGMA_RE_S },
	{ "cidr", CIDR, EXPAND | LINKS, set_how, PK_SIGMA_CIDR },
	{ "lt", NUMBER, EXPAND | ALL, set_how, PK_SIGMA_LT },
	{ "lte", NUMBER, EXPAND | ALL, set_how, PK_SIGMA_LTE },
	{ "gt", NUMBER, EXPAND | ALL, set_how, PK_SIGMA_GT },
	{ "gte", NUMBER, EXPAND | ALL, set_how, PK_SIGMA_GTE },
	{ "exists", EXISTS, 0, set_how, PK_SIGMA_EXISTS },
	{ "fieldref", FIELDREF, LINKS | CASED, set_how, PK_SIGMA_FIELDREF },
	{ "all", ALL, ~(EXISTS | DATE), set_all, 0 },
	{ "neq", NEQ, ~(EXISTS | NUMBER | DATE), set_neq, 0 },
	{ "cased", CASED, EXPAND | DASH | WIDE | BASE64 | ANCHOR | FIELDREF | LINKS, set_cased, 0 },
	{ "minute", DATE, 0, refuse_date, 0 },
	{ "hour", DATE, 0, refuse_date, 0 },
	{ "day", DATE, 0, refuse_date, 0 },
	{ "week", DATE, 0, refuse_date, 0 },
	{ "month", DATE, 0, refuse_date, 0 },
	{ "year", DATE, 0, refuse_date, 0 },
};

static const struct modifier *find(const char *name)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(modifiers); i++)
		if (strcmp(modifiers[i].name, name) == 0)
			return &modifiers[i];
	return NULL;
}

/* Checks order and doubles; *ret_how is how values will be compared. */
static int check_chain(struct state *s, enum pk_sigma_how *ret_how)
{
	const struct pk_sigma_item *item = s->item;
	unsigned seen = 0;

	*ret_how = PK_SIGMA_EQUAL;
	for (size_t i = 0; i < item->n_modifiers; i++) {
		const struct modifier *m = find(item->modifier[i]);

		if (!m)
			return pk_sigma_complain(s->arena, s->rule, item->at, true,
						 "%s|%s: an unknown modifier", item->field,
						 item->modifier[i]);
		if (m->class == RE_FLAG && !(seen & RE))
			return complain(s, m->name, "only behind re");
		if (seen & ~m->after)
			return complain(s, m->name, "not allowed behind the modifiers before it");
		for (size_t j = 0; j < i; j++)
			if (m->class != RE_FLAG ? find(item->modifier[j])->class == m->class
						: !strcmp(item->modifier[j], m->name))
				return complain(s, m->name, "given twice, or with its like");
		if (m->apply == set_how)
			*ret_how = m->arg;
		seen |= m->class;
	}
	if (seen & WIDE && !(seen & BASE64))
		return complain(s, "wide", "texts are UTF-8: only with base64 or base64offset");
	return 0;
}

static int check_null(struct state *s)
{
	const struct pk_sigma_item *item = s->item;

	for (size_t i = 0; i < item->n_values; i++) {
		if (item->value[i].s)
			continue;
		if (item->is_list)
			return pk_sigma_complain(s->arena, s->rule, item->value[i].at, false,
						 "%s: null can not be part of a list", item->field);
		if (item->n_modifiers)
			return pk_sigma_complain(s->arena, s->rule, item->value[i].at, false,
						 "%s: null can not have modifiers", item->field);
		if (!*item->field)
			return pk_sigma_complain(s->arena, s->rule, item->value[i].at, false,
						 "null can not be a keyword");
	}
	return 0;
}

/* The alternatives of one value as text: itself, or what expand makes of it. */
static int make_texts(struct state *s, const struct pk_sigma_value *v, struct pk_sigma_want *w)
{
	bool expand = s->item->n_modifiers && !strcmp(s->item->modifier[0], "expand");
	const char *missing = NULL;
	int r;

	w->from = v;
	if (!v->s)
		return 0;
	if (!expand) {
		w->text = pk_arena_alloc(s->arena, sizeof(*w->text));
		if (!w->text)
			return -ENOMEM;
		w->text[w->n++] = v->s;
		s->alts++;
		return 0;
	}
	r = pk_sigma_expand(s->arena, s->places, v->s, PK_SIGMA_ALTS_MAX - s->alts, w, &missing);
	s->alts += w->n;
	if (r == -ENOENT)
		return pk_sigma_complain(s->arena, s->rule, v->at, true,
					 "%s|expand: nothing says what %%%s%% stands for",
					 s->item->field, missing);
	if (r == -E2BIG)
		return complain(s, "expand", "too many combinations");
	return r;
}

static int make_patterns(struct state *s, struct pk_sigma_want *w)
{
	w->alt = pk_arena_alloc(s->arena, w->n * sizeof(*w->alt));
	if (!w->alt)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++) {
		int r = pk_sigma_pattern_parse(s->arena, w->text[i], strlen(w->text[i]),
					       &w->alt[i]);

		if (r == -EFBIG)
			return pk_sigma_complain(s->arena, s->rule, w->from->at, false,
						 "%s: a value of more than %d bytes",
						 s->item->field, PK_SIGMA_VALUE_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Last: wildcards of contains and its like, and the case. */
static int finish_patterns(struct state *s, struct pk_sigma_want *w)
{
	bool before = s->wants->before, behind = s->wants->behind;

	if (!*s->item->field) /* a keyword is looked for anywhere */
		before = behind = true;
	for (size_t i = 0; i < w->n; i++) {
		int r = before || behind ? pk_sigma_pattern_wrap(s->arena, &w->alt[i], before,
								 behind, &w->alt[i])
					 : 0;

		if (r < 0)
			return r;
		if (!s->wants->cased)
			pk_sigma_pattern_lower(&w->alt[i]);
	}
	return 0;
}

static int make_values(struct state *s, bool patterns)
{
	const struct pk_sigma_item *item = s->item;
	struct pk_sigma_wants *wants = s->wants;

	wants->v = pk_arena_alloc(s->arena, item->n_values * sizeof(*wants->v));
	if (!wants->v)
		return -ENOMEM;
	for (; wants->n < item->n_values; wants->n++) {
		struct pk_sigma_want *w = &wants->v[wants->n];
		int r = s->alts < PK_SIGMA_ALTS_MAX ? make_texts(s, &item->value[wants->n], w)
						    : -E2BIG;

		if (r == 0 && patterns)
			r = make_patterns(s, w);
		if (r == -E2BIG)
			return pk_sigma_complain(s->arena, s->rule, item->at, false,
						 "%s: more than %d values", item->field,
						 PK_SIGMA_ALTS_MAX);
		if (r < 0)
			return r;
	}
	return 0;
}

int pk_sigma_modify(struct pk_arena *a, struct pk_sigma_rule *rule,
		    const struct pk_sigma_item *item, const struct pk_sigma_rules *places,
		    struct pk_sigma_wants *ret)
{
	struct pk_sigma_wants wants = { 0 };
	struct state s = {
		.arena = a, .rule = rule, .item = item, .places = places, .wants = &wants
	};
	enum pk_sigma_how how;
	int r = check_chain(&s, &how);

	if (r == 0)
		r = check_null(&s);
	if (r == 0)
		r = make_values(&s, how == PK_SIGMA_EQUAL);
	for (size_t i = 0; i < item->n_modifiers && r == 0; i++) {
		const struct modifier *m = find(item->modifier[i]);

		r = m->apply(&s, m->arg);
	}
	for (size_t i = 0; i < wants.n && r == 0 && how == PK_SIGMA_EQUAL; i++)
		r = finish_patterns(&s, &wants.v[i]);
	if (r == 0)
		*ret = wants;
	return r;
}
