/* SPDX-License-Identifier: Apache-2.0 */
/* Messages pass whole or not at all, whatever size and type they claim. */
#include "probe/channel.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static int pair[2];

static int open_pair(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int close_pair(void **state)
{
	(void)state;
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static void a_link_arrives_as_sent(void **state)
{
	struct pk_msg_link m = { .head = { PK_MSG_LINK, sizeof(m) }, .ifindex = 7, .name = "eth0" };
	union pk_msg got;
	int fds[PK_FD_MAX];

	(void)state;
	assert_int_equal(pk_chan_send(pair[0], &m.head, 0), 0);
	assert_int_equal(pk_chan_recv(pair[1], &got, fds), 1);
	assert_memory_equal(&got.link, &m, sizeof(m));
	assert_int_equal(fds[0], -1);
	assert_int_equal(pk_chan_recv(pair[1], &got, fds), -EAGAIN);
}

static void hello_brings_its_descriptors(void **state)
{
	struct pk_msg_hello m = { .head = { PK_MSG_HELLO, sizeof(m) }, .abi = PK_ABI };
	union pk_msg got;
	int fds[PK_FD_MAX], out[PK_FD_MAX];

	(void)state;
	for (int i = 0; i < PK_FD_MAX; i++)
		out[i] = pair[0];
	assert_int_equal(pk_chan_send_fds(pair[0], &m.head, out, PK_FD_MAX, 0), 0);
	assert_int_equal(pk_chan_recv(pair[1], &got, fds), 1);
	for (int i = 0; i < PK_FD_MAX; i++) {
		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		close(fds[i]);
	}
	/* Without them it is not a hello. */
	assert_int_equal(send(pair[0], &m, sizeof(m), 0), sizeof(m));
	assert_int_equal(pk_chan_recv(pair[1], &got, fds), -EBADMSG);
}

static void a_lie_about_size_is_refused(void **state)
{
	struct pk_msg_link m = { .head = { PK_MSG_LINK, sizeof(m) } };
	union pk_msg got;
	int fds[PK_FD_MAX];

	(void)state;
	for (size_t n = 1; n < sizeof(m); n++) {
		assert_int_equal(send(pair[0], &m, n, 0), n);
		assert_int_equal(pk_chan_recv(pair[1], &got, fds), -EBADMSG);
	}
	for (unsigned type = 0; type < 64; type++) {
		struct pk_msg_head h = { type, sizeof(h) + 1 };

		assert_false(pk_msg_is_valid(&h, sizeof(h)));
	}
}

static void text_without_an_end_is_refused(void **state)
{
	struct pk_msg_notice m = { .head = { PK_MSG_NOTICE, sizeof(m) } };
	struct pk_msg_link l = { .head = { PK_MSG_LINK, sizeof(l) } };

	(void)state;
	assert_true(pk_msg_is_valid(&m, sizeof(m)));
	memset(m.text, 'x', sizeof(m.text));
	assert_false(pk_msg_is_valid(&m, sizeof(m)));
	memset(l.kind, 'x', sizeof(l.kind));
	assert_false(pk_msg_is_valid(&l, sizeof(l)));
}

static void a_full_socket_says_so(void **state)
{
	struct pk_msg_notice m = { .head = { PK_MSG_NOTICE, sizeof(m) } };
	int r = 0, sent = 0;

	(void)state;
	while (!r && sent < 100000) {
		r = pk_chan_send(pair[0], &m.head, 0);
		sent++;
	}
	assert_int_equal(r, -EAGAIN);
}

static void the_end_is_told(void **state)
{
	union pk_msg got;
	int fds[PK_FD_MAX];

	(void)state;
	shutdown(pair[0], SHUT_RDWR);
	assert_int_equal(pk_chan_recv(pair[1], &got, fds), 0);
}

static void a_request_passes(void **state)
{
	struct pk_knobs k = { .active_ns = 5 };
	union pk_msg got;
	int fds[PK_FD_MAX];

	(void)state;
	assert_int_equal(pk_chan_ask(pair[1], PK_MSG_KNOBS, &k, sizeof(k)), 0);
	assert_int_equal(pk_chan_recv(pair[0], &got, fds), 1);
	assert_int_equal(got.head.type, PK_MSG_KNOBS);
	assert_memory_equal(got.bytes + sizeof(got.head), &k, sizeof(k));
}

/* Sends a valid message with n descriptors, unchecked, as a broken sender would. */
static int recv_with(const void *msg, size_t size, size_t n, int fds[PK_FD_MAX])
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * PK_FD_MAX)];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = { (void *)msg, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union pk_msg got;

	if (n) {
		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		control.align =
			(struct cmsghdr){ CMSG_LEN(sizeof(int) * n), SOL_SOCKET, SCM_RIGHTS };
		for (size_t i = 0; i < n; i++)
			memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &pair[0], sizeof(int));
	}
	assert_int_equal(sendmsg(pair[0], &m, 0), size);
	return pk_chan_recv(pair[1], &got, fds);
}

static int lowest_free(void)
{
	int fd = dup(pair[0]);

	close(fd);
	return fd;
}

