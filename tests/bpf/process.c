/* SPDX-License-Identifier: Apache-2.0 */
/* exec, fork, exit and the snapshot of processes, by real processes of every kind. */
#include "events.h"

#include <grp.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define TRUE "/bin/true"

/* Turns "true\0bin\0usr\0" into "/usr/bin/true". */
static void turn_path(char *to, size_t size, const char *names, uint32_t len)
{
	char outer[4096] = "";

	assert_true(len == 0 || names[len - 1] == 0);
	for (uint32_t i = 0; i < len; i += strlen(names + i) + 1) {
		char inner[2048];

		snprintf(inner, sizeof(inner), "%s", outer);
		snprintf(outer, sizeof(outer), "/%s%s", names + i, inner);
	}
	snprintf(to, size, "%s", outer[0] ? outer : "/");
}

static void assert_path(const char *names, uint32_t len, const char *expected)
{
	char path[4096];

	turn_path(path, sizeof(path), names, len);
	assert_string_equal(path, expected);
}

static void test_thousand_execs(void **state)
{
	static pid_t pids[1000];

	(void)state;
	ev_clear();
	for (int i = 0; i < 1000; i++) {
		char arg[32];

		snprintf(arg, sizeof(arg), "number=%d", i);
		pids[i] = i % 2 ? fork() : vfork();
		if (pids[i] == 0) {
			execl(TRUE, "true", arg, NULL);
			_exit(127);
		}
		assert_true(pids[i] > 0);
		waitpid(pids[i], NULL, 0);
		if (i % 10 == 9)
			ev_read();
	}
	ev_read();
	for (int i = 0; i < 1000; i++) {
		struct pk_exec *e = ev_exec(pids[i]);
		struct pk_fork *f = ev_fork(pids[i]);
		struct pk_exit *x = ev_exit(pids[i]);
		char argv[64];
		int n = snprintf(argv, sizeof(argv), "true%cnumber=%d", 0, i) + 1;

		assert_true(e && f && x);
		assert_true(e->task.id.start_ns > 0);
		assert_true(ev_same(&e->task.id, &f->child));
		assert_true(ev_same(&e->task.id, &x->task.id));
		assert_true(ev_same(&e->parent, &f->task.id));
		assert_int_equal(f->task.id.tgid, getpid());
		assert_int_equal(e->argv_len, n);
		assert_int_equal(e->argv_total, n);
		assert_memory_equal(e->argv, argv, n);
		assert_string_equal(e->filename, TRUE);
		assert_int_equal(x->code, 0);
	}
}

static int exec_true(void *arg)
{
	(void)arg;
	execl(TRUE, "true", NULL);
	return 127;
}

static void test_file_and_place(void **state)
{
	char real[4096], cwd[4096];
	struct pk_exec *e;
	struct stat st;

	(void)state;
	ev_clear();
	assert_non_null(realpath(TRUE, real));
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(stat(real, &st), 0);
	e = ev_exec(ev_run(exec_true, NULL));
	assert_non_null(e);
	assert_path(e->path, e->path_len, real);
	assert_path(e->cwd, e->cwd_len, cwd);
	assert_int_equal(e->exe_ino, st.st_ino);
	assert_int_equal(e->exe_mode, st.st_mode);
	assert_int_equal(e->exe_uid, st.st_uid);
	assert_int_equal(e->old_tid, e->task.id.tgid);
	assert_string_equal(e->task.comm, "true");
	assert_int_equal(e->hdr.flags, 0);
	assert_int_equal(e->exec_flags & (PK_EXEC_MEMFD | PK_EXEC_DELETED | PK_EXEC_SCRIPT), 0);
	assert_int_equal(e->exe_ctime_s, st.st_ctime);
	if (!(e->exec_flags & PK_EXEC_OVERLAY))
		assert_int_equal(e->exe_dev, major(st.st_dev) << 20 | minor(st.st_dev));
}

