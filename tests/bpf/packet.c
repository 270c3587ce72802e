/* SPDX-License-Identifier: Apache-2.0 */
/* Crafted frames through the loaded programs: which flow, which counter, no packet uncounted. */
#include "load.h"

#include <arpa/inet.h>

#define SRC 0x0a000001u /* 10.0.0.1 */
#define DST 0x0a000002u

static struct bed bed;

/* A frame, what it must count as and, when it is a flow, what its key must hold. */
struct want {
	int counts[4]; /* enum pk_pkt_count, each raised by one; ended by 0 */
	uint16_t proto;
	uint16_t sport, dport;
	uint16_t vlan[2];
	bool v6;
	int inner_encap;
	uint32_t inner_vni;
};

static int open_bed(void **state)
{
	(void)state;
	bed_open_ring(&bed, 8, true, 0, true);
	return 0;
}

static int close_bed(void **state)
{
	(void)state;
	bed_check_sum(&bed, PK_HOOK_XDP);
	bed_check_sum(&bed, PK_HOOK_TC_EGRESS);
	bed_check_sum(&bed, PK_HOOK_TC_INGRESS);
	bed_close(&bed);
	return 0;
}

static void check_key(const struct pk_flow *f, const struct want *w)
{
	static const uint8_t src4[16] = { [10] = 0xff, 0xff, 10, 0, 0, 1 };
	static const uint8_t src6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };

	assert_int_equal(f->key.proto, w->proto);
	assert_memory_equal(f->key.addr[0], w->v6 ? src6 : src4, 16);
	assert_int_equal(ntohs(f->key.port[0]), w->sport);
	assert_int_equal(ntohs(f->key.port[1]), w->dport);
	assert_int_equal(f->key.vlan[0], w->vlan[0]);
	assert_int_equal(f->key.vlan[1], w->vlan[1]);
	assert_int_equal(f->key.netns, NETNS);
	assert_int_equal(f->key.ifindex, 1);
	assert_int_equal(f->key.depth, 0);
}

static void check_inner(const struct want *w)
{
	struct pk_flow *f = bed_flow(&bed, 1, 0);

	if (!w->inner_encap) {
		assert_null(f);
		return;
	}
	assert_non_null(f);
	assert_int_equal(f->key.encap, w->inner_encap);
	assert_int_equal(f->key.vni, w->inner_vni);
	assert_int_equal(f->key.proto, 6);
	assert_int_equal(ntohs(f->key.port[1]), 443);
}

static const char *prog_of(enum pk_hook hook)
{
	return hook == PK_HOOK_XDP         ? PK_PROG_XDP
	       : hook == PK_HOOK_TC_EGRESS ? PK_PROG_TC_OUT
					   : PK_PROG_TC_IN;
}

/* Runs f through one hook and compares counters, key and bytes. */
static void check_hook(struct frame *f, const struct want *w, enum pk_hook hook)
{
	uint64_t before[PK_PKT_COUNT_MAX];
	struct pk_flow *flow;
	int i, j, more, got;

	bed_reset(&bed);
	for (i = 0; i < PK_PKT_COUNT_MAX; i++)
		before[i] = bed_count(&bed, hook, i);
	got = bed_run_bytes(&bed, prog_of(hook), f->b, f->n);
	assert_int_equal(got, hook == PK_HOOK_XDP ? 2 : -1);
	for (i = 0; i < PK_PKT_COUNT_MAX; i++) {
		more = i == PK_PKT_SEEN ? 1 : i == PK_PKT_SEEN_BYTES ? (int)f->n : 0;
		for (j = 0; j < 4 && w->counts[j]; j++)
			more += w->counts[j] == i;
		got = (int)(bed_count(&bed, hook, i) - before[i]);
		if (got != more)
			print_error("hook %d counter %d: %d, wanted %d\n", hook, i, got, more);
		assert_int_equal(got, more);
	}
	bed_check_sum(&bed, hook);
	flow = bed_flow(&bed, 0, 0);
	if (w->counts[0] != PK_PKT_FLOW) {
		assert_null(flow);
		return;
	}
	assert_non_null(flow);
	check_key(flow, w);
	assert_int_equal(flow->dir[0].packets, 1);
	assert_int_equal(flow->dir[0].bytes, f->n);
	assert_int_equal(flow->dir[0].where,
			 hook == PK_HOOK_TC_EGRESS ? PK_AT_EGRESS : PK_AT_INGRESS);
	check_inner(w);
}

