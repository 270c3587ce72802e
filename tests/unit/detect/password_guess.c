/* SPDX-License-Identifier: Apache-2.0 */
/* Many short sessions, from one or many, and the login after them; not an administrator's day. */
#include "host.h"

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

/* What the processes at one end of an SSH session did, and whether many of them are told. */
struct ending {
	const char *client; /* path; NULL: a process of another host */
	int code;           /* its end, as wait(2) gives it */
	bool running;       /* it goes on */
	const char *ran;    /* what sshd ran; NULL: nothing */
	bool is_script;
	bool by_user; /* by the child of sshd with the user's rights */
	bool before;  /* the session's packets are those of the child before the login */
	bool is_told;
};

static void ended(const struct ending *c, unsigned n)
{
	uint32_t pid = 1000 + n * 10, speaks = pid;
	struct talk t = { .how = SESSION,
			  .src = c->client ? IP(10, 0, 0, 1) : GUESSER,
			  .dst = TARGET,
			  .sport = (uint16_t)(30000 + n),
			  .dport = 22,
			  .at_ns = host.now_ns,
			  .for_ns = SEC,
			  .sent = 4000,
			  .received = 5000 };
	struct pk_flow_entry e = entry_of(&t);
	unsigned from = e.flow.meta.initiator;

	if (c->client) {
		host_exec(pid, 1, c->client, "ssh host uptime");
		if (!c->running) {
			struct pk_exit r = { .hdr = host_hdr(PK_EV_EXIT, sizeof(r)),
					     .task = { .id = host_id(pid) },
					     .code = c->code };

			host_show(&r, sizeof(r));
		}
		e.flow.own[from].user = host_id(pid);
	} else {
		host_exec(pid, 100, "/usr/sbin/sshd", "sshd -R");
		host_fork(pid, pid + 1); /* asks who it is */
		if (c->before)
			speaks = pid + 1;
		host_fork(pid, pid + 2); /* the user's, or what helps */
		if (c->by_user)
			host_fork(pid + 2, pid + 3);
		if (c->ran) {
			with.filename = c->ran;
			host_exec(pid + 2 + c->by_user, pid + 2 * c->by_user,
				  c->is_script ? "/usr/bin/dash" : c->ran, "sh -c uptime");
		}
		e.flow.own[!from].user = host_id(speaks);
	}
	host_wait(5);
	pk_detect_see(seen.detect,
		      &(struct pk_see){ .kind = PK_SEE_FLOW, .now_ns = host.now_ns, .flow = &e });
}

static void test_processes_know(void **state)
{
	static const struct ending cases[] = {
		{ .client = "/usr/bin/ssh" },
		{ .client = "/usr/bin/ssh", .code = 1 << 8 }, /* of the command over there */
		{ .client = "/usr/bin/ssh", .code = 255 << 8, .is_told = true },
		{ .client = "/usr/bin/ssh", .code = 15, .is_told = true }, /* SIGTERM */
		{ .client = "/usr/bin/ssh", .running = true, .is_told = true },
		{ .client = "/tmp/ssh", .is_told = true },
		{ .client = "/usr/bin/hydra", .is_told = true },
		{ .ran = "/bin/bash" },
		{ .ran = "/bin/bash", .by_user = true },
		{ .ran = "/usr/bin/zsh", .by_user = true, .before = true },
		{ .ran = "/usr/bin/git-shell" },
		{ .ran = "/usr/bin/sss_ssh_authorizedkeys", .is_told = true },
		{ .ran = "/usr/local/bin/keys.sh", .is_script = true, .is_told = true },
		{ .is_told = true },
		{ .before = true, .is_told = true },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		host_begin("password_guess");
		host_exec(100, 1, "/usr/sbin/sshd", "sshd -D");
		for (unsigned n = 0; n < 60; n++)
			ended(&cases[i], n);
		if (cases[i].is_told != (seen.n > 0))
			fail_msg("case %zu: %zu findings", i, seen.n);
		host_end();
	}
}

/* The password was found, and one command was enough. */
static void test_short_success(void **state)
{
	static const struct ending wrong = { 0 }, right = { .ran = "/bin/bash" };
	size_t n;

	(void)state;
	host_begin("password_guess");
	host_exec(100, 1, "/usr/sbin/sshd", "sshd -D");
	ended(&right, 60); /* before */
	for (unsigned i = 0; i < 30; i++)
		ended(&wrong, i);
	n = seen.n;
	assert_true(n > 0);
	ended(&right, 61);
	assert_int_equal(seen.n, n + 1);
	assert_string_equal(seen.finding[n].title, "Login after password guessing");
	assert_int_equal(seen.finding[n].severity, PK_HIGH);
	host_end();
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
    cmocka_unit_test(test_processes_know), cmocka_unit_test(test_short_success),
    cmocka_unit_test(test_bytes), cmocka_unit_test(test_hidden_in_flood))
