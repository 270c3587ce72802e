/* SPDX-License-Identifier: Apache-2.0 */
/* Text of one value to what is stored, and back. Knows no keys and no files. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "conf/conf.h"
#include "conf/deadline.h"
#include "conf/pull.h"
#include "conf/schema.h"
#include "conf/threshold.h"

#include <errno.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first, so that format takes the first that divides. */
static const struct unit time_units[] = {
	{ "h", 3600000000000ull },
	{ "m", 60000000000ull },
	{ "s", 1000000000ull },
	{ "ms", 1000000ull },
	{ 0 },
};
static const struct unit size_units[] = {
	{ "G", 1ull << 30 }, { "M", 1ull << 20 }, { "K", 1ull << 10 }, { "", 1 }, { 0 },
};
static const struct unit percent_units[] = { { "%", 1 }, { "", 1 }, { 0 } };
static const struct unit count_units[] = { { "", 1 }, { 0 } };

static const struct unit *units_of(enum pk_conf_type type)
{
	switch (type) {
	case PK_CONF_DURATION:
		return time_units;
	case PK_CONF_SIZE:
		return size_units;
	case PK_CONF_PERCENT:
		return percent_units;
	default:
		return count_units;
	}
}

/* Digits and a unit, nothing else: no sign, no blank, no fraction. */
static int parse_number(const char *s, const struct unit *units, uint64_t *ret_v)
{
	uint64_t v = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v))
			return -ERANGE;
	if (p == s)
		return -EINVAL;
	for (; units->name; units++) {
		if (strcmp(p, units->name) != 0)
			continue;
		if (__builtin_mul_overflow(v, units->factor, &v))
			return -ERANGE;
		*ret_v = v;
		return 0;
	}
	return -EINVAL;
}

static void format_number(uint64_t v, const struct unit *units, struct pk_buf *out)
{
	while (units[1].name && (v % units->factor || (v == 0 && units[1].factor > 1)))
		units++;
	pk_buf_fmt(out, "%llu%s", (unsigned long long)(v / units->factor), units->name);
}

static uint64_t round_up_pow2(uint64_t v)
{
	uint64_t p = 1;

	while (p < v)
		p <<= 1;
	return p;
}

static int parse_ranged(const struct pk_conf_row *row, const char *s, uint64_t *ret_v)
{
	uint64_t v;
	int r = parse_number(s, units_of(row->type), &v);

	if (r < 0)
		return r;
	if (v < row->min || v > row->max)
		return -ERANGE;
	if (row->type == PK_CONF_SLOTS || row->type == PK_CONF_SIZE)
		v = round_up_pow2(v);
	*ret_v = v;
	return 0;
}

