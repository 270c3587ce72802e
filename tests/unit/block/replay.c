/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as it is found: cut, damaged, told twice, and against a plain model. */
#include "world.h"

#define HOSTS 64

static struct world w;
static struct pk_block_ask ask = { .list = "feed", .mode = -1 };
static uint64_t state = 88172645463325252ull;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static struct pk_block_entry host(unsigned i)
{
	struct pk_block_entry e = world_entry("192.0.2.0/32");

	e.prefix[15] = (uint8_t)i;
	return e;
}

static void put(unsigned i, bool on)
{
	struct pk_block_entry e = host(i);
	struct pk_block_done d = { 0 };

	if (on)
		assert_int_equal(pk_block_add(w.block, &ask, &e, NULL, "x", &d), 0);
	else
		assert_int_equal(pk_block_remove(w.block, &ask, &e, NULL, &d), 0);
	pk_block_done_done(&d);
}

static bool drops(unsigned i)
{
	char addr[32];

	(void)snprintf(addr, sizeof(addr), "192.0.2.%u", i);
	return world_verdict(&w, addr) == PK_BLOCK_DROP;
}

/* Killed at any moment: while a file is written, before it is answered for, and after. */
static void against_a_model(void **st)
{
	bool model[HOSTS] = { 0 };

	(void)st;
	world_open(&w);
	world_start(&w);
	world_settle(&w);
	for (int round = 0; round < 3000; round++) {
		unsigned x = draw() % HOSTS;

		model[x] = !model[x];
		put(x, model[x]);
		if (draw() % 3 == 0) {
			(void)pk_block_step(w.block, 50000000);
			world_pass(&w, (int64_t)(draw() % 400));
		}
		if (draw() % 4 == 0)
			world_answer(&w);
		if (draw() % 40)
			continue;
		world_restart(&w);
		if (draw() % 2)
			for (int i = 0; i < HOSTS; i++) /* already, before anything is done */
				assert_int_equal(drops((unsigned)i), model[i]);
		for (int i = 0; i < 100 && !pk_block_is_ready(w.block); i++) {
			(void)pk_block_step(w.block, 50000000);
			world_answer(&w);
		}
		for (int i = 0; i < HOSTS; i++)
			assert_int_equal(drops((unsigned)i), model[i]);
	}
	world_close(&w);
}

/* The kernel has nothing any more. */
static void reboot(void)
{
	pk_block_free(w.block);
	memset(w.map->roots, 0, sizeof(w.map->roots));
	memset(w.map->lists, 0, sizeof(w.map->lists));
	memset(w.map->chunk, 0, (size_t)w.map->chunks * sizeof(w.map->chunk[0]));
}

/* Of five changes the one that is damaged is lost, no other. */
static void damaged(void **st)
{
	char good[4096];
	size_t len, line = 0;

	(void)st;
	world_open(&w);
	world_start(&w);
	world_settle(&w);
	for (unsigned i = 0; i < 5; i++)
		put(i, true);
	len = w.map->changes[0].len;
	assert_true(len && len < sizeof(good) && !w.map->changes[1].len);
	memcpy(good, w.map->changes[0].bytes, len);
	for (size_t i = 0; i < 2 * len; i++) {
		char *bytes = w.map->changes[0].bytes;

		reboot();
		memcpy(bytes, good, len);
		w.map->file_now = -1;
		w.map->changes[1].len = 0;
		w.map->changes[0].len = i < len ? len : i - len;
		if (i < len)
			bytes[i] = (char)(bytes[i] ^ 1 << i % 8);
		world_start(&w);
		for (int k = 0; k < 9; k++) {
			(void)pk_block_step(w.block, 50000000);
			w.save_serial = 0; /* it stays as it is */
		}
		if (i == len)
			line = 0;
		line += i % len && good[i % len - 1] == '\n';
		for (size_t k = 0; k < 5; k++)
			assert_int_equal(drops((unsigned)k),
					 k < line || (i < len && k != line &&
						      !(good[i] == '\n' && k == line + 1)));
	}
	world_close(&w);
}

/* Lines that no agent writes: whoever did, nothing comes of them. */
static void nonsense(void **st)
{
	static const char *const lines[] = {
		"\n\n\n",
		"00000000 1 feed block enforce - + 192.0.2.1\n",
		" 1 feed block enforce - +",
		"x\0y\n",
		"811c9dc5\n",
	};

	(void)st;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		world_open(&w);
		w.map->changes[1].len = strlen(lines[i]);
		memcpy(w.map->changes[1].bytes, lines[i], strlen(lines[i]));
		world_start(&w);
		world_settle(&w);
		assert_true(pk_block_is_ready(w.block));
		assert_false(drops(1));
		put(1, true); /* what follows is written down as ever, and then all is emptied */
		world_settle(&w);
		assert_int_equal(w.map->changes[0].len + w.map->changes[1].len, 0);
		world_close(&w);
	}
}

/* A line was cut short by a kill; what we write after it is whole, and outlives the next one. */
static void cut_short(void **st)
{
	static const char line[] = "811c9dc5 7 feed block enforce - + 192.0.2.9";

	(void)st;
	for (unsigned file = 0; file < 2; file++) {
		world_open(&w);
		memcpy(w.map->changes[file].bytes, line, sizeof(line) - 1);
		w.map->changes[file].len = sizeof(line) - 1;
		world_start(&w);
		world_settle(&w);
		put(1, true);
		reboot();
		world_start(&w);
		for (int i = 0; i < 100 && !pk_block_is_ready(w.block); i++)
			(void)pk_block_step(w.block, 50000000);
		assert_true(drops(1));
		assert_false(drops(9));
		world_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_a_model),
		cmocka_unit_test(damaged),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(cut_short),
	};

	return cmocka_run_group_tests_name("block/replay", tests, NULL, NULL);
}
