/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block lists in the loaded programs. A million random prefixes of all lengths, nested and of both
 * families, against a plain table of them: for each of a million packets, in and out, in all the
 * forms a packet has, the verdict and the entry that decided. Then the rules of precedence.
 */
#include "blocked.h"

#include <arpa/inet.h>
#include <time.h>

#define RULES   1000000u
#define PACKETS 1000000u
#define SLOTS   (1u << 22) /* of the reference's table */

static struct bed bed;
static struct blocked blk;
static uint64_t state = 0x9e3779b97f4a7c15ull;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void clear_below(uint8_t a[16], unsigned bits)
{
	unsigned i = bits / 8;

	if (i < 16 && bits % 8)
		a[i] &= (uint8_t)(0xff << (8 - bits % 8)), i++;
	if (i < 16)
		memset(a + i, 0, 16 - i);
}

/* The reference: a table of (family, bits, prefix), asked for each length there is. */
struct entry {
	uint8_t prefix[16];
	uint8_t bits, v4;
	uint32_t line, hits;
};
static struct entry *entries;
static uint32_t *table, n_entries;
static bool lengths[2][129];

static uint32_t *slot_of(const uint8_t prefix[16], unsigned bits, bool v4)
{
	uint64_t w[2], h;
	uint32_t i;

	memcpy(w, prefix, 16);
	h = (w[0] ^ bits * 0x9e3779b97f4a7c15ull) * 0xd6e8feb86659fd93ull;
	h = (h ^ h >> 31 ^ w[1]) * 0xd6e8feb86659fd93ull;
	for (i = (h >> 40) + v4;; i++) {
		uint32_t *s = &table[i & (SLOTS - 1)];
		const struct entry *e = &entries[*s];

		if (!*s || (e->bits == bits && e->v4 == v4 && !memcmp(e->prefix, prefix, 16)))
			return s;
	}
}

static struct entry *expected(const uint8_t addr[16], bool v4)
{
	uint8_t a[16];

	memcpy(a, addr, 16);
	for (int bits = 128; bits >= (v4 ? 96 : 0); bits--) {
		uint32_t *s;

		clear_below(a, (unsigned)bits);
		if (!lengths[v4][bits])
			continue;
		s = slot_of(a, (unsigned)bits, v4);
		if (*s)
			return &entries[*s];
	}
	return NULL;
}

static void draw_addr(uint8_t a[16], bool v4)
{
	uint64_t w[2] = { draw(), draw() };

	memcpy(a, w, 16);
	if (v4) {
		memset(a, 0, 10);
		a[10] = a[11] = 0xff;
	} else {
		a[0] = 0x20 | (a[0] & 3); /* as the Internet: few first bytes, deep paths */
		if (draw() % 2)
			a[1] = 1, a[2] &= 7;
	}
}

/* A third of them below or beside one that is there. */
static void draw_near(uint8_t a[16], bool v4)
{
	const struct entry *e = n_entries ? &entries[1 + draw() % n_entries] : NULL;
	uint8_t low[16];

	draw_addr(a, v4);
	if (!e || e->v4 != v4 || draw() % 3)
		return;
	memcpy(low, a, 16);
	memcpy(a, e->prefix, 16);
	for (unsigned i = e->bits; i < 128; i++)
		a[i / 8] |= low[i / 8] & (uint8_t)(0x80 >> i % 8);
	if (draw() % 2 && e->bits > (v4 ? 96 : 8))
		a[(e->bits - 1) / 8] ^= (uint8_t)(0x80 >> (e->bits - 1) % 8);
}

static void add_random(void)
{
	bool v4 = draw() % 2;
	struct pk_trie_rule r = { .v4 = v4, .flags = PK_BLK_SEEN0 | PK_BLK_SEEN1 };
	uint32_t *s;

	/* All lengths but 0; the shorter the less often, or nothing would be left that passes. */
	do
		r.bits = (uint8_t)(v4 ? 97 + draw() % 32 : 1 + draw() % 128);
	while ((r.bits < (v4 ? 96 + 20 : 36) && draw() % 4096) ||
	       (r.bits < (v4 ? 96 + 8 : 12) && draw() % 512));
	draw_near(r.prefix, v4);
	clear_below(r.prefix, r.bits);
	s = slot_of(r.prefix, r.bits, v4);
	if (*s)
		return;
	n_entries++;
	memcpy(entries[n_entries].prefix, r.prefix, 16);
	entries[n_entries].bits = r.bits;
	entries[n_entries].v4 = v4;
	entries[n_entries].line = blocked_add(&blk, &r);
	lengths[v4][r.bits] = true;
	*s = n_entries;
}

