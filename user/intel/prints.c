/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at one line at a time. It judges no address and no name that stand alone. */
#include "intel/prints.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "block/address.h"
#include "block/format.h"
#include "detect/indicators.h"
#include "intel/intel.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 64
#define REASON_MAX 128

struct field {
	const char *p;
	size_t n;
};

/* What a file is, as far as it was read. */
struct prints {
	struct pk_indicators *table;
	struct pk_intel_sum *sum;
	const char *source;
	bool is_json;
	/* of Zeek's #fields, from 0; -1: none. indicator < 0: another kind of table */
	int indicator, type, desc, origin;
};

struct line {
	struct field field[FIELDS_MAX];
	size_t n;
};

static struct field trim(struct field f)
{
	while (f.n && strchr(" \t\r\"", *f.p) && *f.p) {
		f.p++;
		f.n--;
	}
	while (f.n && strchr(" \t\r\"", f.p[f.n - 1]) && f.p[f.n - 1])
		f.n--;
	return f;
}

/* A hash that begins a line may have more behind a blank, as sha256sum writes it. */
static struct field first_word(struct field f)
{
	size_t n = 0;

	while (n < f.n && !strchr(" \",;\t\r", f.p[n]))
		n++;
	return (struct field){ f.p, n };
}

/* 0: neither. */
static enum pk_indicator_kind kind_of(struct field f)
{
	if (pk_indicator_is_ja4(f.p, f.n))
		return PK_INDICATOR_JA4;
	return pk_indicator_is_sha256(f.p, f.n) ? PK_INDICATOR_SHA256 : 0;
}

/* MD5, SHA-1, SHA-224, SHA-384, SHA-512: of the length of one, and all hex. */
static bool is_other_hash(struct field f)
{
	static const size_t sizes[] = { 32, 40, 56, 96, 128 };
	bool fits = false;

	for (size_t i = 0; i < PK_ARRAY_SIZE(sizes); i++)
		fits |= f.n == sizes[i];
	for (size_t i = 0; i < f.n && fits; i++)
		fits = isxdigit((unsigned char)f.p[i]);
	return fits;
}

/* Tabs part fields where there are any: what people write has commas. */
static void split(const char *p, size_t n, struct line *l)
{
	const char *end = p + n, *marks = memchr(p, '\t', n) ? "\t" : ",;";
	struct field word;

	l->n = 0;
	while (l->n < FIELDS_MAX) {
		const char *to = p;

		while (to < end && !(*to && strchr(marks, *to)))
			to++;
		l->field[l->n++] = trim((struct field){ p, (size_t)(to - p) });
		if (to >= end)
			break;
		p = to + 1;
	}
	word = first_word(l->field[0]);
	if (kind_of(word) || is_other_hash(word))
		l->field[0] = word;
}

/* Is it an address, with or without a prefix? */
static bool is_address(struct field f)
{
	char text[PK_IP_TEXT + 4];
	uint8_t a[16];
	unsigned bits;

	if (f.n < 3 || f.n >= sizeof(text))
		return false;
	memcpy(text, f.p, f.n);
	text[f.n] = '\0';
	return pk_ip_parse(text, a) == 0 || pk_ip_parse_cidr(text, a, &bits) == 0;
}

static bool is_name(struct field f)
{
	return f.n && memchr(f.p, '.', f.n) && !pk_name_check(f.p, f.n, false);
}

/* Does the reader of addresses and names find something else in the row? */
static bool is_of_others(const struct line *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (is_address(l->field[i]))
			return true;
	return is_name(l->field[0]);
}

static int add(struct prints *p, enum pk_indicator_kind kind, struct field f, struct field why)
{
	char reason[REASON_MAX];
	struct pk_indicator i = { .kind = kind, .source = p->source, .reason = reason };

	snprintf(reason, sizeof(reason), "%.*s", (int)why.n, why.p ? why.p : "");
	return pk_indicators_add_text(p->table, &i, f.p, f.n) == -ENOMEM ? -ENOMEM : 0;
}