static void check(struct frame *f, const struct want *w)
{
	check_hook(f, w, PK_HOOK_XDP);
	check_hook(f, w, PK_HOOK_TC_EGRESS);
	check_hook(f, w, PK_HOOK_TC_INGRESS);
}

static void start4(struct frame *f, uint8_t proto)
{
	memset(f, 0, sizeof(*f));
	frame_eth(f, 0x0800);
	frame_ip4(f, proto, SRC, DST);
}

static void start6(struct frame *f, uint8_t next)
{
	memset(f, 0, sizeof(*f));
	frame_eth(f, 0x86dd);
	frame_ip6(f, next, 1, 2);
}

#define FLOW(...)   (&(struct want){ .counts = { PK_PKT_FLOW }, __VA_ARGS__ })
#define COUNTS(...) .counts = { __VA_ARGS__ }

static void test_l4(void **state)
{
	static const uint8_t with_ports[] = { 33, 132, 136 };
	struct frame f;
	size_t i;

	(void)state;
	start4(&f, 6);
	frame_tcp(&f, 1000, 443, 0x02, 1, 0, 0);
	frame_end(&f);
	check(&f, FLOW(.proto = 6, .sport = 1000, .dport = 443));
	start4(&f, 17);
	frame_udp(&f, 1000, 53);
	frame_fill(&f, 20);
	frame_end(&f);
	check(&f, FLOW(.proto = 17, .sport = 1000, .dport = 53));
	for (i = 0; i < sizeof(with_ports); i++) {
		start4(&f, with_ports[i]);
		frame_16(&f, 5);
		frame_16(&f, 6);
		frame_fill(&f, 20);
		frame_end(&f);
		check(&f, FLOW(.proto = with_ports[i], .sport = 5, .dport = 6));
	}
	start4(&f, 1);
	frame_echo(&f, 8, 77);
	frame_end(&f);
	check(&f, FLOW(.proto = 1, .sport = 77, .dport = 77));
	start4(&f, 1);
	frame_echo(&f, 3, 77);
	frame_end(&f);
	check(&f, FLOW(.proto = 1));
	start6(&f, 58);
	frame_echo(&f, 129, 78);
	frame_end(&f);
	check(&f, FLOW(.proto = 58, .sport = 78, .dport = 78, .v6 = true));
	start6(&f, 6);
	frame_tcp(&f, 1000, 443, 0x02, 1, 0, 0);
	frame_end(&f);
	check(&f, FLOW(.proto = 6, .sport = 1000, .dport = 443, .v6 = true));
	start4(&f, 89); /* OSPF: no ports */
	frame_fill(&f, 30);
	frame_end(&f);
	check(&f, FLOW(.proto = 89));
	start4(&f, 50); /* ESP */
	frame_fill(&f, 30);
	frame_end(&f);
	check(&f, FLOW(.proto = 50));
}

static void test_arp(void **state)
{
	struct frame f = { 0 };

	(void)state;
	frame_eth(&f, 0x0806);
	frame_16(&f, 1);
	frame_16(&f, 0x0800);
	frame_16(&f, 0x0604);
	frame_16(&f, 1);
	frame_fill(&f, 6);
	frame_32(&f, SRC);
	frame_fill(&f, 6);
	frame_32(&f, DST);
	check(&f, FLOW(.proto = 0x0806));
	f.n--;
	check(&f, &(struct want){ COUNTS(PK_PKT_TRUNCATED_L3) });
	f.n++;
	f.b[14] = 6; /* hardware that is not Ethernet */
	check(&f, &(struct want){ COUNTS(PK_PKT_UNSUPPORTED_L3) });
}

