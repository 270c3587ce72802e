/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, and a server that is not there. What a real cluster does is in tests/e2e/nats_sink.bats.
 */
#include "conf/conf.h"
#include "sink/kinds.h"

#include <errno.h>
#include <nats/nats.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "place.h"

static atomic_bool stop;

static void test_open(void **state)
{
	struct pk_conf *c = pk_conf_new();
	struct pk_sink_env env = { .conf = c, .file_fd = -1, .stop = &stop, .hostname = "" };
	void *sink = NULL;

	(void)state;
	assert_false(pk_sink_nats.wanted(c));
	assert_int_equal(pk_conf_set(c, "sink.nats", "true", NULL), 0);
	assert_true(pk_sink_nats.wanted(c));
	assert_int_equal(pk_sink_nats.open(&env, &sink), -EINVAL); /* no name */
	env.hostname = "h.example";
	assert_int_equal(pk_sink_nats.open(&env, &sink), -EDESTADDRREQ);
	assert_null(sink);
	assert_int_equal(pk_conf_set(c, "nats.servers", "nats://127.0.0.1:1", NULL), 0);
	assert_int_equal(pk_sink_nats.open(&env, &sink), 0);
	pk_sink_nats.close(sink);
	pk_conf_free(c);
}

static void test_nobody_there(void **state)
{
	struct pk_conf *c = pk_conf_new();
	struct pk_sink_env env = { .conf = c, .file_fd = -1, .stop = &stop, .hostname = "h" };
	char text[128], uid[16], why[PK_SINK_WHY] = "";
	struct pk_sink_record r = record(1, 40, text, uid);
	size_t done = 0;
	void *sink;

	(void)state;
	assert_int_equal(pk_conf_set(c, "nats.servers", "nats://127.0.0.1:1", NULL), 0);
	assert_int_equal(pk_sink_nats.open(&env, &sink), 0);
	assert_int_equal(pk_sink_nats.send(sink, &r, 1, &done, why), -EHOSTUNREACH);
	assert_int_equal(done, 0);
	assert_non_null(strstr(why, "can not connect"));
	pk_sink_nats.close(sink);
	pk_conf_free(c);
}

static int end(void **state)
{
	(void)state;
	nats_Close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
