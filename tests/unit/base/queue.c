/* SPDX-License-Identifier: Apache-2.0 */
/* A queue between two threads: all that was taken in comes out whole and in order. */
#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 200000u

static int put(struct pk_queue *q, const void *data, size_t len, unsigned share)
{
	struct iovec v = { (void *)data, len };

	return pk_queue_put(q, &v, 1, share);
}

static void test_order(void **state)
{
	char text[900] = "";
	struct pk_queue *q;
	uint64_t put_n = 0, got = 0;

	(void)state;
	assert_int_equal(pk_queue_new(1, &q), 0);
	for (unsigned i = 0; i < 5000; i++) {
		size_t n = snprintf(text, sizeof(text), "%llu", (unsigned long long)put_n);
		uint64_t at = pk_queue_tail(q);
		const char *p;
		size_t len;

		if (put(q, text, n + i % 700, 256) == 0) {
			put_n++;
			continue;
		}
		while ((p = pk_queue_next(q, &at, &len))) {
			assert_int_equal((uintptr_t)p % 8, 0);
			assert_int_equal(strtoull(p, NULL, 10), got);
			got++;
		}
		pk_queue_drop(q, at);
	}
	assert_true(got > 1000);
	pk_queue_free(q);
}

/* Nothing is gone before it was dropped; what finds no room is refused and harms nothing. */
static void test_full(void **state)
{
	struct pk_queue *q;
	char text[1000] = "";
	uint64_t at;
	size_t len;
	int n = 0;

	(void)state;
	assert_int_equal(pk_queue_new(4096, &q), 0);
	assert_int_equal(put(q, text, 2048, 256), -EMSGSIZE);
	while (put(q, text, sizeof(text), 128) == 0)
		n++;
	assert_int_equal(n, 2); /* half of the queue */
	while (put(q, text, sizeof(text), 256) == 0)
		n++;
	assert_int_equal(n, 4);
	assert_int_equal(put(q, text, sizeof(text), 256), -ENOBUFS);
	for (int turn = 0; turn < 2; turn++) {
		at = pk_queue_tail(q);
		for (n = 0; pk_queue_next(q, &at, &len); n++)
			assert_int_equal(len, sizeof(text));
		assert_int_equal(n, 4);
	}
	pk_queue_drop(q, at);
	assert_int_equal(pk_queue_used(q), 0);
	pk_queue_free(q);
}

static void *producer(void *arg)
{
	for (uint32_t i = 0; i < MANY;) {
		struct iovec v[2] = { { &i, sizeof(i) }, { "abcdefgh", i % 9 } };

		i += pk_queue_put(arg, v, 2, 256) == 0;
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct pk_queue *q;
	uint32_t want = 0, got;
	pthread_t thread;

	(void)state;
	assert_int_equal(pk_queue_new(4096, &q), 0);
	assert_int_equal(pthread_create(&thread, NULL, producer, q), 0);
	while (want < MANY) {
		uint64_t at = pk_queue_tail(q);
		const char *p;
		size_t len;

		pk_queue_wait(q, true, 1000);
		while ((p = pk_queue_next(q, &at, &len))) {
			memcpy(&got, p, sizeof(got));
			assert_int_equal(got, want);
			assert_int_equal(len, sizeof(got) + want % 9);
			want++;
		}
		pk_queue_drop(q, at);
	}
	pthread_join(thread, NULL);
	pk_queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
