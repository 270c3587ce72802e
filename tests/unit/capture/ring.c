/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/ring.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static _Alignas(8) uint8_t room[sizeof(struct pk_sample) + PK_SAMPLE_DATA_MAX];

/* A packet whose bytes tell which one it is. */
static const struct pk_sample *packet(uint64_t n, uint32_t len)
{
	struct pk_sample *s = (void *)room;

	*s = (struct pk_sample){ .flow = n % 3 + 1, .data_len = len, .frame_len = len };
	s->hdr.ts = n;
	memset(room + sizeof(*s), (int)(n & 0xff), len);
	return s;
}

static void check(const struct pk_sample *s, uint64_t n, uint32_t len)
{
	const uint8_t *data = (const void *)(s + 1);

	assert_int_equal(s->hdr.ts, n);
	assert_int_equal(s->data_len, len);
	for (uint32_t i = 0; i < len; i += 7)
		assert_int_equal(data[i], n & 0xff);
}

/* Rings and packets of every size around the wrap: what is kept is whole, the latest, in order. */
static void test_wrap_at_every_size(void **state)
{
	(void)state;
	for (size_t size = 4096; size < 4096 + 256; size += 8)
		for (uint32_t len = 0; len < 70; len += 3) {
			struct pk_packet_ring *r = pk_packet_ring_new(size);
			struct pk_packet_counts n;
			uint64_t seen = 0, first = 0;

			assert_non_null(r);
			for (uint64_t i = 1; i <= 200; i++)
				assert_true(pk_packet_ring_add(r, packet(i, len + i % 5),
							       PK_PACKET_NONE));
			for (uint64_t at = 0; (at = pk_packet_ring_next(r, at));) {
				const struct pk_sample *s = pk_packet_ring_at(r, at);

				assert_non_null(s);
				first = first ? first : s->hdr.ts;
				check(s, first + seen, len + (first + seen) % 5);
				seen++;
			}
			pk_packet_ring_counts(r, &n);
			assert_int_equal(first + seen - 1, 200);
			assert_int_equal(n.packets, seen);
			assert_int_equal(n.taken, 200);
			assert_int_equal(n.gone, 200 - seen);
			assert_int_equal(n.oldest_ns, first);
			assert_true(n.bytes <= n.max && n.max == size);
			/* no more was thrown away than one packet and the end of the ring need */
			assert_true(n.bytes + 3 * (sizeof(struct pk_sample) + 16 + 80) > n.max);
			pk_packet_ring_free(r);
		}
}

/* Against a plain list, with packets of all sizes, also such as never fit. */
static void test_against_list(void **state)
{
	enum { N = 4000, SIZE = 100000 };
	struct pk_packet_ring *r = pk_packet_ring_new(SIZE);
	static uint64_t position[N], last[4];
	static uint32_t lens[N], before[N];
	struct pk_packet_counts n;
	uint64_t refused = 0;

	(void)state;
	srand(5);
	for (uint32_t i = 0; i < N; i++) {
		uint32_t len = rand() % (i % 50 ? 300 : PK_SAMPLE_DATA_MAX + 1);
		const struct pk_sample *s = packet(i, len);

		lens[i] = len;
		position[i] = pk_packet_ring_add(r, s, last[s->flow]);
		refused += !position[i];
		if (!position[i])
			continue;
		before[i] = (uint32_t)last[s->flow];
		last[s->flow] = position[i];
		for (uint32_t k = i > 40 ? i - 40 : 0; k <= i; k++) {
			const struct pk_sample *was =
				position[k] ? pk_packet_ring_at(r, position[k]) : NULL;

			if (!was)
				continue;
			check(was, k, lens[k]);
			if (pk_packet_ring_before(r, position[k]))
				assert_int_equal(pk_packet_ring_before(r, position[k]), before[k]);
			else
				assert_null(before[k] ? pk_packet_ring_at(r, before[k]) : NULL);
		}
	}
	pk_packet_ring_counts(r, &n);
	assert_int_equal(n.refused, refused);
	assert_int_equal(n.taken + n.refused, N);
	pk_packet_ring_free(r);
}

/* The links of a flow lead through all of it that is kept, latest first, and end. */
static void test_links(void **state)
{
	struct pk_packet_ring *r = pk_packet_ring_new(8192);
	uint64_t last[4] = { 0 }, at, steps = 0, n = 0;

	(void)state;
	for (uint64_t i = 0; i < 500; i++) {
		const struct pk_sample *s = packet(i, 40);

		last[s->flow] = pk_packet_ring_add(r, s, last[s->flow]);
	}
	for (at = 0; (at = pk_packet_ring_next(r, at));)
		n += pk_packet_ring_at(r, at)->flow == 2;
	for (at = last[2]; at; at = pk_packet_ring_before(r, at), steps++)
		assert_int_equal(pk_packet_ring_at(r, at)->flow, 2);
	assert_int_equal(steps, n);
	assert_true(n > 10);
	pk_packet_ring_free(r);
}

static void test_positions(void **state)
{
	struct pk_packet_ring *r = pk_packet_ring_new(0); /* the smallest there is */
	struct pk_packet_counts n;
	uint64_t a, b, top;

	(void)state;
	assert_int_equal(pk_packet_ring_next(r, PK_PACKET_NONE), PK_PACKET_NONE);
	assert_null(pk_packet_ring_at(r, PK_PACKET_NONE));
	assert_null(pk_packet_ring_at(r, 4096));
	pk_packet_ring_counts(r, &n);
	assert_int_equal(n.max, 4096);
	assert_int_equal(n.oldest_ns, 0);
	top = pk_packet_ring_top(r);
	a = pk_packet_ring_add(r, packet(1, 10), PK_PACKET_NONE);
	assert_true(a >= top);
	top = pk_packet_ring_top(r);
	b = pk_packet_ring_add(r, packet(2, 3500), a);
	assert_true(b >= top);
	assert_int_equal(pk_packet_ring_before(r, b), a);
	assert_true(pk_packet_ring_add(r, packet(3, 3500), b) > b);
	assert_null(pk_packet_ring_at(r, a)); /* gone, and known to be */
	assert_null(pk_packet_ring_at(r, b));
	assert_int_equal(pk_packet_ring_before(r, b), PK_PACKET_NONE);
	/* a walk that was overtaken goes on with what is left */
	assert_int_equal(pk_packet_ring_at(r, pk_packet_ring_next(r, a))->hdr.ts, 3);
	assert_int_equal(pk_packet_ring_next(r, UINT64_MAX), PK_PACKET_NONE);
	assert_int_equal(pk_packet_ring_add(r, packet(4, 4000), PK_PACKET_NONE), PK_PACKET_NONE);
	pk_packet_ring_free(r);
	pk_packet_ring_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap_at_every_size),
		cmocka_unit_test(test_against_list),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_positions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
