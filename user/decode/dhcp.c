/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHCP of both versions: who asks, what for, and what it is given. An option that is split (RFC
 * 3396) counts by its first part.
 */
#include "decode/dhcp.h"

#include "base/cleanup.h"

#include <errno.h>

#define COOKIE     0x63825363
#define COOKIE_AT  236
#define HEADER_V4  240
#define SNAME_AT   44
#define SNAME_LEN  64
#define FILE_AT    108
#define FILE_LEN   128
#define RELAYS_MAX 8    /* RFC 8415 HOP_COUNT_LIMIT */
#define FQDN_WIRE  0x04 /* RFC 4702 2.1: the name is as in DNS */

static void put_v4(uint8_t out[16], const uint8_t *v4)
{
	static const uint8_t none[4];

	if (!memcmp(v4, none, 4))
		return;
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, v4, 4);
}

static struct pk_slice slice_of(const struct pk_cursor *v)
{
	return (struct pk_slice){ (const char *)v->data, (uint32_t)v->len };
}

/* A text that may be padded with NULs. */
static struct pk_slice text_of(const struct pk_cursor *v)
{
	struct pk_slice s = slice_of(v);

	while (s.len && !s.s[s.len - 1])
		s.len--;
	return s;
}

/* The first label of a name, as text ("host.example") or as in DNS ("\4host..."). */
static struct pk_slice first_label(struct pk_cursor v, bool wire)
{
	struct pk_slice rest;
	const char *dot;

	if (wire)
		return pk_cursor_slice(&v, pk_cursor_u8(&v));
	rest = pk_cursor_slice(&v, pk_cursor_left(&v));
	dot = rest.len ? memchr(rest.s, '.', rest.len) : NULL;
	if (dot)
		rest.len = (uint32_t)(dot - rest.s);
	return rest;
}

/* What an option's value is, and where it goes. */
enum form {
	ADDRESS,   /* 4 bytes */
	ADDRESSES, /* of 4 bytes each */
	TEXT,
	BYTES,
	SECONDS, /* 4 bytes */
	BYTE,
	FQDN,
};

#define AT(member) offsetof(struct pk_dhcp, member)

static const struct {
	uint8_t code;
	enum form form;
	size_t at, count_at;
} options_v4[] = {
	{ 3, ADDRESSES, AT(routers), AT(n_routers) },
	{ 6, ADDRESSES, AT(dns), AT(n_dns) },
	{ 12, TEXT, AT(hostname), 0 },
	{ 15, TEXT, AT(domain), 0 },
	{ 50, ADDRESS, AT(requested), 0 },
	{ 51, SECONDS, AT(lease), 0 },
	{ 53, BYTE, AT(type), 0 },
	{ 54, ADDRESS, AT(server), 0 },
	{ 55, BYTES, AT(params), 0 },
	{ 60, TEXT, AT(vendor), 0 },
	{ 61, BYTES, AT(client_id), 0 },
	{ 81, FQDN, AT(hostname), 0 },
};

static bool put_addresses(struct pk_cursor v, uint8_t (*out)[16], uint8_t *n)
{
	if (!v.len || v.len % 4)
		return false;
	while (pk_cursor_left(&v) && *n < PK_DHCP_LIST_MAX)
		put_v4(out[(*n)++], pk_cursor_take(&v, 4));
	return true;
}

/* False: the value has not the form that its code asks for. */
static bool put_option(struct pk_dhcp *out, unsigned row, struct pk_cursor v)
{
	void *at = (char *)out + options_v4[row].at;
	struct pk_slice *slice = at;
	uint8_t flags;

	switch (options_v4[row].form) {
	case ADDRESS:
		if (v.len != 4)
			return false;
		put_v4(at, v.data);
		return true;
	case ADDRESSES:
		return put_addresses(v, at, (uint8_t *)out + options_v4[row].count_at);
	case SECONDS:
		*(uint32_t *)at = pk_cursor_u32(&v);
		return v.len == 4;
	case BYTE:
		*(uint8_t *)at = pk_cursor_u8(&v);
		return v.len == 1;
	case TEXT:
		*slice = text_of(&v);
		return v.len > 0;
	case BYTES:
		if (!slice->s)
			*slice = slice_of(&v);
		return v.len > 0;
	case FQDN:
		flags = pk_cursor_u8(&v);
		(void)pk_cursor_u16(&v); /* two codes that mean nothing any more */
		if (!slice->len)
			*slice = first_label(v, flags & FQDN_WIRE);
		return !v.short_;
	}
	return true;
}

