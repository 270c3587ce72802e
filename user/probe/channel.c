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
	size_t name_at;        /* of a list; 0: none */
	size_t fd_min, fd_max; /* descriptors */
};

#define TEXT(s, f) offsetof(struct s, f)
#define LEN(s, f)  sizeof(((struct s *)0)->f)

static const struct shape shapes[] = {
	[PK_MSG_HELLO] = { .size = sizeof(struct pk_msg_hello),
			   .fd_min = PK_FD_MAX,
			   .fd_max = PK_FD_MAX },
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
	[PK_MSG_PULL] = { .size = sizeof(struct pk_msg_head), .fd_min = 1, .fd_max = 1 },
	[PK_MSG_WARD_FILES] = { .size = sizeof(struct pk_msg_head), .fd_min = 1, .fd_max = 4 },
	[PK_MSG_GATE] = { .size = sizeof(struct pk_msg_head), .fd_min = 1, .fd_max = 1 },
	[PK_MSG_HOLD] = { .size = sizeof(struct pk_msg_hold) },
	[PK_MSG_DETACH] = { .size = sizeof(struct pk_msg_head) },
	[PK_MSG_BLOCK] = { .size = sizeof(struct pk_msg_block),
			   .fd_min = PK_BLK_FD_MAX,
			   .fd_max = PK_BLK_FD_MAX },
	[PK_MSG_CHUNK] = { .size = sizeof(struct pk_msg_chunk), .fd_min = 1, .fd_max = 1 },
	[PK_MSG_SAVED_LIST] = { .size = sizeof(struct pk_msg_saved_list),
				.name_at = TEXT(pk_msg_saved_list, name),
				.fd_min = 1,
				.fd_max = 1 },
	[PK_MSG_SAFE] = { .size = sizeof(struct pk_msg_safe) },
	[PK_MSG_SAFE_GONE] = { .size = sizeof(struct pk_msg_safe) },
	[PK_MSG_BLOCK_START] = { .size = sizeof(struct pk_msg_head) },
	[PK_MSG_JOURNAL] = { .size = sizeof(struct pk_msg_head), .fd_min = 2, .fd_max = 2 },
	[PK_MSG_RELOAD] = { .size = sizeof(struct pk_msg_head) },
	[PK_MSG_GROW_FAILED] = { .size = sizeof(struct pk_msg_result) },
	[PK_MSG_SAVED] = { .size = sizeof(struct pk_msg_saved),
			   .name_at = TEXT(pk_msg_saved, name) },
	[PK_MSG_GROW] = { .size = sizeof(struct pk_msg_grow) },
	[PK_MSG_SAVE] = { .size = sizeof(struct pk_msg_save),
			  .name_at = TEXT(pk_msg_save, name),
			  .fd_max = 1 },
	[PK_MSG_SAFE_ADMIN] = { .size = sizeof(struct pk_msg_safe_addr) },
	[PK_MSG_SAFE_EXCEPT] = { .size = sizeof(struct pk_msg_safe_addr) },
	[PK_MSG_MARK] = { .size = sizeof(struct pk_msg_mark) },
	[PK_MSG_SIGNAL] = { .size = sizeof(struct pk_msg_signal) },
	[PK_MSG_EVIDENCE] = { .size = sizeof(struct pk_msg_evidence),
			      .name_at = TEXT(pk_msg_evidence, name),
			      .fd_max = 1 },
	[PK_MSG_EXE] = { .size = sizeof(struct pk_msg_exe) },
	[PK_MSG_EXE_FILE] = { .size = sizeof(struct pk_msg_done), .fd_max = 1 },
	[PK_MSG_DONE] = { .size = sizeof(struct pk_msg_done) },
	[PK_MSG_KNOBS] = { .size = sizeof(struct pk_msg_head) + sizeof(struct pk_knobs) },
};

bool pk_msg_is_list_name(const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t n = strnlen(name, PK_LIST_NAME_MAX + 1);

	return n && n <= PK_LIST_NAME_MAX && *name != '.' && strspn(name, good) == n;
}

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
	return !s->name_at || pk_msg_is_list_name((const char *)msg + s->name_at);
}

static bool fits_fds(const struct pk_msg_head *head, size_t n)
{
	return n >= shapes[head->type].fd_min && n <= shapes[head->type].fd_max;
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

int pk_chan_send_fds(int fd, const struct pk_msg_head *msg, const int *fds, size_t n, int wait_ms)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * PK_FD_MAX)];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = { .iov_base = (void *)msg, .iov_len = msg->size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c = &control.align;

	if (!pk_msg_is_valid(msg, msg->size) || !fits_fds(msg, n))
		return -EINVAL;
	if (n) {
		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	}
	return send_packet(fd, &m, wait_ms);
}

int pk_chan_send(int fd, const struct pk_msg_head *msg, int wait_ms)
{
	return pk_chan_send_fds(fd, msg, NULL, 0, wait_ms);
}

int pk_chan_ask(int fd, enum pk_msg_type type, const void *body, size_t size)
{
	union pk_msg m;

	if (size > sizeof(m) - sizeof(m.head))
		return -EINVAL;
	m.head = (struct pk_msg_head){ type, (uint32_t)(sizeof(m.head) + size) };
	if (size)
		memcpy(m.bytes + sizeof(m.head), body, size);
	return pk_chan_send(fd, &m.head, 0);
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
	if (!(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && pk_msg_is_valid(ret_msg, (size_t)n) &&
	    fits_fds(&ret_msg->head, got))
		return 1;
	for (int i = 0; i < PK_FD_MAX; i++) {
		if (ret_fds[i] >= 0)
			close(ret_fds[i]);
		ret_fds[i] = -1;
	}
	return -EBADMSG;
}
