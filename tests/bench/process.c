/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process and socket programs add to what a process does: each thing is done in rounds
 * that alternate between attached and not attached; printed are the medians and their difference.
 */
#include "../bpf/events.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define ROUNDS 15

static struct sockaddr_in tcp_to, udp_to;
static int udp = -1, connected = -1;

static void do_getppid(void)
{
	(void)syscall(SYS_getppid);
}

/* Of interest by its number, but not by what it does. */
static void do_fcntl(void)
{
	(void)fcntl(udp, F_GETFD);
}

static void do_exec(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl("/bin/true", "true", NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void do_connect(void)
{
	struct linger reset = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	(void)connect(fd, (struct sockaddr *)&tcp_to, sizeof(tcp_to));
	close(fd);
}

static void do_sendto(void)
{
	(void)sendto(udp, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&udp_to, sizeof(udp_to));
}

static void do_send(void)
{
	(void)send(connected, "x", 1, MSG_DONTWAIT);
}

static const struct thing {
	const char *name;
	void (*act)(void);
	unsigned int times; /* in a round */
} things[] = {
	{ "a system call that does not matter", do_getppid, 500000 },
	{ "fcntl(F_GETFD): in the table, filtered", do_fcntl, 500000 },
	{ "vfork, exec, exit, wait", do_exec, 200 },
	{ "TCP socket, connect, close on lo", do_connect, 1000 },
	{ "UDP sendto on lo, unconnected", do_sendto, 50000 },
	{ "UDP send on lo, connected", do_send, 50000 },
};

static double round_ns(const struct thing *t)
{
	uint64_t start = pk_clock_boot_ns();

	for (unsigned int i = 0; i < t->times; i++)
		t->act();
	return (double)(pk_clock_boot_ns() - start) / t->times;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Returns -1 when something could not be attached. */
static int measure(const struct thing *t)
{
	double off[ROUNDS], on[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		off[i] = round_ns(t);
		if (ev_attach_all() < 0)
			return -1;
		(void)round_ns(&(struct thing){ t->name, t->act, 1 + t->times / 10 });
		ev_clear();
		on[i] = round_ns(t);
		ev_detach_all();
		ev_clear();
	}
	qsort(off, ROUNDS, sizeof(*off), by_value);
	qsort(on, ROUNDS, sizeof(*on), by_value);
	printf("%-42s %8.0f ns, with Picket %8.0f ns: %+6.0f ns\n", t->name, off[ROUNDS / 2],
	       on[ROUNDS / 2], on[ROUNDS / 2] - off[ROUNDS / 2]);
	return 0;
}

static int bound(int type, struct sockaddr_in *ret_at)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 4096) < 0))
		return -1;
	*ret_at = a;
	return fd;
}

/* Takes what connects, so that the queue never fills. */
static pid_t start_server(int listener)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			close(fd);
	}
}

int main(void)
{
	int listener = bound(SOCK_STREAM, &tcp_to), receiver = bound(SOCK_DGRAM, &udp_to);
	int r = 0;
	pid_t server;

	udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	connected = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || receiver < 0 ||
	    connect(connected, (struct sockaddr *)&udp_to, sizeof(udp_to)) < 0 || ev_load() < 0) {
		fprintf(stderr, "bench process: can not start: %s\n", strerror(errno));
		return 1;
	}
	server = start_server(listener);
	for (size_t i = 0; i < PK_ARRAY_SIZE(things) && r == 0; i++)
		r = measure(&things[i]);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	for (uint32_t hook = 0; hook < PK_EH_FLOW_REPORT; hook++)
		if (ev_count(hook).ring_full)
			printf("hook %u: %llu records did not fit\n", hook,
			       ev_count(hook).ring_full);
	ev_free();
	return r < 0;
}
