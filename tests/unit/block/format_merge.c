/* SPDX-License-Identifier: Apache-2.0 */
/* Order, doubles and what is covered, against the naive way; and how long a million lines take. */
#include "list.h"

#include "base/clock.h"

static uint64_t rnd_state = 5;

static uint64_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state;
}

static bool naive_covers(const struct pk_block_entry *a, const struct pk_block_entry *b)
{
	if (a->v4 != b->v4 || a->bits >= b->bits || pk_block_entry_compare_cond(a, b) != 0)
		return false;
	for (unsigned i = 0; i < a->bits; i++)
		if ((a->prefix[i / 8] ^ b->prefix[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* A line of a small space, so that much is double and nested. */
static void add_line(struct pk_buf *b)
{
	if (rnd() % 2)
		pk_buf_fmt(b, "10.%u.%u.0/%u", (unsigned)(rnd() % 4), (unsigned)(rnd() % 4),
			   (unsigned)(8 + rnd() % 17));
	else
		pk_buf_fmt(b, "2001:db8:%x::%x/%u", (unsigned)(rnd() % 2), (unsigned)(rnd() % 8),
			   (unsigned)(rnd() % 2 ? 128 : rnd() % 129));
	if (rnd() % 4 == 0)
		pk_buf_fmt(b, " proto=%s port=%u", rnd() % 2 ? "tcp" : "udp",
			   (unsigned)(rnd() % 3));
	if (rnd() % 4 == 0)
		pk_buf_fmt(b, " expires=%lld", LIST_NOW + 1 + (long long)(rnd() % 3));
	pk_buf_fmt(b, " id=%u\n", (unsigned)b->len);
}

static void check_merged(const struct pk_list_data *d, unsigned lines)
{
	uint64_t covered = 0;

	assert_int_equal(d->read, lines);
	assert_int_equal(d->n + d->doubles, lines);
	for (size_t i = 0; i < d->n; i++) {
		assert_true(!i || pk_block_entry_compare(&d->v[i - 1], &d->v[i]) < 0);
		for (size_t k = 0; k < d->n; k++) {
			if (naive_covers(&d->v[k], &d->v[i])) {
				covered++;
				break;
			}
		}
	}
	assert_int_equal(d->covered, covered);
}

/* The first of doubles stays, with the latest end. */
static void check_first(const struct pk_list_data *d, struct pk_buf *b)
{
	struct pk_list_opts o = list_opts(PK_LIST_PICKET);
	struct pk_list_data one;

	for (char *line = b->data, *nl; (nl = strchr(line, '\n')); line = nl + 1) {
		bool found = false;

		assert_int_equal(pk_list_read(line, (size_t)(nl - line), &o, &one), 0);
		for (size_t i = 0; i < d->n; i++) {
			if (pk_block_entry_compare(&one.v[0], &d->v[i]) != 0)
				continue;
			found = true;
			assert_true(d->v[i].id <= one.v[0].id);
			assert_true(
				!d->v[i].expires_ms ||
				(one.v[0].expires_ms && d->v[i].expires_ms >= one.v[0].expires_ms));
		}
		assert_true(found);
		pk_list_data_done(&one);
	}
}

static void test_naive(void **state)
{
	struct pk_list_opts o = list_opts(PK_LIST_PICKET);

	(void)state;
	for (int round = 0; round < 60; round++) {
		unsigned lines = 1 + (unsigned)(rnd() % 300);
		struct pk_buf b = { 0 };
		struct pk_list_data d;

		for (unsigned i = 0; i < lines; i++)
			add_line(&b);
		assert_int_equal(pk_list_read(b.data, b.len, &o, &d), 0);
		check_merged(&d, lines);
		check_first(&d, &b);
		pk_list_data_done(&d);
		pk_buf_done(&b);
	}
}

/* Prints what it took; the bound only tells a slip in the algorithm from a busy machine. */
static void test_million(void **state)
{
	static const char *const kinds[] = { "IPv4", "IPv6" };
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct pk_buf b = { 0 };
		struct pk_list_data d;
		uint64_t ns;

		for (int i = 0; i < 1000000; i++) {
			uint64_t v = rnd();

			if (kind)
				pk_buf_fmt(&b, "2001:%x:%x::%x\n", (unsigned)(v & 0xffff),
					   (unsigned)(v >> 16 & 0xffff), (unsigned)(v >> 48));
			else
				pk_buf_fmt(&b, "%u.%u.%u.%u\n", (unsigned)(v & 255),
					   (unsigned)(v >> 8 & 255), (unsigned)(v >> 16 & 255),
					   (unsigned)(v >> 24 & 255));
		}
		ns = pk_clock_boot_ns();
		assert_int_equal(pk_list_read(b.data, b.len, &o, &d), 0);
		ns = pk_clock_boot_ns() - ns;
		printf("# a million lines of %s: %llu ms\n", kinds[kind],
		       (unsigned long long)(ns / 1000000));
		assert_int_equal(d.read, 1000000);
		assert_int_equal(d.n + d.doubles, 1000000);
		assert_in_range(ns, 0, 20ull * 1000000000);
		pk_list_data_done(&d);
		pk_buf_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_naive),
		cmocka_unit_test(test_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
