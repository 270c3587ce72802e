/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scans addresses, prefixes, ranges and names. inet_pton() is not used: it wants NUL ended text,
 * can't say what is wrong, and takes three times as long.
 */
#include "block/address.h"

#include <string.h>

#define MAPPED   ((pk_addr_t)0xffff << 32)
#define NOT_ADDR "not an address: expected 192.0.2.1, 192.0.2.0/24, 2001:db8::/32 or a range a-b"

bool pk_addr_is_v4(pk_addr_t a)
{
	return a >> 32 == 0xffff;
}

void pk_addr_bytes(pk_addr_t a, uint8_t ret_bytes[16])
{
	uint64_t hi = __builtin_bswap64((uint64_t)(a >> 64)), lo = __builtin_bswap64((uint64_t)a);

	memcpy(ret_bytes, &hi, 8);
	memcpy(ret_bytes + 8, &lo, 8);
}

pk_addr_t pk_addr_from_bytes(const uint8_t bytes[16])
{
	uint64_t hi, lo;

	memcpy(&hi, bytes, 8);
	memcpy(&lo, bytes + 8, 8);
	return (pk_addr_t)__builtin_bswap64(hi) << 64 | __builtin_bswap64(lo);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Up to five digits, no leading zero; *ret_v above max is the caller's to refuse. */
static const char *scan_number(const char *p, const char *end, unsigned *ret_v)
{
	const char *start = p;
	unsigned v = 0;

	while (p < end && is_digit(*p) && p - start < 5)
		v = v * 10 + (unsigned)(*p++ - '0');
	if (p == start || (p < end && is_digit(*p)) || (*start == '0' && p - start > 1))
		return NULL;
	*ret_v = v;
	return p;
}

static const char *scan_octet(const char *p, const char *end, uint32_t *v, const char **ret_reason)
{
	const char *start = p;
	unsigned octet = 0;

	while (p < end && is_digit(*p) && p - start < 4)
		octet = octet * 10 + (unsigned)(*p++ - '0');
	if (p == start)
		*ret_reason = NOT_ADDR;
	else if (octet > 255)
		*ret_reason = "not an address: a number above 255, expected four from 0 to 255";
	else if (*start == '0' && p - start > 1)
		*ret_reason = "number with a leading zero: some read it as octal; write it without";
	else
		return *v = *v << 8 | octet, p;
	return NULL;
}

static const char *scan_v4(const char *p, const char *end, uint32_t *ret_v, const char **ret_reason)
{
	for (int i = 0; i < 4; i++) {
		if (i && (p >= end || *p++ != '.')) {
			*ret_reason = "not an address: fewer than four numbers, expected a.b.c.d";
			return NULL;
		}
		p = scan_octet(p, end, ret_v, ret_reason);
		if (!p)
			return NULL;
	}
	if (p < end && *p == '.') {
		*ret_reason = "not an address: more than four numbers, expected a.b.c.d";
		return NULL;
	}
	return p;
}

struct groups {
	uint16_t v[8];
	int n, gap;  /* gap: groups before "::", -1 none */
	bool has_v4; /* the last two were written as IPv4: nothing follows */
};

/* One group, or the four numbers of IPv4 at the end. */
static const char *scan_group(struct groups *g, const char *p, const char *end,
			      const char **ret_reason)
{
	const char *start = p;
	unsigned v = 0;

	while (p < end && p - start < 5 && hex_digit(*p) >= 0)
		v = v << 4 | (unsigned)hex_digit(*p++);
	if (p < end && *p == '.') {
		uint32_t v4 = 0;

		if (g->n > 6) {
			*ret_reason = "not an IPv6 address: too many groups, expected eight";
			return NULL;
		}
		p = scan_v4(start, end, &v4, ret_reason);
		g->v[g->n++] = v4 >> 16;
		g->v[g->n++] = v4 & 0xffff;
		g->has_v4 = true;
		return p;
	}
	if (p == start || p - start > 4) {
		*ret_reason = p == start ? "not an IPv6 address: a group is missing"
					 : "not an IPv6 address: a group has more than 4 digits";
		return NULL;
	}
	if (g->n == 8) {
		*ret_reason = "not an IPv6 address: too many groups, expected eight";
		return NULL;
	}
	g->v[g->n++] = v;
	return p;
}

static const char *scan_groups(struct groups *g, const char *p, const char *end,
			       const char **ret_reason)
{
	if (p < end && *p == ':' && (p + 1 >= end || p[1] != ':')) {
		*ret_reason = "not an IPv6 address: begins with a single colon";
		return NULL;
	}
	for (;;) {
		if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
			if (g->gap >= 0) {
				*ret_reason = "not an IPv6 address: :: more than once";
				return NULL;
			}
			g->gap = g->n;
			p += 2;
			if (p >= end || hex_digit(*p) < 0)
				return p;
		} else if (g->n) {
			if (p >= end || *p != ':')
				return p;
			p++;
		}
		p = scan_group(g, p, end, ret_reason);
		if (!p || g->has_v4)
			return p;
	}
}