/* stdin a socket of the net, stdout a pipe, stderr a terminal; and the other kinds. */
static int exec_with_streams(void *arg)
{
	bool second = arg != NULL;
	int s[2], p[2], tty = open("/dev/ptmx", O_RDWR | O_NOCTTY),
			null = open("/dev/null", O_RDWR);

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0 || pipe(p) < 0 || null < 0 || tty < 0)
		return 1;
	if (second) {
		dup2(s[0], 0);
		dup2(null, 1);
		close(2);
	} else {
		dup2(socket(AF_INET6, SOCK_STREAM, 0), 0);
		dup2(p[1], 1);
		dup2(tty, 2);
	}
	return exec_true(NULL);
}

static void test_streams(void **state)
{
	static int second = 1;
	struct pk_exec *e;

	(void)state;
	ev_clear();
	e = ev_exec(ev_run(exec_with_streams, NULL));
	assert_non_null(e);
	assert_int_equal(e->stdio[0], PK_STDIO_INET);
	assert_int_equal(e->stdio[1], PK_STDIO_PIPE);
	assert_int_equal(e->stdio[2], PK_STDIO_TTY);
	assert_int_not_equal(e->stdio_cookie, 0);
	e = ev_exec(ev_run(exec_with_streams, &second));
	assert_non_null(e);
	assert_int_equal(e->stdio[0], PK_STDIO_SOCKET);
	assert_int_equal(e->stdio[1], PK_STDIO_DEVICE);
	assert_int_equal(e->stdio[2], PK_STDIO_NONE);
	assert_int_equal(e->stdio_cookie, 0);
}

static int copy_true(int to)
{
	_cleanup_close_ int from = open(TRUE, O_RDONLY | O_CLOEXEC);
	char buf[65536];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, n) != n)
			return -1;
	return (int)n;
}

static int exec_fd(int fd)
{
	char *argv[] = { (char *)"true", NULL };

	syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	return 127;
}

static int exec_memfd(void *arg)
{
	int fd = memfd_create("pk hidden", MFD_CLOEXEC);

	(void)arg;
	return copy_true(fd) < 0 ? 1 : exec_fd(fd);
}

static void test_memfd(void **state)
{
	struct pk_exec *e;

	(void)state;
	ev_clear();
	e = ev_exec(ev_run(exec_memfd, NULL));
	assert_non_null(e);
	assert_true(e->exec_flags & PK_EXEC_MEMFD);
	assert_true(e->exec_flags & PK_EXEC_DELETED);
	assert_memory_equal(e->path, "memfd:pk hidden", 16);
}

static int exec_deleted(void *arg)
{
	char path[] = "/tmp/pkprocessXXXXXX", real[64];
	int fd = mkstemp(path), ro;

	(void)arg;
	if (copy_true(fd) < 0 || fchmod(fd, 0755) < 0)
		return 1;
	snprintf(real, sizeof(real), "/proc/self/fd/%d", fd);
	ro = open(real, O_RDONLY | O_CLOEXEC);
	close(fd);
	unlink(path);
	return exec_fd(ro);
}

static void test_deleted(void **state)
{
	struct pk_exec *e;

	(void)state;
	ev_clear();
	e = ev_exec(ev_run(exec_deleted, NULL));
	assert_non_null(e);
	assert_true(e->exec_flags & PK_EXEC_DELETED);
	assert_false(e->exec_flags & PK_EXEC_MEMFD);
	assert_memory_equal(e->path, "pkprocess", 9);
}

static int exec_path(void *arg)
{
	execl(arg, "true", "second", NULL);
	return 127;
}

static void test_script(void **state)
{
	char path[] = "/tmp/pkscriptXXXXXX";
	int fd = mkstemp(path);
	struct pk_exec *e;

	(void)state;
	ev_clear();
	assert_true(dprintf(fd, "#!/bin/sh\nexit 0\n") > 0);
	assert_int_equal(fchmod(fd, 0755), 0);
	close(fd);
	e = ev_exec(ev_run(exec_path, path));
	unlink(path);
	assert_non_null(e);
	assert_true(e->exec_flags & PK_EXEC_SCRIPT);
	assert_string_equal(e->filename, path);
	assert_string_equal(e->interp, "/bin/sh");
	assert_int_equal(e->interp_len, 8);
	assert_memory_equal(e->argv, "/bin/sh", 8);
}

