/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker with a pipeline that does nothing but ask it to hold, let go or detach, by lines in a
 * FIFO: `hold CONFIG FIFO`. PK_KILL_AT=N kills the broker before its Nth step that attaches, pins
 * or unpins something; it says how many there were when it ends by itself. PK_NO_TCX=1: the kernel
 * does as those before 6.6 do, which have no tcx.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "conf/conf.h"
#include "probe/broker.h"
#include "probe/channel.h"
#include "probe/privs.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long kill_at, steps;
static bool no_tcx;
static pid_t broker;

static void step(void)
{
	if (getpid() == broker && ++steps == kill_at)
		kill(broker, SIGKILL);
}

static bool is_tcx(const union bpf_attr *attr)
{
	return attr->link_create.attach_type == 46 || attr->link_create.attach_type == 47;
}

/* libbpf and the code under test find these before libc's. */
long syscall(long n, ...)
{
	static long (*real)(long, ...);
	va_list ap;
	long a[6];

	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "syscall");
	if (n == SYS_bpf && (a[0] == BPF_OBJ_PIN || a[0] == BPF_LINK_CREATE ||
			     a[0] == BPF_LINK_UPDATE || a[0] == BPF_LINK_DETACH))
		step();
	if (n == SYS_bpf && no_tcx && a[0] == BPF_LINK_CREATE && is_tcx((union bpf_attr *)a[1])) {
		errno = EINVAL;
		return -1;
	}
	return real(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int unlinkat(int dir, const char *path, int flags)
{
	step();
	return (int)syscall(SYS_unlinkat, (long)dir, path, (long)flags, 0L, 0L, 0L);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	step();
	return (int)syscall(SYS_renameat2, (long)from_dir, from, (long)to_dir, to, 0L, 0L);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	step();
	return (int)syscall(SYS_mkdirat, (long)dir, path, (long)mode, 0L, 0L, 0L);
}

int rmdir(const char *path)
{
	step();
	return (int)syscall(SYS_unlinkat, (long)AT_FDCWD, path, (long)AT_REMOVEDIR, 0L, 0L, 0L);
}

static void ask(int fd, const char *line)
{
	struct pk_msg_hold m = { .on = !strcmp(line, "on\n") };

	if (!strcmp(line, "detach\n"))
		(void)pk_chan_ask(fd, PK_MSG_DETACH, NULL, 0);
	else
		(void)pk_chan_ask(fd, PK_MSG_HOLD, (char *)&m + sizeof(m.head),
				  sizeof(m) - sizeof(m.head));
}

/* Ends when the broker does. */
static int pipeline(int fd, const char *fifo)
{
	FILE *in = fopen(fifo, "r+e");
	union pk_msg msg;
	char line[32];
	int fds[PK_FD_MAX], r;

	if (!in)
		return 1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setvbuf(in, NULL, _IONBF, 0);
	for (;;) {
		struct pollfd p[2] = { { fd, POLLIN, 0 }, { fileno(in), POLLIN, 0 } };

		(void)poll(p, 2, -1);
		if (p[1].revents && fgets(line, sizeof(line), in))
			ask(fd, line);
		if (!p[0].revents)
			continue;
		r = pk_chan_recv(fd, &msg, fds);
		for (int i = 0; r > 0 && i < PK_FD_MAX; i++)
			pk_closep(&fds[i]);
		if (r == 0)
			return 0;
		if (r > 0 && msg.head.type == PK_MSG_SNAPSHOT_DONE)
			fprintf(stderr, "ready\n");
	}
}

static pid_t spawn(void *arg, const struct pk_conf *conf, int fd)
{
	pid_t pid = fork();

	(void)conf;
	if (pid)
		return pid;
	signal(SIGTERM, SIG_IGN);
	close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
	_exit(pipeline(fd, arg));
}

int main(int argc, char **argv)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = {};
	struct pk_broker_opts opts = { .spawn = spawn };
	sigset_t set;
	int r;

	if (argc != 3 || pk_conf_load(argv[1], &errors, &opts.conf) < 0)
		return 2;
	opts.conf_file = argv[1];
	opts.arg = argv[2];
	broker = getpid();
	kill_at = getenv("PK_KILL_AT") ? atol(getenv("PK_KILL_AT")) : 0;
	no_tcx = getenv("PK_NO_TCX");
	pk_log_init("hold", PK_LOG_INFO);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (pk_privs_broker() < 0)
		return 2;
	r = pk_broker_run(&opts);
	printf("%ld steps\n", steps);
	return r < 0;
}
