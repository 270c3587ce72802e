/* SPDX-License-Identifier: Apache-2.0 */
/* How rows sort, are told apart and marked, and what their cells say. */
#include "../../../tools/top_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct pk_top_column *column(size_t view, const char *title)
{
	const struct pk_top_view *v = &pk_top_views[view];

	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->col[i].c.title, title))
			return &v->col[i];
	fail_msg("no column %s", title);
	return NULL;
}

static void cell_is(size_t view, const char *title, json_t *row, const char *want)
{
	struct pk_buf out = {};

	column(view, title)->c.value(&out, row, true);
	assert_string_equal(out.data ? out.data : "", want);
	pk_buf_done(&out);
}

static int compare(size_t view, const char *title, bool reverse, const char *a, const char *b)
{
	json_t *x = json_loads(a, 0, NULL), *y = json_loads(b, 0, NULL);
	int r = pk_top_compare(column(view, title), reverse, x, y);

	json_decref(x);
	json_decref(y);
	return r;
}

static void order(void **state)
{
	(void)state;
	assert_true(compare(PK_VIEW_FLOWS, "RATE/s", false, "{\"rate_out\":1,\"rate_in\":9}",
			    "{\"rate_out\":5}") < 0);
	assert_true(compare(PK_VIEW_FLOWS, "RATE/s", true, "{\"rate_out\":1,\"rate_in\":9}",
			    "{\"rate_out\":5}") > 0);
	assert_true(compare(PK_VIEW_FLOWS, "PROCESS", false, "{\"name\":\"a\"}",
			    "{\"name\":\"b\"}") < 0);
	/* what is over goes behind what is idle, however much it had */
	assert_true(compare(PK_VIEW_FLOWS, "RATE/s", false, "{\"status\":\"live\"}",
			    "{\"status\":\"ended\",\"bytes_in\":999}") < 0);
	assert_true(compare(PK_VIEW_FLOWS, "AGE", false, "{\"age_ms\":9}", "{\"age_ms\":5}") < 0);
	assert_int_equal(compare(PK_VIEW_FLOWS, "RATE/s", false, "{}", "{}"), 0);
}

static void id_is(size_t view, const char *row, const char *want)
{
	json_t *r = json_loads(row, 0, NULL);
	struct pk_buf out = {};

	pk_top_row_id(view, r, &out);
	assert_string_equal(out.data ? out.data : "", want);
	pk_buf_done(&out);
	json_decref(r);
}

static void ids(void **state)
{
	(void)state;
	id_is(PK_VIEW_FLOWS, "{\"id\":\"12\"}", "12");
	id_is(PK_VIEW_TREE, "{\"process\":\"b-1-2\"}", "b-1-2");
	id_is(PK_VIEW_PORTS, "{\"protocol\":\"tcp\",\"port\":443}", "tcp/443");
	id_is(PK_VIEW_APPS, "{\"protocol\":\"udp\",\"app\":\"dns\"}", "udp/dns");
	id_is(PK_VIEW_LISTS, "{\"list\":\"drop\"}", "drop");
	id_is(PK_VIEW_REMOTES, "{}", "");
}

static void mark_is(const char *row, enum pk_top_mark want)
{
	json_t *r = json_loads(row, 0, NULL);

	assert_int_equal(pk_top_mark(r), want);
	json_decref(r);
}

static void marks(void **state)
{
	(void)state;
	mark_is("{}", PK_MARK_NONE);
	mark_is("{\"age_ms\":4000}", PK_MARK_NEW);
	mark_is("{\"age_ms\":6000}", PK_MARK_NONE);
	mark_is("{\"age_ms\":1,\"running_ms\":9000}", PK_MARK_NONE); /* an old process */
	mark_is("{\"age_ms\":1,\"status\":\"ended\"}", PK_MARK_ENDED);
	mark_is("{\"age_ms\":1000,\"state\":\"unanswered\"}", PK_MARK_NEW);
	mark_is("{\"age_ms\":4000,\"state\":\"unanswered\"}", PK_MARK_UNANSWERED);
	mark_is("{\"age_ms\":1,\"odd\":true}", PK_MARK_ODD);
	mark_is("{\"odd\":true,\"blocked\":\"observe\"}", PK_MARK_OBSERVED);
	mark_is("{\"status\":\"ended\",\"blocked\":\"drop\"}", PK_MARK_BLOCKED);
}

static void cells(void **state)
{
	json_t *r = json_loads("{\"remote\":\"2001:db8::1\",\"remote_port\":443,\"rate_in\":2048,"
			       "\"age_ms\":61000,\"rtt_us\":1500}",
			       0, NULL);

	(void)state;
	cell_is(PK_VIEW_FLOWS, "WITH", r, "[2001:db8::1]:443");
	cell_is(PK_VIEW_FLOWS, "RATE/s", r, "2.0K");
	cell_is(PK_VIEW_FLOWS, "SENT", r, "-");
	cell_is(PK_VIEW_FLOWS, "AGE", r, "1m01s");
	cell_is(PK_VIEW_FLOWS, "RTT ms", r, "1.5");
	cell_is(PK_VIEW_FLOWS, "PROCESS", r, "-");
	json_object_set_new(r, "with", json_string("example.org"));
	cell_is(PK_VIEW_FLOWS, "WITH", r, "example.org:443");
	json_object_set_new(r, "by", json_string("curl"));
	json_object_set_new(r, "more_by", json_true());
	cell_is(PK_VIEW_NAMES, "BY", r, "curl ...");
	json_decref(r);
	r = json_pack("{s:s, s:s, s:i, s:b}", "name", "bash", "branch", "└─", "below", 3, "folded",
		      1);
	cell_is(PK_VIEW_TREE, "PROCESS and what it began", r, "└─[+3] bash");
	json_decref(r);
}

static void names_of_views_and_columns(void **state)
{
	size_t at = 99;

	(void)state;
	assert_int_equal(pk_top_view_find("tree", &at), 0);
	assert_int_equal(at, PK_VIEW_TREE);
	assert_int_equal(pk_top_view_find("processes", &at), 0);
	assert_int_equal(at, PK_VIEW_PROCESSES);
	assert_int_equal(pk_top_view_find("PROCS", &at), 0);
	assert_true(pk_top_view_find("nothing", &at) < 0);
	assert_int_equal(pk_top_column_find(&pk_top_views[PK_VIEW_FLOWS], "rate/s", &at), 0);
	assert_true(pk_top_column_find(&pk_top_views[PK_VIEW_FLOWS], "LAST 30s", &at) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(ids),
		cmocka_unit_test(marks),
		cmocka_unit_test(cells),
		cmocka_unit_test(names_of_views_and_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
