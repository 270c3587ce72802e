/* SPDX-License-Identifier: Apache-2.0 */
/* MISP events and warning lists, made up ones and those of the corpora. */
#include "list.h"

static void check(const char *text, const char *want, uint64_t ignored)
{
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);
	_cleanup_free_ char *shown = NULL;
	struct pk_list_data d;

	o.skip_bad = true;
	assert_int_equal(pk_list_read(text, strlen(text), &o, &d), 0);
	assert_int_equal(d.format, PK_LIST_MISP);
	shown = list_shown(&d);
	assert_string_equal(shown, want);
	assert_int_equal(d.ignored, ignored);
	pk_list_data_done(&d);
}

#define ATTR(type, value, more)                                                                    \
	"{\"type\":\"" type "\",\"category\":\"Network activity\",\"value\":\"" value "\"" more "}"
#define EVENT(a) "{\"Event\":{\"info\":\"Case\",\"Attribute\":[" a "]}}"

static void test_attributes(void **state)
{
	(void)state;
	check(EVENT(ATTR("ip-dst", "192.0.2.1", "")), "192.0.2.1 reason=\"Case\"\n", 0);
	check(EVENT(ATTR("ip-src", "192.0.2.0/24", ",\"comment\":\"C2\"")),
	      "192.0.2.0/24 reason=\"C2\"\n", 0);
	check(EVENT(ATTR("ip-dst|port", "192.0.2.1|443", "")),
	      "192.0.2.1 dir=out port=443 reason=\"Case\"\n", 0);
	check(EVENT(ATTR("ip-src|port", "2001:db8::1|99", "")),
	      "2001:db8::1 dir=out port=99 reason=\"Case\"\n", 0);
	check(EVENT(ATTR("domain", "Evil.example", "") "," ATTR("hostname", "a.example", "")),
	      "name a.example\nname evil.example\n", 0);
	check(EVENT(ATTR("domain|ip", "a.example|192.0.2.1", "")),
	      "192.0.2.1 reason=\"a.example|192.0.2.1\"\nname a.example\n", 0);
	check(EVENT(ATTR("md5", "x", "")), "", 1);
	/* Not for detection, in each of the ways that it is written; and deleted. */
	check(EVENT(ATTR("ip-dst", "192.0.2.1", ",\"to_ids\":false")), "", 1);
	check(EVENT(ATTR("ip-dst", "192.0.2.1", ",\"to_ids\":\"0\"")), "", 1);
	check(EVENT(ATTR("ip-dst", "192.0.2.1", ",\"to_ids\":0")), "", 1);
	check(EVENT(ATTR("ip-dst", "192.0.2.1", ",\"to_ids\":true,\"deleted\":true")), "", 1);
	check(EVENT(ATTR("ip-dst", "192.0.2.1", ",\"to_ids\":\"1\",\"deleted\":false")),
	      "192.0.2.1 reason=\"Case\"\n", 0);
}

static void test_places(void **state)
{
	static const char one[] = "192.0.2.1\n";

	(void)state;
	check("{\"response\":[{\"Event\":{\"Attribute\":[" ATTR("ip-dst", "192.0.2.1", "") "]}}]}",
	      one, 0);
	check("{\"response\":{\"Attribute\":[" ATTR("ip-dst", "192.0.2.1", "") "]}}", one, 0);
	check("{\"Event\":{\"Object\":[{\"name\":\"ip-port\",\"Attribute\":[" ATTR(
		      "ip-dst", "192.0.2.1", "") "]}]}}",
	      one, 0);
	check("{\"Event\":{\"Object\":[{\"deleted\":false,\"Attribute\":" ATTR(
		      "ip-dst", "192.0.2.1", "") "}]}}",
	      one, 0);
	check("[" ATTR("ip-dst", "192.0.2.1", "") "]", one, 0);
	check(ATTR("ip-dst", "192.0.2.1", ""), one, 0);
	/* A proposal is no attribute. */
	check("{\"Event\":{\"ShadowAttribute\":[" ATTR("ip-dst", "192.0.2.1", "") "]}}", "", 0);
}

