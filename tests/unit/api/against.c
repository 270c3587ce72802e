/* SPDX-License-Identifier: Apache-2.0 */
/* Nested entries with limits: the most specific one that is met; and equal to looking at all. */
#include "api/against.h"

#include "base/cleanup.h"
#include "base/ip.h"
#include "block/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char list[] = "picket-list 1\n"
			   "0.0.0.0/0 proto=icmp\n"
			   "10.0.0.0/8\n"
			   "10.1.0.0/16 dir=in\n"
			   "10.1.2.0/24 proto=tcp port=22-23\n"
			   "10.1.2.3 iface=\"eth0\"\n"
			   "::/0 dir=out proto=udp\n"
			   "2001:db8::/32\n";

static const char *find(const struct pk_list_data *d, const struct pk_against *a, const char *ip,
			uint8_t dir, uint8_t proto, uint16_t port, const char *iface)
{
	struct pk_against_query q = { .dir = dir, .proto = proto, .port = port, .iface = iface };
	static char text[64];
	char ip_text[PK_IP_TEXT];
	int64_t at;

	assert_int_equal(pk_ip_parse(ip, q.addr), 0);
	at = pk_against_find(a, &q);
	if (at < 0)
		return "none";
	assert_true((size_t)at < d->n);
	snprintf(text, sizeof(text), "%s/%u", pk_ip_format(d->v[at].prefix, ip_text),
		 d->v[at].v4 ? d->v[at].bits - 96u : d->v[at].bits);
	return text;
}

static void the_most_specific_that_is_met(void **state)
{
	struct pk_list_opts opts = { .format = PK_LIST_PICKET,
				     .max_bytes = 1 << 20,
				     .max_entries = 1000,
				     .defaults = { .dir = PK_BLK_IN | PK_BLK_OUT } };
	struct pk_list_data d;
	struct pk_against *a;

	(void)state;
	assert_int_equal(pk_list_read(list, sizeof(list) - 1, &opts, &d), 0);
	assert_int_equal(d.n, 7);
	a = pk_against_new(d.v, d.n, &d.texts);
	assert_non_null(a);
	assert_string_equal(find(&d, a, "10.1.2.3", PK_BLK_IN, 6, 22, "eth0"), "10.1.2.3/32");
	assert_string_equal(find(&d, a, "10.1.2.3", PK_BLK_IN, 6, 22, "eth1"), "10.1.2.0/24");
	assert_string_equal(find(&d, a, "10.1.2.3", PK_BLK_IN, 6, 22, NULL), "10.1.2.0/24");
	assert_string_equal(find(&d, a, "10.1.2.3", PK_BLK_IN, 6, 24, NULL), "10.1.0.0/16");
	assert_string_equal(find(&d, a, "10.1.2.3", PK_BLK_OUT, 6, 24, NULL), "10.0.0.0/8");
	assert_string_equal(find(&d, a, "10.255.255.255", PK_BLK_OUT, 17, 1, NULL), "10.0.0.0/8");
	assert_string_equal(find(&d, a, "11.0.0.0", PK_BLK_IN, 6, 1, NULL), "none");
	assert_string_equal(find(&d, a, "11.0.0.0", PK_BLK_IN, 1, 0, NULL), "0.0.0.0/0");
	assert_string_equal(find(&d, a, "2001:db8::1", PK_BLK_IN, 6, 1, NULL), "2001:db8::/32");
	assert_string_equal(find(&d, a, "2001:db9::1", PK_BLK_OUT, 17, 1, NULL), "::/0");
	assert_string_equal(find(&d, a, "2001:db9::1", PK_BLK_IN, 17, 1, NULL), "none");
	pk_against_free(a);
	pk_list_data_done(&d);
}

static uint64_t seed = 7;

static uint32_t next(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33);
}

