/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* Stderr goes to a pipe while f runs; returns what came out. */
static const char *caught(void (*f)(void))
{
	static char out[16384];
	int p[2], old = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(p), 0);
	(void)dup2(p[1], STDERR_FILENO);
	f();
	(void)dup2(old, STDERR_FILENO);
	close(p[1]);
	close(old);
	n = read(p[0], out, sizeof(out) - 1);
	close(p[0]);
	out[n > 0 ? n : 0] = '\0';
	return out;
}

static void say(void)
{
	pk_log_init("unit", PK_LOG_INFO);
	errno = EBUSY;
	pk_warn("name is %s", "a\nb\x1b[2J");
	assert_int_equal(errno, EBUSY);
	pk_debug("not shown");
	pk_log_target_set(PK_LOG_TO_JOURNAL);
	pk_error("%d", 5);
	pk_log_target_set(PK_LOG_TO_STDERR);
}

static void say_much(void)
{
	char text[6000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	pk_error("%s", text);
}

static void say_to_journal(void)
{
	struct stat st;
	char env[64];

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(env, sizeof(env), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", env, 1);
	pk_log_init("unit", PK_LOG_DEBUG);
	pk_debug("here");
	setenv("JOURNAL_STREAM", "1:1", 1);
	pk_log_init("unit", PK_LOG_DEBUG);
	pk_debug("there");
	unsetenv("JOURNAL_STREAM");
}

static void test_lines(void **state)
{
	(void)state;
	assert_string_equal(caught(say), "unit: warning: name is a\\nb\\e[2J\n<3>5\n");
	assert_string_equal(caught(say_to_journal), "<7>here\nunit: debug: there\n");
}

static void test_long_line_says_so(void **state)
{
	const char *out = caught(say_much);

	(void)state;
	assert_true(strlen(out) < 4200);
	assert_string_equal(out + strlen(out) - 8, "x [cut]\n");
}

static void test_levels(void **state)
{
	enum pk_log_level level = PK_LOG_INFO;

	(void)state;
	assert_int_equal(pk_log_level_parse("warning", &level), 0);
	assert_int_equal(level, PK_LOG_WARN);
	assert_int_equal(pk_log_level_parse("warn", &level), -EINVAL);
	assert_int_equal(pk_log_level_parse("", &level), -EINVAL);
	assert_int_equal(level, PK_LOG_WARN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_line_says_so),
		cmocka_unit_test(test_levels),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