static const char *scan_v6(const char *p, const char *end, pk_addr_t *ret, const char **ret_reason)
{
	struct groups g = { .gap = -1 };
	pk_addr_t a = 0;

	p = scan_groups(&g, p, end, ret_reason);
	if (!p)
		return NULL;
	if (p < end && (*p == '%' || *p == ':' || *p == '.')) {
		*ret_reason = *p == '%' ? "address with a zone: write it without %"
					: "not an IPv6 address: too many groups, expected eight";
		return NULL;
	}
	if (g.gap < 0 ? g.n != 8 : g.n > 7) {
		*ret_reason = g.gap < 0 ? "not an IPv6 address: fewer than eight groups and no ::"
					: "not an IPv6 address: too many groups, expected eight";
		return NULL;
	}
	for (int i = 0; i < g.n; i++)
		a |= (pk_addr_t)g.v[i] << 16 * (g.gap < 0 || i < g.gap ? 7 - i : g.n - 1 - i);
	*ret = a;
	return p;
}

/* Groups of IPv6 end with a colon, numbers of IPv4 with a dot. */
static bool looks_v6(const char *p, const char *end)
{
	while (p < end && hex_digit(*p) >= 0)
		p++;
	return p < end && *p == ':';
}

static const char *scan_addr(const char *p, const char *end, pk_addr_t *ret, bool *ret_is_v6,
			     const char **ret_reason)
{
	uint32_t v4 = 0;

	*ret_reason = NOT_ADDR;
	*ret_is_v6 = false;
	if (p < end && is_digit(*p)) {
		const char *after = scan_v4(p, end, &v4, ret_reason);

		if (after) {
			*ret = MAPPED | v4;
			return after;
		}
	}
	if (!looks_v6(p, end))
		return NULL;
	*ret_is_v6 = true;
	return scan_v6(p, end, ret, ret_reason);
}

static pk_addr_t host_mask(unsigned bits)
{
	return bits ? ((pk_addr_t)1 << (128 - bits)) - 1 : ~(pk_addr_t)0;
}

