/* SPDX-License-Identifier: Apache-2.0 */
/* Whole or not at all: what is read, what is refused, and what stays when a write fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char path[] = "/tmp/pk-unit-file-XXXXXX";
static int dir_fd;

static int open_dir(void **state)
{
	(void)state;
	if (!mkdtemp(path))
		return -1;
	dir_fd = open(path, O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "a", "a.new", "link", "fifo" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(dir_fd, names[i], 0);
	close(dir_fd);
	return rmdir(path);
}

static void holds(const char *text)
{
	void *data = NULL;
	size_t len = 0;

	assert_int_equal(pk_file_read_at(dir_fd, "a", 100, &data, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(data, text, len);
	free(data);
	assert_int_equal(faccessat(dir_fd, "a.new", F_OK, 0), -1);
}

static void test_whole(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(pk_file_write_at(dir_fd, "a", "first", 5, true), 0);
	holds("first");
	assert_int_equal(fstatat(dir_fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* one that was cut short is no obstacle */
	close(openat(dir_fd, "a.new", O_CREAT | O_WRONLY, 0600));
	assert_int_equal(pk_file_write_at(dir_fd, "a", "", 0, false), 0);
	holds("");
}

static void test_refused(void **state)
{
	void *data = NULL;
	size_t len;

	(void)state;
	assert_int_equal(pk_file_read_at(dir_fd, "none", 100, &data, &len), -ENOENT);
	assert_int_equal(pk_file_write_at(dir_fd, "a", "12345", 5, false), 0);
	assert_int_equal(pk_file_read_at(dir_fd, "a", 4, &data, &len), -EFBIG);
	assert_int_equal(symlinkat("a", dir_fd, "link"), 0);
	assert_int_equal(pk_file_read_at(dir_fd, "link", 100, &data, &len), -ELOOP);
	assert_int_equal(mkfifoat(dir_fd, "fifo", 0600), 0);
	assert_int_equal(pk_file_read_at(dir_fd, "fifo", 100, &data, &len), -EFBIG);
	assert_int_equal(pk_file_read_at(dir_fd, ".", 100, &data, &len), -EFBIG);
	assert_null(data);
}

/* A disk that is full, as a limit on the size of files. */
static void test_no_room(void **state)
{
	struct rlimit before, small = { 3, 3 };

	(void)state;
	assert_int_equal(pk_file_write_at(dir_fd, "a", "old", 3, true), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(pk_file_write_at(dir_fd, "a", "longer", 6, true), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	holds("old");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_whole),
					    cmocka_unit_test(test_refused),
					    cmocka_unit_test(test_no_room) };

	return cmocka_run_group_tests(tests, open_dir, remove_dir);
}
