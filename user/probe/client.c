/* SPDX-License-Identifier: Apache-2.0 */
/* Receives and checks messages of the broker. It does not act on them. */
#include "probe/client.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

static void take_fds(struct msghdr *m, int ret_fds[PK_FD_MAX])
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		const int *fd = (const int *)CMSG_DATA(c);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
			if (n < PK_FD_MAX)
				ret_fds[n++] = fd[i];
			else
				close(fd[i]);
		}
	}
}

#define END_TEXT(a) ((a)[sizeof(a) - 1] = '\0')

/* Is the size that of its type? Ends all text. */
static bool is_whole(union pk_msg *m, size_t size)
{
	switch (m->head.type) {
	case PK_MSG_HELLO:
		return size == sizeof(m->hello);
	case PK_MSG_RECORD:
		return size > sizeof(m->head);
	case PK_MSG_SNAPSHOT_DONE:
		return size == sizeof(m->head);
	case PK_MSG_LINK:
	case PK_MSG_LINK_GONE:
		END_TEXT(m->link.name);
		END_TEXT(m->link.kind);
		END_TEXT(m->link.netns_name);
		END_TEXT(m->link.reason);
		return size == sizeof(m->link);
	case PK_MSG_ADDR:
	case PK_MSG_ADDR_GONE:
		return size == sizeof(m->addr);
	case PK_MSG_PROG:
		END_TEXT(m->prog.name);
		END_TEXT(m->prog.note);
		return size == sizeof(m->prog);
	case PK_MSG_NOTICE:
		END_TEXT(m->notice.text);
		return size == sizeof(m->notice);
	case PK_MSG_SWEPT:
		return size == sizeof(m->swept);
	default:
		return false;
	}
}

int pk_client_recv(int fd, union pk_msg *ret_msg, int ret_fds[PK_FD_MAX])
{
	union {
		char bytes[CMSG_SPACE(sizeof(int) * (PK_FD_MAX + 4))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { ret_msg, sizeof(*ret_msg) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	for (int i = 0; i < PK_FD_MAX; i++)
		ret_fds[i] = -1;
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0)
		return 0;
	take_fds(&m, ret_fds);
	if ((size_t)n >= sizeof(struct pk_msg_head) && !(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
	    ret_msg->head.size == (size_t)n && is_whole(ret_msg, n))
		return 1;
	for (int i = 0; i < PK_FD_MAX; i++)
		pk_closep(&ret_fds[i]);
	return -EBADMSG;
}

int pk_client_send(int fd, enum pk_msg_type type, const void *body, size_t size)
{
	struct pk_msg_head head = { .type = type, .size = sizeof(head) + size };
	struct iovec iov[2] = { { &head, sizeof(head) }, { (void *)body, size } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = size ? 2 : 1 };

	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}
