/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From bytes to a flow key: Ethernet or IP down to ports, one layer at a time. A pure function of
 * the bytes: no map, no clock, no helper but pk_ptr(). The same source runs in the kernel and, for
 * tests and fuzzing, in user space. Every loop is bounded; what is not understood has a reason.
 */
#ifndef PICKET_PARSE_H
#define PICKET_PARSE_H

#include "load.h"
#include "packet.h"

#define pk_inline static inline __attribute__((always_inline))

pk_inline bool pk_is_vlan(__be16 type)
{
	return type == PK_BE16(0x8100) || type == PK_BE16(0x88a8);
}

/* Why a header is missing: it ends before, or its bytes could not be reached. */
pk_inline int pk_missing(const struct pk_cur *c, int reason)
{
	return c->failed ? PK_PKT_PULL_FAILED : reason;
}

pk_inline void pk_add_vlan(struct pk_pkt *p, __be16 tci)
{
	__u16 id = PK_BE16(tci) & 0xfff;

	if (!p->key.vlan[0])
		p->key.vlan[0] = id;
	else if (!p->key.vlan[1])
		p->key.vlan[1] = id;
}

/* Ethernet and VLAN tags. 0 or the reason why not. */
pk_inline int pk_parse_l2(struct pk_cur *c, struct pk_pkt *p, union pk_buf *b)
{
	const struct pk_eth *eth = pk_ptr(c, p->off, b, sizeof(*eth));
	const struct pk_vlan *v;
	int i;

	if (!eth)
		return pk_missing(c, PK_PKT_TRUNCATED_L2);
	p->type = eth->type;
	p->off += sizeof(*eth);
	for (i = 0; i < PK_VLAN_MAX && pk_is_vlan(p->type); i++) {
		v = pk_ptr(c, p->off, b, sizeof(*v));
		if (!v)
			return pk_missing(c, PK_PKT_TRUNCATED_L2);
		pk_add_vlan(p, v->tci);
		p->type = v->type;
		p->off += sizeof(*v);
	}
	return pk_is_vlan(p->type) ? PK_PKT_VLAN_TOO_DEEP : 0;
}

/*
 * A PPPoE session (RFC 2516), by PPP's protocol: what PPP negotiates with itself has no flow. Its
 * length is not asked: the kernel cuts a frame there, and IP's own length is within or the packet
 * is dropped.
 */
pk_inline int pk_parse_pppoe(struct pk_cur *c, struct pk_pkt *p, union pk_buf *b)
{
	const struct pk_pppoe *s = pk_ptr(c, p->off, b, sizeof(*s));

	if (!s)
		return pk_missing(c, PK_PKT_TRUNCATED_L2);
	if (s->ver_type != 0x11 || s->code)
		return PK_PKT_UNSUPPORTED_L3;
	if (s->proto == PK_BE16(0x0021))
		p->type = PK_TYPE_IP4;
	else if (s->proto == PK_BE16(0x0057))
		p->type = PK_TYPE_IP6;
	else
		return PK_PKT_UNSUPPORTED_L3;
	p->off += sizeof(*s);
	return 0;
}

/*
 * Addresses are written in words of 8 bytes, as they are read again soon: a processor can't forward
 * two small stores to one big load.
 */
pk_inline __u64 pk_word(__be32 first, __be32 second)
{
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		return (__u64)second << 32 | first;
	return (__u64)first << 32 | second;
}

pk_inline void pk_set_v4(__u8 addr[16], const __be32 *from)
{
	pk_words *to = (pk_words *)addr;

	to[0] = 0;
	to[1] = pk_word(PK_BE32(0xffff), *from);
}

pk_inline void pk_set_v6(__u8 addr[16], const __be32 from[4])
{
	pk_words *to = (pk_words *)addr;

	to[0] = pk_word(from[0], from[1]);
	to[1] = pk_word(from[2], from[3]);
}

pk_inline int pk_parse_arp(struct pk_cur *c, struct pk_pkt *p, union pk_buf *b)
{
	const struct pk_arp *a = pk_ptr(c, p->off, b, sizeof(*a));
	__be32 spa, tpa;

	_Static_assert(sizeof(*a) == 28, "no padding");
	if (!a)
		return pk_missing(c, PK_PKT_TRUNCATED_L3);
	if (a->hrd != PK_BE16(1) || a->pro != PK_BE16(0x0800) || a->hln != 6 || a->pln != 4)
		return PK_PKT_UNSUPPORTED_L3;
	spa = PK_BE32((__u32)PK_BE16(a->spa[0]) << 16 | PK_BE16(a->spa[1]));
	tpa = PK_BE32((__u32)PK_BE16(a->tpa[0]) << 16 | PK_BE16(a->tpa[1]));
	pk_set_v4(p->key.addr[0], &spa);
	pk_set_v4(p->key.addr[1], &tpa);
	p->key.proto = PK_KEY_ARP;
	p->off += sizeof(*a);
	return 0;
}

