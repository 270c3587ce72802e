/* SPDX-License-Identifier: Apache-2.0 */
#include "block/address.h"

#include "base/cleanup.h"
#include "base/ip.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* "lo-hi/bits" of what was scanned, "!" and the reason, or "+" where something is left. */
static const char *scanned(const char *s, char *out, size_t size)
{
	char lo[PK_IP_TEXT], hi[PK_IP_TEXT];
	uint8_t a[16], b[16];
	struct pk_span span;
	const char *why = "?", *end = pk_span_scan(s, s + strlen(s), &span, &why);

	if (!end) {
		snprintf(out, size, "!%s", why);
		return out;
	}
	pk_addr_bytes(span.lo, a);
	pk_addr_bytes(span.hi, b);
	assert_true(pk_addr_from_bytes(a) == span.lo);
	snprintf(out, size, "%s-%s%s%s", pk_ip_format(a, lo), pk_ip_format(b, hi),
		 span.has_host_bits ? " host" : "", *end ? "+" : "");
	if (span.port)
		snprintf(out + strlen(out), size - strlen(out), " port %u", span.port);
	return out;
}

static void test_good(void **state)
{
	static const char *const pairs[][2] = {
		{ "1.2.3.4", "1.2.3.4-1.2.3.4" },
		{ "0.0.0.0", "0.0.0.0-0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255-255.255.255.255" },
		{ "10.0.0.0/8", "10.0.0.0-10.255.255.255" },
		{ "10.1.2.3/8", "10.0.0.0-10.255.255.255 host" },
		{ "10.1.2.3/32", "10.1.2.3-10.1.2.3" },
		{ "1.2.3.4/0", "0.0.0.0-255.255.255.255 host" },
		{ "1.2.3.4-1.2.3.9", "1.2.3.4-1.2.3.9" },
		{ "1.2.3.4 - 1.2.3.9", "1.2.3.4-1.2.3.9" },
		{ "1.2.3.4:80", "1.2.3.4-1.2.3.4 port 80" },
		{ "::", "::-::" },
		{ "::1", "::1-::1" },
		{ "2001:DB8::/32", "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8-1:2:3:4:5:6:7:8" },
		{ "1::", "1::-1::" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0-1:2:3:4:5:6:7:0" },
		{ "::/0", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "::ffff:10.1.2.3", "10.1.2.3-10.1.2.3" },
		{ "::ffff:10.1.2.0/120", "10.1.2.0-10.1.2.255" },
		{ "::ffff:0:0/96", "0.0.0.0-255.255.255.255" },
		{ "64:ff9b::1.2.3.4", "64:ff9b::102:304-64:ff9b::102:304" },
		{ "2001:db8::1-2001:db8::ff", "2001:db8::1-2001:db8::ff" },
		{ "[2001:db8::1]:443", "2001:db8::1-2001:db8::1 port 443" },
		{ "[2001:db8::1]", "2001:db8::1-2001:db8::1" },
		{ "1.2.3.4 # x", "1.2.3.4-1.2.3.4+" },
		{ "1.2.3.4x", "1.2.3.4-1.2.3.4+" },
	};
	char out[256];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(pairs); i++)
		assert_string_equal(scanned(pairs[i][0], out, sizeof(out)), pairs[i][1]);
}

static void test_bad(void **state)
{
	/* What the reason must speak of. */
	static const char *const pairs[][2] = {
		{ "", "not an address" },
		{ "x", "not an address" },
		{ "-1.2.3.4", "not an address" },
		{ "1.2.3", "fewer than four" },
		{ "1.2.3.", "not an address" },
		{ "1..2.3", "not an address" },
		{ "1", "fewer than four" },
		{ "1.2.3.4.5", "more than four" },
		{ "256.1.1.1", "above 255" },
		{ "1.1.1.999", "above 255" },
		{ "01.2.3.4", "leading zero" },
		{ "1.2.3.04", "leading zero" },
		{ "1.2.3.000", "leading zero" },
		{ "1.2.3.4/33", "above 32" },
		{ "1.2.3.4/-1", "not a prefix length" },
		{ "1.2.3.4/", "not a prefix length" },
		{ "1.2.3.4/08", "leading zeros" },
		{ "1.2.3.4/255.255.255.0", "netmask" },
		{ "1.2.3.4:0", "not a port" },
		{ "1.2.3.4:65536", "not a port" },
		{ "1.2.3.4:http", "not a port" },
		{ "1.2.3.9-1.2.3.4", "ends before" },
		{ "1.2.3.4-", "not an address" },
		{ "1.2.3.4-::1", "one address family" },
		{ "1.2.3.4-1.2.3.9/24", "range of prefixes" },
		{ "2001:db8::/129", "above 128" },
		{ "::ffff:10.0.0.0/8", "below 96" },
		{ "fe80::1%eth0", "zone" },
		{ "1::2::3", "more than once" },
		{ ":1:2:3:4:5:6:7:8", "single colon" },
		{ "1:2:3", "fewer than eight" },
		{ "1:2:3:4:5:6:7:8:9", "too many groups" },
		{ "1:2:3:4:5:6:7:8::", "too many groups" },
		{ "12345::", "more than 4 digits" },
		{ "1:2:", "group is missing" },
		{ "::1.2.3.400", "above 255" },
		{ "[2001:db8::1", "no ]" },
		{ "[2001:db8::1]:", "not a port" },
	};
	char out[256];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(pairs); i++) {
		scanned(pairs[i][0], out, sizeof(out));
		if (*out != '!' || !strstr(out, pairs[i][1]))
			fail_msg("\"%s\" gave \"%s\", expected \"%s\"", pairs[i][0], out,
				 pairs[i][1]);
	}
}

