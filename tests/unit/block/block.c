/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of lists on heap memory: replaced in slices, changed one by one, ended, confirmed,
 * saved, taken over by another process at any moment, with files whole and damaged. After each step
 * every address gets the verdict that a plain model gives.
 */
#include "heap.h"

#include "block/block.h"
#include "block/change.h"
#include "block/show.h"
#include "conf/conf.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIST "feed"

static struct heap heap;
static struct pk_blk_list kernel[PK_BLK_LISTS];
static struct pk_block *block;
static struct pk_conf *conf;
static char *file, *file_before; /* as saved */
static size_t file_len, before_len;
static int64_t now_ms = 1700000000000;
static uint64_t boot_ns = 1000000000000ull;
static bool held;
static int notices;
static struct pk_block_done last;
static bool told;
static uint64_t state = 7;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static int op_grow(void *arg, uint32_t n)
{
	(void)arg;
	if (heap.chunks + n > 12)
		return -ENOSPC;
	return 0;
}

static int op_save(void *arg, const char *list, uint64_t serial, int fd)
{
	off_t len = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);

	(void)arg;
	(void)serial;
	if (strcmp(list, LIST) != 0)
		return 0;
	free(file_before);
	file_before = file;
	before_len = file_len;
	file = NULL;
	file_len = (size_t)len;
	if (fd >= 0) {
		file = malloc((size_t)len + 1);
		assert_int_equal(pread(fd, file, (size_t)len, 0), len);
	}
	return 0;
}

static void op_hold(void *arg, bool on)
{
	(void)arg;
	held = on;
}

static int op_except(void *arg, const uint8_t addr[16], bool on)
{
	(void)arg, (void)addr, (void)on;
	return 0;
}

static uint32_t op_ifindex(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "eth0") == 0 ? 2 : 0;
}

static void op_ifname(void *arg, uint32_t ifindex, char ret[16])
{
	(void)arg;
	(void)snprintf(ret, 16, "%s", ifindex == 2 ? "eth0" : "");
}

static int op_who(void *arg, const struct pk_blk_who_key *key, uint32_t line)
{
	(void)arg, (void)key, (void)line;
	return 0;
}

static void op_drain(void *arg)
{
	(void)arg;
}

static int op_count(void *arg, unsigned list, bool reset, struct pk_blk_count *ret)
{
	(void)arg, (void)list, (void)reset;
	memset(ret, 0, sizeof(*ret));
	return 0;
}

static int op_none(void *arg, const char *name, uint64_t *ret)
{
	(void)arg, (void)name, (void)ret;
	return -ENOENT;
}

static int op_container(void *arg, const char *name, uint64_t *ret, size_t max)
{
	(void)arg, (void)name, (void)ret, (void)max;
	return -ENOENT;
}

static void op_notice(void *arg, const char *text)
{
	(void)arg, (void)text;
	notices++;
}

static void op_work(void *arg)
{
	(void)arg;
}

static void done(void *arg, struct pk_block_done *d)
{
	(void)arg;
	pk_block_done_done(&last);
	last = *d;
	*d = (struct pk_block_done){ 0 };
	told = true;
}

static void open_block(void)
{
	struct pk_block_ops ops = { .grow = op_grow,
				    .save = op_save,
				    .hold = op_hold,
				    .except = op_except,
				    .ifindex = op_ifindex,
				    .ifname = op_ifname,
				    .who = op_who,
				    .count = op_count,
				    .drain = op_drain,
				    .container = op_container,
				    .cgroup = op_none,
				    .user = op_none,
				    .notice = op_notice,
				    .work = op_work };
	struct pk_trie_memory m = {
		.roots = heap.roots, .ctl = &heap.ctl, .wait = heap_wait, .arg = &heap
	};

	assert_int_equal(pk_block_new(conf, &ops, &m, kernel, &block), 0);
	for (uint32_t i = 0; i < heap.chunks; i++)
		assert_int_equal(pk_block_add_chunk(block, i, heap.chunk[i]), 0);
}

static void start(bool with_file)
{
	open_block();
	if (with_file && file)
		(void)pk_block_add_saved(block, LIST, false, file, file_len);
	if (with_file && file_before)
		(void)pk_block_add_saved(block, LIST, true, file_before, before_len);
	assert_int_equal(pk_block_start(block, now_ms, boot_ns), 0);
}

/* Chunks come when they were asked for. */
static void feed(void)
{
	union pk_blk_line *c = calloc(PK_BLK_CHUNK_LINES, sizeof(*c));

	heap.chunk[heap.chunks] = c;
	assert_int_equal(pk_block_add_chunk(block, heap.chunks++, c), 0);
}