static void test_vlan(void **state)
{
	struct frame f;
	int tags, i;

	(void)state;
	for (tags = 1; tags <= 5; tags++) {
		memset(&f, 0, sizeof(f));
		frame_eth(&f, tags % 2 ? 0x8100 : 0x88a8);
		for (i = 1; i <= tags; i++)
			frame_tag(&f, (uint16_t)(0x2000 | (100 + i)), i < tags ? 0x8100 : 0x0800);
		frame_ip4(&f, 17, SRC, DST);
		frame_udp(&f, 1, 2);
		frame_end(&f);
		if (tags <= 4)
			check(&f, FLOW(.proto = 17, .sport = 1, .dport = 2,
				       .vlan = { 101, tags > 1 ? 102 : 0 }));
		else
			check(&f, &(struct want){ COUNTS(PK_PKT_VLAN_TOO_DEEP) });
	}
	f.n = 16; /* in the middle of the first tag */
	check(&f, &(struct want){ COUNTS(PK_PKT_TRUNCATED_L2) });
}

static void test_pppoe(void **state)
{
	struct frame f = { 0 };

	(void)state;
	frame_eth(&f, 0x8100);
	frame_tag(&f, 7, 0x8864);
	frame_pppoe(&f, 0x0021);
	frame_ip4(&f, 6, SRC, DST);
	frame_tcp(&f, 1000, 443, 0x02, 1, 0, 0);
	frame_end(&f);
	check(&f, FLOW(.proto = 6, .sport = 1000, .dport = 443, .vlan = { 7 }));
	f.b[19] = 0xa7; /* a code of discovery */
	check(&f, &(struct want){ COUNTS(PK_PKT_UNSUPPORTED_L3) });
	f.b[19] = 0;
	f.b[18] = 0x21; /* version 2 */
	check(&f, &(struct want){ COUNTS(PK_PKT_UNSUPPORTED_L3) });
	f.b[18] = 0x11;
	frame_set16(&f, 24, 0xc021); /* LCP */
	check(&f, &(struct want){ COUNTS(PK_PKT_UNSUPPORTED_L3) });
	frame_set16(&f, 24, 0x0057); /* says IPv6, is not */
	check(&f, &(struct want){ COUNTS(PK_PKT_BAD_IP_VERSION) });
	f.n = 25;
	check(&f, &(struct want){ COUNTS(PK_PKT_TRUNCATED_L2) });
	memset(&f, 0, sizeof(f));
	frame_eth(&f, 0x8864);
	frame_pppoe(&f, 0x0057);
	frame_ip6(&f, 17, 1, 2);
	frame_udp(&f, 1000, 53);
	frame_end(&f);
	check(&f, FLOW(.proto = 17, .sport = 1000, .dport = 53, .v6 = true));
}

/* Where a frame has no whole IP header, a test run of tc refuses it: XDP alone. */
static void test_ip4_lies(void **state)
{
	struct frame f;

	(void)state;
	start4(&f, 6);
	frame_tcp(&f, 1, 2, 2, 1, 0, 0);
	frame_end(&f);
	f.b[14] = 0x44;
	check(&f, &(struct want){ COUNTS(PK_PKT_BAD_IP_LENGTH) });
	f.b[14] = 0x65;
	check(&f, &(struct want){ COUNTS(PK_PKT_BAD_IP_VERSION) });
	f.b[14] = 0x45;
	frame_set16(&f, 16, 41);
	check(&f, &(struct want){ COUNTS(PK_PKT_BAD_IP_LENGTH) });
	frame_set16(&f, 16, 19);
	check(&f, &(struct want){ COUNTS(PK_PKT_BAD_IP_LENGTH) });
	frame_set16(&f, 16, 0);
	check(&f, &(struct want){ COUNTS(PK_PKT_BAD_IP_LENGTH) });
	frame_set16(&f, 16, 39); /* one byte short of a TCP header */
	check(&f, &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_TRUNCATED_L4), .proto = 6 });
	f.n = 14 + 19;
	check_hook(&f, &(struct want){ COUNTS(PK_PKT_TRUNCATED_L3) }, PK_HOOK_XDP);
	f.n = 14;
	check_hook(&f, &(struct want){ COUNTS(PK_PKT_TRUNCATED_L3) }, PK_HOOK_XDP);
	memset(&f, 0, sizeof(f));
	frame_eth(&f, 0x0800);
	frame_ip4_full(&f, 17, SRC, DST, 40, 0, 1);
	frame_udp(&f, 1, 2);
	frame_end(&f);
	check(&f, FLOW(.proto = 17, .sport = 1, .dport = 2));
	f.n = 14 + 59; /* in the middle of the options */
	frame_set16(&f, 16, 59);
	check(&f, &(struct want){ COUNTS(PK_PKT_TRUNCATED_L3) });
}

