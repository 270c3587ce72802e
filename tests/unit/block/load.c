/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replacements, looked at from the kernel's side: in every slice, after every death, and against a
 * plain model afterwards. The maps are memory shared with a process that is killed in earnest.
 */
#include "world.h"

#include "base/clock.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define CANDIDATES 300
#define OTHERS     1100

static struct pk_block_entry candidate[CANDIDATES];
static uint8_t probe[400][16];
static size_t n_probe;
static uint64_t state = 88172645463325252ull;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void clear_host(struct pk_block_entry *e)
{
	for (unsigned i = e->bits; i < 128; i++)
		e->prefix[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
}

/* Nested prefixes of all lengths around 192.0.2.0/25, in 10/8 and in 2001:db8::/32. */
static void make_candidates(void)
{
	for (int i = 0; i < CANDIDATES; i++) {
		const char *base = i % 3 == 0   ? "192.0.2.0/32"
				   : i % 3 == 1 ? "10.0.0.0/32"
						: "2001:db8::/128";
		struct pk_block_entry *e = &candidate[i];

		*e = world_entry(base);
		for (int k = i % 3 == 2 ? 4 : 13; k < 16; k++)
			if (i % 3 != 0 || k == 15)
				e->prefix[k] = (uint8_t)draw();
		e->bits = (uint8_t)(i % 3 == 2 ? 32 + draw() % 97 : 105 + draw() % 24);
		clear_host(e);
		if (i % 7 == 0)
			e->expires_ms = 1900000000000;
	}
}

static bool covers(const struct pk_block_entry *e, const uint8_t addr[16])
{
	return e->v4 == pk_ip_is_v4(addr) && pk_ip_in(addr, e->prefix, e->bits);
}

static void add_probe(const uint8_t addr[16])
{
	memcpy(probe[n_probe++], addr, 16);
}

static void make_probes(void)
{
	uint8_t a[16];

	n_probe = 0;
	for (int i = 0; i < CANDIDATES; i++) /* the last address of each */
		if (n_probe < 300) {
			memcpy(a, candidate[i].prefix, 16);
			for (unsigned k = candidate[i].bits; k < 128; k++)
				a[k / 8] |= (uint8_t)(0x80u >> k % 8);
			add_probe(a);
		}
	world_addr("203.0.113.9", a); /* in no version */
	add_probe(a);
	world_addr("2001:db9::1", a);
	add_probe(a);
	world_addr("192.0.2.1", a); /* in every version */
	for (int i = 0; i < 64; i++) {
		a[15] = (uint8_t)(2 * i);
		add_probe(a);
	}
}

static void write_entry(char *text, size_t cap, const struct pk_block_entry *e)
{
	size_t n = strlen(text);
	char addr[PK_IP_TEXT];

	n += (size_t)snprintf(text + n, cap - n, "%s/%u", pk_ip_format(e->prefix, addr),
			      e->v4 ? e->bits - 96u : e->bits);
	if (e->expires_ms)
		n += (size_t)snprintf(text + n, cap - n, " expires=%lld", (long long)e->expires_ms);
	(void)snprintf(text + n, cap - n, "\n");
}

/* So many that IPv6 has its table of sites. */
static void add_others(char *text, size_t cap)
{
	size_t n = strlen(text);

	for (int i = 0; i < OTHERS; i++)
		n += (size_t)snprintf(text + n, cap - n, "2001:d%03x::/48\n", i);
}

/* A version: the base, and some candidates; now and then one that ends, or does not any more. */
static const char *make_version(bool in[CANDIDATES])
{
	static char text[65536];

	(void)snprintf(text, sizeof(text), "picket-list 1\n192.0.2.0/25\n");
	add_others(text, sizeof(text));
	for (int i = 0; i < CANDIDATES; i++) {
		in[i] = draw() % 2;
		if (draw() % 16 == 0)
			candidate[i].expires_ms = candidate[i].expires_ms ? 0 : 1900000000000;
		if (in[i])
			write_entry(text, sizeof(text), &candidate[i]);
	}
	return text;
}

static bool is_in(const bool in[CANDIDATES], const uint8_t addr[16])
{
	struct pk_block_entry base = world_entry("192.0.2.0/25");

	if (covers(&base, addr))
		return true;
	for (int i = 0; i < CANDIDATES; i++)
		if (in[i] && covers(&candidate[i], addr))
			return true;
	return false;
}

/* Its own view of the memory, as a packet program has. */
static struct pk_trie *open_view(struct world *w)
{
	struct pk_trie_memory m = world_memory(w);
	struct pk_trie *t = NULL;

	assert_int_equal(pk_trie_new(&m, &t), 0);
	for (uint32_t i = 0; i < w->map->chunks; i++)
		assert_int_equal(pk_trie_add_chunk(t, i, w->map->chunk[i], false), 0);
	return t;
}

static void check_between(struct world *w, const bool a[CANDIDATES], const bool z[CANDIDATES])
{
	struct pk_trie *t = open_view(w);

	for (size_t i = 0; i < n_probe; i++) {
		bool before = is_in(a, probe[i]), after = is_in(z, probe[i]);
		bool drops = world_drops(w, t, probe[i]);

		if (before && after)
			assert_true(drops);
		if (!before && !after)
			assert_false(drops);
	}
	pk_trie_free(t);
}

static void test_slices(void **st)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	bool now[CANDIDATES] = { 0 }, next[CANDIDATES];
	struct pk_block_done d = { 0 };
	struct world w;

	(void)st;
	world_open(&w);
	make_candidates();
	make_probes();
	world_start(&w);
	world_ask_load(&w, &ask, "192.0.2.0/25\n");
	world_settle(&w);
	assert_int_equal(w.done.result, 0);
	for (int round = 0; round < 60; round++) {
		int how = round % 4; /* 0, 1: for good; 2: confirmed; 3: put back */

		ask.confirm_ms = how < 2 ? 0 : 60000;
		world_ask_load(&w, &ask, make_version(next));
		for (int i = 0; i < 4000 && !w.told; i++) {
			(void)pk_block_step(w.block, i < 200 ? 1 : 1000000);
			world_answer(&w);
			check_between(&w, now, next);
			if (i % 8 == 7)
				world_pass(&w, 1);
		}
		assert_true(w.told);
		assert_int_equal(w.done.result, 0);
		check_between(&w, next, next);
		if (how == 2)
			pk_block_confirm(w.block, "feed", false, world_done, &w);
		if (how == 3 && round % 8 == 3)
			pk_block_confirm(w.block, "feed", true, world_done, &w);
		if (how == 3 && round % 8 == 7)
			world_pass(&w, 60001); /* nobody confirmed */
		if (how == 3)
			check_between(&w, now, now);
		else
			memcpy(now, next, sizeof(now));
		for (int i = 0; i < 400; i++) {
			(void)pk_block_step(w.block, 1);
			world_answer(&w);
			check_between(&w, now, now);
			if (i > 40)
				i += 20;
		}
		world_settle(&w);
		check_between(&w, now, now);
		if (round % 5 == 4) { /* saved or not, what counts is the file */
			world_restart(&w);
			check_between(&w, now, now);
			world_settle(&w);
			check_between(&w, now, now);
			assert_true(pk_block_is_ready(w.block));
		}
	}
	assert_int_not_equal(w.map->ctl.sites, 0);
	pk_block_done_done(&d);
	world_close(&w);
}

