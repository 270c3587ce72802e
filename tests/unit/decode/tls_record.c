/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/tls.h"

#include "base/cleanup.h"
#include "hello.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint8_t room[PK_TLS_HELLO_MAX];
static struct bytes body, message, stream;

static struct pk_tls_reader reader_of(const void *data, size_t len)
{
	return (struct pk_tls_reader){
		.data = data, .len = len, .room = room, .room_len = sizeof(room)
	};
}

static void make(size_t record)
{
	body.len = message.len = stream.len = 0;
	put_chrome(&body, "www.example.org", 1);
	put_message(&message, PK_TLS_CLIENT_HELLO, &body);
	put_records(&stream, message.data, message.len, record);
}

static void check(const struct pk_tls_msg *m)
{
	assert_int_equal(m->type, PK_TLS_CLIENT_HELLO);
	assert_int_equal(m->body.len, body.len);
	assert_memory_equal(m->body.s, body.data, body.len);
}

static void test_one_record(void **state)
{
	struct pk_tls_reader r;
	struct pk_tls_msg m;
	size_t need = 0;

	(void)state;
	make(PK_TLS_RECORD_MAX);
	r = reader_of(stream.data, stream.len);
	assert_int_equal(pk_tls_next(&r, &m, &need), 0);
	check(&m);
	assert_ptr_equal(m.body.s, stream.data + 9); /* a slice of the input */
	assert_int_equal(r.at, stream.len);
	assert_int_equal(pk_tls_next(&r, &m, &need), -EAGAIN);
	assert_int_equal(need, stream.len + 5);
}

/* Records of every size, also such that split the head of the message. */
static void test_every_record_size(void **state)
{
	struct pk_tls_reader r;
	struct pk_tls_msg m;
	size_t need;

	(void)state;
	make(PK_TLS_RECORD_MAX);
	for (size_t size = 1; size <= message.len; size++) {
		make(size);
		r = reader_of(stream.data, stream.len);
		assert_int_equal(pk_tls_next(&r, &m, &need), 0);
		check(&m);
		assert_int_equal(r.at, stream.len);
	}
}

/* From any beginning of the stream on, giving what is asked for leads to the message. */
static void grow(size_t len)
{
	_cleanup_free_ uint8_t *copy = malloc(stream.len);
	struct pk_tls_reader r = reader_of(copy, 0);
	struct pk_tls_msg m;
	size_t need = 0;
	int k;

	assert_non_null(copy);
	for (;;) {
		_cleanup_free_ uint8_t *exact = malloc(len + 1);

		assert_non_null(exact);
		memcpy(exact + 1, stream.data, len); /* it moves: nothing may be remembered */
		r.data = exact + 1;
		r.len = len;
		k = pk_tls_next(&r, &m, &need);
		if (!k) {
			check(&m);
			return;
		}
		assert_int_equal(k, -EAGAIN);
		assert_true(need > len && need <= stream.len);
		assert_int_equal(r.at, 0);
		len = need;
	}
}

static void test_every_split(void **state)
{
	static const size_t sizes[] = { 1, 3, 100, PK_TLS_RECORD_MAX };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(sizes); i++) {
		make(sizes[i]);
		for (size_t len = 0; len < stream.len; len++)
			grow(len);
	}
}

static void test_two_in_one_record(void **state)
{
	struct bytes two = { .len = 0 };
	struct pk_tls_reader r;
	struct pk_tls_msg m;
	size_t need;

	(void)state;
	make(PK_TLS_RECORD_MAX);
	put_raw(&two, message.data, message.len);
	put_raw(&two, "\16\0\0\0", 4); /* ServerHelloDone: empty */
	put_raw(&two, message.data, message.len);
	for (size_t size = 1; size <= two.len; size += 7) {
		stream.len = 0;
		put_records(&stream, two.data, two.len, size);
		r = reader_of(stream.data, stream.len);
		assert_int_equal(pk_tls_next(&r, &m, &need), 0);
		check(&m);
		assert_int_equal(pk_tls_next(&r, &m, &need), 0);
		assert_int_equal(m.type, 14);
		assert_int_equal(m.body.len, 0);
		assert_int_equal(pk_tls_next(&r, &m, &need), 0);
		check(&m);
		assert_int_equal(r.at, stream.len);
	}
}