static void test_l2_others(void **state)
{
	struct frame f = { 0 };

	(void)state;
	frame_eth(&f, 46); /* an 802.3 length */
	frame_fill(&f, 46);
	check(&f, &(struct want){ COUNTS(PK_PKT_UNSUPPORTED_L3) });
	frame_set16(&f, 12, 0x8847); /* MPLS */
	check(&f, &(struct want){ COUNTS(PK_PKT_UNSUPPORTED_L3) });
	frame_set16(&f, 12, 0x86dd);
	f.n = 14 + 39;
	check_hook(&f, &(struct want){ COUNTS(PK_PKT_TRUNCATED_L3) }, PK_HOOK_XDP);
	f.n = 14 + 46;
	check(&f, &(struct want){ COUNTS(PK_PKT_BAD_IP_VERSION) });
	f.b[14] = 0x60;
	frame_set16(&f, 18, 7);
	check(&f, &(struct want){ COUNTS(PK_PKT_BAD_IP_LENGTH) });
}

static void test_padding(void **state)
{
	struct frame f;

	(void)state;
	start4(&f, 17); /* 8 bytes of UDP would fit into the padding, but the packet ends before */
	frame_fill(&f, 4);
	frame_end(&f);
	frame_fill(&f, 26);
	check(&f, &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_TRUNCATED_L4), .proto = 17 });
}

static void test_ip6_chain(void **state)
{
	static const uint8_t kinds[] = { 0, 43, 60, 135, 139, 140 };
	struct frame f;
	int n, i;

	(void)state;
	for (n = 1; n <= 40; n++) {
		start6(&f, kinds[0]);
		for (i = 1; i <= n; i++)
			frame_ext(&f, i < n ? kinds[i % 6] : 17, 0);
		frame_udp(&f, 1, 2);
		frame_end(&f);
		if (n <= 16)
			check(&f, FLOW(.proto = 17, .sport = 1, .dport = 2, .v6 = true));
		else
			check(&f, &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_EXT_TOO_DEEP),
						  .proto = kinds[16 % 6], .v6 = true });
	}
	start6(&f, 51); /* AH counts in units of 4 bytes */
	frame_8(&f, 17);
	frame_8(&f, 4);
	frame_fill(&f, 22);
	frame_udp(&f, 3, 4);
	frame_end(&f);
	check(&f, FLOW(.proto = 17, .sport = 3, .dport = 4, .v6 = true));
	start6(&f, 59); /* no next header */
	frame_end(&f);
	check(&f, FLOW(.proto = 59, .v6 = true));
	start6(&f, 60); /* a chain that ends in the middle */
	frame_8(&f, 17);
	frame_8(&f, 3);
	frame_fill(&f, 6);
	frame_end(&f);
	check(&f,
	      &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_TRUNCATED_L4), .proto = 17, .v6 = true });
}

/* Ports beyond the linear part: two extension headers of 2 KiB. */
static void test_deep_headers(void **state)
{
	struct frame f;

	(void)state;
	start6(&f, 60);
	frame_ext(&f, 60, 255);
	frame_ext(&f, 17, 255);
	frame_udp(&f, 1, 2);
	frame_fill(&f, 4000);
	frame_end(&f);
	check_hook(&f, FLOW(.proto = 17, .sport = 1, .dport = 2, .v6 = true), PK_HOOK_XDP);
}

