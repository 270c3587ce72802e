/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a real process is opened, also when it was deleted; another process, another file and
 * one that is over are refused. */
#include "probe/exe.h"

#include "base/cleanup.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static uint64_t start_of(pid_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[32], line[1024], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return 0;
	at = strrchr(line, ')') + 2;
	for (int field = 3; field < 22; field++)
		at = strchr(at, ' ') + 1;
	return strtoull(at, NULL, 10) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK)) + 12345;
}

/* A copy of sleep that runs and is deleted. */
static pid_t run_deleted(struct stat *ret_file)
{
	char path[] = "/tmp/pk-exe-XXXXXX", command[128];
	pid_t pid;

	close(mkstemp(path));
	snprintf(command, sizeof(command), "cp /bin/sleep %s && chmod 700 %s", path, path);
	assert_int_equal(system(command), 0);
	pid = fork();
	if (!pid) {
		execl(path, "sleep", "60", NULL);
		_exit(1);
	}
	for (unsigned i = 0; i < 2000; i++) { /* until it runs it */
		char link[64], to[64] = "";

		snprintf(link, sizeof(link), "/proc/%d/exe", pid);
		if (readlink(link, to, sizeof(to) - 1) > 0 && strcmp(to, path) == 0)
			break;
		usleep(1000);
	}
	assert_int_equal(stat(path, ret_file), 0);
	assert_int_equal(unlink(path), 0);
	return pid;
}

static void test_open(void **state)
{
	_cleanup_close_ int fd = -1;
	struct stat file, st;
	pid_t pid = run_deleted(&file);
	struct pk_msg_exe ask = { .tgid = (uint32_t)pid,
				  .start_ns = start_of(pid),
				  .ino = file.st_ino };

	(void)state;
	fd = pk_exe_open(&ask);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_ino, file.st_ino);
	assert_int_equal(st.st_size, file.st_size);
	ask.ino++;
	assert_int_equal(pk_exe_open(&ask), -ESTALE);
	ask.ino--;
	ask.start_ns += 5000000000ull;
	assert_int_equal(pk_exe_open(&ask), -ESRCH); /* another one's number */
	ask.start_ns -= 5000000000ull;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(pk_exe_open(&ask), -ESRCH);
	ask.tgid = 2; /* a kernel thread */
	assert_int_equal(pk_exe_open(&ask), -ESRCH);
}

static struct {
	unsigned files, over, busy;
	uint64_t serial;
} told;

static void answer(void *arg, uint64_t serial, int result, int fd)
{
	struct pk_exe *e = arg;

	told.files += result == 0 && fd >= 0;
	told.over += result == -ESRCH && fd < 0;
	told.busy += result == -EAGAIN && fd < 0;
	told.serial = serial;
	if (serial == 9999)
		event_base_loopbreak(e->base);
}

/* Asked in a loop, more at once than may wait: each is answered, and the thread ends. */
static void test_thread(void **state)
{
	struct timeval most = { .tv_sec = 20 };
	struct pk_exe e = { .answer = answer, .base = event_base_new() };
	struct stat self;
	struct pk_msg_exe ask = { .tgid = (uint32_t)getpid(), .start_ns = start_of(getpid()) };

	(void)state;
	e.arg = &e;
	memset(&told, 0, sizeof(told));
	assert_int_equal(stat("/proc/self/exe", &self), 0);
	ask.ino = self.st_ino;
	pk_exe_stop(&e); /* nothing has begun, and nothing is closed */
	assert_true(fcntl(0, F_GETFD) >= 0);
	for (ask.serial = 1; ask.serial <= 3000; ask.serial++)
		pk_exe_ask(&e, &ask);
	ask.serial = 9999;
	ask.start_ns = 1;
	while (told.files + told.busy < 3000 && event_base_loop(e.base, EVLOOP_ONCE) == 0)
		;
	assert_true(told.files > 0);
	pk_exe_ask(&e, &ask);
	event_base_loopexit(e.base, &most);
	event_base_dispatch(e.base);
	assert_int_equal(told.serial, 9999);
	assert_int_equal(told.over, 1);
	pk_exe_stop(&e);
	event_base_free(e.base);
}

static unsigned descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Who asked is gone: the next one hears nothing of it, and no file stays open. */
static void test_begun_anew(void **state)
{
	struct timeval most = { .tv_sec = 20 };
	struct pk_exe e = { .answer = answer, .base = event_base_new() };
	struct pk_msg_exe ask = { .tgid = (uint32_t)getpid(), .start_ns = start_of(getpid()) };
	struct stat self;
	unsigned before = descriptors();

	(void)state;
	e.arg = &e;
	assert_int_equal(stat("/proc/self/exe", &self), 0);
	ask.ino = self.st_ino;
	for (ask.serial = 1; ask.serial <= 50; ask.serial++)
		pk_exe_ask(&e, &ask);
	for (int i = 0; i < 200 && descriptors() < before + 10; i++)
		usleep(10000);
	assert_true(descriptors() >= before + 10); /* files wait for who asked */
	pk_exe_stop(&e);
	for (int i = 0; i < 200 && descriptors() > before; i++)
		usleep(10000); /* the thread ends */
	assert_int_equal(descriptors(), before);
	memset(&told, 0, sizeof(told));
	ask.serial = 9999;
	ask.start_ns = 1;
	pk_exe_ask(&e, &ask);
	event_base_loopexit(e.base, &most);
	event_base_dispatch(e.base);
	assert_int_equal(told.over, 1);
	assert_int_equal(told.files + told.busy, 0);
	pk_exe_stop(&e);
	event_base_free(e.base);
}

int main(void)
{
	/* The thread of the last one may end, and close what it has, after it. */
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_open),
					    cmocka_unit_test(test_begun_anew),
					    cmocka_unit_test(test_thread) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