/* *ret_overload: option 52, where more options are. *ret_end: the end was there. */
static enum pk_dhcp_why read_options_v4(struct pk_dhcp *out, struct pk_cursor c,
					uint8_t *ret_overload, bool *ret_end)
{
	enum pk_dhcp_why why = PK_DHCP_OK;

	while (pk_cursor_left(&c)) {
		uint8_t code = pk_cursor_u8(&c);
		struct pk_cursor v;

		if (code == 0)
			continue;
		if (code == 255) {
			*ret_end = true;
			return why;
		}
		v = pk_cursor_sub(&c, pk_cursor_u8(&c));
		if (c.short_)
			return PK_DHCP_SHORT;
		if (code == 52 && v.len == 1)
			*ret_overload = v.data[0];
		for (unsigned i = 0; i < PK_ARRAY_SIZE(options_v4); i++)
			if (options_v4[i].code == code && !put_option(out, i, v))
				why = PK_DHCP_BAD_OPTION;
	}
	return why;
}

static int decode_v4(struct pk_dhcp *out, struct pk_cursor c)
{
	const uint8_t *p = c.data;
	uint8_t overload = 0, ignored = 0;
	bool end = false;

	if (c.len < HEADER_V4 - 4)
		return -ENODATA;
	if ((p[0] != 1 && p[0] != 2) || p[2] > 16)
		return -EBADMSG;
	out->reply = p[0] == 2;
	out->mac_len = p[2];
	memcpy(out->mac, p + 28, p[2]);
	c.at = 4;
	out->xid = pk_cursor_u32(&c);
	put_v4(out->client, p + 12);
	put_v4(out->offered, p + 16);
	put_v4(out->relay, p + 24);
	out->relayed = out->relay[10] != 0;
	c.at = COOKIE_AT;
	if (pk_cursor_u32(&c) != COOKIE)
		return 0; /* BOOTP */
	out->why = read_options_v4(out, c, &overload, &end);
	if (overload & 1 && !out->why)
		out->why =
			read_options_v4(out, pk_cursor_of(p + FILE_AT, FILE_LEN), &ignored, &end);
	if (overload & 2 && !out->why)
		out->why =
			read_options_v4(out, pk_cursor_of(p + SNAME_AT, SNAME_LEN), &ignored, &end);
	if (!out->why && !end)
		out->why = PK_DHCP_NO_END;
	return 0;
}

/* RFC 8415 11: a DUID made of a hardware address holds it at its end. */
static void put_duid(struct pk_dhcp *out, struct pk_cursor v)
{
	uint16_t type = pk_cursor_u16(&v), hardware = pk_cursor_u16(&v);

	out->client_id = slice_of(&v);
	if (type == 1)
		(void)pk_cursor_u32(&v); /* time */
	else if (type != 3)
		return;
	if (v.short_ || hardware != 1 || pk_cursor_left(&v) != 6)
		return;
	out->mac_len = 6;
	memcpy(out->mac, pk_cursor_take(&v, 6), 6);
}

/* IA_NA: the first address in it. */
static bool put_ia(struct pk_dhcp *out, struct pk_cursor v)
{
	(void)pk_cursor_take(&v, 12); /* IAID, T1, T2 */
	while (pk_cursor_left(&v) && !v.short_) {
		uint16_t code = pk_cursor_u16(&v);
		struct pk_cursor a = pk_cursor_sub(&v, pk_cursor_u16(&v));
		const uint8_t *addr = code == 5 ? pk_cursor_take(&a, 16) : NULL;

		if (!addr)
			continue;
		memcpy(out->reply ? out->offered : out->requested, addr, 16);
		(void)pk_cursor_u32(&a); /* preferred */
		out->lease = pk_cursor_u32(&a);
		return !a.short_;
	}
	return !v.short_;
}

static bool put_option_v6(struct pk_dhcp *out, uint16_t code, struct pk_cursor v)
{
	switch (code) {
	case 1:
		put_duid(out, v);
		return v.len > 2;
	case 3:
		return put_ia(out, v);
	case 6:
		out->params = slice_of(&v);
		return v.len % 2 == 0;
	case 16:
		(void)pk_cursor_u32(&v); /* enterprise number */
		out->vendor = pk_cursor_slice(&v, pk_cursor_u16(&v));
		return !v.short_;
	case 23:
		for (; pk_cursor_left(&v) >= 16 && out->n_dns < PK_DHCP_LIST_MAX; out->n_dns++)
			memcpy(out->dns[out->n_dns], pk_cursor_take(&v, 16), 16);
		return v.len && v.len % 16 == 0;
	case 39:
		(void)pk_cursor_u8(&v);
		out->hostname = first_label(v, true);
		return v.len > 1;
	default:
		return true;
	}
}