static void test_setid(void **state)
{
	char path[] = "/tmp/pksetidXXXXXX";
	int fd = mkstemp(path);
	struct pk_exec *e;

	(void)state;
	ev_clear();
	assert_int_equal(copy_true(fd), 0);
	assert_int_equal(fchown(fd, 1234, 1234), 0);
	assert_int_equal(fchmod(fd, 04755), 0);
	close(fd);
	e = ev_exec(ev_run(exec_path, path));
	unlink(path);
	assert_non_null(e);
	if (e->euid == 0)
		skip(); /* mounted nosuid */
	assert_true(e->exec_flags & PK_EXEC_SETID);
	assert_int_equal(e->uid, 0);
	assert_int_equal(e->euid, 1234);
	assert_int_equal(e->exe_uid, 1234);
	assert_int_equal(e->task.id.uid, 1234);
}

static int exec_as_nobody(void *arg)
{
	gid_t none = 4321;

	(void)arg;
	if (setgroups(1, &none) < 0 || setresgid(4321, 4321, 4321) < 0 ||
	    setresuid(1234, 1234, 1234) < 0)
		return 1;
	return exec_true(NULL);
}

static void test_credentials(void **state)
{
	unsigned int loginuid = ~0U;
	struct pk_exec *e;
	FILE *f;

	(void)state;
	ev_clear();
	e = ev_exec(ev_run(exec_true, NULL));
	assert_non_null(e);
	assert_int_equal(e->euid, 0);
	assert_true(e->cap_effective & 1ULL << 12); /* CAP_NET_ADMIN */
	assert_true(e->cap_effective >> 32); /* CAP_PERFMON and others are in the upper half */
	assert_true(e->cap_permitted >= e->cap_effective);
	f = fopen("/proc/self/loginuid", "re");
	if (f) {
		assert_int_equal(fscanf(f, "%u", &loginuid), 1);
		fclose(f);
	}
	assert_int_equal(e->loginuid, loginuid);
	e = ev_exec(ev_run(exec_as_nobody, NULL));
	assert_non_null(e);
	assert_int_equal(e->uid, 1234);
	assert_int_equal(e->euid, 1234);
	assert_int_equal(e->gid, 4321);
	assert_int_equal(e->egid, 4321);
	assert_int_equal(e->cap_effective, 0);
}

struct seen_inside {
	uint64_t cookie;
	uint32_t net, mnt;
};

static uint32_t inum(const char *ns)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", ns);
	return stat(path, &st) < 0 ? 0 : (uint32_t)st.st_ino;
}

static int exec_in_namespaces(void *arg)
{
	struct seen_inside *in = arg;
	socklen_t len = sizeof(in->cookie);
	int fd;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		return 1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &in->cookie, &len) < 0)
		return 2;
	in->net = inum("net");
	in->mnt = inum("mnt");
	return exec_true(NULL);
}

