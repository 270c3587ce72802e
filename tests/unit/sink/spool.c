/* SPDX-License-Identifier: Apache-2.0 */
/* Every reader gets every record in order, or counts what it missed; also after a crash. */
#include "sink/spool.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "place.h"

#define MAX (8u << 20)

static char text[PK_SPOOL_RECORD_MAX + 64], uid[16];

static void append(struct pk_spool *s, unsigned n, size_t bytes)
{
	struct pk_sink_record r = record(n, bytes, text, uid);

	assert_int_equal(pk_spool_append(s, &r), 0);
}

/* Reads all there is; each must be the one after *next. Returns how many. */
static unsigned drain(struct pk_spool_reader *r, unsigned *next)
{
	struct pk_sink_record rec[16];
	unsigned n, all = 0;
	int got;

	while ((got = pk_spool_read(r, rec, 16, 0)) > 0) {
		for (int i = 0; i < got; i++) {
			assert_int_equal(sscanf(rec[i].json, "{\"n\":%u", &n), 1);
			assert_int_equal(n, (*next)++);
			assert_int_equal(strlen(rec[i].json), rec[i].len);
			assert_int_equal(atoi(rec[i].uid + 2), n);
			assert_int_equal(rec[i].severity, 1 + n % 5);
			assert_int_equal(rec[i].time_ns, n);
		}
		pk_spool_done(r, (size_t)got);
		all += (unsigned)got;
	}
	assert_int_equal(got, 0);
	return all;
}

static void open_both(const struct place *p, struct pk_spool **s, struct pk_spool_reader **r)
{
	assert_int_equal(pk_spool_open(p->fd, MAX, s), 0);
	assert_int_equal(pk_spool_reader_open(*s, "one", r), 0);
}

static void close_both(struct pk_spool *s, struct pk_spool_reader *r)
{
	pk_spool_reader_close(r);
	pk_spool_close(s);
}

static void test_order(void **state)
{
	struct pk_spool_reader *r;
	unsigned put = 0, next = 0;
	struct pk_spool *s;
	struct place p;

	(void)state;
	place_make(&p);
	open_both(&p, &s, &r);
	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < round % 17; i++, put++)
			append(s, put, put * 977 % 30000);
		if (round % 3)
			(void)drain(r, &next);
	}
	(void)drain(r, &next);
	assert_int_equal(next, put);
	assert_int_equal(pk_spool_dropped(r), 0);
	/* everything was read: what was there is gone, and the files are bounded */
	assert_true(place_ask(&p, "du -sk . | cut -f1") <= (MAX >> 10) + 64);
	close_both(s, r);
	place_done(&p);
}

/* A reader that does not come: the oldest go, it knows how many, and another misses nothing. */
static void test_bound(void **state)
{
	struct pk_spool_reader *slow, *fast;
	unsigned put = 0, next = 0, at;
	struct pk_sink_record rec[1];
	struct pk_spool *s;
	struct place p;
	uint64_t dropped;

	(void)state;
	place_make(&p);
	open_both(&p, &s, &slow);
	assert_int_equal(pk_spool_reader_open(s, "two", &fast), 0);
	for (; put < 2000; put++) {
		append(s, put, 20000);
		if (put % 50 == 0)
			(void)drain(fast, &next);
	}
	(void)drain(fast, &next);
	assert_int_equal(next, put);
	assert_int_equal(pk_spool_dropped(fast), 0);
	assert_true(pk_spool_bytes(s) <= MAX);
	assert_true(pk_spool_bytes(s) >= MAX / 2);
	assert_int_equal(pk_spool_read(slow, rec, 1, 0), 1);
	assert_int_equal(sscanf(rec[0].json, "{\"n\":%u", &at), 1);
	dropped = pk_spool_dropped(slow);
	assert_int_equal(dropped, at);
	assert_int_equal(drain(slow, &at), put - dropped);
	pk_spool_reader_close(fast);
	close_both(s, slow);
	place_done(&p);
}

/* What was not done is read again after a restart, what was done is not, and numbers go on. */
static void test_restart(void **state)
{
	struct pk_spool_reader *r;
	struct pk_sink_record rec[4];
	unsigned put = 0, next = 0;
	struct pk_spool *s;
	struct place p;

	(void)state;
	place_make(&p);
	for (unsigned round = 0; round < 40; round++) {
		open_both(&p, &s, &r);
		assert_int_equal(pk_spool_waiting(r), put - next);
		for (unsigned i = 0; i < 100; i++)
			append(s, put++, 3000);
		assert_int_equal(pk_spool_sync(s), 0);
		(void)pk_spool_read(r, rec, 4, 0); /* sent, and killed before it was noted */
		close_both(s, r);
		open_both(&p, &s, &r);
		(void)pk_spool_read(r, rec, 4, 0);
		pk_spool_done(r, 2);
		next += 2;
		if (round % 5 == 4)
			(void)drain(r, &next);
		close_both(s, r);
	}
	open_both(&p, &s, &r);
	(void)drain(r, &next);
	assert_int_equal(next, put);
	close_both(s, r);
	place_done(&p);
}

/* The end of the file is torn, or a byte in it is another: what is whole before it is read. */
static void test_damage(void **state)
{
	struct pk_spool_reader *r;
	unsigned next = 0;
	struct pk_spool *s;
	struct place p;

	(void)state;
	place_make(&p);
	open_both(&p, &s, &r);
	for (unsigned n = 0; n < 10; n++)
		append(s, n, 1000);
	close_both(s, r);
	(void)place_ask(&p, "truncate -s -100 *.spool");
	open_both(&p, &s, &r);
	assert_int_equal(pk_spool_waiting(r), 9);
	append(s, 9, 1000); /* its number is given again */
	assert_int_equal(drain(r, &next), 10);
	for (unsigned n = 10; n < 20; n++)
		append(s, n, 1000);
	(void)place_ask(&p, "printf X | dd of=$(ls *.spool) bs=1 seek=16000 conv=notrunc 2>&1");
	assert_int_equal(drain(r, &next), 5); /* 10 to 14 */
	assert_int_equal(pk_spool_dropped(r), 5);
	append(s, 20, 1000);
	next = 20;
	assert_int_equal(drain(r, &next), 1);
	close_both(s, r);
	place_done(&p);
}

static void test_limits(void **state)
{
	struct pk_spool_reader *r;
	struct pk_sink_record big;
	struct pk_spool *s;
	unsigned next = 7;
	struct place p;

	(void)state;
	place_make(&p);
	assert_int_equal(pk_spool_open(p.fd, MAX, &s), 0);
	append(s, 6, 100); /* before anybody came */
	assert_int_equal(pk_spool_reader_open(s, "one", &r), 0);
	big = record(1, PK_SPOOL_RECORD_MAX, text, uid);
	assert_int_equal(pk_spool_append(s, &big), -EMSGSIZE);
	append(s, 7, PK_SPOOL_RECORD_MAX - 200);
	assert_int_equal(drain(r, &next), 1);
	close_both(s, r);
	place_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),   cmocka_unit_test(test_bound),
		cmocka_unit_test(test_restart), cmocka_unit_test(test_damage),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
