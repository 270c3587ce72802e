/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptor of the process is opened first, then it is looked whether it is the right one:
 * from there on its number may change hands without harm.
 */
#include "probe/suspend.h"

#include "base/cleanup.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

#define KTHREAD 0x00200000ul /* PF_KTHREAD of the kernel's sched.h */

/* By the name of the file that runs, which a process can't choose as it can its own name. Who stops
 * these locks people out, or ends what holds everything else. */
static const char *const never[] = {
	"systemd",
	"init",
	"sshd",
	"sshd-session",
	"sshd-auth",
	"dropbear",
	"login",
	"agetty",
	"getty",
	"dbus-daemon",
	"dbus-broker",
	"containerd",
	"dockerd",
	"crio",
	"picketd",
	"picket",
	"systemd-journald",
	"systemd-logind",
	"systemd-udevd",
	"systemd-networkd",
	"systemd-resolved",
	"NetworkManager",
	"auditd",
};

int pk_suspend_is_same(uint32_t tgid, uint64_t start_ns, unsigned long *ret_flags)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[32], line[1024], *at;
	unsigned long long start = 0;
	uint64_t tick = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);

	(void)snprintf(path, sizeof(path), "/proc/%u/stat", tgid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return -ESRCH;
	at = strrchr(line, ')'); /* behind the name, in which anything may be */
	/* proc(5): flags is field 9, starttime field 22; what is behind the name begins at 3 */
	if (!at || sscanf(at + 1,
			  " %*c %*d %*d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			  "%*d %*d %llu",
			  ret_flags, &start) != 2)
		return -ESRCH;
	return start == start_ns / tick ? 0 : -ESRCH;
}

static bool is_never(uint32_t tgid)
{
	char path[32], exe[512];
	const char *name;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%u/exe", tgid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n <= 0)
		return true; /* nothing to tell it by */
	exe[n] = '\0';
	name = strrchr(exe, '/');
	name = name ? name + 1 : exe;
	for (size_t i = 0; i < PK_ARRAY_SIZE(never); i++) {
		size_t len = strlen(never[i]);

		if (strncmp(name, never[i], len) == 0 && (!name[len] || name[len] == ' '))
			return true;
	}
	return false;
}

static int check(const struct pk_suspend *s, uint32_t tgid, uint64_t start_ns)
{
	unsigned long flags = 0;
	int r = pk_suspend_is_same(tgid, start_ns, &flags);

	if (r < 0)
		return r;
	if (tgid <= 1 || tgid == (uint32_t)getpid() || tgid == (uint32_t)s->pipeline ||
	    (flags & KTHREAD) || is_never(tgid))
		return -EPERM;
	return 0;
}

int pk_suspend_apply(struct pk_suspend *s, const struct pk_msg_signal *msg, uint64_t now_ns)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (s->minute != now_ns / 60000000000u) {
		s->minute = now_ns / 60000000000u;
		s->done = 0;
	}
	if (s->done >= PK_SUSPENDS_A_MINUTE)
		return -EAGAIN;
	if (msg->tgid <= 1 || msg->tgid > INT32_MAX)
		return -EPERM;
	fd = (int)syscall(SYS_pidfd_open, (pid_t)msg->tgid, 0);
	if (fd < 0)
		return -errno;
	r = check(s, msg->tgid, msg->start_ns);
	if (r < 0)
		return r;
	s->done++;
	r = (int)syscall(SYS_pidfd_send_signal, fd, msg->stop ? SIGSTOP : SIGCONT, NULL, 0);
	return r < 0 ? -errno : 0;
}
