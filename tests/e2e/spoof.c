/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic that must be blocked throughout, and traffic that must never be.
 *   spoof send IFACE MAC IP PORT SECONDS RATE   UDP datagrams, in turn from 198.19.113.0/24 and
 *                                               198.51.100.0/24; prints how many of each
 *   spoof recv PORT                             counts what arrives, by source, until SIGTERM
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LISTED  0xc6137100u /* 198.19.113.0 */
#define BENIGN  0xc6336400u /* 198.51.100.0 */
#define PAYLOAD 18

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint16_t sum16(const void *p, size_t n)
{
	const uint16_t *w = p;
	uint32_t s = 0;

	for (; n > 1; n -= 2)
		s += *w++;
	s = (s & 0xffff) + (s >> 16);
	return (uint16_t) ~(s + (s >> 16));
}

static int send_all(char **v)
{
	struct {
		struct ether_header eth;
		struct iphdr ip;
		struct udphdr udp;
		char data[PAYLOAD];
	} __attribute__((packed)) f = { 0 };
	unsigned mac[6];
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	double start = now(), rate = atof(v[5]), end = start + atof(v[4]);
	uint64_t n[2] = { 0 };
	struct iphdr ip;

	to.sll_ifindex = (int)if_nametoindex(v[0]);
	if (fd < 0 || !to.sll_ifindex ||
	    sscanf(v[1], "%x:%x:%x:%x:%x:%x", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) !=
		    6)
		return 1;
	for (int i = 0; i < 6; i++)
		f.eth.ether_dhost[i] = (uint8_t)mac[i];
	f.eth.ether_shost[0] = 2;
	f.eth.ether_type = htons(ETHERTYPE_IP);
	memset(&ip, 0, sizeof(ip));
	ip.version = 4;
	ip.ihl = 5;
	ip.ttl = 64;
	ip.protocol = IPPROTO_UDP;
	ip.tot_len = htons(sizeof(f) - sizeof(f.eth));
	inet_pton(AF_INET, v[2], &ip.daddr);
	f.udp.source = htons(4000);
	f.udp.dest = htons((uint16_t)atoi(v[3]));
	f.udp.len = htons(sizeof(f.udp) + PAYLOAD);
	while (!stop && now() < end) {
		for (uint64_t due = (uint64_t)((now() - start) * rate); n[0] + n[1] < due;) {
			unsigned k = (n[0] + n[1]) & 1;

			ip.saddr = htonl((k ? BENIGN : LISTED) + 1 + (uint32_t)(n[k] % 250));
			ip.check = 0;
			ip.check = sum16(&ip, sizeof(ip));
			memcpy(&f.ip, &ip, sizeof(ip));
			if (sendto(fd, &f, sizeof(f), 0, (struct sockaddr *)&to, sizeof(to)) < 0) {
				if (errno == ENOBUFS || errno == EINTR)
					continue;
				return 1;
			}
			n[k]++;
		}
		usleep(500);
	}
	printf("listed %llu benign %llu\n", (unsigned long long)n[0], (unsigned long long)n[1]);
	return 0;
}

static int recv_all(const char *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	struct timeval wait = { .tv_usec = 100000 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 64 << 20;
	uint64_t listed = 0, benign = 0, other = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	while (!stop) {
		struct sockaddr_in from = { 0 };
		socklen_t len = sizeof(from);
		char buf[64];
		uint32_t net;

		if (recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len) < 0)
			continue;
		net = ntohl(from.sin_addr.s_addr) & 0xffffff00;
		listed += net == LISTED;
		benign += net == BENIGN;
		other += net != LISTED && net != BENIGN;
	}
	printf("listed %llu benign %llu other %llu\n", (unsigned long long)listed,
	       (unsigned long long)benign, (unsigned long long)other);
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_term };

	sigaction(SIGTERM, &sa, NULL);
	if (argc == 8 && !strcmp(argv[1], "send"))
		return send_all(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "recv"))
		return recv_all(argv[2]);
	return 2;
}
