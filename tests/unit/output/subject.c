/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter asks about comes out of a journal's item as it went in. */
#include "output/subject.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_round(void **state)
{
	struct pk_flow flow = { .meta = { .id = 5, .initiator = 1 }, .key = { .proto = 17 } }, back;
	struct pk_filter_subject s = { .flow = &flow,
				       .now_ns = 9,
				       .rate = 1.5,
				       .direction = 2,
				       .ended = true,
				       .iface = "eth0",
				       .procs = 2,
				       .proc = { { .pid = 7, .uid = 8, .name = "curl" },
						 { .pid = 70, .container_id = "abc" } },
				       .name = { "a.example", NULL, "b.example" },
				       .app = "dns",
				       .asn = { 0, 15169 },
				       .country = { NULL, "US" } },
				 got;
	struct pk_buf b = { 0 };

	(void)state;
	pk_buf_str(&b, "{\"a\":1}");
	pk_subject_pack(&b, &s);
	assert_int_equal(b.error, 0);
	assert_int_equal(pk_subject_unpack(b.data, b.len, &back, &got), 7);
	assert_memory_equal(&back, &flow, sizeof(flow));
	assert_ptr_equal(got.flow, &back);
	assert_string_equal(got.iface, "eth0");
	assert_null(got.netns);
	assert_int_equal(got.procs, 2);
	assert_int_equal(got.proc[0].pid, 7);
	assert_int_equal(got.proc[0].uid, 8);
	assert_string_equal(got.proc[0].name, "curl");
	assert_string_equal(got.proc[1].container_id, "abc");
	assert_string_equal(got.name[2], "b.example");
	assert_null(got.name[1]);
	assert_string_equal(got.app, "dns");
	assert_int_equal(got.asn[1], 15169);
	assert_string_equal(got.country[1], "US");
	assert_true(got.ended && got.direction == 2 && got.now_ns == 9 && got.rate > 1.4);
	pk_buf_done(&b);
}

static void test_without(void **state)
{
	struct pk_filter_subject s = { 0 }, got;
	struct pk_buf b = { 0 };
	struct pk_flow f;

	(void)state;
	assert_int_equal(pk_subject_unpack("{}", 2, &f, &got), 2);
	assert_null(got.flow);
	pk_buf_str(&b, "{}");
	pk_subject_pack(&b, &s);
	assert_int_equal(pk_subject_unpack(b.data, b.len, &f, &got), 2);
	assert_null(got.flow);
	assert_null(got.name[0]);
	pk_buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_round),
					    cmocka_unit_test(test_without) };

	return cmocka_run_group_tests_name("output/subject", tests, NULL, NULL);
}
