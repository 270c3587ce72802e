/* SPDX-License-Identifier: Apache-2.0 */
/* Flows by process and remote side, as the process sees them; words as filters. */
#include "../../../tools/who_rows.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void filter_is(const char *word, const char *want)
{
	struct pk_buf out = {};

	pk_who_filter(&out, word);
	assert_string_equal(out.data ? out.data : "", want);
	pk_buf_done(&out);
}

static void words(void **state)
{
	(void)state;
	filter_is("example.org", "name \"example.org\" or name \"*.example.org\"");
	filter_is("*.example.*", "name \"*.example.*\"");
	filter_is("192.0.2.7", "host 192.0.2.7");
	filter_is("2001:db8::7", "host 2001:db8::7");
	filter_is("192.0.2.0/24", "net 192.0.2.0/24");
	filter_is("443", "port 443");
	filter_is("1and1.com", "name \"1and1.com\" or name \"*.1and1.com\"");
}

static void add(json_t *flows, const char *uid, const char *dir, const char *name, const char *src,
		const char *dst, const char *status, int start, int out, int in)
{
	json_array_append_new(
		flows,
		json_pack(
			"{s:{s:{s:s,s:s}},s:{s:{s:s,s:s,s:s}},s:{s:s},s:{s:s},s:i,s:i,s:{s:i,s:i}}",
			"actor", "process", "uid", uid, "name", *uid == 'c' ? "curl" : uid,
			"unmapped", "picket", "direction", dir, "name", name, "status", status,
			"src_endpoint", "ip", src, "dst_endpoint", "ip", dst, "start_time", start,
			"end_time", start + 5, "traffic", "bytes_out", out, "bytes_in", in));
}

static json_int_t num(json_t *rows, size_t i, const char *key)
{
	return json_integer_value(json_object_get(json_array_get(rows, i), key));
}

static void sums(void **state)
{
	json_t *flows = json_array(), *rows;

	(void)state;
	add(flows, "p1", "out", "example.org", "10.0.0.1", "192.0.2.1", "ended", 200, 10, 100);
	add(flows, "p1", "out", "example.org", "10.0.0.1", "192.0.2.9", "live", 100, 1, 2);
	add(flows, "p1", "out", "", "10.0.0.1", "192.0.2.2", "ended", 50, 1, 1);
	add(flows, "p2", "in", "us.example.org", "203.0.113.5", "10.0.0.1", "ended", 70, 30, 3000);
	rows = pk_who_rows(flows);
	assert_int_equal(json_array_size(rows), 3);
	/* who was asked sent what came back */
	assert_int_equal(num(rows, 0, "sent"), 3000);
	assert_int_equal(num(rows, 0, "received"), 30);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "with")),
			    "203.0.113.5");
	assert_int_equal(num(rows, 1, "flows"), 2);
	assert_int_equal(num(rows, 1, "live"), 1);
	assert_int_equal(num(rows, 1, "sent"), 11);
	assert_int_equal(num(rows, 1, "received"), 102);
	assert_int_equal(num(rows, 1, "since"), 100);
	assert_int_equal(num(rows, 1, "last"), 205);
	assert_int_equal(num(rows, 2, "flows"), 1);
	json_decref(rows);
	json_array_clear(flows);
	add(flows, "c1", "out", "example.org", "10.0.0.1", "192.0.2.1", "ended", 20, 10, 100);
	add(flows, "c2", "out", "example.org", "10.0.0.1", "192.0.2.1", "ended", 10, 10, 100);
	rows = pk_who_rows(flows); /* two processes, one program */
	assert_int_equal(json_array_size(rows), 1);
	assert_int_equal(num(rows, 0, "processes"), 2);
	assert_int_equal(num(rows, 0, "sent"), 20);
	json_decref(rows);
	json_decref(flows);
	rows = pk_who_rows(NULL);
	assert_int_equal(json_array_size(rows), 0);
	json_decref(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(words), cmocka_unit_test(sums) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
