/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "base/buf.h"
#include "base/json.h"

static void add(struct world *w, const char *list, bool allow, const char *name)
{
	struct pk_block_ask ask = { .list = list, .allow = allow, .mode = -1 };
	struct pk_block_done d = { 0 };

	assert_int_equal(pk_block_add_name(w->block, &ask, name, 0, 0, NULL, &d), 0);
	pk_block_done_done(&d);
}

static void set_mode(struct world *w, const char *list, enum pk_blk_mode mode)
{
	struct pk_block_done d = { 0 };

	assert_int_equal(pk_block_set_mode(w->block, list, mode, &d), 0);
	pk_block_done_done(&d);
}

static const char *who(struct world *w, const char *name, enum pk_block_verdict want)
{
	struct pk_block_ruling r;

	assert_int_equal(pk_block_name(w->block, name, &r), want);
	return r.name ? r.name : "";
}

static void test_precedence(void **state)
{
	struct pk_block_answer *a = calloc(1, sizeof(*a));
	struct world w;

	(void)state;
	world_open(&w);
	world_start(&w);
	assert_non_null(a);
	assert_false(pk_block_has_names(w.block));
	add(&w, "a", false, "evil.example");
	add(&w, "a", false, "very.evil.example");
	add(&w, "b", false, "example.net");
	add(&w, "good", true, "good.evil.example");
	assert_true(pk_block_has_names(w.block));
	/* the nearest of a list */
	assert_string_equal(who(&w, "x.very.evil.example", PK_BLOCK_DROP), "very.evil.example");
	assert_string_equal(who(&w, "not.very-evil.example", PK_BLOCK_PASS), "");
	/* an allow list wins */
	assert_string_equal(who(&w, "www.good.evil.example", PK_BLOCK_ALLOWED),
			    "good.evil.example");
	pk_block_check_name(w.block, "www.good.evil.example", a);
	assert_int_equal(a->verdict, PK_BLOCK_ALLOWED);
	assert_int_equal(a->n, 2);
	assert_true(a->v[0].decides);
	assert_string_equal(a->v[0].list, "good");
	assert_string_equal(a->v[1].row.name, "evil.example");
	/* modes */
	set_mode(&w, "a", PK_BLK_OBSERVE);
	assert_string_equal(who(&w, "evil.example", PK_BLOCK_OBSERVE), "evil.example");
	add(&w, "b", false, "www.evil.example");
	assert_string_equal(who(&w, "www.evil.example", PK_BLOCK_DROP), "www.evil.example");
	set_mode(&w, "a", PK_BLK_OFF);
	assert_string_equal(who(&w, "evil.example", PK_BLOCK_PASS), "");
	set_mode(&w, "good", PK_BLK_OBSERVE);
	set_mode(&w, "a", PK_BLK_ENFORCE);
	assert_string_equal(who(&w, "good.evil.example", PK_BLOCK_DROP), "evil.example");
	free(a);
	world_close(&w);
}

static void test_counted(void **state)
{
	struct pk_block_answer *a = calloc(1, sizeof(*a));
	struct pk_block_ruling r;
	struct world w;

	(void)state;
	world_open(&w);
	world_start(&w);
	assert_non_null(a);
	add(&w, "a", false, "evil.example");
	assert_int_equal(pk_block_name(w.block, "www.evil.example", &r), PK_BLOCK_DROP);
	pk_block_name_cut(w.block, &r);
	pk_block_name_cut(w.block, &r);
	pk_block_check_name(w.block, "evil.example", a);
	assert_int_equal(a->v[0].row.hits.hellos, 2);
	assert_int_equal(a->v[0].row.last_hit_ms, w.now_ms);
	free(a);
	world_close(&w);
}

static void test_diff(void **state)
{
	struct pk_block_ask ask = { .list = "a", .mode = -1 };
	struct pk_block_done d = { 0 };
	struct pk_list_data data = { 0 };
	struct pk_buf out = { 0 };
	struct pk_json j;
	struct world w;

	(void)state;
	world_open(&w);
	world_start(&w);
	add(&w, "a", false, "evil.example");
	add(&w, "a", false, "old.example");
	world_read(&w, "evil.example\nnew.example\nco.uk\n", &data);
	pk_json_init(&j, &out);
	pk_json_obj(&j, NULL);
	assert_int_equal(pk_block_diff(w.block, &ask, &data, 10, &j, &d), 0);
	pk_json_end(&j);
	assert_non_null(strstr(out.data, "\"add_names\":[\"co.uk\",\"new.example\"],"
					 "\"remove_names\":[\"old.example\"]"));
	assert_int_equal(d.added, 2);
	assert_int_equal(d.removed, 1);
	assert_int_equal(d.kept, 1);
	assert_int_equal(d.refused_total, 1);
	pk_block_done_done(&d);
	pk_list_data_done(&data);
	pk_buf_done(&out);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_counted),
		cmocka_unit_test(test_diff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
