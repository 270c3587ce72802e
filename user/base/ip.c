/* SPDX-License-Identifier: Apache-2.0 */
/* Text and prefixes of addresses. Knows neither names nor interfaces. */
#include "base/ip.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

bool pk_ip_is_v4(const uint8_t addr[16])
{
	return memcmp(addr, v4_prefix, sizeof(v4_prefix)) == 0;
}

const char *pk_ip_format(const uint8_t addr[16], char out[PK_IP_TEXT])
{
	if (pk_ip_is_v4(addr))
		(void)inet_ntop(AF_INET, addr + 12, out, PK_IP_TEXT); /* can't fail: it fits */
	else
		(void)inet_ntop(AF_INET6, addr, out, PK_IP_TEXT);
	return out;
}

int pk_ip_parse(const char *s, uint8_t ret_addr[16])
{
	uint8_t a[16];

	memcpy(a, v4_prefix, sizeof(v4_prefix));
	if (inet_pton(AF_INET, s, a + 12) != 1 && inet_pton(AF_INET6, s, a) != 1)
		return -EINVAL;
	memcpy(ret_addr, a, sizeof(a));
	return 0;
}

/* One to three digits, nothing else. */
static int parse_bits(const char *s, unsigned max, unsigned *ret_bits)
{
	unsigned v = 0;

	if (!*s || strlen(s) > 3)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		v = v * 10 + (*s - '0');
	}
	if (v > max)
		return -EINVAL;
	*ret_bits = v;
	return 0;
}

int pk_ip_parse_cidr(const char *s, uint8_t ret_addr[16], unsigned *ret_bits)
{
	const char *slash = strchr(s, '/');
	size_t len = slash ? (size_t)(slash - s) : strlen(s);
	char text[PK_IP_TEXT];
	unsigned bits = 128;
	uint8_t a[16];
	bool v4;
	int r;

	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, s, len);
	text[len] = '\0';
	r = pk_ip_parse(text, a);
	if (r < 0)
		return r;
	v4 = !strchr(text, ':');
	if (slash) {
		r = parse_bits(slash + 1, v4 ? 32 : 128, &bits);
		if (r < 0)
			return r;
		if (v4)
			bits += 96;
	}
	memcpy(ret_addr, a, sizeof(a));
	*ret_bits = bits;
	return 0;
}

bool pk_ip_in(const uint8_t addr[16], const uint8_t net[16], unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (bits > 128 || memcmp(addr, net, whole) != 0)
		return false;
	return !rest || ((addr[whole] ^ net[whole]) >> (8 - rest)) == 0;
}

const char *pk_ip_proto_name(unsigned proto)
{
	static const struct {
		unsigned proto;
		const char *name;
	} names[] = {
		{ 6, "tcp" },     { 17, "udp" },   { 1, "icmp" },      { 58, "icmp6" },
		{ 0x806, "arp" }, { 132, "sctp" }, { 136, "udplite" }, { 2, "igmp" },
		{ 4, "ipip" },    { 41, "ipv6" },  { 47, "gre" },      { 50, "esp" },
		{ 51, "ah" },     { 33, "dccp" },  { 89, "ospf" },     { 103, "pim" },
		{ 112, "vrrp" },
	};

	for (size_t i = 0; i < PK_ARRAY_SIZE(names); i++)
		if (names[i].proto == proto)
			return names[i].name;
	return NULL;
}