/* In JSON. 1: the line is done; 0: it is for others; -ENOMEM. */
static int take_alone(struct prints *p, const char *line, size_t n)
{
	struct field f = first_word(trim((struct field){ line, n }));
	enum pk_indicator_kind kind = kind_of(f);

	if (!kind)
		return 0;
	return add(p, kind, f, (struct field){ 0 }) < 0 ? -ENOMEM : 1;
}

static bool is(struct field f, const char *s)
{
	return f.n == strlen(s) && memcmp(f.p, s, f.n) == 0;
}

static void take_fields(struct prints *p, const struct line *l)
{
	static const char *const names[] = { "indicator", "indicator_type", "meta.desc",
					     "meta.source" };
	int *const at[] = { &p->indicator, &p->type, &p->desc, &p->origin };

	for (size_t k = 0; k < PK_ARRAY_SIZE(names); k++) {
		*at[k] = -1;
		for (size_t i = 1; i < l->n; i++) /* behind "#fields" */
			if (is(l->field[i], names[k]))
				*at[k] = (int)i - 1;
	}
}

static struct field field_at(const struct line *l, int i)
{
	return i >= 0 && (size_t)i < l->n ? l->field[i] : (struct field){ 0 };
}

/* Only files have hashes that are looked for: not certificates, not public keys. */
static int take_zeek(struct prints *p, const struct line *l)
{
	struct field f = field_at(l, p->indicator), type = field_at(l, p->type), why;

	if (!is(type, "Intel::FILE_HASH"))
		return 0;
	why = field_at(l, p->desc);
	if (!why.n || is(why, "-"))
		why = field_at(l, p->origin);
	if (pk_indicator_is_sha256(f.p ? f.p : "", f.n))
		return add(p, PK_INDICATOR_SHA256, f, is(why, "-") ? (struct field){ 0 } : why) < 0
			       ? -ENOMEM
			       : 1;
	if (!f.n || !is_other_hash(f))
		return 0;
	p->sum->other_hashes++;
	return 1;
}

/* All of its SHA-256; only where it has none, others are of a file that is not looked for. */
static int take_row(struct prints *p, const struct line *l)
{
	bool found = false, other = false, others = is_of_others(l);

	for (size_t i = 0; i < l->n; i++) {
		enum pk_indicator_kind kind = kind_of(l->field[i]);

		if (kind && add(p, kind, l->field[i], (struct field){ 0 }) < 0)
			return -ENOMEM;
		found |= kind != 0;
		other |= is_other_hash(l->field[i]);
	}
	if (!found && other && !others)
		p->sum->other_hashes++;
	return (found || other) && !others;
}

static int take_line(struct prints *p, const char *line, size_t n, struct line *l)
{
	if (p->is_json || !n)
		return n ? take_alone(p, line, n) : 0;
	split(line, n, l);
	if (*line == '#') {
		if (is(l->field[0], "#fields"))
			take_fields(p, l);
		return 0;
	}
	if (p->indicator >= 0)
		return take_zeek(p, l);
	return take_row(p, l);
}

int pk_intel_prints(struct pk_indicators *t, const char *source, char *bytes, size_t len,
		    struct pk_intel_sum *sum)
{
	struct prints p = { t, sum, source, false, -1, -1, -1, -1 };
	_cleanup_free_ struct line *l = malloc(sizeof(*l));
	char *end = bytes + len, *next;

	if (!l)
		return -ENOMEM;
	p.is_json =
		bytes[strspn(bytes, " \t\r\n")] && strchr("{[", bytes[strspn(bytes, " \t\r\n")]);
	for (char *line = bytes; line < end; line = next) {
		char *nl = memchr(line, '\n', (size_t)(end - line));
		size_t n = (size_t)((nl ? nl : end) - line);
		int r = take_line(&p, line, n, l);

		if (r < 0)
			return r;
		if (r)
			memset(line, ' ', n);
		next = nl ? nl + 1 : end;
	}
	return 0;
}
