/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of ClientHello and ServerHello (RFC 8446, 4.1; RFC 5246, 7.4.1). It reads what names and
 * fingerprints a peer, and checks nothing else of what the protocol demands.
 */
#include "decode/tls.h"

#include <errno.h>

enum extension {
	SERVER_NAME = 0,
	SUPPORTED_GROUPS = 10,
	EC_POINT_FORMATS = 11,
	SIGNATURE_ALGORITHMS = 13,
	ALPN = 16,
	PRE_SHARED_KEY = 41,
	EARLY_DATA = 42,
	SUPPORTED_VERSIONS = 43,
	KEY_SHARE = 51,
	ENCRYPTED_CLIENT_HELLO = 0xfe0d,
};

/* SHA-256 of "HelloRetryRequest": such a ServerHello is one (RFC 8446, 4.1.3). */
static const uint8_t retry_random[32] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
	0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
	0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static struct pk_cursor cursor_of(struct pk_slice s)
{
	return pk_cursor_of(s.s ? s.s : "", s.len);
}

bool pk_tls_extension_next(struct pk_cursor *c, uint16_t *ret_type, struct pk_slice *ret_body)
{
	uint16_t type;
	struct pk_slice body;

	if (!pk_cursor_left(c))
		return false;
	type = pk_cursor_u16(c);
	body = pk_cursor_slice(c, pk_cursor_u16(c));
	if (c->short_)
		return false;
	*ret_type = type;
	*ret_body = body;
	return true;
}

bool pk_tls_alpn_next(struct pk_slice *list, struct pk_slice *ret_name)
{
	struct pk_cursor c = cursor_of(*list);
	struct pk_slice name;

	if (!list->len)
		return false;
	name = pk_cursor_slice(&c, pk_cursor_u8(&c));
	if (c.short_)
		return false;
	*list = (struct pk_slice){ .s = list->s + c.at, .len = (uint32_t)pk_cursor_left(&c) };
	*ret_name = name;
	return true;
}

/* A list that fills its extension, behind its length of size_len bytes; elements of size bytes. */
static bool read_list(struct pk_slice body, size_t size_len, size_t size, struct pk_slice *ret_list)
{
	struct pk_cursor c = cursor_of(body);
	size_t len = size_len == 2 ? pk_cursor_u16(&c) : pk_cursor_u8(&c);
	struct pk_slice list = pk_cursor_slice(&c, len);

	if (c.short_ || pk_cursor_left(&c) || list.len % size)
		return false;
	*ret_list = list;
	return true;
}

static bool read_alpn(struct pk_slice body, struct pk_slice *ret_list)
{
	struct pk_slice list, rest, name;

	if (!read_list(body, 2, 1, &list))
		return false;
	rest = list;
	while (pk_tls_alpn_next(&rest, &name))
		;
	if (rest.len)
		return false;
	*ret_list = list;
	return true;
}

/* RFC 6066, 3: a list of (type, name), type 0 is host_name. */
static bool read_sni(struct pk_slice body, struct pk_slice *ret_name)
{
	struct pk_slice list, name, first = { 0 };
	struct pk_cursor c;
	uint8_t type;

	if (!read_list(body, 2, 1, &list))
		return false;
	c = cursor_of(list);
	while (pk_cursor_left(&c) && !c.short_) {
		type = pk_cursor_u8(&c);
		name = pk_cursor_slice(&c, pk_cursor_u16(&c));
		if (!type && !first.len)
			first = name;
	}
	if (c.short_ || !first.len)
		return false;
	*ret_name = first;
	return true;
}

static uint16_t highest_version(struct pk_slice versions, uint16_t otherwise)
{
	uint16_t v, max = 0;

	for (size_t i = 0; i < versions.len / 2; i++) {
		v = pk_tls_u16(versions, i);
		if (v > max && !pk_tls_is_grease(v))
			max = v;
	}
	return max ? max : otherwise;
}

static uint16_t client_extension(struct pk_tls_client *h, uint16_t type, struct pk_slice body)
{
	switch (type) {
	case SERVER_NAME:
		h->has_sni = true;
		return read_sni(body, &h->sni) ? 0 : PK_TLS_BAD_SNI;
	case ALPN:
		h->has_alpn = true;
		return read_alpn(body, &h->alpn) ? 0 : PK_TLS_BAD_ALPN;
	case SUPPORTED_VERSIONS:
		return read_list(body, 1, 2, &h->versions) ? 0 : PK_TLS_BAD_VERSIONS;
	case SUPPORTED_GROUPS:
		return read_list(body, 2, 2, &h->groups) ? 0 : PK_TLS_BAD_GROUPS;
	case EC_POINT_FORMATS:
		return read_list(body, 1, 1, &h->points) ? 0 : PK_TLS_BAD_POINTS;
	case SIGNATURE_ALGORITHMS:
		return read_list(body, 2, 2, &h->sigalgs) ? 0 : PK_TLS_BAD_SIGALGS;
	case PRE_SHARED_KEY:
		h->psk = true;
		return 0;
	case EARLY_DATA:
		h->early_data = true;
		return 0;
	case ENCRYPTED_CLIENT_HELLO:
		h->ech = true;
		return 0;
	default:
		h->grease |= pk_tls_is_grease(type);
		return 0;
	}
}