/* RELAY-FORW, RELAY-REPL: *c is then on the message inside. */
static bool enter_relay(struct pk_cursor *c)
{
	(void)pk_cursor_take(c, 1 + 16 + 16); /* hops, link, peer */
	while (pk_cursor_left(c) && !c->short_) {
		uint16_t code = pk_cursor_u16(c);
		struct pk_cursor v = pk_cursor_sub(c, pk_cursor_u16(c));

		if (code == 9 && !v.short_) {
			*c = v;
			return true;
		}
	}
	return false;
}

static int decode_v6(struct pk_dhcp *out, struct pk_cursor c)
{
	out->type = pk_cursor_u8(&c);
	for (unsigned i = 0; i < RELAYS_MAX && (out->type == 12 || out->type == 13); i++) {
		out->relayed = true;
		out->reply = out->type == 13;
		if (!enter_relay(&c)) {
			out->why = PK_DHCP_SHORT;
			return c.len < 4 ? -ENODATA : 0;
		}
		out->type = pk_cursor_u8(&c);
	}
	out->xid = pk_cursor_u24(&c);
	if (c.short_)
		return -ENODATA;
	if (!pk_dhcp_type_name(6, out->type))
		return -EBADMSG;
	out->reply = out->type == 2 || out->type == 7 || out->type == 10;
	while (pk_cursor_left(&c)) {
		uint16_t code = pk_cursor_u16(&c);
		struct pk_cursor v = pk_cursor_sub(&c, pk_cursor_u16(&c));

		if (c.short_) {
			out->why = PK_DHCP_SHORT;
			return 0;
		}
		if (!put_option_v6(out, code, v))
			out->why = PK_DHCP_BAD_OPTION;
	}
	return 0;
}

int pk_dhcp_decode(struct pk_dhcp *ret, uint8_t version, const void *data, size_t len)
{
	struct pk_dhcp out = { .version = version };
	struct pk_cursor c = pk_cursor_of(data, len);
	int r;

	if (!len)
		return -ENODATA;
	r = version == 6 ? decode_v6(&out, c) : decode_v4(&out, c);
	if (r < 0)
		return r;
	*ret = out;
	return 0;
}

bool pk_dhcp_is(const void *data, size_t len)
{
	struct pk_cursor c = pk_cursor_of(data, len);

	(void)pk_cursor_take(&c, COOKIE_AT);
	return pk_cursor_u32(&c) == COOKIE && (c.data[0] == 1 || c.data[0] == 2);
}

const char *pk_dhcp_type_name(uint8_t version, uint8_t type)
{
	static const char *const v4[] = {
		[0] = "BOOTP",         [1] = "DISCOVER",     [2] = "OFFER",
		[3] = "REQUEST",       [4] = "DECLINE",      [5] = "ACK",
		[6] = "NAK",           [7] = "RELEASE",      [8] = "INFORM",
		[9] = "FORCERENEW",    [10] = "LEASEQUERY",  [11] = "LEASEUNASSIGNED",
		[12] = "LEASEUNKNOWN", [13] = "LEASEACTIVE",
	};
	static const char *const v6[] = {
		[1] = "SOLICIT",
		[2] = "ADVERTISE",
		[3] = "REQUEST",
		[4] = "CONFIRM",
		[5] = "RENEW",
		[6] = "REBIND",
		[7] = "REPLY",
		[8] = "RELEASE",
		[9] = "DECLINE",
		[10] = "RECONFIGURE",
		[11] = "INFORMATION-REQUEST",
		[12] = "RELAY-FORW",
		[13] = "RELAY-REPL",
	};

	if (version == 6)
		return type < PK_ARRAY_SIZE(v6) ? v6[type] : NULL;
	return type < PK_ARRAY_SIZE(v4) ? v4[type] : NULL;
}

const char *pk_dhcp_why_name(uint8_t why)
{
	static const char *const names[PK_DHCP_WHYS] = {
		[PK_DHCP_OK] = "ok",
		[PK_DHCP_SHORT] = "short",
		[PK_DHCP_NO_END] = "no end",
		[PK_DHCP_BAD_OPTION] = "bad option",
	};

	return why < PK_DHCP_WHYS ? names[why] : NULL;
}
