/* SPDX-License-Identifier: Apache-2.0 */
/* What is saved is read back, whatever it says; a file that is not ours is left alone. */
#include "../../../tools/top_saved.h"

#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/picket-saved-XXXXXX";
static char path[64];
static struct pk_top_saved s, again;

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/a/picket/top.yaml", dir);
	return 0;
}

static int teardown(void **state)
{
	char sub[64];

	(void)state;
	(void)unlink(path);
	snprintf(sub, sizeof(sub), "%s/a/picket", dir);
	(void)rmdir(sub);
	snprintf(sub, sizeof(sub), "%s/a", dir);
	(void)rmdir(sub);
	return rmdir(dir); /* nothing was left beside it */
}

static void round_trip(void **state)
{
	static const struct pk_top_saved_view odd[] = {
		{ "web: servers #1", "flows", "dst port 443 and not net 10.0.0.0/8", "RATE/s",
		  false },
		{ "\"quoted\" \\ 'text'", "tree", "proc \"a b\"", "", true },
		{ "- yes: {no}", "lists", "", "LIST", false },
		{ "sch\xc3\xb6n", "names", "name \xe2\x86\x92", "AGE", true },
	};
	struct pk_buf error = {};

	(void)state;
	s = (struct pk_top_saved){};
	assert_int_equal(pk_top_saved_load(path, &again, &error), 0); /* no file yet */
	assert_int_equal(again.n, 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pk_top_saved_put(&s, &odd[i]), 0);
	assert_int_equal(pk_top_saved_store(path, &s), 0);
	assert_int_equal(pk_top_saved_load(path, &again, &error), 0);
	assert_int_equal(again.n, 4);
	assert_memory_equal(again.v, odd, sizeof(odd));
	pk_buf_done(&error);
}

static void put_replaces_and_is_bounded(void **state)
{
	struct pk_top_saved_view v = { .name = "x", .view = "flows" };

	(void)state;
	s = (struct pk_top_saved){};
	for (int i = 0; i < PK_TOP_SAVED_MAX; i++) {
		snprintf(v.name, sizeof(v.name), "%d", i);
		assert_int_equal(pk_top_saved_put(&s, &v), 0);
	}
	assert_int_equal(pk_top_saved_put(&s, &v), 0); /* its place is there */
	strcpy(v.name, "one too many");
	assert_int_equal(pk_top_saved_put(&s, &v), -ENOSPC);
	pk_top_saved_remove(&s, 0);
	pk_top_saved_remove(&s, 500);
	assert_int_equal(s.n, PK_TOP_SAVED_MAX - 1);
	assert_null(pk_top_saved_find(&s, "0"));
	assert_string_equal(s.v[0].name, "1");
	assert_non_null(pk_top_saved_find(&s, "63"));
}

static void refused(const char *text)
{
	FILE *f = fopen(path, "w");
	struct pk_buf error = {};

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_true(pk_top_saved_load(path, &again, &error) < 0);
	assert_true(error.len > 0);
	assert_int_equal(again.n, 0);
	pk_buf_done(&error);
}

static void bad_files(void **state)
{
	char text[2000];

	(void)state;
	refused("views: {a: b}\n");
	refused("- name: x\n");
	refused("views:\n- x\n");
	refused("views:\n- name: x\n"); /* of which list? */
	refused("views:\n- {name: [x], view: flows}\n");
	refused("views: [\n");
	refused("\x01\xff");
	refused("");
	snprintf(text, sizeof(text), "views:\n- {view: flows, name: %0999d}\n", 1);
	refused(text);
	(void)unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(pk_top_saved_store(path, &s) < 0);
	assert_int_equal(rmdir(path), 0);
}

static void where_it_is(void **state)
{
	char *p;

	(void)state;
	setenv("XDG_CONFIG_HOME", "/x", 1);
	p = pk_top_saved_path();
	assert_string_equal(p, "/x/picket/top.yaml");
	free(p);
	setenv("XDG_CONFIG_HOME", "relative", 1); /* counts as not set: XDG base directories 0.8 */
	setenv("HOME", "/h", 1);
	p = pk_top_saved_path();
	assert_string_equal(p, "/h/.config/picket/top.yaml");
	free(p);
	unsetenv("HOME");
	assert_null(pk_top_saved_path());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(put_replaces_and_is_bounded),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(where_it_is),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
