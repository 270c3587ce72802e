/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/pull.h"

#include "base/buf.h"
#include "conf/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void items_are_read(void **state)
{
	static const char *const bad[] = { "",
					   "drop",
					   "drop=",
					   "drop=https://",
					   "drop=https:///path",
					   "drop=http://example.org/drop",
					   "drop=file:///etc/passwd",
					   "drop=HTTPS://example.org/drop",
					   "drop=https://user:word@example.org/drop",
					   "drop=https://example.org/dr op",
					   "drop=https://example.org/dr\nop",
					   "drop=https://example.org/\xc3\xa4",
					   "=https://example.org/drop",
					   ".drop=https://example.org/drop",
					   "../drop=https://example.org/drop",
					   "dr op=https://example.org/drop" };
	char name[66], text[400];
	struct pk_conf_pull p = { .list = "as before" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pk_conf_pull_parse(bad[i], &p), -EINVAL);
	assert_string_equal(p.list, "as before");
	assert_int_equal(pk_conf_pull_parse("drop=https://example.org:8443/a/drop?x=@", &p), 0);
	assert_string_equal(p.list, "drop");
	assert_string_equal(p.url, "https://example.org:8443/a/drop?x=@");
	memset(name, 'a', 65);
	for (int n = 63; n <= 64; n++) {
		snprintf(text, sizeof(text), "%.*s=https://example.org/", n, name);
		assert_int_equal(pk_conf_pull_parse(text, &p), n == 63 ? 0 : -EINVAL);
	}
	for (int n = PK_CONF_PULL_URL; n <= PK_CONF_PULL_URL + 1; n++) {
		snprintf(text, sizeof(text), "drop=https://%0*d", n - 8, 1);
		assert_int_equal(pk_conf_pull_parse(text, &p), n == PK_CONF_PULL_URL ? 0 : -EINVAL);
	}
}

static void mirrors_of_a_list_come_together(void **state)
{
	struct pk_conf_pulled list[PK_CONF_PULL_ITEMS];
	struct pk_conf *c = pk_conf_new();
	struct pk_buf errors = { 0 };

	(void)state;
	assert_int_equal(pk_conf_pulled(c, list), 0);
	assert_int_equal(pk_conf_set(c, "pull.lists",
				     "drop=https://a/1,web=https://a/2,drop=https://b/1", &errors),
			 0);
	assert_int_equal(pk_conf_pulled(c, list), 2);
	assert_string_equal(list[0].list, "drop");
	assert_int_equal(list[0].urls, 2);
	assert_string_equal(list[0].url[0], "https://a/1");
	assert_string_equal(list[0].url[1], "https://b/1");
	assert_string_equal(list[1].list, "web");
	assert_int_equal(list[1].urls, 1);
	assert_false(list[0].nats || list[1].nats);
	assert_int_equal(
		pk_conf_set(c, "pull.lists", "web=nats,drop=https://a/1,drop=nats", &errors), 0);
	assert_int_equal(pk_conf_pulled(c, list), 2);
	assert_true(list[0].nats && list[1].nats);
	assert_int_equal(list[0].urls, 0);
	assert_int_equal(list[1].urls, 1);
	assert_int_equal(pk_conf_set(c, "pull.lists", "drop=http://a/1", &errors), -EINVAL);
	assert_non_null(strstr(errors.data, "NAME=https://HOST/PATH"));
	pk_buf_done(&errors);
	pk_conf_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(items_are_read),
					    cmocka_unit_test(mirrors_of_a_list_come_together) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
