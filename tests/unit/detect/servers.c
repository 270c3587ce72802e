/* SPDX-License-Identifier: Apache-2.0 */
/* A second one while the first is heard; none across networks; strangers do not push the first out.
 */
#include "detect/servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_second(void **state)
{
	struct pk_servers *t = pk_servers_new();
	struct pk_segment net = { .netns = 1, .ifindex = 2 },
			  other_net = { .netns = 1, .ifindex = 3 };
	struct pk_server a = { .addr = { 1 }, .terms = 5 }, b = { .addr = { 2 }, .terms = 6 },
			 other;

	(void)state;
	assert_false(pk_servers_take(t, &net, &a, 100, 50, &other));
	assert_false(pk_servers_take(t, &other_net, &b, 110, 50, &other));
	assert_true(pk_servers_take(t, &net, &b, 120, 50, &other));
	assert_int_equal(other.addr[0], 1);
	assert_false(pk_servers_take(t, &net, &b, 121, 50, &other)); /* told */
	b.addr[0] = 3;
	assert_false(pk_servers_take(t, &net, &b, 1000, 50, &other)); /* a is long gone */
	assert_true(pk_servers_take(t, &net, &a, 1010, 50, &other));
	assert_int_equal(other.addr[0], 3);
	pk_servers_free(t);
}

static void test_bound(void **state)
{
	struct pk_servers *t = pk_servers_new();
	struct pk_server s = { .addr = { 1 } }, other;
	struct pk_segment net = { 0 };
	struct pk_memory m = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		memcpy(s.addr + 4, &i, sizeof(i));
		net.ifindex = i % 5000;
		if (pk_servers_take(t, &net, &s, i + 1, ~0ull, &other))
			assert_int_equal(other.first_ns % 5000, (i % 5000) + 1);
	}
	pk_servers_memory(t, &m);
	assert_true(m.bytes <= pk_servers_bytes_max());
	for (uint32_t i = 0; i < 100; i++) {
		memcpy(s.addr + 4, &i, sizeof(i));
		net.ifindex = 7777;
		(void)pk_servers_take(t, &net, &s, 200000 + i, ~0ull, &other);
	}
	assert_int_equal(other.first_ns,
			 200020); /* taken in once heard of more often than the others */
	pk_servers_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
