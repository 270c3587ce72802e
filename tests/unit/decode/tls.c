/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/tls.h"

#include "base/cleanup.h"
#include "hello.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint16_t one_cipher[] = { 0x1301 };

#define assert_slice(slice, text)                                                                  \
	do {                                                                                       \
		struct pk_slice s_ = (slice);                                                      \
		assert_int_equal(s_.len, sizeof(text) - 1);                                        \
		assert_memory_equal(s_.s, text, sizeof(text) - 1);                                 \
	} while (0)

static int parse(const struct bytes *b, struct pk_tls_client *h)
{
	return pk_tls_client_parse(b->data, b->len, h);
}

static void test_browser(void **state)
{
	struct bytes b = { .len = 0 };
	struct pk_tls_client h;
	struct pk_slice list, name;

	(void)state;
	put_chrome(&b, "www.example.org", 1);
	assert_int_equal(parse(&b, &h), 0);
	assert_int_equal(h.legacy_version, 0x0303);
	assert_int_equal(h.version, 0x0304);
	assert_int_equal(h.ciphers.len, 32);
	assert_int_equal(pk_tls_u16(h.ciphers, 1), 0x1301);
	assert_int_equal(h.extension_count, 18);
	assert_int_equal(h.session_id.len, 32);
	assert_int_equal(h.groups.len, 8);
	assert_int_equal(h.sigalgs.len, 16);
	assert_slice(h.points, "\0");
	assert_slice(h.sni, "www.example.org");
	assert_true(h.has_sni && h.has_alpn && h.grease);
	assert_false(h.ech || h.psk || h.early_data);
	assert_int_equal(h.malformed, 0);
	list = h.alpn;
	assert_true(pk_tls_alpn_next(&list, &name));
	assert_slice(name, "h2");
	assert_true(pk_tls_alpn_next(&list, &name));
	assert_slice(name, "http/1.1");
	assert_false(pk_tls_alpn_next(&list, &name));
}

static void test_old_without_extensions(void **state)
{
	struct bytes b = { .len = 0 };
	struct pk_tls_client h;

	(void)state;
	put_client(&b, 0x0300, one_cipher, 1);
	assert_int_equal(parse(&b, &h), 0);
	assert_int_equal(h.version, 0x0300);
	assert_int_equal(h.extension_count, 0);
	assert_false(h.has_sni || h.has_alpn || h.grease);
}

#define BEFORE_EXTENSIONS (2 + 32 + 33 + 34 + 2) /* of put_chrome() */

/* Cut anywhere: the part before the extensions must be there, of these as many as are whole. */
static void test_every_truncation(void **state)
{
	struct bytes b = { .len = 0 };
	struct pk_tls_client h;
	_cleanup_free_ uint8_t *exact = NULL;
	uint16_t count = 0;

	(void)state;
	put_chrome(&b, "www.example.org", 1);
	for (size_t len = 0; len < b.len; len++) {
		exact = realloc(exact, len + 1); /* a read behind the end is seen */
		assert_non_null(exact);
		memcpy(exact + 1, b.data, len);
		assert_int_equal(pk_tls_client_parse(exact + 1, len, &h),
				 len < BEFORE_EXTENSIONS ? -EBADMSG : 0);
		if (len < BEFORE_EXTENSIONS)
			continue;
		assert_int_equal(h.malformed, len > BEFORE_EXTENSIONS ? PK_TLS_BAD_BLOCK : 0);
		assert_true(h.extension_count == count || h.extension_count == count + 1);
		count = h.extension_count;
	}
	assert_int_equal(count, 17);
	put8(&b, 0);
	assert_int_equal(parse(&b, &h), 0);
	assert_int_equal(h.malformed, PK_TLS_BAD_BLOCK);
	assert_int_equal(h.extension_count, 18);
	assert_slice(h.sni, "www.example.org");
}

