/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/ja4.h"

#include "base/cleanup.h"
#include "decode/tls.h"
#include "hello.h"

#include <errno.h>
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct pk_ja4 *ja4;

static const char *fingerprint(const struct bytes *b, enum pk_ja4_over over)
{
	static char text[PK_JA4_LEN + 1];
	struct pk_tls_client h;

	assert_int_equal(pk_tls_client_parse(b->data, b->len, &h), 0);
	assert_int_equal(pk_ja4_client(ja4, &h, over, text), 0);
	assert_int_equal(strlen(text), PK_JA4_LEN);
	return text;
}

/* The examples of JA4.md. */
static void test_specification(void **state)
{
	struct bytes b = { .len = 0 };

	(void)state;
	put_chrome(&b, "www.example.org", 1);
	assert_string_equal(fingerprint(&b, PK_JA4_TCP), "t13d1516h2_8daaf6152771_e5627efa2ab1");
	assert_string_equal(fingerprint(&b, PK_JA4_QUIC), "q13d1516h2_8daaf6152771_e5627efa2ab1");
	assert_string_equal(fingerprint(&b, PK_JA4_DTLS), "d13d1516h2_8daaf6152771_e5627efa2ab1");
	b.len = 0;
	put_chrome(&b, "www.example.org", 0);
	assert_string_equal(fingerprint(&b, PK_JA4_TCP), "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

static void test_nothing_to_hash(void **state)
{
	static const uint16_t grease[] = { 0x0a0a, 0xfafa };
	struct bytes b = { .len = 0 };
	size_t block;

	(void)state;
	put_client(&b, 0x0301, grease, 0);
	assert_string_equal(fingerprint(&b, PK_JA4_TCP), "t10i000000_000000000000_000000000000");
	b.len = 0;
	put_client(&b, 0x0300, grease, 2);
	block = open16(&b);
	put_extension(&b, 0x1a1a, "", 0);
	put_sni(&b, "a");
	put_alpn(&b, "\2h2", 3);
	close16(&b, block);
	assert_string_equal(fingerprint(&b, PK_JA4_TCP), "ts3d0002h2_000000000000_000000000000");
}

static void test_alpn(void **state)
{
	static const struct {
		const char *names;
		size_t len;
		const char *want;
	} rows[] = {
		{ "\2h2", 3, "h2" },
		{ "\10http/1.1", 9, "h1" },
		{ "\3dot", 4, "dt" },
		{ "\1x", 2, "xx" },
		{ "\0", 1, "00" },
		{ "\0\2h2", 4, "00" }, /* the first one counts */
		{ "", 0, "00" },
		{ "\1\xab", 2, "ab" },
		{ "\1\x20", 2, "20" },
		{ "\2\xab\xcd", 3, "ad" },
		{ "\2\x20\x61", 3, "21" },
		{ "\2\x30\xab", 3, "3b" },
		{ "\2\x61\x20", 3, "60" },
		{ "\4\x30\x31\xab\xcd", 5, "3d" },
		{ "\4\x30\xab\xcd\x31", 5, "01" },
		{ "\2\xba\xad", 3, "bd" },
		{ "\2\x5a\x5a\2h2", 6, "h2" }, /* GREASE: RFC 8701, 2 */
		{ "\2\xda\xda", 3, "00" },
	};
	struct bytes b;
	size_t block;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		b.len = 0;
		put_client(&b, 0x0303, NULL, 0);
		block = open16(&b);
		put_alpn(&b, rows[i].names, rows[i].len);
		close16(&b, block);
		assert_memory_equal(fingerprint(&b, PK_JA4_TCP) + 8, rows[i].want, 2);
	}
}

static void test_versions(void **state)
{
	static const struct {
		uint16_t version;
		const char *want;
	} rows[] = {
		{ 0x0304, "13" }, { 0x0303, "12" }, { 0x0302, "11" }, { 0x0301, "10" },
		{ 0x0300, "s3" }, { 0x0002, "s2" }, { 0xfeff, "d1" }, { 0xfefd, "d2" },
		{ 0xfefc, "d3" }, { 0x0305, "00" }, { 0x7f1c, "00" },
	};
	struct bytes b;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		b.len = 0;
		put_client(&b, rows[i].version, NULL, 0);
		assert_memory_equal(fingerprint(&b, PK_JA4_TCP) + 1, rows[i].want, 2);
	}
}

