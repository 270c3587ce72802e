/* SPDX-License-Identifier: Apache-2.0 */
/* Told once when it is old enough; not inside, not short ones. */
#include "see.h"

#include "flows.h"
#include "hidden.h"

#define HOUR (3600 * SEC)
#define LONG (12 * HOUR)
#define LATE (48 * HOUR) /* when the flood begins */

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

/* A report of a conversation that began so long before. */
static void talks(uint32_t dst, uint64_t age_ns, uint64_t now_ns)
{
	struct pk_flow_entry e = entry_of(&(struct talk){ .how = SESSION,
							  .src = IP(10, 0, 0, 5),
							  .dst = dst,
							  .dport = 443,
							  .at_ns = now_ns - age_ns,
							  .for_ns = age_ns,
							  .goes_on = true });

	pk_detect_see(seen.detect,
		      &(struct pk_see){ .kind = PK_SEE_FLOW, .now_ns = now_ns, .flow = &e });
}

/* Somebody holds very many connections open for very long, and opens many more. */
static void noise(uint64_t now_ns)
{
	for (unsigned i = 0; i < 1000; i++) {
		talks(IP(198, 51, 0, 0) | (hidden_random() & 0xffff), 2 * LONG, now_ns + LATE);
		talks(hidden_random() | 1u << 31, SEC, now_ns + LATE);
	}
}

/* One is long, one not long enough, one inside. */
static void play(uint64_t now_ns, unsigned second)
{
	if (second != 300)
		return;
	talks(IP(203, 0, 113, 9), LONG, now_ns + LATE);
	talks(IP(203, 0, 113, 10), LONG - SEC, now_ns + LATE);
	talks(IP(10, 0, 0, 9), 2 * LONG, now_ns + LATE);
}

static bool is_long(const struct pk_finding *f)
{
	return has_end(f, IP(203, 0, 113, 9));
}

static bool is_twin(const struct pk_finding *f)
{
	return has_end(f, IP(203, 0, 113, 10)) || has_end(f, IP(10, 0, 0, 9));
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "long_connection", noise, play, is_long, is_twin };

	(void)state;
	see_begin("long_connection");
	hidden_judge(&flood);
	see_end();
}

RUN(cmocka_unit_test(test_once), cmocka_unit_test(test_inside), cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_hidden_in_flood))
