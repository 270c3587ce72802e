/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First a handle of the file without opening it (O_PATH): then its file system is looked at, so
 * that no program behind a FUSE mount is waited for, and the handle is opened, so that it is the
 * same file. Last, whether the process is the one that was meant.
 */
#include "probe/exe.h"

#include "base/cleanup.h"
#include "probe/suspend.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define MOST_BYTES 65536 /* of asks that wait */

struct answer {
	uint64_t serial;
	int32_t result;
	int32_t fd; /* of this process */
};

/* Who serves these may be slow, or mean to be. */
static bool is_remote(int fd)
{
	static const uint32_t magic[] = {
		FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC,  SMB2_SUPER_MAGIC,
		CIFS_SUPER_MAGIC, V9FS_MAGIC,       CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC,
		AFS_FS_MAGIC,     CODA_SUPER_MAGIC, NCP_SUPER_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return true;
	for (size_t i = 0; i < PK_ARRAY_SIZE(magic); i++)
		if ((uint32_t)fs.f_type == magic[i])
			return true;
	return false;
}

int pk_exe_open(const struct pk_msg_exe *ask)
{
	_cleanup_close_ int handle = -1, fd = -1;
	unsigned long flags;
	struct stat st;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%u/exe", ask->tgid);
	handle = open(path, O_PATH | O_CLOEXEC);
	if (handle < 0)
		return errno == ENOENT || errno == ESRCH ? -ESRCH : -errno;
	if (is_remote(handle))
		return -EREMOTE;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", handle);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (pk_suspend_is_same(ask->tgid, ask->start_ns, &flags) < 0)
		return -ESRCH;
	/* of btrfs and overlayfs the kernel tells another device: the number must do */
	if (!S_ISREG(st.st_mode) || st.st_ino != ask->ino)
		return -ESTALE;
	return PK_TAKE_FD(fd);
}

static void *run(void *arg)
{
	_cleanup_free_ int *own = arg;
	_cleanup_close_ int end = *own;
	struct pk_msg_exe ask;

	while (recv(end, &ask, sizeof(ask), 0) == (ssize_t)sizeof(ask)) {
		struct answer a = { .serial = ask.serial, .fd = pk_exe_open(&ask) };

		a.result = a.fd < 0 ? a.fd : 0;
		if (send(end, &a, sizeof(a), MSG_NOSIGNAL) < 0) /* nobody is there any more */
			pk_closep(&a.fd);
	}
	return NULL;
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct pk_exe *e = arg;
	struct answer a;

	(void)what;
	while (recv((int)fd, &a, sizeof(a), MSG_DONTWAIT) == (ssize_t)sizeof(a)) {
		e->answer(e->arg, a.serial, a.result, a.result < 0 ? -1 : a.fd);
		if (a.result >= 0)
			(void)close(a.fd);
	}
}

static int begin(struct pk_exe *e)
{
	_cleanup_free_ int *own = malloc(sizeof(*own));
	int r, size = MOST_BYTES;
	pthread_t thread;
	sigset_t all, was;

	if (!own)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, e->ends) < 0)
		return -errno;
	(void)setsockopt(e->ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	e->ev = event_new(e->base, e->ends[0], EV_READ | EV_PERSIST, on_answer, e);
	if (!e->ev || event_add(e->ev, NULL) < 0)
		return -ENOMEM;
	*own = e->ends[1];
	(void)sigfillset(&all); /* signals are the loop's */
	(void)pthread_sigmask(SIG_BLOCK, &all, &was);
	r = -pthread_create(&thread, NULL, run, own);
	(void)pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (r < 0)
		return r;
	(void)pthread_detach(thread); /* it may hang in a file system: nobody waits for it */
	(void)PK_TAKE(own);           /* the thread's, as its end is */
	e->ends[1] = -1;
	return 0;
}

void pk_exe_stop(struct pk_exe *e)
{
	struct answer a;

	if (!e->begun)
		return;
	e->begun = false;
	if (e->ev)
		event_free(PK_TAKE(e->ev));
	if (e->ends[0] >= 0)
		(void)shutdown(e->ends[0], SHUT_RD); /* the thread can send no more */
	while (e->ends[0] >= 0 &&
	       recv(e->ends[0], &a, sizeof(a), MSG_DONTWAIT) == (ssize_t)sizeof(a))
		pk_closep(&a.fd);
	for (int i = 0; i < 2; i++)
		pk_closep(&e->ends[i]);
}

void pk_exe_ask(struct pk_exe *e, const struct pk_msg_exe *ask)
{
	int r = 0;

	if (!e->begun) {
		e->begun = true;
		e->ends[0] = e->ends[1] = -1;
		r = begin(e);
		if (r < 0)
			pk_exe_stop(e);
	}
	if (r == 0 && send(e->ends[0], ask, sizeof(*ask), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		r = -EAGAIN;
	if (r < 0)
		e->answer(e->arg, ask->serial, r, -1);
}
