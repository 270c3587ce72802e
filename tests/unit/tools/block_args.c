/* SPDX-License-Identifier: Apache-2.0 */
/* Each word of block and unblock in its place of the request; what is wrong is told, not guessed.
 */
#include "../../../tools/block_args.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 16

/* Splits at blanks, as a shell would. */
static int words(char *line, char *argv[WORDS_MAX])
{
	int n = 0;

	for (char *w = strtok(line, " "); w && n < WORDS_MAX - 1; w = strtok(NULL, " "))
		argv[n++] = w;
	argv[n] = NULL;
	return n;
}

static void body_is(const char *line, bool unblock, const char *want)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	_cleanup_free_ char *copy = strdup(line), *got = NULL;
	char *argv[WORDS_MAX];
	struct pk_block_args a;
	int n = words(copy, argv);

	if (pk_block_args(n, argv, unblock, &a, &error) < 0)
		fail_msg("%s: %s", line, error.data ? error.data : "");
	got = json_dumps(a.body, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(got, want);
	json_decref(a.body);
}

static void is_wrong(const char *line, bool unblock, const char *says)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	_cleanup_free_ char *copy = strdup(line);
	char *argv[WORDS_MAX];
	struct pk_block_args a;
	int n = words(copy, argv);

	assert_int_equal(pk_block_args(n, argv, unblock, &a, &error), -EINVAL);
	json_decref(a.body);
	if (!error.data || !strstr(error.data, says))
		fail_msg("%s: %s", line, error.data ? error.data : "(nothing)");
}

static void words_become_members(void **state)
{
	(void)state;
	body_is("block 192.0.2.7", false, "{\"targets\":[\"192.0.2.7\"]}");
	body_is("block --ttl 1h 192.0.2.7 2001:db8::/32", false,
		"{\"targets\":[\"192.0.2.7\",\"2001:db8::/32\"],\"ttl\":3600}");
	body_is("block 10.0.0.1 --dir in --proto tcp --port 22-23 --iface eth0 --list l", false,
		"{\"dir\":\"in\",\"iface\":\"eth0\",\"list\":\"l\",\"port\":\"22-23\","
		"\"proto\":\"tcp\",\"targets\":[\"10.0.0.1\"]}");
	body_is("block --wide --force-cover 10.0.0.1 --force-cover 10.0.0.2 10.0.0.0/7", false,
		"{\"force_cover\":[\"10.0.0.1\",\"10.0.0.2\"],\"targets\":[\"10.0.0.0/7\"],"
		"\"wide\":true}");
	body_is("block --exe /bin/x --to 10.0.0.0/8", false,
		"{\"to\":\"10.0.0.0/8\",\"who\":{\"exe\":\"/bin/x\"}}");
	body_is("block --user www", false, "{\"who\":{\"user\":\"www\"}}");
	body_is("unblock --container web --list l", true,
		"{\"list\":\"l\",\"who\":{\"container\":\"web\"}}");
	body_is("block -o json --allow 192.0.2.7", false,
		"{\"allow\":true,\"targets\":[\"192.0.2.7\"]}");
}

static void wrong_words_are_told(void **state)
{
	(void)state;
	is_wrong("block", false, "what is it about");
	is_wrong("unblock --list l", true, "what is it about");
	is_wrong("block --ttl soon 192.0.2.7", false, "--ttl takes a time");
	is_wrong("block --ttl 0 192.0.2.7", false, "--ttl takes a time");
	is_wrong("block --exe /bin/x --user root", false, "at a time");
	is_wrong("block --exe /bin/x 10.0.0.1", false, "--to CIDR");
	is_wrong("block -o xml 10.0.0.1", false, "-o takes");
	is_wrong("block --reason \xff 10.0.0.1", false, "--reason is not UTF-8");
	is_wrong("block \xff", false, "not UTF-8");
}

static void help_wins(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf error = {};
	char *argv[] = { "block", "--help", NULL };
	struct pk_block_args a;

	(void)state;
	assert_int_equal(pk_block_args(2, argv, false, &a, &error), 0);
	assert_true(a.help);
	json_decref(a.body);
}

static void times_have_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t s;
	} good[] = { { "90", 90 },   { "90s", 90 },    { "30m", 1800 },
		     { "1h", 3600 }, { "7d", 604800 }, { "2w", 1209600 } };
	static const char *const bad[] = { "",   "0",    "0s",  "h",         "1y",
					   "-1", "1.5h", "1 h", "9999999999" };
	uint64_t s;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(good); i++) {
		assert_int_equal(pk_args_seconds(good[i].text, &s), 0);
		assert_int_equal(s, good[i].s);
	}
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_int_equal(pk_args_seconds(bad[i], &s), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_become_members),
		cmocka_unit_test(wrong_words_are_told),
		cmocka_unit_test(help_wins),
		cmocka_unit_test(times_have_units),
	};

	return cmocka_run_group_tests_name("tools/block_args", tests, NULL, NULL);
}