static const char *scan_bits(const char *p, const char *end, bool is_v6, struct pk_span *s,
			     const char **ret_reason)
{
	pk_addr_t a = s->lo;
	unsigned bits;

	p = scan_number(p, end, &bits);
	if (!p || (p < end && *p == '.')) {
		*ret_reason =
			!p ? "not a prefix length: expected a number without leading zeros"
			   : "netmask instead of a prefix length: write /24, not /255.255.255.0";
		return NULL;
	}
	if (bits > (is_v6 ? 128 : 32)) {
		*ret_reason = is_v6 ? "prefix length above 128" : "prefix length above 32";
		return NULL;
	}
	if (is_v6 && bits < 96 && pk_addr_is_v4(a)) {
		*ret_reason = "IPv4 address with an IPv6 prefix length below 96: write it as IPv4";
		return NULL;
	}
	s->bits = is_v6 ? bits : bits + 96;
	s->lo = a & ~host_mask(s->bits);
	s->hi = a | host_mask(s->bits);
	s->has_host_bits = s->lo != a;
	return p;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

static const char *scan_range(const char *p, const char *end, struct pk_span *s,
			      const char **ret_reason)
{
	bool is_v6;

	p = scan_addr(skip_blanks(p, end), end, &s->hi, &is_v6, ret_reason);
	if (!p)
		return NULL;
	if (pk_addr_is_v4(s->lo) != pk_addr_is_v4(s->hi)) {
		*ret_reason = "range from one address family to the other: both ends must be alike";
		return NULL;
	}
	if (s->hi < s->lo) {
		*ret_reason = "the range ends before it begins: the lower address comes first";
		return NULL;
	}
	if (p < end && *p == '/') {
		*ret_reason = "range of prefixes: expected two addresses";
		return NULL;
	}
	s->is_range = true;
	return p;
}

static const char *scan_port(const char *p, const char *end, struct pk_span *s,
			     const char **ret_reason)
{
	unsigned port;

	p = scan_number(p, end, &port);
	if (!p || !port || port > 65535) {
		*ret_reason = "not a port: expected a number from 1 to 65535";
		return NULL;
	}
	s->port = port;
	return p;
}

/* "[v6]" or "[v6]:port", after the bracket. */
static const char *scan_bracket(const char *p, const char *end, struct pk_span *s,
				const char **ret_reason)
{
	bool is_v6;

	p = scan_addr(p, end, &s->lo, &is_v6, ret_reason);
	if (!p)
		return NULL;
	if (p >= end || *p != ']') {
		*ret_reason = "no ] after the address";
		return NULL;
	}
	s->hi = s->lo;
	p++;
	return p < end && *p == ':' ? scan_port(p + 1, end, s, ret_reason) : p;
}

const char *pk_span_scan(const char *p, const char *end, struct pk_span *ret,
			 const char **ret_reason)
{
	const char *after;
	bool is_v6;

	*ret = (struct pk_span){ .bits = 128 };
	if (p < end && *p == '[')
		return scan_bracket(p + 1, end, ret, ret_reason);
	p = scan_addr(p, end, &ret->lo, &is_v6, ret_reason);
	if (!p)
		return NULL;
	ret->hi = ret->lo;
	if (p >= end)
		return p;
	if (*p == '/')
		return scan_bits(p + 1, end, is_v6, ret, ret_reason);
	if (*p == ':')
		return scan_port(p + 1, end, ret, ret_reason);
	after = skip_blanks(p, end);
	return after < end && *after == '-' ? scan_range(after + 1, end, ret, ret_reason) : p;
}

static unsigned trailing_zeros(pk_addr_t a)
{
	if ((uint64_t)a)
		return (unsigned)__builtin_ctzll((uint64_t)a);
	return a ? 64 + (unsigned)__builtin_ctzll((uint64_t)(a >> 64)) : 128;
}

pk_addr_t pk_span_next(pk_addr_t lo, pk_addr_t hi, uint8_t *ret_bits)
{
	unsigned n = trailing_zeros(lo);

	while (n && (lo | host_mask(128 - n)) > hi)
		n--;
	*ret_bits = 128 - n;
	return n == 128 ? 0 : lo + ((pk_addr_t)1 << n);
}

static bool is_label_char(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '_';
}

static const char *label_check(const char *s, size_t len)
{
	if (!len)
		return "not a name: an empty label, expected example.com";
	if (len > 63)
		return "not a name: a label of more than 63 bytes";
	if (s[0] == '-' || s[len - 1] == '-')
		return "not a name: a label begins or ends with -";
	for (size_t i = 0; i < len; i++) {
		if (s[i] & 0x80)
			return "name with letters beyond ASCII: write it as xn--...";
		if (!is_label_char(s[i]))
			return "not an address and not a name";
	}
	return NULL;
}

const char *pk_name_check(const char *s, size_t len, bool may_be_single)
{
	size_t start = 0, labels = 1;

	if (len > 253)
		return "not a name: longer than 253 bytes";
	for (size_t i = 0; i <= len; i++) {
		const char *reason;

		if (i < len && s[i] != '.')
			continue;
		reason = label_check(s + start, i - start);
		if (reason)
			return reason;
		if (i < len) {
			start = i + 1;
			labels++;
		}
	}
	if (labels < 2 && !may_be_single)
		return "not an address, and no name has a single label";
	if (len - start < 2 || is_digit(s[start]))
		return NOT_ADDR;
	return NULL;
}