static void each_type_has_its_number_of_descriptors(void **state)
{
	static const struct {
		uint32_t type, size, min, max;
	} v[] = {
		{ PK_MSG_HELLO, sizeof(struct pk_msg_hello), PK_FD_MAX, PK_FD_MAX },
		{ PK_MSG_BLOCK, sizeof(struct pk_msg_block), PK_BLK_FD_MAX, PK_BLK_FD_MAX },
		{ PK_MSG_CHUNK, sizeof(struct pk_msg_chunk), 1, 1 },
		{ PK_MSG_SAVED_LIST, sizeof(struct pk_msg_saved_list), 1, 1 },
		{ PK_MSG_JOURNAL, sizeof(struct pk_msg_head), 2, 2 },
		{ PK_MSG_SAFE, sizeof(struct pk_msg_safe), 0, 0 },
		{ PK_MSG_SAFE_GONE, sizeof(struct pk_msg_safe), 0, 0 },
		{ PK_MSG_BLOCK_START, sizeof(struct pk_msg_head), 0, 0 },
		{ PK_MSG_GROW_FAILED, sizeof(struct pk_msg_result), 0, 0 },
		{ PK_MSG_SAVED, sizeof(struct pk_msg_saved), 0, 0 },
		{ PK_MSG_GROW, sizeof(struct pk_msg_grow), 0, 0 },
		{ PK_MSG_SAVE, sizeof(struct pk_msg_save), 0, 1 },
		{ PK_MSG_SAFE_ADMIN, sizeof(struct pk_msg_safe_addr), 0, 0 },
		{ PK_MSG_SAFE_EXCEPT, sizeof(struct pk_msg_safe_addr), 0, 0 },
		{ PK_MSG_DETACH, sizeof(struct pk_msg_head), 0, 0 },
		{ PK_MSG_ADDR, sizeof(struct pk_msg_addr), 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		union pk_msg m = { .head = { v[i].type, v[i].size } };
		int fds[PK_FD_MAX], first = lowest_free();

		if (m.head.type == PK_MSG_SAVE)
			strcpy(m.save.name, "manual");
		if (m.head.type == PK_MSG_SAVED)
			strcpy(m.saved.name, "manual");
		if (m.head.type == PK_MSG_SAVED_LIST)
			strcpy(m.saved_list.name, "manual");
		for (size_t n = 0; n <= PK_FD_MAX; n++) {
			bool good = n >= v[i].min && n <= v[i].max;

			assert_int_equal(recv_with(&m, v[i].size, n, fds), good ? 1 : -EBADMSG);
			for (size_t k = 0; k < PK_FD_MAX; k++) {
				assert_int_equal(fds[k] >= 0, good && k < n);
				if (fds[k] >= 0)
					close(fds[k]);
			}
			assert_int_equal(lowest_free(), first); /* nothing stays open */
			for (size_t k = 0; k < PK_FD_MAX; k++)
				fds[k] = pair[0];
			if (!good)
				assert_int_equal(pk_chan_send_fds(pair[0], &m.head, fds, n, 0),
						 -EINVAL);
		}
		for (size_t size = sizeof(m.head); size < v[i].size; size++) {
			m.head.size = (uint32_t)size;
			assert_false(pk_msg_is_valid(&m, size));
		}
	}
}

static void lists_have_names_that_can_be_files(void **state)
{
	static const char *const good[] = { "a", "manual", "feed-2.v4_x", "0" };
	static const char *const bad[] = { "", ".", "..", ".a", "a/b", "a b", "a\n", "\xc3\xa4" };
	struct pk_msg_save m = { .head = { PK_MSG_SAVE, sizeof(m) } };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		strcpy(m.name, good[i]);
		assert_true(pk_msg_is_valid(&m, sizeof(m)));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strcpy(m.name, bad[i]);
		assert_false(pk_msg_is_valid(&m, sizeof(m)));
	}
	memset(m.name, 'x', sizeof(m.name));
	assert_false(pk_msg_is_valid(&m, sizeof(m)));
	m.name[PK_LIST_NAME_MAX] = 0;
	assert_true(pk_msg_is_valid(&m, sizeof(m)));
}

static void a_request_that_is_not_one_is_not_sent(void **state)
{
	char body[PK_MSG_MAX] = {};

	(void)state;
	assert_int_equal(pk_chan_ask(pair[1], PK_MSG_GROW, body, 3), -EINVAL);
	assert_int_equal(pk_chan_ask(pair[1], PK_MSG_GROW, body, sizeof(body)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_link_arrives_as_sent, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(hello_brings_its_descriptors, open_pair,
						close_pair),
		cmocka_unit_test_setup_teardown(a_lie_about_size_is_refused, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(text_without_an_end_is_refused, open_pair,
						close_pair),
		cmocka_unit_test_setup_teardown(a_full_socket_says_so, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(the_end_is_told, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(a_request_passes, open_pair, close_pair),
		cmocka_unit_test_setup_teardown(each_type_has_its_number_of_descriptors, open_pair,
						close_pair),
		cmocka_unit_test(lists_have_names_that_can_be_files),
		cmocka_unit_test_setup_teardown(a_request_that_is_not_one_is_not_sent, open_pair,
						close_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