static int parse_choice(const struct pk_conf_row *row, const char *s, uint64_t *ret_v)
{
	for (size_t i = 0; row->choices[i]; i++) {
		if (strcmp(s, row->choices[i]) == 0) {
			*ret_v = row->min + i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Of a name: one of the schemes, "://" and something behind. */
static bool has_scheme(const struct pk_conf_row *row, const char *s)
{
	for (size_t i = 0; row->choices[i]; i++) {
		size_t n = strlen(row->choices[i]);

		if (strncmp(s, row->choices[i], n) == 0 && strncmp(s + n, "://", 3) == 0 &&
		    s[n + 3])
			return true;
	}
	return false;
}

static int parse_text(const struct pk_conf_row *row, const char *s, char **ret_s)
{
	size_t len = strlen(s);
	char *copy;

	if (len < row->min || len > row->max)
		return -ERANGE;
	if (row->type == PK_CONF_PATH && len && s[0] != '/')
		return -EINVAL;
	if (row->choices && len && !has_scheme(row, s))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return -EINVAL;
	copy = strdup(s);
	if (!copy)
		return -ENOMEM;
	free(*ret_s);
	*ret_s = copy;
	return 0;
}

static int parse_bool(const char *s, bool *ret_v)
{
	if (strcmp(s, "true") != 0 && strcmp(s, "false") != 0)
		return -EINVAL;
	*ret_v = *s == 't';
	return 0;
}

int pk_conf_parse(const struct pk_conf_row *row, const char *s, void *dest)
{
	switch (row->type) {
	case PK_CONF_BOOL:
		return parse_bool(s, dest);
	case PK_CONF_CHOICE:
		return parse_choice(row, s, dest);
	case PK_CONF_NAME:
	case PK_CONF_PATH:
		return parse_text(row, s, dest);
	case PK_CONF_LIST:
		return -EINVAL;
	default:
		return parse_ranged(row, s, dest);
	}
}

static bool may_hold(const struct pk_conf_row *row, const struct pk_conf_list *list, const char *s)
{
	struct pk_conf_threshold t;
	struct pk_conf_deadline d;
	struct pk_conf_pull p;
	uint8_t net[16];
	unsigned bits;
	uint64_t i;

	if (row->nets)
		return pk_ip_parse_cidr(s, net, &bits) == 0;
	if (row->thresholds)
		return pk_conf_threshold_parse(s, &t) == 0;
	if (row->deadlines)
		return pk_conf_deadline_parse(s, &d) == 0 && pk_conf_deadline_fits(list, &d);
	if (row->pulls)
		return pk_conf_pull_parse(s, &p) == 0;
	if (row->urls)
		return has_scheme(row, s);
	return !row->choices || parse_choice(row, s, &i) == 0;
}

int pk_conf_list_add(const struct pk_conf_row *row, struct pk_conf_list *list, const char *s)
{
	char *copy, **v;

	if (list->n >= row->max)
		return -E2BIG;
	if (!*s || strlen(s) > PK_CONF_ITEM_MAX || !may_hold(row, list, s))
		return -EINVAL;
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	list->v = v;
	copy = strdup(s);
	if (!copy)
		return -ENOMEM;
	v[list->n++] = copy;
	return 0;
}

void pk_conf_list_done(struct pk_conf_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct pk_conf_list){ 0 };
}

static void range_text(const struct pk_conf_row *row, struct pk_buf *out)
{
	const struct unit *units = units_of(row->type);

	format_number(row->min, units, out);
	pk_buf_str(out, " to ");
	format_number(row->max, units, out);
	if (row->unit)
		pk_buf_fmt(out, " %s", row->unit);
}

static void choices_text(const struct pk_conf_row *row, struct pk_buf *out)
{
	for (size_t i = 0; row->choices[i]; i++)
		pk_buf_fmt(out, "%s%s", i ? ", " : "", row->choices[i]);
}

void pk_conf_expected(const struct pk_conf_row *row, struct pk_buf *out)
{
	switch (row->type) {
	case PK_CONF_BOOL:
		return pk_buf_str(out, "true or false");
	case PK_CONF_CHOICE:
		pk_buf_str(out, "one of ");
		return choices_text(row, out);
	case PK_CONF_NAME:
		if (row->choices) {
			pk_buf_str(out, "SCHEME://..., the scheme one of ");
			return choices_text(row, out);
		}
		return pk_buf_fmt(out, "a name of at most %llu bytes",
				  (unsigned long long)row->max);
	case PK_CONF_PATH:
		return pk_buf_fmt(out, "an absolute path of at most %llu bytes%s",
				  (unsigned long long)row->max, row->min ? "" : " or \"\"");
	case PK_CONF_LIST:
		if (row->choices) {
			pk_buf_str(out, row->urls ? "a list of SCHEME://..., the scheme one of "
						  : "a list of ");
			return choices_text(row, out);
		}
		return pk_buf_fmt(out, "a list of at most %llu %s", (unsigned long long)row->max,
				  row->nets         ? "addresses or networks (10.0.0.0/8)"
				  : row->thresholds ? "items like NAME=2 or NAME=2:KEY+KEY"
				  : row->deadlines  ? "items like NAME=72h, NAME=30d or NAME=1mo, "
						      "also with \" after NAME\" of one before"
				  : row->pulls ? "items like NAME=https://HOST/PATH or NAME=nats"
					       : "names");
	case PK_CONF_DURATION:
		pk_buf_str(out, "a time with its unit (ms, s, m, h), ");
		break;
	case PK_CONF_SIZE:
		pk_buf_str(out, "a size (K, M, G; rounded up to a power of two), ");
		break;
	case PK_CONF_SLOTS:
		pk_buf_str(out, "a number (rounded up to a power of two), ");
		break;
	default:
		break;
	}
	range_text(row, out);
}

/* Double quotes hold everything that parse_text() lets in. */
static void format_quoted(const char *s, struct pk_buf *out)
{
	pk_buf_char(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			pk_buf_char(out, '\\');
		pk_buf_char(out, *s);
	}
	pk_buf_char(out, '"');
}

static void format_list(const struct pk_conf_list *list, struct pk_buf *out)
{
	pk_buf_char(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			pk_buf_str(out, ", ");
		format_quoted(list->v[i], out);
	}
	pk_buf_char(out, ']');
}

void pk_conf_format(const struct pk_conf_row *row, const void *src, struct pk_buf *out)
{
	switch (row->type) {
	case PK_CONF_BOOL:
		return pk_buf_str(out, *(const bool *)src ? "true" : "false");
	case PK_CONF_CHOICE:
		return pk_buf_str(out, row->choices[*(const uint64_t *)src - row->min]);
	case PK_CONF_NAME:
	case PK_CONF_PATH:
		return format_quoted(*(char *const *)src, out);
	case PK_CONF_LIST:
		return format_list(src, out);
	default:
		return format_number(*(const uint64_t *)src, units_of(row->type), out);
	}
}
