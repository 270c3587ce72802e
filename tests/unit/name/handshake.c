/* SPDX-License-Identifier: Apache-2.0 */
/* Connections by flow: zeroed when new, the one not touched longest makes room. */
#include "name/handshake.h"

#include "decode/quic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_handshakes(void **state)
{
	struct pk_handshakes *h = pk_handshakes_new(4);
	struct pk_handshakes_count n;
	struct pk_quic_conn *c;

	(void)state;
	assert_null(pk_handshakes_make(h, 0));
	for (uint64_t flow = 1; flow <= 4; flow++) {
		c = pk_handshakes_make(h, flow);
		c->opened = (uint32_t)flow;
	}
	assert_int_equal(pk_handshakes_find(h, 1)->opened, 1);
	assert_ptr_equal(pk_handshakes_make(h, 1), pk_handshakes_find(h, 1));
	c = pk_handshakes_make(h, 5); /* instead of 2 */
	assert_int_equal(c->opened, 0);
	assert_null(pk_handshakes_find(h, 2));
	pk_handshakes_counts(h, &n);
	assert_int_equal(n.used, 4);
	assert_int_equal(n.evicted, 1);
	pk_handshakes_drop(h, 3);
	pk_handshakes_drop(h, 3);
	pk_handshakes_counts(h, &n);
	assert_int_equal(n.used, 3);
	assert_int_equal(pk_handshakes_make(h, 6)->opened, 0); /* used memory comes back clean */
	assert_int_equal(pk_handshakes_find(h, 4)->opened, 4);
	pk_handshakes_free(h);
	pk_handshakes_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_handshakes) };

	return cmocka_run_group_tests_name("name/handshake", tests, NULL, NULL);
}
