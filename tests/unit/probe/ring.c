/* SPDX-License-Identifier: Apache-2.0 */
/* The ring reader over memory that a model of the kernel's producer fills: wraps, busy, discarded.
 */
#include "probe/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 4096

static struct {
	unsigned long consumer, producer;
	uint8_t data[SIZE] __attribute__((aligned(8)));
	unsigned wrote, got;
} ring;

static size_t len_of(unsigned n)
{
	return 8 + n * 2654435761u % 700;
}

/* As the kernel does: a head of 8 bytes, then the record, each rounded up to 8. */
static int produce(unsigned n, uint32_t flags)
{
	size_t len = len_of(n), total = (len + 8 + 7) / 8 * 8;
	uint32_t head = len | flags;

	if (ring.producer - ring.consumer + total > SIZE)
		return -1;
	memcpy(ring.data + (ring.producer & (SIZE - 1)), &head, 4);
	for (size_t i = 0; i < len; i++)
		ring.data[(ring.producer + 8 + i) & (SIZE - 1)] = n + i;
	ring.producer += total;
	return 0;
}

static void take(void *arg, const void *rec, size_t size)
{
	const uint8_t *b = rec;

	(void)arg;
	while (ring.got % 5 == 3)
		ring.got++; /* those were discarded */
	assert_int_equal((uintptr_t)rec % 8, 0);
	assert_int_equal(size, len_of(ring.got));
	for (size_t i = 0; i < size; i++)
		assert_int_equal(b[i], (uint8_t)(ring.got + i));
	ring.got++;
}

static struct pk_ring_reader *open_ring(void)
{
	struct pk_ring_memory m = { &ring.consumer, &ring.producer, ring.data, SIZE };
	struct pk_ring_reader *r;

	memset(&ring, 0, sizeof(ring));
	assert_int_equal(pk_ring_over(&m, take, NULL, &r), 0);
	return r;
}

static void test_stream(void **state)
{
	struct pk_ring_reader *r = open_ring();

	(void)state;
	while (ring.wrote < 20000) {
		while (produce(ring.wrote, ring.wrote % 5 == 3 ? BPF_RINGBUF_DISCARD_BIT : 0) == 0)
			ring.wrote++;
		assert_int_equal(pk_ring_read(r, 2), 2); /* it stops where told */
		while (pk_ring_read(r, 100) == 100)
			;
		assert_int_equal(ring.consumer, ring.producer);
	}
	assert_true(ring.got + 1 >= ring.wrote);
	pk_ring_close(r);
}

static void test_busy(void **state)
{
	struct pk_ring_reader *r = open_ring();
	uint32_t head = len_of(0);

	(void)state;
	assert_int_equal(produce(0, BPF_RINGBUF_BUSY_BIT), 0);
	assert_int_equal(produce(1, 0), 0);
	assert_int_equal(pk_ring_read(r, 10), 0); /* the first is still being written: wait */
	assert_int_equal(ring.consumer, 0);
	memcpy(ring.data, &head, 4);
	assert_int_equal(pk_ring_read(r, 10), 2);
	assert_int_equal(pk_ring_read(r, 10), 0);
	pk_ring_close(r);
}

/* What the next record begins with, also around the end of the memory, and never what is not one.
 */
static void test_next(void **state)
{
	struct pk_ring_reader *r = open_ring();
	uint64_t first;

	(void)state;
	assert_true(pk_ring_next(r) == UINT64_MAX);
	for (unsigned n = 0; n < 2000; n++) {
		assert_int_equal(produce(n, n % 5 == 3 ? BPF_RINGBUF_DISCARD_BIT : 0), 0);
		for (unsigned i = 0; i < 8; i++)
			((uint8_t *)&first)[i] = n + i;
		assert_true(pk_ring_next(r) == (n % 5 == 3 ? 0 : first));
		assert_int_equal(pk_ring_read(r, 10), 1);
	}
	assert_int_equal(produce(0, BPF_RINGBUF_BUSY_BIT), 0);
	assert_true(pk_ring_next(r) == UINT64_MAX);
	pk_ring_close(r);
}

static void test_impossible(void **state)
{
	struct pk_ring_reader *r = open_ring();
	uint32_t head = 100000;

	(void)state;
	assert_int_equal(produce(0, 0), 0);
	memcpy(ring.data, &head, 4);
	assert_int_equal(pk_ring_read(r, 10), -EBADMSG);
	assert_int_equal(ring.got, 0);
	pk_ring_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_impossible),
	};

	return cmocka_run_group_tests_name("probe/ring", tests, NULL, NULL);
}
