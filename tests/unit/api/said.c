/* SPDX-License-Identifier: Apache-2.0 */
/* Values of headers, right, at the edge and wrong. */
#include "api/said.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void conditions_are_read(void **state)
{
	static const struct {
		const char *value;
		const char *tag;
		bool weak;
		int want;
	} rows[] = {
		{ "\"a\"", "\"a\"", false, 1 },
		{ "\"b\"", "\"a\"", false, 0 },
		{ "\"b\", \"a\"", "\"a\"", false, 1 },
		{ ",, \"b\" ,\t\"a\" ,", "\"a\"", false, 1 },
		{ "W/\"a\"", "\"a\"", false, 0 }, /* If-Match compares strongly */
		{ "W/\"a\"", "\"a\"", true, 1 },
		{ "\"\"", "\"a\"", false, 0 },
		{ "\"a,b\"", "\"a\"", false, 0 },
		{ "*", "\"a\"", false, 1 },
		{ "*", NULL, false, 0 },
		{ "\"a\"", NULL, false, 0 },
		{ "", "\"a\"", false, -EINVAL },
		{ ", ,", "\"a\"", false, -EINVAL },
		{ "a", "\"a\"", false, -EINVAL },
		{ "\"a", "\"a\"", false, -EINVAL },
		{ "\"", "\"a\"", false, -EINVAL },
		{ "\"a\"\"b\"", "\"a\"", false, -EINVAL },
		{ "\"a\" \"b\"", "\"a\"", false, -EINVAL },
		{ "\"a b\"", "\"a\"", false, -EINVAL },
		{ "w/\"a\"", "\"a\"", false, -EINVAL },
		{ "W/", "\"a\"", false, -EINVAL },
		{ "*, \"a\"", "\"a\"", false, -EINVAL },
		{ "\"b\", *", "\"a\"", false, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		int r = pk_said_tag(rows[i].value, rows[i].tag, rows[i].weak);

		if (r != rows[i].want)
			fail_msg("%s with %s: %d", rows[i].value,
				 rows[i].tag ? rows[i].tag : "none", r);
	}
}

static void codings_are_read(void **state)
{
	static const struct {
		const char *value;
		int want; /* of enum pk_packed, or -EINVAL */
	} rows[] = { { NULL, PK_PACKED_NOT },
		     { "", PK_PACKED_NOT },
		     { "identity", PK_PACKED_NOT },
		     { "gzip", PK_PACKED_GZIP },
		     { " GZip\t", PK_PACKED_GZIP },
		     { "x-gzip", PK_PACKED_GZIP },
		     { "zstd", PK_PACKED_ZSTD },
		     { "br", -EINVAL },
		     { "deflate", -EINVAL },
		     { "gzip, gzip", -EINVAL },
		     { "gzip;q=1", -EINVAL },
		     { "gzipp", -EINVAL },
		     { "gzi", -EINVAL },
		     { "*", -EINVAL } };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		enum pk_packed how = PK_PACKED_NOT;
		int r = pk_said_coding(rows[i].value, &how);

		if ((r < 0 ? r : (int)how) != rows[i].want)
			fail_msg("%s: %d", rows[i].value ? rows[i].value : "none", r);
	}
}

static void types_are_accepted(void **state)
{
	static const struct {
		const char *value;
		bool want;
	} rows[] = { { NULL, false },
		     { "", false },
		     { "*/*", false }, /* it is another representation: asked for by name only */
		     { "text/*", false },
		     { "text/event-stream", true },
		     { "Text/Event-Stream", true },
		     { " text/event-stream ", true },
		     { "application/x-ndjson, text/event-stream", true },
		     { "text/event-stream;charset=utf-8", true },
		     { "text/event-stream;q=0.5,*/*", true },
		     { "text/event-stream;q=0", false },
		     { "text/event-stream; q=0.000", false },
		     { "text/event-stream; q=0.001", true },
		     { "text/event-stream;a=b;q=0", false },
		     { "text/event-streams", false },
		     { "text/event-strea", false },
		     { ",,,text/event-stream", true },
		     { "xtext/event-stream", false } };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++)
		if (pk_said_accepts(rows[i].value, "text/event-stream") != rows[i].want)
			fail_msg("%s", rows[i].value);
}

static void ids_of_events(void **state)
{
	static const char *const wrong[] = { "",
					     "-",
					     "-1",
					     "a-",
					     "a",
					     "1.",
					     "1.2",
					     "0a1-1.",
					     "0a1-.1",
					     "0a1-1.2.3",
					     "0a1-1-2",
					     "0A1-1",
					     "0a1-1 ",
					     " 1",
					     "0123456789abcdef0-1",
					     "+1",
					     "0a1--1",
					     "1e3",
					     "1234567890123456789" };
	struct pk_said_id id;

	(void)state;
	assert_int_equal(pk_said_event_id("0", &id), 0);
	assert_true(id.seq == 0 && id.mark == 0 && !id.run[0]);
	assert_int_equal(pk_said_event_id("123456789012345678", &id), 0);
	assert_true(id.seq == 123456789012345678ull);
	assert_int_equal(pk_said_event_id("0a1b2c3d-42", &id), 0);
	assert_string_equal(id.run, "0a1b2c3d");
	assert_true(id.seq == 42 && id.mark == 0);
	assert_int_equal(pk_said_event_id("0a1b2c3d-42.7", &id), 0);
	assert_true(id.seq == 42 && id.mark == 7);
	for (size_t i = 0; i < PK_ARRAY_SIZE(wrong); i++)
		if (pk_said_event_id(wrong[i], &id) != -EINVAL)
			fail_msg("%s", wrong[i]);
	assert_true(id.seq == 42); /* as it was */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_are_read),
		cmocka_unit_test(codings_are_read),
		cmocka_unit_test(types_are_accepted),
		cmocka_unit_test(ids_of_events),
	};

	return cmocka_run_group_tests_name("api/said", tests, NULL, NULL);
}
