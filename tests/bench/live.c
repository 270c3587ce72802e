/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For block.sh: a list of block_mix.h as text for each tool that is to hold it, and a flood from
 * its addresses, made in the kernel (BPF_PROG_RUN with live frames), that says how many frames the
 * other end of the veth pair has taken a second.
 *
 *   live list N 4|6 plain|hosts|nft|ipset    to standard output
 *   live send DEVICE MAC N 4|6 SECONDS [hosts]
 *   live drop DEVICE                         attaches a bare XDP_DROP, which stays
 */
#include "block_mix.h"

#include "../bpf/frame.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define BATCH 64
#define ROUND 1000000

static int fail(const char *what, int r)
{
	fprintf(stderr, "live: %s: %s\n", what, strerror(-r));
	return 1;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Only whole addresses: for what knows no prefixes. */
static void keep_hosts(struct mix *m)
{
	uint32_t whole = m->v6 ? 128 : 32;

	for (size_t i = 0; i < m->n; i++) {
		struct mix_entry *e = &m->v[i];

		e->bits = whole;
	}
}

static int list(size_t n, bool v6, const char *form)
{
	bool nft = !strcmp(form, "nft"), ipset = !strcmp(form, "ipset");
	struct mix m;
	char text[80];

	mix_make(&m, n, v6);
	if (!strcmp(form, "hosts"))
		keep_hosts(&m);
	if (nft)
		printf("add element netdev bench listed {\n");
	if (ipset)
		printf("create bench hash:net family %s hashsize %zu maxelem %zu\n",
		       v6 ? "inet6" : "inet", n > 128 ? n / 2 : 64, n > 64 ? n : 64);
	for (size_t i = 0; i < n; i++) {
		mix_text(&m, &m.v[i], text, sizeof(text));
		printf("%s%s%s\n", ipset ? "add bench " : "", text, nft ? "," : "");
	}
	if (nft)
		printf("}\n");
	mix_free(&m);
	return 0;
}

static int make_frame(struct frame *f, const char *mac, bool v6)
{
	unsigned int m[6];

	if (sscanf(mac, "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6)
		return -EINVAL;
	memset(f, 0, sizeof(*f));
	frame_eth(f, v6 ? 0x86dd : 0x0800);
	for (int i = 0; i < 6; i++)
		f->b[i] = (uint8_t)m[i];
	if (v6)
		frame_ip6(f, 17, 1, 2);
	else
		frame_ip4(f, 17, 0, 0x0a620002);
	frame_udp(f, 1024, 9);
	frame_fill(f, 20);
	frame_end(f);
	return 0;
}

/* Of the IPv4 header, its source and its own sum left out. */
static uint32_t header_sum(const uint8_t *ip)
{
	uint32_t sum = 0;
	uint16_t word;

	for (int i = 0; i < 20; i += 2) {
		memcpy(&word, ip + i, 2);
		if (i != 10 && i != 12 && i != 14)
			sum += word;
	}
	return sum;
}

static struct bpf_object *load(void)
{
	const char *dir = getenv("PICKET_BUILD");
	struct bpf_object *o;
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/bench/live.bpf.o", dir ? dir : "build");
	o = bpf_object__open(path);
	return o && !bpf_object__load(o) ? o : NULL;
}

static void *map_of(struct bpf_object *o, const char *name, size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    bpf_object__find_map_fd_by_name(o, name), 0);
}

/* Frames the other end has taken: what it has no room for is not among them. */
static uint64_t taken(const char *device)
{
	char line[512], name[64];
	unsigned long long n;
	FILE *f = fopen("/proc/self/net/dev", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " %63[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu", name, &n) ==
			    2 &&
		    strcmp(name, device) == 0) {
			fclose(f);
			return n;
		}
	exit(fail(device, -ENODEV));
}

static int draw(struct bpf_object *o, size_t n, bool v6, bool hosts, const struct frame *f)
{
	struct bb_addr *row = map_of(o, "row", BB_FLOOD * sizeof(*row));
	struct bb_flood *flood = map_of(o, ".data", sizeof(*flood));
	struct mix m;

	if (row == MAP_FAILED || flood == MAP_FAILED)
		return -errno;
	mix_make(&m, n, v6);
	if (hosts)
		keep_hosts(&m);
	for (uint32_t i = 0; i < BB_FLOOD; i++)
		row[i] = mix_hit(&m);
	flood->v6 = v6;
	flood->sum = v6 ? 0 : header_sum(f->b + 14);
	mix_free(&m);
	return 0;
}

static int run(int prog, const char *device, const struct frame *f, double seconds)
{
	struct xdp_md ctx = { .data_end = f->n, .ingress_ifindex = if_nametoindex(device) };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = f->b, .data_size_in = f->n, .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = ROUND,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);
	double start, end;
	uint64_t before;
	int r;

	r = bpf_prog_test_run_opts(prog, &o); /* the page pool and the caches are warm */
	if (r < 0)
		return fail("live frames", r);
	before = taken(device);
	start = now();
	do {
		r = bpf_prog_test_run_opts(prog, &o);
		if (r < 0)
			return fail("live frames", r);
		end = now();
	} while (end < start + seconds);
	printf("%.0f\n", (double)(taken(device) - before) / (end - start));
	return 0;
}

static int send_flood(const char *device, const char *mac, size_t n, bool v6, double seconds,
		      bool hosts)
{
	static struct frame f;
	struct bpf_object *o = load();
	int r = o ? make_frame(&f, mac, v6) : -errno;

	if (!r)
		r = draw(o, n, v6, hosts, &f);
	if (r < 0)
		return fail("prepare", r);
	return run(bpf_program__fd(bpf_object__find_program_by_name(o, "bb_send")), device, &f,
		   seconds);
}

static int attach_drop(const char *device)
{
	struct bpf_object *o = load();
	int r;

	if (!o)
		return fail("load", -errno);
	r = bpf_xdp_attach((int)if_nametoindex(device),
			   bpf_program__fd(bpf_object__find_program_by_name(o, "bb_drop")),
			   XDP_FLAGS_DRV_MODE, NULL);
	return r < 0 ? fail(device, r) : 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "list"))
		return list(strtoul(argv[2], NULL, 10), *argv[3] == '6', argv[4]);
	if (argc >= 7 && !strcmp(argv[1], "send"))
		return send_flood(argv[2], argv[3], strtoul(argv[4], NULL, 10), *argv[5] == '6',
				  atof(argv[6]), argc > 7);
	if (argc == 3 && !strcmp(argv[1], "drop"))
		return attach_drop(argv[2]);
	fprintf(stderr, "usage: live list|send|drop ... (see tests/bench/block.sh)\n");
	return 2;
}