/* What was answered for a candidate since the last version was asked for; shared with the killed.
 */
enum answer { UNKNOWN, IS_IN, IS_OUT };
static uint8_t *answered;

/* Some candidates are the same entry. */
static uint8_t *answer_for(int k)
{
	int i = 0;

	while (pk_block_entry_compare(&candidate[i], &candidate[k]) != 0)
		i++;
	return &answered[i];
}

/* Until it is killed: versions and single entries, wide ones too, in slices of any size. */
static void work_until_killed(struct world *w)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	struct pk_block_done d = { 0 };
	bool in[CANDIDATES];

	for (;;) {
		int k = (int)(draw() % CANDIDATES);

		ask.confirm_ms = draw() % 4 == 0 ? 20 : 0;
		if (draw() % 3 == 0) {
			memset(answered, UNKNOWN, CANDIDATES);
			world_ask_load(w, &ask, make_version(in));
		}
		ask.confirm_ms = 0;
		for (int i = 0; i < 20; i++, k = (k + 1) % CANDIDATES) {
			bool on = draw() % 2;
			uint8_t *to = answer_for(k), was = *to;
			int r;

			__atomic_store_n(to, UNKNOWN, __ATOMIC_SEQ_CST);
			if (on)
				r = pk_block_add(w->block, &ask, &candidate[k], NULL, "x", &d);
			else
				r = pk_block_remove(w->block, &ask, &candidate[k], NULL, &d);
			__atomic_store_n(to, r < 0 ? was : on ? IS_IN : IS_OUT, __ATOMIC_SEQ_CST);
			pk_block_done_done(&d);
			(void)pk_block_step(w->block, draw() % 3 ? 1 : 100000);
			world_answer(w);
			world_pass(w, 3);
		}
	}
}