/* One whose length lies hides those behind it, not those before. */
static void test_broken_block(void **state)
{
	struct bytes b = { .len = 0 };
	struct pk_tls_client h;
	size_t block;

	(void)state;
	put_client(&b, 0x0303, one_cipher, 1);
	block = open16(&b);
	put_sni(&b, "first.example");
	put16(&b, 13);
	put16(&b, 500);
	put_alpn(&b, "\2h2", 3);
	close16(&b, block);
	assert_int_equal(parse(&b, &h), 0);
	assert_int_equal(h.malformed, PK_TLS_BAD_BLOCK);
	assert_int_equal(h.extension_count, 1);
	assert_slice(h.sni, "first.example");
	assert_false(h.has_alpn);
}

static void check_inside(const struct bytes *b, struct pk_slice s)
{
	const uint8_t *p = (const uint8_t *)s.s;

	if (s.len)
		assert_true(p >= b->data && p + s.len <= b->data + b->len);
}

/* Any byte may lie: all that comes out stays inside. */
static void test_every_lie(void **state)
{
	static const uint8_t lies[] = { 0x00, 0x01, 0x02, 0x7f, 0x80, 0xfe, 0xff };
	struct bytes b = { .len = 0 };
	struct pk_tls_client h;
	uint8_t was;

	(void)state;
	put_chrome(&b, "www.example.org", 1);
	for (size_t i = 0; i < b.len; i++) {
		was = b.data[i];
		for (size_t k = 0; k < PK_ARRAY_SIZE(lies); k++) {
			b.data[i] = lies[k];
			if (parse(&b, &h) < 0)
				continue;
			check_inside(&b, h.ciphers);
			check_inside(&b, h.extensions);
			check_inside(&b, h.sni);
			check_inside(&b, h.alpn);
			check_inside(&b, h.groups);
			check_inside(&b, h.points);
			check_inside(&b, h.sigalgs);
			check_inside(&b, h.versions);
			assert_int_equal(h.ciphers.len % 2, 0);
			assert_int_equal((h.groups.len | h.sigalgs.len | h.versions.len) % 2, 0);
		}
		b.data[i] = was;
	}
}

/* One extension alone: what it makes of the hello. */
static struct pk_tls_client alone(struct bytes *b, uint16_t type, const char *body, size_t len)
{
	struct pk_tls_client h;
	size_t block;

	b->len = 0;
	put_client(b, 0x0303, one_cipher, 1);
	block = open16(b);
	put_extension(b, type, body, len);
	close16(b, block);
	assert_int_equal(parse(b, &h), 0);
	assert_int_equal(h.extension_count, 1);
	return h;
}

static void test_malformed_extensions(void **state)
{
	static const struct {
		uint16_t type, bad;
		const char *body;
		uint8_t len;
	} rows[] = {
		{ 0, PK_TLS_BAD_SNI, "", 0 },
		{ 0, PK_TLS_BAD_SNI, "\0", 1 },
		{ 0, PK_TLS_BAD_SNI, "\0\0", 2 },
		{ 0, PK_TLS_BAD_SNI, "\0\3\0\0\0", 5 },      /* empty name */
		{ 0, PK_TLS_BAD_SNI, "\0\4\0\0\1a\0", 7 },   /* more behind the list */
		{ 0, PK_TLS_BAD_SNI, "\0\4\0\0\2a", 6 },     /* name longer than the list */
		{ 0, PK_TLS_BAD_SNI, "\0\5\0\0\1a", 6 },     /* list longer than the rest */
		{ 0, PK_TLS_BAD_SNI, "\0\4\1\0\1a", 6 },     /* no host name in it */
		{ 0, PK_TLS_BAD_SNI, "\0\6\0\0\1a\0\0", 8 }, /* a second one, cut */
		{ 0, 0, "\0\4\0\0\1a", 6 },                  /* right */
		{ 0, 0, "\0\10\1\0\1x\0\0\1a", 10 },         /* right, of another type first */
		{ 16, PK_TLS_BAD_ALPN, "", 0 },
		{ 16, PK_TLS_BAD_ALPN, "\0\3\3h2", 5 },
		{ 16, PK_TLS_BAD_ALPN, "\0\4\2h2", 5 },
		{ 16, 0, "\0\1\0", 3 }, /* an empty name: against the rules, but it can be read */
		{ 16, 0, "\0\0", 2 },
		{ 43, PK_TLS_BAD_VERSIONS, "", 0 },
		{ 43, PK_TLS_BAD_VERSIONS, "\3\3\4\3", 4 },
		{ 43, PK_TLS_BAD_VERSIONS, "\2\3\4\3", 4 },
		{ 10, PK_TLS_BAD_GROUPS, "\0\1\0", 3 },
		{ 11, PK_TLS_BAD_POINTS, "\2\0", 2 },
		{ 13, PK_TLS_BAD_SIGALGS, "\0\4\4\3", 4 },
	};
	struct bytes b = { .len = 0 };
	struct pk_tls_client h;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		h = alone(&b, rows[i].type, rows[i].body, rows[i].len);
		assert_int_equal(h.malformed, rows[i].bad);
		assert_int_equal(h.has_sni, rows[i].type == 0);
		assert_int_equal(h.has_alpn, rows[i].type == 16);
		if (rows[i].type == 0 && !rows[i].bad)
			assert_slice(h.sni, "a");
		else
			assert_int_equal(h.sni.len, 0);
		assert_int_equal(h.version, 0x0303);
	}
}