static int next_of(const char *bytes, size_t len)
{
	struct pk_tls_reader r = reader_of(bytes, len), was = r;
	struct pk_tls_msg m;
	size_t need = 0;
	int k = pk_tls_next(&r, &m, &need);

	if (k < 0)
		assert_memory_equal(&r, &was, sizeof(r));
	return k;
}

static void test_what_is_not_a_hello(void **state)
{
	(void)state;
	assert_int_equal(next_of("", 0), -EAGAIN);
	assert_int_equal(next_of("GET / HTTP/1.1", 14), -EBADMSG);
	assert_int_equal(next_of("\x16", 1), -EAGAIN);
	assert_int_equal(next_of("\x16\x02", 2), -EBADMSG);
	assert_int_equal(next_of("\x16\x03\x01\0\0", 5), -EBADMSG);
	assert_int_equal(next_of("\x16\x03\x01\x40\x01", 5), -EBADMSG);
	assert_int_equal(next_of("\x15\x03\x01\0\2\2\x28", 7), -ENOMSG);
	assert_int_equal(next_of("\x17\x03\x03\0\1x", 6), -ENOMSG);
	assert_int_equal(next_of("\x18\x03\x03\0\1x", 6), -EBADMSG); /* heartbeat */
	assert_int_equal(next_of("\x14\x03\x03\0\1\1", 6), -EAGAIN);
	assert_int_equal(next_of("\x14\x03\x03\0\2\1\1", 7), -EBADMSG);
	assert_int_equal(next_of("\x14\x03\x03\0\1\1\x16", 7), -EAGAIN);
	assert_int_equal(next_of("\x14\x03\x03\0\1\1X", 7), -EBADMSG);
}

/* ChangeCipherSpec stands between messages, as after a HelloRetryRequest, but never inside one. */
static void test_change_cipher_spec(void **state)
{
	struct pk_tls_reader r;
	struct pk_tls_msg m;
	size_t need, at;

	(void)state;
	make(PK_TLS_RECORD_MAX);
	put_raw(&stream, "\x14\x03\x03\0\1\1", 6);
	put_records(&stream, message.data, message.len, 50);
	r = reader_of(stream.data, stream.len);
	assert_int_equal(pk_tls_next(&r, &m, &need), 0);
	assert_int_equal(pk_tls_next(&r, &m, &need), 0);
	check(&m);

	stream.len = 0;
	put_records(&stream, message.data, 60, 60);
	at = stream.len;
	put_raw(&stream, "\x14\x03\x03\0\1\1", 6);
	put_records(&stream, message.data + 60, message.len - 60, PK_TLS_RECORD_MAX);
	r = reader_of(stream.data, stream.len);
	assert_int_equal(pk_tls_next(&r, &m, &need), -EBADMSG);
	stream.data[at] = 0x17;
	assert_int_equal(pk_tls_next(&r, &m, &need), -ENOMSG);
}

static void test_too_long(void **state)
{
	struct pk_tls_reader r;
	struct pk_tls_msg m;
	size_t need;

	(void)state;
	assert_int_equal(next_of("\x16\x03\x01\x40\0\1\0\x3f\xfc", 9), -EAGAIN);
	assert_int_equal(next_of("\x16\x03\x01\x40\0\1\0\x3f\xfd", 9), -EMSGSIZE);
	assert_int_equal(next_of("\x16\x03\x01\x40\0\1\xff\xff\xff", 9), -EMSGSIZE);
	make(100);
	r = reader_of(stream.data, stream.len);
	r.room_len = body.len - 1;
	assert_int_equal(pk_tls_next(&r, &m, &need), -EMSGSIZE);
	r.room_len = body.len;
	assert_int_equal(pk_tls_next(&r, &m, &need), 0);
	make(PK_TLS_RECORD_MAX); /* in one record no room is needed */
	r = reader_of(stream.data, stream.len);
	r.room_len = 0;
	assert_int_equal(pk_tls_next(&r, &m, &need), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_record),
		cmocka_unit_test(test_every_record_size),
		cmocka_unit_test(test_every_split),
		cmocka_unit_test(test_two_in_one_record),
		cmocka_unit_test(test_what_is_not_a_hello),
		cmocka_unit_test(test_change_cipher_spec),
		cmocka_unit_test(test_too_long),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
