/* SPDX-License-Identifier: Apache-2.0 */
/* Sums that grow are added once, to their destination; windows begin anew; memory has its bound. */
#include "see.h"

#include "flows.h"

#include "detect/flood.h"
#include "flow/aggregate.h"

static uint64_t judged, summed;

static void judge(struct pk_detect *d, const struct pk_memo_key *dst, struct pk_flood_row *r,
		  uint64_t now_ns)
{
	(void)d;
	(void)now_ns;
	assert_int_equal(dst->port, 80);
	judged++;
	summed = r->summed;
}

static void grow(struct pk_agg_table *t, uint16_t proto, uint64_t packets)
{
	struct pk_agg_key key = { .netns = 1, .dport = htons(80), .proto = proto };
	struct pk_agg sum = { .packets = packets, .bytes = packets * 60 };

	put_addr(key.dst, IP(10, 0, 0, 7));
	assert_int_equal(pk_agg_table_see(t, &key, &sum), 0);
}

static void test_sums(void **state)
{
	struct pk_agg_table *aggs = pk_agg_table_new(64, 8);
	struct pk_memory m = { 0 };
	void *f;

	(void)state;
	seen.world.aggs = aggs;
	see_begin("fileless"); /* this one is asked by hand */
	assert_int_equal(pk_flood_begin(seen.conf, &f), 0);
	grow(aggs, IPPROTO_TCP, 100);
	grow(aggs, IPPROTO_UDP, 5000);
	pk_flood_tick(seen.detect, f, IPPROTO_TCP, true, judge, SEC);
	assert_int_equal(summed, 100);
	grow(aggs, IPPROTO_TCP, 150);
	pk_flood_tick(seen.detect, f, IPPROTO_TCP, true, judge, 2 * SEC);
	pk_flood_tick(seen.detect, f, IPPROTO_TCP, true, judge, 3 * SEC);
	assert_int_equal(summed, 150);
	pk_flood_tick(seen.detect, f, IPPROTO_TCP, true, judge, 12 * SEC);
	pk_flood_tick(seen.detect, f, IPPROTO_TCP, true, judge, 13 * SEC);
	assert_int_equal(summed, 0); /* of the next window */
	assert_int_equal(judged, 5);
	pk_flood_memory(f, &m);
	assert_in_range(m.bytes, 1, pk_flood_bytes_max(seen.conf));
	pk_flood_done(f);
	see_end();
	pk_agg_table_free(aggs);
}

RUN(cmocka_unit_test(test_sums))
