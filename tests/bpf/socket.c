/* SPDX-License-Identifier: Apache-2.0 */
/* Who owns a socket: every way to make, connect, accept, pass and use one, on loopback. */
#include "events.h"
#include "uring.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static const uint8_t mapped_loopback[16] = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 };

/* Shared with the children. */
static struct {
	uint64_t cookie[4];
	uint16_t port[4];
	pid_t pid[4];
} * shared;

static struct pk_sock *sock_event(uint64_t cookie, uint8_t op)
{
	struct pk_sock *s, *last = NULL;
	size_t at = 0;

	while ((s = ev_next(PK_EV_SOCK, &at)))
		if (s->owner.cookie == cookie && s->op == op)
			last = s;
	return last;
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) < 0 ? 0 : cookie;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 a = { 0 };
	socklen_t len = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &len) < 0 ? 0 : a.sin6_port;
}

/* A listener (or bound UDP socket) on loopback, any port. */
static int server(int type)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int queue = 16;

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	if (type == SOCK_STREAM) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
		assert_int_equal(listen(fd, 16), 0);
	}
	return fd;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = port,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static uint64_t netns_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len), 0);
	return cookie;
}

static int connect_v4(void *arg)
{
	struct sockaddr_in to = loopback(*(uint16_t *)arg);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	shared->cookie[0] = cookie_of(fd);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return 1;
	shared->port[0] = port_of(fd);
	return 0;
}

/* A ring lets go of its files some time after its process ended. */
static struct pk_sock *closed(uint64_t cookie)
{
	for (int i = 0; i < 200 && !sock_event(cookie, PK_SOCK_CLOSE); i++) {
		usleep(10000);
		ev_read();
	}
	return sock_event(cookie, PK_SOCK_CLOSE);
}

/* What every way to connect must tell: the child made it, the child uses it, both ends known. */
static void check_client(pid_t pid, uint16_t port, uint64_t cookie, int family)
{
	struct pk_sock *c = sock_event(cookie, PK_SOCK_CONNECT);
	struct pk_sock *e = sock_event(cookie, PK_SOCK_ESTABLISHED);

	assert_non_null(c);
	assert_non_null(e);
	assert_int_equal(c->owner.creator.tgid, pid);
	assert_int_equal(c->owner.user.tgid, pid);
	assert_int_equal(c->task.id.tgid, pid);
	assert_int_not_equal(c->owner.gen, 0);
	assert_int_equal(c->rport, port);
	assert_memory_equal(c->raddr, mapped_loopback, 16);
	assert_int_equal(e->owner.user.tgid, pid);
	assert_int_equal(e->family, family);
	assert_int_equal(e->l4, IPPROTO_TCP);
	assert_int_equal(e->rport, port);
	assert_int_not_equal(e->lport, 0);
	assert_memory_equal(e->laddr, mapped_loopback, 16);
	assert_memory_equal(e->raddr, mapped_loopback, 16);
	assert_int_equal(e->task.id.tgid, 0);
	assert_non_null(closed(cookie));
}

static void test_connect_and_accept(void **state)
{
	int listener, child;
	uint64_t listener_cookie, child_cookie;
	struct pk_fork *f;
	struct pk_sock *s;
	uint16_t port;
	pid_t pid;

	(void)state;
	ev_clear();
	listener = server(SOCK_STREAM);
	listener_cookie = cookie_of(listener);
	port = port_of(listener);
	pid = ev_run(connect_v4, &port);
	child = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(child >= 0);
	child_cookie = cookie_of(child);
	close(child);
	ev_read();

	check_client(pid, port, shared->cookie[0], AF_INET);
	f = ev_fork(pid);
	s = sock_event(shared->cookie[0], PK_SOCK_CREATE);
	assert_true(f && s);
	assert_true(ev_same(&s->owner.creator, &f->child));
	assert_int_equal(s->netns, netns_cookie(listener));
	assert_int_equal(sock_event(shared->cookie[0], PK_SOCK_ESTABLISHED)->lport,
			 shared->port[0]);

	s = sock_event(listener_cookie, PK_SOCK_BIND);
	assert_non_null(s);
	assert_int_equal(s->lport, port);
	assert_memory_equal(s->laddr, mapped_loopback, 16);
	s = sock_event(listener_cookie, PK_SOCK_LISTEN);
	assert_non_null(s);
	assert_int_equal(s->task.id.tgid, getpid());

	s = sock_event(child_cookie, PK_SOCK_ACCEPT);
	assert_non_null(s);
	assert_int_equal(s->owner.creator.tgid, getpid());
	assert_true(s->owner.flags & PK_OWNER_ACCEPTED);
	assert_int_equal(s->rport, shared->port[0]);
	assert_int_equal(s->lport, port);
	assert_non_null(sock_event(child_cookie, PK_SOCK_CLOSE));
	assert_null(sock_event(listener_cookie, PK_SOCK_CLOSE));
	close(listener);
	ev_read();
	assert_non_null(sock_event(listener_cookie, PK_SOCK_CLOSE));
}

