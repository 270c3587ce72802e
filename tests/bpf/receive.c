/* SPDX-License-Identifier: Apache-2.0 */
/* Owners in flows: tc egress on the loopback of our own net namespace, and the receiving side. */
#include "events.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static struct {
	struct sockaddr_in6 to; /* of the child's socket */
	volatile int ready;
} * shared;

struct ways {
	struct pk_flow way[PK_WAYS];
};

/* The flow with that port at one end; which end it is goes to *end. */
static bool find_flow(__be16 port, struct pk_flow *flow, unsigned int *end)
{
	int fd = pk_object_map_fd(ev.object, "pk_flows");
	uint32_t buckets = pk_object_slots(ev.object) / PK_WAYS;
	struct ways w;

	for (uint32_t b = 0; b < buckets; b++) {
		assert_int_equal(bpf_map_lookup_elem(fd, &b, &w), 0);
		for (unsigned int i = 0; i < PK_WAYS; i++)
			for (*end = 0; *end < 2; (*end)++)
				if (w.way[i].key.port[*end] == port &&
				    w.way[i].dir[0].packets + w.way[i].dir[1].packets) {
					*flow = w.way[i];
					return true;
				}
	}
	return false;
}

/* Binds, tells where, receives one datagram and never answers. */
static int receive_one(int family)
{
	struct sockaddr_in6 a = { .sin6_family = (sa_family_t)family };
	struct sockaddr_in *a4 = (struct sockaddr_in *)&a;
	socklen_t len = family == AF_INET ? sizeof(*a4) : sizeof(a);
	int fd = socket(family, SOCK_DGRAM, 0);
	char c;

	if (family == AF_INET)
		a4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		a.sin6_addr = in6addr_loopback;
	if (bind(fd, (struct sockaddr *)&a, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return 1;
	shared->to = a;
	shared->ready = 1;
	return recv(fd, &c, 1, 0) != 1;
}

static void check_datagram(int family)
{
	int fd, status;
	struct pk_flow flow;
	unsigned int end;
	pid_t pid;

	shared->ready = 0;
	pid = fork();
	if (pid == 0)
		_exit(receive_one(family));
	for (int i = 0; i < 500 && !shared->ready; i++)
		usleep(2000);
	assert_true(shared->ready);
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&shared->to,
				family == AF_INET ? sizeof(struct sockaddr_in)
						  : sizeof(struct sockaddr_in6)),
			 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
	assert_true(find_flow(shared->to.sin6_port, &flow, &end));
	assert_int_equal(flow.key.netns, ev.netns);
	assert_int_equal(flow.own[end].creator.tgid, pid);
	assert_int_equal(flow.own[end].user.tgid, pid);
	assert_int_equal(flow.own[!end].creator.tgid, getpid());
	assert_int_not_equal(flow.dir[end].owner_gen, 0);
	assert_int_equal(flow.dir[end].packets, 0); /* it never sent */
	assert_int_equal(flow.dir[!end].packets, 1);
}

static void test_receiver_that_never_answers(void **state)
{
	(void)state;
	check_datagram(AF_INET);
}

static void test_the_same_by_ipv6(void **state)
{
	(void)state;
	check_datagram(AF_INET6);
}

#define SPOOFED_PORT 4321

/* A frame of one's own making on a packet socket; its program sets an option, as filters do. */
static int send_frame(void *arg)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = 1, .sll_halen = 6 };
	struct {
		struct ether_header eth;
		struct iphdr ip;
		struct udphdr udp;
	} __attribute__((packed)) f = {
		.eth.ether_type = htons(ETHERTYPE_IP),
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 9,
			.protocol = IPPROTO_UDP,
			.tot_len = htons(sizeof(f.ip) + sizeof(f.udp)),
			.saddr = htonl(0x7f000007),
			.daddr = htonl(0x7f000008) },
		.udp = { .source = htons(SPOOFED_PORT),
			 .dest = htons(9),
			 .len = htons(sizeof(f.udp)) },
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), size = 65536;

	(void)arg;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
		return 1;
	return sendto(fd, &f, sizeof(f), 0, (struct sockaddr *)&to, sizeof(to)) != sizeof(f);
}

static void test_packet_socket(void **state)
{
	struct pk_flow flow;
	unsigned int end;
	pid_t pid;

	(void)state;
	pid = ev_run(send_frame, NULL);
	assert_true(find_flow(htons(SPOOFED_PORT), &flow, &end));
	assert_int_equal(flow.own[end].creator.tgid, pid);
	assert_int_equal(flow.own[end].user.tgid, pid);
}

static int attach_tc(void)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = 1, .attach_point = BPF_TC_EGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts,
			    .prog_fd = pk_object_prog_fd(ev.object, "pk_tc_out"));

	return bpf_tc_hook_create(&hook) < 0 ? -1 : bpf_tc_attach(&hook, &opts);
}

/* A net namespace of our own, whose loopback is up; it goes with us. */
static int enter_namespace(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	socklen_t len = sizeof(ev.netns);
	int fd, r;

	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = ioctl(fd, SIOCSIFFLAGS, &lo);
	if (r == 0)
		r = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &ev.netns, &len);
	close(fd);
	return r;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receiver_that_never_answers),
		cmocka_unit_test(test_the_same_by_ipv6),
		cmocka_unit_test(test_packet_socket),
	};
	int r;

	if (geteuid() != 0) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ev.also = "pk_tc_out";
	if (enter_namespace() < 0 || ev_load() < 0 || ev_attach_all() < 0 || attach_tc() < 0) {
		printf("Bail out! can not load and attach: %s\n", strerror(errno));
		ev_free();
		return 1;
	}
	r = cmocka_run_group_tests(tests, NULL, NULL);
	ev_free();
	return r;
}