/* The first fragment must hold the whole header (RFC 1858, RFC 7112); others may be cut. */
pk_inline int pk_cut_l4(const struct pk_cur *c, struct pk_pkt *p)
{
	if (c->failed)
		return PK_PKT_PULL_FAILED;
	p->notes |= 1u << (p->frag == PK_FRAG_FIRST ? PK_PKT_TINY_FRAGMENT : PK_PKT_TRUNCATED_L4);
	return 0;
}

pk_inline void pk_tunnel(struct pk_pkt *p, __u8 encap, __be16 type, __u32 off, __u32 vni)
{
	p->in_encap = encap;
	p->in_type = type;
	p->in_off = off;
	p->in_vni = vni;
}

pk_inline void pk_tunnel_bad(struct pk_pkt *p)
{
	p->notes |= 1u << PK_PKT_TUNNEL_BAD;
}

pk_inline bool pk_is_inner_type(__be16 type)
{
	return type == PK_TYPE_ETHER || type == PK_TYPE_IP4 || type == PK_TYPE_IP6;
}

/* VXLAN (RFC 7348) and GENEVE (RFC 8926): 8 bytes, then options, then the inner frame. */
pk_inline int pk_parse_udp_tunnel(struct pk_cur *c, struct pk_pkt *p, union pk_buf *b)
{
	bool vxlan = p->key.port[1] != PK_BE16(6081);
	const struct pk_vx *v;
	__be16 type = PK_TYPE_ETHER;
	__u32 off = p->off + sizeof(struct pk_udp) + sizeof(*v);

	if (p->depth) {
		p->notes |= 1u << PK_PKT_TUNNEL_TOO_DEEP;
		return 0;
	}
	v = off <= p->l3_end ? pk_ptr(c, off - sizeof(*v), b, sizeof(*v)) : NULL;
	if (!v) {
		pk_tunnel_bad(p);
		return pk_missing(c, 0);
	}
	if (vxlan ? !(v->flags & 0x08) : (v->flags & 0xc0) || !pk_is_inner_type(v->type)) {
		pk_tunnel_bad(p);
		return 0;
	}
	if (!vxlan) {
		type = v->type;
		off += (v->flags & 0x3f) * 4;
	}
	pk_tunnel(p, vxlan ? PK_ENCAP_VXLAN : PK_ENCAP_GENEVE, type, off, PK_BE32(v->vni) >> 8);
	return 0;
}

/* GRE version 0 (RFC 2784, 2890): optional checksum, key, sequence number. */
pk_inline int pk_parse_gre(struct pk_cur *c, struct pk_pkt *p, union pk_buf *b)
{
	const struct pk_gre *g;
	const __be32 *key;
	__u32 vni = 0, off = p->off + sizeof(*g);
	__be16 flags, type;

	if (p->depth) {
		p->notes |= 1u << PK_PKT_TUNNEL_TOO_DEEP;
		return 0;
	}
	g = off <= p->l3_end ? pk_ptr(c, p->off, b, sizeof(*g)) : NULL;
	if (!g)
		return pk_cut_l4(c, p);
	flags = g->flags;
	type = g->type;
	if ((flags & PK_BE16(0x4007)) || !pk_is_inner_type(type)) {
		pk_tunnel_bad(p);
		return 0;
	}
	if (flags & PK_BE16(0x8000))
		off += 4;
	if (flags & PK_BE16(0x2000)) {
		key = off + 4 <= p->l3_end ? pk_ptr(c, off, b, sizeof(*key)) : NULL;
		if (!key) {
			pk_tunnel_bad(p);
			return pk_missing(c, 0);
		}
		vni = PK_BE32(*key);
		off += 4;
	}
	if (flags & PK_BE16(0x1000))
		off += 4;
	pk_tunnel(p, PK_ENCAP_GRE, type, off, vni);
	return 0;
}

pk_inline int pk_parse_tcp(struct pk_cur *c, struct pk_pkt *p, union pk_buf *b)
{
	const struct pk_tcp *t = NULL;
	__u32 end;

	if (p->off + sizeof(*t) <= p->l3_end)
		t = pk_ptr(c, p->off, b, sizeof(*t));
	if (!t)
		return pk_cut_l4(c, p);
	p->key.port[0] = t->sport;
	p->key.port[1] = t->dport;
	p->tcp = true;
	p->tcp_flags = t->flags;
	p->seq = PK_BE32(t->seq);
	p->ack = PK_BE32(t->ack);
	end = p->off + (t->doff >> 4) * 4;
	if (end < p->off + sizeof(*t) || end > p->l3_end)
		end = p->l3_end; /* the header length lies: no data that could be trusted */
	p->off = end;
	p->payload = p->l3_end - end;
	return 0;
}

