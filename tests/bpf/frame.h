/* SPDX-License-Identifier: Apache-2.0 */
/* Builds frames header by header; lengths are set by frame_end(), lies are told afterwards. */
#pragma once

#include <stdint.h>
#include <string.h>

#define FRAME_MAX 9216

struct frame {
	uint8_t b[FRAME_MAX];
	uint32_t n;
	uint32_t ip4[4], ip6[4]; /* where length fields are to be set */
	uint32_t udp[4];
	uint32_t n4, n6, nu;
};

static inline uint32_t frame_put(struct frame *f, const void *p, uint32_t len)
{
	uint32_t at = f->n;

	memcpy(f->b + at, p, len);
	f->n += len;
	return at;
}

static inline void frame_8(struct frame *f, uint8_t v)
{
	f->b[f->n++] = v;
}

static inline void frame_16(struct frame *f, uint16_t v)
{
	frame_8(f, v >> 8);
	frame_8(f, (uint8_t)v);
}

static inline void frame_32(struct frame *f, uint32_t v)
{
	frame_16(f, v >> 16);
	frame_16(f, (uint16_t)v);
}

static inline void frame_set16(struct frame *f, uint32_t at, uint16_t v)
{
	f->b[at] = v >> 8;
	f->b[at + 1] = (uint8_t)v;
}

static inline void frame_fill(struct frame *f, uint32_t len)
{
	memset(f->b + f->n, 0, len);
	f->n += len;
}

static inline void frame_eth(struct frame *f, uint16_t type)
{
	static const uint8_t mac[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };

	frame_put(f, mac, sizeof(mac));
	frame_16(f, type);
}

/* After frame_eth(f, 0x8100 or 0x88a8): a tag, then the type that follows it. */
static inline void frame_tag(struct frame *f, uint16_t id, uint16_t type)
{
	frame_16(f, id);
	frame_16(f, type);
}

/* After a type of 0x8864: a session (RFC 2516) and PPP's protocol. Its length is never looked at.
 */
static inline void frame_pppoe(struct frame *f, uint16_t proto)
{
	frame_16(f, 0x1100);
	frame_16(f, 7);
	frame_16(f, 0);
	frame_16(f, proto);
}

/* options: bytes, a multiple of 4. frag: flags and offset as on the wire. */
static inline uint32_t frame_ip4_full(struct frame *f, uint8_t proto, uint32_t src, uint32_t dst,
				      uint8_t options, uint16_t frag, uint16_t id)
{
	uint32_t at = f->n;

	frame_8(f, 0x45 + options / 4);
	frame_8(f, 0);
	frame_16(f, 0);
	frame_16(f, id);
	frame_16(f, frag);
	frame_8(f, 64);
	frame_8(f, proto);
	frame_16(f, 0);
	frame_32(f, src);
	frame_32(f, dst);
	memset(f->b + f->n, 1, options); /* no operation */
	f->n += options;
	f->ip4[f->n4++] = at;
	return at;
}

static inline uint32_t frame_ip4(struct frame *f, uint8_t proto, uint32_t src, uint32_t dst)
{
	return frame_ip4_full(f, proto, src, dst, 0, 0, 7);
}

/* 2001:db8::src and ::dst */
static inline uint32_t frame_ip6(struct frame *f, uint8_t next, uint16_t src, uint16_t dst)
{
	static const uint8_t net[14] = { 0x20, 0x01, 0x0d, 0xb8 };
	uint32_t at = f->n;

	frame_32(f, 0x60000000);
	frame_16(f, 0);
	frame_8(f, next);
	frame_8(f, 63);
	frame_put(f, net, sizeof(net));
	frame_16(f, src);
	frame_put(f, net, sizeof(net));
	frame_16(f, dst);
	f->ip6[f->n6++] = at;
	return at;
}

/* An extension header of (len + 1) * 8 bytes. */
static inline void frame_ext(struct frame *f, uint8_t next, uint8_t len)
{
	frame_8(f, next);
	frame_8(f, len);
	frame_fill(f, (len + 1) * 8 - 2);
}

static inline void frame_frag6(struct frame *f, uint8_t next, uint16_t units, int more, uint32_t id)
{
	frame_8(f, next);
	frame_8(f, 0);
	frame_16(f, units << 3 | !!more);
	frame_32(f, id);
}

static inline uint32_t frame_tcp(struct frame *f, uint16_t sport, uint16_t dport, uint8_t flags,
				 uint32_t seq, uint32_t ack, uint32_t payload)
{
	uint32_t at = f->n;

	frame_16(f, sport);
	frame_16(f, dport);
	frame_32(f, seq);
	frame_32(f, ack);
	frame_8(f, 0x50);
	frame_8(f, flags);
	frame_fill(f, 6 + payload);
	return at;
}

static inline uint32_t frame_udp(struct frame *f, uint16_t sport, uint16_t dport)
{
	uint32_t at = f->n;

	frame_16(f, sport);
	frame_16(f, dport);
	frame_32(f, 0);
	f->udp[f->nu++] = at;
	return at;
}

static inline void frame_echo(struct frame *f, uint8_t type, uint16_t id)
{
	frame_8(f, type);
	frame_8(f, 0);
	frame_16(f, 0);
	frame_16(f, id);
	frame_16(f, 1);
}

static inline void frame_end(struct frame *f)
{
	uint32_t i;

	for (i = 0; i < f->n4; i++)
		frame_set16(f, f->ip4[i] + 2, (uint16_t)(f->n - f->ip4[i]));
	for (i = 0; i < f->n6; i++)
		frame_set16(f, f->ip6[i] + 4, (uint16_t)(f->n - f->ip6[i] - 40));
	for (i = 0; i < f->nu; i++)
		frame_set16(f, f->udp[i] + 4, (uint16_t)(f->n - f->udp[i]));
}
