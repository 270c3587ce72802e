/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "base/buf.h"
#include "base/cleanup.h"

static const struct pk_block_ask feed = { .list = "feed", .mode = -1 };

static int add(struct world *w, const struct pk_block_ask *ask, const char *name, uint8_t how,
	       int64_t ttl_ms)
{
	struct pk_block_done d = { 0 };
	int r = pk_block_add_name(w->block, ask, name, how, ttl_ms ? w->now_ms + ttl_ms : 0, "why",
				  &d);

	pk_block_done_done(&d);
	return r;
}

static int take(struct world *w, const char *name)
{
	struct pk_block_done d = { 0 };
	int r = pk_block_remove_name(w->block, &feed, name, &d);

	pk_block_done_done(&d);
	return r;
}

static enum pk_block_verdict verdict(struct world *w, const char *name)
{
	struct pk_block_ruling r;

	return pk_block_name(w->block, name, &r);
}

static void test_single(void **state)
{
	struct pk_block_ask wide = feed, other = { .list = "feed", .allow = true, .mode = -1 };
	struct pk_block_info info;
	struct world w;

	(void)state;
	world_open(&w);
	world_start(&w);
	assert_int_equal(add(&w, &feed, "Evil.Example.", 0, 0), 0);
	assert_int_equal(verdict(&w, "evil.example"), PK_BLOCK_DROP);
	assert_int_equal(verdict(&w, "a.b.evil.example"), PK_BLOCK_DROP);
	assert_int_equal(verdict(&w, "notevil.example"), PK_BLOCK_PASS);
	assert_int_equal(add(&w, &feed, "no name", 0, 0), -EINVAL);
	assert_int_equal(add(&w, &feed, "com", 0, 0), -EPERM);
	assert_int_equal(add(&w, &feed, "co.uk", 0, 0), -EPERM);
	wide.wide = true;
	assert_int_equal(add(&w, &wide, "co.uk", 0, 0), 0);
	assert_int_equal(add(&w, &other, "good.example", 0, 0), -EEXIST);
	assert_true(pk_block_list_get(w.block, "feed", &info));
	assert_int_equal(info.names, 2);
	assert_int_equal(info.entries, 2);
	assert_int_equal(take(&w, "worse.example"), -ENOENT);
	assert_int_equal(take(&w, "EVIL.example"), 0);
	assert_int_equal(verdict(&w, "evil.example"), PK_BLOCK_PASS);
	/* a list for nothing is none */
	other.list = "none";
	assert_int_equal(add(&w, &other, "bad name", 0, 0), -EINVAL);
	assert_false(pk_block_list_get(w.block, "none", &info));
	world_close(&w);
}

static void test_expiry(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	world_start(&w);
	assert_int_equal(add(&w, &feed, "evil.example", 0, 10000), 0);
	assert_int_equal(add(&w, &feed, "worse.example", 0, 60000), 0);
	world_pass(&w, 1000);
	world_settle(&w);
	assert_int_equal(verdict(&w, "evil.example"), PK_BLOCK_DROP);
	world_pass(&w, 9000);
	assert_int_equal(verdict(&w, "evil.example"), PK_BLOCK_PASS);
	assert_int_equal(verdict(&w, "worse.example"), PK_BLOCK_DROP);
	world_restart(&w);
	world_settle(&w);
	assert_int_equal(verdict(&w, "worse.example"), PK_BLOCK_DROP);
	world_pass(&w, 60000);
	assert_int_equal(verdict(&w, "worse.example"), PK_BLOCK_PASS);
	world_close(&w);
}

static void load(struct world *w, const struct pk_block_ask *ask, const char *text)
{
	world_ask_load(w, ask, text);
	world_settle(w);
	assert_true(w->told);
}