static bool has_entry(const struct pk_list_data *d, const struct pk_block_entry *e)
{
	for (size_t i = 0; i < d->n; i++)
		if (pk_block_entry_compare(&d->v[i], e) == 0)
			return true;
	return false;
}

/* After a death the list is what its file says then, and holds what was answered. */
static void check_file(struct world *w)
{
	struct pk_list_opts o = { .format = PK_LIST_PICKET,
				  .max_bytes = WORLD_FILE,
				  .max_entries = 100000 };
	struct pk_list_data d = { 0 };
	struct world_file *f;
	struct pk_trie *t;

	o.defaults.dir = PK_BLK_IN | PK_BLK_OUT;
	world_start(w);
	world_settle(w);
	assert_true(pk_block_is_ready(w->block));
	f = &w->map->file[w->map->file_now];
	f->bytes[f->len] = '\0';
	assert_int_equal(pk_list_read(f->bytes, f->len, &o, &d), 0);
	t = open_view(w);
	for (size_t i = 0; i < n_probe; i++) {
		bool in = false;

		for (size_t k = 0; k < d.n && !in; k++)
			in = covers(&d.v[k], probe[i]);
		assert_int_equal(world_drops(w, t, probe[i]), in);
	}
	for (size_t i = 0; i < CANDIDATES; i++)
		if (answered[i] != UNKNOWN)
			assert_int_equal(has_entry(&d, &candidate[i]), answered[i] == IS_IN);
	pk_trie_free(t);
	pk_list_data_done(&d);
	pk_block_free(w->block);
	w->block = NULL;
}

static void check_dead(struct world *w)
{
	static const char *const never[] = { "203.0.113.9", "2001:db9::1", "9.9.9.9" };
	struct pk_trie *t = open_view(w);
	uint8_t a[16];

	world_addr("192.0.2.0", a);
	for (int i = 0; i < 128; i++) {
		a[15] = (uint8_t)i;
		assert_true(world_drops(w, t, a));
	}
	world_addr("2001:d001::", a);
	for (int i = 0; i < OTHERS; i += 16) {
		a[2] = (uint8_t)(0xd0 | i >> 8);
		a[3] = (uint8_t)i;
		assert_true(world_drops(w, t, a));
	}
	for (size_t i = 0; i < 3; i++) {
		world_addr(never[i], a);
		assert_false(world_drops(w, t, a));
	}
	pk_trie_free(t);
}

