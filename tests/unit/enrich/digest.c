/* SPDX-License-Identifier: Apache-2.0 */
/* Files are read once and again when they changed; what is too large, gone or never answered is
 * counted by cause; places and descriptors have a bound. */
#include "enrich/digest.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* of "abc" and of "abd" */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABD "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"

static struct pk_digests *d;
static char path[] = "/tmp/pk-digest-XXXXXX";
static uint64_t asked[2 * PK_DIGESTS_MAX];
static size_t asks;
static int ask_result;

static int ask(void *arg, uint64_t serial, const struct pk_proc_id *id, uint64_t ino)
{
	(void)arg;
	assert_int_equal(ino, id->tgid + 1000u);
	if (ask_result == 0)
		asked[asks++] = serial;
	return ask_result;
}

static void put(const char *text, time_t age_s)
{
	struct timespec t[2];
	int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	clock_gettime(CLOCK_REALTIME, &t[0]);
	t[0].tv_sec -= age_s;
	t[1] = t[0];
	assert_int_equal(futimens(fd, t), 0);
	close(fd);
}

static int begin(void **state)
{
	(void)state;
	asks = 0;
	ask_result = 0;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	close(mkstemp(path));
	return pk_digests_new(1000, ask, NULL, &d);
}

static int end(void **state)
{
	(void)state;
	pk_digests_free(d);
	return unlink(path);
}

static void want(uint32_t tgid, uint64_t ts_ns)
{
	struct pk_proc_id id = { .tgid = tgid, .start_ns = 5 };

	pk_digests_want(d, &id, tgid + 1000u, "/usr/bin/x", ts_ns);
}

static void give(uint64_t serial)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	pk_digests_take(d, serial, 0, &fd);
	assert_int_equal(fd, -1);
}

static struct pk_digest_counts counts(void)
{
	struct pk_digest_counts c;

	pk_digests_counts(d, &c);
	return c;
}

/* The next one that is done, or what was skipped meanwhile. */
static bool next(struct pk_digest *ret)
{
	for (unsigned i = 0; i < 5000; i++) {
		if (pk_digests_next(d, ret))
			return true;
		if (!counts().waiting)
			return false;
		usleep(1000);
	}
	return false;
}

/* Of one process whose file this is. */
static bool run(uint32_t tgid, struct pk_digest *ret)
{
	want(tgid, 7);
	give(asked[asks - 1]);
	return next(ret);
}

static void test_once(void **state)
{
	struct pk_digest g;

	(void)state;
	put("abc", 0);
	sleep(3); /* its times tell any change from now on */
	assert_true(run(1, &g));
	assert_string_equal(g.sha256, ABC);
	assert_string_equal(g.path, "/usr/bin/x");
	assert_int_equal(g.id.tgid, 1);
	assert_int_equal(g.size, 3);
	assert_int_equal(g.ts_ns, 7);
	assert_true(run(2, &g));
	assert_string_equal(g.sha256, ABC);
	assert_int_equal(g.id.tgid, 2);
	assert_int_equal(counts().hashed, 1);
	assert_int_equal(counts().known, 1);
	put("abd", 3); /* the same size and inode, and an mtime that says nothing */
	assert_true(run(3, &g));
	assert_string_equal(g.sha256, ABD);
	assert_true(run(4, &g)); /* changed just now: read again */
	assert_int_equal(counts().hashed, 3);
}

static void test_causes(void **state)
{
	static const int results[] = { -ESRCH, -ESTALE, -EREMOTE, -EAGAIN, -EACCES };
	struct pk_digest g;
	char big[1002];
	int none = -1;

	(void)state;
	memset(big, 'x', 1001);
	big[1001] = '\0';
	put(big, 0);
	assert_false(run(1, &g));
	for (size_t i = 0; i < PK_ARRAY_SIZE(results); i++) {
		want(2, 7);
		pk_digests_take(d, asked[asks - 1], results[i], &none);
	}
	pk_digests_take(d, asked[asks - 1], -ESRCH, &none); /* answered twice */
	pk_digests_take(d, 999999, -ESRCH, &none);
	want(3, 7); /* never answered */
	pk_digests_tick(d, 20000000000ull);
	assert_int_equal(counts().skipped[PK_DIGEST_BUSY], 1);
	pk_digests_tick(d, 60000000000ull);
	assert_int_equal(counts().skipped[PK_DIGEST_BUSY], 2);
	assert_int_equal(counts().skipped[PK_DIGEST_OVER], 1);
	assert_int_equal(counts().skipped[PK_DIGEST_RACED], 1);
	assert_int_equal(counts().skipped[PK_DIGEST_LARGE], 1);
	assert_int_equal(counts().skipped[PK_DIGEST_REMOTE], 1);
	assert_int_equal(counts().skipped[PK_DIGEST_FAILED], 1);
	assert_int_equal(counts().waiting, 0);
	assert_int_equal(counts().hashed, 0);
}

/* Who starts programs without end: few are under way, places have a bound, all are counted. */
static void test_bounds(void **state)
{
	const unsigned n = PK_DIGESTS_MAX + 100;
	struct pk_digest g;
	unsigned done = 0;

	(void)state;
	put("abc", 0);
	for (uint32_t i = 0; i < n; i++)
		want(i + 1, 7);
	assert_int_equal(asks, 64);
	assert_int_equal(counts().skipped[PK_DIGEST_BUSY], 100);
	for (size_t i = 0; i < asks; i++) {
		give(asked[i]);
		while (pk_digests_next(d, &g))
			done++;
		if (i + 1 == asks) /* all that was asked for is given */
			while (asks < PK_DIGESTS_MAX && i + 1 == asks) {
				usleep(1000);
				pk_digests_tick(d, 8);
			}
	}
	while (next(&g))
		done++;
	assert_int_equal(done, PK_DIGESTS_MAX);
	assert_int_equal(counts().waiting, 0);
}

/* Who is to be asked has no room: it is asked again. */
static void test_ask_again(void **state)
{
	struct pk_digest g;

	(void)state;
	put("abc", 0);
	ask_result = -EAGAIN;
	want(1, 7);
	want(2, 8);
	assert_int_equal(asks, 0);
	ask_result = 0;
	pk_digests_tick(d, 9);
	assert_int_equal(asks, 2);
	give(asked[0]);
	give(asked[1]);
	assert_true(next(&g) && g.id.tgid == 1);
	assert_true(next(&g) && g.id.tgid == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once, begin, end),
		cmocka_unit_test_setup_teardown(test_causes, begin, end),
		cmocka_unit_test_setup_teardown(test_bounds, begin, end),
		cmocka_unit_test_setup_teardown(test_ask_again, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
