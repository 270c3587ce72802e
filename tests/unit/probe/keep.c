/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list on disk survives an end at any step: what is found then is the old or the new one, whole.
 * Ends are simulated by a child that exits there; a power cut also needs the fsync between, which
 * is counted as a step like any other.
 */
#include "probe/keep.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static char state_dir[64];
static int dir = -1, end_at;

static void on_step(void)
{
	if (!end_at--)
		_exit(0);
}

static int content(const char *text, size_t size)
{
	int fd = memfd_create("list", MFD_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t n = 0; n < size; n += strlen(text))
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static int make_dir(void **state)
{
	char path[80];

	(void)state;
	snprintf(state_dir, sizeof(state_dir), "%s", "/tmp/pk-keep-XXXXXX");
	if (!mkdtemp(state_dir))
		return -1;
	snprintf(path, sizeof(path), "%s/lists", state_dir);
	if (mkdir(path, 0700) < 0)
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0;
}

static int remove_dir(void **state)
{
	char cmd[96];

	(void)state;
	close(dir);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", state_dir);
	return system(cmd);
}

/* First byte of a file of size times the same; 0: there is none; '?': it is anything else. */
static char look(const char *file, off_t size)
{
	_cleanup_close_ int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text, c;

	if (fd < 0)
		return 0;
	assert_int_equal(fstat(fd, &st), 0);
	if (st.st_size != size)
		return '?';
	text = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(text != MAP_FAILED);
	c = text[0];
	for (off_t i = 0; i < size; i++)
		if (text[i] != c)
			c = '?';
	munmap(text, (size_t)size);
	return c;
}

#define SIZE 300000

/* In a child, up to a step. True: it came to its end. */
static bool write_until(int step, const char *text)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int fd = content(text, SIZE);

		end_at = step;
		_exit(pk_keep_write(dir, "a", fd, on_step) ? 2 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status);
}

static void an_end_at_any_step_leaves_old_or_new(void **state)
{
	int step, seen_old = 0, seen_new = 0;

	(void)state;
	for (step = 0;; step++) {
		char now, prev;

		(void)pk_keep_erase(dir, "a", NULL);
		assert_true(write_until(100, "1"));
		assert_true(write_until(100, "2"));
		if (write_until(step, "3"))
			break;
		now = look("a.list", SIZE);
		prev = look("a.list.prev", SIZE);
		assert_true(now == '2' || now == '3');
		assert_true(prev == '1' || prev == '2');
		seen_old += now == '2';
		seen_new += now == '3';
		/* And the next save finds its way, too. */
		assert_true(write_until(100, "4"));
		assert_int_equal(look("a.list", SIZE), '4');
		assert_int_equal(look("a.list.prev", SIZE), now);
		assert_int_equal(look("a.list.new", SIZE), 0);
		assert_int_equal(look("a.list.old", SIZE), 0);
	}
	assert_true(seen_old >= 4 && seen_new >= 1);
	assert_int_equal(look("a.list", SIZE), '3');
	assert_int_equal(look("a.list.prev", SIZE), '2');
}

static void the_first_save_leaves_nothing_or_all(void **state)
{
	(void)state;
	for (int step = 0;; step++) {
		char now;

		(void)pk_keep_erase(dir, "a", NULL);
		if (write_until(step, "1"))
			break;
		now = look("a.list", SIZE);
		assert_true(!now || now == '1');
		assert_int_equal(look("a.list.prev", SIZE), 0);
	}
	assert_int_equal(look("a.list", SIZE), '1');
}

