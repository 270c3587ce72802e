/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A QUIC client as far as its first flight: an Initial whose ClientHello names a server, then small
 * datagrams on the same connection. Prints how many of them were answered, by whoever echoes.
 * Usage: quic ADDRESS PORT SERVERNAME
 */
#include "../unit/decode/seal.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ROUNDS 20

static struct bytes body, hello, frames, datagram;

static int dial(const char *addr, const char *port)
{
	struct addrinfo want = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST }, *a;
	struct timeval wait = { .tv_usec = 100000 };
	int fd;

	if (getaddrinfo(addr, port, &want, &a))
		return -1;
	fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen)) {
		perror("connect");
		close(fd);
		fd = -1;
	}
	freeaddrinfo(a);
	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

static void make_initial(const char *name)
{
	struct seal first = { .version = PK_QUIC_V1,
			      .key_cid = "firstcid",
			      .dcid = "firstcid",
			      .scid = "client",
			      .number_len = 1 };
	struct pk_quic *q;

	seal_check(pk_quic_new(&q) == 0);
	put_chrome(&body, name, 1);
	put_message(&hello, 1, &body);
	put_crypto(&frames, 0, hello.data, hello.len);
	put_zeros(&frames, 1162 - frames.len); /* a client pads it to 1,200 bytes */
	seal(q, &datagram, &first, frames.data, frames.len);
	pk_quic_free(q);
}

int main(int argc, char **argv)
{
	int fd, answered = 0;
	char in[2048];

	if (argc != 4)
		return 2;
	fd = dial(argv[1], argv[2]);
	if (fd < 0)
		return 1;
	make_initial(argv[3]);
	if (send(fd, datagram.data, datagram.len, 0) < 0)
		perror("send");
	usleep(100000);
	while (recv(fd, in, sizeof(in), MSG_DONTWAIT) > 0)
		;
	for (int i = 0; i < ROUNDS; i++) {
		if (send(fd, "\x40more\n", 6, 0) < 0)
			perror("send");
		answered += recv(fd, in, sizeof(in), 0) > 0;
	}
	printf("%d of %d\n", answered, ROUNDS);
	close(fd);
	return 0;
}
