/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests for single blocks: what each member does, and that nothing wrong passes. */
#include "api/blocks.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pk_blocks *read_body(const char *text, int want)
{
	static struct pk_blocks b; /* large */

	if (pk_blocks_read(text, strlen(text), 1000, &b) != want)
		fail_msg("%s: %s", text, b.error);
	return &b;
}

static void targets_and_limits(void **state)
{
	struct pk_blocks *b = read_body(
		"{\"targets\":[\"192.0.2.7\",\"10.0.0.0/8\",\"2001:db8::/32\"],\"ttl\":60,"
		"\"dir\":\"in\",\"proto\":\"tcp\",\"port\":\"22-23\",\"iface\":\"eth0\","
		"\"reason\":\"why\",\"list\":\"l\",\"wide\":true,\"force_cover\":[\"10.0.0.1\"]}",
		0);
	char text[PK_PREFIX_TEXT];

	(void)state;
	assert_int_equal(b->n, 3);
	assert_string_equal(pk_limits_prefix(&b->v[1], text), "10.0.0.0/8");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(b->v[i].dir, PK_BLK_IN);
		assert_int_equal(b->v[i].proto, 6);
		assert_int_equal(b->v[i].port_lo, 22);
		assert_int_equal(b->v[i].port_hi, 23);
		assert_int_equal(b->v[i].expires_ms, 61000);
	}
	assert_string_equal(b->ask.list, "l");
	assert_string_equal(b->iface, "eth0");
	assert_string_equal(b->reason, "why");
	assert_true(b->ask.wide);
	assert_int_equal(b->ask.n_force, 1);
	pk_blocks_done(b);
	b = read_body("{\"targets\":[\"192.0.2.7\"]}", 0);
	assert_string_equal(b->ask.list, "manual");
	assert_int_equal(b->ask.mode, -1);
	assert_int_equal(b->v[0].dir, PK_BLK_IN | PK_BLK_OUT);
	assert_int_equal(b->v[0].expires_ms, 0);
	pk_blocks_done(b);
	b = read_body("{\"targets\":[\"192.0.2.7\"],\"allow\":true}", 0);
	assert_string_equal(b->ask.list, "allowed");
	assert_true(b->ask.allow);
	pk_blocks_done(b);
}

static void ranges_become_prefixes(void **state)
{
	struct pk_blocks *b = read_body("{\"targets\":[\"192.0.2.1-192.0.2.6\"]}", 0);
	char text[PK_PREFIX_TEXT];

	(void)state;
	assert_int_equal(b->n, 4);
	assert_string_equal(pk_limits_prefix(&b->v[0], text), "192.0.2.1");
	assert_string_equal(pk_limits_prefix(&b->v[1], text), "192.0.2.2/31");
	assert_string_equal(pk_limits_prefix(&b->v[2], text), "192.0.2.4/31");
	assert_string_equal(pk_limits_prefix(&b->v[3], text), "192.0.2.6");
	pk_blocks_done(b);
}

static void processes(void **state)
{
	struct pk_blocks *b =
		read_body("{\"who\":{\"exe\":\"/usr/bin/curl\"},\"to\":\"10.0.0.0/8\"}", 0);

	(void)state;
	assert_int_equal(b->proc.kind, PK_BLOCK_EXE);
	assert_string_equal(b->proc.name, "/usr/bin/curl");
	assert_int_equal(b->n, 1);
	assert_int_equal(b->v[0].bits, 104);
	pk_blocks_done(b);
	b = read_body("{\"who\":{\"user\":\"www-data\"}}", 0);
	assert_int_equal(b->proc.kind, PK_BLOCK_USER);
	assert_int_equal(b->n, 1);
	assert_int_equal(b->v[0].bits, 0);
	pk_blocks_done(b);
}

static void automatic(void **state)
{
	struct pk_blocks *b = read_body("{\"targets\":[\"192.0.2.7\"],\"ttl\":60,\"reason\":\"r\","
					"\"auto\":{\"alert\":\"A1\",\"evidence\":\"established\"}}",
					0);

	(void)state;
	assert_true(b->is_auto);
	assert_string_equal(b->automatic.alert, "A1");
	assert_int_equal(b->automatic.evidence, PK_BLOCK_ESTABLISHED);
	assert_string_equal(b->automatic.reason, "r");
	assert_null(b->automatic.list);
	pk_blocks_done(b);
}

