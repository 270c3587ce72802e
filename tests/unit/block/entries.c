/* SPDX-License-Identifier: Apache-2.0 */
/* Sorted entries in pieces: random changes against an array that is searched. */
#include "block/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 6000

static uint64_t state = 3;

static unsigned draw(unsigned below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state % below);
}

static struct pk_block_entry entry(unsigned n)
{
	struct pk_block_entry e = { .bits = 128, .v4 = 1, .dir = 3 };

	e.prefix[10] = e.prefix[11] = 0xff;
	e.prefix[14] = (uint8_t)(n >> 8);
	e.prefix[15] = (uint8_t)n;
	e.id = n;
	return e;
}

static void check(const struct pk_entries *s, const bool in[MOST])
{
	struct pk_entries_at at = { 0 };
	const struct pk_block_entry *e;
	unsigned n = 0;

	for (unsigned i = 0; i < MOST; i++) {
		if (!in[i])
			continue;
		e = pk_entries_get(s, at);
		assert_non_null(e);
		assert_int_equal(e->id, i);
		pk_entries_next(s, &at);
		n++;
	}
	assert_null(pk_entries_get(s, at));
	assert_int_equal(s->n, n);
}

static void run(unsigned start)
{
	struct pk_block_entry *v = calloc(start ? start : 1, sizeof(*v)), e;
	struct pk_entries s = { 0 };
	bool in[MOST] = { false };

	for (unsigned i = 0; i < start; i++) {
		v[i] = entry(i * 2);
		in[i * 2] = true;
	}
	assert_int_equal(pk_entries_take(&s, v, start), 0);
	check(&s, in);
	for (unsigned round = 0; round < 30000; round++) {
		unsigned i = draw(MOST), want = i;

		e = entry(i);
		assert_int_equal(pk_entries_find(&s, &e) != NULL, in[i]);
		if (in[i])
			pk_entries_remove(&s, pk_entries_from(&s, &e));
		else if (round % 3 || start)
			assert_int_equal(pk_entries_insert(&s, &e), 0);
		else
			continue;
		in[i] = !in[i];
		while (want < MOST && !in[want])
			want++;
		if (want < MOST)
			assert_int_equal(pk_entries_get(&s, pk_entries_from(&s, &e))->id, want);
		else
			assert_null(pk_entries_get(&s, pk_entries_from(&s, &e)));
		if (round % 1000 == 0)
			check(&s, in);
	}
	check(&s, in);
	for (unsigned i = 0; i < MOST; i++) {
		e = entry(i);
		if (in[i])
			pk_entries_remove(&s, pk_entries_from(&s, &e));
		in[i] = false;
	}
	check(&s, in);
	e = entry(7);
	assert_int_equal(pk_entries_insert(&s, &e), 0);
	pk_entries_done(&s);
}

static void test_random(void **st)
{
	static const unsigned starts[] = { 0, 1, 511, 512, 513, 2000, 3000 };

	(void)st;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		run(starts[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };

	return cmocka_run_group_tests_name("block/entries", tests, NULL, NULL);
}
