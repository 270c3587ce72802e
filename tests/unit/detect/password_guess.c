/* SPDX-License-Identifier: Apache-2.0 */
/* Many short sessions, from one or many, and the login after them; not an administrator's day. */
#include "see.h"

#include "flows.h"
#include "hidden.h"

#define GUESSER IP(203, 0, 113, 9)
#define TARGET  IP(10, 0, 0, 7)

static void session(uint32_t src, uint16_t port, uint64_t at_ns, uint64_t for_ns, uint64_t received)
{
	see_flow((struct talk){ .how = SESSION,
				.src = src,
				.dst = TARGET,
				.sport = 40000,
				.dport = port,
				.at_ns = at_ns,
				.for_ns = for_ns,
				.sent = received / 2 + 60,
				.received = received,
				.goes_on = for_ns > 20 * SEC });
}

static void guess(uint16_t port, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		session(GUESSER, port, SEC + i * 3 * SEC, 2 * SEC, 800);
}

static void test_services(void **state)
{
	static const struct {
		uint16_t port;
		unsigned n;
	} cases[] = {
		{ 22, 30 }, { 3389, 30 }, { 21, 30 }, { 23, 30 }, { 3306, 120 }, { 993, 60 }
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		see_begin("password_guess");
		guess(cases[i].port, cases[i].n);
		assert_true(seen.n > 0);
		assert_true(is_remote(&seen.finding[0], GUESSER));
		assert_false(seen.finding[0].spoofable);
		assert_string_equal(seen.finding[0].technique[0], "T1110.001");
		check_words(&seen.finding[0]);
		see_end();
	}
}

static void test_success(void **state)
{
	size_t n;

	(void)state;
	see_begin("password_guess");
	guess(22, 30);
	n = seen.n;
	session(GUESSER, 22, 100 * SEC, 40 * SEC, 50000);
	assert_int_equal(seen.n, n + 1);
	assert_int_equal(seen.finding[n].severity, PK_HIGH);
	assert_true(seen.finding[n].fold != seen.finding[0].fold);
	assert_string_equal(seen.finding[n].title, "Login after password guessing");
	check_words(&seen.finding[n]);
	session(IP(10, 0, 0, 9), 22, 100 * SEC, 40 * SEC, 50000); /* somebody else works there */
	assert_int_equal(seen.n, n + 1);
	see_end();
}

static void test_many_sources(void **state)
{
	(void)state;
	see_begin("password_guess");
	for (unsigned i = 0; i < 200; i++)
		session(IP(203, 0, 113, i % 40), 22, SEC + i * SEC, SEC, 800);
	assert_true(seen.n > 0);
	assert_false(seen.finding[0].has_remote);
	check_words(&seen.finding[0]);
	see_end();
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("password_guess");
	guess(22, 8);
	guess(443, 500);
	guess(25, 500);
	guess(3306, 40);
	for (unsigned i = 0; i < 100; i++) {
		session(IP(10, 0, 0, 9), 22, SEC + i * 60 * SEC, 2 * SEC,
			200000); /* copies files */
		session(IP(10, 0, 0, 8), 22, SEC + i * 600 * SEC, 2 * SEC, 800);
		see_flow((struct talk){ .how = HALF,
					.src = GUESSER,
					.dst = TARGET,
					.dport = 22,
					.at_ns = SEC + i * SEC });
	}
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_bytes(void **state)
{
	(void)state;
	see_begin("password_guess");
	for (unsigned i = 0; i < 100000; i++)
		session(i * 2654435761u, 22, SEC + i * SEC / 1000, SEC, 800);
	check_bytes("password_guess");
	see_end();
}

/* Sessions of anybody with anybody. */
static void noise(uint64_t now_ns)
{
	for (unsigned i = 0; i < 3300; i++)
		see_flow((struct talk){ .how = SESSION,
					.src = hidden_random(),
					.dst = hidden_random(),
					.sport = (uint16_t)hidden_random(),
					.dport = 22,
					.for_ns = SEC,
					.sent = 460,
					.received = 800,
					.at_ns = now_ns });
}

/* A guess in ten seconds. */
static void slowly(uint64_t now_ns, unsigned second)
{
	if (second % 10 == 0)
		session(GUESSER, 22, now_ns, 2 * SEC, 800);
	if (second % 10 == 0) /* copies files */
		session(IP(10, 0, 0, 9), 22, now_ns, 2 * SEC, 200000);
}

static bool is_attack(const struct pk_finding *f)
{
	return is_remote(f, GUESSER);
}

static bool is_twin(const struct pk_finding *f)
{
	return !is_attack(f);
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "password_guess", noise, slowly, is_attack, is_twin };

	(void)state;
	see_begin("password_guess");
	hidden_judge(&flood);
	assert_in_range(seen.n, 1, 60);
	see_end();
}

RUN(cmocka_unit_test(test_services), cmocka_unit_test(test_success),
    cmocka_unit_test(test_many_sources), cmocka_unit_test(test_benign),
    cmocka_unit_test(test_bytes), cmocka_unit_test(test_hidden_in_flood))
