/* SPDX-License-Identifier: Apache-2.0 */
/* STIX bundles, made up ones and those of the corpora; MISP and STIX must say the same. */
#include "list.h"

#include <jansson.h>

static void check(const char *text, const char *want, uint64_t ignored)
{
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);
	_cleanup_free_ char *shown = NULL;
	struct pk_list_data d;

	o.skip_bad = true;
	assert_int_equal(pk_list_read(text, strlen(text), &o, &d), 0);
	assert_int_equal(d.format, PK_LIST_STIX);
	shown = list_shown(&d);
	assert_string_equal(shown, want);
	assert_int_equal(d.ignored, ignored);
	pk_list_data_done(&d);
}

#define IND(pattern, more)                                                                         \
	"{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern\":\"" pattern "\"" more "}"
#define BUNDLE(o) "{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[" o "]}"
#define V4        "[ipv4-addr:value = '192.0.2.1']"

static void test_indicators(void **state)
{
	(void)state;
	check(BUNDLE(IND(V4, ",\"name\":\"C2\"")), "192.0.2.1 reason=\"C2\"\n", 0);
	check(BUNDLE(IND(V4, "")), "192.0.2.1 reason=\"indicator--1\"\n", 0);
	check(IND(V4, ""), "192.0.2.1 reason=\"indicator--1\"\n", 0);
	check("[" IND(V4, "") "]", "192.0.2.1 reason=\"indicator--1\"\n", 0);
	check(BUNDLE(IND("[ipv6-addr:value ISSUBSET '2001:db8::/32' OR domain-name:value IN "
			 "('A.example', 'b.example')]",
			 "")),
	      "2001:db8::/32 reason=\"indicator--1\"\nname a.example\nname b.example\n", 0);
	check(BUNDLE(IND("[network-traffic:dst_ref.value = '192.0.2.1' AND "
			 "network-traffic:dst_port = 443]",
			 "")),
	      "192.0.2.1 dir=out port=443 reason=\"indicator--1\"\n", 0);
	check(BUNDLE(IND(V4, ",\"pattern_type\":\"sigma\"")), "", 1);
	check(BUNDLE(IND("[file:size = 1]", "")), "", 1);
	check(BUNDLE(IND("[file:size = 1] OR " V4, "")), "192.0.2.1 reason=\"indicator--1\"\n", 1);
	/* Seen is not accused. */
	check(BUNDLE("{\"type\":\"ipv4-addr\",\"id\":\"ipv4-addr--1\",\"value\":\"192.0.2.1\"},"
		     "{\"type\":\"observed-data\",\"id\":\"observed-data--1\"}"),
	      "", 2);
	check(BUNDLE(""), "", 0);
}

static void test_validity(void **state)
{
	(void)state;
	check(BUNDLE(IND(V4, ",\"valid_until\":\"2023-11-14T22:13:21.5Z\"")),
	      "192.0.2.1 expires=1700000001500 reason=\"indicator--1\"\n", 0);
	check(BUNDLE(IND(V4, ",\"valid_until\":\"2023-11-14T22:13:20Z\"")), "", 1);
	check(BUNDLE(IND(V4, ",\"valid_from\":\"2023-11-14T22:13:21Z\"")), "", 1);
	check(BUNDLE(IND(V4, ",\"valid_from\":\"2023-11-14T22:13:20Z\"")),
	      "192.0.2.1 reason=\"indicator--1\"\n", 0);
	check(BUNDLE(IND(V4, ",\"revoked\":true")), "", 1);
	check(BUNDLE(IND(V4, ",\"revoked\":false")), "192.0.2.1 reason=\"indicator--1\"\n", 0);
	check(BUNDLE("\n" IND(V4, ",\"valid_until\":\"tomorrow\"")),
	      "!2: not a time: expected 2024-01-31T10:20:30Z\n", 0);
	check(BUNDLE(IND(V4, ",\"valid_until\":\"2024-01-31T10:20:30+01:00\"")),
	      "!1: not a time: expected 2024-01-31T10:20:30Z\n", 0);
}