static void test_fragments4(void **state)
{
	struct frame f;

	(void)state;
	/* Later first: nobody knows its ports. */
	memset(&f, 0, sizeof(f));
	frame_eth(&f, 0x0800);
	frame_ip4_full(&f, 17, SRC, DST, 0, 185, 900);
	frame_fill(&f, 100);
	frame_end(&f);
	check_hook(&f,
		   &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_FRAGMENT, PK_PKT_FRAGMENT_ORPHAN),
				   .proto = 17 },
		   PK_HOOK_XDP);
	/* First, then later: both in the flow with ports. */
	memset(&f, 0, sizeof(f));
	frame_eth(&f, 0x0800);
	frame_ip4_full(&f, 17, SRC, DST, 0, 0x2000, 900);
	frame_udp(&f, 1000, 53);
	frame_fill(&f, 1472);
	frame_end(&f);
	check_hook(&f,
		   &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_FRAGMENT), .proto = 17, .sport = 1000,
				   .dport = 53 },
		   PK_HOOK_XDP);
	frame_set16(&f, 20, 185);
	check_hook(&f,
		   &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_FRAGMENT), .proto = 17, .sport = 1000,
				   .dport = 53 },
		   PK_HOOK_XDP);
	assert_int_equal(bed_flow(&bed, 0, 0)->dir[0].fragments, 1);
	/* A minute later the number may be another datagram's. */
	bed.clock->now_ns += 61ull * 1000000000;
	check_hook(&f,
		   &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_FRAGMENT, PK_PKT_FRAGMENT_ORPHAN),
				   .proto = 17 },
		   PK_HOOK_XDP);
}

static void test_fragments6(void **state)
{
	struct frame f;

	(void)state;
	start6(&f, 44); /* atomic: no fragment at all */
	frame_frag6(&f, 17, 0, 0, 5);
	frame_udp(&f, 1, 2);
	frame_end(&f);
	check(&f, FLOW(.proto = 17, .sport = 1, .dport = 2, .v6 = true));
	start6(&f, 44); /* the first names a destination options header, the later one, too */
	frame_frag6(&f, 60, 0, 1, 6);
	frame_ext(&f, 17, 0);
	frame_udp(&f, 3, 4);
	frame_fill(&f, 64);
	frame_end(&f);
	check_hook(&f,
		   &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_FRAGMENT), .proto = 17, .sport = 3,
				   .dport = 4, .v6 = true },
		   PK_HOOK_XDP);
	start6(&f, 44);
	frame_frag6(&f, 60, 10, 0, 6);
	frame_fill(&f, 64);
	frame_end(&f);
	check_hook(&f,
		   &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_FRAGMENT), .proto = 17, .sport = 3,
				   .dport = 4, .v6 = true },
		   PK_HOOK_XDP);
}

static void test_tiny_fragments(void **state)
{
	struct frame f;

	(void)state;
	memset(&f, 0, sizeof(f));
	frame_eth(&f, 0x0800);
	frame_ip4_full(&f, 6, SRC, DST, 0, 0x2000, 901);
	frame_fill(&f, 8);
	frame_end(&f);
	check(&f, &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_FRAGMENT, PK_PKT_TINY_FRAGMENT),
				  .proto = 6 });
	memset(&f, 0, sizeof(f));
	frame_eth(&f, 0x0800);
	frame_ip4_full(&f, 6, SRC, DST, 0, 1, 902); /* would overwrite the flags */
	frame_fill(&f, 32);
	frame_end(&f);
	check(&f, &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_FRAGMENT, PK_PKT_TINY_FRAGMENT,
					 PK_PKT_FRAGMENT_ORPHAN),
				  .proto = 6 });
	start6(&f, 44); /* RFC 7112: the first fragment must hold the whole chain */
	frame_frag6(&f, 60, 0, 1, 7);
	frame_8(&f, 6);
	frame_8(&f, 9);
	frame_fill(&f, 6);
	frame_end(&f);
	check(&f, &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_FRAGMENT, PK_PKT_TINY_FRAGMENT),
				  .proto = 6, .v6 = true });
}

static void inner_eth(struct frame *f)
{
	frame_eth(f, 0x0800);
	frame_ip4(f, 6, 0xc0000201, 0xc0000202);
	frame_tcp(f, 4000, 443, 2, 1, 0, 0);
	frame_end(f);
}

static void inner_ip4(struct frame *f)
{
	frame_ip4(f, 6, 0xc0000201, 0xc0000202);
	frame_tcp(f, 4000, 443, 2, 1, 0, 0);
	frame_end(f);
}

static void inner_ip6(struct frame *f)
{
	frame_ip6(f, 6, 0x10, 0x20);
	frame_tcp(f, 4000, 443, 2, 1, 0, 0);
	frame_end(f);
}