/* Ports for what has them, the identifier for echo, nothing for the rest. 0 or a reason. */
pk_inline int pk_parse_l4(struct pk_cur *c, struct pk_pkt *p, union pk_buf *b)
{
	__u16 proto = p->key.proto;
	const struct pk_udp *u;
	const struct pk_icmp *i;
	__u32 len = 8;

	if (proto == PK_PROTO_TCP)
		return pk_parse_tcp(c, p, b);
	if (proto == PK_PROTO_UDP || proto == PK_PROTO_UDPLITE || proto == PK_PROTO_SCTP ||
	    proto == PK_PROTO_DCCP) {
		if (proto == PK_PROTO_SCTP || proto == PK_PROTO_DCCP)
			len = 12;
		u = NULL;
		if (p->off + len <= p->l3_end && p->off + len <= c->len)
			u = pk_ptr(c, p->off, b, sizeof(*u));
		if (!u)
			return pk_cut_l4(c, p);
		p->key.port[0] = u->sport;
		p->key.port[1] = u->dport;
		if (proto == PK_PROTO_UDP && p->frag == PK_FRAG_NO &&
		    (u->dport == PK_BE16(4789) || u->dport == PK_BE16(8472) ||
		     u->dport == PK_BE16(6081)))
			return pk_parse_udp_tunnel(c, p, b);
		return 0;
	}
	if (proto == PK_PROTO_ICMP || proto == PK_PROTO_ICMP6) {
		i = p->off + sizeof(*i) <= p->l3_end ? pk_ptr(c, p->off, b, sizeof(*i)) : NULL;
		if (!i)
			return pk_cut_l4(c, p);
		p->seq = PK_ICMP_KNOWN | (__u32)i->type << 8 | i->code;
		if (proto == PK_PROTO_ICMP ? i->type == 0 || i->type == 8
					   : i->type == 128 || i->type == 129) {
			p->key.port[0] = i->id;
			p->key.port[1] = i->id;
		}
		return 0;
	}
	if (p->frag != PK_FRAG_NO)
		return 0;
	if (proto == PK_PROTO_GRE)
		return pk_parse_gre(c, p, b);
	if (proto == PK_PROTO_IPIP || proto == PK_PROTO_IPV6) {
		if (p->depth)
			p->notes |= 1u << PK_PKT_TUNNEL_TOO_DEEP;
		else if (proto == PK_PROTO_IPIP)
			pk_tunnel(p, PK_ENCAP_IPIP, PK_TYPE_IP4, p->off, 0);
		else
			pk_tunnel(p, PK_ENCAP_SIXIN4, PK_TYPE_IP6, p->off, 0);
	}
	return 0;
}

/* Where the IP packet ends. A length of 0 is right for GSO packets above 64 KiB (BIG TCP) only. */
pk_inline int pk_set_l3_end(struct pk_pkt *p, __u32 l3_len, __u32 least, bool zero)
{
	__u32 wire = p->wire > p->off ? p->wire - p->off : 0;

	if (zero && wire > 65535)
		l3_len = wire;
	if (l3_len < least || l3_len > wire)
		return PK_PKT_BAD_IP_LENGTH;
	p->l3_end = p->off + l3_len;
	return 0;
}

pk_inline void pk_set_frag(struct pk_pkt *p, __u32 units, bool more, __u32 id)
{
	if (!units && !more)
		return; /* a packet of one fragment (RFC 6946) is none */
	p->frag = units ? PK_FRAG_LATER : PK_FRAG_FIRST;
	p->frag_id = id;
	p->frag_proto = p->key.proto;
	p->notes |= 1u << PK_PKT_FRAGMENT;
	if (units == 1 && p->key.proto == PK_PROTO_TCP)
		p->notes |= 1u << PK_PKT_TINY_FRAGMENT; /* would rewrite the flags (RFC 3128) */
}