static void what_is_removed_does_not_come_back(void **state)
{
	int step, status;

	(void)state;
	for (step = 0;; step++) {
		pid_t pid;

		assert_true(write_until(100, "1"));
		assert_true(write_until(100, "2"));
		pid = fork();
		if (!pid) {
			end_at = step;
			_exit(pk_keep_erase(dir, "a", on_step) ? 2 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WEXITSTATUS(status))
			break;
		/* Either still in force, or gone; never the one before alone. */
		if (!look("a.list", SIZE))
			assert_int_equal(look("a.list.prev", SIZE), 0);
	}
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_true(step >= 3);
	assert_int_equal(look("a.list", SIZE), 0);
}

struct answers {
	uint64_t serial[100];
	int result[100];
	int n;
};

static void on_done(void *arg, const char *name, uint64_t serial, int result)
{
	struct answers *a = arg;

	(void)name;
	a->serial[a->n] = serial;
	a->result[a->n++] = result;
}

static void wait_for(struct pk_keep *k, const struct answers *a, int n)
{
	while (a->n < n) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);

		assert_true(pid > 0);
		assert_false(pk_keep_reaped(k, pid + 1, status));
		assert_true(pk_keep_reaped(k, pid, status));
	}
}

static void saves_are_done_in_order(void **state)
{
	struct answers a = {};
	struct pk_keep k = { .done = on_done, .arg = &a };
	int fd;

	(void)state;
	assert_int_equal(pk_keep_open(&k, state_dir), 0);
	for (uint64_t i = 0; i < 9; i++) {
		char text[2] = { (char)('1' + i), 0 };

		fd = content(text, SIZE);
		pk_keep_save(&k, "a", i, &fd);
		assert_int_equal(fd, -1);
	}
	wait_for(&k, &a, 9);
	for (uint64_t i = 0; i < 9; i++) {
		assert_int_equal(a.serial[i], i);
		assert_int_equal(a.result[i], 0);
	}
	assert_int_equal(look("a.list", SIZE), '9');
	assert_int_equal(look("a.list.prev", SIZE), '8');
	fd = -1;
	pk_keep_save(&k, "a", 9, &fd);
	wait_for(&k, &a, 10);
	assert_int_equal(look("a.list", SIZE), 0);
	assert_int_equal(look("a.list.prev", SIZE), 0);
	pk_keep_close(&k);
}

static void what_was_begun_is_finished_at_the_end(void **state)
{
	struct answers a = {};
	struct pk_keep k = { .done = on_done, .arg = &a };

	(void)state;
	assert_int_equal(pk_keep_open(&k, state_dir), 0);
	for (uint64_t i = 0; i < 3; i++) {
		int fd = content("x", SIZE);

		pk_keep_save(&k, "a", i, &fd);
	}
	pk_keep_close(&k);
	assert_int_equal(a.n, 3);
	assert_int_equal(look("a.list", SIZE), 'x');
}

static void what_can_not_be_saved_is_refused(void **state)
{
	struct answers a = {};
	struct pk_keep k = { .done = on_done, .arg = &a };
	int pipes[2], fd = content("x", SIZE);

	(void)state;
	assert_int_equal(pk_keep_open(&k, state_dir), 0);
	pk_keep_save(&k, "../a", 1, &fd);
	assert_int_equal(a.result[0], -EINVAL);
	assert_int_equal(fd, -1);
	assert_int_equal(pipe(pipes), 0);
	pk_keep_save(&k, "a", 2, &pipes[0]);
	wait_for(&k, &a, 2);
	assert_int_equal(a.result[1], -EINVAL);
	assert_int_equal(look("a.list.new", 0), 0);
	close(pipes[1]);
	for (uint64_t i = 0; i <= PK_KEEP_JOBS; i++) {
		fd = content("x", 1);
		pk_keep_save(&k, "a", i, &fd);
	}
	assert_int_equal(a.n, 3); /* the one that is too many, at once */
	assert_int_equal(a.result[2], -EBUSY);
	wait_for(&k, &a, 3 + PK_KEEP_JOBS);
	pk_keep_close(&k);
	/* A directory where others write is not believed. */
	assert_int_equal(fchmod(dir, 0770), 0);
	assert_int_equal(pk_keep_open(&k, state_dir), -EPERM);
	fd = content("x", SIZE);
	pk_keep_save(&k, "a", 3, &fd);
	assert_int_equal(a.result[a.n - 1], -EPERM);
	pk_keep_close(&k);
}

static int n_found, n_bad, n_prev;

