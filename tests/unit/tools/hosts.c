/* SPDX-License-Identifier: Apache-2.0 */
#include "../../../tools/hosts.h"

#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char file[64];

static void write_file(const char *text)
{
	FILE *f;
	int fd;

	strcpy(file, "/tmp/picket-hosts-XXXXXX.yaml");
	fd = mkstemps(file, 5);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	fputs(text, f);
	fclose(f);
}

static void words(void **state)
{
	static const char *const want[] = { "web1:7443", "web1:1", "[fd00::1]:7443", "[::1]:9" };
	struct pk_buf error = { 0 };
	struct pk_hosts h = { 0 };

	(void)state;
	assert_int_equal(pk_hosts_add(&h, "web1", NULL, &error), 0);
	assert_int_equal(pk_hosts_add(&h, "web1:1", NULL, &error), 0);
	assert_int_equal(pk_hosts_add(&h, "web1:7443", NULL, &error), 0); /* the first again */
	assert_int_equal(pk_hosts_add(&h, "fd00::1", NULL, &error), 0);
	assert_int_equal(pk_hosts_add(&h, "[::1]:9", NULL, &error), 0);
	assert_int_equal(h.n, 4);
	for (size_t i = 0; i < h.n; i++)
		assert_string_equal(h.v[i], want[i]);
	assert_int_equal(pk_hosts_add(&h, "a/b", NULL, &error), -EINVAL);
	assert_int_equal(pk_hosts_add(&h, "user@a", NULL, &error), -EINVAL);
	assert_int_equal(pk_hosts_add(&h, "", NULL, &error), -EINVAL);
	assert_int_equal(pk_hosts_add(&h, "web1", "web", &error), -EINVAL);
	assert_int_equal(h.n, 4);
	pk_hosts_done(&h);
	pk_buf_done(&error);
}

static void groups(void **state)
{
	struct pk_buf error = { 0 };
	struct pk_hosts h = { 0 };

	(void)state;
	write_file("groups:\n  web: [a, \"b:1\"]\n  db:\n    - c\n    - a\n");
	assert_int_equal(pk_hosts_add(&h, file, "db", &error), 0);
	assert_int_equal(h.n, 2);
	assert_int_equal(pk_hosts_add(&h, file, NULL, &error), 0);
	assert_int_equal(h.n, 3);
	assert_int_equal(pk_hosts_add(&h, file, "none", &error), -ENOENT);
	unlink(file);
	assert_int_equal(pk_hosts_add(&h, file, NULL, &error), -ENOENT);
	pk_hosts_done(&h);
	pk_buf_done(&error);
}

static void what_is_wrong_names_its_line(void **state)
{
	static const char *const bad[] = {
		"web: [a]\n",
		"groups: [a]\n",
		"groups:\n  web: a\n",
		"groups:\n  web:\n    - a\n    - a/b\n",
		"groups:\n  web:\n    - {a: b}\n",
		"groups: {\n",
	};
	struct pk_buf error = { 0 };
	struct pk_hosts h = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(bad[i]);
		pk_buf_reset(&error);
		assert_int_equal(pk_hosts_add(&h, file, NULL, &error), -EINVAL);
		assert_non_null(strstr(error.data, ".yaml:"));
		unlink(file);
	}
	pk_hosts_done(&h);
	pk_buf_done(&error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(groups),
		cmocka_unit_test(what_is_wrong_names_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
