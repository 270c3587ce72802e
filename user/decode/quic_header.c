/* SPDX-License-Identifier: Apache-2.0 */
/* Long headers of QUIC: RFC 9000, 17.2 (version 1), RFC 9369, 3.2 (version 2), RFC 8999 (all). */
#include "decode/quic.h"

#include <errno.h>

#define LONG_HEADER 0x80
#define FIXED_BIT   0x40
#define NUMBER_MAX  4
#define TAG_LEN     16

uint64_t pk_quic_varint(struct pk_cursor *c)
{
	uint8_t first = pk_cursor_u8(c);
	uint64_t v = first & 0x3f;

	for (unsigned int more = (1u << (first >> 6)) - 1; more; more--)
		v = v << 8 | pk_cursor_u8(c);
	return c->short_ ? 0 : v;
}

static enum pk_quic_type type_of(uint8_t first, uint32_t version)
{
	static const enum pk_quic_type v1[] = { PK_QUIC_INITIAL, PK_QUIC_0RTT, PK_QUIC_HANDSHAKE,
						PK_QUIC_RETRY };
	unsigned int bits = first >> 4 & 3;

	switch (version) {
	case 0:
		return PK_QUIC_NEGOTIATION;
	case PK_QUIC_V1:
		return v1[bits];
	case PK_QUIC_V2: /* RFC 9369, 3.2: one further */
		return v1[(bits + 3) & 3];
	default:
		return PK_QUIC_OTHER;
	}
}

/* Packets with a length and a number. */
static int read_numbered(struct pk_cursor *c, struct pk_quic_header *h)
{
	uint64_t len;

	if (h->type == PK_QUIC_INITIAL)
		h->token = pk_cursor_slice(c, pk_quic_varint(c));
	len = pk_quic_varint(c);
	if (c->short_ || len > pk_cursor_left(c))
		return -ENODATA;
	/* The sample for header protection lies where a number of 4 bytes would end. */
	if (len < NUMBER_MAX + TAG_LEN)
		return -EBADMSG;
	h->number_off = c->at;
	h->len = c->at + len;
	return 0;
}

int pk_quic_header_parse(const uint8_t *data, size_t len, struct pk_quic_header *ret_header)
{
	struct pk_cursor c = pk_cursor_of(data, len);
	struct pk_quic_header h = { .len = len };
	uint8_t first;
	int r;

	if (!len || !(data[0] & LONG_HEADER))
		return -ENOMSG;
	first = pk_cursor_u8(&c);
	h.version = pk_cursor_u32(&c);
	h.dcid = pk_cursor_slice(&c, pk_cursor_u8(&c));
	h.scid = pk_cursor_slice(&c, pk_cursor_u8(&c));
	if (c.short_)
		return -ENODATA;
	h.type = type_of(first, h.version);
	if (h.type != PK_QUIC_OTHER && h.type != PK_QUIC_NEGOTIATION &&
	    (!(first & FIXED_BIT) || h.dcid.len > PK_QUIC_CID_MAX || h.scid.len > PK_QUIC_CID_MAX))
		return -EBADMSG;
	if (h.type == PK_QUIC_INITIAL || h.type == PK_QUIC_0RTT || h.type == PK_QUIC_HANDSHAKE) {
		r = read_numbered(&c, &h);
		if (r < 0)
			return r;
	}
	*ret_header = h;
	return 0;
}
