/* SPDX-License-Identifier: Apache-2.0 */
/* What is written by the export is read back the same. */
#include "list.h"

static uint64_t rnd_state = 11;

static uint64_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state;
}

static uint32_t random_text(struct pk_block_texts *t, const char *chars, size_t n_chars)
{
	char s[40];
	size_t len = rnd() % 20;
	int64_t at;

	for (size_t i = 0; i < len; i++)
		s[i] = chars ? chars[rnd() % n_chars] : (char)(rnd() % 255 + 1);
	at = pk_block_text(t, s, len);
	assert_true(at >= 0);
	return (uint32_t)at;
}

static void clear_host_bits(struct pk_block_entry *e)
{
	for (unsigned i = e->bits; i < 128; i++)
		e->prefix[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static struct pk_block_entry random_entry(struct pk_block_texts *t)
{
	struct pk_block_entry e = { .v4 = rnd() % 2, .dir = (uint8_t)(rnd() % 3 + 1) };

	for (int i = 0; i < 16; i++)
		e.prefix[i] = (uint8_t)rnd();
	if (e.v4) {
		memset(e.prefix, 0, 10);
		memset(e.prefix + 10, 0xff, 2);
	}
	e.bits = (uint8_t)(e.v4 ? 96 + rnd() % 33 : rnd() % 129);
	clear_host_bits(&e);
	if (rnd() % 2)
		e.proto = (uint8_t)rnd();
	if (rnd() % 2) {
		e.port_lo = (uint16_t)(rnd() % 65536);
		e.port_hi = (uint16_t)(e.port_lo + rnd() % (65536u - e.port_lo));
	}
	if (rnd() % 3 == 0)
		e.iface = random_text(t, "eth0.1\"\\ :", 10);
	if (rnd() % 3 == 0)
		e.expires_ms = LIST_NOW + 1 + (int64_t)(rnd() % 1000000);
	if (rnd() % 2)
		e.id = (uint32_t)rnd();
	if (rnd() % 2)
		e.reason = random_text(t, NULL, 0);
	return e;
}

static void check_same(const struct pk_block_entry *a, const struct pk_block_texts *at,
		       const struct pk_block_entry *b, const struct pk_block_texts *bt)
{
	assert_memory_equal(a->prefix, b->prefix, 16);
	assert_int_equal(a->bits, b->bits);
	assert_int_equal(a->v4, b->v4);
	assert_int_equal(a->proto, b->proto);
	assert_int_equal(a->dir, b->dir);
	assert_int_equal(a->port_lo, b->port_lo);
	assert_int_equal(a->port_hi, b->port_hi);
	assert_int_equal(a->expires_ms, b->expires_ms);
	assert_int_equal(a->id, b->id);
	assert_string_equal(pk_block_text_at(at, a->iface), pk_block_text_at(bt, b->iface));
	assert_string_equal(pk_block_text_at(at, a->reason), pk_block_text_at(bt, b->reason));
}

static void test_round_trip(void **state)
{
	struct pk_list_opts o = list_opts(PK_LIST_PICKET);
	struct pk_block_texts t = { 0 };
	struct pk_buf b = { 0 };

	(void)state;
	for (int i = 0; i < 50000; i++) {
		struct pk_block_entry e = random_entry(&t);
		struct pk_list_data d;

		pk_buf_reset(&b);
		pk_list_write_entry(&b, &e, &t);
		assert_int_equal(b.error, 0);
		if (pk_list_read(b.data, b.len, &o, &d) < 0)
			fail_msg("%s: %s", b.data, d.n_bad ? d.bad[0].reason : "no complaint");
		assert_int_equal(d.n, 1);
		assert_int_equal(d.host_bits, 0);
		check_same(&e, &t, &d.v[0], &d.texts);
		/* Nothing that a terminal would obey. */
		for (size_t k = 0; k + 1 < b.len; k++)
			assert_true((uint8_t)b.data[k] >= 0x20 && b.data[k] != 0x7f);
		pk_list_data_done(&d);
	}
	pk_buf_done(&b);
	pk_block_texts_done(&t);
}

/* The same as one list: found by its first line, all entries in order. */
static void test_whole_list(void **state)
{
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);
	struct pk_block_texts t = { 0 };
	struct pk_list_data d, again;
	struct pk_buf b = { 0 };

	(void)state;
	pk_buf_str(&b, "picket-list 1\n{\"name\":\"x\"}\n");
	for (int i = 0; i < 5000; i++) {
		struct pk_block_entry e = random_entry(&t);

		pk_list_write_entry(&b, &e, &t);
	}
	assert_int_equal(pk_list_read(b.data, b.len, &o, &d), 0);
	assert_int_equal(d.format, PK_LIST_PICKET);
	assert_int_equal(d.n + d.doubles, 5000);
	pk_buf_reset(&b);
	pk_buf_str(&b, "picket-list 1\n");
	for (size_t i = 0; i < d.n; i++)
		pk_list_write_entry(&b, &d.v[i], &d.texts);
	assert_int_equal(pk_list_read(b.data, b.len, &o, &again), 0);
	assert_int_equal(again.doubles, 0);
	assert_int_equal(again.n, d.n);
	for (size_t i = 0; i < d.n; i++)
		check_same(&d.v[i], &d.texts, &again.v[i], &again.texts);
	pk_list_data_done(&d);
	pk_list_data_done(&again);
	pk_buf_done(&b);
	pk_block_texts_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_whole_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
