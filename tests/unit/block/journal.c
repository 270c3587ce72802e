/* SPDX-License-Identifier: Apache-2.0 */
/* What was answered with yes holds, whenever the agent is killed after it. */
#include "world.h"

static struct world w;
static struct pk_block_ask ask = { .list = "feed", .mode = -1 };

static void open_with(const char *text)
{
	world_open(&w);
	world_start(&w);
	world_ask_load(&w, &ask, text);
	world_settle(&w);
	assert_int_equal(w.done.result, 0);
	assert_true(w.map->file_now >= 0);
	w.notices = 0;
}

static void done(struct pk_block_done *d, int result)
{
	assert_int_equal(d->result, result);
	pk_block_done_done(d);
}

static void add(const char *cidr, int64_t expires_ms, const char *reason)
{
	struct pk_block_entry e = world_entry(cidr);
	struct pk_block_done d = { 0 };

	e.expires_ms = expires_ms;
	assert_int_equal(pk_block_add(w.block, &ask, &e, NULL, reason, &d), 0);
	done(&d, 0);
}

static void remove_one(const char *cidr)
{
	struct pk_block_entry e = world_entry(cidr);
	struct pk_block_done d = { 0 };

	assert_int_equal(pk_block_remove(w.block, &ask, &e, NULL, &d), 0);
	done(&d, 0);
}

static const char *file(void)
{
	static char text[WORLD_FILE + 1];
	const struct world_file *f = &w.map->file[w.map->file_now];

	assert_true(w.map->file_now >= 0);
	memcpy(text, f->bytes, f->len);
	text[f->len] = 0;
	return text;
}

static void assert_nothing_noted(void)
{
	assert_int_equal(w.map->changes[0].len + w.map->changes[1].len, 0);
}

static void entries_that_came_and_went(void **state)
{
	(void)state;
	open_with("192.0.2.1\n192.0.2.2\n198.51.100.0/24\n");
	remove_one("192.0.2.1");
	add("203.0.113.7", 0, "seen \"twice\"");
	add("198.51.100.0/24", 1800000000000, "for a while");
	add("192.0.2.9", 0, "");
	remove_one("192.0.2.9");
	world_restart(&w);
	for (int i = 0; i < 2; i++) { /* at once, and when all is settled */
		assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_PASS);
		assert_int_equal(world_verdict(&w, "192.0.2.2"), PK_BLOCK_DROP);
		assert_int_equal(world_verdict(&w, "192.0.2.9"), PK_BLOCK_PASS);
		assert_int_equal(world_verdict(&w, "203.0.113.7"), PK_BLOCK_DROP);
		assert_int_equal(world_verdict(&w, "198.51.100.3"), PK_BLOCK_DROP);
		world_settle(&w);
	}
	assert_int_equal(w.notices, 0); /* the kernel held just that */
	assert_non_null(strstr(file(), "\n203.0.113.7 id=4 reason=\"seen \\x22twice\\x22\"\n"));
	assert_non_null(strstr(file(), "198.51.100.0/24 expires=1800000000000 id=3 "
				       "reason=\"for a while\"\n"));
	assert_null(strstr(file(), "192.0.2.1 "));
	assert_nothing_noted();
	world_close(&w);
}

/* After a reboot the kernel holds nothing: files alone tell. */
static void they_do_not_need_the_kernel(void **state)
{
	(void)state;
	open_with("192.0.2.1\n192.0.2.2\n");
	remove_one("192.0.2.1");
	add("2001:db8::/48", 0, "");
	pk_block_free(w.block);
	memset(w.map->roots, 0, sizeof(w.map->roots));
	memset(w.map->lists, 0, sizeof(w.map->lists));
	memset(w.map->chunk, 0, sizeof(w.map->chunk));
	world_start(&w);
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_PASS);
	assert_int_equal(world_verdict(&w, "192.0.2.2"), PK_BLOCK_DROP);
	assert_int_equal(world_verdict(&w, "2001:db8::1"), PK_BLOCK_DROP);
	world_close(&w);
}

