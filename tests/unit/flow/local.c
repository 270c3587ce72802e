/* SPDX-License-Identifier: Apache-2.0 */
/* Own addresses, and which way a flow goes. */
#include "flow/local.h"

#include "base/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t *ip(const char *s)
{
	static uint8_t a[4][16];
	static int n;

	n = (n + 1) % 4;
	assert_int_equal(pk_ip_parse(s, a[n]), 0);
	return a[n];
}

static enum pk_direction way(const struct pk_local *l, const char *from, const char *to, int where)
{
	struct pk_flow f = { .key.netns = 1 };

	memcpy(f.key.addr[1], ip(from), 16);
	memcpy(f.key.addr[0], ip(to), 16);
	f.meta.initiator = 1;
	f.dir[1].where = where;
	return pk_local_direction(l, &f, 0);
}

static void test_direction(void **state)
{
	struct pk_local *l = pk_local_new(16, true);

	(void)state;
	assert_int_equal(way(l, "10.0.0.1", "10.0.0.2", PK_AT_EGRESS),
			 PK_DIR_OUT); /* by the hook */
	assert_int_equal(way(l, "10.0.0.1", "10.0.0.2", PK_AT_INGRESS), PK_DIR_IN);
	pk_local_add(l, 1, ip("10.0.0.1"), 120);
	pk_local_add(l, 1, ip("fd00::1"), 64);
	assert_int_equal(way(l, "10.0.0.1", "10.0.0.2", PK_AT_INGRESS), PK_DIR_OUT);
	assert_int_equal(way(l, "10.0.0.2", "10.0.0.1", PK_AT_INGRESS), PK_DIR_IN);
	assert_int_equal(way(l, "10.0.0.1", "fd00::1", PK_AT_INGRESS), PK_DIR_LOCAL);
	assert_int_equal(way(l, "127.0.0.1", "127.0.0.1", PK_AT_EGRESS), PK_DIR_LOCAL);
	assert_int_equal(way(l, "10.0.0.2", "10.0.0.3", PK_AT_INGRESS), PK_DIR_FORWARD);
	assert_int_equal(way(l, "10.0.0.2", "10.0.0.255", PK_AT_INGRESS),
			 PK_DIR_IN); /* broadcast */
	assert_int_equal(way(l, "10.0.0.2", "224.0.0.251", PK_AT_INGRESS), PK_DIR_IN);
	assert_int_equal(way(l, "fe80::2", "ff02::1", PK_AT_INGRESS), PK_DIR_IN);
	assert_int_equal(way(l, "10.0.0.2", "10.0.1.255", PK_AT_INGRESS), PK_DIR_FORWARD);
	{ /* the peer's socket, found in its own namespace, makes it no end of this one */
		struct pk_flow f = { .key.netns = 1, .own[1].cookie = 5, .meta.initiator = 0 };

		memcpy(f.key.addr[0], ip("10.0.0.1"), 16);
		memcpy(f.key.addr[1], ip("10.0.0.2"), 16);
		assert_int_equal(pk_local_direction(l, &f, 2), PK_DIR_OUT);
		assert_int_equal(pk_local_direction(l, &f, 0), PK_DIR_LOCAL);
	}
	pk_local_free(l);
	l = pk_local_new(16, false);
	assert_int_equal(way(l, "10.0.0.1", "10.0.0.2", PK_AT_EGRESS),
			 PK_DIR_UNKNOWN); /* a capture */
	pk_local_free(l);
}

static void test_set(void **state)
{
	struct pk_local *l = pk_local_new(4, true);

	(void)state;
	pk_local_add(l, 1, ip("10.0.0.1"), 128);
	pk_local_add(l, 1, ip("10.0.0.1"), 128); /* on two interfaces */
	assert_true(pk_local_has(l, 1, ip("10.0.0.1")));
	assert_false(pk_local_has(l, 2, ip("10.0.0.1")));
	pk_local_remove(l, 1, ip("10.0.0.1"), 128);
	assert_true(pk_local_has(l, 1, ip("10.0.0.1")));
	pk_local_remove(l, 1, ip("10.0.0.1"), 128);
	assert_false(pk_local_has(l, 1, ip("10.0.0.1")));
	pk_local_remove(l, 1, ip("10.0.0.1"), 128);
	for (int i = 0; i < 1000; i++) { /* places are used again */
		uint8_t a[16] = { [14] = i >> 8, [15] = i };

		pk_local_add(l, 3, a, 128);
		assert_true(pk_local_has(l, 3, a));
		pk_local_remove(l, 3, a, 128);
	}
	pk_local_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests_name("flow/local", tests, NULL, NULL);
}