static uint16_t server_extension(struct pk_tls_server *h, uint16_t type, struct pk_slice body)
{
	struct pk_cursor c = cursor_of(body);
	uint16_t v;

	switch (type) {
	case ALPN:
		h->has_alpn = true;
		return read_alpn(body, &h->alpn) ? 0 : PK_TLS_BAD_ALPN;
	case SUPPORTED_VERSIONS:
		v = pk_cursor_u16(&c);
		if (c.short_ || pk_cursor_left(&c))
			return PK_TLS_BAD_VERSIONS;
		h->version = v;
		return 0;
	case KEY_SHARE: /* the group, of a retry nothing more */
		v = pk_cursor_u16(&c);
		if (!h->retry)
			pk_cursor_slice(&c, pk_cursor_u16(&c));
		if (c.short_ || pk_cursor_left(&c))
			return PK_TLS_BAD_KEY_SHARE;
		h->group = v;
		return 0;
	case PRE_SHARED_KEY:
		h->psk = true;
		return 0;
	default:
		return 0;
	}
}

/* A bit for each extension that is read here, and for its neighbours; 0: not read, may repeat. */
static bool is_repeated(uint64_t *seen, uint16_t type)
{
	uint64_t bit = 0;
	bool again;

	if (type == ENCRYPTED_CLIENT_HELLO)
		bit = 1ull << 63;
	else if (type <= KEY_SHARE)
		bit = 1ull << type;
	again = *seen & bit;
	*seen |= bit;
	return again;
}

/* The block of extensions, which old hellos lack, as far as it is right; returns what is wrong. */
static uint16_t read_extensions(struct pk_cursor *c, struct pk_slice *ret_block)
{
	const char *start = (const char *)c->data + c->at;
	struct pk_slice body;
	struct pk_cursor in;
	uint16_t type, bad = 0;
	size_t len;

	*ret_block = (struct pk_slice){ .s = start };
	if (!pk_cursor_left(c))
		return 0;
	len = pk_cursor_u16(c);
	if (c->short_)
		return PK_TLS_BAD_BLOCK;
	if (len != pk_cursor_left(c))
		bad = PK_TLS_BAD_BLOCK;
	if (len > pk_cursor_left(c))
		len = pk_cursor_left(c);
	ret_block->s = start + 2;
	in = pk_cursor_of(ret_block->s, len);
	while (pk_tls_extension_next(&in, &type, &body))
		ret_block->len = (uint32_t)in.at;
	return in.short_ ? PK_TLS_BAD_BLOCK : bad;
}

int pk_tls_client_parse(const uint8_t *body, size_t len, struct pk_tls_client *ret_hello)
{
	struct pk_cursor c = pk_cursor_of(body, len);
	struct pk_tls_client h = { 0 };
	struct pk_slice ext;
	uint64_t seen = 0;
	uint16_t type;

	h.legacy_version = pk_cursor_u16(&c);
	pk_cursor_take(&c, 32); /* random */
	h.session_id = pk_cursor_slice(&c, pk_cursor_u8(&c));
	h.ciphers = pk_cursor_slice(&c, pk_cursor_u16(&c));
	pk_cursor_take(&c, pk_cursor_u8(&c)); /* compression methods */
	if (c.short_ || h.ciphers.len % 2 || h.session_id.len > 32)
		return -EBADMSG;
	h.malformed = read_extensions(&c, &h.extensions);
	c = cursor_of(h.extensions);
	while (pk_tls_extension_next(&c, &type, &ext)) {
		h.extension_count++;
		if (is_repeated(&seen, type))
			h.malformed |= PK_TLS_BAD_REPEATED;
		else
			h.malformed |= client_extension(&h, type, ext);
	}
	for (size_t i = 0; i < h.ciphers.len / 2 && !h.grease; i++)
		h.grease = pk_tls_is_grease(pk_tls_u16(h.ciphers, i));
	h.version = highest_version(h.versions, h.legacy_version);
	*ret_hello = h;
	return 0;
}

int pk_tls_server_parse(const uint8_t *body, size_t len, struct pk_tls_server *ret_hello)
{
	struct pk_cursor c = pk_cursor_of(body, len);
	struct pk_tls_server h = { 0 };
	const uint8_t *random;
	struct pk_slice ext;
	uint64_t seen = 0;
	uint16_t type;

	h.legacy_version = h.version = pk_cursor_u16(&c);
	random = pk_cursor_take(&c, sizeof(retry_random));
	h.session_id = pk_cursor_slice(&c, pk_cursor_u8(&c));
	h.cipher = pk_cursor_u16(&c);
	pk_cursor_u8(&c); /* compression method */
	if (c.short_ || h.session_id.len > 32)
		return -EBADMSG;
	h.malformed = read_extensions(&c, &h.extensions);
	h.retry = !memcmp(random, retry_random, sizeof(retry_random));
	c = cursor_of(h.extensions);
	while (pk_tls_extension_next(&c, &type, &ext)) {
		if (is_repeated(&seen, type))
			h.malformed |= PK_TLS_BAD_REPEATED;
		else
			h.malformed |= server_extension(&h, type, ext);
	}
	*ret_hello = h;
	return 0;
}
