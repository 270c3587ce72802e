/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS conversations at a steady rate: hellos DEVICE RATE SECONDS. Each is nine packets from both of
 * its ends (handshake, ClientHello with a name of its own, ServerHello, end), all sent to the peer
 * of the device, where nobody answers. Prints how many conversations went out and how fast. Stays
 * in its namespace; needs root.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PACKETS 9
#define HELLO   517 /* as large as browsers make theirs */
#define BATCH   20  /* conversations */

#define FIN 0x01
#define SYN 0x02
#define PSH 0x08
#define ACK 0x10

struct packet {
	uint8_t b[54 + 1200];
	uint32_t len;
};

static uint8_t *put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
	return p + 2;
}

static void set32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, 4);
}

/* RFC 8446, 4.1.2: three ciphers, server_name, supported_versions, ALPN, padding (RFC 7685). */
static void client_hello(uint8_t *p, uint64_t number)
{
	static const uint8_t fixed[] = { 0, 43, 0, 3, 2, 3, 4, 0, 16, 0, 5, 0, 3, 2, 'h', '2' };
	char name[32];
	uint32_t n = (uint32_t)snprintf(name, sizeof(name), "n%llu.example.org",
					(unsigned long long)number);
	uint8_t *at, *end = p + HELLO;

	memset(p, 0, HELLO);
	memcpy(p, "\x16\x03\x01", 3);
	put16(p + 3, HELLO - 5);
	p[5] = 1;
	put16(p + 7, HELLO - 9);
	memcpy(p + 9, "\x03\x03", 2);
	memset(p + 11, 0x5a, 32); /* random */
	at = p + 44;              /* no session id */
	memcpy(at, "\0\6\x13\1\x13\2\x13\3\1\0", 10);
	at += 10;
	at = put16(at, (uint32_t)(end - at - 2));
	at = put16(put16(put16(at, 0), n + 5), n + 3); /* server_name (RFC 6066, 3) */
	*at++ = 0;
	at = put16(at, n);
	memcpy(at, name, n);
	at += n;
	memcpy(at, fixed, sizeof(fixed));
	at += sizeof(fixed);
	at = put16(at, 21);
	put16(at, (uint32_t)(end - at - 2));
}

static void server_hello(uint8_t *p, uint32_t len)
{
	memset(p, 0, len);
	memcpy(p, "\x16\x03\x03\0\x2c\2\0\0\x28\3\3", 11); /* ServerHello alone in its record */
	memset(p + 11, 0xa5, 32);
	memcpy(p + 44, "\x13\1\0\0\0", 5);
	memcpy(p + 49, "\x17\x03\x03", 3);
	put16(p + 52, len - 54);
}

static void segment(struct packet *k, uint64_t number, int from_client, uint8_t flags, uint32_t seq,
		    uint32_t ack, uint32_t payload)
{
	uint32_t client = 0x0b000000u + (uint32_t)(number >> 14), server = 0x0a620001u;
	uint32_t port = 1024 + (uint32_t)(number & 0x3fff);
	uint8_t *ip = k->b + 14, *tcp = k->b + 34;

	memset(k->b, 0, 54);
	memcpy(k->b, "\2\0\0\0\0\x63\2\0\0\0\0\x64", 12); /* nobody's */
	put16(k->b + 12, ETH_P_IP);
	ip[0] = 0x45;
	put16(ip + 2, 40 + payload);
	ip[8] = 64;
	ip[9] = 6;
	set32(ip + 12, from_client ? client : server);
	set32(ip + 16, from_client ? server : client);
	put16(tcp, from_client ? port : 443);
	put16(tcp + 2, from_client ? 443 : port);
	set32(tcp + 4, seq);
	set32(tcp + 8, ack);
	tcp[12] = 0x50;
	tcp[13] = flags;
	put16(tcp + 14, 0xffff);
	k->len = 54 + payload;
}

static void conversation(struct packet k[PACKETS], uint64_t number)
{
	segment(&k[0], number, 1, SYN, 100, 0, 0);
	segment(&k[1], number, 0, SYN | ACK, 500, 101, 0);
	segment(&k[2], number, 1, ACK, 101, 501, 0);
	segment(&k[3], number, 1, ACK | PSH, 101, 501, HELLO);
	client_hello(k[3].b + 54, number);
	segment(&k[4], number, 0, ACK, 501, 101 + HELLO, 1200);
	server_hello(k[4].b + 54, 1200);
	segment(&k[5], number, 1, ACK, 101 + HELLO, 1701, 0);
	segment(&k[6], number, 1, ACK | FIN, 101 + HELLO, 1701, 0);
	segment(&k[7], number, 0, ACK | FIN, 1701, 102 + HELLO, 0);
	segment(&k[8], number, 1, ACK, 102 + HELLO, 1702, 0);
}

static int send_all(int fd, struct packet *k, unsigned n)
{
	static struct mmsghdr m[BATCH * PACKETS];
	static struct iovec v[BATCH * PACKETS];
	unsigned done = 0;
	int r;

	for (unsigned i = 0; i < n; i++) {
		v[i] = (struct iovec){ k[i].b, k[i].len };
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &v[i], .msg_iovlen = 1 };
	}
	while (done < n) {
		r = sendmmsg(fd, m + done, n - done, 0);
		if (r < 0 && errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
			return -errno;
		done += r > 0 ? (unsigned)r : 0;
	}
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void wait_until(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

int main(int argc, char **argv)
{
	static struct packet k[BATCH * PACKETS];
	const int on = 1;
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	uint64_t start, rate, total, sent = 0;
	int fd, r;

	if (argc != 4) {
		fprintf(stderr, "usage: hellos DEVICE RATE SECONDS\n");
		return 2;
	}
	rate = strtoull(argv[2], NULL, 10);
	total = rate * strtoull(argv[3], NULL, 10);
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || !to.sll_ifindex || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror(argv[1]);
		return 1;
	}
	(void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)); /* only faster */
	start = now_ns();
	while (sent < total) {
		unsigned n = total - sent < BATCH ? (unsigned)(total - sent) : BATCH;

		for (unsigned i = 0; i < n; i++)
			conversation(k + i * PACKETS, sent + i);
		r = send_all(fd, k, n * PACKETS);
		if (r < 0) {
			fprintf(stderr, "send: %s\n", strerror(-r));
			return 1;
		}
		sent += n;
		wait_until(start + sent * 1000000000 / rate);
	}
	printf("%llu conversations in %.2f s, %.0f a second\n", (unsigned long long)sent,
	       (double)(now_ns() - start) / 1e9, (double)sent * 1e9 / (double)(now_ns() - start));
	close(fd);
	return 0;
}
