/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second packet parser, written from the RFCs byte by byte, without cursor or structures, to
 * compare the real one with. Slow and plain on purpose.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct ref {
	const uint8_t *b;
	uint32_t n;   /* bytes of the frame */
	uint32_t at;  /* where we are */
	uint32_t end; /* of the IP packet */
	int depth;
	/* found */
	uint8_t src[16], dst[16];
	uint16_t sport, dport, proto, vlan[2];
	uint32_t seq, ack, payload;
	bool tcp;
	uint8_t flags;
	int frag; /* 0 none, 1 first, 2 later */
	uint32_t frag_id;
	bool cut, tiny, too_deep, bad_tunnel, deep_tunnel; /* noted */
	uint32_t in_at, vni;
	uint16_t in_type; /* 0: nothing inside */
	int encap;
};

/* Why there is no flow. */
enum ref_reason {
	REF_OK,
	REF_L2_CUT,
	REF_VLANS,
	REF_L3_CUT,
	REF_L3_UNKNOWN,
	REF_VERSION,
	REF_LENGTH,
};

static inline uint32_t ref_get(const struct ref *r, uint32_t at, int bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | r->b[at++];
	return v;
}

static inline void ref_map4(uint8_t to[16], const uint8_t *from)
{
	memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	memcpy(to + 12, from, 4);
}

/* Are there this many bytes more inside the IP packet and inside the frame? */
static inline bool ref_has(const struct ref *r, uint32_t bytes)
{
	return r->at + bytes <= r->end && r->at + bytes <= r->n;
}

static inline void ref_missing(struct ref *r)
{
	if (r->frag == 1)
		r->tiny = true;
	else
		r->cut = true;
}

static inline void ref_inside(struct ref *r, int encap, uint16_t type, uint32_t at, uint32_t vni)
{
	r->encap = encap;
	r->in_type = type;
	r->in_at = at;
	r->vni = vni;
}

static inline bool ref_carries(uint32_t type)
{
	return type == 0x6558 || type == 0x0800 || type == 0x86dd;
}

static inline void ref_gre(struct ref *r)
{
	uint32_t flags, type, at = r->at + 4, vni = 0;

	if (r->depth) {
		r->deep_tunnel = true;
		return;
	}
	if (!ref_has(r, 4)) {
		ref_missing(r);
		return;
	}
	flags = ref_get(r, r->at, 2);
	type = ref_get(r, r->at + 2, 2);
	if ((flags & 7) || (flags & 0x4000) || !ref_carries(type)) {
		r->bad_tunnel = true;
		return;
	}
	at += flags & 0x8000 ? 4 : 0;
	if (flags & 0x2000) {
		if (at + 4 > r->end || at + 4 > r->n) {
			r->bad_tunnel = true;
			return;
		}
		vni = ref_get(r, at, 4);
		at += 4;
	}
	at += flags & 0x1000 ? 4 : 0;
	ref_inside(r, 3, (uint16_t)type, at, vni);
}

static inline void ref_udp_tunnel(struct ref *r)
{
	uint32_t head = r->at + 8, first;
	bool geneve = r->dport == 6081;

	if (r->depth) {
		r->deep_tunnel = true;
		return;
	}
	if (!ref_has(r, 16)) {
		r->bad_tunnel = true;
		return;
	}
	first = r->b[head];
	if (geneve) {
		if (first >> 6 || !ref_carries(ref_get(r, head + 2, 2)))
			r->bad_tunnel = true;
		else
			ref_inside(r, 2, (uint16_t)ref_get(r, head + 2, 2),
				   head + 8 + first % 64 * 4, ref_get(r, head + 4, 3));
	} else if (first & 8) {
		ref_inside(r, 1, 0x6558, head + 8, ref_get(r, head + 4, 3));
	} else {
		r->bad_tunnel = true;
	}
}

static inline void ref_tcp(struct ref *r)
{
	uint32_t hlen;

	if (!ref_has(r, 20)) {
		ref_missing(r);
		return;
	}
	r->tcp = true;
	r->sport = (uint16_t)ref_get(r, r->at, 2);
	r->dport = (uint16_t)ref_get(r, r->at + 2, 2);
	r->seq = ref_get(r, r->at + 4, 4);
	r->ack = ref_get(r, r->at + 8, 4);
	r->flags = r->b[r->at + 13];
	hlen = (r->b[r->at + 12] >> 4) * 4;
	r->payload = hlen >= 20 && r->at + hlen <= r->end ? r->end - r->at - hlen : 0;
}

static inline void ref_ports(struct ref *r, uint32_t header)
{
	if (!ref_has(r, header)) {
		ref_missing(r);
		return;
	}
	r->sport = (uint16_t)ref_get(r, r->at, 2);
	r->dport = (uint16_t)ref_get(r, r->at + 2, 2);
	if (r->proto == 17 && !r->frag &&
	    (r->dport == 4789 || r->dport == 8472 || r->dport == 6081))
		ref_udp_tunnel(r);
}

static inline void ref_icmp(struct ref *r)
{
	uint8_t type;

	if (!ref_has(r, 8)) {
		ref_missing(r);
		return;
	}
	type = r->b[r->at];
	if ((r->proto == 1 && (type == 0 || type == 8)) ||
	    (r->proto == 58 && (type == 128 || type == 129)))
		r->sport = r->dport = (uint16_t)ref_get(r, r->at + 4, 2);
}