pk_inline int pk_parse_ip4(struct pk_cur *c, struct pk_pkt *p, union pk_buf *b)
{
	const struct pk_ip4 *ip = pk_ptr(c, p->off, b, sizeof(*ip));
	__u32 hlen, tot;
	int r;

	if (!ip)
		return pk_missing(c, PK_PKT_TRUNCATED_L3);
	if (ip->ver_ihl >> 4 != 4)
		return PK_PKT_BAD_IP_VERSION;
	hlen = (ip->ver_ihl & 0xf) * 4;
	if (hlen < sizeof(*ip))
		return PK_PKT_BAD_IP_LENGTH;
	if (p->off + hlen > c->len)
		return PK_PKT_TRUNCATED_L3;
	tot = PK_BE16(ip->len);
	r = pk_set_l3_end(p, tot, hlen, !tot);
	if (r)
		return r;
	pk_set_v4(p->key.addr[0], &ip->src);
	pk_set_v4(p->key.addr[1], &ip->dst);
	p->key.proto = ip->proto;
	p->ttl = ip->ttl;
	p->dscp = ip->tos >> 2;
	p->off += hlen;
	if (ip->frag & PK_BE16(0x3fff))
		pk_set_frag(p, PK_BE16(ip->frag) & 0x1fff, ip->frag & PK_BE16(0x2000),
			    PK_BE16(ip->id));
	return 0;
}

pk_inline bool pk_is_ext(__u16 proto)
{
	return proto == 0 || proto == 43 || proto == 44 || proto == 51 || proto == 60 ||
	       proto == 135 || proto == 139 || proto == 140;
}

/* The extension headers. Leaves the protocol after them; beyond the bound, the next header. */
pk_inline int pk_parse_ext(struct pk_cur *c, struct pk_pkt *p, union pk_buf *b)
{
	const struct pk_ext *e;
	__u32 len;
	int left = PK_EXT_MAX;

	/* Tested at the end: 6.1 refuses a loop whose last instruction falls into its first. */
	do {
		if (!pk_is_ext(p->key.proto) || p->frag == PK_FRAG_LATER)
			return 0;
		e = p->off + sizeof(*e) <= p->l3_end ? pk_ptr(c, p->off, b, sizeof(*e)) : NULL;
		if (!e) {
			p->opaque = true;
			return pk_cut_l4(c, p);
		}
		len = p->key.proto == 51 ? (e->len + 2) * 4 : (e->len + 1) * 8;
		if (p->key.proto == 44) {
			len = 8;
			p->key.proto = e->next;
			if (p->frag == PK_FRAG_NO)
				pk_set_frag(p, PK_BE16(e->frag) >> 3, PK_BE16(e->frag) & 1,
					    PK_BE32(e->id));
		} else {
			p->key.proto = e->next;
		}
		p->off += len;
	} while (--left);
	if (pk_is_ext(p->key.proto) && p->frag != PK_FRAG_LATER) {
		p->opaque = true;
		p->notes |= 1u << PK_PKT_EXT_TOO_DEEP;
	}
	return 0;
}

pk_inline int pk_parse_ip6(struct pk_cur *c, struct pk_pkt *p, union pk_buf *b)
{
	const struct pk_ip6 *ip = pk_ptr(c, p->off, b, sizeof(*ip));
	__u32 len;
	int r;

	if (!ip)
		return pk_missing(c, PK_PKT_TRUNCATED_L3);
	if (ip->ver_tc >> 4 != 6)
		return PK_PKT_BAD_IP_VERSION;
	len = PK_BE16(ip->len);
	r = pk_set_l3_end(p, len + sizeof(*ip), sizeof(*ip), !len);
	if (r)
		return r;
	pk_set_v6(p->key.addr[0], ip->src);
	pk_set_v6(p->key.addr[1], ip->dst);
	p->key.proto = ip->next;
	p->ttl = ip->ttl;
	p->dscp = (ip->ver_tc & 0xf) << 2 | ip->tc_flow >> 6;
	p->off += sizeof(*ip);
	return pk_is_ext(p->key.proto) ? pk_parse_ext(c, p, b) : 0;
}

/*
 * One layer. In: off, type, depth and, of the key, what the layer can't know (interface, netns,
 * stripped VLAN, encapsulation). Out: the key with sender first, not yet normalised, and what was
 * noted. 0, or the reason (enum pk_pkt_count) why this packet has no flow.
 */
pk_inline int pk_parse(struct pk_cur *c, struct pk_pkt *p)
{
	union pk_buf b;
	int r = 0;

	if (p->type == PK_TYPE_ETHER)
		r = pk_parse_l2(c, p, &b);
	if (!r && p->type == PK_TYPE_PPPOE)
		r = pk_parse_pppoe(c, p, &b);
	if (r)
		return r;
	p->l3_off = p->off;
	if (p->type == PK_TYPE_IP4)
		r = pk_parse_ip4(c, p, &b);
	else if (p->type == PK_TYPE_IP6)
		r = pk_parse_ip6(c, p, &b);
	else if (p->type == PK_BE16(0x0806))
		return pk_parse_arp(c, p, &b);
	else
		return PK_PKT_UNSUPPORTED_L3;
	if (r || p->opaque || p->frag == PK_FRAG_LATER)
		return r;
	return pk_parse_l4(c, p, &b);
}

#endif