/* Whole lists: what stays keeps its id; what was refused changes nothing; it comes back. */
static void test_lists(void **state)
{
	struct pk_block_ask skip = feed;
	struct pk_block_info info;
	struct pk_block_ruling r;
	struct world w;
	uint32_t id;

	(void)state;
	world_open(&w);
	world_start(&w);
	load(&w, &feed, "192.0.2.1\nevil.example # C2\nworse.example\n");
	assert_int_equal(w.done.result, 0);
	assert_int_equal(w.done.added, 3);
	assert_int_equal(pk_block_name(w.block, "evil.example", &r), PK_BLOCK_DROP);
	assert_string_equal(r.reason, "C2");
	assert_string_equal(r.list, "feed");
	id = r.id;
	load(&w, &feed, "evil.example\nnew.example\n");
	assert_int_equal(w.done.added, 1);
	assert_int_equal(w.done.kept, 1);
	assert_int_equal(w.done.removed, 2);
	assert_int_equal(pk_block_name(w.block, "www.evil.example", &r), PK_BLOCK_DROP);
	assert_int_equal(r.id, id);
	assert_int_equal(verdict(&w, "worse.example"), PK_BLOCK_PASS);
	/* one that is too wide */
	load(&w, &feed, "other.example\nco.uk\n");
	assert_int_equal(w.done.result, -EPERM);
	assert_int_equal(w.done.refused_total, 1);
	assert_string_equal(w.done.refused[0].prefix, "co.uk");
	assert_int_equal(verdict(&w, "evil.example"), PK_BLOCK_DROP);
	assert_int_equal(verdict(&w, "other.example"), PK_BLOCK_PASS);
	skip.skip_bad = true;
	load(&w, &skip, "evil.example\nother.example\nco.uk\n");
	assert_int_equal(w.done.result, 0);
	assert_int_equal(verdict(&w, "other.example"), PK_BLOCK_DROP);
	assert_int_equal(verdict(&w, "x.co.uk"), PK_BLOCK_PASS);
	/* saved, and back */
	world_restart(&w);
	world_settle(&w);
	assert_int_equal(w.notices, 0);
	assert_int_equal(pk_block_name(w.block, "evil.example", &r), PK_BLOCK_DROP);
	assert_int_equal(r.id, id);
	assert_true(pk_block_list_get(w.block, "feed", &info));
	assert_int_equal(info.names, 2);
	assert_true(info.saved);
	world_close(&w);
}

static void test_confirm(void **state)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1, .confirm_ms = 5000 };
	struct world w;

	(void)state;
	world_open(&w);
	world_start(&w);
	load(&w, &feed, "evil.example\n");
	load(&w, &ask, "worse.example\n");
	assert_int_equal(verdict(&w, "evil.example"), PK_BLOCK_PASS);
	assert_int_equal(verdict(&w, "worse.example"), PK_BLOCK_DROP);
	world_pass(&w, 6000);
	world_settle(&w);
	assert_int_equal(verdict(&w, "evil.example"), PK_BLOCK_DROP);
	assert_int_equal(verdict(&w, "worse.example"), PK_BLOCK_PASS);
	world_close(&w);
}

struct rows {
	struct pk_buf text;
	uint32_t last;
};

static bool on_row(void *arg, const struct pk_block_row *row)
{
	struct rows *r = arg;

	pk_buf_fmt(&r->text, "%s ", row->name ? row->name : "-");
	r->last = row->e->id;
	return true;
}

/* Page by page, whatever the size of a page, all is told once; the export says the same. */
static void test_shown(void **state)
{
	struct pk_block_export at = { 0 };
	struct pk_buf out = { 0 };
	struct world w;

	(void)state;
	world_open(&w);
	world_start(&w);
	load(&w, &feed, "192.0.2.1\n192.0.2.9\na.example\nb.example\nc.example # x\n");
	assert_int_equal(add(&w, &feed, "d.example", PK_BLOCK_SNI_ONLY | PK_BLOCK_REFUSE, 0), 0);
	for (size_t page = 1; page < 8; page++) {
		struct rows r = { 0 };
		int more = 1;

		for (int i = 0; more && i < 8; i++)
			more = pk_block_rows(w.block, "feed", r.last, page, on_row, &r);
		assert_int_equal(more, 0);
		assert_string_equal(r.text.data, "- - a.example b.example c.example d.example ");
		pk_buf_done(&r.text);
	}
	for (int more = 1, i = 0; more && i < 20; i++) {
		more = pk_block_export(w.block, "feed", &at, out.len + 15, &out);
		assert_true(more >= 0);
	}
	assert_string_equal(out.data, "picket-list 1\n192.0.2.1 id=4\n192.0.2.9 id=5\n"
				      "a.example id=1\nb.example id=2\nc.example id=3 "
				      "reason=\"x\"\n"
				      "d.example how=sni-only,refuse-query id=6 reason=\"why\"\n");
	load(&w, &feed, out.data);
	assert_int_equal(w.done.result, 0);
	assert_int_equal(w.done.kept, 6);
	assert_int_equal(w.done.added, 0);
	pk_buf_done(&out);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single), cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_lists),  cmocka_unit_test(test_confirm),
		cmocka_unit_test(test_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
