/* SPDX-License-Identifier: Apache-2.0 */
/* The packet socket between broker and pipeline. Knows sizes, not what to do with a message. */
#include "probe/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct shape {
	size_t size; /* exact, or least for a record */
	size_t text_at[4];
	size_t text_len[4];
};

#define TEXT(s, f) offsetof(struct s, f)
#define LEN(s, f)  sizeof(((struct s *)0)->f)

static const struct shape shapes[] = {
	[PK_MSG_HELLO] = { .size = sizeof(struct pk_msg_hello) },
	[PK_MSG_RECORD] = { .size = sizeof(struct pk_msg_head) + sizeof(struct pk_hdr) },
	[PK_MSG_SNAPSHOT_DONE] = { .size = sizeof(struct pk_msg_head) },
	[PK_MSG_LINK] = { sizeof(struct pk_msg_link),
			  { TEXT(pk_msg_link, name), TEXT(pk_msg_link, kind),
			    TEXT(pk_msg_link, netns_name), TEXT(pk_msg_link, reason) },
			  { LEN(pk_msg_link, name), LEN(pk_msg_link, kind),
			    LEN(pk_msg_link, netns_name), LEN(pk_msg_link, reason) } },
	[PK_MSG_LINK_GONE] = { sizeof(struct pk_msg_link),
			       { TEXT(pk_msg_link, name), TEXT(pk_msg_link, kind),
				 TEXT(pk_msg_link, netns_name), TEXT(pk_msg_link, reason) },
			       { LEN(pk_msg_link, name), LEN(pk_msg_link, kind),
				 LEN(pk_msg_link, netns_name), LEN(pk_msg_link, reason) } },
	[PK_MSG_ADDR] = { .size = sizeof(struct pk_msg_addr) },
	[PK_MSG_ADDR_GONE] = { .size = sizeof(struct pk_msg_addr) },
	[PK_MSG_PROG] = { sizeof(struct pk_msg_prog),
			  { TEXT(pk_msg_prog, name), TEXT(pk_msg_prog, note) },
			  { LEN(pk_msg_prog, name), LEN(pk_msg_prog, note) } },
	[PK_MSG_NOTICE] = { sizeof(struct pk_msg_notice),
			    { TEXT(pk_msg_notice, text) },
			    { LEN(pk_msg_notice, text) } },
	[PK_MSG_SWEPT] = { .size = sizeof(struct pk_msg_swept) },
	[PK_MSG_HOLD] = { .size = sizeof(struct pk_msg_hold) },
	[PK_MSG_DETACH] = { .size = sizeof(struct pk_msg_head) },
	[PK_MSG_KNOBS] = { .size = sizeof(struct pk_msg_head) + sizeof(struct pk_knobs) },
};

bool pk_msg_is_valid(const void *msg, size_t size)
{
	struct pk_msg_head head;
	const struct shape *s;

	if (size < sizeof(head) || size > PK_MSG_MAX)
		return false;
	memcpy(&head, msg, sizeof(head));
	if (head.size != size || head.type >= sizeof(shapes) / sizeof(shapes[0]))
		return false;
	s = &shapes[head.type];
	if (!s->size || (head.type == PK_MSG_RECORD ? size < s->size : size != s->size))
		return false;
	for (int i = 0; i < 4; i++)
		if (s->text_len[i] && !memchr((const char *)msg + s->text_at[i], 0, s->text_len[i]))
			return false;
	return true;
}

static int send_packet(int fd, const struct msghdr *m, int wait_ms)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		if (sendmsg(fd, m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != ENOBUFS)
			return -errno;
		if (wait_ms <= 0 || poll(&p, 1, wait_ms) <= 0)
			return -EAGAIN;
		wait_ms -= 10;
	}
}

int pk_chan_send(int fd, const struct pk_msg_head *msg, int wait_ms)
{
	struct iovec iov = { .iov_base = (void *)msg, .iov_len = msg->size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (!pk_msg_is_valid(msg, msg->size))
		return -EINVAL;
	return send_packet(fd, &m, wait_ms);
}

int pk_chan_ask(int fd, enum pk_msg_type type, const void *body, size_t size)
{
	struct pk_msg_head head = { type, (uint32_t)(sizeof(head) + size) };
	struct iovec iov[2] = { { &head, sizeof(head) }, { (void *)body, size } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = size ? 2 : 1 };

	return send_packet(fd, &m, 0);
}

int pk_chan_send_hello(int fd, const struct pk_msg_hello *hello, const int fds[PK_FD_MAX])
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * PK_FD_MAX)];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = { .iov_base = (void *)hello, .iov_len = sizeof(*hello) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * PK_FD_MAX);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * PK_FD_MAX);
	return send_packet(fd, &m, 1000);
}

/* Takes the descriptors of one control message; more than are wanted are closed. */
static size_t take_fds(const struct cmsghdr *c, int ret_fds[PK_FD_MAX])
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < n; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
		if (i < PK_FD_MAX && ret_fds[i] < 0)
			ret_fds[i] = fd;
		else
			close(fd);
	}
	return n;
}

int pk_chan_recv(int fd, union pk_msg *ret_msg, int ret_fds[PK_FD_MAX])
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * PK_FD_MAX)];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = ret_msg, .iov_len = sizeof(*ret_msg) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.buf,
			    .msg_controllen = sizeof(control.buf) };
	size_t got = 0;
	bool hello;
	ssize_t n;

	for (int i = 0; i < PK_FD_MAX; i++)
		ret_fds[i] = -1;
	do
		n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			got += take_fds(c, ret_fds);
	hello = n >= (ssize_t)sizeof(uint32_t) && ret_msg->head.type == PK_MSG_HELLO;
	if (!(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && pk_msg_is_valid(ret_msg, (size_t)n) &&
	    got == (hello ? PK_FD_MAX : 0))
		return 1;
	for (int i = 0; i < PK_FD_MAX; i++) {
		if (ret_fds[i] >= 0)
			close(ret_fds[i]);
		ret_fds[i] = -1;
	}
	return -EBADMSG;
}
