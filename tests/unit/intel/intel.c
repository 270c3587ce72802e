/* SPDX-License-Identifier: Apache-2.0 */
/* Each format, what is revoked, expired or not for detection, bad files beside good ones. */
#include "intel/intel.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "detect/indicators.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* SHA-256, as sha256sum writes them and as others do */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABD "A52D159F262B2C6DDB724A61840BEFC36EB30C88877A4030B65CBE86298449C9"

#define HASH(n) #n "000000000000000000000000000000000000000000000000000000000000abc"

#define NOW 1700000000000ll /* 2023-11-14 */

static char dir[] = "/tmp/picket-intel.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void drop(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static bool has_name(const struct pk_indicators *t, const char *name, int64_t now_ms)
{
	struct pk_indicator i;

	return pk_indicators_name(t, name, now_ms, &i);
}

static bool has_addr(const struct pk_indicators *t, const char *ip)
{
	struct pk_indicator i;
	uint8_t a[16];

	return pk_ip_parse(ip, a) == 0 && pk_indicators_addr(t, a, 0, NOW, &i);
}

static void test_formats(void **state)
{
	static const char *const hashes[] = { HASH(1), HASH(2), HASH(3), HASH(4),
					      HASH(5), HASH(6), HASH(7) };
	struct pk_indicator found;
	struct pk_intel_sum sum;
	struct pk_indicators *t;

	(void)state;
	put("plain.txt", "# list\n192.0.2.1\nevil.example\n198.51.100.0/24\n"
			 "t13d1516h2_8daaf6152771_b186095e22b6\n" ABC "  a.out\n" ABD "\n");
	put("stix.json",
	    "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":["
	    "{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern_type\":\"stix\","
	    "\"valid_until\":\"2024-01-01T00:00:00Z\",\"pattern\":\"[domain-name:value = "
	    "'until.example']\"},"
	    "{\"type\":\"indicator\",\"id\":\"indicator--2\",\"pattern_type\":\"stix\","
	    "\"valid_until\":\"2022-01-01T00:00:00Z\",\"pattern\":\"[domain-name:value = "
	    "'old.example']\"},"
	    "{\"type\":\"indicator\",\"id\":\"indicator--3\",\"pattern_type\":\"stix\",\"revoked\":"
	    "true,"
	    "\"pattern\":\"[domain-name:value = 'revoked.example']\"},"
	    "{\"type\":\"indicator\",\"id\":\"indicator--4\",\"name\":\"odd file\","
	    "\"pattern_type\":\"stix\",\"pattern\":\"[file:hashes.MD5 = 'aa' OR "
	    "file:hashes.'SHA-256' = '" HASH(1) "'] OR [file:hashes.'SHA-256' IN ('" HASH(
		    2) "')]\"},"
		       "{\"type\":\"indicator\",\"id\":\"indicator--5\",\"pattern_type\":\"stix\","
		       "\"pattern\":\"[file:hashes.'SHA-256' = '" HASH(
			       3) "' AND file:size = 3]\"},"
				  "{\"type\":\"indicator\",\"id\":\"indicator--6\",\"pattern_"
				  "type\":\"stix\","
				  "\"revoked\":true,\"pattern\":\"[file:hashes.'SHA-256' = '" HASH(
					  4) "']\"}]}");
	put("misp.json",
	    "{\"Event\":{\"info\":\"x\",\"Attribute\":["
	    "{\"type\":\"domain\",\"value\":\"misp.example\",\"to_ids\":true},"
	    "{\"type\":\"sha256\",\"value\":\"" HASH(
		    5) "\",\"to_ids\":true},"
		       "{\"type\":\"filename|sha256\",\"value\":\"a|b|" HASH(
			       6) "\"},"
				  "{\"type\":\"sha256\",\"value\":\"" HASH(
					  7) "\",\"to_ids\":false},"
					     "{\"type\":\"domain\",\"value\":\"context.example\","
					     "\"to_ids\":false}]}}");
	put("broken.json", "{\"type\":\"bundle\"");
	put("table.csv", "first.example,malware,(static)\n192.0.2.77,x,y\n/path.php,x,y\n");
	put(".hidden", "hidden.example\n");
	assert_int_equal(pk_intel_load(dir, 1000, NOW, &t, &sum), 0);
	assert_int_equal(sum.files, 5);
	assert_true(has_name(t, "first.example", NOW) && has_addr(t, "192.0.2.77"));
	assert_int_equal(sum.bad_files, 1);
	assert_non_null(strstr(sum.bad, "broken.json"));
	assert_true(has_addr(t, "192.0.2.1") && has_addr(t, "198.51.100.99"));
	assert_false(has_addr(t, "192.0.2.2"));
	assert_true(has_name(t, "www.evil.example", NOW) && has_name(t, "misp.example", NOW));
	assert_true(has_name(t, "until.example", NOW));
	assert_false(has_name(t, "until.example", NOW + 5000000000ll)); /* since then it expired */
	assert_false(has_name(t, "old.example", NOW) || has_name(t, "revoked.example", NOW));
	assert_false(has_name(t, "context.example", NOW) || has_name(t, "hidden.example", NOW));
	assert_true(pk_indicators_ja4(t, "t13d1516h2_8daaf6152771_b186095e22b6", NOW,
				      &(struct pk_indicator){ 0 }));
	for (size_t k = 0; k < PK_ARRAY_SIZE(hashes); k++)
		assert_int_equal(pk_indicators_sha256(t, hashes[k], NOW, &found),
				 k + 1 != 3 && k + 1 != 4 && k + 1 != 7);
	assert_true(pk_indicators_sha256(t, HASH(1), NOW, &found));
	assert_string_equal(found.reason, "odd file");
	assert_string_equal(found.source, "stix.json");
	assert_true(pk_indicators_sha256(t, ABC, NOW, &(struct pk_indicator){ 0 }));
	assert_true(pk_indicators_sha256(
		t, "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9", NOW,
		&(struct pk_indicator){ 0 }));
	pk_indicators_free(t);
	drop("plain.txt");
	drop("table.csv");
	drop("stix.json");
	drop("misp.json");
	drop("broken.json");
	drop(".hidden");
}

/* A table of hashes has nothing for the reader of addresses, which does not mind; also packed. */
static void test_hashes(void **state)
{
	static const char table[] = "first_seen,sha256_hash,md5_hash\n2026-01-01," ABC
				    ",d41d8cd98f00b204e9800998ecf8427e\n";
	struct pk_indicators_count n;
	struct pk_indicator found;
	struct pk_intel_sum sum;
	struct pk_indicators *t;
	char path[256];
	gzFile gz;

	(void)state;
	put("table.csv", table);
	put("zeek.intel", "#fields\tindicator\tindicator_type\tmeta.source\n"
			  "392c59924103a45553b1e4bd1f5845e42d4f1c9b\tIntel::FILE_HASH\tx\n"
			  "evil.example\tIntel::DOMAIN\tx\n");
	snprintf(path, sizeof(path), "%s/packed.gz", dir);
	gz = gzopen(path, "wb");
	assert_non_null(gz);
	assert_true(gzputs(gz, ABD "  a.out\nnever.example\n") > 0);
	assert_int_equal(gzclose(gz), Z_OK);
	assert_int_equal(pk_intel_load(dir, 1000, NOW, &t, &sum), 0);
	assert_int_equal(sum.files, 3);
	assert_string_equal(sum.bad, "");
	assert_int_equal(sum.bad_files, 0);
	assert_int_equal(sum.bad_lines, 0);
	assert_int_equal(sum.other_hashes, 1);
	pk_indicators_counts(t, &n);
	assert_int_equal(n.hashes, 2);
	assert_true(has_name(t, "evil.example", NOW) && has_name(t, "never.example", NOW));
	assert_true(pk_indicators_name(t, "evil.example", NOW, &found));
	assert_string_equal(found.reason, "x"); /* read as Zeek's, though a name begins it */
	pk_indicators_free(t);
	drop("table.csv");
	drop("zeek.intel");
	drop("packed.gz");
}

static void test_many(void **state)
{
	char *text = malloc(100000 * 32), *p = text;
	struct pk_indicators_count n;
	struct pk_intel_sum sum;
	struct pk_indicators *t;

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		p += sprintf(p, "host%u.example.net\n", i);
	put("many.txt", text);
	free(text);
	assert_int_equal(pk_intel_load(dir, 50000, NOW, &t, &sum), 0);
	pk_indicators_counts(t, &n);
	assert_int_equal(n.names, 50000);
	assert_int_equal(n.refused, 50000);
	pk_indicators_free(t);
	drop("many.txt");
}

/* Real feeds have these: a host would be told of all that it says to itself. */
static void test_no_host(void **state)
{
	static const char *const hosts[] = { "10.0.0.1", "128.0.0.1", "223.255.255.1",
					     "2001:db8::1" };
	static const char *const none[] = { "0.0.0.0",         "127.0.0.1", "127.8.8.8",
					    "224.0.0.251",     "::",        "::1",
					    "255.255.255.255", "ff02::fb" };
	struct pk_intel_sum sum;
	struct pk_indicators *t;

	(void)state;
	put("zeek.intel", "#fields\tindicator\tindicator_type\tmeta.source\n"
			  "127.0.0.1\tIntel::ADDR\tx\n10.0.0.1\tIntel::ADDR\tx\n");
	put("plain.txt", "0.0.0.0\n127.8.0.0/16\n224.0.0.251\n255.255.255.255\n::\n::1\nff02::/16\n"
			 "128.0.0.1\n223.255.255.1\n2001:db8::1\n");
	assert_int_equal(pk_intel_load(dir, 1000, NOW, &t, &sum), 0);
	assert_int_equal(sum.ignored, 8);
	assert_int_equal(sum.bad_lines, 0);
	for (size_t i = 0; i < PK_ARRAY_SIZE(hosts); i++)
		assert_true(has_addr(t, hosts[i]));
	for (size_t i = 0; i < PK_ARRAY_SIZE(none); i++)
		assert_false(has_addr(t, none[i]));
	pk_indicators_free(t);
	drop("zeek.intel");
	drop("plain.txt");
}

static void test_none(void **state)
{
	struct pk_intel_sum sum;
	struct pk_indicators *t;

	(void)state;
	assert_int_equal(pk_intel_load("/nowhere/at/all", 10, NOW, &t, &sum), 0);
	assert_int_equal(sum.files, 0);
	assert_false(has_name(t, "x.example", NOW));
	pk_indicators_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats), cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_many),    cmocka_unit_test(test_no_host),
		cmocka_unit_test(test_none),
	};
	int r;

	if (!mkdtemp(dir))
		return 1;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return r;
}