#define INNER(...) (&(struct want){ .counts = { PK_PKT_FLOW, PK_PKT_TUNNEL_INNER }, __VA_ARGS__ })

static void test_tunnels(void **state)
{
	struct frame f;

	(void)state;
	start4(&f, 4);
	inner_ip4(&f);
	check(&f, INNER(.proto = 4, .inner_encap = PK_ENCAP_IPIP));
	start4(&f, 41);
	inner_ip6(&f);
	check(&f, INNER(.proto = 41, .inner_encap = PK_ENCAP_SIXIN4));
	start6(&f, 4);
	inner_ip4(&f);
	check(&f, INNER(.proto = 4, .v6 = true, .inner_encap = PK_ENCAP_IPIP));
	start4(&f, 47); /* plain, then with checksum, key and sequence number */
	frame_16(&f, 0);
	frame_16(&f, 0x0800);
	inner_ip4(&f);
	check(&f, INNER(.proto = 47, .inner_encap = PK_ENCAP_GRE));
	start4(&f, 47);
	frame_16(&f, 0xb000);
	frame_16(&f, 0x6558);
	frame_32(&f, 0);
	frame_32(&f, 0xabcd);
	frame_32(&f, 1);
	inner_eth(&f);
	check(&f, INNER(.proto = 47, .inner_encap = PK_ENCAP_GRE, .inner_vni = 0xabcd));
	start4(&f, 17);
	frame_udp(&f, 9, 4789);
	frame_32(&f, 0x08000000);
	frame_32(&f, 77 << 8);
	inner_eth(&f);
	check(&f, INNER(.proto = 17, .sport = 9, .dport = 4789, .inner_encap = PK_ENCAP_VXLAN,
			.inner_vni = 77));
	frame_set16(&f, 36, 8472);
	check(&f, INNER(.proto = 17, .sport = 9, .dport = 8472, .inner_encap = PK_ENCAP_VXLAN,
			.inner_vni = 77));
	f.b[42] = 0; /* no valid VNI */
	check(&f, &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_TUNNEL_BAD), .proto = 17, .sport = 9,
				  .dport = 8472 });
	start4(&f, 17);
	frame_udp(&f, 9, 6081);
	frame_16(&f, 0x0200); /* 8 bytes of options */
	frame_16(&f, 0x6558);
	frame_32(&f, 78 << 8);
	frame_fill(&f, 8);
	inner_eth(&f);
	check(&f, INNER(.proto = 17, .sport = 9, .dport = 6081, .inner_encap = PK_ENCAP_GENEVE,
			.inner_vni = 78));
}

static void test_tunnel_limits(void **state)
{
	struct pk_flow *flow;
	struct frame f;

	(void)state;
	start4(&f, 4); /* a tunnel in a tunnel: two layers are flows, the third is not looked at */
	frame_ip4(&f, 4, 0xc0000201, 0xc0000202);
	inner_ip4(&f);
	bed_reset(&bed);
	bed_xdp(&bed, &f);
	flow = bed_flow(&bed, 1, 0);
	assert_non_null(flow);
	assert_int_equal(flow->key.proto, 4);
	assert_null(bed_flow(&bed, 1, 1));
	assert_int_equal(bed_count(&bed, PK_HOOK_XDP, PK_PKT_TUNNEL_TOO_DEEP), 1);
	start4(&f, 4); /* the inner header lies */
	frame_ip4(&f, 6, 0xc0000201, 0xc0000202);
	frame_tcp(&f, 4000, 443, 2, 1, 0, 0);
	frame_end(&f);
	f.b[34] = 0x95;
	check(&f, &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_TUNNEL_BAD), .proto = 4 });
	start4(&f, 47); /* GRE version 1 is PPTP's */
	frame_16(&f, 0x0001);
	frame_16(&f, 0x880b);
	frame_fill(&f, 20);
	frame_end(&f);
	check(&f, &(struct want){ COUNTS(PK_PKT_FLOW, PK_PKT_TUNNEL_BAD), .proto = 47 });
}

