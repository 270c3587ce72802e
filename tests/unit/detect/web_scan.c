/* SPDX-License-Identifier: Apache-2.0 */
/* Many paths that are refused are told, many that are given are not; scanners and probes are told
 * by name. */
#include "web.h"

#include "hidden.h"

#include "flow/table.h"

#define S 1000000000ull

static void ask(uint64_t n, const char *status)
{
	char text[80];

	snprintf(text, sizeof(text), "/page%u", (unsigned)n);
	see_get(n * S / 10, n, 9, text);
	if (!status)
		return;
	snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n\r\n", status);
	see_web(n * S / 10, n, 9, text);
}

static void test_refused(void **state)
{
	(void)state;
	see_begin("web_scan");
	for (uint64_t n = 1; n <= 8; n++)
		ask(n, "404 Not Found");
	assert_int_equal(seen.n, 0);
	for (uint64_t n = 9; n <= 20; n++)
		ask(n, "404 Not Found");
	assert_in_range(seen.n, 1, 2);
	assert_int_equal(seen.finding[0].severity, PK_LOW);
	assert_string_equal(seen.finding[0].technique[0], "T1595.003");
	assert_false(seen.finding[0].spoofable);
	for (uint64_t n = 21; n <= 400; n++)
		ask(n, "404 Not Found");
	assert_int_equal(seen.finding[seen.n - 1].severity, PK_MEDIUM);
	see_end();
}

static void test_given(void **state)
{
	(void)state;
	see_begin("web_scan");
	for (uint64_t n = 1; n <= 100; n++)
		ask(n, n % 3 ? "200 OK" : "404 Not Found");
	assert_int_equal(seen.n, 0);
	see_end();
}

/* The same page in vain, as a client does whose server lost it. */
static void test_same(void **state)
{
	(void)state;
	see_begin("web_scan");
	for (uint64_t n = 1; n <= 100; n++) {
		see_get(n * S, n, 9, "/status");
		see_web(n * S, n, 9, "HTTP/1.1 404 No\r\n\r\n");
	}
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_unanswered(void **state)
{
	struct pk_flow_entry e = { .flow.meta.id = 40 };
	struct pk_fact fact = { .flow = 40, .flags = PK_FACT_HTTP };
	struct pk_see s = { .kind = PK_SEE_FLOW, .now_ns = 5 * S, .flow = &e, .fact = &fact };

	(void)state;
	see_begin("web_scan");
	for (uint64_t n = 1; n <= 40; n++)
		ask(n, NULL);
	assert_int_equal(seen.n, 0); /* answers may be on their way */
	e.flow.key = (struct pk_flow_key){ .netns = 1, .port = { 0, htons(80) } };
	for (int d = 0; d < 2; d++)
		memset(e.flow.key.addr[d] + 10, 0xff, 2);
	memcpy(e.flow.key.addr[0] + 12, "\x0a\0\0\x9", 4);
	memcpy(e.flow.key.addr[1] + 12, "\xc0\0\2\1", 4);
	pk_detect_see(seen.detect, &s);
	assert_int_equal(seen.n, 1);
	assert_true(seen.finding[0].spoofable);
	see_end();
}

static void test_words(void **state)
{
	(void)state;
	see_begin("web_scan");
	see_get(S, 1, 9, "/.ENV");
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.finding[0].technique[0], "T1595.003");
	see_web(S, 2, 8, "GET / HTTP/1.1\r\nUser-Agent: Mozilla/5.0 zgrab/0.x\r\n\r\n");
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.finding[1].technique[0], "T1595.002");
	see_web(S, 3, 7, "GET /environment HTTP/1.1\r\nUser-Agent: Mozilla/5.0\r\n\r\n");
	see_web(S, 3, 7, "x=/.env"); /* of a body */
	assert_int_equal(seen.n, 2);
	see_end();
}

/* client asks for a page of this number and is told status. */
static void page(uint64_t now_ns, uint32_t client, uint32_t number, const char *status)
{
	static uint64_t flow;
	char text[80];

	snprintf(text, sizeof(text), "/page%x", number);
	see_get(now_ns, ++flow, client, text);
	snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n\r\n", status);
	see_web(now_ns, flow, client, text);
}

/* Anybody asks for anything in vain. */
static void noise(uint64_t now_ns)
{
	for (unsigned i = 0; i < 1000; i++)
		page(now_ns, hidden_random() | 1u << 23, hidden_random(), "404 No");
}

/* A page each five seconds that is not there; a twin gets all but one, another asks again. */
static void play(uint64_t now_ns, unsigned second)
{
	if (second % 5)
		return;
	page(now_ns, 9, second, "404 No");
	page(now_ns, 10, second, second % 25 ? "200 OK" : "404 No");
	page(now_ns, 11, 0, "404 No");
}

static bool is_scan(const struct pk_finding *f)
{
	return f->remote[13] == 0 && f->remote[15] == 9;
}

static bool is_twin(const struct pk_finding *f)
{
	return !is_scan(f);
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "web_scan", noise, play, is_scan, is_twin };

	(void)state;
	see_begin("web_scan");
	hidden_judge(&flood);
	see_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused), cmocka_unit_test(test_given),
		cmocka_unit_test(test_same),    cmocka_unit_test(test_unanswered),
		cmocka_unit_test(test_words),   cmocka_unit_test(test_hidden_in_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