static int by_number(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* The first 12 characters of SHA-256 of the sorted list, made in the plainest way. */
static void plain_hash(const uint16_t *list, size_t n, char *out)
{
	_cleanup_free_ uint16_t *sorted = malloc(n * sizeof(*sorted));
	_cleanup_free_ char *text = malloc(5 * n + 1);
	unsigned char sum[SHA256_DIGEST_LENGTH];

	assert_non_null(sorted);
	assert_non_null(text);
	memcpy(sorted, list, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_number);
	for (size_t i = 0; i < n; i++)
		snprintf(text + 5 * i, 6, "%04x,", sorted[i]);
	SHA256((unsigned char *)text, 5 * n - 1, sum);
	for (size_t i = 0; i < 6; i++)
		snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

/* Lists of any length and order; repeated numbers stay, counts end at 99. */
static void test_long_lists(void **state)
{
	static const size_t lengths[] = { 1, 2, 63, 64, 65, 98, 99, 100, 999, 8000 };
	static uint16_t list[8000];
	uint32_t x = 1;
	char want[13], count[3];
	struct bytes b;
	const char *text;

	(void)state;
	for (size_t k = 0; k < PK_ARRAY_SIZE(lengths); k++) {
		for (size_t i = 0; i < lengths[k]; i++) {
			x = x * 1664525 + 1013904223;
			list[i] = (uint16_t)(x >> 16);
			if (pk_tls_is_grease(list[i]))
				list[i] ^= 1;
		}
		list[lengths[k] / 2] = list[0];
		b.len = 0;
		put_client(&b, 0x0303, list, lengths[k]);
		text = fingerprint(&b, PK_JA4_TCP);
		plain_hash(list, lengths[k], want);
		assert_memory_equal(text + 11, want, 12);
		snprintf(count, sizeof(count), "%02zu", lengths[k] > 99 ? 99 : lengths[k]);
		assert_memory_equal(text + 4, count, 2);
	}
}

static void test_more_than_fits_a_hello(void **state)
{
	static uint16_t list[9000];
	char text[PK_JA4_LEN + 1], hash[PK_JA3_LEN + 1];
	struct pk_tls_client h;
	struct bytes b = { .len = 0 };

	(void)state;
	put_client(&b, 0x0303, list, 9000);
	assert_int_equal(pk_tls_client_parse(b.data, b.len, &h), 0);
	assert_int_equal(pk_ja4_client(ja4, &h, PK_JA4_TCP, text), -EBADMSG);
	assert_int_equal(pk_ja3_client(ja4, &h, hash), -EBADMSG);
}

static void check_ja3(const struct bytes *b, const char *want_text, const char *want_hash)
{
	char text[400], hash[PK_JA3_LEN + 1], part[10];
	struct pk_tls_client h;

	assert_int_equal(pk_tls_client_parse(b->data, b->len, &h), 0);
	assert_int_equal(pk_ja3_text(&h, text, sizeof(text)), strlen(want_text));
	assert_string_equal(text, want_text);
	assert_int_equal(pk_ja3_client(ja4, &h, hash), 0);
	assert_string_equal(hash, want_hash);
	memset(part, 'x', sizeof(part));
	assert_int_equal(pk_ja3_text(&h, part, sizeof(part) - 1), strlen(want_text));
	assert_memory_equal(part, want_text, 8);
	assert_memory_equal(part + 8, "\0x", 2);
	assert_int_equal(pk_ja3_text(&h, NULL, 0), strlen(want_text));
}

/* The two examples of JA3's description. */
static void test_ja3(void **state)
{
	static const uint16_t first[] = {
		47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4
	};
	static const uint16_t second[] = { 4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99 };
	static const uint16_t groups[] = { 0x6a6a, 23, 24, 25 };
	struct bytes b = { .len = 0 };
	size_t block;

	(void)state;
	put_client(&b, 769, first, 12);
	block = open16(&b);
	put_sni(&b, "example.org");
	put_extension16(&b, 10, groups, 4);
	put_extension(&b, 0x2a2a, "", 0);
	put_extension(&b, 11, "\1\0", 2);
	close16(&b, block);
	check_ja3(&b, "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0",
		  "ada70206e40642a3e4461f35503241d5");
	b.len = 0;
	put_client(&b, 769, second, 11);
	check_ja3(&b, "769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6");
}

static int setup(void **state)
{
	(void)state;
	return pk_ja4_new(&ja4);
}

static int teardown(void **state)
{
	(void)state;
	pk_ja4_free(ja4);
	pk_ja4_free(NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_specification), cmocka_unit_test(test_nothing_to_hash),
		cmocka_unit_test(test_alpn),          cmocka_unit_test(test_versions),
		cmocka_unit_test(test_long_lists),    cmocka_unit_test(test_more_than_fits_a_hello),
		cmocka_unit_test(test_ja3),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
