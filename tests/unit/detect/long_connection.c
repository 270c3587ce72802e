/* SPDX-License-Identifier: Apache-2.0 */
/* Told once when it is old enough; not inside, not short ones. */
#include "see.h"

#include "flows.h"

#define HOUR (3600 * SEC)

static struct pk_flow_entry entry;

static void report(uint32_t dst, uint64_t age_ns)
{
	struct talk t = { .how = SESSION,
			  .src = IP(10, 0, 0, 5),
			  .dst = dst,
			  .dport = 443,
			  .at_ns = SEC,
			  .goes_on = true };

	if (entry.flow.meta.id == 0)
		entry = entry_of(&t);
	entry.flow.dir[0].last_ns = entry.flow.dir[1].last_ns = SEC + age_ns;
	pk_detect_see(
		seen.detect,
		&(struct pk_see){ .kind = PK_SEE_FLOW, .now_ns = SEC + age_ns, .flow = &entry });
}

static void test_once(void **state)
{
	(void)state;
	entry = (struct pk_flow_entry){ 0 };
	see_begin("long_connection");
	for (unsigned h = 1; h < 12; h++)
		report(IP(203, 0, 113, 9), h * HOUR);
	assert_int_equal(seen.n, 0);
	for (unsigned h = 12; h < 48; h++)
		report(IP(203, 0, 113, 9), h * HOUR);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_LOW);
	check_words(&seen.finding[0]);
	see_end();
}

static void test_inside(void **state)
{
	(void)state;
	entry = (struct pk_flow_entry){ 0 };
	see_begin("long_connection");
	report(IP(10, 0, 0, 9), 48 * HOUR);
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_bytes(void **state)
{
	(void)state;
	see_begin("long_connection");
	for (unsigned i = 0; i < 100000; i++) {
		entry = (struct pk_flow_entry){ 0 };
		report(IP(203, 0, 113, 9), 48 * HOUR);
	}
	check_bytes("long_connection");
	see_end();
}

RUN(cmocka_unit_test(test_once), cmocka_unit_test(test_inside), cmocka_unit_test(test_bytes))
