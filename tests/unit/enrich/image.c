/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/image.h"

#include "enrich/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_words(void **state)
{
	struct pk_exec e = { .hdr = { .ts = 7 },
			     .filename = "./run.sh",
			     .interp = "/bin/sh",
			     .path = "dash\0bin\0usr",
			     .path_len = 13,
			     .cwd = "alice\0home",
			     .cwd_len = 11,
			     .argv = "sh\0./run.sh",
			     .argv_len = 12,
			     .argv_total = 12,
			     .exec_flags = PK_EXEC_SCRIPT,
			     .exe_ino = 99 };
	struct pk_image *i = pk_image_new(&e, true);

	(void)state;
	assert_string_equal(i->path, "/usr/bin/dash");
	assert_string_equal(i->cwd, "/home/alice");
	assert_string_equal(i->filename, "./run.sh");
	assert_string_equal(i->interp, "/bin/sh");
	assert_string_equal(i->cmd_line, "sh ./run.sh");
	assert_int_equal(i->exe_ino, 99);
	assert_int_equal(i->exec_flags, PK_EXEC_SCRIPT);
	assert_false(i->truncated || i->snapshot);
	assert_ptr_equal(pk_image_ref(i), i);
	assert_int_equal(pk_image_unref(i), 0);
	assert_true(pk_image_unref(i) > sizeof(*i));
	assert_int_equal(pk_image_unref(NULL), 0);
}

static void test_unknown_is_empty(void **state)
{
	struct pk_exec e = { .hdr = { .flags = PK_EVF_SNAPSHOT } };
	struct pk_image *i = pk_image_new(&e, true);

	(void)state;
	assert_string_equal(i->path, "");
	assert_string_equal(i->cwd, "");
	assert_string_equal(i->cmd_line, "");
	assert_true(i->snapshot);
	assert_true(pk_image_unref(i) > 0);
}

/* All arrays full to the last byte. */
static void test_largest(void **state)
{
	static struct pk_exec e;
	struct pk_image *i;

	(void)state;
	e.hdr.flags = PK_EVF_TRUNCATED;
	memset(e.filename, 'f', sizeof(e.filename) - 1);
	memset(e.interp, 'i', sizeof(e.interp) - 1);
	for (size_t k = 0; k < sizeof(e.path); k++)
		e.path[k] = k & 1 ? '\0' : 'p';
	for (size_t k = 0; k < sizeof(e.cwd); k++)
		e.cwd[k] = k & 1 ? '\0' : 'c';
	e.path_len = sizeof(e.path);
	e.cwd_len = sizeof(e.cwd);
	memset(e.argv, 'a', sizeof(e.argv));
	memset(e.argv_tail, 't', sizeof(e.argv_tail));
	e.argv_len = sizeof(e.argv);
	e.argv_tail_len = sizeof(e.argv_tail);
	e.argv_total = 1 << 20;
	i = pk_image_new(&e, true);
	assert_int_equal(strlen(i->path), 3 + sizeof(e.path) - 2);
	assert_memory_equal(i->path, ".../p/p/", 8);
	assert_int_equal(strlen(i->cwd), 3 + sizeof(e.cwd) - 2);
	assert_int_equal(strlen(i->filename), sizeof(e.filename) - 1);
	assert_int_equal(strlen(i->cmd_line), sizeof(e.argv) + sizeof(e.argv_tail) + 7);
	assert_true(i->truncated);
	pk_image_unref(i);
}

/* Deeper than the kernel side follows, in few bytes. */
static void test_too_deep(void **state)
{
	struct pk_exec e = { .hdr = { .flags = PK_EVF_TRUNCATED }, .path_len = 94 };
	struct pk_image *i;

	(void)state;
	for (size_t k = 0; k < e.path_len; k += 2)
		e.path[k] = 'd';
	i = pk_image_new(&e, false);
	assert_memory_equal(i->path, ".../d/d/", 8);
	pk_image_unref(i);
}

/* The record was cut somewhere, but not in this short path. */
static void test_cut_elsewhere(void **state)
{
	struct pk_exec e = { .hdr = { .flags = PK_EVF_TRUNCATED }, .path = "sh", .path_len = 3 };
	struct pk_image *i = pk_image_new(&e, false);

	(void)state;
	assert_string_equal(i->path, "/sh");
	assert_true(i->truncated);
	pk_image_unref(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),         cmocka_unit_test(test_unknown_is_empty),
		cmocka_unit_test(test_largest),       cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_cut_elsewhere),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