static void test_killed(void **st)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	bool in[CANDIDATES];
	struct world w;
	int deaths = 0, tables = 0;

	(void)st;
	answered =
		mmap(NULL, CANDIDATES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(answered != MAP_FAILED);
	world_open(&w);
	make_candidates();
	make_probes();
	world_start(&w);
	world_ask_load(&w, &ask, make_version(in));
	world_settle(&w);
	pk_block_free(w.block);
	w.block = NULL;
	for (; deaths < 250; deaths++) {
		struct timespec life = { .tv_nsec = (long)(200000 + draw() % 6000000) };
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid) {
			state += (uint64_t)deaths * 2654435761u;
			world_start(&w);
			work_until_killed(&w);
		}
		(void)nanosleep(&life, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		tables += w.map->ctl.sites != 0;
		check_dead(&w);
		if (deaths % 5 == 4)
			check_file(&w);
	}
	assert_true(tables > 25);
	munmap(answered, CANDIDATES);
	world_close(&w);
}

/* Packets are told that something allows for as long as a list that does is there, and only then.
 */
static void test_allow(void **st)
{
	struct pk_block_ask block = { .list = "feed", .mode = -1 };
	struct pk_block_ask allow = { .list = "ours", .mode = -1, .allow = true };
	struct world w;

	(void)st;
	world_open(&w);
	world_start(&w);
	world_settle(&w);
	world_ask_load(&w, &block, "192.0.2.0/25\n");
	world_settle(&w);
	assert_false(w.map->ctl.have & PK_BLK_HAVE_ALLOW);
	for (int i = 0; i < 2; i++) {
		world_ask_load(&w, &allow, "192.0.2.7\n");
		world_settle(&w);
		assert_true(w.map->ctl.have & PK_BLK_HAVE_ALLOW);
		if (i)
			break;
		pk_block_remove_list(w.block, "ours", world_done, &w);
		world_settle(&w);
		assert_int_equal(w.done.result, 0);
		assert_false(w.map->ctl.have & PK_BLK_HAVE_ALLOW);
		assert_true(w.map->ctl.have & PK_BLK_HAVE_V4);
	}
	world_restart(&w); /* the next agent finds it so */
	world_settle(&w);
	assert_true(w.map->ctl.have & PK_BLK_HAVE_ALLOW);
	world_close(&w);
}

/* Memory at its limit: nothing has changed, nothing is lost. */
static void test_no_memory(void **st)
{
	static char text[PK_BLK_CHUNK_LINES * 24];
	struct pk_block_ask ask = { .list = "feed", .mode = -1 }, single = ask;
	struct pk_block_totals before, after;
	struct pk_block_entry e = world_entry("198.51.100.1/32");
	struct world w;
	size_t n = 0;

	(void)st;
	world_open(&w);
	w.chunks_max = 1;
	world_start(&w);
	world_settle(&w);
	world_ask_load(&w, &ask, "192.0.2.0/25\n");
	world_settle(&w);
	assert_int_equal(w.done.result, 0);
	pk_block_totals(w.block, &before);
	for (unsigned i = 0; i < PK_BLK_CHUNK_LINES + 100; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "10.%u.%u.%u\n", i * 7 % 251,
				      i / 256, i % 256);
	world_ask_load(&w, &ask, text);
	for (int i = 0; i < 200 && !w.told; i++) {
		(void)pk_block_step(w.block, 5000000);
		world_answer(&w);
		world_pass(&w, 100);
	}
	assert_true(w.told);
	assert_int_equal(w.done.result, -ENOSPC);
	assert_non_null(w.done.detail);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_DROP);
	assert_int_equal(world_verdict(&w, "10.0.0.0"), PK_BLOCK_PASS);
	for (int i = 0; i < 30; i++)
		world_pass(&w, 100);
	pk_block_totals(w.block, &after);
	assert_int_equal(after.use.rules, before.use.rules);
	assert_int_equal(after.entries, 1);
	assert_int_equal(pk_block_add(w.block, &single, &e, NULL, NULL, &w.done), 0);
	world_close(&w);
}

