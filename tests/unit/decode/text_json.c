/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/text.h"

#include "exact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct pk_text t;
static char *input;

static int decode(const char *s)
{
	free(input);
	input = exact(s, strlen(s));
	return pk_text_decode(&t, PK_TEXT_NONE, input, strlen(s));
}

#define assert_slice(a, s) assert_true(pk_slice_is(a, s))

static void test_bitcoin(void **state)
{
	(void)state;
	assert_int_equal(
		decode("{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"cpuminer/2.5\"]}\n"
		       "{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"w.1\",\"x\"]}\n"),
		0);
	assert_int_equal(t.proto, PK_TEXT_STRATUM);
	assert_false(t.server);
	assert_slice(t.command, "mining.subscribe");
	assert_string_equal(t.agent, "cpuminer/2.5");
	assert_string_equal(t.login, "w.1");
	assert_true(t.password);
	assert_int_equal(t.lines, 2);
	assert_int_equal(
		decode("{\"method\":\"mining.submit\",\"params\":[\"w.2\",\"j\",\"0\"]}\n"), 0);
	assert_string_equal(t.login, "w.2");
	assert_false(t.password);
	assert_int_equal(
		decode("{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"a\",\"b\"]}\n"), 0);
	assert_true(t.server);
	assert_string_equal(t.login, "");
	assert_int_equal(decode("{\"id\":1,\"result\":[[[\"mining.notify\",\"ae\"]],\"08\",4],"
				"\"error\":null}\n"),
			 0);
	assert_true(t.server);
	assert_int_equal(decode("{\"id\":1,\"result\":[[\"mining.notify\",\"ae\"],\"08\",4]}\n"),
			 0);
}

static void test_others(void **state)
{
	(void)state;
	assert_int_equal(
		decode("{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"login\",\"params\":{\"login\":"
		       "\"4wallet\",\"pass\":\"x\",\"agent\":\"XMRig/6.21\"}}\n"),
		0);
	assert_slice(t.command, "login");
	assert_string_equal(t.agent, "XMRig/6.21");
	assert_string_equal(t.login, "4wallet");
	assert_true(t.password);
	assert_int_equal(decode("{\"id\":1,\"result\":{\"id\":\"x\",\"job\":{\"blob\":\"0e\"}}}\n"),
			 0);
	assert_true(t.server);
	assert_int_equal(decode("{\"method\":\"job\",\"params\":{\"blob\":\"0e\"}}\n"), 0);
	assert_true(t.server);
	assert_int_equal(decode("{\"method\":\"job\",\"params\":{\"name\":\"0e\"}}\n"), -EBADMSG);
	assert_int_equal(
		decode("{\"id\":1,\"method\":\"eth_submitLogin\",\"params\":[\"0xabc\"]}\n"), 0);
	assert_string_equal(t.login, "0xabc");
	assert_false(t.password);
}

static void test_hostile(void **state)
{
	static const char *const bad[] = {
		"{\"method\":\"mining.subscribe\"\n",
		"{\"method\":[\"mining.subscribe\"]}\n",
		"{\"method\":\"mining\\u0000.subscribe\"}\n",
		"{\"result\":[[[[[[]]]]]]}\n",
		"{\"result\":7}\n",
		"{\"\xff\":1}\n",
	};
	char text[600];

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_int_equal(decode(bad[i]), -EBADMSG);
	/* Parameters of another kind are no parameters. */
	assert_int_equal(decode("{\"method\":\"mining.subscribe\",\"params\":{\"0\":1}}\n"), 0);
	assert_string_equal(t.agent, "");
	/* The name with escapes is the name, though no slice of the line. */
	assert_int_equal(
		decode("{\"method\":\"\\u006dining.subscribe\",\"params\":[\"a\\u001b[2J\"]}\n"),
		0);
	assert_int_equal(t.command.len, 0);
	assert_string_equal(t.agent, "a\x1b[2J");
	/* Long ones are cut to their room. */
	strcpy(text, "{\"method\":\"mining.subscribe\",\"params\":[\"");
	memset(text + strlen(text), 'x', 300);
	strcpy(text + 340, "\"]}\n");
	assert_int_equal(decode(text), 0);
	assert_int_equal(strlen(t.agent), sizeof(t.agent) - 1);
}

static int done(void **state)
{
	(void)state;
	free(input);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bitcoin),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
