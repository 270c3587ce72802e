/* SPDX-License-Identifier: Apache-2.0 */
#include "../../../tools/column.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

typedef void (*value_fn)(struct pk_buf *, json_t *, bool);

static void value_is(value_fn value, const char *record, bool human, const char *want)
{
	_cleanup_(pk_buf_done) struct pk_buf b = {};
	json_t *o = json_loads(record, 0, NULL);

	assert_non_null(o);
	value(&b, o, human);
	assert_string_equal(b.data ? b.data : "", want);
	json_decref(o);
}

static void times(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	value_is(pk_column_time, "{\"time\":1700000000007}", true, "22:13:20.007");
	value_is(pk_column_time, "{\"time\":1700000000007}", false, "1700000000007");
}

static void servers(void **state)
{
	(void)state;
	value_is(pk_column_server, "{\"dst_endpoint\":{\"ip\":\"192.0.2.1\",\"port\":53}}", true,
		 "192.0.2.1:53");
	value_is(pk_column_server, "{\"dst_endpoint\":{\"ip\":\"fd00::1\",\"port\":853}}", false,
		 "[fd00::1]:853");
	value_is(pk_column_server, "{}", true, "");
}

static void processes(void **state)
{
	static const char dig[] = "{\"actor\":{\"process\":{\"pid\":7,\"name\":\"dig\"}}}";

	(void)state;
	value_is(pk_column_pid, dig, true, "7");
	value_is(pk_column_program, dig, true, "dig");
	value_is(pk_column_pid, "{}", true, "-");
	value_is(pk_column_program, "{}", true, "-");
	value_is(pk_column_pid, "{}", false, "");
	value_is(pk_column_program, "{\"actor\":7}", false, "");
}

static void v_alpn(struct pk_buf *out, json_t *record, bool human)
{
	(void)human;
	pk_column_strings(out, record, "tls.alpn");
}

static void strings(void **state)
{
	(void)state;
	value_is(v_alpn, "{\"tls\":{\"alpn\":[\"h2\",\"http/1.1\"]}}", true, "h2,http/1.1");
	value_is(v_alpn, "{\"tls\":{\"alpn\":[]}}", true, "");
	value_is(v_alpn, "{\"tls\":{\"alpn\":\"h2\"}}", true, "");
	value_is(v_alpn, "{\"tls\":{\"alpn\":[7]}}", true, "");
}

static void v_dns(struct pk_buf *out, json_t *record, bool human)
{
	(void)human;
	pk_column_dns_text(out, json_object_get(record, "name"));
}

/* Records double a backslash; here it is single again, and one that stands alone stays. */
static void dns_text(void **state)
{
	(void)state;
	value_is(v_dns, "{\"name\":\"a\\\\\\\\032b\"}", true, "a\\032b");
	value_is(v_dns, "{\"name\":\"a\\\\b\"}", true, "a\\b");
	value_is(v_dns, "{\"name\":\"a\\\\\"}", true, "a\\");
	value_is(v_dns, "{\"name\":7}", true, "");
	value_is(v_dns, "{}", true, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),   cmocka_unit_test(servers),  cmocka_unit_test(processes),
		cmocka_unit_test(strings), cmocka_unit_test(dns_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