/* Nothing of an indicator is loaded when a part of it can't be. */
static void test_bad(void **state)
{
	(void)state;
	check(BUNDLE("\n\n" IND(V4 " OR [ipv4-addr:value = '192.0.2.300']", "")),
	      "!3: pattern, column 68: not an address\n", 0);
	check(BUNDLE(IND("[ipv4-addr:value = '192.0.2.1' AND file:size = 1]", "")),
	      "!1: pattern, column 50: an address or name only together with something that "
	      "packets don't tell\n",
	      0);
	check(BUNDLE("{\"type\":\"indicator\",\"id\":\"indicator--1\"}"),
	      "!1: an indicator without a pattern\n", 0);
}

/* The prefixes and names of a document, without reasons. */
static char *essence(const json_t *v)
{
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);
	_cleanup_free_ char *text = json_dumps(v, JSON_ENCODE_ANY);
	struct pk_list_data d;
	char *shown;

	assert_non_null(text);
	o.skip_bad = true;
	assert_int_equal(pk_list_read(text, strlen(text), &o, &d), 0);
	for (size_t i = 0; i < d.n; i++)
		d.v[i].reason = 0;
	for (size_t i = 0; i < d.n_bad; i++)
		free(d.bad[i].reason), d.bad[i].reason = strdup("bad");
	shown = list_shown(&d);
	pk_list_data_done(&d);
	return shown;
}

static void test_pairs(void **state)
{
	size_t len, pairs = 0, loaded = 0;
	_cleanup_free_ char *bytes =
		corpus_file("stix-misp/misp-stix/misp_attributes_to_stix21.json", &len);
	const char *type;
	json_t *root, *pair;

	(void)state;
	if (!bytes)
		skip();
	root = json_loadb(bytes, len, 0, NULL);
	assert_non_null(root);
	json_object_foreach(root, type, pair)
	{
		json_t *stix = json_object_get(pair, "STIX");
		_cleanup_free_ char *a = essence(json_object_get(pair, "MISP")), *b = NULL;

		b = essence(stix);
		if (strcmp(a, b) != 0)
			fail_msg("%s: MISP gives \"%s\", STIX \"%s\"", type, a, b);
		pairs++;
		loaded += *a != '\0';
	}
	json_decref(root);
	assert_int_equal(pairs, 40);
	assert_int_equal(loaded, 4); /* ip-src, both with a port, hostname|port (a complaint) */
}

static void test_corpora(void **state)
{
	static const struct {
		const char *path;
		int result;
		const char *shown;
	} files[] = {
		{ "stix21/ctidoc__examples__example_json__apt1.json", 0,
		  "58.246.0.0/15\n112.64.0.0/15\n139.226.0.0/15\n223.166.0.0/15\n"
		  "name arrowservice.net\nname hugesoft.org\nname msnhome.org\n" },
		{ "stix21/stixschema__examples__indicator-to-campaign-relationship.json", 0,
		  "10.0.0.0\n" },
		{ "stix21/ctidoc__examples__example_json__sighting-of-observed-data.json", 0, "" },
		{ "misp-stix/test_attributes_collection_stix21.json", 0,
		  "149.13.33.14\nname circl.lu\n" },
		{ "misp-stix/test_attributes_collection_stix20.json", 0,
		  "149.13.33.14\nname circl.lu\n" },
		{ "stix-validator/v21__test_examples__tool.json", 0, "" },
		{ "stix-validator/v21__test_examples__invalid_comma.json", -EBADMSG,
		  "!9: not JSON: line 9, column 1: string or '}' expected near '}'\n" },
		{ "stix-validator/v20__test_examples__invalid_comma.json", -EBADMSG,
		  "!8: not JSON: line 8, column 1: string or '}' expected near '}'\n" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(files); i++) {
		struct pk_list_opts o = list_opts(PK_LIST_AUTO);
		_cleanup_free_ char *bytes = NULL, *path = NULL, *shown = NULL;
		struct pk_list_data d;
		size_t len;

		assert_true(asprintf(&path, "stix-misp/%s", files[i].path) > 0);
		bytes = corpus_file(path, &len);
		if (!bytes)
			skip();
		assert_int_equal(pk_list_read(bytes, len, &o, &d), files[i].result);
		assert_int_equal(d.format, PK_LIST_STIX);
		for (size_t k = 0; k < d.n; k++)
			d.v[k].reason = 0;
		shown = list_shown(&d);
		assert_string_equal(shown, files[i].shown);
		pk_list_data_done(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_indicators), cmocka_unit_test(test_validity),
		cmocka_unit_test(test_bad),        cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_corpora),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