/* Random prefixes in a small space, so that they nest; each address against all of them. */
static void equal_to_looking_at_all(void **state)
{
	enum { ENTRIES = 2000, ADDRESSES = 5000 };
	_cleanup_free_ char *text = malloc(ENTRIES * 48);
	struct pk_list_opts opts = { .format = PK_LIST_PLAIN,
				     .max_bytes = 1 << 20,
				     .max_entries = ENTRIES,
				     .defaults = { .dir = PK_BLK_IN } };
	struct pk_against_query q = { .dir = PK_BLK_IN };
	struct pk_list_data d;
	struct pk_against *a;
	size_t n = 0, hits = 0;

	(void)state;
	for (int i = 0; i < ENTRIES; i++) {
		unsigned bits = 12 + next() % 21;
		uint32_t ip =
			(10u << 24 | (next() & 0xffff) << 4) & (uint32_t)(~0ull << (32 - bits));

		n += (size_t)sprintf(text + n, "%u.%u.%u.%u/%u\n", ip >> 24, ip >> 16 & 255,
				     ip >> 8 & 255, ip & 255, bits);
	}
	assert_int_equal(pk_list_read(text, n, &opts, &d), 0);
	a = pk_against_new(d.v, d.n, &d.texts);
	assert_non_null(a);
	for (int i = 0; i < ADDRESSES; i++) {
		uint32_t ip = 10u << 24 | next() % (1u << 20);
		int64_t want = -1;
		char ip_text[24];

		snprintf(ip_text, sizeof(ip_text), "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255,
			 ip >> 8 & 255, ip & 255);
		assert_int_equal(pk_ip_parse(ip_text, q.addr), 0);
		for (size_t k = 0; k < d.n; k++)
			if (pk_ip_in(q.addr, d.v[k].prefix, d.v[k].bits) &&
			    (want < 0 || d.v[k].bits > d.v[want].bits))
				want = (int64_t)k;
		assert_int_equal(pk_against_find(a, &q), want);
		hits += want >= 0;
	}
	assert_true(hits > ADDRESSES / 10);
	pk_against_free(a);
	pk_list_data_done(&d);
}

static void nothing_is_in_an_empty_list(void **state)
{
	struct pk_block_texts texts = { 0 };
	struct pk_against *a = pk_against_new(NULL, 0, &texts);
	struct pk_against_query q = { .dir = PK_BLK_IN };

	(void)state;
	assert_non_null(a);
	assert_int_equal(pk_against_find(a, &q), -1);
	pk_against_free(a);
}

/* The nearest listed name that covers it, however it is spelled. */
static void names_by_their_ends(void **state)
{
	static const char text[] = "evil.example\nwww.evil.example\nads.test\n";
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "evil.example", "evil.example" },
		{ "a.b.evil.example", "evil.example" },
		{ "WWW.Evil.Example.", "www.evil.example" },
		{ "x.www.evil.example", "www.evil.example" },
		{ "ads.test", "ads.test" },
		{ "ads.test:8080", "ads.test" },
		{ "notevil.example", NULL },
		{ "example", NULL },
		{ "", NULL },
		{ "a b", NULL },
	};
	struct pk_list_opts opts = { .max_bytes = sizeof(text),
				     .max_entries = 10,
				     .defaults = { .dir = PK_BLK_IN | PK_BLK_OUT } };
	struct pk_list_data d;

	(void)state;
	assert_int_equal(pk_list_read(text, sizeof(text) - 1, &opts, &d), 0);
	assert_int_equal(d.n_names, 3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t at = pk_against_name(&d, cases[i].name);

		assert_int_equal(at >= 0, cases[i].want != NULL);
		if (at >= 0)
			assert_string_equal(pk_block_text_at(&d.texts, d.names[at].text),
					    cases[i].want);
	}
	pk_list_data_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_specific_that_is_met),
		cmocka_unit_test(equal_to_looking_at_all),
		cmocka_unit_test(nothing_is_in_an_empty_list),
		cmocka_unit_test(names_by_their_ends),
	};

	return cmocka_run_group_tests_name("api/against", tests, NULL, NULL);
}
