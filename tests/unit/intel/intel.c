/* SPDX-License-Identifier: Apache-2.0 */
/* Each format, what is revoked, expired or not for detection, bad files beside good ones. */
#include "intel/intel.h"

#include "base/ip.h"
#include "detect/indicators.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

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
	struct pk_intel_sum sum;
	struct pk_indicators *t;

	(void)state;
	put("plain.txt", "# list\n192.0.2.1\nevil.example\n198.51.100.0/24\n"
			 "t13d1516h2_8daaf6152771_b186095e22b6\n");
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
	    "\"pattern\":\"[domain-name:value = 'revoked.example']\"}]}");
	put("misp.json", "{\"Event\":{\"info\":\"x\",\"Attribute\":["
			 "{\"type\":\"domain\",\"value\":\"misp.example\",\"to_ids\":true},"
			 "{\"type\":\"domain\",\"value\":\"context.example\",\"to_ids\":false}]}}");
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
	pk_indicators_free(t);
	drop("plain.txt");
	drop("table.csv");
	drop("stix.json");
	drop("misp.json");
	drop("broken.json");
	drop(".hidden");
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
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_none),
	};
	int r;

	if (!mkdtemp(dir))
		return 1;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return r;
}
