/* SPDX-License-Identifier: Apache-2.0 */
/* What was packed comes out; what is cut, damaged or too much does not. */
#include "base/unpack.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

static size_t gzip(const void *bytes, size_t len, char *out, size_t room)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes,
		       .avail_in = (uInt)len,
		       .next_out = (Bytef *)out,
		       .avail_out = (uInt)room };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(deflateEnd(&z), Z_OK);
	return room - z.avail_out;
}

static size_t pack(enum pk_packed how, const void *bytes, size_t len, char *out, size_t room)
{
	size_t n = how == PK_PACKED_GZIP ? gzip(bytes, len, out, room)
					 : ZSTD_compress(out, room, bytes, len, 3);

	assert_true(n > 0 && n <= room);
	assert_int_equal(pk_packed_of(out, n), how);
	return n;
}

static int open_bytes(enum pk_packed how, const void *bytes, size_t len, size_t max,
		      struct pk_buf *out, const char **ret_why)
{
	*out = (struct pk_buf){ .max = max };
	*ret_why = NULL;
	return pk_unpack(how, bytes, len, PK_UNPACK_WINDOW_HTTP, out, ret_why);
}

static const enum pk_packed kinds[] = { PK_PACKED_GZIP, PK_PACKED_ZSTD };

static void what_was_packed_comes_out(void **state)
{
	static char text[1 << 20], packed[2 << 20];
	const char *why;
	struct pk_buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + (i * i >> 7) % 23);
	for (size_t k = 0; k < PK_ARRAY_SIZE(kinds); k++) {
		for (size_t len = 0; len <= sizeof(text); len = len * 33 + 1) {
			size_t n = pack(kinds[k], text, len, packed, sizeof(packed));

			assert_int_equal(open_bytes(kinds[k], packed, n, len ? len : 1, &out, &why),
					 0);
			assert_int_equal(out.len, len);
			assert_memory_equal(out.data, text, len);
			pk_buf_done(&out);
			/* two, one behind the other, are one */
			memcpy(packed + n, packed, n);
			assert_int_equal(open_bytes(kinds[k], packed, 2 * n, 0, &out, &why), 0);
			assert_int_equal(out.len, 2 * len);
			pk_buf_done(&out);
		}
	}
	assert_int_equal(pk_packed_of("10.0.0.1\n", 9), PK_PACKED_NOT);
	assert_int_equal(pk_packed_of("\x1f", 1), PK_PACKED_NOT);
}

static void what_is_not_whole_does_not(void **state)
{
	char text[4096], packed[8192];
	struct pk_buf out;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + (i >> 3) * 13);
	for (size_t k = 0; k < PK_ARRAY_SIZE(kinds); k++) {
		size_t n = pack(kinds[k], text, sizeof(text), packed, sizeof(packed));

		for (size_t cut = 0; cut < n; cut++) {
			assert_int_equal(open_bytes(kinds[k], packed, cut, 0, &out, &why),
					 -EBADMSG);
			assert_non_null(why);
			pk_buf_done(&out);
		}
		packed[n] = 'x';
		assert_int_equal(open_bytes(kinds[k], packed, n + 1, 0, &out, &why), -EBADMSG);
		pk_buf_done(&out);
		assert_int_equal(open_bytes(kinds[k], text, sizeof(text), 0, &out, &why), -EBADMSG);
		pk_buf_done(&out);
	}
}

/* A hundred megabytes of zeros in a few hundred kilobytes, with and without a size in the head. */
static void a_bomb_ends_at_the_bound(void **state)
{
	static char zeros[1 << 20], packed[1 << 20];
	struct pk_buf out;
	const char *why;
	size_t n = 0;

	(void)state;
	for (size_t k = 0; k < PK_ARRAY_SIZE(kinds); k++) {
		n = 0;
		for (int i = 0; i < 100; i++)
			n += pack(kinds[k], zeros, sizeof(zeros), packed + n, sizeof(packed) - n);
		assert_int_equal(open_bytes(kinds[k], packed, n, 3 << 20, &out, &why), -EFBIG);
		assert_true(out.cap <= (4u << 20) + 1);
		pk_buf_done(&out);
		assert_int_equal(open_bytes(kinds[k], packed, n, 1000, &out, &why), -EFBIG);
		assert_true(out.cap <= 4096); /* known from the head, or with the first piece */
		pk_buf_done(&out);
		assert_int_equal(open_bytes(kinds[k], packed, n, 100 << 20, &out, &why), 0);
		assert_int_equal(out.len, 100 << 20);
		pk_buf_done(&out);
	}
}

/* A frame that wants a window of 64 MiB is refused before it gets it. */
static void a_large_window_is_refused(void **state)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	char packed[4096];
	ZSTD_outBuffer to = { packed, sizeof(packed), 0 };
	ZSTD_inBuffer in = { "x", 1, 0 };
	struct pk_buf out = { 0 };
	const char *why;

	(void)state;
	assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, 26)));
	/* in two steps, so that the size is not known when the head is written */
	assert_false(ZSTD_isError(ZSTD_compressStream2(c, &to, &in, ZSTD_e_flush)));
	assert_int_equal(ZSTD_compressStream2(c, &to, &in, ZSTD_e_end), 0);
	assert_int_equal(open_bytes(PK_PACKED_ZSTD, packed, to.pos, 0, &out, &why), -EBADMSG);
	pk_buf_done(&out);
	assert_int_equal(pk_unpack(PK_PACKED_ZSTD, packed, to.pos, PK_UNPACK_WINDOW, &out, &why),
			 0);
	assert_int_equal(out.len, 1);
	pk_buf_done(&out);
	ZSTD_freeCCtx(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_comes_out),
		cmocka_unit_test(what_is_not_whole_does_not),
		cmocka_unit_test(a_bomb_ends_at_the_bound),
		cmocka_unit_test(a_large_window_is_refused),
	};

	return cmocka_run_group_tests_name("base/unpack", tests, NULL, NULL);
}
