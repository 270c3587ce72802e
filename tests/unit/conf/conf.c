/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/schema.h"

#include <picket/event.h>

#include <errno.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static void test_shipped_example(void **state)
{
	_cleanup_fclose_ FILE *f = fopen("user/share/picket.yaml", "r");
	_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();
	struct pk_buf want = { 0 };
	static char text[65536];
	size_t n;

	(void)state;
	assert_non_null(f);
	assert_non_null(c);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	pk_conf_print(c, &want);
	assert_string_equal(text, want.data);
	for (size_t i = 0; pk_conf_row(i); i++) {
		char key[64];

		snprintf(key, sizeof(key), "\n  %s: ", strchr(pk_conf_row(i)->name, '.') + 1);
		assert_non_null(strstr(text, key));
	}
	pk_buf_done(&want);
}

static void test_set(void **state)
{
	_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();
	struct pk_buf e = { 0 };

	(void)state;
	assert_int_equal(pk_conf_set(c, "flow.slots", "5000", &e), 0);
	assert_int_equal(c->flow_slots, 8192);
	assert_int_equal(pk_conf_set(c, "interfaces.include", "eth*,lo", &e), 0);
	assert_int_equal(c->if_include.n, 2);
	assert_int_equal(pk_conf_set(c, "interfaces.include", "", &e), 0);
	assert_int_equal(c->if_include.n, 0);
	assert_null(e.data);
	assert_int_equal(pk_conf_set(c, "interfaces.include", "a,,b", &e), -EINVAL);
	assert_int_equal(pk_conf_set(c, "flow.slots", "1\x1b", &e), -EINVAL);
	assert_int_equal(pk_conf_set(c, "no.such", "1", &e), -EINVAL);
	assert_int_equal(c->flow_slots, 8192);
	assert_string_equal(
		e.data, "interfaces.include: \"a,,b\" is not understood, expected a list of at "
			"most 256 names\n"
			"flow.slots: \"1\\e\" is not understood, expected a number (rounded up to "
			"a power of two), 1024 to 16777216 flows\n"
			"no.such: unknown key\n");
	pk_buf_done(&e);
}

/* What is printed reads back as the same, for values that are not the defaults. */
static void test_print_reads_back(void **state)
{
	_cleanup_(pk_conf_freep) struct pk_conf *a = pk_conf_new();
	_cleanup_(pk_conf_freep) struct pk_conf *b = pk_conf_new();
	struct pk_buf e = { 0 }, pa = { 0 }, pb = { 0 };

	(void)state;
	assert_int_equal(pk_conf_set(a, "dirs.run", "/tmp/a \"b\" \\ #c", &e), 0);
	assert_int_equal(pk_conf_set(a, "interfaces.exclude", "veth*,[x],a: b,- c", &e), 0);
	assert_int_equal(pk_conf_set(a, "flow.linger", "0s", &e), 0);
	assert_int_equal(pk_conf_set(a, "netns.containers", "false", &e), 0);
	pk_conf_print(a, &pa);
	assert_int_equal(pk_conf_load_text(b, "x", pa.data, pa.len, &e), 0);
	pk_conf_print(b, &pb);
	assert_string_equal(pa.data, pb.data);
	assert_string_equal(b->run_dir, "/tmp/a \"b\" \\ #c");
	pk_buf_done(&e);
	pk_buf_done(&pa);
	pk_buf_done(&pb);
}

static void test_restart_keys(void **state)
{
	_cleanup_(pk_conf_freep) struct pk_conf *a = pk_conf_new();
	_cleanup_(pk_conf_freep) struct pk_conf *b = pk_conf_new();
	struct pk_buf out = { 0 };

	(void)state;
	pk_conf_restart_keys(a, b, &out);
	assert_int_equal(out.len, 0);
	assert_int_equal(pk_conf_set(b, "flow.idle_timeout", "5m", &out), 0);
	pk_conf_restart_keys(a, b, &out);
	assert_int_equal(out.len, 0);
	assert_int_equal(pk_conf_set(b, "flow.slots", "1024", &out), 0);
	assert_int_equal(pk_conf_set(b, "api.group", "wheel", &out), 0);
	pk_conf_restart_keys(a, b, &out);
	assert_string_equal(out.data, "api.group flow.slots");
	pk_buf_done(&out);
}

static void test_covers(void **state)
{
	_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();
	struct pk_buf e = { 0 };

	(void)state;
	assert_true(pk_conf_covers(c, "eth0"));
	assert_int_equal(pk_conf_set(c, "interfaces.include", "eth*,lo", &e), 0);
	assert_int_equal(pk_conf_set(c, "interfaces.exclude", "eth9", &e), 0);
	assert_true(pk_conf_covers(c, "lo"));
	assert_true(pk_conf_covers(c, "eth1"));
	assert_false(pk_conf_covers(c, "eth9"));
	assert_false(pk_conf_covers(c, "wlan0"));
	pk_buf_done(&e);
}

static void test_sample_off(void **state)
{
	_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();
	struct pk_buf e = { 0 };

	(void)state;
	assert_int_equal(pk_conf_sample_off(c), 0);
	assert_int_equal(pk_conf_set(c, "sample.off", "tls,icmp", &e), 0);
	assert_int_equal(pk_conf_sample_off(c), 1 << PK_APP_TLS | 1 << PK_APP_ICMP);
	assert_int_equal(pk_conf_set(c, "sample.off", "short", &e), 0);
	assert_int_equal(pk_conf_sample_off(c), 1 << PK_APP_SHORT);
	assert_int_equal(pk_conf_set(c, "sample.off", "all", &e), 0);
	assert_int_equal(pk_conf_sample_off(c), UINT32_MAX);
	assert_true(pk_conf_set(c, "sample.off", "ftp", &e) < 0);
	assert_non_null(strstr(e.data, "expected a list of short, dns, tls"));
	pk_buf_done(&e);
	/* every application has a name, in the order of enum pk_app */
	for (unsigned i = PK_APP_SHORT; i < PK_APP_MAX; i++)
		assert_string_not_equal(pk_conf_apps[i - PK_APP_SHORT], "all");
	assert_string_equal(pk_conf_apps[PK_APP_MAX - PK_APP_SHORT], "all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped_example),  cmocka_unit_test(test_set),
		cmocka_unit_test(test_print_reads_back), cmocka_unit_test(test_restart_keys),
		cmocka_unit_test(test_covers),           cmocka_unit_test(test_sample_off),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
