/* SPDX-License-Identifier: Apache-2.0 */
/* What of the section can not be right is said before anybody is asked; the rest is in tests/e2e.
 */
#include "nats/connect.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void set(struct pk_conf *c, const char *name, const char *value)
{
	assert_int_equal(pk_conf_set(c, name, value, NULL), 0);
}

static void refused(struct pk_conf *c, int want, const char *words)
{
	const struct pk_nats_opts o = { .conf = c, .host = "h", .name = "test" };
	natsConnection *conn = NULL;
	char why[160] = "";

	assert_int_equal(pk_nats_connect(&o, &conn, why, sizeof(why)), want);
	assert_non_null(strstr(why, words));
	assert_null(conn);
}

static void test_servers(void **state)
{
	static const char *const bad[] = { "a:4222", "http://a", "tls://" };
	_cleanup_(pk_buf_done) struct pk_buf errors = { 0 };
	struct pk_conf *c = pk_conf_new();

	(void)state;
	refused(c, -EINVAL, "names none");
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_true(pk_conf_set(c, "nats.servers", bad[i], &errors) < 0);
	assert_non_null(strstr(errors.data, "tls, nats"));
	assert_int_equal(c->nats_servers.n, 0);
	set(c, "nats.servers", "tls://localhost:1,nats://localhost:1");
	refused(c, -EINVAL, "both");
	set(c, "nats.servers", "nats://127.0.0.1:1,nats://127.0.0.1:2");
	refused(c, -EHOSTUNREACH, "can not connect");
	pk_conf_free(c);
}

static void test_files(void **state)
{
	struct pk_conf *c = pk_conf_new();

	(void)state;
	set(c, "nats.servers", "tls://127.0.0.1:1");
	set(c, "nats.cert", "/nonexistent/a.pem");
	refused(c, -EINVAL, "belong together");
	set(c, "nats.key", "/nonexistent/a.key");
	refused(c, -EINVAL, "section nats");
	set(c, "nats.ca", "/nonexistent/ca.pem");
	refused(c, -EINVAL, "section nats");
	pk_conf_free(c);
}

static void test_host(void **state)
{
	struct pk_conf *c = pk_conf_new();
	const struct pk_nats_opts o = { .conf = c, .host = "", .name = "test" };
	natsConnection *conn = NULL;
	char why[160] = "";

	(void)state;
	assert_string_equal(pk_nats_host(c, "here"), "here");
	set(c, "nats.servers", "nats://127.0.0.1:1");
	assert_int_equal(pk_nats_connect(&o, &conn, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "nats.host"));
	set(c, "nats.host", "there");
	assert_string_equal(pk_nats_host(c, "here"), "there");
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
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