static int connect_mapped(void *arg)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = *(uint16_t *)arg };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	memcpy(&to.sin6_addr, mapped_loopback, 16);
	shared->cookie[0] = cookie_of(fd);
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0;
}

static void test_v4_mapped(void **state)
{
	uint16_t port;
	int listener;
	pid_t pid;

	(void)state;
	ev_clear();
	listener = server(SOCK_STREAM);
	port = port_of(listener);
	pid = ev_run(connect_mapped, &port);
	close(listener);
	check_client(pid, port, shared->cookie[0], AF_INET6);
}

static int fast_open(void *arg)
{
	struct sockaddr_in to = loopback(*(uint16_t *)arg);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char answer;

	shared->cookie[0] = cookie_of(fd);
	if (sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to)) != 1)
		return 1;
	return recv(fd, &answer, 1, 0) != 1;
}

static int answer_one(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char c;
	int r = fd < 0 || recv(fd, &c, 1, 0) != 1 || send(fd, "y", 1, 0) != 1;

	shared->cookie[1] = cookie_of(fd);
	close(fd);
	return r;
}

static void test_fast_open(void **state)
{
	int listener, status;
	uint16_t port;
	pid_t pid;

	(void)state;
	ev_clear();
	listener = server(SOCK_STREAM);
	port = port_of(listener);
	pid = fork();
	if (pid == 0)
		_exit(fast_open(&port));
	assert_int_equal(answer_one(listener), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(listener);
	ev_read();
	check_client(pid, port, shared->cookie[0], AF_INET);
}

struct ring_arg {
	uint16_t port;
	unsigned int flags;
};

static int connect_by_ring(void *arg)
{
	struct ring_arg *a = arg;
	struct sockaddr_in to = loopback(a->port);
	struct io_uring_sqe sqe = { .opcode = IORING_OP_CONNECT,
				    .addr = (uintptr_t)&to,
				    .off = sizeof(to) };
	struct uring u;

	sqe.fd = socket(AF_INET, SOCK_STREAM, 0);
	shared->cookie[0] = cookie_of(sqe.fd);
	if (uring_open(&u, a->flags) < 0)
		return 1;
	return uring_do(&u, &sqe) != 0;
}

static bool have_rings(void)
{
	struct uring u;

	if (uring_open(&u, 0) < 0)
		return false;
	close(u.fd);
	return true;
}

static void check_ring(unsigned int flags)
{
	int listener = server(SOCK_STREAM);
	struct ring_arg a = { .port = port_of(listener), .flags = flags };
	struct pk_act *act;
	pid_t pid;

	ev_clear();
	pid = ev_run(connect_by_ring, &a);
	close(listener);
	check_client(pid, a.port, shared->cookie[0], AF_INET);
	act = ev_act(pid, PK_ACT_IO_URING_SOCKET, 0);
	assert_non_null(act);
	assert_int_equal(act->arg[0], IORING_OP_CONNECT);
	if (flags)
		assert_true(sock_event(shared->cookie[0], PK_SOCK_CONNECT)->task.flags &
			    PK_TASK_IO_WORKER);
}

static void test_io_uring(void **state)
{
	(void)state;
	if (!have_rings())
		skip();
	check_ring(0);
}

static void test_io_uring_sqpoll(void **state)
{
	(void)state;
	if (!have_rings())
		skip();
	check_ring(IORING_SETUP_SQPOLL);
}

static int send_datagram(void *arg)
{
	struct sockaddr_in to = loopback(*(uint16_t *)arg);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	shared->cookie[0] = cookie_of(fd);
	return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1;
}

static void test_datagram_without_connect(void **state)
{
	struct pk_sock *s;
	uint16_t port;
	int receiver;
	pid_t pid;

	(void)state;
	ev_clear();
	receiver = server(SOCK_DGRAM);
	port = port_of(receiver);
	pid = ev_run(send_datagram, &port);
	s = sock_event(shared->cookie[0], PK_SOCK_CREATE);
	assert_non_null(s);
	assert_int_equal(s->owner.creator.tgid, pid);
	assert_int_equal(s->owner.user.tgid, pid);
	assert_int_equal(s->l4, IPPROTO_UDP);
	assert_non_null(sock_event(shared->cookie[0], PK_SOCK_CLOSE));
	assert_null(sock_event(shared->cookie[0], PK_SOCK_USER));
	close(receiver);
}

/* Sends fd over a unix socket, with one byte. */
static int pass(int via, int fd)
{
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec io = { &byte, 1 };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(via, &m, 0) == 1 ? 0 : -1;
}

static int take(int via)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec io = { &byte, 1 };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int fd = -1;

	if (recvmsg(via, &m, 0) == 1 && CMSG_FIRSTHDR(&m))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	return fd;
}

