/* SPDX-License-Identifier: Apache-2.0 */
#include "block/pattern.h"

#include "base/cleanup.h"
#include "base/ip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Alternatives as text, split by |; or "!" and the reason. */
static void parsed(const char *text, struct pk_buf *out)
{
	struct pk_pattern p = { 0 };
	const char *why = NULL;
	size_t column = 0;
	int r = pk_pattern_parse(text, strlen(text), &p, &why, &column);

	pk_buf_reset(out);
	pk_buf_str(out, "");
	if (r < 0) {
		assert_int_equal(r, -EINVAL);
		assert_int_equal(p.n, 0);
		assert_in_range(column, 1, strlen(text) + 1);
		pk_buf_fmt(out, "!%s", why);
	}
	for (size_t i = 0; i < p.n; i++) {
		const struct pk_pattern_term *t = &p.v[i];
		char addr[PK_IP_TEXT];
		uint8_t a[16];

		pk_buf_str(out, i ? "|" : "");
		if (t->name_len)
			pk_buf_add(out, p.texts.data + t->name, t->name_len);
		if (t->has_hash)
			pk_buf_fmt(out, "hash %.8s", p.texts.data + t->hash);
		if (t->has_addr) {
			pk_addr_bytes(t->span.lo, a);
			pk_buf_fmt(out, "%s%s/%u", t->name_len ? " " : "", pk_ip_format(a, addr),
				   t->span.bits);
		}
		if (t->port)
			pk_buf_fmt(out, " port %u", t->port);
		if (t->proto)
			pk_buf_fmt(out, " proto %u", t->proto);
		if (t->dir)
			pk_buf_fmt(out, " dir %u", t->dir);
	}
	pk_pattern_done(&p);
}

static void check(const char *const (*pairs)[2], size_t n)
{
	struct pk_buf out = { 0 };

	for (size_t i = 0; i < n; i++) {
		parsed(pairs[i][0], &out);
		if (pairs[i][1][0] == '!' ? !strstr(out.data, pairs[i][1] + 1)
					  : strcmp(out.data, pairs[i][1]) != 0)
			fail_msg("%s gave \"%s\", expected \"%s\"", pairs[i][0], out.data,
				 pairs[i][1]);
	}
	pk_buf_done(&out);
}

#define NET    "network-traffic:"
#define SHA256 "Ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void test_can(void **state)
{
	static const char *const pairs[][2] = {
		{ "[ipv4-addr:value = '1.2.3.4']", "1.2.3.4/128" },
		{ "[ ipv4-addr:value='10.0.0.0/8' ]", "10.0.0.0/104" },
		{ "[ipv4-addr:value == '1.2.3.4']", "1.2.3.4/128" },
		{ "[ipv6-addr:value = '2001:db8::1']", "2001:db8::1/128" },
		{ "[ipv4-addr:value ISSUBSET '10.0.0.0/8']", "10.0.0.0/104" },
		{ "[ipv4-addr:value IN ('1.2.3.4','5.6.7.8')]", "1.2.3.4/128|5.6.7.8/128" },
		{ "[ipv4-addr:value = '1.2.3.4' OR domain-name:value = 'evil.example']",
		  "1.2.3.4/128|evil.example" },
		{ "[ipv4-addr:value = '1.2.3.4'] OR [ipv4-addr:value = '5.6.7.8']",
		  "1.2.3.4/128|5.6.7.8/128" },
		{ "([ipv4-addr:value = '1.2.3.4'] OR [file:size = 3])", "1.2.3.4/128" },
		{ "[domain-name:value IN ('a.example', 'b.example')]", "a.example|b.example" },
		{ "[file:hashes.'SHA-256' = '" SHA256 "' OR file:hashes.MD5 = 'aa']",
		  "hash Ba7816bf" },
		{ "[file:hashes.'SHA-256' = 'aa' AND file:name = 'x']", "" },
		{ "[file:hashes.'SHA-256' = '" SHA256 "' AND file:name = 'x']", "" },
		{ "[file:hashes.'SHA-256' = '" SHA256 "0']", "" },
		{ "[file:hashes.'SHA-256' != '" SHA256 "']", "" },
		{ "[ipv4-addr:value = '1.2.3.4' AND file:hashes.'SHA-256' = '" SHA256 "']",
		  "!only together" },
		{ "[file:name = 'it\\'s \\\\']", "" },
		{ "[url:value LIKE 'http://%' AND url:value != 'x']", "" },
		{ "[" NET "src_ref.type = 'ipv4-addr' AND " NET "src_ref.value = '1.2.3.4']",
		  "1.2.3.4/128" },
		{ "[" NET "dst_ref.value = '1.2.3.4' AND " NET "dst_port = 443]",
		  "1.2.3.4/128 port 443 dir 2" },
		{ "[" NET "dst_ref.value = '1.2.3.4' AND " NET "dst_port = '443' AND " NET
		  "protocols[*] = 'tcp']",
		  "1.2.3.4/128 port 443 proto 6 dir 2" },
		{ "[" NET "src_ref.value = '1.2.3.4' AND " NET "src_port = 99]",
		  "1.2.3.4/128 port 99 dir 2" },
		{ "[" NET "src_ref.value = '1.2.3.4' AND " NET "dst_port = 22]",
		  "1.2.3.4/128 port 22 dir 1" },
		{ "[" NET "dst_ref.value = '1.2.3.4' AND " NET "dst_port IN (80, 443)]",
		  "1.2.3.4/128 port 80 dir 2|1.2.3.4/128 port 443 dir 2" },
		{ "[(ipv4-addr:value = '1.2.3.4' OR ipv4-addr:value = '1.2.3.5') AND " NET
		  "protocols[*] = 'udp']",
		  "1.2.3.4/128 proto 17|1.2.3.5/128 proto 17" },
		{ "[domain-name:value = 'a.example' AND "
		  "domain-name:resolves_to_refs[*].value = '1.2.3.4']",
		  "a.example 1.2.3.4/128" },
		{ "[file:size = 3] AND [file:size = 4] WITHIN 5 SECONDS", "" },
		{ "[" NET "dst_port = 80]", "" },
	};

	(void)state;
	check(pairs, PK_ARRAY_SIZE(pairs));
}