static void test_namespaces(void **state)
{
	struct seen_inside *in =
		mmap(NULL, sizeof(*in), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct pk_exec *e;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(exec_in_namespaces, in);
	e = ev_exec(pid);
	assert_non_null(e);
	assert_int_equal(e->task.netns, in->cookie);
	assert_int_equal(e->task.netns_inum, in->net);
	assert_int_equal(e->task.mntns_inum, in->mnt);
	assert_int_equal(e->task.pidns_inum, inum("pid"));
	assert_int_not_equal(e->task.netns_inum, inum("net"));
	assert_int_equal(e->task.pid_in_ns, pid);
	assert_true(e->task.cgroup != 0);
	munmap(in, sizeof(*in));
}

static int exec_long(void *arg)
{
	static char word[100000];
	char *argv[] = { (char *)"true", word, (char *)"payload at the end", NULL };

	(void)arg;
	memset(word, 'A', sizeof(word) - 1);
	execv(TRUE, argv);
	return 127;
}

static void test_long_argv(void **state)
{
	static const char tail[] = "payload at the end";
	struct pk_exec *e;

	(void)state;
	ev_clear();
	e = ev_exec(ev_run(exec_long, NULL));
	assert_non_null(e);
	assert_int_equal(e->argv_total, 5 + 100000 + sizeof(tail));
	assert_int_equal(e->argv_len, PK_ARGV_LEN);
	assert_int_equal(e->argv_tail_len, PK_ARGV_TAIL_LEN);
	assert_memory_equal(e->argv, "true\0AAAA", 9);
	assert_memory_equal(e->argv_tail + PK_ARGV_TAIL_LEN - sizeof(tail), tail, sizeof(tail));
	assert_int_equal(e->argv_tail[0], 'A');
	assert_true(e->hdr.flags & PK_EVF_TRUNCATED);
}

static int exec_deep(void *arg)
{
	(void)arg;
	if (chdir("/tmp") < 0)
		return 1;
	for (int i = 0; i < 60; i++)
		if ((mkdir("pk", 0700) < 0 && errno != EEXIST) || chdir("pk") < 0)
			return 2;
	return exec_true(NULL);
}

static void remove_deep(void)
{
	char path[512] = "/tmp";

	for (int i = 0; i < 60; i++)
		strcat(path, "/pk");
	for (int i = 0; i < 60; i++) {
		(void)rmdir(path);
		path[strlen(path) - 3] = 0;
	}
}

static void test_deep_cwd_is_marked(void **state)
{
	struct pk_exec *e;

	(void)state;
	ev_clear();
	e = ev_exec(ev_run(exec_deep, NULL));
	remove_deep();
	assert_non_null(e);
	assert_true(e->hdr.flags & PK_EVF_TRUNCATED);
	assert_int_equal(e->cwd_len % 3, 0);
	assert_true(e->cwd_len >= 40 * 3);
}

static void *exec_in_thread(void *arg)
{
	execl(TRUE, "true", "from a thread", NULL);
	return arg;
}

static int thread_execs(void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, exec_in_thread, arg) != 0)
		return 1;
	pthread_join(t, NULL);
	return 2;
}

static void test_thread_execs(void **state)
{
	struct pk_exec *e;
	struct pk_fork *f;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(thread_execs, NULL);
	e = ev_exec(pid);
	f = ev_fork(pid);
	assert_true(e && f);
	assert_true(ev_same(&e->task.id, &f->child));
	assert_int_equal(e->task.tid, pid);
	assert_int_not_equal(e->old_tid, pid);
	assert_int_not_equal(e->old_tid, 0);
}

static void *wait_and_end(void *arg)
{
	pthread_barrier_wait(arg);
	return NULL;
}

/* Every thread, the leader too, ends by itself and about at once. */
static int many_threads(void *arg)
{
	static pthread_barrier_t barrier;
	pthread_t t;

	(void)arg;
	pthread_barrier_init(&barrier, NULL, 8);
	for (int i = 0; i < 7; i++)
		if (pthread_create(&t, NULL, wait_and_end, &barrier) != 0)
			return 1;
	pthread_barrier_wait(&barrier);
	/* Not pthread_exit, which loads a library that a test machine may lack. */
	return (int)syscall(SYS_exit, 0);
}

static void test_threads_are_no_processes(void **state)
{
	struct pk_event_count before = ev_count(PK_EH_FORK), after;

	(void)state;
	ev_clear();
	for (int i = 0; i < 50; i++) {
		pid_t pid = ev_run(many_threads, NULL);
		unsigned int exits = 0, forks = 0;
		struct pk_fork *f;
		struct pk_exit *x;
		size_t at = 0;

		while ((f = ev_next(PK_EV_FORK, &at)))
			forks += f->child.tgid == (uint32_t)pid;
		for (at = 0; (x = ev_next(PK_EV_EXIT, &at));)
			exits += x->task.id.tgid == (uint32_t)pid;
		assert_int_equal(forks, 1);
		assert_true(exits >= 1);
		/* Without the kernel's word on the last thread, a race may tell it twice. */
		if (pk_object_skel(ev.object)->rodata->pk_exit_tells_last)
			assert_int_equal(exits, 1);
		ev_clear();
	}
	after = ev_count(PK_EH_FORK);
	assert_true(after.filtered - before.filtered >= 350);
}

