/* SPDX-License-Identifier: Apache-2.0 */
/* Listed addresses, names, answers and fingerprints are told, also after the table changed; others
 * and expired ones are not. Who only knocks may have forged who he is. */
#include "dns.h"
#include "flow.h"

#include "base/clock.h"
#include "base/ip.h"
#include "detect/indicators.h"
#include "enrich/digest.h"

static struct pk_indicators *table;

static void add_addr(const char *ip, uint16_t port, int64_t expires_ms)
{
	struct pk_indicator i = { .kind = PK_INDICATOR_ADDR,
				  .source = "list",
				  .reason = "why",
				  .port = port,
				  .expires_ms = expires_ms };
	uint8_t a[16];

	assert_int_equal(pk_ip_parse(ip, a), 0);
	assert_int_equal(pk_indicators_add_addr(table, &i, a, 128), 0);
}

static void add_text(enum pk_indicator_kind kind, const char *text)
{
	struct pk_indicator i = { .kind = kind, .source = "list" };

	assert_int_equal(pk_indicators_add_text(table, &i, text, strlen(text)), 0);
}

static void begin(void)
{
	table = pk_indicators_new(100);
	pk_clock_fix_offset(1);
	seen.world.intel = &table;
	see_begin("intel");
}

static void end(void)
{
	see_end();
	pk_clock_fix_offset(0);
	pk_indicators_free(table);
	table = NULL;
}

static void test_flow(void **state)
{
	struct pk_flow_entry out = flow_to(1, IPPROTO_TCP, 7, 443), other = flow_to(2, 6, 8, 443);
	struct pk_flow_entry in = flow_to(3, IPPROTO_TCP, 7, 443), old = flow_to(4, 6, 9, 443);

	(void)state;
	begin();
	add_addr("192.0.2.7", 0, 0);
	add_addr("192.0.2.8", 444, 0);
	add_addr("192.0.2.9", 0, 1); /* expired at the first second */
	pk_indicators_seal(table);
	see_flow(&out, NULL);
	out.is_new = false;
	see_flow(&out, NULL);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_HIGH);
	assert_false(seen.finding[0].spoofable);
	assert_memory_equal(seen.finding[0].remote, out.flow.key.addr[1], 16);
	see_flow(&other, NULL);
	for (int k = 0; k < 2; k++) {
		struct pk_see s = { .kind = PK_SEE_FLOW, .now_ns = 5000000, .flow = &old };

		pk_detect_see(seen.detect, &s);
	}
	assert_int_equal(seen.n, 1);
	in.flow.meta.initiator = 1;
	in.flow.meta.state = PK_FLOW_HALF_OPEN;
	in.flow.dir[0].packets = 0;
	see_flow(&in, NULL);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.finding[1].severity, PK_MEDIUM);
	assert_true(seen.finding[1].spoofable);
	end();
}

static void test_names(void **state)
{
	struct pk_indicators *old;

	(void)state;
	begin();
	add_text(PK_INDICATOR_NAME, "evil.example");
	pk_indicators_seal(table);
	see_dns(5, 1, "www.evil.example", PK_DNS_A, -1, false);
	see_dns(5, 1, "www.good.example", PK_DNS_A, -1, false);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.finding[0].name, "www.evil.example");
	assert_true(seen.finding[0].spoofable);
	assert_false(seen.finding[0].has_remote);
	old = table; /* reload */
	table = pk_indicators_new(100);
	add_text(PK_INDICATOR_NAME, "good.example");
	pk_indicators_seal(table);
	pk_indicators_free(old);
	see_dns(5, 1, "www.evil.example", PK_DNS_A, -1, false);
	assert_int_equal(seen.n, 1);
	see_dns(5, 1, "www.good.example", PK_DNS_A, -1, false);
	assert_int_equal(seen.n, 2);
	end();
}

static void test_hello(void **state)
{
	static const char ja4[] = "t13d1516h2_8daaf6152771_b186095e22b6";
	struct pk_fact fact = { .ja4 = ja4 };
	struct pk_flow_key key = { .proto = IPPROTO_TCP };
	struct pk_news news = {
		.kind = PK_NEWS_HELLO, .flow = 1, .key = &key, .fact = &fact, .sni = "a.example"
	};
	struct pk_see s = { .kind = PK_SEE_NEWS, .now_ns = 5, .news = &news, .fact = &fact };

	(void)state;
	begin();
	add_text(PK_INDICATOR_JA4, ja4);
	add_text(PK_INDICATOR_NAME, "a.example");
	pk_indicators_seal(table);
	pk_detect_see(seen.detect, &s);
	assert_int_equal(seen.n, 2);
	fact.ja4 = NULL;
	news.sni = NULL;
	pk_detect_see(seen.detect, &s);
	assert_int_equal(seen.n, 2);
	end();
}

static void test_answer(void **state)
{
	(void)state;
	begin();
	add_addr("192.0.2.7", 0, 0);
	pk_indicators_seal(table);
	memset(&dns_message, 0, sizeof(dns_message));
	dns_message.n_rrs = 2;
	for (unsigned i = 0; i < 2; i++) {
		dns_message.rrs[i].type = PK_DNS_A;
		assert_int_equal(
			pk_ip_parse(i ? "192.0.2.7" : "192.0.2.6", dns_message.rrs[i].addr), 0);
	}
	see_dns(5, 1, "x.example", PK_DNS_A, 0, true);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_HIGH);
	see_dns(5, 1, "x.example", PK_DNS_A, 0, false);
	assert_int_equal(seen.finding[1].severity, PK_MEDIUM);
	memset(&dns_message, 0, sizeof(dns_message));
	end();
}

static void test_none(void **state)
{
	struct pk_flow_entry e = flow_to(1, IPPROTO_TCP, 7, 443);

	(void)state;
	see_begin("intel"); /* no intelligence at all */
	see_flow(&e, NULL);
	see_dns(5, 1, "x.example", PK_DNS_A, -1, false);
	assert_int_equal(seen.n, 0);
	see_end();
}

/* A program whose file is listed, and one whose hash differs in one digit. */
static void test_digest(void **state)
{
	struct pk_digest g = { .id = { .tgid = 7, .start_ns = 1 },
			       .path = "/tmp/odd",
			       .size = 3,
			       .sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
					 "f20015ad" };
	struct pk_see s = { .kind = PK_SEE_DIGEST, .now_ns = 5, .digest = &g };
	const struct pk_finding *f = &seen.finding[0];

	(void)state;
	begin();
	add_text(PK_INDICATOR_SHA256,
		 "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
	pk_indicators_seal(table);
	pk_detect_see(seen.detect, &s);
	assert_int_equal(seen.n, 1);
	assert_int_equal(f->severity, PK_CRITICAL);
	assert_string_equal(f->technique[0], "T1204.002");
	assert_int_equal(f->proc[0].tgid, 7);
	assert_false(f->has_remote || f->spoofable);
	assert_string_equal(f->field[0].value, g.sha256);
	assert_string_equal(f->field[3].value, "/tmp/odd");
	assert_string_equal(f->field[5].name, "sha256"); /* as incidents and the hub look for it */
	assert_string_equal(f->field[5].value, g.sha256);
	assert_non_null(strstr(f->detail, "list"));
	g.sha256[63]++;
	pk_detect_see(seen.detect, &s);
	assert_int_equal(seen.n, 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flow),  cmocka_unit_test(test_names),
		cmocka_unit_test(test_hello), cmocka_unit_test(test_answer),
		cmocka_unit_test(test_none),  cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