static uint64_t rnd_state = 7;

static uint64_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state;
}

/* What inet_pton() takes and what we take is the same, but for leading zeros (which it refuses). */
static void test_like_inet_pton(void **state)
{
	static const char chars[] = "0123456789abcdefA.:";

	(void)state;
	for (int i = 0; i < 300000; i++) {
		char s[48];
		uint8_t theirs[16] = { [10] = 0xff, 0xff }, ours[16];
		size_t len = 0;
		struct pk_span span;
		const char *why, *end;
		bool ok;

		if (i % 3) { /* an address, then one character changed */
			for (int k = 0; k < 16; k++)
				ours[k] = rnd() % 3 ? 0 : (uint8_t)rnd();
			if (!inet_ntop(i % 2 ? AF_INET : AF_INET6, ours, s, sizeof(s)))
				continue;
			len = strlen(s);
			if (i % 5)
				s[rnd() % len] = chars[rnd() % (sizeof(chars) - 1)];
		} else {
			for (len = 0; len < rnd() % 20; len++)
				s[len] = chars[rnd() % (sizeof(chars) - 1)];
			s[len] = '\0';
		}
		ok = inet_pton(AF_INET, s, theirs + 12) == 1 || inet_pton(AF_INET6, s, theirs) == 1;
		end = pk_span_scan(s, s + len, &span, &why);
		if (end && span.port)
			continue;
		if (ok != (end == s + len))
			fail_msg("%s: inet_pton() says %d", s, ok);
		if (!ok)
			continue;
		pk_addr_bytes(span.lo, ours);
		assert_memory_equal(ours, theirs, 16);
	}
}

/* Every range of a small space, as prefixes: they cover it, don't overlap, and are the fewest. */
static void test_ranges(void **state)
{
	(void)state;
	for (unsigned lo = 0; lo < 256; lo++) {
		for (unsigned hi = lo; hi < 256; hi++) {
			pk_addr_t base = ((pk_addr_t)0x20010db8 << 96), a = base + lo;
			unsigned n = 0, fewest = 0;

			while (a && a <= base + hi) {
				uint8_t bits;
				pk_addr_t next = pk_span_next(a, base + hi, &bits);

				assert_true(a % ((pk_addr_t)1 << (128 - bits)) == 0);
				assert_true(next == a + ((pk_addr_t)1 << (128 - bits)));
				a = next;
				n++;
			}
			assert_true(a == base + hi + 1);
			/* Naively: the largest aligned block that fits, by trial. */
			for (unsigned at = lo; at <= hi; fewest++) {
				unsigned size = 256;

				while (at % size || at + size - 1 > hi)
					size /= 2;
				at += size;
			}
			assert_int_equal(n, fewest);
		}
	}
}

static void test_range_ends(void **state)
{
	pk_addr_t all = ~(pk_addr_t)0, a = 0;
	uint8_t bits;
	unsigned n = 0;

	(void)state;
	assert_true(pk_span_next(0, all, &bits) == 0);
	assert_int_equal(bits, 0);
	assert_true(pk_span_next(all, all, &bits) == 0);
	assert_int_equal(bits, 128);
	for (a = 1; a; n++)
		a = pk_span_next(a, all - 1, &bits) % all;
	assert_int_equal(n, 254);
}

static void test_names(void **state)
{
	static const char *const good[] = { "example.com", "a.bc", "_dmarc.example.com",
					    "xn--bcher-kva.example", "1.2.3.4.example.com" };
	static const char *const bad[] = { "",
					   ".",
					   "example",
					   "example..com",
					   "-a.com",
					   "a-.com",
					   "exa mple.com",
					   "1.2.3.4",
					   "1.2.3.x",
					   "b\xc3\xbc.de",
					   "a.com/b",
					   "*.com" };
	char longest[300];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(good); i++)
		assert_null(pk_name_check(good[i], strlen(good[i]), false));
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_non_null(pk_name_check(bad[i], strlen(bad[i]), false));
	assert_null(pk_name_check("example", 7, true));
	memset(longest, 'a', sizeof(longest));
	for (int i = 60; i < 300; i += 60)
		longest[i] = '.';
	assert_null(pk_name_check(longest, 253, false));
	assert_non_null(pk_name_check(longest, 254, false));
	longest[60] = 'a';
	assert_non_null(pk_name_check(longest, 200, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),           cmocka_unit_test(test_bad),
		cmocka_unit_test(test_like_inet_pton), cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_range_ends),     cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
