/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/schema.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"

#include <ctype.h>
#include <picket/event.h>
#include <picket/map.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

/* The default as written is the default as printed, so that no comment differs from the truth. */
static void test_defaults_are_canonical(void **state)
{
	_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();

	(void)state;
	assert_non_null(c);
	const struct pk_conf_row *row;

	for (size_t i = 0; (row = pk_conf_row(i)); i++) {
		struct pk_buf v = { 0 }, want = { 0 };

		pk_conf_format(row, (char *)c + row->offset, &v);
		if (row->type == PK_CONF_LIST)
			pk_buf_fmt(&want, *row->def ? "[\"%s\"]" : "[]", row->def);
		else if (row->type == PK_CONF_NAME || row->type == PK_CONF_PATH)
			pk_buf_fmt(&want, "\"%s\"", row->def);
		else
			pk_buf_str(&want, row->def);
		assert_string_equal(v.data, want.data);
		pk_buf_done(&v);
		pk_buf_done(&want);
	}
}

/* Sections stand together, no two rows share a name or a member, each has a sentence. */
static void test_table_is_sound(void **state)
{
	const struct pk_conf_row *a, *b;

	(void)state;
	for (size_t i = 0; (a = pk_conf_row(i)); i++) {
		size_t section = strcspn(a->name, ".");
		bool left = false;

		assert_non_null(strchr(a->name, '.'));
		assert_ptr_equal(pk_conf_find(a->name), a);
		assert_true(isupper((unsigned char)a->doc[0]));
		assert_int_equal(a->doc[strlen(a->doc) - 1], '.');
		for (size_t k = i + 1; (b = pk_conf_row(k)); k++) {
			bool same = strncmp(a->name, b->name, section + 1) == 0;

			assert_int_not_equal(a->offset, b->offset);
			assert_false(left && same);
			left |= !same;
		}
	}
	assert_null(pk_conf_find("flow"));
	assert_null(pk_conf_find("flow.slot"));
}

/* Figures in the sentences follow the records. */
static void test_figures(void **state)
{
	(void)state;
	assert_int_equal((1 << 20) / (sizeof(struct pk_exec) + 8), 293);
	assert_non_null(strstr(pk_conf_find("rings.process")->doc, "takes 293 "));
	assert_int_equal((1 << 20) / (sizeof(struct pk_sock) + 8), 4854);
	assert_non_null(strstr(pk_conf_find("rings.socket")->doc, "takes 4,854 "));
	assert_int_equal((1 << 20) / (sizeof(struct pk_flow_report) + 8), 2473);
	assert_non_null(strstr(pk_conf_find("rings.flow")->doc, "takes 2,473 "));
	/* PK_TAKE_MEDIUM, PK_TAKE_SMALL and PK_TAKE_FRAME of bpf/lib/sample.h */
	assert_int_equal((1 << 20) / (sizeof(struct pk_sample) + 632 + 8), 1351);
	assert_int_equal((1 << 20) / (sizeof(struct pk_sample) + 120 + 8), 3971);
	assert_non_null(strstr(pk_conf_find("rings.sample")->doc, "takes 1,351 "));
	assert_non_null(strstr(pk_conf_find("rings.sample")->doc, "or 3,971 "));
	assert_int_equal((1 << 20) / (sizeof(struct pk_sample) + 1656 + 8), 582);
	assert_non_null(strstr(pk_conf_find("rings.record")->doc, "takes 582 "));
	assert_int_equal(sizeof(struct pk_flow) + 64 / PK_WAYS, 392);
	assert_non_null(strstr(pk_conf_find("flow.slots")->doc, "takes 392 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_canonical),
		cmocka_unit_test(test_table_is_sound),
		cmocka_unit_test(test_figures),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