static void modes(void **state)
{
	struct pk_block_done d = { 0 };

	(void)state;
	open_with("192.0.2.1\n");
	assert_int_equal(pk_block_set_mode(w.block, "feed", PK_BLK_OBSERVE, &d), 0);
	done(&d, 0);
	world_restart(&w);
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_OBSERVE);
	assert_non_null(strstr(file(), "\"mode\":\"observe\""));
	world_close(&w);
}

static void names(void **state)
{
	struct pk_block_done d = { 0 };

	(void)state;
	open_with("picket-list 1\nevil.example reason=\"old\"\nbad.example\n192.0.2.1\n");
	assert_int_equal(pk_block_remove_name(w.block, &ask, "evil.example", &d), 0);
	done(&d, 0);
	assert_int_equal(
		pk_block_add_name(w.block, &ask, "new.example", PK_BLOCK_REFUSE, 0, "why", &d), 0);
	done(&d, 0);
	world_restart(&w);
	world_settle(&w);
	assert_null(strstr(file(), "evil.example"));
	assert_non_null(strstr(file(), "bad.example id="));
	assert_non_null(strstr(file(), "new.example how=refuse-query id="));
	assert_non_null(strstr(file(), "reason=\"why\""));
	assert_int_equal(w.n_refused, 1);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_DROP);
	world_close(&w);
}

static void processes(void **state)
{
	struct pk_block_proc sh = { PK_BLOCK_USER, "nobody" }, web = { PK_BLOCK_CONTAINER, "web" };
	struct pk_block_entry e = world_entry("192.0.2.0/24");
	struct pk_block_done d = { 0 };

	(void)state;
	open_with("198.51.100.1\n");
	w.containers = 1;
	w.container[0] = 77;
	assert_int_equal(pk_block_add_proc(w.block, &ask, &sh, &e, "no", &d), 0);
	done(&d, 0);
	world_settle(&w);
	assert_non_null(strstr(file(), "nobody"));
	assert_int_equal(pk_block_remove_proc(w.block, &ask, &sh, &e, &d), 0);
	done(&d, 0);
	assert_int_equal(pk_block_add_proc(w.block, &ask, &web, &e, "it leaks", &d), 0);
	done(&d, 0);
	world_restart(&w);
	world_settle(&w);
	assert_null(strstr(file(), "nobody"));
	assert_non_null(strstr(file(), "\"name\":\"web\""));
	assert_non_null(strstr(file(), "it leaks"));
	world_close(&w);
}

static void a_list_that_was_never_saved(void **state)
{
	(void)state;
	world_open(&w);
	world_start(&w);
	world_settle(&w);
	add("192.0.2.1", 0, "first");
	assert_int_equal(w.map->file_now, -1);
	world_restart(&w);
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_DROP);
	assert_non_null(strstr(file(), "reason=\"first\""));
	assert_nothing_noted();
	world_close(&w);
}

static void a_list_that_was_removed(void **state)
{
	int was;

	(void)state;
	open_with("192.0.2.1\n192.0.2.2\n");
	add("192.0.2.3", 0, "");
	was = w.map->file_now;
	pk_block_remove_list(w.block, "feed", world_done, &w);
	w.map->file_now = was; /* killed before it went */
	world_restart(&w);
	assert_int_equal(w.map->file_now, -1); /* it went now */
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_PASS);
	assert_int_equal(world_verdict(&w, "192.0.2.3"), PK_BLOCK_PASS);
	assert_nothing_noted();
	world_close(&w);
	/* Made anew under its name: nothing of the first one is in it. */
	open_with("192.0.2.1\n192.0.2.2\n");
	was = w.map->file_now;
	pk_block_remove_list(w.block, "feed", world_done, &w);
	w.map->file_now = was;
	while (pk_block_step(w.block, 50000000))
		;
	add("192.0.2.3", 0, "");
	world_restart(&w);
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_PASS);
	assert_int_equal(world_verdict(&w, "192.0.2.3"), PK_BLOCK_DROP);
	world_close(&w);
}

