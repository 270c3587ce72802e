/* SPDX-License-Identifier: Apache-2.0 */
/* What a host told against what is wanted: each way in which a list can differ. */
#include "../../../tools/fleet_row.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define WANTED(version, sha) "{\"list\":\"drop\",\"version\":" #version ",\"sha256\":\"" sha "\"}"
#define HAS(version, sha, mode, in_force)                                                          \
	"[{\"name\":\"drop\",\"mode\":\"" mode "\",\"signed\":{\"version\":" #version              \
	",\"sha256\":\"" sha "\",\"in_force\":" #in_force "}}]"

static json_t *load(const char *text)
{
	json_t *o = text ? json_loads(text, 0, NULL) : NULL;

	assert_true(!text || o);
	return o;
}

static json_t *row_of(const char *wanted, const char *lists, const char *status)
{
	json_t *w = load(wanted), *l = load(lists), *s = load(status);
	json_t *row = pk_fleet_row(&(struct pk_fleet_host){
		.name = "web1:7443", .detail = "", .wanted = w, .lists = l, .status = s });

	assert_non_null(row);
	json_decref(w);
	json_decref(l);
	json_decref(s);
	return row;
}

static void each_way_to_differ(void **state)
{
	static const struct {
		const char *lists, *want;
	} rows[] = { { HAS(8, "aa", "enforce", true), "same" },
		     { HAS(8, "aa", "observe", true), "same" }, /* as it was signed */
		     { HAS(7, "bb", "enforce", true), "behind" },
		     { HAS(9, "cc", "enforce", true), "ahead" },
		     { HAS(8, "dd", "enforce", true), "other" },
		     { HAS(8, "aa", "off", true), "off" },
		     { HAS(8, "aa", "enforce", false), "not-in-force" },
		     { "[{\"name\":\"drop\",\"mode\":\"enforce\"}]", "missing" }, /* unsigned */
		     { "[]", "missing" },
		     { NULL, "missing" } };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		json_t *row = row_of("[" WANTED(8, "aa") "]", rows[i].lists, "{}");
		json_t *l = json_array_get(json_object_get(row, "lists"), 0);
		bool same = !strcmp(rows[i].want, "same");

		assert_string_equal(pk_json_text(l, "state"), rows[i].want);
		assert_string_equal(pk_json_text(row, "state"), same ? "ok" : "drift");
		assert_int_equal((int)pk_json_num(row, "drift"), !same);
		json_decref(row);
	}
}

static void what_is_wanted_of_others(void **state)
{
	/* of another host; and of this one */
	json_t *row =
		row_of("[{\"list\":\"drop\",\"version\":9,\"sha256\":\"x\",\"hosts\":{\"db:7443\":"
		       "\"ok\"}},{\"list\":\"feed\",\"version\":2,\"sha256\":\"y\",\"hosts\":{"
		       "\"web1:7443\":\"unreachable\"}}]",
		       HAS(8, "aa", "enforce", true), "{}");
	json_t *lists = json_object_get(row, "lists");

	(void)state;
	assert_int_equal(json_array_size(lists), 2);
	assert_string_equal(pk_json_text(json_array_get(lists, 0), "list"), "feed");
	assert_string_equal(pk_json_text(json_array_get(lists, 0), "state"), "missing");
	/* signed, wanted by nobody here: shown, and no drift */
	assert_string_equal(pk_json_text(json_array_get(lists, 1), "list"), "drop");
	assert_string_equal(pk_json_text(json_array_get(lists, 1), "state"), "same");
	assert_int_equal((int)pk_json_num(row, "drift"), 1);
	json_decref(row);
}

static void numbers_and_text(void **state)
{
	static const char status[] =
		"{\"coverage\":[{\"ingress\":\"xdp\",\"egress\":\"tc\"},{\"ingress\":\"none\","
		"\"egress\":\"tc\"}],\"rings\":[{\"lost\":3},{\"lost\":4}],\"samples\":{\"rows\":[{"
		"\"ring_full\":1,\"unread\":2}]},\"store\":{\"lost\":{\"queue_full\":5,\"refused\":"
		"6,"
		"\"flow_queue_full\":7}},\"streams\":{\"lost\":8},\"degraded\":[\"no\\u001b[2J\"],"
		"\"gate\":{\"certificate\":{\"to\":1}}}";
	json_t *row = row_of("[" WANTED(8, "aa") "]", HAS(7, "bb", "enforce", true), status);
	struct pk_buf out = { 0 };
	struct pk_table t;

	(void)state;
	assert_int_equal((int)pk_json_num(row, "coverage.covered"), 1);
	assert_int_equal((int)pk_json_num(row, "coverage.interfaces"), 2);
	assert_int_equal((int)pk_json_num(row, "lost_total"), 3 + 4 + 1 + 2 + 5 + 6 + 7 + 8);
	pk_fleet_table(&t, PK_FORMAT_TABLE);
	pk_table_row(&t, &out, row);
	assert_non_null(strstr(out.data, "drop 7<8"));
	assert_non_null(strstr(out.data, "1/2"));
	assert_null(strchr(out.data, '\x1b'));
	json_decref(row);
	pk_buf_done(&out);
	row = pk_fleet_row(&(struct pk_fleet_host){
		.name = "web1:7443", .state = "unreachable", .detail = "no route" });
	pk_table_row(&t, &out, row);
	assert_non_null(strstr(out.data, "unreachable never"));
	assert_null(json_object_get(row, "lists"));
	json_decref(row);
	pk_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_to_differ),
		cmocka_unit_test(what_is_wanted_of_others),
		cmocka_unit_test(numbers_and_text),
	};

	return cmocka_run_group_tests_name("tools/fleet_row", tests, NULL, NULL);
}