static void test_repeated(void **state)
{
	static const uint16_t versions[] = { 0x0304 };
	struct bytes b = { .len = 0 };
	struct pk_tls_client h;
	size_t block;

	(void)state;
	put_client(&b, 0x0303, one_cipher, 1);
	block = open16(&b);
	put_sni(&b, "first.example");
	put_extension(&b, 0x000c, "", 0);
	put_extension(&b, 0x1a1a, "", 0);
	put_extension(&b, 0x1a1a, "", 0);
	put_versions(&b, versions, 1);
	put_extension(&b, 0xfe0d, "", 0);
	close16(&b, block);
	assert_int_equal(parse(&b, &h), 0);
	assert_int_equal(h.malformed, 0);
	put_sni(&b, "second.example");
	close16(&b, block);
	assert_int_equal(parse(&b, &h), 0);
	assert_int_equal(h.malformed, PK_TLS_BAD_REPEATED);
	assert_slice(h.sni, "first.example");
	assert_int_equal(h.version, 0x0304);
	assert_true(h.ech);
}

static void test_signs(void **state)
{
	struct bytes b = { .len = 0 };

	(void)state;
	assert_true(alone(&b, 0xfe0d, "\0\0\1\0\1\0", 6).ech);
	assert_true(alone(&b, 41, "", 0).psk);
	assert_true(alone(&b, 42, "", 0).early_data);
	assert_true(alone(&b, 0xfafa, "", 0).grease);
	assert_false(alone(&b, 0xfafb, "", 0).grease);
	assert_false(alone(&b, 0x0a1a, "", 0).grease);
}

static void test_versions(void **state)
{
	static const struct {
		uint16_t list[3], want;
	} rows[] = {
		{ { 0x0303, 0x0304, 0x0302 }, 0x0304 },
		{ { 0xfafa, 0x0303, 0x0302 }, 0x0303 },
		{ { 0xfafa, 0xfafa, 0xfafa }, 0x0301 }, /* nothing but GREASE */
		{ { 0x7f1c, 0x0304, 0x0303 }, 0x7f1c }, /* a draft is the highest value */
	};
	struct bytes b = { .len = 0 };
	struct pk_tls_client h;
	size_t block;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		b.len = 0;
		put_client(&b, 0x0301, one_cipher, 1);
		block = open16(&b);
		put_versions(&b, rows[i].list, 3);
		close16(&b, block);
		assert_int_equal(parse(&b, &h), 0);
		assert_int_equal(h.version, rows[i].want);
	}
}

static void put_server(struct bytes *b, const void *random, uint16_t cipher)
{
	put16(b, 0x0303);
	put_raw(b, random, 32);
	put8(b, 0);
	put16(b, cipher);
	put8(b, 0);
}