static void settle(void)
{
	for (int i = 0; i < 1000; i++) {
		bool more = pk_block_step(block, 50000000);

		if (file)
			pk_block_saved(block, LIST, UINT64_MAX, 0);
		if (heap.chunks < 4)
			feed();
		else if (!more && !pk_block_next_ns(block))
			return;
		now_ms += 10;
		boot_ns += 10000000;
		pk_block_tick(block, now_ms, boot_ns);
		if (!more && i > 300)
			return;
	}
}

static void reset(void)
{
	memset(kernel, 0, sizeof(kernel));
	heap_init(&heap);
	pk_trie_free(heap.trie); /* the block makes its own */
	heap.trie = NULL;
	free(file);
	free(file_before);
	file = file_before = NULL;
	file_len = before_len = 0;
	notices = 0;
}

static void close_all(void)
{
	pk_block_free(block);
	block = NULL;
	pk_block_done_done(&last);
	heap_done(&heap);
}

static void read_text(const char *text, struct pk_list_data *ret)
{
	struct pk_list_opts o = { .max_bytes = 1 << 20, .max_entries = 100000, .now_ms = now_ms };

	o.defaults.dir = PK_BLK_IN | PK_BLK_OUT;
	assert_int_equal(pk_list_read(text, strlen(text), &o, ret), 0);
}

static int verdict_of(uint32_t v4)
{
	struct pk_block_query q = { .dir = PK_BLK_IN };
	struct pk_block_answer a;

	memset(q.addr, 0, 10);
	q.addr[10] = q.addr[11] = 0xff;
	for (int i = 0; i < 4; i++)
		q.addr[12 + i] = (uint8_t)(v4 >> (24 - 8 * i));
	pk_block_check(block, &q, &a);
	return a.verdict;
}

static void load(const char *text, uint64_t confirm_ms)
{
	struct pk_block_ask ask = { .list = LIST, .mode = -1, .confirm_ms = confirm_ms };
	struct pk_list_data d;

	read_text(text, &d);
	told = false;
	pk_block_load(block, &ask, &d, done, NULL);
}

static void test_load_and_restart(void **st)
{
	(void)st;
	reset();
	start(false);
	settle();
	assert_false(held);
	load("192.0.2.0/24\n198.51.100.7\n", 0);
	settle();
	assert_true(told);
	assert_int_equal(last.result, 0);
	assert_int_equal(last.added, 2);
	assert_true(held);
	assert_int_equal(verdict_of(0xc0000205), PK_BLOCK_DROP);
	assert_int_equal(verdict_of(0xc6336407), PK_BLOCK_DROP);
	assert_int_equal(verdict_of(0xc6336408), PK_BLOCK_PASS);
	load("198.51.100.8/31\n192.0.2.0/24\n", 0);
	settle();
	assert_int_equal(last.kept, 1);
	assert_int_equal(last.removed, 1);
	assert_int_equal(verdict_of(0xc6336407), PK_BLOCK_PASS);
	assert_int_equal(verdict_of(0xc6336408), PK_BLOCK_DROP);
	assert_non_null(file);
	/* Another process: the same maps, the same file. */
	pk_block_free(block);
	start(true);
	assert_int_equal(verdict_of(0xc0000205), PK_BLOCK_DROP);
	settle();
	assert_true(pk_block_is_ready(block));
	assert_int_equal(verdict_of(0xc0000205), PK_BLOCK_DROP);
	assert_int_equal(verdict_of(0xc6336408), PK_BLOCK_DROP);
	assert_int_equal(notices, 0);
	close_all();
}

/* Whatever happens to the file, what the kernel holds stays, and the fault is told. */
static void test_damaged(void **st)
{
	char *good;
	size_t len;

	(void)st;
	reset();
	start(false);
	load("192.0.2.0/24\n", 0);
	settle();
	load("192.0.2.0/24\n203.0.113.0/24\n", 0);
	settle();
	good = malloc(file_len);
	len = file_len;
	memcpy(good, file, len);
	for (size_t i = 0; i < 2 * len; i++) {
		bool with_kernel = i % 3 != 0;

		pk_block_free(block);
		memcpy(file, good, len);
		file_len = len;
		if (i < len)
			file[i] ^= (char)(1 << i % 8);
		else
			file_len = i - len;
		if (!with_kernel) { /* a reboot: only files are left */
			for (uint32_t c = 0; c < heap.chunks; c++)
				memset(heap.chunk[c], 0, PK_BLK_CHUNK_LINES * 64);
			memset(heap.roots, 0, PK_BLK_ROOT_WORDS * 8);
			memset(kernel, 0, sizeof(kernel));
		}
		notices = 0;
		start(true);
		for (int k = 0; k < 50 && !pk_block_is_ready(block); k++)
			(void)pk_block_step(block, 50000000);
		assert_true(pk_block_is_ready(block));
		assert_true(notices > 0);
		assert_int_equal(verdict_of(0xc0000205), PK_BLOCK_DROP);
	}
	free(good);
	close_all();
}

