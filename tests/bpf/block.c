/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block lists in the loaded programs. A million random prefixes of all lengths, nested and of both
 * families, against a plain table of them: for each of a million packets, in and out, in all the
 * forms a packet has, the verdict and the entry that decided. Then precedence, conditions, floods.
 */
#include "blocked.h"
#include "forms.h"

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
	uint32_t line, hits; /* line: 0: taken out */
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
		if (entries[*s].line)
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

/* From a quarter on tables answer, too. How many were dropped. */
static uint32_t run_packets(uint32_t packets)
{
	static struct frame f;
	static uint32_t seen[FORMS][2]; /* passed, dropped for what is inside */
	uint32_t drops = 0;

	for (uint32_t i = 0; i < packets; i++) {
		bool v4 = draw() % 2, out = draw() % 2, outer_v4 = draw() % 2;
		int form = (int)(draw() % FORMS);
		struct entry *e;
		uint8_t addr[16], outer[16];
		bool dropped;

		if (i == packets / 4)
			blocked_tables(&blk);
		draw_near(addr, v4);
		do /* mostly one that is not listed, so that the inner one decides */
			draw_addr(outer, outer_v4);
		while (expected(outer, outer_v4) && draw() % 8);
		e = form < VXLAN ? NULL : expected(outer, outer_v4);
		if (!e) {
			e = expected(addr, v4);
			seen[form][!!e]++;
		}
		make(&f, form, addr, v4, outer, outer_v4, out);
		dropped = is_dropped(&f, out);
		if (dropped != !!e)
			print_error("form %d v4 %d in v4 %d out %d: wanted %d\n", form, v4,
				    outer_v4, out, !!e);
		assert_int_equal(dropped, !!e);
		if (e) {
			e->hits++;
			drops++;
		}
	}
	assert_int_equal(blocked_drain(&blk), 0);
	for (uint32_t i = 1; i <= n_entries; i++)
		if (entries[i].line)
			assert_int_equal(pk_trie_rule(blk.trie, entries[i].line)->packets,
					 entries[i].hits);
	print_message("# %u of %u packets dropped\n", drops, packets);
	for (int i = 0; i < FORMS; i++)
		assert_true(seen[i][0] > 1000 && seen[i][1] > 1000);
	return drops;
}

static void take_out(uint32_t i)
{
	if (entries[i].line)
		pk_trie_remove(blk.trie, entries[i].line);
	entries[i].line = 0;
}

static void test_million(void **st)
{
	struct pk_trie_use use;
	uint32_t drops;
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
	drops = run_packets(PACKETS);
	assert_true(drops > PACKETS / 10 && drops < PACKETS - PACKETS / 10);
	assert_int_not_equal(blk.ctl->hosts, 0);
	assert_int_not_equal(blk.ctl->sites, 0);
	for (uint32_t i = 1; i <= n_entries; i += 2)
		take_out(i);
	drops = run_packets(PACKETS / 4);
	assert_true(drops > PACKETS / 80);
	for (uint32_t i = 1; i <= n_entries; i++)
		take_out(i);
	for (uint32_t i = 0; i < PK_BLK_ROOT_WORDS; i++)
		assert_int_equal(blk.roots[i], 0);
	bed_check_sum(&bed, PK_HOOK_XDP);
	bed_check_sum(&bed, PK_HOOK_TC_EGRESS);
	blocked_close(&blk);
}

/* Lists of the tests below. */
enum { BLOCKING, SECOND, ALLOWING, OBSERVING, OFF, LISTS };

static void open_lists(void)
{
	blocked_open(&blk, &bed);
	blocked_list(&blk, BLOCKING, PK_BLK_ENFORCE, false);
	blocked_list(&blk, SECOND, PK_BLK_ENFORCE, false);
	blocked_list(&blk, ALLOWING, PK_BLK_ENFORCE, true);
	blocked_list(&blk, OBSERVING, PK_BLK_OBSERVE, false);
	blocked_list(&blk, OFF, PK_BLK_OFF, false);
}

/* Of the tests below; their last byte is 0. */
static const uint8_t base[2][16] = { { [10] = 0xff, 0xff, 198, 51, 100, 0 },
				     { 0x20, 0x01, 0x0d, 0xb8, 0, 5, 0, 4 } };
static bool six; /* which */

/* That address/bits (of the 16-byte form), to this list. */
static uint32_t put(unsigned list, uint8_t bits, const struct pk_blk_cond *cond)
{
	struct pk_trie_rule r = { .bits = bits,
				  .v4 = !six,
				  .list = (uint16_t)list,
				  .flags = PK_BLK_SEEN0 | PK_BLK_SEEN1,
				  .has_cond = cond };

	memcpy(r.prefix, base[six], 16);
	if (cond)
		r.cond = *cond;
	return blocked_add(&blk, &r);
}

