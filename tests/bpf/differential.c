/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutated frames through three parsers: the plain reference, the real one in user space, and the
 * loaded XDP program, whose counters and flow keys must say the same. SEED in the environment
 * repeats a run.
 */
#include "compare.h"
#include "load.h"

#include <time.h>

#define FRAMES_USER    300000
#define FRAMES_KERNEL  100000
#define SECONDS_KERNEL 60 /* in an emulated guest it may be fewer frames */

static uint64_t rng;

static uint32_t draw(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)((rng >> 32) % below);
}

static void any_l4(struct frame *f, uint8_t proto)
{
	if (proto == 6)
		frame_tcp(f, (uint16_t)draw(65536), 443, (uint8_t)draw(64), 1, 2, draw(30));
	else if (proto == 17)
		frame_udp(f, 1000, (uint16_t)draw(65536));
	else if (proto == 1 || proto == 58)
		frame_echo(f, draw(2) ? 8 : 128, 9);
	else
		frame_fill(f, draw(40));
}

static uint8_t any_proto(void)
{
	static const uint8_t all[] = { 6, 6, 17, 17, 1, 58, 132, 136, 33, 50, 89 };

	return all[draw(sizeof(all))];
}

static void any_ip4(struct frame *f, uint8_t proto)
{
	frame_ip4_full(f, proto, draw(1u << 31), draw(1u << 31),
		       (uint8_t)(draw(4) ? 0 : draw(10) * 4), draw(6) ? 0 : (uint16_t)draw(65536),
		       (uint16_t)draw(65536));
}

static void any_ip6(struct frame *f, uint8_t proto)
{
	static const uint8_t kinds[] = { 0, 43, 60, 135, 139, 140, 44, 51 };
	uint32_t n = draw(3) ? 0 : draw(20), i;
	uint8_t kind = n ? kinds[draw(8)] : proto, next;

	frame_ip6(f, kind, (uint16_t)draw(65536), (uint16_t)draw(65536));
	for (i = 1; i <= n; i++, kind = next) {
		next = i < n ? kinds[draw(8)] : proto;
		if (kind == 44)
			frame_frag6(f, next, draw(4) ? 0 : (uint16_t)draw(8192), (int)draw(2), 3);
		else if (kind == 51)
			frame_16(f, (uint16_t)(next << 8 | 2)), frame_fill(f, 14);
		else
			frame_ext(f, next, (uint8_t)draw(3));
	}
}

static void any_ip(struct frame *f, bool v6, uint8_t proto)
{
	if (v6)
		any_ip6(f, proto);
	else
		any_ip4(f, proto);
}

static void any_inside(struct frame *f)
{
	bool v6 = draw(2);
	uint8_t proto = draw(8) ? any_proto() : 4;

	any_ip(f, v6, proto);
	any_l4(f, proto);
}

static void any_ether(struct frame *f, bool v6)
{
	uint32_t tags = draw(3) ? 0 : draw(6), i;
	bool pppoe = !draw(8);
	uint16_t type = pppoe ? 0x8864 : v6 ? 0x86dd : 0x0800;

	frame_eth(f, tags ? 0x88a8 : type);
	for (i = 1; i <= tags; i++)
		frame_tag(f, (uint16_t)draw(65536), i < tags ? 0x8100 : type);
	if (pppoe)
		frame_pppoe(f, v6 ? 0x0057 : 0x0021);
}

static void any_vx(struct frame *f, uint16_t port)
{
	frame_udp(f, 5, port);
	if (port == 6081) {
		frame_16(f, (uint16_t)(draw(3) << 8));
		frame_16(f, 0x6558);
	} else {
		frame_32(f, 0x08000000);
	}
	frame_32(f, draw(1u << 24) << 8);
	if (port == 6081)
		frame_fill(f, (f->b[f->n - 8] & 0x3f) * 4);
	any_ether(f, false);
	any_ip4(f, 6);
	any_l4(f, 6);
}

static void any_gre(struct frame *f)
{
	uint16_t flags = (uint16_t)(draw(8) << 13) & 0xb000;

	frame_16(f, flags);
	frame_16(f, 0x0800);
	frame_fill(f, (!!(flags & 0x8000) + !!(flags & 0x2000) + !!(flags & 0x1000)) * 4);
	any_ip4(f, 17);
	any_l4(f, 17);
}

/* A frame of every kind the parser knows. */
static void any_frame(struct frame *f)
{
	static const uint16_t vx[] = { 4789, 8472, 6081 };
	bool v6 = draw(2);
	uint8_t proto;

	memset(f, 0, sizeof(*f));
	any_ether(f, v6);
	switch (draw(6)) {
	case 0:
		any_ip(f, v6, 17);
		any_vx(f, vx[draw(3)]);
		break;
	case 1:
		any_ip(f, v6, 47);
		any_gre(f);
		break;
	case 2:
		any_ip(f, v6, draw(2) ? 4 : 41);
		any_inside(f);
		break;
	default:
		proto = any_proto();
		any_ip(f, v6, proto);
		any_l4(f, proto);
		break;
	}
	frame_end(f);
}

