/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The headers as they lie on the wire, only the fields that are read, and what the parser found.
 * Members are at most 4 bytes wide and in wire order, so that no structure has padding.
 */
#ifndef PICKET_PACKET_H
#define PICKET_PACKET_H

#include <picket/map.h>

#include <stdbool.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PK_BE16(x) ((__u16)__builtin_bswap16(x))
#define PK_BE32(x) ((__u32)__builtin_bswap32(x))
#define PK_BE64(x) ((__u64)__builtin_bswap64(x))
#else
#define PK_BE16(x) ((__u16)(x))
#define PK_BE32(x) ((__u32)(x))
#define PK_BE64(x) ((__u64)(x))
#endif

/* A key seen as eight words. */
typedef __u64 __attribute__((may_alias)) pk_words;

#define PK_TYPE_IP4   PK_BE16(0x0800)
#define PK_TYPE_IP6   PK_BE16(0x86dd)
#define PK_TYPE_PPPOE PK_BE16(0x8864) /* a session */
#define PK_TYPE_ETHER PK_BE16(0x6558) /* a whole Ethernet frame follows */

#define PK_KEY_ARP 0x0806 /* the flow key's protocol of ARP */

#define PK_VLAN_MAX 4
#define PK_EXT_MAX  16

enum {
	PK_PROTO_ICMP = 1,
	PK_PROTO_IPIP = 4,
	PK_PROTO_TCP = 6,
	PK_PROTO_UDP = 17,
	PK_PROTO_DCCP = 33,
	PK_PROTO_IPV6 = 41,
	PK_PROTO_GRE = 47,
	PK_PROTO_ICMP6 = 58,
	PK_PROTO_SCTP = 132,
	PK_PROTO_UDPLITE = 136,
};

#define PK_TCP_FIN 0x01
#define PK_TCP_SYN 0x02
#define PK_TCP_RST 0x04
#define PK_TCP_ACK 0x10

struct pk_eth {
	__be16 dst[3], src[3];
	__be16 type;
};
struct pk_vlan {
	__be16 tci;
	__be16 type;
};
struct pk_pppoe { /* and PPP's protocol behind it */
	__u8 ver_type, code;
	__be16 session, len, proto;
};
struct pk_ip4 {
	__u8 ver_ihl, tos;
	__be16 len, id, frag;
	__u8 ttl, proto;
	__be16 sum;
	__be32 src, dst;
};
struct pk_ip6 {
	__u8 ver_tc, tc_flow;
	__be16 flow;
	__be16 len;
	__u8 next, ttl;
	__be32 src[4], dst[4];
};
struct pk_ext {
	__u8 next, len;
	__be16 frag; /* the last two: fragment header only */
	__be32 id;
};
struct pk_arp {
	__be16 hrd, pro;
	__u8 hln, pln;
	__be16 op, sha[3], spa[2], tha[3], tpa[2];
};
struct pk_tcp {
	__be16 sport, dport;
	__be32 seq, ack;
	__u8 doff, flags;
	__be16 window, sum, urgent;
};
struct pk_udp {
	__be16 sport, dport, len, sum;
};
struct pk_icmp {
	__u8 type, code;
	__be16 sum, id, seq;
};
struct pk_gre {
	__be16 flags, type;
};
struct pk_vx { /* VXLAN and GENEVE */
	__u8 flags, pad;
	__be16 type; /* GENEVE only */
	__be32 vni;  /* upper 24 bits */
};

/* Room for any one of them, when it does not lie in the linear part. */
union pk_buf {
	struct pk_eth eth;
	struct pk_ip4 ip4;
	struct pk_ip6 ip6;
	struct pk_arp arp;
	struct pk_tcp tcp;
	__u64 align;
};

enum { PK_FRAG_NO, PK_FRAG_FIRST, PK_FRAG_LATER };

/* One layer of a packet, as found by pk_parse(); below the line, what accounting adds. */
struct pk_pkt {
	struct pk_flow_key key; /* sender first until pk_normalise() */
	__u32 off;  /* in: where the layer starts; out: where the parser stood at the end */
	__u32 wire; /* in: bytes of the frame on the wire, which a capture may have cut */
	__u32 l3_off, l3_end;
	__u32 seq, ack, payload; /* TCP; ICMP: seq is PK_ICMP_KNOWN | type << 8 | code */
	__u32 notes;             /* bit n: add one to enum pk_pkt_count n */
	__u32 frag_id;
	__u32 in_off, in_vni; /* the layer inside, when in_type is set */
	__be16 type, in_type;
	__u8 in_encap;
	__u8 frag; /* PK_FRAG_* */
	__u8 frag_proto;
	__u8 tcp_flags, ttl, dscp;
	__u8 depth;
	bool tcp;    /* flags, seq, ack and payload are known */
	bool opaque; /* stopped before the last header */
	/* ---- */
	__u8 dir;      /* end that sent it */
	__u8 where;    /* PK_AT_* */
	bool local;    /* an established local socket sends it: no quota */
	bool raw;      /* the frame begins with its IP header */
	bool unlisted; /* no block list has the remote address */
	__u8 want;     /* out: PK_DIR_SAMPLE, PK_DIR_KEEP, PK_DIR_RECORD */
	__u32 packets, bytes;
	__u32 tag_bytes; /* of VLAN tags that are on the wire but not in the frame */
	__u32 slot;      /* out: bucket * PK_WAYS + way */
};

/* Where pk_flow_dir.turn has the TCP flags and where PK_DIR_*, by the byte order of its members. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PK_TURN_TCP(flags) ((__u32)(flags))
#define PK_TURN(flags)     ((__u32)(flags) << 8)
#else
#define PK_TURN_TCP(flags) ((__u32)(flags) << 24)
#define PK_TURN(flags)     ((__u32)(flags) << 16)
#endif

/*
 * What a direction remembers of its owner, so that a change is seen without touching the owner's
 * line: another user of the socket (gen), or another socket that took over the ports (cookie).
 */
static __always_inline __u32 pk_owner_mark(const struct pk_owner *o)
{
	return (__u32)o->cookie << 8 | o->gen;
}

#endif
