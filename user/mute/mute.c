/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One suppression: the table of its conditions and what it takes to be one. It knows no clock and
 * no other suppression.
 */
#include "mute/mute.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "flow/filter.h"
#include "flow/filter_word.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A pattern must have so many characters that are no wildcards. */
#define LEAST 2

struct about {
	const struct pk_finding *f;
	const struct pk_filter_subject *s;
	const struct pk_filter_proc *proc; /* NULL: nothing is known of it */
};

struct field {
	const char *name;
	/* NULL: any text is right. Returns what is wrong, or NULL. */
	const char *(*check)(struct pk_mute *m, const char *text);
	bool (*fits)(const struct pk_mute *m, const char *want, const struct about *a);
};

static const char *check_glob(struct pk_mute *m, const char *text)
{
	size_t plain = 0;

	(void)m;
	for (const char *c = text; *c; c++)
		plain += *c != '*' && *c != '?' && *c != '/';
	return plain < LEAST ? "would fit nearly everything" : NULL;
}

static const char *check_path(struct pk_mute *m, const char *text)
{
	return text[0] != '/' ? "expected the whole path of a program" : check_glob(m, text);
}

static const char *check_remote(struct pk_mute *m, const char *text)
{
	unsigned bits;

	if (pk_ip_parse_cidr(text, m->net, &bits) < 0)
		return "expected an address or a network, as in 192.0.2.0/24";
	m->bits = bits;
	if (bits < (pk_ip_is_v4(m->net) ? 96u + 8 : 16u))
		return "the network is too wide: at most a /8, of IPv6 a /16";
	return NULL;
}

static const char *check_name(struct pk_mute *m, const char *text)
{
	const char *dot = strchr(text[0] == '.' ? text + 1 : text, '.');

	(void)m;
	if (strpbrk(text, "*?/: "))
		return "expected a domain without wildcards: what is below it is meant, too";
	return !dot || !dot[1] ? "expected a domain of two labels at least" : NULL;
}

static bool fits_process(const struct pk_mute *m, const char *want, const struct about *a)
{
	(void)m;
	return a->proc && pk_glob(want, a->proc->name);
}

static bool fits_exe(const struct pk_mute *m, const char *want, const struct about *a)
{
	(void)m;
	return a->proc && pk_glob(want, a->proc->exe);
}

static bool fits_cmd(const struct pk_mute *m, const char *want, const struct about *a)
{
	(void)m;
	return a->proc && pk_glob(want, a->proc->cmd);
}

static bool fits_user(const struct pk_mute *m, const char *want, const struct about *a)
{
	char uid[16];

	(void)m;
	if (!a->proc)
		return false;
	snprintf(uid, sizeof(uid), "%u", a->proc->uid);
	return strcmp(want, uid) == 0 || (a->proc->user && strcmp(want, a->proc->user) == 0);
}

static bool fits_container(const struct pk_mute *m, const char *want, const struct about *a)
{
	size_t n = strlen(want);

	(void)m;
	return a->proc &&
	       (pk_glob(want, a->proc->container) || pk_glob(want, a->proc->container_id) ||
		(n >= 6 && a->proc->container_id && strncmp(a->proc->container_id, want, n) == 0));
}

static bool fits_remote(const struct pk_mute *m, const char *want, const struct about *a)
{
	(void)want;
	return a->f->has_remote && pk_ip_in(a->f->remote, m->net, m->bits);
}

static bool is_below(const char *domain, const char *name)
{
	size_t n = name ? strlen(name) : 0, d;

	domain += domain[0] == '.';
	d = strlen(domain);
	return n >= d && strcasecmp(name + n - d, domain) == 0 &&
	       (n == d || name[n - d - 1] == '.');
}

static bool fits_name(const struct pk_mute *m, const char *want, const struct about *a)
{
	(void)m;
	if (a->f->name[0])
		return is_below(want, a->f->name);
	for (size_t i = 0; i < PK_ARRAY_SIZE(a->s->name); i++)
		if (is_below(want, a->s->name[i]))
			return true;
	return false;
}

static const struct field fields[PK_MUTE_FIELDS] = {
	[PK_MUTE_PROCESS] = { "process", check_glob, fits_process },
	[PK_MUTE_EXE] = { "exe", check_path, fits_exe },
	[PK_MUTE_CMD] = { "cmd", check_glob, fits_cmd },
	[PK_MUTE_USER] = { "user", NULL, fits_user },
	[PK_MUTE_CONTAINER] = { "container", check_glob, fits_container },
	[PK_MUTE_REMOTE] = { "remote", check_remote, fits_remote },
	[PK_MUTE_NAME] = { "name", check_name, fits_name },
};

