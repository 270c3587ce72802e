/* SPDX-License-Identifier: Apache-2.0 */
/* One row and one function an option. Strict: what is not understood is not ignored. */
#include "block/treat.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "block/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TTL_S_MAX (10ull * 366 * 86400)

static const char *const modes[] = { "off", "observe", "enforce" };

int pk_list_mode_parse(const char *s, int *ret_mode)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(modes); i++)
		if (strcmp(s, modes[i]) == 0) {
			*ret_mode = (int)i;
			return 0;
		}
	return -EINVAL;
}

const char *pk_list_mode_name(enum pk_blk_mode mode)
{
	return (size_t)mode < PK_ARRAY_SIZE(modes) ? modes[mode] : "off";
}

/* "1" or "0"; the name alone is as good as 1. */
static bool read_bool(const char *s, bool *ret)
{
	bool on = !*s || strcmp(s, "1") == 0 || strcmp(s, "true") == 0;

	if (!on && strcmp(s, "0") != 0 && strcmp(s, "false") != 0)
		return false;
	*ret = on;
	return true;
}

static const char *set_format(struct pk_list_treat *t, const char *s)
{
	if (strcmp(s, "auto") == 0 || pk_list_format_parse(s, &t->opts.format) == 0)
		return NULL;
	return "format must be plain, ipset, spamhaus, csv, hosts, stix, misp, zeek or picket";
}

static const char *set_column(struct pk_list_treat *t, const char *s)
{
	t->opts.column = s;
	return NULL;
}

static const char *set_kind(struct pk_list_treat *t, const char *s)
{
	t->ask.allow = strcmp(s, "allow") == 0;
	return t->ask.allow || strcmp(s, "block") == 0 ? NULL : "kind must be block or allow";
}

static const char *set_mode(struct pk_list_treat *t, const char *s)
{
	return pk_list_mode_parse(s, &t->ask.mode) < 0 ? "mode must be enforce, observe or off"
						       : NULL;
}

static const char *set_skip_bad(struct pk_list_treat *t, const char *s)
{
	if (!read_bool(s, &t->ask.skip_bad))
		return "skip_bad must be 0 or 1";
	t->opts.skip_bad = t->ask.skip_bad;
	return NULL;
}

static const char *set_wide(struct pk_list_treat *t, const char *s)
{
	return read_bool(s, &t->ask.wide) ? NULL : "wide must be 0 or 1";
}

static const char *set_force_cover(struct pk_list_treat *t, const char *s)
{
	char text[PK_IP_TEXT];

	while (*s) {
		size_t n = strcspn(s, ",");

		if (t->ask.n_force >= PK_ARRAY_SIZE(t->ask.force))
			return "force_cover takes 16 addresses at most";
		if (n < sizeof(text)) {
			memcpy(text, s, n);
			text[n] = '\0';
		}
		if (n >= sizeof(text) || pk_ip_parse(text, t->ask.force[t->ask.n_force]) < 0)
			return "force_cover takes addresses, with commas between";
		t->ask.n_force++;
		s += n + (s[n] == ',');
	}
	return NULL;
}

static const char *set_ttl(struct pk_list_treat *t, const char *s)
{
	size_t n = strlen(s);

	if (n && n <= 18 && strspn(s, "0123456789") == n)
		t->ttl_s = strtoull(s, NULL, 10);
	return t->ttl_s && t->ttl_s <= TTL_S_MAX
		       ? NULL
		       : "ttl must be a number of seconds: one second or more, ten years at most";
}

static const char *set_dir(struct pk_list_treat *t, const char *s)
{
	return pk_limits_dir(s, &t->opts.defaults.dir) < 0 ? "dir must be in, out or both" : NULL;
}

static const char *set_proto(struct pk_list_treat *t, const char *s)
{
	return pk_limits_proto(s, &t->opts.defaults.proto) < 0
		       ? "proto must be a protocol's name or its number, 1 to 255"
		       : NULL;
}

static const char *set_port(struct pk_list_treat *t, const char *s)
{
	struct pk_block_entry *e = &t->opts.defaults;

	return pk_limits_ports(s, &e->port_lo, &e->port_hi) < 0
		       ? "port must be a port or two with - between, 1 to 65535"
		       : NULL;
}

static const char *set_sni_only(struct pk_list_treat *t, const char *s)
{
	return read_bool(s, &t->sni_only) ? NULL : "sni_only must be 0 or 1";
}

static const char *set_refuse_query(struct pk_list_treat *t, const char *s)
{
	return read_bool(s, &t->refuse) ? NULL : "refuse_query must be 0 or 1";
}

static const struct {
	const char *name;
	const char *(*set)(struct pk_list_treat *t, const char *s);
} rows[] = {
	{ "format", set_format },
	{ "column", set_column },
	{ "kind", set_kind },
	{ "mode", set_mode },
	{ "skip_bad", set_skip_bad },
	{ "wide", set_wide },
	{ "force_cover", set_force_cover },
	{ "ttl", set_ttl },
	{ "dir", set_dir },
	{ "proto", set_proto },
	{ "port", set_port },
	{ "sni_only", set_sni_only },
	{ "refuse_query", set_refuse_query },
};

void pk_list_treat_init(struct pk_list_treat *t)
{
	*t = (struct pk_list_treat){ .ask.mode = -1 };
	t->opts.defaults.dir = PK_BLK_IN | PK_BLK_OUT;
}

const char *pk_list_treat_set(struct pk_list_treat *t, const char *name, const char *value)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].set(t, value);
	return "there is no such option of a list";
}

const char *pk_list_treat_end(struct pk_list_treat *t)
{
	if ((t->sni_only || t->refuse) && t->ask.allow)
		return "sni_only and refuse_query mean nothing for what is allowed";
	t->opts.name_how =
		(t->sni_only ? PK_BLOCK_SNI_ONLY : 0) | (t->refuse ? PK_BLOCK_REFUSE : 0);
	if (t->ttl_s)
		t->opts.defaults.expires_ms = t->opts.now_ms + (int64_t)t->ttl_s * 1000;
	return NULL;
}