static void test_answers(void **st)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	struct pk_block_done d = { 0 };
	struct pk_block_info info;
	struct world w;

	(void)st;
	world_open(&w);
	world_start(&w);
	world_ask_load(&w, &ask, "192.0.2.0/25\n");
	/* while it is being loaded */
	assert_int_equal(pk_block_set_mode(w.block, "feed", PK_BLK_OFF, &d), -EBUSY);
	pk_block_done_done(&d);
	world_settle(&w);
	assert_true(w.done.saved && w.held);
	/* a full disk: in force, not saved, shown, and tried again */
	w.save_result = -ENOSPC;
	world_ask_load(&w, &ask, "192.0.2.0/24\n");
	world_settle(&w);
	assert_true(w.told && !w.done.saved && w.done.result == 0);
	assert_non_null(w.done.detail);
	assert_true(pk_block_list_get(w.block, "feed", &info));
	assert_non_null(info.fault);
	assert_false(info.saved);
	w.save_result = 0;
	for (int i = 0; i < 30; i++) {
		world_pass(&w, 1000);
		world_settle(&w);
	}
	assert_true(pk_block_list_get(w.block, "feed", &info));
	assert_null(info.fault);
	assert_true(info.saved);
	/* only names: the addresses go, as they are no more in it */
	world_ask_load(&w, &ask, "0.0.0.0 evil.example\n0.0.0.0 worse.example\n");
	world_settle(&w);
	assert_int_equal(w.done.result, 0);
	assert_int_equal(w.done.entries, 2);
	assert_int_equal(world_verdict(&w, "192.0.2.200"), PK_BLOCK_PASS);
	world_ask_load(&w, &ask, "192.0.2.200\n");
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "192.0.2.200"), PK_BLOCK_DROP);
	/* removed, and at once there is another one of its name */
	w.told = false;
	pk_block_remove_list(w.block, "feed", world_done, &w);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_PASS);
	{
		struct pk_block_entry e = world_entry("198.51.100.1/32");

		assert_int_equal(pk_block_add(w.block, &ask, &e, NULL, NULL, &d), 0);
		pk_block_done_done(&d);
	}
	world_settle(&w);
	assert_true(w.told);
	assert_int_equal(w.done.result, 0);
	assert_int_equal(w.done.removed, 1);
	assert_int_equal(world_verdict(&w, "198.51.100.1"), PK_BLOCK_DROP);
	world_close(&w);
}

static bool on_row(void *arg, const struct pk_block_row *row)
{
	if (!strcmp(row->iface, "eth0"))
		*(uint64_t *)arg = row->packets;
	return true;
}

/* A rule for one interface is the same one after a restart; one that is not there fits nothing. */
static void test_iface(void **st)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	uint64_t packets = 0;
	struct pk_trie *t;
	struct world w;
	uint8_t a[16];
	uint32_t line;

	(void)st;
	world_open(&w);
	world_start(&w);
	world_ask_load(&w, &ask,
		       "picket-list 1\n192.0.2.1 iface=\"eth0\"\n192.0.2.2 iface=\"gone0\"\n");
	world_settle(&w);
	assert_int_equal(w.done.added, 2);
	world_addr("192.0.2.1", a);
	t = open_view(&w);
	line = pk_trie_lookup(t, a);
	assert_int_equal(pk_trie_cond(t, line)->ifindex, 2);
	pk_trie_rule(t, line)->packets = 77;
	world_addr("192.0.2.2", a);
	assert_int_equal(pk_trie_cond(t, pk_trie_lookup(t, a))->ifindex, UINT32_MAX);
	w.notices = 0;
	world_restart(&w);
	world_settle(&w);
	world_addr("192.0.2.1", a);
	assert_int_equal(pk_trie_lookup(t, a), line);
	assert_int_equal(pk_block_rows(w.block, "feed", 0, 10, on_row, &packets), 0);
	assert_int_equal(packets, 77);
	pk_trie_free(t);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slices),    cmocka_unit_test(test_killed),
		cmocka_unit_test(test_no_memory), cmocka_unit_test(test_answers),
		cmocka_unit_test(test_iface),     cmocka_unit_test(test_allow),
	};

	return cmocka_run_group_tests_name("block/load", tests, NULL, NULL);
}
