/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes in lists, tables and Zeek's rows are taken, others counted; lines for others stay. */
#include "intel/prints.h"

#include "base/cleanup.h"
#include "detect/indicators.h"
#include "intel/intel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define MD5  "d41d8cd98f00b204e9800998ecf8427e"
#define SHA1 "392c59924103a45553b1e4bd1f5845e42d4f1c9b"
#define JA4  "t13d1516h2_8daaf6152771_b186095e22b6"

struct taken {
	struct pk_indicators *t;
	struct pk_intel_sum sum;
	char *left;
};

static void done(struct taken *k)
{
	pk_indicators_free(k->t);
	free(k->left);
}

static struct taken take(const char *text)
{
	struct taken k = { .t = pk_indicators_new(100), .left = strdup(text) };

	assert_int_equal(pk_intel_prints(k.t, "feed", k.left, strlen(text), &k.sum), 0);
	assert_int_equal(pk_indicators_seal(k.t), 0);
	return k;
}

static bool has(const struct taken *k, const char *sha256, const char *reason)
{
	struct pk_indicator i;

	if (!pk_indicators_sha256(k->t, sha256, 0, &i))
		return false;
	assert_string_equal(i.source, "feed");
	assert_string_equal(i.reason, reason);
	return true;
}

static bool is_blank(const char *s)
{
	return s[strspn(s, " \n")] == '\0';
}

static void test_zeek(void **state)
{
	_cleanup_(done) struct taken k =
		take("#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\n" A
		     "\tIntel::FILE_HASH\tABUSE-CH\tMirai, a bot\n" B
		     "\tIntel::FILE_HASH\tABUSE-CH\t-\n" SHA1
		     "\tIntel::FILE_HASH\tABUSE-CH\tMALWARE\n" MD5 "\tIntel::FILE_HASH\tx\t-\n" SHA1
		     "\tIntel::CERT_HASH\tx\t-\n192.0.2.1\tIntel::ADDR\tx\t-\n");

	(void)state;
	assert_true(has(&k, A, "Mirai, a bot"));
	assert_true(has(&k, B, "ABUSE-CH"));
	assert_int_equal(k.sum.other_hashes, 2);
	assert_non_null(strstr(k.left, "192.0.2.1\tIntel::ADDR")); /* for their reader */
	assert_non_null(strstr(k.left, SHA1 "\tIntel::CERT_HASH"));
	assert_null(strstr(k.left, "FILE_HASH"));
}

/* Only what Zeek calls a file's, wherever its columns are. */
static void test_zeek_columns(void **state)
{
	_cleanup_(done) struct taken k =
		take("#separator \\x09\n"
		     "#fields\tmeta.source\tindicator_type\tindicator\n" B "\tIntel::FILE_HASH\t" A
		     "\nx\tIntel::CERT_HASH\t" B "\n");

	(void)state;
	assert_true(has(&k, A, B)); /* its source happens to look like one */
	assert_false(pk_indicators_sha256(k.t, B, 0, &(struct pk_indicator){ 0 }));
}

static void test_csv(void **state)
{
	_cleanup_(done) struct taken k = take(
		"# \"first_seen_utc\",\"sha256_hash\",\"md5_hash\",\"sha1_hash\",\"file_name\"\n"
		"\"2026-01-01 00:00:00\", \"" A "\", \"" MD5 "\", \"" SHA1 "\", \"a,b.exe\"\r\n"
		"\"2026-01-02 00:00:00\", \"" B "\", \"" MD5 "\", \"" SHA1 "\", \"x\"\n");

	(void)state;
	assert_true(has(&k, A, "") && has(&k, B, ""));
	assert_int_equal(k.sum.other_hashes, 0); /* of files that are looked for */
	assert_true(is_blank(strchr(k.left, '\n')));
}

/* One column of all kinds; a row with an address or name is for its reader as well. */
static void test_mixed(void **state)
{
	_cleanup_(done) struct taken k =
		take("sha256;" A "\nmd5;" MD5 "\nsha1;" SHA1 "\nip;192.0.2.1\n"
		     "192.0.2.7;drops;" B "\nbad.example;drops;" MD5 "\n2001:db8::/32;" MD5 "\n");

	(void)state;
	assert_true(has(&k, A, "") && has(&k, B, ""));
	assert_int_equal(k.sum.other_hashes, 2);
	assert_non_null(strstr(k.left, "ip;192.0.2.1\n192.0.2.7;drops;"));
	assert_non_null(strstr(k.left, "bad.example;drops"));
	assert_non_null(strstr(k.left, "2001:db8::/32;"));
}

static void test_plain(void **state)
{
	_cleanup_(done) struct taken k =
		take(A "  with, commas.bin\n  " B "\n" MD5 "  old.bin\n# " A "\n" JA4
		       "\nevil.example\nevil.example # seen with " A "\n");

	(void)state;
	assert_true(has(&k, A, "") && has(&k, B, ""));
	assert_true(pk_indicators_ja4(k.t, JA4, 0, &(struct pk_indicator){ 0 }));
	assert_int_equal(k.sum.other_hashes, 1);
	assert_string_equal(strstr(k.left, "evil.example"),
			    "evil.example\nevil.example # seen with " A "\n");
}

/* JSON is whole afterwards. */
static void test_json(void **state)
{
	const char *text = "\n{\"a\": [\n{\"type\": \"sha256\", \"value\":\n \"" A "x\",\n"
			   "\"md5\": \"" MD5 "\", \"value\": \"" B "\"}]}\n";
	_cleanup_(done) struct taken k = take(text);

	(void)state;
	assert_string_equal(k.left, text);
	assert_int_equal(k.sum.other_hashes, 0);
}

static void test_odd(void **state)
{
	static const char *const texts[] = {
		"",  "\n",   "\t\t\t\n", ",,,,", "\"", "#fields", "#fields\tindicator\n\n" A,
		"{", " \r\n"
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(texts); i++) {
		_cleanup_(done) struct taken k = take(texts[i]);

		assert_int_equal(k.sum.other_hashes, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeek),  cmocka_unit_test(test_zeek_columns),
		cmocka_unit_test(test_csv),   cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_plain), cmocka_unit_test(test_json),
		cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