static void on_found(void *arg, const char *name, bool previous, int fd)
{
	char c;

	(void)arg;
	if (fd < 0) {
		n_bad++;
		return;
	}
	n_found++;
	n_prev += previous;
	assert_true(!strcmp(name, "a") || !strcmp(name, "b.list.prev"));
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(read(fd, &c, 1), 1);
}

static void only_lists_are_found(void **state)
{
	static const char *const others[] = { ".list",       ".a.list", "a.list.new",
					      "a list.list", "x",       "a.list.prev.x" };
	struct answers a = {};
	struct pk_keep k = { .done = on_done, .arg = &a };
	int fd;

	(void)state;
	assert_true(write_until(100, "1") && write_until(100, "2"));
	fd = content("x", 1);
	assert_int_equal(pk_keep_write(dir, "b.list.prev", fd, NULL), 0);
	close(fd);
	for (size_t i = 0; i < PK_ARRAY_SIZE(others); i++) {
		fd = openat(dir, others[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	assert_int_equal(symlinkat("/etc/passwd", dir, "c.list"), 0);
	assert_int_equal(mkfifoat(dir, "d.list", 0600), 0);
	assert_int_equal(mkdirat(dir, "e.list", 0700), 0);
	assert_int_equal(pk_keep_open(&k, state_dir), 0);
	n_found = n_bad = n_prev = 0;
	pk_keep_each(&k, on_found, NULL);
	assert_int_equal(n_found, 3);
	assert_int_equal(n_prev, 1);
	assert_int_equal(n_bad, 3);
	pk_keep_close(&k);
}

static void a_full_disk_keeps_the_old(void **state)
{
	int fd;

	(void)state;
	if (geteuid() || unshare(CLONE_NEWNS) < 0) {
		print_message("a full disk: SKIP, needs root for a small tmpfs\n");
		skip();
	}
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("pk-keep", state_dir, "tmpfs", 0, "size=1M,mode=0700"), 0);
	close(dir);
	dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(write_until(100, "1") && write_until(100, "2"));
	fd = content("3", 900000);
	assert_int_equal(pk_keep_write(dir, "a", fd, NULL), -ENOSPC);
	close(fd);
	assert_int_equal(look("a.list", SIZE), '2');
	assert_int_equal(look("a.list.prev", SIZE), '1');
	assert_int_equal(look("a.list.new", SIZE), 0);
	assert_true(write_until(100, "4")); /* there is room again for what fits */
	assert_int_equal(look("a.list", SIZE), '4');
	close(dir);
	assert_int_equal(umount(state_dir), 0);
	dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What one process appended the next one reads, and appends to; nothing else is opened for it. */
static void changes_are_kept_beside_the_lists(void **state)
{
	struct pk_keep k = { .dir = -1, .why = -ENOENT };
	char text[16] = "";
	int fd[2];

	(void)state;
	assert_int_equal(pk_keep_journal(&k, fd), -ENOENT);
	assert_int_equal(pk_keep_open(&k, state_dir), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pk_keep_journal(&k, fd), 0);
		assert_int_equal(write(fd[1], "abc", 3), 3);
		assert_int_equal(pread(fd[1], text, sizeof(text), 0), 3 + 3 * i);
		assert_int_equal(pread(fd[0], text, sizeof(text), 0), 0);
		close(fd[0]);
		close(fd[1]);
	}
	assert_string_equal(text, "abcabc");
	assert_int_equal(unlinkat(dir, "changes.1", 0), 0);
	assert_int_equal(symlinkat("changes.0", dir, "changes.1"), 0);
	assert_int_equal(pk_keep_journal(&k, fd), -ELOOP);
	pk_keep_close(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_end_at_any_step_leaves_old_or_new, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(the_first_save_leaves_nothing_or_all, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(what_is_removed_does_not_come_back, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(saves_are_done_in_order, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(what_was_begun_is_finished_at_the_end, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(what_can_not_be_saved_is_refused, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(only_lists_are_found, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(changes_are_kept_beside_the_lists, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(a_full_disk_keeps_the_old, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