/* Whoever takes over a host would begin here. */
static const char *const guards[] = { "tamper" };

static const char *const states[PK_MUTE_STATES] = {
	[PK_MUTE_ACTIVE] = "active",
	[PK_MUTE_EXPIRED] = "expired",
	[PK_MUTE_REMOVED] = "removed",
};

const char *pk_mute_field_name(enum pk_mute_field f)
{
	return fields[f].name;
}

const char *pk_mute_state_name(enum pk_mute_state s)
{
	return s && s < PK_MUTE_STATES ? states[s] : "unknown";
}

int pk_mute_state_parse(const char *s, enum pk_mute_state *ret)
{
	for (int i = PK_MUTE_ACTIVE; i < PK_MUTE_STATES; i++)
		if (strcmp(s, states[i]) == 0) {
			*ret = (enum pk_mute_state)i;
			return 0;
		}
	return -EINVAL;
}

int pk_mute_want(struct pk_mute *m, enum pk_mute_field f, const char *text, const char **ret_why)
{
	size_t n = strlen(text);

	*ret_why = n >= PK_MUTE_TEXT ? "is too long" : NULL;
	if (!n)
		*ret_why = "is empty";
	if (!*ret_why && fields[f].check)
		*ret_why = fields[f].check(m, text);
	if (*ret_why)
		return -EINVAL;
	memcpy(m->want[f], text, n + 1);
	return 0;
}

int pk_mute_add_rule(struct pk_mute *m, const char *rule)
{
	size_t n = strlen(rule);

	if (!n || n >= PK_MUTE_RULE)
		return -EINVAL;
	for (size_t i = 0; i < m->rules; i++)
		if (strcmp(m->rule[i], rule) == 0)
			return 0;
	if (m->rules == PK_MUTE_RULES)
		return -ENOSPC;
	memcpy(m->rule[m->rules++], rule, n + 1);
	return 0;
}

bool pk_mute_is_wide(const struct pk_mute *m)
{
	for (int i = 0; i < PK_MUTE_FIELDS; i++)
		if (m->want[i][0])
			return false;
	return true;
}

static bool guards_sensor(const struct pk_mute *m)
{
	for (size_t i = 0; i < m->rules; i++)
		for (size_t k = 0; k < PK_ARRAY_SIZE(guards); k++)
			if (strcmp(m->rule[i], guards[k]) == 0)
				return true;
	return false;
}

int pk_mute_check(const struct pk_mute *m, bool wide, const char **ret_why)
{
	const char *exe = m->want[PK_MUTE_EXE];

	*ret_why = NULL;
	if (!m->rules)
		*ret_why = "a suppression names one rule at least";
	else if (!m->reason[0])
		*ret_why = "a reason is required: it stays with the suppression";
	else if (!m->owner[0])
		*ret_why = "an owner is required";
	else if (guards_sensor(m) && (!exe[0] || strpbrk(exe, "*?")))
		*ret_why = "tamper guards the sensor itself: it can be suppressed for the whole "
			   "path of a program only (exe, without wildcards)";
	else if (pk_mute_is_wide(m) && !wide)
		*ret_why = "without a condition the rule would be quiet altogether; say wide if "
			   "that is meant";
	return *ret_why ? -EINVAL : 0;
}

bool pk_mute_fits(const struct pk_mute *m, const struct pk_finding *f,
		  const struct pk_filter_subject *s)
{
	struct about a = { .f = f, .s = s };
	bool named = false;

	for (size_t i = 0; i < m->rules && !named; i++)
		named = strcmp(m->rule[i], f->rule) == 0;
	if (!named || m->state != PK_MUTE_ACTIVE)
		return false;
	if (f->procs && s->procs && s->proc[0].pid == f->proc[0].tgid)
		a.proc = &s->proc[0];
	for (int i = 0; i < PK_MUTE_FIELDS; i++)
		if (m->want[i][0] && !fields[i].fits(m, m->want[i], &a))
			return false;
	return true;
}

void pk_mute_note(struct pk_mute *m, const char *who, const char *what, const char *why,
		  int64_t now_ms)
{
	struct pk_mute_act *a;

	if (m->acts == PK_MUTE_ACTS)
		memmove(m->act, m->act + 1, (--m->acts) * sizeof(*m->act));
	a = &m->act[m->acts++];
	*a = (struct pk_mute_act){ .number = ++m->acts_ever, .time_ms = now_ms };
	(void)snprintf(a->who, sizeof(a->who), "%s", who);
	(void)snprintf(a->what, sizeof(a->what), "%s", what);
	(void)snprintf(a->why, sizeof(a->why), "%s", why ? why : "");
	m->kept_ms = 0;
}
