/* SPDX-License-Identifier: Apache-2.0 */
/* Text of limits to entries and back. Strict: a limit that is not understood is none. */
#include "block/limits.h"

#include "base/ip.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOTH (PK_BLK_IN | PK_BLK_OUT)

int pk_limits_dir(const char *s, uint8_t *ret_dir)
{
	for (uint8_t dir = PK_BLK_IN; dir <= BOTH; dir++)
		if (strcmp(s, pk_limits_dir_name(dir)) == 0) {
			*ret_dir = dir;
			return 0;
		}
	return -EINVAL;
}

const char *pk_limits_dir_name(uint8_t dir)
{
	return dir == PK_BLK_IN ? "in" : dir == PK_BLK_OUT ? "out" : "both";
}

/* A number of at most five digits and nothing else. */
static int parse_number(const char *s, size_t len, unsigned max, unsigned *ret)
{
	unsigned v = 0;

	if (!len || len > 5)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		v = v * 10 + (unsigned)(s[i] - '0');
	}
	if (v > max)
		return -EINVAL;
	*ret = v;
	return 0;
}

int pk_limits_proto(const char *s, uint8_t *ret_proto)
{
	unsigned v = 0;

	for (unsigned p = 1; p < 256 && !v; p++) {
		const char *name = pk_ip_proto_name(p);

		if (name && strcmp(s, name) == 0)
			v = p;
	}
	if (!v && (parse_number(s, strlen(s), 255, &v) < 0 || !v))
		return -EINVAL;
	*ret_proto = (uint8_t)v;
	return 0;
}

int pk_limits_ports(const char *s, uint16_t *ret_lo, uint16_t *ret_hi)
{
	const char *dash = strchr(s, '-');
	size_t len = dash ? (size_t)(dash - s) : strlen(s);
	unsigned lo, hi;

	if (parse_number(s, len, 65535, &lo) < 0 || !lo)
		return -EINVAL;
	hi = lo;
	if (dash && parse_number(dash + 1, strlen(dash + 1), 65535, &hi) < 0)
		return -EINVAL;
	if (hi < lo)
		return -EINVAL;
	*ret_lo = (uint16_t)lo;
	*ret_hi = (uint16_t)hi;
	return 0;
}

const char *pk_limits_prefix(const struct pk_block_entry *e, char out[PK_PREFIX_TEXT])
{
	unsigned bits = e->v4 ? e->bits - 96u : e->bits;
	char ip[PK_IP_TEXT];

	pk_ip_format(e->prefix, ip);
	if (bits == (e->v4 ? 32 : 128))
		snprintf(out, PK_PREFIX_TEXT, "%s", ip);
	else
		snprintf(out, PK_PREFIX_TEXT, "%s/%u", ip, bits);
	return out;
}

void pk_limits_write(struct pk_json *j, const struct pk_block_entry *e, const char *iface)
{
	const char *proto = pk_ip_proto_name(e->proto);
	char text[16];

	if (e->dir != BOTH)
		pk_json_str(j, "dir", pk_limits_dir_name(e->dir));
	if (e->proto) {
		snprintf(text, sizeof(text), "%u", e->proto);
		pk_json_str(j, "proto", proto ? proto : text);
	}
	if (e->port_lo || e->port_hi) {
		snprintf(text, sizeof(text), e->port_lo == e->port_hi ? "%u" : "%u-%u", e->port_lo,
			 e->port_hi);
		pk_json_str(j, "port", text);
	}
	if (iface && *iface)
		pk_json_str(j, "iface", iface);
	if (e->expires_ms)
		pk_json_i64(j, "expires", e->expires_ms);
}
