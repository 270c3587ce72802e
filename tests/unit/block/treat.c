/* SPDX-License-Identifier: Apache-2.0 */
#include "block/treat.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void each_option_does_what_it_says(void **state)
{
	static const char *const pairs[] = {
		"format",       "csv",   "column",   "ip",  "kind",        "block",
		"mode",         "off",   "wide",     "1",   "ttl",         "60",
		"dir",          "in",    "proto",    "tcp", "force_cover", "192.0.2.1,::1",
		"port",         "80-90", "skip_bad", "",    "sni_only",    "true",
		"refuse_query", "0",
	};
	struct pk_list_treat t;
	const char *names = PK_LIST_TREATS;

	(void)state;
	pk_list_treat_init(&t);
	assert_int_equal(t.ask.mode, -1);
	for (size_t i = 0; i < PK_ARRAY_SIZE(pairs); i += 2) {
		assert_non_null(strstr(names, pairs[i]));
		assert_null(pk_list_treat_set(&t, pairs[i], pairs[i + 1]));
	}
	t.opts.now_ms = 1000;
	assert_null(pk_list_treat_end(&t));
	assert_int_equal(t.opts.format, PK_LIST_CSV);
	assert_string_equal(t.opts.column, "ip");
	assert_int_equal(t.ask.mode, PK_BLK_OFF);
	assert_true(t.ask.wide && t.ask.skip_bad && t.opts.skip_bad && !t.ask.allow);
	assert_int_equal(t.ask.n_force, 2);
	assert_int_equal(t.opts.defaults.expires_ms, 61000);
	assert_int_equal(t.opts.defaults.dir, PK_BLK_IN);
	assert_int_equal(t.opts.defaults.proto, 6);
	assert_int_equal(t.opts.defaults.port_lo, 80);
	assert_int_equal(t.opts.defaults.port_hi, 90);
	assert_int_equal(t.opts.name_how, PK_BLOCK_SNI_ONLY);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *name, *value, *says;
	} bad[] = {
		{ "format", "xml", "format must be" }, { "kind", "deny", "kind must be" },
		{ "mode", "on", "mode must be" },      { "wide", "yes", "wide must be" },
		{ "skip_bad", "2", "skip_bad must" },  { "force_cover", "x", "force_cover takes" },
		{ "ttl", "0", "ttl must be" },         { "ttl", "-1", "ttl must be" },
		{ "ttl", "999999999999", "ttl must" }, { "dir", "up", "dir must be" },
		{ "proto", "256", "proto must be" },   { "port", "0", "port must be" },
		{ "sni_only", "x", "sni_only must" },  { "refuse_query", "x", "refuse_query must" },
		{ "confirm", "60", "no such option" },
	};
	struct pk_list_treat t;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++) {
		const char *said;

		pk_list_treat_init(&t);
		said = pk_list_treat_set(&t, bad[i].name, bad[i].value);
		assert_non_null(said);
		assert_non_null(strstr(said, bad[i].says));
	}
	pk_list_treat_init(&t);
	assert_null(pk_list_treat_set(&t, "kind", "allow"));
	assert_null(pk_list_treat_set(&t, "sni_only", "1"));
	assert_non_null(pk_list_treat_end(&t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_option_does_what_it_says),
		cmocka_unit_test(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
