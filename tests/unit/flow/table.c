/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of totals: twice, late, out of order, too many; history, order, rates, counts. */
#include "flow/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000ull

static struct pk_flow_report report(uint64_t id, uint64_t ts, uint64_t packets, int final)
{
	struct pk_flow_report r = { .hdr = { .ts = ts, .size = sizeof(r), .type = PK_EV_FLOW } };

	r.final = final;
	r.why = final ? PK_REPORT_END : PK_REPORT_ACTIVE;
	r.flow.key.port[0] = id;
	r.flow.key.port[1] = 80;
	r.flow.key.proto = 6;
	r.flow.key.netns = id;
	r.flow.meta.id = id;
	r.flow.meta.start_ns = S;
	r.flow.dir[0] = (struct pk_flow_dir){ .packets = packets,
					      .bytes = packets * 100,
					      .where = PK_AT_EGRESS };
	r.flow.dir[1] = (struct pk_flow_dir){ .packets = packets,
					      .bytes = packets * 10,
					      .where = PK_AT_INGRESS };
	return r;
}

static struct pk_flow_entry *put(struct pk_flow_table *t, uint64_t id, uint64_t ts,
				 uint64_t packets, int final)
{
	struct pk_flow_report r = report(id, ts, packets, final);

	return pk_flow_table_update(t, &r);
}

static void test_idempotent(void **state)
{
	struct pk_flow_table *t = pk_flow_table_new(4, 4);
	const struct pk_flow_totals *sum = pk_flow_table_totals(t);
	struct pk_flow_entry *e = put(t, 1, 2 * S, 10, 0);

	(void)state;
	assert_non_null(e);
	assert_true(e->is_new);
	assert_int_equal(e->new_bytes[0], 1000);
	assert_int_equal(sum->bytes[0], 1000);
	assert_int_equal(sum->bytes[1], 100);
	assert_ptr_equal(put(t, 1, 2 * S, 10, 0), e); /* twice */
	assert_int_equal(sum->bytes[0], 1000);
	assert_ptr_equal(put(t, 1, 1 * S, 5, 0), e); /* late */
	assert_int_equal(e->flow.dir[0].packets, 10);
	assert_int_equal(e->new_bytes[0], 0);
	put(t, 1, 4 * S, 30, 0);
	assert_false(e->is_new);
	assert_int_equal(sum->bytes[0], 3000);
	assert_int_equal(sum->packets[0] + sum->packets[1], 60);
	assert_int_equal(sum->flows, 1);
	put(t, 1, 5 * S, 30, 1);
	assert_true(e->ended);
	assert_false(e->was_ended);
	put(t, 1, 6 * S, 30, 1);
	assert_true(e->was_ended);
	put(t, 1, 7 * S, 31, 0); /* a live report after the last one is old news */
	assert_true(e->ended);
	assert_int_equal(e->flow.dir[0].packets, 30);
	pk_flow_table_free(t);
}

static void test_rates(void **state)
{
	struct pk_flow_table *t = pk_flow_table_new(4, 4);
	struct pk_flow_entry *e = put(t, 1, 1 * S + S / 1000, 10, 0);

	(void)state;
	/* a flow of a millisecond: over a whole second, not a million a second */
	assert_int_equal(pk_flow_rate_bytes(e, 0, 2 * S, 5 * S), 1000);
	put(t, 1, 3 * S + S / 1000, 30, 0);
	assert_int_equal(pk_flow_rate_bytes(e, 0, 4 * S, 5 * S), 1000);
	assert_int_equal(pk_flow_rate_packets(e, 1, 4 * S, 5 * S), 10);
	assert_int_equal(pk_flow_rate_bytes(e, 0, 9 * S, 5 * S), 0); /* silent since */
	pk_flow_table_free(t);
}