static bool sends_are_seen(void)
{
	return pk_object_prog_fd(ev.object, "pk_sent") >= 0;
}

static int use_passed(void *arg)
{
	int fd = take(*(int *)arg);

	return fd < 0 || write(fd, "x", 1) != 1;
}

/* A connected socket goes to another process, which just writes. */
static void test_passed_descriptor(void **state)
{
	struct sockaddr_in to;
	int receiver, fd, pair[2];
	uint64_t cookie;
	struct pk_sock *s;
	pid_t pid;

	(void)state;
	if (!sends_are_seen())
		skip(); /* before 6.3 only what names an address is seen */
	ev_clear();
	receiver = server(SOCK_DGRAM);
	to = loopback(port_of(receiver));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	cookie = cookie_of(fd);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pass(pair[0], fd), 0);
	pid = ev_run(use_passed, &pair[1]);
	s = sock_event(cookie, PK_SOCK_USER);
	assert_non_null(s);
	assert_int_equal(s->owner.creator.tgid, getpid());
	assert_int_equal(s->owner.user.tgid, pid);
	assert_int_equal(s->task.id.tgid, pid);
	assert_int_equal(s->rport, to.sin_port);
	/* Back again: the user changes again, the creator never. */
	assert_int_equal(send(fd, "x", 1, 0), 1);
	ev_read();
	s = sock_event(cookie, PK_SOCK_USER);
	assert_int_equal(s->owner.creator.tgid, getpid());
	assert_int_equal(s->owner.user.tgid, getpid());
	close(fd), close(receiver), close(pair[0]), close(pair[1]);
}

/* The same for sendto, which names an address: also before 6.3. */
static int send_inherited(void *arg)
{
	struct sockaddr_in to = loopback(shared->port[0]);

	return sendto(*(int *)arg, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) != 1;
}

static void test_inherited_datagram_socket(void **state)
{
	int receiver, fd;
	struct pk_sock *s;
	pid_t pid;

	(void)state;
	ev_clear();
	receiver = server(SOCK_DGRAM);
	shared->port[0] = port_of(receiver);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	pid = ev_run(send_inherited, &fd);
	s = sock_event(cookie_of(fd), PK_SOCK_USER);
	assert_non_null(s);
	assert_int_equal(s->owner.creator.tgid, getpid());
	assert_int_equal(s->owner.user.tgid, pid);
	close(fd), close(receiver);
}

static int accept_here(void *arg)
{
	return answer_one(*(int *)arg);
}