static int end_with_code(void *arg)
{
	(void)arg;
	if (fork() == 0)
		_exit(7);
	wait(NULL);
	if (fork() == 0)
		raise(SIGKILL);
	wait(NULL);
	return 0;
}

static void test_exit_codes(void **state)
{
	bool seven = false, killed = false;
	struct pk_fork *f;
	size_t at = 0;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(end_with_code, NULL);
	while ((f = ev_next(PK_EV_FORK, &at))) {
		struct pk_exit *x = ev_exit((pid_t)f->child.tgid);

		if (f->task.id.tgid != (uint32_t)pid)
			continue;
		assert_non_null(x);
		assert_true(ev_same(&x->task.id, &f->child));
		seven |= WIFEXITED(x->code) && WEXITSTATUS(x->code) == 7;
		killed |= WIFSIGNALED(x->code) && WTERMSIG(x->code) == SIGKILL;
	}
	assert_true(seven && killed);
}

static unsigned long long start_ticks(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/stat", "re");
	unsigned long long ticks = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f,
				"%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u "
				"%*u %*d %*d %*d %*d %*d %*d %llu",
				&ticks),
			 1);
	return ticks;
}

static void test_snapshot(void **state)
{
	struct pk_exec *e, *me = NULL, *kernel = NULL;
	char real[4096], cwd[4096];
	size_t at = 0;
	ssize_t n;

	(void)state;
	ev_clear();
	assert_true(ev_iterate("pk_snap_task", sizeof(struct pk_exec)) > 2);
	while ((e = ev_next(PK_EV_EXEC, &at))) {
		if (!(e->hdr.flags & PK_EVF_SNAPSHOT))
			continue;
		if (e->task.id.tgid == (uint32_t)getpid())
			me = e;
		if (e->task.flags & PK_TASK_KTHREAD)
			kernel = e;
	}
	assert_non_null(me);
	n = readlink("/proc/self/exe", real, sizeof(real) - 1);
	assert_true(n > 0);
	real[n] = 0;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_path(me->path, me->path_len, real);
	assert_path(me->cwd, me->cwd_len, cwd);
	assert_int_equal(me->parent.tgid, getppid());
	assert_int_equal(me->task.id.start_ns / (1000000000 / sysconf(_SC_CLK_TCK)), start_ticks());
	assert_int_equal(me->argv_len, 0);
	if (kernel)
		assert_int_equal(kernel->path_len, 0);
}

/* Last: nothing may be attached. */
static void test_counters_add_up(void **state)
{
	(void)state;
	ev_detach_all();
	ev_assert_equation();
	assert_true(ev_count(PK_EH_EXEC).submitted >= 1000);
	assert_true(ev_count(PK_EH_EXIT).submitted >= 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thousand_execs),
		cmocka_unit_test(test_file_and_place),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_setid),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_namespaces),
		cmocka_unit_test(test_long_argv),
		cmocka_unit_test(test_deep_cwd_is_marked),
		cmocka_unit_test(test_thread_execs),
		cmocka_unit_test(test_threads_are_no_processes),
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_snapshot),
		cmocka_unit_test(test_counters_add_up),
	};
	int r;

	if (geteuid() != 0) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (ev_load() < 0 || ev_attach_all() < 0) {
		printf("Bail out! can not load and attach the process and socket programs\n");
		ev_free();
		return 1;
	}
	r = cmocka_run_group_tests(tests, NULL, NULL);
	ev_free();
	return r;
}
