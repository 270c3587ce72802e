/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/user.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char file[] = "/tmp/pkuser.XXXXXX";

static void put(const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void test_names(void **state)
{
	struct pk_users u;

	(void)state;
	put("root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/bin/false\n"
	    "toor:x:0:0::/:/bin/sh\nnonsense\n# comment\n"
	    "nobody:x:65534:65534::/:/bin/false\nmax:x:4294967294:1::/:/x\n");
	assert_int_equal(pk_users_init(&u, file), 0);
	assert_string_equal(pk_user_name(&u, 0), "root");
	assert_string_equal(pk_user_name(&u, 33), "www-data");
	assert_string_equal(pk_user_name(&u, 65534), "nobody");
	assert_string_equal(pk_user_name(&u, 4294967294), "max");
	assert_null(pk_user_name(&u, 1));
	assert_null(pk_user_name(&u, 4294967295));
	pk_users_done(&u);
}

static void test_refresh(void **state)
{
	struct pk_users u;

	(void)state;
	put("a:x:5:5::/:/x\n");
	assert_int_equal(pk_users_init(&u, file), 0);
	put("a:x:5:5::/:/x\nbb:x:6:6::/:/x\n");
	assert_int_equal(pk_users_refresh(&u), 0);
	assert_string_equal(pk_user_name(&u, 6), "bb");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(pk_users_refresh(&u), -ENOENT);
	assert_string_equal(pk_user_name(&u, 5), "a");
	pk_users_done(&u);
}

static void test_odd_files(void **state)
{
	static char line[9100];
	struct pk_users u;

	(void)state;
	put("");
	assert_int_equal(pk_users_init(&u, file), 0);
	assert_null(pk_user_name(&u, 0));
	pk_users_done(&u);
	memset(line, 'x', 8980);
	strcpy(line + 8980, ":x:7:7::/:/\nb:x:8:8");
	strcat(line, "::/:/");
	put(line);
	assert_int_equal(pk_users_init(&u, file), 0);
	assert_string_equal(pk_user_name(&u, 8), "b");
	pk_users_done(&u);
	unlink(file);
	assert_int_equal(pk_users_init(&u, "/nonexistent/passwd"), -ENOENT);
	assert_null(pk_user_name(&u, 0));
}

static int setup(void **state)
{
	int fd = mkstemp(file);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_odd_files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, NULL);
}