static bool drops_near(uint8_t last, bool out)
{
	static struct frame f;
	uint8_t addr[16];

	memcpy(addr, base[six], 16);
	addr[15] = last;
	make(&f, PLAIN, addr, !six, NULL, false, out);
	return is_dropped(&f, out);
}

static bool drops(bool out)
{
	return drops_near(0, out);
}

static uint64_t hits(uint32_t line)
{
	assert_int_equal(blocked_drain(&blk), 0);
	return pk_trie_rule(blk.trie, line)->packets;
}

/* The quick way of a packet and the long one must never say different things. */
static void test_precedence(void **st)
{
	uint32_t wide, narrow, second, seen, off, allow;

	(void)st;
	open_lists();
	wide = put(BLOCKING, 120, NULL);
	assert_true(drops(false) && drops(true));
	assert_int_equal(hits(wide), 2);
	narrow = put(BLOCKING, 128, NULL); /* the most specific of a list */
	assert_true(drops(false));
	assert_int_equal(hits(narrow), 1);
	assert_int_equal(hits(wide), 2);
	second = put(SECOND, 124, NULL); /* of two lists, the most specific decides */
	assert_true(drops(false));
	assert_int_equal(hits(narrow), 2);
	assert_int_equal(hits(second), 0);
	seen = put(OBSERVING, 128, NULL); /* enforced wins over observed */
	off = put(OFF, 128, NULL);
	assert_true(drops(false));
	assert_int_equal(hits(seen) + hits(off), 0);
	allow = put(ALLOWING, 112, NULL); /* allowed wins over all, however wide */
	assert_false(drops(false) || drops(true));
	assert_int_equal(hits(narrow), 3);
	pk_trie_remove(blk.trie, allow);
	pk_trie_remove(blk.trie, narrow);
	pk_trie_remove(blk.trie, second);
	pk_trie_remove(blk.trie, wide);
	assert_false(drops(false)); /* observed and off are left */
	assert_int_equal(hits(seen), 1);
	assert_int_equal(hits(off), 0);
	pk_trie_remove(blk.trie, seen);
	assert_false(drops(false));
	blocked_list(&blk, OFF, PK_BLK_ENFORCE, false);
	assert_true(drops(false));
	blk.lists[OFF].word = 0; /* a list that is gone */
	assert_false(drops(false));
	blocked_close(&blk);
}

static void test_conditions(void **st)
{
	static const struct {
		struct pk_blk_cond cond;
		bool in, out;
	} cases[] = {
		{ { .dir = PK_BLK_IN }, true, false },
		{ { .dir = PK_BLK_OUT }, false, true },
		{ { .dir = PK_BLK_IN | PK_BLK_OUT, .proto = 17 }, true, true },
		{ { .dir = PK_BLK_IN | PK_BLK_OUT, .proto = 6 }, false, false },
		{ { .dir = PK_BLK_IN | PK_BLK_OUT, .port_lo = 2000, .port_hi = 2000 }, true, true },
		{ { .dir = PK_BLK_IN | PK_BLK_OUT, .port_lo = 1000, .port_hi = 1999 },
		  false,
		  false },
		{ { .dir = PK_BLK_IN | PK_BLK_OUT, .ifindex = 12345 }, false, false },
		{ { .dir = PK_BLK_IN | PK_BLK_OUT, .expires_ns = 1 }, false, false },
		{ { .dir = PK_BLK_IN | PK_BLK_OUT, .expires_ns = UINT64_MAX }, true, true },
	};

	(void)st;
	open_lists();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t line = put(BLOCKING, 128, &cases[i].cond);

		assert_int_equal(drops(false), cases[i].in);
		assert_int_equal(drops(true), cases[i].out);
		pk_trie_remove(blk.trie, line);
	}
	blocked_close(&blk);
}

/* A rule of a list that is being replaced counts with the list's parity only. */
static void test_parity(void **st)
{
	uint32_t line;

	(void)st;
	open_lists();
	line = put(BLOCKING, 128, NULL);
	pk_trie_set_flags(blk.trie, line, PK_BLK_SEEN1);
	assert_false(drops(false) || drops(true));
	blk.lists[BLOCKING].word |= PK_BLK_LIST_PARITY;
	assert_true(drops(false) && drops(true));
	blocked_close(&blk);
}