static inline void ref_l4(struct ref *r)
{
	switch (r->proto) {
	case 6:
		ref_tcp(r);
		break;
	case 17:
	case 136:
		ref_ports(r, 8);
		break;
	case 33:
	case 132:
		ref_ports(r, 12);
		break;
	case 1:
	case 58:
		ref_icmp(r);
		break;
	case 47:
		if (!r->frag)
			ref_gre(r);
		break;
	case 4:
	case 41:
		if (r->frag)
			break;
		if (r->depth)
			r->deep_tunnel = true;
		else
			ref_inside(r, r->proto == 4 ? 4 : 5, r->proto == 4 ? 0x0800 : 0x86dd, r->at,
				   0);
		break;
	}
}

static inline void ref_fragment(struct ref *r, uint32_t offset, bool more, uint32_t id)
{
	if (!offset && !more)
		return;
	r->frag = offset ? 2 : 1;
	r->frag_id = id;
	if (offset == 1 && r->proto == 6)
		r->tiny = true;
}

static inline enum ref_reason ref_ip4(struct ref *r)
{
	uint32_t hlen, total, at = r->at, frag;

	if (r->n - at < 20)
		return REF_L3_CUT;
	if (r->b[at] / 16 != 4)
		return REF_VERSION;
	hlen = r->b[at] % 16 * 4;
	if (hlen < 20)
		return REF_LENGTH;
	if (hlen > r->n - at)
		return REF_L3_CUT;
	total = ref_get(r, at + 2, 2);
	if (total < hlen || total > r->n - at)
		return REF_LENGTH;
	r->end = at + total;
	ref_map4(r->src, r->b + at + 12);
	ref_map4(r->dst, r->b + at + 16);
	r->proto = r->b[at + 9];
	frag = ref_get(r, at + 6, 2);
	ref_fragment(r, frag % 0x2000, frag & 0x2000, ref_get(r, at + 4, 2));
	r->at += hlen;
	if (r->frag != 2)
		ref_l4(r);
	return REF_OK;
}

static inline bool ref_extends(uint16_t proto)
{
	static const uint8_t all[] = { 0, 43, 44, 51, 60, 135, 139, 140 };

	return proto < 256 && memchr(all, proto, sizeof(all));
}

static inline enum ref_reason ref_ip6(struct ref *r)
{
	uint32_t at = r->at, kind;
	int headers;

	if (r->n - at < 40)
		return REF_L3_CUT;
	if (r->b[at] / 16 != 6)
		return REF_VERSION;
	if (ref_get(r, at + 4, 2) > r->n - at - 40)
		return REF_LENGTH;
	r->end = at + 40 + ref_get(r, at + 4, 2);
	memcpy(r->src, r->b + at + 8, 16);
	memcpy(r->dst, r->b + at + 24, 16);
	r->proto = r->b[at + 6];
	r->at += 40;
	for (headers = 0; ref_extends(r->proto) && r->frag != 2; headers++) {
		if (headers == 16) {
			r->too_deep = true;
			return REF_OK;
		}
		if (!ref_has(r, 8)) {
			ref_missing(r);
			return REF_OK;
		}
		kind = r->proto;
		r->proto = r->b[r->at];
		if (kind == 44 && !r->frag)
			ref_fragment(r, ref_get(r, r->at + 2, 2) / 8, r->b[r->at + 3] & 1,
				     ref_get(r, r->at + 4, 4));
		if (kind == 44)
			r->at += 8;
		else if (kind == 51)
			r->at += (r->b[r->at + 1] + 2) * 4;
		else
			r->at += (r->b[r->at + 1] + 1) * 8;
	}
	if (r->frag != 2)
		ref_l4(r);
	return REF_OK;
}

static inline enum ref_reason ref_arp(struct ref *r)
{
	static const uint8_t ether4[] = { 0, 1, 8, 0, 6, 4 };

	if (r->n - r->at < 28)
		return REF_L3_CUT;
	if (memcmp(r->b + r->at, ether4, sizeof(ether4)))
		return REF_L3_UNKNOWN;
	ref_map4(r->src, r->b + r->at + 14);
	ref_map4(r->dst, r->b + r->at + 24);
	r->proto = 0x0806;
	return REF_OK;
}

/* One layer at r->at of what type says (0x6558: Ethernet). */
static inline enum ref_reason ref_parse(struct ref *r, uint16_t type)
{
	int tags = 0;
	uint16_t id;

	if (r->at > r->n)
		r->at = r->n; /* options that reach beyond the frame: nothing is left */
	if (type == 0x6558) {
		if (r->n - r->at < 14)
			return REF_L2_CUT;
		type = (uint16_t)ref_get(r, r->at + 12, 2);
		r->at += 14;
		for (; type == 0x8100 || type == 0x88a8; tags++) {
			if (tags == 4)
				return REF_VLANS;
			if (r->n - r->at < 4)
				return REF_L2_CUT;
			id = (uint16_t)(ref_get(r, r->at, 2) % 4096);
			if (!r->vlan[0])
				r->vlan[0] = id;
			else if (!r->vlan[1])
				r->vlan[1] = id;
			type = (uint16_t)ref_get(r, r->at + 2, 2);
			r->at += 4;
		}
	}
	if (type ==
	    0x8864) { /* RFC 2516: version, type and code, session, length; PPP's protocol */
		if (r->n - r->at < 8)
			return REF_L2_CUT;
		if (ref_get(r, r->at, 2) != 0x1100)
			return REF_L3_UNKNOWN;
		id = (uint16_t)ref_get(r, r->at + 6, 2);
		type = id == 0x21 ? 0x0800 : id == 0x57 ? 0x86dd : 0;
		r->at += 8;
	}
	if (type == 0x0800)
		return ref_ip4(r);
	if (type == 0x86dd)
		return ref_ip6(r);
	return type == 0x0806 ? ref_arp(r) : REF_L3_UNKNOWN;
}
