/* SPDX-License-Identifier: Apache-2.0 */
/* A clsact qdisc that we made goes when it is empty, and stays when others use it. */
#include "probe/device.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define LO 1 /* in a namespace of our own */

static void detach_ours(void)
{
	struct pk_device d;

	pk_device_init(&d);
	d.ifindex = LO;
	d.made_clsact = true;
	pk_device_detach(&d);
}

static int has(const char *what)
{
	return system(what) == 0;
}

static int own_namespace(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET) || system("tc qdisc add dev lo clsact");
}

static void an_empty_qdisc_goes(void **state)
{
	(void)state;
	assert_true(has("tc qdisc show dev lo | grep -q clsact"));
	detach_ours();
	assert_false(has("tc qdisc show dev lo | grep -q clsact"));
}

static void a_filter_of_others_stays(void **state)
{
	static const char *const sides[] = { "ingress", "egress" };
	char cmd[128];

	(void)state;
	for (int i = 0; i < 2; i++) {
		snprintf(cmd, sizeof(cmd),
			 "tc filter add dev lo %s prio 7 protocol ip u32 match u32 0 0", sides[i]);
		assert_int_equal(system(cmd), 0);
		detach_ours();
		snprintf(cmd, sizeof(cmd), "tc filter show dev lo %s | grep -q 'pref 7'", sides[i]);
		assert_true(has(cmd));
		snprintf(cmd, sizeof(cmd), "tc filter del dev lo %s prio 7", sides[i]);
		assert_int_equal(system(cmd), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_qdisc_goes, own_namespace),
		cmocka_unit_test_setup(a_filter_of_others_stays, own_namespace),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
