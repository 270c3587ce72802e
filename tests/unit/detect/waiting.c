/* SPDX-License-Identifier: Apache-2.0 */
/* A finding waits for the report of its flow and has its process then; it does not wait where there
 * is nothing to wait for, nor for long, nor in any number. */
#include "detect/waiting.h"

#include "detect/detect.h"
#include "flow/local.h"
#include "flow/table.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOW 5000000000ull

static const struct pk_flow_key key = {
	.addr = { { 10, 1 }, { 10, 2 } },
	.port = { 0x1111, 0x3500 },
	.netns = 3,
	.proto = IPPROTO_UDP,
};

static struct {
	struct pk_world world;
	struct pk_waiting *q;
	size_t n;
	struct pk_finding last;
} t;

static void on_found(void *arg, struct pk_finding *f)
{
	(void)arg;
	t.n++;
	t.last = *f;
}

static int begin(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.world.flows = pk_flow_table_new(16, 16);
	t.world.local = pk_local_new(16, true);
	pk_local_add(t.world.local, 3, key.addr[0], 128);
	t.q = pk_waiting_new(&t.world, on_found, NULL);
	return t.q ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	pk_waiting_free(t.q);
	pk_flow_table_free(t.world.flows);
	pk_local_free(t.world.local);
	return 0;
}

static void find(uint64_t flow, const char *name)
{
	struct pk_finding f = { 0 };

	pk_finding_flow(&f, &key, flow, 0, 1);
	strcpy(f.name, name);
	pk_waiting_take(t.q, &f, NOW);
}

static void report(uint64_t flow, uint32_t tgid)
{
	struct pk_flow_report r = { .flow = { .key = key, .meta = { .id = flow } } };

	r.flow.own[0].user = (struct pk_proc_id){ .tgid = tgid, .start_ns = 1 };
	assert_non_null(pk_flow_table_update(t.world.flows, &r));
	pk_waiting_flow(t.q, flow);
}

static void test_waits(void **state)
{
	(void)state;
	find(5, "a.example");
	find(6, "b.example");
	find(5, "c.example");
	assert_int_equal(t.n, 0);
	report(6, 66);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.last.procs, 1);
	assert_int_equal(t.last.proc[0].tgid, 66);
	assert_string_equal(t.last.name, "b.example");
	report(5, 55);
	assert_int_equal(t.n, 3); /* both of it, in their order */
	assert_string_equal(t.last.name, "c.example");
	assert_int_equal(t.last.proc[0].tgid, 55);
	pk_waiting_tick(t.q, UINT64_MAX);
	assert_int_equal(t.n, 3);
}

static void test_does_not_wait(void **state)
{
	struct pk_finding f = { 0 };

	(void)state;
	find(0, "in no flow");
	assert_int_equal(t.n, 1);
	report(7, 0);
	find(7, "reported, and nobody owns it");
	assert_int_equal(t.n, 2);
	report(8, 88);
	pk_finding_flow(&f, &key, 8, 0, 1);
	pk_waiting_take(t.q, &f, NOW); /* known already */
	assert_int_equal(t.n, 3);
	f.key.netns = 4;
	pk_waiting_take(t.q, &f, NOW); /* neither end is here */
	assert_int_equal(t.n, 4);
	memset(&f, 0, sizeof(f));
	pk_waiting_take(t.q, &f, NOW); /* of no flow at all */
	assert_int_equal(t.n, 5);
}

/* The server is known at once, by its port; it is about the client. */
static void test_order(void **state)
{
	struct pk_finding f = { 0 };

	(void)state;
	pk_finding_flow(&f, &key, 5, 0, 1);
	pk_finding_proc(&f, &(struct pk_proc_id){ .tgid = 9, .start_ns = 1 });
	pk_waiting_take(t.q, &f, NOW);
	assert_int_equal(t.n, 0);
	report(5, 55);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.last.procs, 2);
	assert_int_equal(t.last.proc[0].tgid, 55);
	assert_int_equal(t.last.proc[1].tgid, 9);
}

static void test_not_for_long(void **state)
{
	(void)state;
	find(5, "a.example");
	pk_waiting_tick(t.q, NOW + PK_WAITING_NS - 1);
	assert_int_equal(t.n, 0);
	pk_waiting_tick(t.q, NOW + PK_WAITING_NS);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.last.procs, 0);
	report(5, 55); /* too late: it is not said twice */
	assert_int_equal(t.n, 1);
}

static void test_not_any_number(void **state)
{
	(void)state;
	find(1, "first");
	find(2, "second");
	report(2, 22);
	for (uint64_t i = 0; i < PK_WAITING_MAX + 10; i++)
		find(100 + i, "more");
	assert_int_equal(t.n, 1 + 1 + 10); /* the second, the first, ten more */
	assert_int_equal(pk_waiting_hurried(t.q), 11);
	pk_waiting_tick(t.q, UINT64_MAX);
	assert_int_equal(t.n, 2 + PK_WAITING_MAX + 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_waits, begin, end),
		cmocka_unit_test_setup_teardown(test_does_not_wait, begin, end),
		cmocka_unit_test_setup_teardown(test_order, begin, end),
		cmocka_unit_test_setup_teardown(test_not_for_long, begin, end),
		cmocka_unit_test_setup_teardown(test_not_any_number, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