static struct pk_event_count told(void)
{
	static struct pk_event_count cpu[1024];
	struct pk_event_count sum = { 0 };
	uint32_t hook = PK_EH_VERDICT;

	assert_int_equal(bpf_map_lookup_elem(pk_object_map_fd(bed.o, "pk_ev_cnt"), &hook, cpu), 0);
	for (uint32_t i = 0; i < bed.cpus; i++) {
		sum.seen += cpu[i].seen;
		sum.submitted += cpu[i].submitted;
		sum.ring_full += cpu[i].ring_full;
		sum.filtered += cpu[i].filtered;
	}
	return sum;
}

/* A flood from many listed addresses: each is dropped and counted, so many a second are told. */
static void test_many_at_once(void **st)
{
	static struct frame f;
	uint8_t addr[16] = { [10] = 0xff, 0xff, 203, 0, 0, 0 };
	double start = now_s();
	struct pk_event_count n;

	(void)st;
	open_lists();
	for (unsigned i = 0; i < 10000; i++) {
		struct pk_trie_rule r = { .bits = 128,
					  .v4 = true,
					  .flags = PK_BLK_SEEN0 | PK_BLK_SEEN1 };
		uint32_t line;

		addr[14] = (uint8_t)(i >> 8);
		addr[15] = (uint8_t)i;
		memcpy(r.prefix, addr, 16);
		line = blocked_add(&blk, &r);
		make(&f, PLAIN, addr, true, NULL, false, false);
		assert_true(is_dropped(&f, false));
		assert_int_equal(hits(line), 1);
	}
	n = told();
	assert_int_equal(n.seen, 10000);
	assert_int_equal(n.seen, n.submitted + n.ring_full + n.filtered);
	assert_true(n.submitted + n.ring_full <= 1000 * bed.cpus * (uint64_t)(now_s() - start + 2));
	assert_true(n.submitted >= 1000);
	blocked_close(&blk);
}

static uint32_t add_host(uint8_t addr[16], unsigned i)
{
	struct pk_trie_rule r = { .bits = 128, .v4 = true, .flags = PK_BLK_SEEN0 | PK_BLK_SEEN1 };

	addr[14] = (uint8_t)(i >> 8);
	addr[15] = (uint8_t)i;
	memcpy(r.prefix, addr, 16);
	return blocked_add(&blk, &r);
}

/* 203.0.0.0/8 */
static uint32_t add_wide(void)
{
	struct pk_trie_rule r = { .prefix = { [10] = 0xff, 0xff, 203 },
				  .bits = 104,
				  .v4 = true,
				  .flags = PK_BLK_SEEN0 | PK_BLK_SEEN1 };

	return blocked_add(&blk, &r);
}

static bool from_table; /* the last packet of a CPU came from a host of the table */

/* How many lines are pending; then all CPUs are marked busy, or not. */
static uint32_t pending(uint32_t busy)
{
	static struct pk_blk_tally cpu[64];
	int fd = pk_object_map_fd(bed.o, "pk_blk_tally");
	uint32_t zero = 0, n = 0;

	assert_true(bed.cpus <= 64);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, cpu), 0);
	for (uint32_t i = 0; i < bed.cpus; i++) {
		n += cpu[i].n;
		from_table |= cpu[i].flood & PK_BLK_FLOOD_HOST;
		cpu[i].busy = busy;
	}
	assert_int_equal(bpf_map_update_elem(fd, &zero, cpu, BPF_ANY), 0);
	return n;
}

/* What list 0 says that it dropped. */
static struct pk_blk_count listed(void)
{
	static struct pk_blk_count cpu[64];
	struct pk_blk_count sum = { 0 };
	uint32_t list = BLOCKING;

	assert_int_equal(bpf_map_lookup_elem(pk_object_map_fd(bed.o, "pk_blk_cnt"), &list, cpu), 0);
	for (uint32_t i = 0; i < bed.cpus; i++) {
		sum.in_packets += cpu[i].in_packets;
		sum.in_bytes += cpu[i].in_bytes;
	}
	return sum;
}

/* Hosts enough for a table of them, from 198.51.0.0 on. */
static void add_many(void)
{
	uint8_t addr[16] = { [10] = 0xff, 0xff, 198, 51, 0, 0 };

	for (unsigned i = 0; i < 10000; i++)
		(void)add_host(addr, i);
	blocked_tables(&blk);
}

