/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More than ever is told, of a program, of a new one, and of a host; what is usual, small, inside
 * or comes in is not, and nothing while it learns.
 */
#include "see.h"

#include "flows.h"
#include "hidden.h"

#define DAY  (86400 * SEC)
#define MB   1000000ull
#define OUT  IP(203, 0, 113, 9)
#define HERE IP(10, 0, 0, 5)

static void upload(const char *program, uint32_t dst, uint64_t at_ns, uint64_t sent)
{
	see_flow((struct talk){ .how = SESSION,
				.src = HERE,
				.dst = dst,
				.dport = 443,
				.pid = program ? 7 : 0,
				.program = program,
				.at_ns = at_ns,
				.sent = sent,
				.received = 1000 });
}

/* Two days with n bytes every ten minutes. */
static void live(const char *program, uint64_t n)
{
	for (unsigned i = 0; i < 288; i++)
		upload(program, OUT, SEC + i * 600 * SEC, n);
}

static void test_program(void **state)
{
	(void)state;
	see_begin("exfiltration");
	live("backup", 100 * MB);
	live("web", MB);
	assert_int_equal(seen.n, 0);
	upload("backup", OUT, 2 * DAY + 700 * SEC, 300 * MB); /* thrice is not enough */
	assert_int_equal(seen.n, 0);
	upload("web", OUT, 2 * DAY + 1400 * SEC, 200 * MB);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].proc[0].tgid, 7);
	assert_true(is_remote(&seen.finding[0], OUT));
	check_words(&seen.finding[0]);
	upload("web", OUT, 2 * DAY + 1401 * SEC, 200 * MB); /* told in this window */
	assert_int_equal(seen.n, 1);
	see_end();
}

static void test_new_program(void **state)
{
	(void)state;
	see_begin("exfiltration");
	live("web", 10 * MB);
	upload("curl", OUT, 2 * DAY + 700 * SEC, 100 * MB);
	assert_int_equal(seen.n, 0); /* below detect.exfiltration_bytes */
	upload("curl", OUT, 2 * DAY + 710 * SEC, 100 * MB);
	assert_true(seen.n > 0);
	see_end();
}

static void test_host(void **state)
{
	(void)state;
	see_begin("exfiltration");
	live(NULL, MB);
	upload(NULL, OUT, 2 * DAY + 700 * SEC, 200 * MB);
	assert_int_equal(seen.n, 1);
	see_end();
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("exfiltration");
	for (unsigned i = 0; i < 100; i++) /* while it learns */
		upload("curl", OUT, SEC + i * 600 * SEC, i * 100 * MB);
	upload("web", IP(10, 0, 0, 9), 2 * DAY, 100000 * MB); /* inside */
	see_flow((struct talk){ .how = SESSION,               /* comes in */
				.src = HERE,
				.dst = OUT,
				.dport = 443,
				.at_ns = 2 * DAY,
				.received = 100000 * MB });
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_bytes(void **state)
{
	(void)state;
	see_begin("exfiltration");
	for (unsigned i = 0; i < 100000; i++)
		see_flow((struct talk){ .how = ONE_WAY,
					.src = IP(10, 0, 0, 0) + i,
					.dst = OUT,
					.dport = 443,
					.at_ns = SEC + i * SEC });
	check_bytes("exfiltration");
	see_end();
}

/* Hosts and programs made up send a little. */
static void noise(uint64_t now_ns)
{
	char name[16];

	for (unsigned i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "p%08x", hidden_random());
		see_flow((struct talk){ .how = ONE_WAY,
					.src = IP(10, 0, 0, 0) | (hidden_random() & 0xffffff),
					.dst = OUT,
					.dport = 443,
					.pid = 8,
					.program = name,
					.at_ns = now_ns });
	}
}

/* Each ten seconds: a server sends 1 MB, from the sixth minute on 60 MB; a backup 80 MB, and was
 * seen to send more. */
static void play(uint64_t now_ns, unsigned second)
{
	if (second % 10)
		return;
	upload("web", OUT, now_ns, second < 300 ? MB : 60 * MB);
	see_flow((struct talk){ .how = SESSION,
				.src = IP(10, 0, 0, 6),
				.dst = IP(203, 0, 113, 6),
				.dport = 22,
				.pid = 9,
				.program = "backup",
				.at_ns = now_ns,
				.sent = (second < 70 ? 100 : 80) * MB });
}

static bool is_web(const struct pk_finding *f)
{
	return f->procs && f->proc[0].tgid == 7;
}

static bool is_other(const struct pk_finding *f)
{
	return !is_web(f);
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "exfiltration", noise, play, is_web, is_other };

	(void)state;
	see_begin("exfiltration");
	set("detect.learning_time", "2m");
	set("detect.exfiltration_window", "1m");
	hidden_judge(&flood);
	see_end();
}

RUN(cmocka_unit_test(test_program), cmocka_unit_test(test_new_program), cmocka_unit_test(test_host),
    cmocka_unit_test(test_benign), cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_hidden_in_flood))