static void test_can_not(void **state)
{
	static const char *const pairs[][2] = {
		{ "[ipv4-addr:value = '1.2.3.4' AND file:name = 'x']", "!only together" },
		{ "[domain-name:value = 'a.example' AND " NET "dst_port = '80']", "!a name" },
		{ "[ipv4-addr:value = '1.2.3.4' AND ipv4-addr:value = '1.2.3.5']", "!several" },
		{ "[ipv4-addr:value = '1.2.3.4' AND ipv6-addr:value = '::2']", "!several" },
		{ "[ipv4-addr:value != '1.2.3.4']", "!only =" },
		{ "[ipv4-addr:value NOT = '1.2.3.4']", "!only =" },
		{ "[NOT ipv4-addr:value = '1.2.3.4']", "!only =" },
		{ "[ipv4-addr:value NOT IN ('1.2.3.4')]", "!only =" },
		{ "[ipv4-addr:value LIKE '10.%']", "!only =" },
		{ "[ipv4-addr:value ISSUPERSET '10.0.0.0/8']", "!only =" },
		{ "[domain-name:value MATCHES '^evil']", "!only =" },
		{ "[EXISTS ipv4-addr:value]", "!only =" },
		{ "[ipv4-addr:value = '1.2.3.4'] REPEATS 5 TIMES", "!only together" },
		{ "[ipv4-addr:value = '1.2.3.4'] AND [ipv4-addr:value = '1.2.3.5']", "!several" },
		{ "[ipv4-addr:value = '1.2.3.4'] FOLLOWEDBY [file:size = 1]", "!several" },
		{ "[domain-name:resolves_to_refs[*].value = '1.2.3.4']", "!unnamed" },
		{ "[" NET "dst_ref.value = '1.2.3.4' AND " NET "src_port = 80]", "!our end" },
		{ "[" NET "dst_ref.value = '1.2.3.4' AND " NET "protocols[*] = 'http']",
		  "!only together" },
	};

	(void)state;
	check(pairs, PK_ARRAY_SIZE(pairs));
}

static void test_malformed(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "!expected [" },
		{ "ipv4-addr:value = '1.2.3.4'", "!expected [" },
		{ "[ipv4-addr:value = '1.2.3.4'", "!expected ]" },
		{ "[ipv4-addr:value = '1.2.3.4]", "!doesn't end" },
		{ "[ipv4-addr:value '1.2.3.4']", "!expected =" },
		{ "[ipv4-addr:value = ]", "!constant" },
		{ "[ipv4-addr:value = 'x']", "!not an address" },
		{ "[ipv4-addr:value = '1.2.3.4-1.2.3.9']", "!not an address" },
		{ "[ipv4-addr = '1.2.3.4']", "!property" },
		{ "[ipv4-addr:value IN '1.2.3.4']", "!expected (" },
		{ "[ipv4-addr:value IN ('1.2.3.4' '1.2.3.5')]", "!expected , or )" },
		{ "[domain-name:value = 'a b']", "!not a" },
		{ "[" NET "dst_port = 0 AND ipv4-addr:value = '1.2.3.4']", "!not a port" },
		{ "[file:size = 1] x", "!expected the end" },
		{ "[file:size = 1] WITHIN 5", "!SECONDS" },
		{ "[file:x[ = 1]", "!expected =" },
		{ "[file:x[ = 1", "!doesn't end" },
		{ "(([file:size = 1])", "!expected )" },
	};

	(void)state;
	check(pairs, PK_ARRAY_SIZE(pairs));
}

/* Depth and products are bounded. */
static void test_bounds(void **state)
{
	struct pk_buf text = { 0 }, out = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		pk_buf_char(&text, '(');
	parsed(text.data, &out);
	assert_string_equal(out.data, "!nested too deeply");
	pk_buf_reset(&text);
	pk_buf_char(&text, '[');
	for (int i = 0; i < 40; i++)
		pk_buf_fmt(&text, "%s(file:size = 1 OR file:size = 2)", i ? " AND " : "");
	pk_buf_char(&text, ']');
	parsed(text.data, &out);
	assert_string_equal(out.data, "!too many alternatives");
	pk_buf_done(&text);
	pk_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_can),
		cmocka_unit_test(test_can_not),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