/* Forms of a packet from (or to) the address; what is behind the first IP header varies. */
static const uint8_t tunnel_end[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
enum { PLAIN, VLAN, QINQ, LATER, EXTENDED, VXLAN, GRE, IPIP, FORMS };

static void put_ip(struct frame *f, const uint8_t addr[16], bool v4, bool out, uint8_t proto,
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

static void make(struct frame *f, int form, const uint8_t addr[16], bool v4, bool out)
{
	uint16_t type = v4 ? 0x0800 : 0x86dd;

	f->n = f->n4 = f->n6 = f->nu = 0;
	switch (form) {
	case VLAN:
	case QINQ:
		frame_eth(f, form == QINQ ? 0x88a8 : 0x8100);
		frame_tag(f, 5, form == QINQ ? 0x8100 : type);
		if (form == QINQ)
			frame_tag(f, 6, type);
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
	case VXLAN:
		frame_eth(f, 0x0800);
		put_ip(f, tunnel_end, true, out, 17, 0);
		frame_udp(f, 4000, 4789);
		frame_32(f, 0x08000000);
		frame_32(f, 77 << 8);
		frame_eth(f, type);
		put_ip(f, addr, v4, out, 17, 0);
		break;
	case GRE:
		frame_eth(f, 0x0800);
		put_ip(f, tunnel_end, true, out, 47, 0);
		frame_16(f, 0);
		frame_16(f, type);
		put_ip(f, addr, v4, out, 17, 0);
		break;
	case IPIP:
		frame_eth(f, 0x0800);
		put_ip(f, tunnel_end, true, out, v4 ? 4 : 41, 0);
		put_ip(f, addr, v4, out, 17, 0);
		break;
	default:
		frame_eth(f, type);
		put_ip(f, addr, v4, out, 17, 0);
	}
	frame_udp(f, 1000, 2000);
	frame_end(f);
}

static bool is_dropped(struct frame *f, bool out)
{
	int r = bed_run_bytes(&bed, out ? PK_PROG_TC_OUT : PK_PROG_XDP, f->b, f->n);

	assert_true(r == (out ? 2 : 1) || r == (out ? -1 : 2));
	return r == (out ? 2 : 1);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_million(void **st)
{
	static struct frame f;
	struct pk_trie_use use;
	uint32_t drops = 0;
	double start;

	(void)st;
	entries = calloc(RULES + 1, sizeof(*entries));
	table = calloc(SLOTS, sizeof(*table));
	assert_non_null(entries);
	assert_non_null(table);
	blocked_open(&blk, &bed);
	blocked_list(&blk, 0, PK_BLK_ENFORCE, false);
	start = now_s();
	while (n_entries < RULES)
		add_random();
	pk_trie_usage(blk.trie, &use);
	print_message("# %u rules in %.2f s, %lu MiB\n", n_entries, now_s() - start,
		      (unsigned long)(use.bytes >> 20));
	for (uint32_t i = 0; i < PACKETS; i++) {
		bool v4 = draw() % 2, out = draw() % 2;
		int form = (int)(draw() % FORMS);
		struct entry *e;
		uint8_t addr[16];
		bool dropped;

		draw_near(addr, v4);
		e = form >= VXLAN ? expected(tunnel_end, true)
				  : NULL; /* the outer one comes first */
		if (!e)
			e = expected(addr, v4);
		make(&f, form, addr, v4, out);
		dropped = is_dropped(&f, out);
		if (dropped != !!e)
			print_error("form %d v4 %d out %d: wanted %d\n", form, v4, out, !!e);
		assert_int_equal(dropped, !!e);
		if (e) {
			e->hits++;
			drops++;
		}
	}
	for (uint32_t i = 1; i <= n_entries; i++)
		assert_int_equal(pk_trie_rule(blk.trie, entries[i].line)->packets, entries[i].hits);
	print_message("# %u of %u packets dropped\n", drops, PACKETS);
	assert_true(drops > PACKETS / 10 && drops < PACKETS - PACKETS / 10);
	for (uint32_t i = 1; i <= n_entries; i++)
		pk_trie_remove(blk.trie, entries[i].line);
	for (uint32_t i = 0; i < 2 * PK_BLK_ROOTS; i++)
		assert_int_equal(blk.roots[i], 0);
	bed_check_sum(&bed, PK_HOOK_XDP);
	bed_check_sum(&bed, PK_HOOK_TC_EGRESS);
	blocked_close(&blk);
}

static int open_bed(void **st)
{
	(void)st;
	bed_open_ring(&bed, 64, false, 0, true);
	return 0;
}

static int close_bed(void **st)
{
	(void)st;
	bed_close(&bed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_million, open_bed, close_bed),
	};

	if (bed_skip())
		return 0;
	return cmocka_run_group_tests_name("bpf/block", tests, NULL, NULL);
}