static void mutate(struct frame *f)
{
	static const uint8_t likely[] = { 0,  1,  4,  6,  8,    17,   41,   43,   44,   47,
					  50, 51, 58, 60, 0x45, 0x46, 0x60, 0x81, 0x88, 0xff };
	uint32_t n = draw(5), at;

	while (n--) {
		at = draw(draw(3) ? (f->n < 96 ? f->n : 96) : f->n);
		f->b[at] = draw(2) ? likely[draw(sizeof(likely))] : (uint8_t)draw(256);
	}
	if (!draw(8))
		f->n = 14 + draw(f->n - 13);
}

static void dump(const struct frame *f, const char *diff, uint32_t i)
{
	uint32_t k;

	print_error("frame %u, %u bytes, differs in %s:\n", i, f->n, diff);
	for (k = 0; k < f->n && k < 256; k++)
		print_error("%02x%s", f->b[k], k % 32 == 31 ? "\n" : "");
	print_error("\n");
}

static void test_user_space(void **state)
{
	uint32_t i, seen[2] = { 0 };
	const char *diff;
	struct pk_pkt p;
	struct frame f;
	struct ref r;

	(void)state;
	for (i = 0; i < FRAMES_USER; i++) {
		any_frame(&f);
		mutate(&f);
		diff = compare(f.b, f.n, &p, &r);
		if (diff) {
			dump(&f, diff, i);
			fail();
		}
		seen[r.depth]++;
	}
	assert_true(seen[0] > FRAMES_USER / 4); /* the generator reaches both layers */
	assert_true(seen[1] > FRAMES_USER / 16);
}

/* The sender-first key of the reference, put in order as a flow has it. */
static bool same_flow(const struct pk_flow *f, const struct ref *r)
{
	int swap = memcmp(r->src, r->dst, 16);
	const uint8_t *lo, *hi;
	uint16_t lo_port, hi_port;

	if (!swap)
		swap = r->sport > r->dport ? 1 : -1;
	lo = swap > 0 ? r->dst : r->src;
	hi = swap > 0 ? r->src : r->dst;
	lo_port = swap > 0 ? r->dport : r->sport;
	hi_port = swap > 0 ? r->sport : r->dport;
	if (memcmp(f->key.addr[0], lo, 16) || memcmp(f->key.addr[1], hi, 16))
		return false;
	if (f->dir[swap > 0].packets != 1 || f->dir[swap <= 0].packets)
		return false;
	if (r->frag == 2) /* whose ports and protocol an earlier first fragment may have given */
		return true;
	return f->key.proto == r->proto && PK_BE16(f->key.port[0]) == lo_port &&
	       PK_BE16(f->key.port[1]) == hi_port && f->key.vlan[0] == r->vlan[0] &&
	       f->key.vlan[1] == r->vlan[1] && (!r->tcp || f->dir[swap > 0].tcp_flags == r->flags);
}

/* What the program made of one frame; NULL: what the reference says. */
static const char *check_kernel(struct bed *t, const struct frame *f)
{
	struct ref r = { .b = f->b, .n = f->n };
	enum ref_reason reason = ref_parse(&r, 0x6558);
	struct ref in = { .b = f->b, .n = f->n, .at = r.in_at, .depth = 1 };
	struct pk_flow *flow = bed_flow(t, 0, 0), *inner = bed_flow(t, 1, 0);
	uint64_t counted;

	counted = bed_count(t, PK_HOOK_XDP, reason ? compare_reason(reason) : PK_PKT_FLOW);
	if (counted != 1 || bed_count(t, PK_HOOK_XDP, PK_PKT_SEEN) != 1)
		return "reason";
	if (reason)
		return flow || inner ? "a flow of a refused frame" : NULL;
	if (!flow || !same_flow(flow, &r))
		return "the flow";
	if (!r.in_type || ref_parse(&in, r.in_type))
		return inner ? "an inner flow too much" : NULL;
	if (!inner || !same_flow(inner, &in))
		return "the inner flow";
	return inner->key.vni == r.vni && inner->key.encap == r.encap ? NULL : "encapsulation";
}

static void reset_counts(const struct bed *t)
{
	static uint64_t none[64][PK_PKT_COUNT_MAX];
	uint32_t key = PK_HOOK_XDP;

	assert_int_equal(bpf_map_update_elem(pk_object_map_fd(t->o, "pk_pkt_cnt"), &key, none, 0),
			 0);
}

static void test_kernel(void **state)
{
	const char *diff;
	struct frame f;
	time_t end = time(NULL) + SECONDS_KERNEL;
	struct bed t;
	uint32_t i;

	(void)state;
	bed_open(&t, 8, true);
	for (i = 0; i < FRAMES_KERNEL && time(NULL) < end; i++) {
		any_frame(&f);
		mutate(&f);
		bed_reset(&t);
		reset_counts(&t);
		bed_xdp(&t, &f);
		diff = check_kernel(&t, &f);
		if (diff) {
			dump(&f, diff, i);
			fail();
		}
		bed_check_sum(&t, PK_HOOK_XDP);
	}
	bed_close(&t);
	printf("# %u frames through the loaded program\n", i);
	assert_true(i > FRAMES_KERNEL / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user_space),
		cmocka_unit_test(test_kernel),
	};
	const char *seed = getenv("SEED");

	if (bed_skip())
		return 0;
	rng = seed ? strtoull(seed, NULL, 0) : (uint64_t)getpid() * 0x9e3779b97f4a7c15ull | 1;
	printf("# SEED=%llu\n", (unsigned long long)rng);
	return cmocka_run_group_tests_name("differential", tests, NULL, NULL);
}