/* A GSO packet is as many packets, and as many headers, as the wire will carry. */
static void test_gso(void **state)
{
	struct __sk_buff ctx = { .gso_segs = 10, .gso_size = 1000 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	struct pk_flow *flow;
	struct frame f;

	(void)state;
	start4(&f, 6);
	frame_tcp(&f, 1000, 443, 0x10, 1, 0, 2000);
	frame_end(&f);
	opts.data_in = f.b;
	opts.data_size_in = f.n;
	ctx.wire_len = f.n + 9 * 54;
	bed_reset(&bed);
	assert_int_equal(bpf_prog_test_run_opts(pk_object_prog_fd(bed.o, PK_PROG_TC_OUT), &opts),
			 0);
	flow = bed_flow(&bed, 0, 0);
	assert_non_null(flow);
	assert_int_equal(flow->dir[0].packets, 10);
	assert_int_equal(flow->dir[0].bytes, f.n + 9 * 54);
	ctx.wire_len = f.n; /* as GRO leaves it: the headers of the merged packets are gone */
	bed_reset(&bed);
	opts.ctx_in = &ctx;
	assert_int_equal(bpf_prog_test_run_opts(pk_object_prog_fd(bed.o, PK_PROG_TC_IN), &opts), 0);
	flow = bed_flow(&bed, 0, 0);
	assert_int_equal(flow->dir[0].packets, 10);
	assert_int_equal(flow->dir[0].bytes, f.n + 9 * 54);
}

/*
 * Devices without Ethernet header: the frame starts with IP. A test run takes bytes 12 and 13 as
 * the type, which are the first half of an IPv4 source: 8.0.x.y makes it IPv4.
 */
static void test_l3_device(void **state)
{
	static const char *const progs[] = { PK_PROG_TC_IN_L3, PK_PROG_TC_OUT_L3 };
	struct pk_flow *flow;
	struct frame f = { 0 };
	int i;

	(void)state;
	frame_ip4(&f, 17, 0x08000001, DST);
	frame_udp(&f, 7, 53);
	frame_fill(&f, 30);
	frame_end(&f);
	for (i = 0; i < 2; i++) {
		bed_reset(&bed);
		assert_int_equal(bed_run_bytes(&bed, progs[i], f.b, f.n), -1);
		flow = bed_flow(&bed, 0, 0);
		assert_non_null(flow);
		assert_int_equal(flow->key.addr[0][12], 8);
		assert_int_equal(flow->key.addr[1][12], 10);
		assert_int_equal(ntohs(flow->key.port[1]), 53);
		assert_int_equal(flow->dir[0].bytes, f.n);
		assert_int_equal(flow->dir[0].where, i ? PK_AT_EGRESS : PK_AT_INGRESS);
	}
}

/* A packet cut by the capture has the length it had on the wire. */
static void test_cut_capture(void **state)
{
	struct pk_flow *flow;
	struct frame f;

	(void)state;
	start4(&f, 6);
	frame_tcp(&f, 1000, 443, 0x10, 1, 0, 1400);
	frame_end(&f);
	bed_reset(&bed);
	bed.clock->wire_bytes = f.n;
	assert_int_equal(bed_run_bytes(&bed, PK_PROG_XDP, f.b, 60), 2);
	bed.clock->wire_bytes = 0;
	flow = bed_flow(&bed, 0, 0);
	assert_non_null(flow);
	assert_int_equal(flow->dir[0].bytes, f.n);
	assert_int_equal(flow->dir[0].tcp_next, 1401);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_l4),           cmocka_unit_test(test_arp),
		cmocka_unit_test(test_vlan),         cmocka_unit_test(test_pppoe),
		cmocka_unit_test(test_ip4_lies),     cmocka_unit_test(test_l2_others),
		cmocka_unit_test(test_padding),      cmocka_unit_test(test_ip6_chain),
		cmocka_unit_test(test_deep_headers), cmocka_unit_test(test_fragments4),
		cmocka_unit_test(test_fragments6),   cmocka_unit_test(test_tiny_fragments),
		cmocka_unit_test(test_tunnels),      cmocka_unit_test(test_tunnel_limits),
		cmocka_unit_test(test_gso),          cmocka_unit_test(test_l3_device),
		cmocka_unit_test(test_cut_capture),
	};

	if (bed_skip())
		return 0;
	return cmocka_run_group_tests_name("packet", tests, open_bed, close_bed);
}