static void test_bounds(void **state)
{
	struct pk_flow_table *t = pk_flow_table_new(100, 10);
	struct pk_table_use_count live, ended;
	uint64_t n = 0;

	(void)state;
	for (uint64_t id = 1; id <= 120; id++)
		assert_true(!put(t, id, id * S, 1, 0) == (id > 100));
	pk_flow_table_counts(t, &live, &ended);
	assert_int_equal(live.used, 100);
	assert_int_equal(live.refused, 20);
	for (struct pk_flow_entry *e = NULL; (e = pk_flow_table_live(t, e)); n++)
		assert_int_equal(e->flow.meta.id, 100 - n); /* latest report first */
	assert_int_equal(n, 100);
	for (uint64_t id = 1; id <= 30; id++)
		put(t, id, 200 * S + id, 2, 1);
	pk_flow_table_counts(t, &live, &ended);
	assert_int_equal(live.used, 70);
	assert_int_equal(ended.used, 10);
	assert_int_equal(ended.evicted, 20);
	assert_null(pk_flow_table_find(t, 20));
	assert_non_null(pk_flow_table_find(t, 21));
	assert_int_equal(pk_flow_table_ended(t, NULL)->flow.meta.id, 30);
	/* short flows for ever: each new one is kept, the oldest leaves */
	for (uint64_t id = 1000; id < 2000; id++)
		assert_non_null(put(t, id, 300 * S + id, 1, 1));
	assert_non_null(pk_flow_table_find(t, 1999));
	assert_null(pk_flow_table_find(t, 1989));
	assert_non_null(pk_flow_table_find(t, 100)); /* live flows are never evicted */
	pk_flow_table_free(t);
}

static uint64_t forgotten[2000];
static size_t forgot;

static void on_forgot(void *arg, uint64_t id)
{
	assert_null(arg);
	forgotten[forgot++ % 2000] = id;
}

static void test_forgotten(void **state)
{
	struct pk_flow_table *t = pk_flow_table_new(100, 10);

	(void)state;
	pk_flow_table_on_forget(t, on_forgot, NULL);
	for (uint64_t id = 1; id <= 30; id++)
		put(t, id, id * S, 1, 1);
	assert_int_equal(forgot, 20);
	for (size_t i = 0; i < forgot; i++)
		assert_int_equal(forgotten[i], i + 1); /* each once, the oldest first */
	pk_flow_table_free(t);
	assert_int_equal(forgot, 20); /* the end of the table is no news */
}

static void test_same_tuple(void **state)
{
	struct pk_flow_table *t = pk_flow_table_new(10, 10);
	struct pk_flow_report a = report(1, S, 1, 0), b = report(1, S, 1, 0),
			      c = report(2, S, 1, 0);
	struct pk_flow_entry *e;

	(void)state;
	b.flow.meta.id = 9; /* the same ends in another namespace */
	b.flow.key.netns = 99;
	pk_flow_table_update(t, &a);
	pk_flow_table_update(t, &b);
	pk_flow_table_update(t, &c);
	e = pk_flow_table_same(t, &a.flow.key, NULL);
	assert_int_equal(e->flow.meta.id, 9);
	e = pk_flow_table_same(t, &a.flow.key, e);
	assert_int_equal(e->flow.meta.id, 1);
	assert_null(pk_flow_table_same(t, &a.flow.key, e));
	pk_flow_table_free(t);
}

static void test_owner_stays(void **state)
{
	struct pk_flow_table *t = pk_flow_table_new(10, 10);
	struct pk_flow_entry *e = put(t, 1, S, 1, 0);
	struct pk_flow_report r = report(1, 3 * S, 3, 0);

	(void)state;
	pk_flow_entry_count(e);
	assert_int_equal(e->counted[0].tgid, 0);
	e->flow.own[0] = (struct pk_owner){ .user = { 5, 42, 0 }, .cookie = 7 }; /* joined */
	e->joined = PK_FLOW_JOINED(0);
	put(t, 1, 2 * S, 2, 0);
	assert_int_equal(e->flow.own[0].user.tgid, 42);
	pk_flow_entry_count(e);
	assert_int_equal(e->counted[0].tgid, 42);
	r.flow.own[0] = (struct pk_owner){ .user = { 6, 43, 0 }, .cookie = 8 };
	pk_flow_table_update(t, &r);
	assert_int_equal(e->flow.own[0].user.tgid, 43); /* the kernel knows better */
	assert_int_equal(e->joined, 0);
	pk_flow_entry_count(e);
	assert_int_equal(e->counted_before[0].tgid, 42);
	assert_int_equal(e->counted[0].tgid, 43);
	pk_flow_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idempotent), cmocka_unit_test(test_rates),
		cmocka_unit_test(test_bounds),     cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_same_tuple), cmocka_unit_test(test_owner_stays),
	};

	return cmocka_run_group_tests_name("flow/table", tests, NULL, NULL);
}