/* A worker accepts on the listener of its parent. */
static void test_accept_in_another_process(void **state)
{
	int listener, status;
	struct pk_sock *a, *u;
	uint16_t port;
	pid_t client, pid;

	(void)state;
	if (!sends_are_seen())
		skip(); /* before 6.3 the user of an accepted socket stays the listener's */
	ev_clear();
	listener = server(SOCK_STREAM);
	port = port_of(listener);
	client = fork();
	if (client == 0)
		_exit(fast_open(&port));
	pid = ev_run(accept_here, &listener);
	assert_int_equal(waitpid(client, &status, 0), client);
	assert_int_equal(status, 0);
	ev_read();
	a = sock_event(shared->cookie[1], PK_SOCK_ACCEPT);
	u = sock_event(shared->cookie[1], PK_SOCK_USER);
	assert_true(a && u);
	assert_int_equal(a->owner.creator.tgid, getpid());
	assert_int_equal(u->owner.creator.tgid, getpid());
	assert_int_equal(u->owner.user.tgid, pid);
	assert_int_not_equal(u->owner.gen, a->owner.gen);
	close(listener);
}

static int connect_nowhere(void *arg)
{
	struct sockaddr_in to = loopback(htons(1));
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)arg;
	shared->cookie[0] = cookie_of(fd);
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

static void test_refused_has_one_end(void **state)
{
	struct pk_sock *s;
	unsigned int closes = 0;
	size_t at = 0;

	(void)state;
	ev_clear();
	ev_run(connect_nowhere, NULL);
	while ((s = ev_next(PK_EV_SOCK, &at)))
		closes += s->owner.cookie == shared->cookie[0] && s->op == PK_SOCK_CLOSE;
	assert_int_equal(closes, 1);
	assert_non_null(sock_event(shared->cookie[0], PK_SOCK_CONNECT));
	assert_null(sock_event(shared->cookie[0], PK_SOCK_ESTABLISHED));
}

static int in_new_netns(void *arg)
{
	int fd;

	(void)arg;
	if (unshare(CLONE_NEWNET) < 0)
		return 1;
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	shared->cookie[0] = cookie_of(fd);
	shared->cookie[1] = netns_cookie(fd);
	return 0;
}

static void test_other_net_namespace(void **state)
{
	struct pk_sock *s;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(in_new_netns, NULL);
	s = sock_event(shared->cookie[0], PK_SOCK_CREATE);
	assert_non_null(s);
	assert_int_equal(s->netns, shared->cookie[1]);
	assert_int_equal(s->task.netns, shared->cookie[1]);
	assert_int_equal(s->owner.user.tgid, pid);
	assert_int_equal(s->family, AF_INET6);
}

/* Made before the programs were attached, see main(). */
static int old_listener = -1, old_client = -1, old_datagram = -1;

static void test_open_before_start(void **state)
{
	struct pk_sock *s;

	(void)state;
	ev_clear();
	assert_true(ev_iterate("pk_snap_sock", sizeof(struct pk_sock)) >= 3);
	s = sock_event(cookie_of(old_listener), PK_SOCK_LISTEN);
	assert_non_null(s);
	assert_true(s->hdr.flags & PK_EVF_SNAPSHOT);
	assert_true(s->owner.flags & PK_OWNER_SNAPSHOT);
	assert_int_equal(s->owner.creator.tgid, getpid());
	assert_int_equal(s->lport, port_of(old_listener));
	assert_memory_equal(s->laddr, mapped_loopback, 16);
	s = sock_event(cookie_of(old_client), PK_SOCK_ESTABLISHED);
	assert_non_null(s);
	assert_int_equal(s->rport, port_of(old_listener));
	assert_int_equal(s->owner.user.tgid, getpid());
	s = sock_event(cookie_of(old_datagram), PK_SOCK_CREATE);
	assert_non_null(s);
	assert_int_equal(s->lport, port_of(old_datagram));
	/* Told once: what has an owner keeps it. */
	ev_clear();
	ev_iterate("pk_snap_sock", sizeof(struct pk_sock));
	assert_null(sock_event(cookie_of(old_listener), PK_SOCK_LISTEN));
}

