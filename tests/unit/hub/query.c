/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown of a database that the hub has open, or that is not there. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "fleet.h"
#include "hub/query.h"

static void keep(void *arg, const char *json)
{
	struct pk_buf *out = arg;

	pk_buf_str(out, json);
	pk_buf_char(out, '\n');
}

static char *shown(struct pk_buf *out)
{
	pk_buf_char(out, '\0');
	return out->data;
}

static void test_shown(void **state)
{
	char path[] = "/tmp/picket-hub-XXXXXX", file[256];
	const bool server = fleet_where[0] != ':';
	struct pk_buf out = { 0 };
	struct pk_hub_view v = { .where = file, .row = keep, .arg = &out };
	struct fleet f;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s%s", server ? fleet_where : path, server ? "" : "/hub.db");
	assert_int_equal(pk_hub_findings(&v, 10), -ENODATA);
	assert_true(*v.why);
	fleet_make_at(&f, file, NULL);
	attacked(&f, "a", 1, "203.0.113.9", "10.0.0.1");
	attacked(&f, "b", 1, "203.0.113.9", "10.0.0.2");
	attacked(&f, "c", 1, "203.0.113.9", "10.0.0.3");
	(void)fleet_raw(&f, "picket.default.c.alerts", "x", T0);
	(void)fleet_raw(&f, "picket.other.c.alerts", "x", T0);
	attacked(&f, "c", 2, "10.0.0.1", "10.0.0.3");

	assert_int_equal(pk_hub_findings(&v, 10), 0);
	assert_non_null(strstr(shown(&out), "hub_source"));
	assert_non_null(strstr(out.data, "hub_lateral"));
	assert_true(strstr(out.data, "hub_source") < strstr(out.data, "hub_lateral"));
	pk_buf_reset(&out);
	assert_int_equal(pk_hub_findings(&v, 1), 0);
	assert_null(strstr(shown(&out), "hub_source")); /* the newest */
	pk_buf_reset(&out);
	assert_int_equal(pk_hub_finding(&v, 1), 0);
	assert_non_null(strstr(shown(&out), "\"number\":1,"));
	assert_int_equal(pk_hub_finding(&v, 9), -ENOENT);
	pk_buf_reset(&out);
	assert_int_equal(pk_hub_hosts(&v), 0);
	assert_non_null(strstr(shown(&out), "\"host\":\"\",\"first_seen_time\":0,"));
	assert_non_null(strstr(
		out.data,
		"\"alerts\":2,\"values_lost\":0,\"evicted\":0,\"refused\":{\"not_json\":1}"));
	assert_non_null(strstr(out.data, "{\"bad_subject\":1}"));
	/* more than a page */
	for (int i = 0; i < 450; i++)
		fleet_exec(&f, "INSERT INTO finding(key, told, time, last, json)"
			       " VALUES('k', 1, 1, 1, '{}')");
	pk_buf_reset(&out);
	assert_int_equal(pk_hub_findings(&v, 441), 0);
	assert_int_equal(out.len, 3 * 441); /* "{}" and its line's end */
	fleet_done(&f);
	pk_buf_done(&out);
	assert_true(server || unlink(file) == 0);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_shown) };

	return fleet_main(tests);
}