static void wrong_ones(void **state)
{
	static const struct {
		const char *body, *says;
	} cases[] = {
		{ "", "not JSON" },
		{ "[]", "must be an object" },
		{ "{}", "targets must be" },
		{ "{\"targets\":[]}", "targets must be" },
		{ "{\"targets\":[7]}", "must be texts" },
		{ "{\"targets\":[\"10.0.0.1\"],\"tll\":5}", "no member \"tll\"" },
		{ "{\"targets\":[\"10.0.0.1\"],\"targets\":[]}", "not JSON" },
		{ "{\"targets\":[\"evil.example\"],\"proto\":\"tcp\"}", "go with addresses" },
		{ "{\"targets\":[\"-bad.cafe\"]}", "begins or ends with -" },
		{ "{\"targets\":[\"192.0.2.1\"],\"sni_only\":true}", "with names only" },
		{ "{\"targets\":[\"10.0.0.256\"]}", "10.0.0.256: " },
		{ "{\"targets\":[\"10.0.0.1/33\"]}", "10.0.0.1/33: " },
		{ "{\"targets\":[\"10.0.0.1/8\"]}", "bits are set behind the prefix" },
		{ "{\"targets\":[\"10.0.0.1\"],\"ttl\":0}", "ttl must be" },
		{ "{\"targets\":[\"10.0.0.1\"],\"ttl\":\"1h\"}", "ttl must be" },
		{ "{\"targets\":[\"10.0.0.1\"],\"dir\":\"up\"}", "dir must be" },
		{ "{\"targets\":[\"10.0.0.1\"],\"proto\":\"x\"}", "proto must be" },
		{ "{\"targets\":[\"10.0.0.1\"],\"proto\":6}", "proto must be text" },
		{ "{\"targets\":[\"10.0.0.1\"],\"port\":\"0\"}", "port must be" },
		{ "{\"targets\":[\"10.0.0.1\"],\"wide\":1}", "wide must be" },
		{ "{\"targets\":[\"10.0.0.1\"],\"force_cover\":[\"x\"]}", "force_cover must be" },
		{ "{\"targets\":[\"10.0.0.1\"],\"to\":\"10.0.0.0/8\"}", "goes with who" },
		{ "{\"targets\":[\"10.0.0.1\"],\"who\":{\"exe\":\"/x\"}}", "do not go together" },
		{ "{\"who\":{}}", "one member" },
		{ "{\"who\":{\"pid\":\"1\"}}", "one member" },
		{ "{\"who\":{\"exe\":\"/x\"},\"dir\":\"in\"}", "dir in" },
		{ "{\"targets\":[\"10.0.0.1\"],\"auto\":{}}", "alert and evidence" },
		{ "{\"targets\":[\"10.0.0.1\"],\"auto\":{\"alert\":\"a\",\"evidence\":\"udp\"}}",
		  "needs a ttl" },
		{ "{\"targets\":[\"10.0.0.1\"],\"ttl\":9,\"wide\":true,"
		  "\"auto\":{\"alert\":\"a\",\"evidence\":\"udp\"}}",
		  "neither forced nor wide" },
		{ "{\"targets\":[\"0.0.0.1-255.255.255.254\",\"1.0.0.1-254.255.255.254\","
		  "\"2.0.0.1-253.255.255.254\",\"3.0.0.1-252.255.255.254\",\"::1-f::\"]}",
		  ": " },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		struct pk_blocks *b = read_body(cases[i].body, -EINVAL);

		if (!strstr(b->error, cases[i].says))
			fail_msg("%s: %s", cases[i].body, b->error);
		pk_blocks_done(b);
	}
}

static void names(void **state)
{
	struct pk_blocks *b = read_body("{\"targets\":[\"Evil.Example.\",\"192.0.2.1\",\"b\xc3\xbc"
					"cher.example\"],\"ttl\":60}",
					0);

	(void)state;
	assert_int_equal(b->n, 3);
	assert_string_equal(b->name[0], "evil.example");
	assert_null(b->name[1]);
	assert_string_equal(b->name[2], "xn--bcher-kva.example");
	assert_int_equal(b->v[0].expires_ms, 61000);
	assert_int_equal(b->how, 0);
	pk_blocks_done(b);
	b = read_body("{\"targets\":[\"evil.example\"],\"sni_only\":true,\"refuse_query\":true}",
		      0);
	assert_int_equal(b->how, PK_BLOCK_SNI_ONLY | PK_BLOCK_REFUSE);
	pk_blocks_done(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_and_limits), cmocka_unit_test(ranges_become_prefixes),
		cmocka_unit_test(processes),          cmocka_unit_test(automatic),
		cmocka_unit_test(wrong_ones),         cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("api/blocks_read", tests, NULL, NULL);
}