/* Hits that are counted apart are in their rules once it is asked for, each of them once. */
static void check_tally(bool many)
{
	enum { HOSTS = 300 };
	static struct frame f;
	uint8_t addr[16] = { [10] = 0xff, 0xff, 203, 0, 0, 0 };
	uint32_t line[HOSTS], wide = 0, sent[HOSTS] = { 0 };
	const struct pk_blk_rule *r;
	uint64_t sum = 0, before;

	open_lists();
	blk.ctl->have &= ~PK_BLK_HAVE_ALLOW;
	if (many)
		add_many();
	from_table = false;
	for (unsigned i = 0; i < HOSTS; i++)
		line[i] = add_host(addr, i);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned i = round < 2 * HOSTS ? round % HOSTS : (unsigned)(draw() % HOSTS);

		addr[14] = (uint8_t)(i >> 8);
		addr[15] = (uint8_t)i;
		make(&f, PLAIN, addr, true, NULL, false, false);
		assert_true(is_dropped(&f, false));
		sent[i]++;
		if (round == 5000) /* a shorter prefix covers them all: pending hits stay theirs */
			wide = add_wide();
	}
	for (unsigned i = 0; i < HOSTS; i++)
		sum += pk_trie_rule(blk.trie, line[i])->packets;
	assert_true(sum < 20000); /* else nothing was counted apart */
	/* while it is being emptied a packet goes to its rule at once */
	sum = pending(1);
	assert_true(sum > 0);
	r = pk_trie_rule(blk.trie, line[7]);
	before = r->packets;
	addr[14] = 0;
	addr[15] = 7;
	make(&f, PLAIN, addr, true, NULL, false, false);
	assert_true(is_dropped(&f, false));
	sent[7]++;
	assert_int_equal(r->packets, before + 1);
	assert_int_equal(pending(1), sum);
	assert_int_equal(from_table, many);
	assert_int_equal(blocked_drain(&blk), -EBUSY);
	assert_true(pending(0) > 0);
	assert_int_equal(blocked_drain(&blk), 0);
	assert_int_equal(pending(0), 0);
	for (unsigned i = 0; i < HOSTS; i++) {
		r = pk_trie_rule(blk.trie, line[i]);
		assert_int_equal(r->packets, sent[i]);
		assert_int_equal(r->bytes, sent[i] * f.n);
		assert_memory_equal(r->peer, r->prefix, 16);
		assert_true(r->last_ns > 0);
	}
	assert_int_equal(hits(wide), 0);

	/* a line that is nobody's gets none of them */
	make(&f, PLAIN, addr, true, NULL, false, false);
	assert_true(is_dropped(&f, false) && pending(0) > 0);
	r = pk_trie_rule(blk.trie, line[7]);
	before = r->packets;
	pk_trie_remove(blk.trie, line[7]);
	assert_int_equal(blocked_drain(&blk), 0);
	assert_int_equal(r->packets, before);
	line[7] = add_host(addr, 7);

	/* a line that is another rule's by now gets none of them */
	make(&f, PLAIN, addr, true, NULL, false, false);
	assert_true(is_dropped(&f, false) && is_dropped(&f, false));
	assert_true(pending(0) > 0);
	for (unsigned i = 0; i < HOSTS; i++)
		pk_trie_remove(blk.trie, line[i]);
	pk_trie_remove(blk.trie, wide);
	pk_trie_tick(blk.trie);
	addr[13] = 1;
	for (unsigned i = 0; i < HOSTS; i++)
		line[i] = add_host(addr, i);
	assert_int_equal(blocked_drain(&blk), 0);
	assert_int_equal(pending(0), 0);
	for (unsigned i = 0; i < HOSTS; i++)
		assert_int_equal(hits(line[i]), 0);
	/* of the list they are, and of the hook */
	assert_int_equal(listed().in_packets, 20000 + 1 + 3);
	assert_int_equal(listed().in_bytes, (20000 + 1 + 3) * f.n);
	assert_int_equal(bed_count(&bed, PK_HOOK_XDP, PK_PKT_DROPPED), 20000 + 1 + 3);
	assert_int_equal(bed_count(&bed, PK_HOOK_XDP, PK_PKT_SEEN), 20000 + 1 + 3);
	blocked_close(&blk);
}

static void test_tally(void **st)
{
	(void)st;
	check_tally(false);
}

static void test_tally_of_many(void **st)
{
	(void)st;
	check_tally(true);
}

static bool in_flood(void)
{
	static struct pk_blk_tally cpu[64];
	uint32_t zero = 0, all = 0;

	assert_true(bed.cpus <= 64);
	assert_int_equal(bpf_map_lookup_elem(pk_object_map_fd(bed.o, "pk_blk_tally"), &zero, cpu),
			 0);
	for (uint32_t i = 0; i < bed.cpus; i++) {
		all |= cpu[i].flood;
		assert_true(cpu[i].looks <= 64);
	}
	return all & PK_BLK_FLOOD_DROP;
}

