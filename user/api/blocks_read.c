/* SPDX-License-Identifier: Apache-2.0 */
/* Reads {"targets":[...],...}: every member is known and right, or nothing is done. */
#include "api/blocks.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "block/format.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TTL_S_MAX (10ll * 366 * 86400)

static const char *const known[] = { "targets", "list",        "ttl",      "dir",
				     "proto",   "port",        "iface",    "reason",
				     "wide",    "force_cover", "who",      "to",
				     "auto",    "allow",       "sni_only", "refuse_query" };

static int wrong(struct pk_blocks *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int wrong(struct pk_blocks *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(b->error, sizeof(b->error), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* A text member, NULL when it is absent; -EINVAL when it is no text. */
static int text_of(struct pk_blocks *b, json_t *o, const char *name, const char **ret)
{
	json_t *v = json_object_get(o, name);

	*ret = json_string_value(v);
	if (v && (!*ret || strlen(*ret) != json_string_length(v)))
		return wrong(b, "%s must be text", name);
	return 0;
}

static int bool_of(struct pk_blocks *b, const char *name, bool *ret)
{
	json_t *v = json_object_get(b->body, name);

	if (v && !json_is_boolean(v))
		return wrong(b, "%s must be true or false", name);
	*ret = json_is_true(v);
	return 0;
}

static int read_limits(struct pk_blocks *b, int64_t now_ms, struct pk_block_entry *e)
{
	json_t *ttl = json_object_get(b->body, "ttl");
	json_int_t s = json_integer_value(ttl);
	const char *dir, *proto, *port;

	if (text_of(b, b->body, "dir", &dir) < 0 || text_of(b, b->body, "proto", &proto) < 0 ||
	    text_of(b, b->body, "port", &port) < 0)
		return -EINVAL;
	e->dir = PK_BLK_IN | PK_BLK_OUT;
	if (dir && pk_limits_dir(dir, &e->dir) < 0)
		return wrong(b, "dir must be in, out or both");
	if (proto && pk_limits_proto(proto, &e->proto) < 0)
		return wrong(b, "proto must be a protocol's name or its number, 1 to 255");
	if (port && pk_limits_ports(port, &e->port_lo, &e->port_hi) < 0)
		return wrong(b, "port must be a port or two with - between, 1 to 65535");
	if (ttl && (!json_is_integer(ttl) || s < 1 || s > TTL_S_MAX))
		return wrong(b, "ttl must be a number of seconds from 1 to %lld",
			     (long long)TTL_S_MAX);
	if (ttl)
		e->expires_ms = now_ms + s * 1000;
	return 0;
}

/* Looks like a name, and no address at all? */
static bool is_name(const char *s)
{
	bool letter = false, dot = false;

	for (; *s; s++) {
		if (*s == ':' || *s == '/')
			return false;
		dot = dot || *s == '.';
		letter = letter || (uint8_t)*s >= 0x80 || (*s >= 'g' && *s <= 'z') ||
			 (*s >= 'G' && *s <= 'Z') ||
			 (dot && ((*s >= 'a' && *s <= 'f') || (*s >= 'A' && *s <= 'F')));
	}
	return letter;
}

/* Names go by all ways to all ports: what limits addresses means nothing for them. */
static int add_name(struct pk_blocks *b, const char *s, const struct pk_block_entry *limits)
{
	char name[PK_DOMAIN_MAX];
	const char *why;

	if (pk_domain_normalise(s, strlen(s), name, &why) < 0)
		return wrong(b, "%.100s: %s", s, why);
	if (b->n == PK_BLOCKS_TARGETS)
		return wrong(b, "more than %d targets", PK_BLOCKS_TARGETS);
	if (limits->dir != (PK_BLK_IN | PK_BLK_OUT) || limits->proto || limits->port_hi || b->iface)
		return wrong(b, "%.100s is a name: dir, proto, port and iface go with addresses",
			     s);
	if (b->ask.n_force)
		return wrong(b,
			     "%.100s is a name: force_cover goes with addresses; what must be "
			     "reached stays open",
			     s);
	b->v[b->n] = *limits;
	b->name[b->n] = strdup(name);
	if (!b->name[b->n])
		return wrong(b, "no memory");
	b->n++;
	return 0;
}

static int add_target(struct pk_blocks *b, const char *s, const struct pk_block_entry *limits)
{
	size_t n = 0, from = b->n;
	const char *reason = NULL;
	bool host_bits = false;

	if (pk_block_parse_target(s, b->v + from, PK_BLOCKS_TARGETS - from, &n, &reason,
				  &host_bits) < 0)
		return wrong(b, "%.60s: %s", s,
			     reason ? reason : "not an address, prefix or range");
	if (host_bits)
		return wrong(b, "%.60s: bits are set behind the prefix: is it a typing error?", s);
	b->n += n;
	for (size_t i = from; i < b->n; i++) {
		struct pk_block_entry *e = &b->v[i];

		e->dir = limits->dir;
		e->proto = limits->proto;
		e->port_lo = limits->port_lo;
		e->port_hi = limits->port_hi;
		e->expires_ms = limits->expires_ms;
	}
	return 0;
}

static int read_targets(struct pk_blocks *b, const struct pk_block_entry *limits)
{
	json_t *list = json_object_get(b->body, "targets"), *t;
	size_t i, names = 0;

	if (!json_is_array(list) || !json_array_size(list))
		return wrong(b, "targets must be an array of addresses, prefixes, ranges or "
				"names");
	json_array_foreach(list, i, t)
	{
		const char *s = json_string_value(t);

		if (!s)
			return wrong(b, "targets must be texts");
		if ((is_name(s) ? add_name(b, s, limits) : add_target(b, s, limits)) < 0)
			return -EINVAL;
		names += b->n && b->name[b->n - 1];
	}
	if (b->how && names != json_array_size(list))
		return wrong(b, "sni_only and refuse_query go with names only");
	return 0;
}

/* A process may not talk to anything, or to what "to" names. */
static int read_proc(struct pk_blocks *b, json_t *who, struct pk_block_entry *limits)
{
	static const struct {
		const char *name;
		enum pk_block_proc_kind kind;
	} kinds[] = { { "exe", PK_BLOCK_EXE },
		      { "user", PK_BLOCK_USER },
		      { "container", PK_BLOCK_CONTAINER },
		      { "cgroup", PK_BLOCK_CGROUP } };
	const char *to;

	if (!json_is_object(who) || json_object_size(who) != 1)
		return wrong(b, "who must have one member: exe, user, container or cgroup");
	for (size_t i = 0; i < PK_ARRAY_SIZE(kinds); i++)
		if (json_object_get(who, kinds[i].name)) {
			b->proc.kind = kinds[i].kind;
			if (text_of(b, who, kinds[i].name, &b->proc.name) < 0)
				return -EINVAL;
		}
	if (!b->proc.name || !*b->proc.name)
		return wrong(b, "who must have one member: exe, user, container or cgroup");
	if (json_object_get(b->body, "targets"))
		return wrong(b, "who and targets do not go together: \"to\" names addresses");
	if (text_of(b, b->body, "to", &to) < 0)
		return -EINVAL;
	if (limits->dir == PK_BLK_IN)
		return wrong(b, "what processes do goes out: dir in means nothing for them");
	if (b->how)
		return wrong(b, "sni_only and refuse_query go with names only");
	if (to && is_name(to))
		return wrong(b, "%.100s is a name: \"to\" takes addresses, prefixes and ranges",
			     to);
	if (to)
		return add_target(b, to, limits);
	limits->bits = 0;
	b->v[b->n++] = *limits;
	return 0;
}

static int read_force(struct pk_blocks *b)
{
	json_t *list = json_object_get(b->body, "force_cover"), *t;
	size_t i;

	if (list && (!json_is_array(list) || json_array_size(list) > PK_ARRAY_SIZE(b->ask.force)))
		return wrong(b, "force_cover must be an array of at most 16 addresses");
	json_array_foreach(list, i, t)
	{
		if (!json_is_string(t) || pk_ip_parse(json_string_value(t), b->ask.force[i]) < 0)
			return wrong(b, "force_cover must be addresses");
		b->ask.n_force++;
	}
	return 0;
}

static int read_auto(struct pk_blocks *b, json_t *o)
{
	static const char *const evidence[] = {
		[PK_BLOCK_ESTABLISHED] = "established",
		[PK_BLOCK_HALF_OPEN] = "half-open",
		[PK_BLOCK_UDP] = "udp",
	};
	const char *s;

	if (!json_is_object(o) || text_of(b, o, "alert", &b->automatic.alert) < 0 ||
	    text_of(b, o, "evidence", &s) < 0 || !b->automatic.alert || !s)
		return wrong(b, "auto must have the texts alert and evidence");
	for (size_t i = PK_BLOCK_ESTABLISHED; i < PK_ARRAY_SIZE(evidence); i++)
		if (strcmp(s, evidence[i]) == 0)
			b->automatic.evidence = (enum pk_block_evidence)i;
	if (!b->automatic.evidence)
		return wrong(b, "evidence must be established, half-open or udp");
	if (!json_object_get(b->body, "ttl"))
		return wrong(b, "an automatic block needs a ttl");
	for (size_t i = 0; i < b->n; i++)
		if (b->name[i])
			return wrong(b, "an automatic block is one of addresses, not of names");
	if (b->proc.kind || b->ask.n_force || b->ask.wide)
		return wrong(b, "an automatic block is one of addresses, neither forced nor wide");
	b->is_auto = true;
	b->automatic.list = json_string_value(json_object_get(b->body, "list"));
	b->automatic.reason = b->reason;
	return 0;
}

static int check_members(struct pk_blocks *b)
{
	const char *name;
	json_t *v;

	json_object_foreach(b->body, name, v)
	{
		bool found = false;

		for (size_t i = 0; i < PK_ARRAY_SIZE(known); i++)
			found = found || strcmp(name, known[i]) == 0;
		if (!found)
			return wrong(b, "there is no member \"%.40s\"", name);
	}
	return 0;
}

static int read_all(struct pk_blocks *b, int64_t now_ms)
{
	json_t *who = json_object_get(b->body, "who"),
	       *automatic = json_object_get(b->body, "auto");
	struct pk_block_entry limits = { 0 };
	bool sni_only = false, refuse = false;
	const char *list;

	if (check_members(b) < 0 || text_of(b, b->body, "list", &list) < 0 ||
	    text_of(b, b->body, "iface", &b->iface) < 0 ||
	    text_of(b, b->body, "reason", &b->reason) < 0 || bool_of(b, "wide", &b->ask.wide) < 0 ||
	    bool_of(b, "allow", &b->ask.allow) < 0 || bool_of(b, "sni_only", &sni_only) < 0 ||
	    bool_of(b, "refuse_query", &refuse) < 0 || read_force(b) < 0 ||
	    read_limits(b, now_ms, &limits) < 0)
		return -EINVAL;
	b->ask.list = list ? list : b->ask.allow ? "allowed" : "manual";
	b->ask.mode = -1;
	b->how = (sni_only ? PK_BLOCK_SNI_ONLY : 0) | (refuse ? PK_BLOCK_REFUSE : 0);
	if (b->how && b->ask.allow)
		return wrong(b, "sni_only and refuse_query mean nothing for what is allowed");
	if (b->reason && strlen(b->reason) > 255)
		return wrong(b, "the reason is too long: 255 bytes at most");
	if (!who && json_object_get(b->body, "to"))
		return wrong(b, "\"to\" goes with who only");
	if ((who ? read_proc(b, who, &limits) : read_targets(b, &limits)) < 0)
		return -EINVAL;
	return automatic ? read_auto(b, automatic) : 0;
}

int pk_blocks_read(const char *bytes, size_t len, int64_t now_ms, struct pk_blocks *ret)
{
	json_error_t e;

	*ret = (struct pk_blocks){ 0 };
	ret->body = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &e);
	if (!ret->body)
		return wrong(ret, "the body is not JSON: line %d: %.120s", e.line, e.text);
	if (!json_is_object(ret->body))
		return wrong(ret, "the body must be an object");
	return read_all(ret, now_ms);
}

void pk_blocks_done(struct pk_blocks *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->name[i]);
	b->n = 0;
	json_decref(b->body);
	b->body = NULL;
}