static const uint8_t some_random[32] = { 1 };
static const uint8_t retry[] = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
			       "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

static void test_server_1_2(void **state)
{
	struct bytes b = { .len = 0 };
	struct pk_tls_server h;
	struct pk_slice list, name;
	size_t block;

	(void)state;
	put_server(&b, some_random, 0xc02f);
	assert_int_equal(pk_tls_server_parse(b.data, b.len, &h), 0);
	assert_int_equal(h.version, 0x0303);
	assert_int_equal(h.cipher, 0xc02f);
	assert_false(h.has_alpn || h.retry || h.psk);
	block = open16(&b);
	put_alpn(&b, "\2h2", 3);
	close16(&b, block);
	assert_int_equal(pk_tls_server_parse(b.data, b.len, &h), 0);
	list = h.alpn;
	assert_true(pk_tls_alpn_next(&list, &name));
	assert_slice(name, "h2");
	for (size_t len = 0; len < b.len; len++) {
		bool cut = len > 2 + 32 + 1 + 2 + 1;

		assert_int_equal(pk_tls_server_parse(b.data, len, &h),
				 len < 2 + 32 + 1 + 2 + 1 ? -EBADMSG : 0);
		assert_int_equal(h.malformed, cut ? PK_TLS_BAD_BLOCK : 0);
	}
}

static void test_server_1_3(void **state)
{
	struct bytes b = { .len = 0 };
	struct pk_tls_server h;
	size_t block;

	(void)state;
	put_server(&b, some_random, 0x1302);
	block = open16(&b);
	put_extension(&b, 43, "\3\4", 2);
	put_extension(&b, 51, "\0\x1d\0\2ab", 6);
	put_extension(&b, 41, "\0\0", 2);
	close16(&b, block);
	assert_int_equal(pk_tls_server_parse(b.data, b.len, &h), 0);
	assert_int_equal(h.legacy_version, 0x0303);
	assert_int_equal(h.version, 0x0304);
	assert_int_equal(h.group, 0x001d);
	assert_true(h.psk);
	assert_false(h.retry);
	assert_int_equal(h.malformed, 0);
}

static void test_server_retry(void **state)
{
	struct bytes b = { .len = 0 };
	struct pk_tls_server h;
	size_t block;

	(void)state;
	put_server(&b, retry, 0x1301);
	block = open16(&b);
	put_extension(&b, 43, "\3\4", 2);
	put_extension(&b, 51, "\0\x17", 2);
	close16(&b, block);
	assert_int_equal(pk_tls_server_parse(b.data, b.len, &h), 0);
	assert_true(h.retry);
	assert_int_equal(h.group, 0x0017);
	assert_int_equal(h.malformed, 0);
}

static void test_server_malformed(void **state)
{
	struct bytes b = { .len = 0 };
	struct pk_tls_server h;
	size_t block;

	(void)state;
	put_server(&b, some_random, 0x1301);
	block = open16(&b);
	put_extension(&b, 43, "\3\4\3", 3);
	put_extension(&b, 51, "\0\x17", 2);
	put_extension(&b, 16, "\0\5\2h2", 5);
	put_extension(&b, 16, "\0\3\2h2", 5);
	close16(&b, block);
	assert_int_equal(pk_tls_server_parse(b.data, b.len, &h), 0);
	assert_int_equal(h.malformed, PK_TLS_BAD_VERSIONS | PK_TLS_BAD_KEY_SHARE | PK_TLS_BAD_ALPN |
					      PK_TLS_BAD_REPEATED);
	assert_int_equal(h.version, 0x0303);
	assert_int_equal(h.group, 0);
	assert_int_equal(h.alpn.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_browser),
		cmocka_unit_test(test_old_without_extensions),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_broken_block),
		cmocka_unit_test(test_every_lie),
		cmocka_unit_test(test_malformed_extensions),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_signs),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_server_1_2),
		cmocka_unit_test(test_server_1_3),
		cmocka_unit_test(test_server_retry),
		cmocka_unit_test(test_server_malformed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