static void test_confirm(void **st)
{
	(void)st;
	reset();
	start(false);
	load("192.0.2.0/24\n", 0);
	settle();
	load("203.0.113.0/24\n", 60000);
	for (int i = 0; i < 20; i++)
		(void)pk_block_step(block, 50000000);
	assert_true(told);
	assert_int_equal(last.result, 0);
	assert_int_equal(verdict_of(0xcb007105), PK_BLOCK_DROP);
	assert_int_equal(verdict_of(0xc0000205), PK_BLOCK_PASS);
	now_ms += 61000;
	boot_ns += 61000000000ull;
	pk_block_tick(block, now_ms, boot_ns);
	settle();
	assert_int_equal(verdict_of(0xcb007105), PK_BLOCK_PASS);
	assert_int_equal(verdict_of(0xc0000205), PK_BLOCK_DROP);
	load("203.0.113.0/24\n", 60000);
	for (int i = 0; i < 20; i++)
		(void)pk_block_step(block, 50000000);
	told = false;
	pk_block_confirm(block, LIST, false, done, NULL);
	now_ms += 61000;
	boot_ns += 61000000000ull;
	settle();
	assert_true(told);
	assert_int_equal(last.result, 0);
	assert_int_equal(verdict_of(0xcb007105), PK_BLOCK_DROP);
	assert_int_equal(verdict_of(0xc0000205), PK_BLOCK_PASS);
	told = false;
	pk_block_confirm(block, LIST, false, done, NULL);
	assert_true(told);
	assert_int_equal(last.result, -EINVAL);
	close_all();
}

static void add_safe(uint32_t v4, uint32_t kinds)
{
	struct pk_blk_safe_key k = { .bits = 128 };

	k.addr[10] = k.addr[11] = 0xff;
	for (int i = 0; i < 4; i++)
		k.addr[12 + i] = (uint8_t)(v4 >> (24 - 8 * i));
	assert_int_equal(pk_block_safe(block, &k, kinds), 0);
}

static void test_guards(void **st)
{
	static const char *const refused[] = { "10.0.0.1\n",    "10.0.0.0/24\n",
					       "0.0.0.0/0\n",   "::/0\n",
					       "128.0.0.0/1\n", "11.0.0.0/7\n",
					       "2000::/3\n",    "9.9.9.9\n10.0.0.0/16\n" };

	(void)st;
	reset();
	start(false);
	add_safe(0x0a000001, PK_BLK_SAFE_GATEWAY);
	load("9.9.9.9\n", 0);
	settle();
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		load(refused[i], 0);
		for (int k = 0; k < 5; k++)
			(void)pk_block_step(block, 50000000);
		assert_true(told);
		assert_int_equal(last.result, -EPERM);
		assert_true(last.refused_total > 0);
		assert_int_equal(verdict_of(0x09090909), PK_BLOCK_DROP);
		assert_int_not_equal(verdict_of(0x0a000001), PK_BLOCK_DROP);
	}
	close_all();
}

/* Single changes against a model, with processes that die at any moment. */
static void test_random(void **st)
{
	static uint8_t model[256]; /* of 192.0.2.x */
	struct pk_block_ask ask = { .list = LIST, .mode = -1 };

	(void)st;
	memset(model, 0, sizeof(model));
	reset();
	start(false);
	settle();
	for (int round = 0; round < 4000; round++) {
		struct pk_block_entry e = { .bits = 128, .v4 = 1, .dir = PK_BLK_IN | PK_BLK_OUT };
		struct pk_block_done d = { 0 };
		unsigned x = draw() % 256;

		memcpy(e.prefix, (uint8_t[16]){ [10] = 0xff, 0xff, 192, 0, 2, (uint8_t)x }, 16);
		if (!model[x])
			assert_int_equal(pk_block_add(block, &ask, &e, NULL, "x", &d), 0);
		else
			assert_int_equal(pk_block_remove(block, &ask, &e, NULL, &d), 0);
		model[x] = !model[x];
		pk_block_done_done(&d);
		if (round % 97 == 0) {
			char text[256 * 16] = "";
			int n = 0;

			for (unsigned i = 0; i < 256; i++) {
				model[i] = draw() % 2;
				if (model[i])
					n += snprintf(text + n, sizeof(text) - (size_t)n,
						      "192.0.2.%u\n", i);
			}
			load(text, 0);
			for (int k = 0; k < 20; k++)
				(void)pk_block_step(block, 50000000);
		}
		if (round % 501 == 500) {
			settle();
			pk_block_free(block);
			start(true);
			settle();
		}
		for (unsigned i = 0; i < 256; i++)
			assert_int_equal(verdict_of(0xc0000200 | i),
					 model[i] ? PK_BLOCK_DROP : PK_BLOCK_PASS);
	}
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_and_restart), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_confirm),          cmocka_unit_test(test_guards),
		cmocka_unit_test(test_random),
	};

	conf = pk_conf_new();
	return cmocka_run_group_tests_name("block/block", tests, NULL, NULL);
}
