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
	assert_int_equal(pk_chan_send_hello(pair[0], &m, out), 0);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
