/* SPDX-License-Identifier: Apache-2.0 */
/* All the forms that a packet has which block lists are asked about. */
#pragma once

#include "frame.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * Forms of a packet from (or to) the address; what is behind the first IP header varies. Those from
 * VXLAN on have an outer one, of either family. MAPPED: IPv4 as ::ffff:a.b.c.d, in an IPv6 header.
 */
enum {
	PLAIN,
	MAPPED,
	VLAN,
	QINQ,
	PPPOE,
	LATER,
	EXTENDED,
	VXLAN,
	GENEVE,
	GENEVE_OPTION,
	GRE,
	GRE_FULL,
	IPIP, /* 4in4, 6in4, 4in6, 6in6 */
	FORMS
};

static inline void put_ip(struct frame *f, const uint8_t addr[16], bool v4, bool out, uint8_t proto,
			  uint16_t frag)
{
	uint32_t at;

	if (v4) {
		at = frame_ip4_full(f, proto, 0x0a000001, 0x0a000002, 0, frag, 7);
		memcpy(f->b + at + (out ? 16 : 12), addr + 12, 4);
	} else {
		at = frame_ip6(f, proto, 1, 2);
		memcpy(f->b + at + (out ? 24 : 8), addr, 16);
	}
}

static inline uint16_t type_of(bool v4)
{
	return v4 ? 0x0800 : 0x86dd;
}

/* Up to where the inner packet begins: its IP header, or its Ethernet header. */
static inline void make_outer(struct frame *f, int form, bool inner_v4, const uint8_t addr[16],
			      bool v4, bool out)
{
	bool udp = form == VXLAN || form == GENEVE || form == GENEVE_OPTION;
	uint8_t proto = udp ? 17 : form != IPIP ? 47 : inner_v4 ? 4 : 41;

	frame_eth(f, type_of(v4));
	put_ip(f, addr, v4, out, proto, 0);
	if (udp) {
		frame_udp(f, 4000, form == VXLAN ? 4789 : 6081);
		frame_32(f, form == VXLAN    ? 0x08000000
			    : form == GENEVE ? 0x00006558
					     : 0x02006558); /* two words of options */
		frame_32(f, 77 << 8);
		if (form == GENEVE_OPTION) {
			frame_32(f, 0x01028001);
			frame_32(f, 0xaabbccdd);
		}
		frame_eth(f, type_of(inner_v4));
	} else if (form != IPIP) {
		frame_16(f, form == GRE ? 0 : 0xb000);
		frame_16(f, type_of(inner_v4));
		for (int i = 0; i < 3 && form == GRE_FULL; i++) /* checksum, key, sequence number */
			frame_32(f, 77);
	}
}

static inline void make(struct frame *f, int form, const uint8_t addr[16], bool v4,
			const uint8_t outer[16], bool outer_v4, bool out)
{
	uint16_t type = type_of(v4);

	f->n = f->n4 = f->n6 = f->nu = 0;
	switch (form) {
	case MAPPED:
		frame_eth(f, 0x86dd);
		put_ip(f, addr, false, out, 17, 0);
		break;
	case VLAN:
	case QINQ:
		frame_eth(f, form == QINQ ? 0x88a8 : 0x8100);
		frame_tag(f, 5, form == QINQ ? 0x8100 : type);
		if (form == QINQ)
			frame_tag(f, 6, type);
		put_ip(f, addr, v4, out, 17, 0);
		break;
	case PPPOE:
		frame_eth(f, 0x8864);
		frame_pppoe(f, v4 ? 0x21 : 0x57);
		put_ip(f, addr, v4, out, 17, 0);
		break;
	case LATER:
		frame_eth(f, type);
		put_ip(f, addr, v4, out, v4 ? 17 : 44, v4 ? 100 : 0);
		if (!v4)
			frame_frag6(f, 17, 100, 0, 9);
		break;
	case EXTENDED:
		frame_eth(f, type);
		put_ip(f, addr, v4, out, v4 ? 17 : 0, 0);
		if (!v4) {
			frame_ext(f, 60, 0);
			frame_ext(f, 17, 1);
		}
		break;
	case PLAIN:
		frame_eth(f, type);
		put_ip(f, addr, v4, out, 17, 0);
		break;
	default:
		make_outer(f, form, v4, outer, outer_v4, out);
		put_ip(f, addr, v4, out, 17, 0);
	}
	frame_udp(f, 1000, 2000);
	frame_end(f);
}