/* A child of a listener that was open at start has an owner, too. */
static void test_accept_on_old_listener(void **state)
{
	uint16_t port = port_of(old_listener);
	struct pk_sock *s;
	int fd;

	(void)state;
	ev_clear();
	ev_run(connect_v4, &port);
	do {
		fd = accept4(old_listener, NULL, NULL, SOCK_CLOEXEC);
		assert_true(fd >= 0);
		s = sock_event(cookie_of(fd), PK_SOCK_ACCEPT);
		close(fd);
	} while (!s);
	assert_int_equal(s->owner.creator.tgid, getpid());
	assert_true(s->owner.flags & PK_OWNER_ACCEPTED);
}

static int many_connections(void *arg)
{
	for (int i = 0; i < 500; i++)
		if (connect_v4(arg) != 0)
			return 1;
	return 0;
}

static void test_every_connection_is_told(void **state)
{
	unsigned int established = 0, accepted = 0;
	int listener, status;
	struct pk_sock *s;
	uint16_t port;
	size_t at = 0;
	pid_t pid;

	(void)state;
	ev_clear();
	listener = server(SOCK_STREAM);
	port = port_of(listener);
	pid = fork();
	if (pid == 0)
		_exit(many_connections(&port));
	for (int i = 0; i < 500; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		assert_true(fd >= 0);
		close(fd);
		if (i % 50 == 0)
			ev_read();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	ev_read();
	while ((s = ev_next(PK_EV_SOCK, &at))) {
		established += s->op == PK_SOCK_ESTABLISHED && s->rport == port &&
			       s->owner.user.tgid == (uint32_t)pid;
		accepted += s->op == PK_SOCK_ACCEPT && s->lport == port &&
			    s->owner.creator.tgid == (uint32_t)getpid();
	}
	assert_int_equal(established, 500);
	assert_int_equal(accepted, 500);
	close(listener);
}

/* The kernel's own sockets are not blamed on the process that happens to run. */
static void test_kernel_sockets_have_no_user(void **state)
{
	struct pk_sock *s;
	size_t at = 0;

	(void)state;
	while ((s = ev_next(PK_EV_SOCK, &at)))
		if (s->owner.flags & PK_OWNER_KERNEL)
			assert_int_equal(s->owner.user.tgid, 0);
}

/* Last: nothing may be attached. */
static void test_counters_add_up(void **state)
{
	(void)state;
	ev_detach_all();
	ev_assert_equation();
	assert_true(ev_count(PK_EH_SOCK_CONNECT).submitted >= 500);
	assert_int_equal(ev_count(PK_EH_SOCK_STATE).ring_full, 0);
}

static void open_old_sockets(void)
{
	struct sockaddr_in to;

	old_listener = server(SOCK_STREAM);
	old_datagram = server(SOCK_DGRAM);
	to = loopback(port_of(old_listener));
	old_client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(old_client, (struct sockaddr *)&to, sizeof(to)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_before_start),
		cmocka_unit_test(test_accept_on_old_listener),
		cmocka_unit_test(test_connect_and_accept),
		cmocka_unit_test(test_v4_mapped),
		cmocka_unit_test(test_fast_open),
		cmocka_unit_test(test_io_uring),
		cmocka_unit_test(test_io_uring_sqpoll),
		cmocka_unit_test(test_datagram_without_connect),
		cmocka_unit_test(test_passed_descriptor),
		cmocka_unit_test(test_inherited_datagram_socket),
		cmocka_unit_test(test_accept_in_another_process),
		cmocka_unit_test(test_refused_has_one_end),
		cmocka_unit_test(test_other_net_namespace),
		cmocka_unit_test(test_every_connection_is_told),
		cmocka_unit_test(test_kernel_sockets_have_no_user),
		cmocka_unit_test(test_counters_add_up),
	};
	int r;

	if (geteuid() != 0) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	open_old_sockets();
	if (ev_load() < 0 || ev_attach_all() < 0) {
		printf("Bail out! can not load and attach the process and socket programs\n");
		ev_free();
		return 1;
	}
	r = cmocka_run_group_tests(tests, NULL, NULL);
	ev_free();
	return r;
}
