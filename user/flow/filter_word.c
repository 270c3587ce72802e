/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Own words: what each takes and when it is true. One row and one function add a word. It does not
 * know how words are joined, nor tcpdump's.
 */
#include "flow/filter_word.h"

#include "base/cleanup.h"
#include "flow/local.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ETH_ARP 0x0806

bool pk_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *again = NULL;

	if (!text)
		return false;
	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			again = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool compare(const struct pk_word_use *u, double v)
{
	switch (u->compare) {
	case PK_GT:
		return v > u->number;
	case PK_GE:
		return v >= u->number;
	case PK_LT:
		return v < u->number;
	case PK_LE:
		return v <= u->number;
	case PK_EQ:
		return !(v < u->number) && !(v > u->number);
	case PK_NE:
		return v < u->number || v > u->number;
	}
	return false;
}

/* True when any process of the subject is what the word means. */
static bool any_proc(const struct pk_word_use *u, const struct pk_filter_subject *s,
		     bool (*is)(const struct pk_word_use *, const struct pk_filter_proc *))
{
	for (size_t i = 0; i < s->procs; i++)
		if (is(u, &s->proc[i]))
			return true;
	return false;
}

static bool is_name(const struct pk_word_use *u, const struct pk_filter_proc *p)
{
	return pk_glob(u->text, p->name);
}

static bool is_exe(const struct pk_word_use *u, const struct pk_filter_proc *p)
{
	const char *slash = p->exe ? strrchr(p->exe, '/') : NULL;

	return pk_glob(u->text, p->exe) ||
	       (slash && !strchr(u->text, '/') && pk_glob(u->text, slash + 1));
}

static bool is_cmd(const struct pk_word_use *u, const struct pk_filter_proc *p)
{
	return pk_glob(u->text, p->cmd);
}

static bool is_pid(const struct pk_word_use *u, const struct pk_filter_proc *p)
{
	return p->pid == (uint32_t)u->number;
}

static bool is_user(const struct pk_word_use *u, const struct pk_filter_proc *p)
{
	char uid[16];

	snprintf(uid, sizeof(uid), "%u", p->uid);
	return pk_glob(u->text, p->user) || strcmp(u->text, uid) == 0;
}

static bool is_container(const struct pk_word_use *u, const struct pk_filter_proc *p)
{
	size_t n = strlen(u->text);

	return pk_glob(u->text, p->container) || pk_glob(u->text, p->container_id) ||
	       (n >= 6 && p->container_id && strncmp(p->container_id, u->text, n) == 0);
}

/* Names, countries and the like are the same in any case. */
static bool glob_any_case(const char *pattern, const char *text)
{
	char p[PK_TOKEN_LEN], t[PK_TOKEN_LEN * 2];
	size_t i;

	if (!text)
		return false;
	for (i = 0; pattern[i] && i < sizeof(p) - 1; i++)
		p[i] = (char)tolower((unsigned char)pattern[i]);
	p[i] = '\0';
	for (i = 0; text[i] && i < sizeof(t) - 1; i++)
		t[i] = (char)tolower((unsigned char)text[i]);
	t[i] = '\0';
	return pk_glob(p, t);
}

/* ".example.org" is the domain with all that is below it. */
static bool is_domain(const char *pattern, const char *name)
{
	char below[PK_TOKEN_LEN + 1];

	if (pattern[0] != '.' || !pattern[1])
		return glob_any_case(pattern, name);
	below[0] = '*';
	memccpy(below + 1, pattern, '\0', sizeof(below) - 1);
	return glob_any_case(pattern + 1, name) || glob_any_case(below, name);
}

static bool word_name(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(s->name); i++)
		if (is_domain(u->text, s->name[i]))
			return true;
	return false;
}

static bool word_sni(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return is_domain(u->text, s->sni);
}

static bool word_ja4(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return glob_any_case(u->text, s->ja4);
}