/* What was changed before a replacement is not done to the list that replaced it. */
static void a_list_that_was_replaced(void **state)
{
	(void)state;
	open_with("192.0.2.1\n192.0.2.2\n");
	remove_one("192.0.2.1");
	add("192.0.2.9", 0, "");
	world_ask_load(&w, &ask, "192.0.2.1\n");
	for (int i = 0; i < 100 && !w.told; i++) {
		(void)pk_block_step(w.block, 50000000);
		if (!w.save_serial)
			continue;
		w.save_serial = 0; /* the file is there, and nobody was told */
		world_restart(&w);
		break;
	}
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_DROP);
	assert_int_equal(world_verdict(&w, "192.0.2.2"), PK_BLOCK_PASS);
	assert_int_equal(world_verdict(&w, "192.0.2.9"), PK_BLOCK_PASS);
	world_close(&w);
}

/* A list that waits to be confirmed is saved later; killed, it is what it was before, changed. */
static void a_list_that_was_not_confirmed(void **state)
{
	struct pk_block_ask trial = ask;

	(void)state;
	open_with("192.0.2.1\n192.0.2.2\n");
	remove_one("192.0.2.1");
	trial.confirm_ms = 60000;
	world_ask_load(&w, &trial, "198.51.100.1\n");
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "198.51.100.1"), PK_BLOCK_DROP);
	world_restart(&w);
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "198.51.100.1"), PK_BLOCK_PASS);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_PASS);
	assert_int_equal(world_verdict(&w, "192.0.2.2"), PK_BLOCK_DROP);
	world_close(&w);
}

/* It is said to be kept when its file is written, which a kill after that proves. */
static void a_list_that_was_confirmed(void **state)
{
	struct pk_block_ask trial = ask;

	(void)state;
	open_with("192.0.2.1\n");
	trial.confirm_ms = 60000;
	world_ask_load(&w, &trial, "198.51.100.1\n");
	world_settle(&w);
	w.told = false;
	pk_block_confirm(w.block, "feed", false, world_done, &w);
	for (int i = 0; i < 100 && !w.told; i++) {
		(void)pk_block_step(w.block, 50000000);
		world_answer(&w);
	}
	assert_true(w.told && w.done.result == 0 && w.done.saved);
	world_restart(&w);
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "198.51.100.1"), PK_BLOCK_DROP);
	assert_int_equal(world_verdict(&w, "192.0.2.1"), PK_BLOCK_PASS);
	world_close(&w);
}

/* Without a pause for all to be saved at once, the files stay small nevertheless. */
static void they_are_emptied_by_turns(void **state)
{
	size_t most = 0;

	(void)state;
	open_with("192.0.2.1\n");
	for (int i = 0; i < 3000; i++) {
		char addr[32];

		(void)snprintf(addr, sizeof(addr), "198.51.100.%d", i / 2 % 250);
		if (i % 2)
			remove_one(addr);
		else
			add(addr, 0, "");
		(void)pk_block_step(w.block, 50000000);
		world_pass(&w, 20);
		if (i % 7 == 0)
			world_answer(&w);
		for (int k = 0; k < 2; k++)
			if (w.map->changes[k].len > most)
				most = w.map->changes[k].len;
	}
	assert_true(most > 500 && most < 16384);
	world_settle(&w);
	assert_nothing_noted();
	world_close(&w);
}

static void they_can_not_be_written(void **state)
{
	(void)state;
	open_with("192.0.2.1\n");
	w.note_result = -ENOSPC;
	add("192.0.2.2", 0, "");
	assert_int_equal(w.notices, 1);
	assert_non_null(strstr(w.notice, "No space left"));
	assert_int_equal(world_verdict(&w, "192.0.2.2"), PK_BLOCK_DROP);
	world_settle(&w);
	world_restart(&w);
	world_settle(&w);
	assert_int_equal(world_verdict(&w, "192.0.2.2"), PK_BLOCK_DROP);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_that_came_and_went),
		cmocka_unit_test(they_do_not_need_the_kernel),
		cmocka_unit_test(modes),
		cmocka_unit_test(names),
		cmocka_unit_test(processes),
		cmocka_unit_test(a_list_that_was_never_saved),
		cmocka_unit_test(a_list_that_was_removed),
		cmocka_unit_test(a_list_that_was_replaced),
		cmocka_unit_test(a_list_that_was_not_confirmed),
		cmocka_unit_test(a_list_that_was_confirmed),
		cmocka_unit_test(they_are_emptied_by_turns),
		cmocka_unit_test(they_can_not_be_written),
	};

	return cmocka_run_group_tests_name("block/journal", tests, NULL, NULL);
}
