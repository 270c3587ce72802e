/* SPDX-License-Identifier: Apache-2.0 */
/* gzip and zstd, whole, cut at every byte, damaged, and too big. */
#include "list.h"

#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

static size_t gzipped(const char *text, size_t len, uint8_t *out, size_t size)
{
	z_stream z = { .next_in = (const Bytef *)text,
		       .avail_in = (uInt)len,
		       .next_out = out,
		       .avail_out = (uInt)size };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static int read_packed(const uint8_t *bytes, size_t len, uint64_t max, struct pk_list_data *d)
{
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);

	o.max_bytes = max;
	return pk_list_read(bytes, len, &o, d);
}

static const char text[] = "192.0.2.1\n198.51.100.0/24\n";

static void check_packed(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len + 8);
	struct pk_list_data d;

	assert_non_null(copy);
	assert_int_equal(read_packed(bytes, len, 1 << 20, &d), 0);
	assert_int_equal(d.n, 2);
	assert_int_equal(d.lines, 2);
	pk_list_data_done(&d);
	/* Cut anywhere behind the magic: refused, nothing is half loaded. */
	for (size_t cut = 4; cut < len; cut++) {
		assert_int_equal(read_packed(bytes, cut, 1 << 20, &d), -EBADMSG);
		assert_int_equal(d.n, 0);
		assert_non_null(strstr(d.bad[0].reason, "zip data")
					?: strstr(d.bad[0].reason, "zstd data"));
		pk_list_data_done(&d);
	}
	/* Something behind it. */
	memcpy(copy, bytes, len);
	memcpy(copy + len, "more", 4);
	assert_int_equal(read_packed(copy, len + 4, 1 << 20, &d), -EBADMSG);
	pk_list_data_done(&d);
	free(copy);
}

static void test_gzip(void **state)
{
	uint8_t out[512];
	size_t len = gzipped(text, strlen(text), out, sizeof(out)), second;
	struct pk_list_data d;

	(void)state;
	check_packed(out, len);
	/* Two members, and zeros as padding. */
	second = gzipped("203.0.113.1", 11, out + len, sizeof(out) - len);
	memset(out + len + second, 0, 16);
	assert_int_equal(read_packed(out, len + second + 16, 1 << 20, &d), 0);
	assert_int_equal(d.n, 3);
	pk_list_data_done(&d);
}

static void test_zstd(void **state)
{
	uint8_t out[512];
	size_t len = ZSTD_compress(out, sizeof(out), text, strlen(text), 3), second;
	struct pk_list_data d;

	(void)state;
	assert_false(ZSTD_isError(len));
	check_packed(out, len);
	second = ZSTD_compress(out + len, sizeof(out) - len, "203.0.113.1", 11, 3);
	assert_int_equal(read_packed(out, len + second, 1 << 20, &d), 0);
	assert_int_equal(d.n, 3);
	pk_list_data_done(&d);
}

static void test_too_big(void **state)
{
	size_t size = 8 << 20, len;
	char *zeros = malloc(size);
	uint8_t *out = malloc(size);
	struct pk_list_data d;

	(void)state;
	assert_non_null(zeros);
	assert_non_null(out);
	memset(zeros, '\n', size);
	len = gzipped(zeros, size, out, size);
	assert_in_range(len, 1, 20000);
	assert_int_equal(read_packed(out, len, size, &d), 0);
	pk_list_data_done(&d);
	assert_int_equal(read_packed(out, len, size - 1, &d), -EFBIG);
	pk_list_data_done(&d);
	len = ZSTD_compress(out, size, zeros, size, 3);
	assert_int_equal(read_packed(out, len, size, &d), 0);
	pk_list_data_done(&d);
	assert_int_equal(read_packed(out, len, size - 1, &d), -EFBIG);
	pk_list_data_done(&d);
	free(zeros);
	free(out);
}

/* The header doesn't tell the size: found out on the way. */
static void test_size_not_told(void **state)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();
	static char zeros[1 << 20];
	static uint8_t out[1 << 16];
	ZSTD_inBuffer in = { zeros, sizeof(zeros), 0 };
	ZSTD_outBuffer to = { out, sizeof(out), 0 };
	struct pk_list_data d;

	(void)state;
	memset(zeros, '\n', sizeof(zeros));
	assert_non_null(z);
	while (in.pos < in.size)
		assert_false(ZSTD_isError(ZSTD_compressStream2(z, &to, &in, ZSTD_e_continue)));
	assert_int_equal(ZSTD_compressStream2(z, &to, &in, ZSTD_e_end), 0);
	ZSTD_freeCCtx(z);
	assert_int_equal(read_packed(out, to.pos, sizeof(zeros), &d), 0);
	pk_list_data_done(&d);
	assert_int_equal(read_packed(out, to.pos, sizeof(zeros) / 2, &d), -EFBIG);
	pk_list_data_done(&d);
}

static void test_twice(void **state)
{
	uint8_t once[256], twice[512];
	size_t len = gzipped(text, strlen(text), once, sizeof(once));
	struct pk_list_data d;

	(void)state;
	len = gzipped((char *)once, len, twice, sizeof(twice));
	assert_int_equal(read_packed(twice, len, 1 << 20, &d), -EBADMSG);
	assert_non_null(strstr(d.bad[0].reason, "twice"));
	pk_list_data_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gzip),          cmocka_unit_test(test_zstd),
		cmocka_unit_test(test_too_big),       cmocka_unit_test(test_twice),
		cmocka_unit_test(test_size_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