static void set_safe(bool on)
{
	static const struct pk_blk_safe safe = { .kinds = PK_BLK_SAFE_ADMIN };
	struct pk_blk_safe_key key = { .bits = 128 };
	struct pk_blk_safe_map all;
	int fd = pk_object_map_fd(bed.o, "pk_blk_safe");
	uint32_t zero = 0;

	memcpy(key.addr, base[six], 16);
	memset(&all, on ? 0xff : 0, sizeof(all));
	if (on)
		assert_int_equal(bpf_map_update_elem(fd, &key, &safe, BPF_ANY), 0);
	else
		assert_int_equal(bpf_map_delete_elem(fd, &key), 0);
	assert_int_equal(bpf_map_update_elem(pk_object_map_fd(bed.o, "pk_blk_safe_map"), &zero,
					     &all, BPF_ANY),
			 0);
}

/* What is known of one address is not said of others; how many were dropped. */
static uint64_t check_near(uint8_t bits)
{
	uint64_t dropped = 0;

	for (unsigned i = 0; i < 256; i++) {
		bool covered = bits <= 120 || !(i >> (128 - bits));

		assert_int_equal(drops_near((uint8_t)i, false), covered);
		assert_true(drops(false));
		dropped += 1 + covered;
	}
	return dropped;
}

/*
 * What was just dropped is known without a look at the lists: not a packet longer than they say so.
 * Each step follows the packet before by microseconds, in the same tick.
 */
static void check_known(uint8_t bits)
{
	uint32_t line = put(BLOCKING, bits, NULL), narrow, allow;
	uint64_t sent;

	assert_true(drops(false)); /* is told */
	for (sent = 1; sent < 10; sent++)
		assert_true(drops(false));
	assert_true(in_flood());
	sent += check_near(bits);
	set_safe(true);
	assert_false(drops(false));
	set_safe(false);
	assert_true(drops(false) && drops(false));
	blocked_list(&blk, BLOCKING, PK_BLK_OFF, false);
	assert_false(drops(false));
	blocked_list(&blk, BLOCKING, PK_BLK_ENFORCE, false);
	assert_true(drops(false) && drops(false));
	allow = put(ALLOWING, six ? 32 : 112, NULL);
	assert_false(drops(false));
	pk_trie_remove(blk.trie, allow);
	assert_true(drops(false) && drops(false));
	pk_trie_set_flags(blk.trie, line, PK_BLK_SEEN1);
	assert_false(drops(false));
	pk_trie_set_flags(blk.trie, line, PK_BLK_SEEN0 | PK_BLK_SEEN1);
	assert_true(drops(false) && drops(false));
	sent += 8;
	if (bits < 128) { /* a rule that is more specific decides from its first packet on */
		narrow = put(SECOND, 128, NULL);
		assert_true(drops(false) && drops(false) && drops(false));
		assert_int_equal(hits(narrow), 3);
		pk_trie_remove(blk.trie, narrow);
		assert_true(drops(false) && drops(false));
		sent += 2;
	}
	sent += check_near(bits);
	assert_int_equal(hits(line), sent);
	assert_int_equal(pk_trie_rule(blk.trie, line)->bytes % sent, 0);
	pk_trie_remove(blk.trie, line);
	assert_false(drops(false));
}

static void test_known(void **st)
{
	static const uint8_t bits[] = { 128, 120, 118, 126 }, bits6[] = { 128, 64, 48, 60, 121 };

	(void)st;
	open_lists();
	for (unsigned i = 0; i < 50; i++) {
		six = false;
		check_known(bits[i % sizeof(bits)]);
		six = true;
		check_known(bits6[i % sizeof(bits6)]);
	}
	six = false;
	bed_check_sum(&bed, PK_HOOK_XDP);
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
		cmocka_unit_test_setup_teardown(test_precedence, open_bed, close_bed),
		cmocka_unit_test_setup_teardown(test_conditions, open_bed, close_bed),
		cmocka_unit_test_setup_teardown(test_parity, open_bed, close_bed),
		cmocka_unit_test_setup_teardown(test_many_at_once, open_bed, close_bed),
		cmocka_unit_test_setup_teardown(test_tally, open_bed, close_bed),
		cmocka_unit_test_setup_teardown(test_tally_of_many, open_bed, close_bed),
		cmocka_unit_test_setup_teardown(test_known, open_bed, close_bed),
	};

	if (bed_skip())
		return 0;
	return cmocka_run_group_tests_name("bpf/block", tests, NULL, NULL);
}