static void test_bad(void **state)
{
	(void)state;
	check(EVENT("\n" ATTR("ip-dst", "192.0.2.300", "")),
	      "!2: not an address: a number above 255, expected four from 0 to 255\n", 0);
	check(EVENT("\n\n" ATTR("ip-dst|port", "192.0.2.1", ",\"uuid\":\"u1\"")),
	      "!3: expected an address and a port, as in 192.0.2.1|443\n", 0);
	check(EVENT(ATTR("ip-dst|port", "192.0.2.1|0", "")),
	      "!1: expected an address and a port, as in 192.0.2.1|443\n", 0);
	check(EVENT(ATTR("hostname|port", "a.example|80", "")),
	      "!1: a name together with a port: use type hostname\n", 0);
	check(EVENT(ATTR("domain|ip", "a.example", "")),
	      "!1: expected a name and an address, as in name.example|192.0.2.1\n", 0);
	check(EVENT("{\"uuid\":\"u1\"}"), "!1: an attribute without type and value\n", 0);
}

static void test_warnings(void **state)
{
	(void)state;
	check("{\"list\":[\"192.0.2.0/24\",\"2001:db8::/32\"],\"type\":\"cidr\",\"name\":\"N\"}",
	      "192.0.2.0/24 reason=\"N\"\n2001:db8::/32 reason=\"N\"\n", 0);
	check("{\"list\":[\".example\",\"a.example\"],\"type\":\"hostname\"}",
	      "name a.example\nname example\n", 0);
	check("{\"list\":[\"192.0.2.1\",\"a.example\",\"no name\"],\"type\":\"string\"}",
	      "192.0.2.1\nname a.example\n", 1);
	check("{\"list\":[\"^a\",\"192.0.2.1\"],\"type\":\"regex\"}", "", 2);
	check("{\"list\":[\n\"192.0.2.0/24\",\n\"x\"],\"type\":\"cidr\"}",
	      "192.0.2.0/24\n!3: not an address: expected 192.0.2.1, 192.0.2.0/24, 2001:db8::/32 "
	      "or "
	      "a range a-b\n",
	      0);
	check("{\"list\":[1],\"type\":\"cidr\"}", "!0: member 1 of list is no text\n", 0);
}

/* Figures of the corpora, reckoned by other means (jq over all attributes). */
static void test_corpora(void **state)
{
	static const struct {
		const char *path;
		int result;
		size_t n, names;
		const char *reason;
	} files[] = {
		{ "eset-misp/glupteba__glupteba.misp-event.json", 0, 44, 272, NULL },
		{ "eset-misp/telebots__misp-telebots.json", 0, 3, 0, NULL },
		{ "eset-misp/dukes__misp-dukes-operation-ghost-event.json", 0, 0, 0, NULL },
		{ "misp-stix/test_attributes_collection_1.json", 0, 0, 1, NULL },
		{ "eset-misp/pypi_backdoor__malicious_pypi_packages.misp-event.json", -EBADMSG, 0,
		  0, "line 37374, column 9" },
		{ "eset-misp/dnsbirthday__rqz-dnsduvel_blocklist.json", -EBADMSG, 0, 0,
		  "unknown kind" },
		{ "pymisp/git-vuln-finder-quagga.json", -EBADMSG, 0, 0, "unknown kind" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(files); i++) {
		struct pk_list_opts o = list_opts(PK_LIST_AUTO);
		_cleanup_free_ char *bytes = NULL, *path = NULL;
		struct pk_list_data d;
		size_t len;

		assert_true(asprintf(&path, "stix-misp/%s", files[i].path) > 0);
		bytes = corpus_file(path, &len);
		if (!bytes)
			skip();
		assert_int_equal(pk_list_read(bytes, len, &o, &d), files[i].result);
		assert_int_equal(d.n, files[i].n);
		assert_int_equal(d.n_names, files[i].names);
		assert_true(!files[i].reason || strstr(d.bad[0].reason, files[i].reason));
		pk_list_data_done(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attributes), cmocka_unit_test(test_places),
		cmocka_unit_test(test_bad),        cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_corpora),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
