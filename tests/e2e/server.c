/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server of the end-to-end stories: TCP (with fast open) and UDP on one dual-stack port. Each
 * request is one line; its log, one line a request ("tcp PORT LINE"), is the ground truth of who
 * came from which port. Answers fit one segment. It serves one after the other, on purpose: its
 * flows must all carry this one process.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
			     "Content-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxy\n";

static int open_socket(int type, uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0), off = 0, on = 1, queue = 4096;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a))) {
		perror("bind");
		exit(1);
	}
	if (type == SOCK_DGRAM)
		return fd;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue)); /* optional */
	if (listen(fd, 4096)) {
		perror("listen");
		exit(1);
	}
	return fd;
}

static void note(FILE *log, const char *proto, const struct sockaddr_in6 *peer, const char *text)
{
	fprintf(log, "%s %u %.*s\n", proto, ntohs(peer->sin6_port), (int)strcspn(text, "\r\n"),
		text);
	fflush(log);
}

static void serve_tcp(int listener, FILE *log)
{
	struct sockaddr_in6 peer = {};
	socklen_t len = sizeof(peer);
	struct timeval patience = { .tv_sec = 5 };
	char line[2048] = "";
	size_t have = 0;
	ssize_t n;
	int fd = accept4(listener, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (have < sizeof(line) - 1 && !strstr(line, "\r\n\r\n")) {
		n = read(fd, line + have, sizeof(line) - 1 - have);
		if (n <= 0)
			break;
		have += (size_t)n;
		line[have] = 0;
	}
	if (have) {
		note(log, "tcp", &peer, line);
		(void)!write(fd, answer, sizeof(answer) - 1);
	}
	close(fd);
}

static void serve_udp(int fd, FILE *log)
{
	struct sockaddr_in6 peer = {};
	socklen_t len = sizeof(peer);
	char line[2048];
	ssize_t n = recvfrom(fd, line, sizeof(line) - 1, 0, (struct sockaddr *)&peer, &len);

	if (n < 0)
		return;
	line[n] = 0;
	note(log, "udp", &peer, line);
	(void)sendto(fd, line, (size_t)n, 0, (struct sockaddr *)&peer, len);
}

int main(int argc, char **argv)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	FILE *log;

	if (argc != 3 || !(log = fopen(argv[2], "we"))) {
		fprintf(stderr, "usage: server PORT LOG\n");
		return 2;
	}
	p[0].fd = open_socket(SOCK_STREAM, (uint16_t)atoi(argv[1]));
	p[1].fd = open_socket(SOCK_DGRAM, (uint16_t)atoi(argv[1]));
	fprintf(log, "ready\n");
	fflush(log);
	while (poll(p, 2, -1) >= 0 || errno == EINTR) {
		if (p[0].revents)
			serve_tcp(p[0].fd, log);
		if (p[1].revents)
			serve_udp(p[1].fd, log);
	}
	return 1;
}