/* Any of those that were offered. */
static bool word_alpn(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	char one[PK_TOKEN_LEN];

	for (const char *p = s->alpn; p && *p;) {
		size_t n = strcspn(p, ","), len = n < sizeof(one) ? n : sizeof(one) - 1;

		memcpy(one, p, len);
		one[len] = '\0';
		if (glob_any_case(u->text, one))
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

static bool word_app(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return glob_any_case(u->text, s->app);
}

/* "15169", "AS15169", or by the name of its holder. */
static bool word_asn(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	const char *digits = strncasecmp(u->text, "as", 2) == 0 ? u->text + 2 : u->text;
	char number[16];

	for (int d = 0; d < 2; d++) {
		snprintf(number, sizeof(number), "%u", s->asn[d]);
		if (s->asn[d] &&
		    (strcmp(digits, number) == 0 || glob_any_case(u->text, s->as_name[d])))
			return true;
	}
	return false;
}

static bool word_country(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	for (int d = 0; d < 2; d++)
		if (s->country[d] && s->country[d][0] && glob_any_case(u->text, s->country[d]))
			return true;
	return false;
}

static bool word_proc(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return any_proc(u, s, is_name);
}

static bool word_exe(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return any_proc(u, s, is_exe);
}

static bool word_cmd(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return any_proc(u, s, is_cmd);
}

static bool word_pid(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return any_proc(u, s, is_pid);
}

static bool word_user(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return any_proc(u, s, is_user);
}

static bool word_container(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return any_proc(u, s, is_container);
}

static bool word_iface(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return s->flow && pk_glob(u->text, s->iface);
}

static bool word_netns(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return pk_glob(u->text, s->netns);
}

static bool word_dir(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	static const int dir[] = { PK_DIR_IN, PK_DIR_OUT, PK_DIR_LOCAL, PK_DIR_FORWARD };

	return s->flow && s->direction == dir[(unsigned)u->number & 3];
}

static bool word_state(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return s->flow && s->ended == (u->number > 0);
}

static bool word_bytes(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return s->flow && compare(u, (double)s->flow->dir[0].bytes + s->flow->dir[1].bytes);
}

static bool word_packets(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return s->flow && compare(u, (double)s->flow->dir[0].packets + s->flow->dir[1].packets);
}

static bool word_rate(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return s->flow && compare(u, s->rate);
}

static bool word_age(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	if (!s->flow)
		return false;
	return compare(u, s->now_ns > s->flow->meta.start_ns
				  ? (double)(s->now_ns - s->flow->meta.start_ns)
				  : 0.0);
}

static bool word_rtt(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	return s->flow && s->flow->meta.rtt_us && compare(u, s->flow->meta.rtt_us * 1000.0);
}

static bool word_retrans(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	double n;

	if (!s->flow)
		return false;
	n = (double)s->flow->dir[0].retransmits + s->flow->dir[1].retransmits;
	return u->has_number ? compare(u, n) : n > 0;
}

static bool word_vlan(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	const __u16 *v = s->flow ? s->flow->key.vlan : NULL;

	if (!v)
		return false;
	if (!u->has_number)
		return v[0] || v[1];
	return v[0] == (__u16)u->number || v[1] == (__u16)u->number;
}

static bool word_arp(const struct pk_word_use *u, const struct pk_filter_subject *s)
{
	(void)u; /* takes nothing */
	return s->flow && s->flow->key.proto == ETH_ARP;
}

static const struct pk_word words[] = {
	{ "proc", PK_ARG_GLOB, PK_FILTER_NEEDS_PROC, NULL, word_proc },
	{ "exe", PK_ARG_GLOB, PK_FILTER_NEEDS_PROC, NULL, word_exe },
	{ "cmd", PK_ARG_GLOB, PK_FILTER_NEEDS_PROC, NULL, word_cmd },
	{ "pid", PK_ARG_NUMBER, PK_FILTER_NEEDS_PROC, NULL, word_pid },
	{ "user", PK_ARG_GLOB, PK_FILTER_NEEDS_PROC, NULL, word_user },
	{ "container", PK_ARG_GLOB, PK_FILTER_NEEDS_PROC, NULL, word_container },
	{ "iface", PK_ARG_GLOB, PK_FILTER_NEEDS_IFACE, NULL, word_iface },
	{ "netns", PK_ARG_GLOB, PK_FILTER_NEEDS_IFACE, NULL, word_netns },
	{ "dir", PK_ARG_CHOICE, PK_FILTER_NEEDS_DIR, "in out local forward", word_dir },
	{ "state", PK_ARG_CHOICE, 0, "live ended", word_state },
	{ "bytes", PK_ARG_COUNT, 0, NULL, word_bytes },
	{ "packets", PK_ARG_COUNT, 0, NULL, word_packets },
	{ "rate", PK_ARG_COUNT, 0, NULL, word_rate },
	{ "age", PK_ARG_TIME, 0, NULL, word_age },
	{ "rtt", PK_ARG_TIME, 0, NULL, word_rtt },
	{ "retrans", PK_ARG_FLAG, 0, NULL, word_retrans },
	{ "vlan", PK_ARG_VLAN, 0, NULL, word_vlan },
	{ "arp", PK_ARG_FLAG, 0, NULL, word_arp },
	{ "name", PK_ARG_GLOB, PK_FILTER_NEEDS_NAME, NULL, word_name },
	{ "sni", PK_ARG_GLOB, PK_FILTER_NEEDS_NAME, NULL, word_sni },
	{ "ja4", PK_ARG_GLOB, PK_FILTER_NEEDS_NAME, NULL, word_ja4 },
	{ "alpn", PK_ARG_GLOB, PK_FILTER_NEEDS_NAME, NULL, word_alpn },
	{ "app", PK_ARG_GLOB, PK_FILTER_NEEDS_NAME, NULL, word_app },
	{ "asn", PK_ARG_GLOB, PK_FILTER_NEEDS_NAME, NULL, word_asn },
	{ "country", PK_ARG_GLOB, PK_FILTER_NEEDS_NAME, NULL, word_country },
};

const struct pk_word *pk_word_find(const struct pk_token *t)
{
	if (t->type != PK_TOK_WORD)
		return NULL;
	for (size_t i = 0; i < PK_ARRAY_SIZE(words); i++)
		if (strcmp(words[i].name, t->text) == 0)
			return &words[i];
	return NULL;
}

/* Decimal digits with at most one point; *ret_end is behind them. */
static bool read_number(const char *s, double *ret, const char **ret_end)
{
	double v = 0, scale = 1;
	size_t n = 0;

	for (; *s >= '0' && *s <= '9'; s++, n++)
		v = v * 10 + (*s - '0');
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, n++)
			v += (*s - '0') * (scale /= 10);
	*ret = v;
	*ret_end = s;
	return n > 0 && n <= 20;
}

struct unit {
	const char *name;
	double factor;
};

static const struct unit count_units[] = {
	{ "", 1 },           { "k", 1e3 },           { "m", 1e6 },
	{ "g", 1e9 },        { "t", 1e12 },          { "ki", 1024.0 },
	{ "mi", 1048576.0 }, { "gi", 1073741824.0 }, { "ti", 1099511627776.0 },
};

static const struct unit time_units[] = {
	{ "us", 1e3 }, { "ms", 1e6 },   { "s", 1e9 },
	{ "m", 60e9 }, { "h", 3600e9 }, { "d", 86400e9 },
};

/* A number with a unit; "/s" may follow it, as people write rates. */
static bool read_quantity(const char *s, const struct unit *unit, size_t units, double *ret)
{
	const char *end;
	size_t n;

	if (!read_number(s, ret, &end))
		return false;
	n = strlen(end);
	if (n >= 2 && units == PK_ARRAY_SIZE(count_units) && strcmp(end + n - 2, "/s") == 0)
		n -= 2;
	for (size_t i = 0; i < units; i++) {
		if (strlen(unit[i].name) != n || strncasecmp(end, unit[i].name, n) != 0)
			continue;
		*ret *= unit[i].factor;
		return true;
	}
	return units == PK_ARRAY_SIZE(time_units) && n == 0 && !(*ret > 0); /* 0 needs no unit */
}

static int parse_compare(const struct pk_token *t, enum pk_compare *ret)
{
	static const char *const op[] = { ">", ">=", "<", "<=", "=", "!=" };

	for (size_t i = 0; i < PK_ARRAY_SIZE(op); i++)
		if (t->type == PK_TOK_OP && strcmp(t->text, op[i]) == 0) {
			*ret = (enum pk_compare)i;
			return 0;
		}
	if (pk_token_is(t, "==")) {
		*ret = PK_EQ;
		return 0;
	}
	return -EINVAL;
}

static int parse_quantity(const struct pk_token *t, size_t *at, struct pk_word_use *u,
			  struct pk_filter_error *e)
{
	bool is_time = u->word->arg == PK_ARG_TIME;
	const struct unit *unit = is_time ? time_units : count_units;
	size_t units = is_time ? PK_ARRAY_SIZE(time_units) : PK_ARRAY_SIZE(count_units);

	if (parse_compare(&t[*at], &u->compare) < 0)
		return pk_filter_fail(e, t[*at].at, "%s wants > >= < <= = or !=", u->word->name);
	++*at;
	if (t[*at].type != PK_TOK_WORD || !read_quantity(t[*at].text, unit, units, &u->number))
		return pk_filter_fail(e, t[*at].at, "%s wants a number like %s", u->word->name,
				      is_time ? "20ms, 5s, 2m, 1h" : "1500, 10K, 1.5M, 2Gi");
	u->has_number = true;
	++*at;
	return 0;
}

static int parse_choice(const struct pk_token *t, size_t *at, struct pk_word_use *u,
			struct pk_filter_error *e)
{
	const char *c = u->word->choices;
	size_t n = strlen(t[*at].text);

	for (int i = 0; *c && n; i++, c += *c == ' ') {
		size_t len = strcspn(c, " ");

		if (len == n && t[*at].type == PK_TOK_WORD && strncmp(c, t[*at].text, n) == 0) {
			u->number = i;
			++*at;
			return 0;
		}
		c += len;
	}
	return pk_filter_fail(e, t[*at].at, "%s wants one of: %s", u->word->name, u->word->choices);
}

static bool is_digits(const struct pk_token *t, double max, double *ret)
{
	const char *end;

	return t->type == PK_TOK_WORD && read_number(t->text, ret, &end) && !*end &&
	       !strchr(t->text, '.') && *ret <= max;
}

static int parse_text(const struct pk_token *t, size_t *at, struct pk_word_use *u,
		      struct pk_filter_error *e)
{
	if ((t[*at].type != PK_TOK_WORD && t[*at].type != PK_TOK_QUOTED) || !t[*at].text[0])
		return pk_filter_fail(e, t[*at].at, "%s wants a name (quote what has blanks)",
				      u->word->name);
	memcpy(u->text, t[*at].text, sizeof(u->text));
	++*at;
	return 0;
}

int pk_word_parse(const struct pk_token *t, size_t *at, struct pk_word_use *u,
		  struct pk_filter_error *e)
{
	*u = (struct pk_word_use){ .word = pk_word_find(&t[*at]) };
	++*at;
	switch (u->word->arg) {
	case PK_ARG_GLOB:
		return parse_text(t, at, u, e);
	case PK_ARG_NUMBER:
		if (!is_digits(&t[*at], UINT32_MAX, &u->number))
			return pk_filter_fail(e, t[*at].at, "%s wants a number", u->word->name);
		++*at;
		return 0;
	case PK_ARG_CHOICE:
		return parse_choice(t, at, u, e);
	case PK_ARG_COUNT:
	case PK_ARG_TIME:
		return parse_quantity(t, at, u, e);
	case PK_ARG_FLAG:
		if (u->word->match == word_retrans && parse_compare(&t[*at], &u->compare) == 0)
			return parse_quantity(t, at, u, e);
		return 0;
	case PK_ARG_VLAN:
		if (t[*at].type == PK_TOK_WORD && t[*at].text[0] >= '0' && t[*at].text[0] <= '9') {
			if (!is_digits(&t[*at], 4095, &u->number))
				return pk_filter_fail(e, t[*at].at, "a VLAN id is 0 to 4095");
			u->has_number = true;
			++*at;
		}
		return 0;
	}
	return -EINVAL;
}
