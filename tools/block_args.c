/* SPDX-License-Identifier: Apache-2.0 */
/* Checks what can be told without the daemon; what an address is, the daemon says. */
#include "block_args.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

enum {
	TTL = 256,
	DIR,
	PROTO,
	PORT,
	IFACE,
	REASON,
	LIST,
	WIDE,
	FORCE,
	EXE,
	CONTAINER,
	USER,
	CGROUP,
	TO,
	ALLOW,
	SNI_ONLY,
	REFUSE_QUERY
};

const struct option pk_block_options[] = {
	{ "ttl", required_argument, NULL, TTL },
	{ "dir", required_argument, NULL, DIR },
	{ "proto", required_argument, NULL, PROTO },
	{ "port", required_argument, NULL, PORT },
	{ "iface", required_argument, NULL, IFACE },
	{ "reason", required_argument, NULL, REASON },
	{ "list", required_argument, NULL, LIST },
	{ "allow", no_argument, NULL, ALLOW },
	{ "sni-only", no_argument, NULL, SNI_ONLY },
	{ "refuse-query", no_argument, NULL, REFUSE_QUERY },
	{ "wide", no_argument, NULL, WIDE },
	{ "force-cover", required_argument, NULL, FORCE },
	{ "exe", required_argument, NULL, EXE },
	{ "container", required_argument, NULL, CONTAINER },
	{ "user", required_argument, NULL, USER },
	{ "cgroup", required_argument, NULL, CGROUP },
	{ "to", required_argument, NULL, TO },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct option pk_unblock_options[] = {
	{ "dir", required_argument, NULL, DIR },
	{ "proto", required_argument, NULL, PROTO },
	{ "port", required_argument, NULL, PORT },
	{ "iface", required_argument, NULL, IFACE },
	{ "reason", required_argument, NULL, REASON },
	{ "list", required_argument, NULL, LIST },
	{ "allow", no_argument, NULL, ALLOW },
	{ "exe", required_argument, NULL, EXE },
	{ "container", required_argument, NULL, CONTAINER },
	{ "user", required_argument, NULL, USER },
	{ "cgroup", required_argument, NULL, CGROUP },
	{ "to", required_argument, NULL, TO },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

int pk_args_seconds(const char *s, uint64_t *ret_s)
{
	static const struct {
		const char *unit;
		uint64_t s;
	} units[] = { { "", 1 },     { "s", 1 },     { "m", 60 },
		      { "h", 3600 }, { "d", 86400 }, { "w", 604800 } };
	size_t n = strspn(s, "0123456789");
	uint64_t v = 0;

	if (!n || n > 9)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (uint64_t)(s[i] - '0');
	for (size_t i = 0; i < PK_ARRAY_SIZE(units); i++)
		if (v && !strcmp(s + n, units[i].unit)) {
			*ret_s = v * units[i].s;
			return 0;
		}
	return -EINVAL;
}

/* json_string() refuses what is not UTF-8: so does this, in words. */
static int set_text(json_t *o, const char *name, const char *value, struct pk_buf *error)
{
	if (json_object_set_new(o, name, json_string(value)) == 0)
		return 0;
	pk_buf_fmt(error, "--%s is not UTF-8 text", name);
	return -EINVAL;
}

static int add_force(json_t *body, const char *value, struct pk_buf *error)
{
	json_t *list = json_object_get(body, "force_cover");

	if (!list) {
		list = json_array();
		json_object_set_new(body, "force_cover", list);
	}
	if (json_array_append_new(list, json_string(value)) == 0)
		return 0;
	pk_buf_str(error, "--force-cover takes an address");
	return -EINVAL;
}

static int set_who(json_t *body, const char *kind, const char *value, struct pk_buf *error)
{
	json_t *who = json_object();

	if (json_object_get(body, "who")) {
		json_decref(who);
		pk_buf_str(error, "one of --exe, --container, --user and --cgroup at a time");
		return -EINVAL;
	}
	json_object_set_new(body, "who", who);
	return set_text(who, kind, value, error);
}

static int set_ttl(json_t *body, const char *value, struct pk_buf *error)
{
	uint64_t s;

	if (pk_args_seconds(value, &s) < 0) {
		pk_buf_fmt(error, "--ttl takes a time as in 90s, 30m, 1h or 7d, not %s", value);
		return -EINVAL;
	}
	json_object_set_new(body, "ttl", json_integer((json_int_t)s));
	return 0;
}

static int set_format(struct pk_block_args *a, const char *value, struct pk_buf *error)
{
	a->json = !strcmp(value, "json");
	a->csv = !strcmp(value, "csv");
	if (a->json || a->csv || !strcmp(value, "table"))
		return 0;
	pk_buf_fmt(error, "-o takes table, json or csv, not %s", value);
	return -EINVAL;
}

static int take_option(struct pk_block_args *a, int c, const char *name, struct pk_buf *error)
{
	switch (c) {
	case 'h':
		a->help = true;
		return 0;
	case 'o':
		return set_format(a, optarg, error);
	case TTL:
		return set_ttl(a->body, optarg, error);
	case SNI_ONLY:
		json_object_set_new(a->body, "sni_only", json_true());
		return 0;
	case REFUSE_QUERY:
		json_object_set_new(a->body, "refuse_query", json_true());
		return 0;
	case ALLOW:
	case WIDE:
		json_object_set_new(a->body, name, json_true());
		return 0;
	case FORCE:
		return add_force(a->body, optarg, error);
	case EXE:
	case CONTAINER:
	case USER:
	case CGROUP:
		return set_who(a->body, name, optarg, error);
	case '?':
		return -EINVAL;
	default:
		return set_text(a->body, name, optarg, error);
	}
}

static int take_targets(struct pk_block_args *a, int argc, char **argv, struct pk_buf *error)
{
	json_t *list = json_array();

	if (optind < argc)
		json_object_set_new(a->body, "targets", list);
	else
		json_decref(list);
	for (int i = optind; i < argc; i++)
		if (json_array_append_new(list, json_string(argv[i])) < 0) {
			pk_buf_str(error, "a target is not UTF-8 text");
			return -EINVAL;
		}
	if (optind < argc && json_object_get(a->body, "who")) {
		pk_buf_str(error, "with --exe, --container, --user or --cgroup the addresses "
				  "are --to CIDR");
		return -EINVAL;
	}
	if (optind >= argc && !json_object_get(a->body, "who")) {
		pk_buf_str(error, "what is it about: an address, a prefix, a range, a name, or "
				  "--exe, "
				  "--container, --user, --cgroup");
		return -EINVAL;
	}
	return 0;
}

int pk_block_args(int argc, char **argv, bool unblock, struct pk_block_args *ret,
		  struct pk_buf *error)
{
	const struct option *options = unblock ? pk_unblock_options : pk_block_options;
	int c, at = -1, r = 0;

	*ret = (struct pk_block_args){ .body = json_object() };
	if (!ret->body) {
		pk_buf_str(error, "out of memory");
		return -EINVAL;
	}
	optind = 1;
	while (!r && !ret->help && (c = getopt_long(argc, argv, "o:h", options, &at)) >= 0)
		r = take_option(ret, c, at >= 0 ? options[at].name : "", error);
	return r < 0 || ret->help ? r : take_targets(ret, argc, argv, error);
}
