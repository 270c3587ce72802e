/* SPDX-License-Identifier: Apache-2.0 */
/* The acts that matter, each done for real by a child: native, by int80 and through io_uring. */
#include "events.h"
#include "uring.h"

#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif

static int socket_on_stdin(void *arg)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), file = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)arg;
	if (dup2(file, 0) < 0 || dup2(fd, 1) != 1 || dup2(0, 0) != 0 || dup3(fd, 2, 0) != 2)
		return 1;
	close(0);
	return fcntl(fd, F_DUPFD, 0) != 0;
}

static void test_socket_on_stdio(void **state)
{
	static const int order[] = { 1, 2, 0 };
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(socket_on_stdin, NULL);
	for (unsigned int i = 0; i < 3; i++) {
		struct pk_act *a = ev_act(pid, PK_ACT_STDIO_SOCKET, i);

		assert_non_null(a);
		assert_int_equal(a->arg[0], order[i]);
		assert_int_not_equal(a->arg[1], 0);
		assert_int_equal(a->arg[2], AF_INET);
		assert_int_equal(a->ret, order[i]);
	}
	assert_null(ev_act(pid, PK_ACT_STDIO_SOCKET, 3));
}

/* Without dup: the lowest free descriptor is 0. */
static int socket_is_stdin(void *arg)
{
	(void)arg;
	close(0);
	return socket(AF_INET6, SOCK_STREAM, 0) != 0;
}

static void test_socket_made_as_stdin(void **state)
{
	struct pk_act *a;

	(void)state;
	ev_clear();
	a = ev_act(ev_run(socket_is_stdin, NULL), PK_ACT_STDIO_SOCKET, 0);
	assert_non_null(a);
	assert_int_equal(a->arg[0], 0);
	assert_int_equal(a->arg[2], AF_INET6);
}

static int make_memfd(void *arg)
{
	(void)arg;
	return memfd_create("x", MFD_CLOEXEC) < 0 || memfd_create("x", 0x8000) >= 0;
}

static void test_memfd(void **state)
{
	struct pk_act *a;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(make_memfd, NULL);
	a = ev_act(pid, PK_ACT_MEMFD, 0);
	assert_non_null(a);
	assert_int_equal(a->arg[0], MFD_CLOEXEC);
	assert_true(a->ret > 2);
	assert_null(ev_act(pid, PK_ACT_MEMFD, 1)); /* the one that failed */
}

static volatile long victim_word = 1;

static int trace_and_write(void *arg)
{
	long value = 5;
	struct iovec from = { &value, sizeof(value) };
	struct iovec to = { (void *)&victim_word, sizeof(victim_word) };
	pid_t victim = fork();
	int r = 0;

	(void)arg;
	if (victim == 0) {
		pause();
		_exit(0);
	}
	if (ptrace(PTRACE_ATTACH, victim, NULL, NULL) < 0 || waitpid(victim, NULL, 0) < 0 ||
	    ptrace(PTRACE_POKEDATA, victim, (void *)&victim_word, 7L) < 0 ||
	    ptrace(PTRACE_PEEKDATA, victim, (void *)&victim_word, NULL) != 7 ||
	    ptrace(PTRACE_DETACH, victim, NULL, NULL) < 0)
		r = 1;
	if (process_vm_writev(victim, &from, 1, &to, 1, 0) != sizeof(value))
		r = 2;
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	return r;
}

static void test_ptrace_and_vm_write(void **state)
{
	struct pk_fork *f, *victim = NULL;
	struct pk_act *a, *b, *w;
	size_t at = 0;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(trace_and_write, NULL);
	while ((f = ev_next(PK_EV_FORK, &at)))
		if (f->task.id.tgid == (uint32_t)pid)
			victim = f;
	a = ev_act(pid, PK_ACT_PTRACE, 0);
	b = ev_act(pid, PK_ACT_PTRACE, 1);
	w = ev_act(pid, PK_ACT_VM_WRITE, 0);
	assert_true(victim && a && b && w);
	assert_int_equal(a->arg[0], PTRACE_ATTACH);
	assert_int_equal(b->arg[0], PTRACE_POKEDATA);
	assert_true(ev_same(&a->target, &victim->child));
	assert_true(ev_same(&b->target, &victim->child));
	assert_true(ev_same(&w->target, &victim->child));
	assert_int_equal(w->ret, sizeof(long));
	assert_null(ev_act(pid, PK_ACT_PTRACE, 2)); /* peeking and leaving */
}

/* In a pid namespace of its own, numbers are others: the target must be found in that one. */
static int trace_in_namespace(void *arg)
{
	pid_t pid;
	int status = -1;

	if (unshare(CLONE_NEWPID) < 0)
		return 1;
	pid = fork();
	if (pid == 0)
		_exit(getpid() != 1 || trace_and_write(arg));
	waitpid(pid, &status, 0);
	return status != 0;
}

/* Signals that matter to another process; one to itself, one of no weight, and to a group. */
static int send_signals(void *arg)
{
	pid_t victim = fork();

	(void)arg;
	if (victim == 0)
		for (;;)
			pause();
	signal(SIGTERM, SIG_IGN);
	setpgid(victim, victim);
	if (kill(victim, SIGSTOP) < 0 || kill(victim, SIGCONT) < 0 || kill(getpid(), SIGTERM) < 0 ||
	    kill(-victim, SIGTERM) < 0 || syscall(SYS_tgkill, victim, victim, SIGKILL) < 0)
		return 1;
	waitpid(victim, NULL, 0);
	return 0;
}

static void test_signals(void **state)
{
	struct pk_act *stop, *kill_it;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(send_signals, NULL);
	stop = ev_act(pid, PK_ACT_KILL, 0);
	kill_it = ev_act(pid, PK_ACT_KILL, 1);
	assert_true(stop && kill_it);
	assert_int_equal(stop->arg[0], SIGSTOP);
	assert_int_equal(kill_it->arg[0], SIGKILL);
	assert_int_not_equal(stop->target.tgid, pid);
	assert_true(ev_same(&stop->target, &kill_it->target));
	assert_null(ev_act(pid, PK_ACT_KILL, 2));
}

static void test_target_in_pid_namespace(void **state)
{
	struct pk_fork *f, *tracer = NULL, *victim = NULL;
	struct pk_act *a;
	size_t at = 0;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(trace_in_namespace, NULL);
	while ((f = ev_next(PK_EV_FORK, &at))) {
		if (f->task.id.tgid == (uint32_t)pid)
			tracer = f;
		else if (tracer && ev_same(&f->task.id, &tracer->child))
			victim = f;
	}
	assert_true(tracer && victim);
	a = ev_act((pid_t)tracer->child.tgid, PK_ACT_PTRACE, 0);
	assert_non_null(a);
	assert_int_equal(a->task.pid_in_ns, 1);
	assert_true(ev_same(&a->target, &victim->child));
}

static int change_namespaces(void *arg)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	(void)arg;
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 || setns(fd, CLONE_NEWNET) < 0)
		return 1;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/tmp", "tmpfs", MS_NOSUID, NULL) < 0)
		return 2;
	/* The first root of all can not be left by pivot_root: from a root of our own. */
	if (chroot("/tmp") < 0 || chdir("/") < 0 || mkdir("/b", 0700) < 0 ||
	    mount("none", "/b", "tmpfs", 0, NULL) < 0 || mkdir("/b/old", 0700) < 0)
		return 3;
	return syscall(SYS_pivot_root, "/b", "/b/old") < 0 ? 4 : 0;
}

static void test_namespaces_and_mounts(void **state)
{
	struct pk_act *a;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(change_namespaces, NULL);
	a = ev_act(pid, PK_ACT_UNSHARE, 0);
	assert_non_null(a);
	assert_int_equal(a->arg[0], CLONE_NEWNS | CLONE_NEWNET);
	a = ev_act(pid, PK_ACT_SETNS, 0);
	assert_non_null(a);
	assert_int_equal(a->arg[1], CLONE_NEWNET);
	a = ev_act(pid, PK_ACT_MOUNT, 1);
	assert_non_null(a);
	assert_int_equal(a->arg[3], MS_NOSUID);
	assert_int_equal(a->arg[0], 0); /* pointers are not told */
	assert_non_null(ev_act(pid, PK_ACT_PIVOT_ROOT, 0));
}

static int root_again(void *arg)
{
	(void)arg;
	if (setresuid(1234, 1234, 0) < 0 || setresuid((uid_t)-1, 0, (uid_t)-1) < 0)
		return 1;
	return geteuid() != 0 || setresuid((uid_t)-1, 1234, (uid_t)-1) < 0;
}

static void test_uid_zero(void **state)
{
	struct pk_act *a;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(root_again, NULL);
	a = ev_act(pid, PK_ACT_UID_ZERO, 0);
	assert_non_null(a);
	assert_int_equal(a->arg[0], 1234);
	assert_int_equal(a->task.id.uid, 0);
	assert_null(ev_act(pid, PK_ACT_UID_ZERO, 1));
}

static int make_map(void *arg)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pkact", 4, 4, 1, NULL);
	uint32_t zero = 0;

	(void)arg;
	return fd < 0 || bpf_map_lookup_elem(fd, &zero, &zero) < 0;
}

static void test_bpf(void **state)
{
	struct pk_act *a;
	bool made = false;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(make_map, NULL);
	for (unsigned int i = 0; (a = ev_act(pid, PK_ACT_BPF, i)); i++) {
		made |= a->arg[0] == BPF_MAP_CREATE;
		assert_int_not_equal(a->arg[0], BPF_MAP_LOOKUP_ELEM);
	}
	assert_true(made);
}

static int load_nothing(void *arg)
{
	(void)arg;
	return syscall(SYS_finit_module, -1, "", 0) == 0;
}

static void test_module_that_fails_is_no_act(void **state)
{
	(void)state;
	ev_clear();
	assert_null(ev_act(ev_run(load_nothing, NULL), PK_ACT_MODULE, 0));
}

static int odd_sockets(void *arg)
{
	int one = 1, packet;

	(void)arg;
	/* Netlink is SOCK_RAW, too, and no business of ours. */
	if (socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP) < 0 ||
	    socket(AF_NETLINK, SOCK_RAW, 0) < 0)
		return 1;
	packet = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (packet < 0)
		return 2;
	return setsockopt(packet, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) < 0 ? 3 : 0;
}

static void test_raw_and_packet_sockets(void **state)
{
	struct pk_act *a;
	pid_t pid;

	(void)state;
	ev_clear();
	pid = ev_run(odd_sockets, NULL);
	a = ev_act(pid, PK_ACT_RAW_SOCKET, 0);
	assert_non_null(a);
	assert_int_equal(a->arg[0], AF_INET);
	assert_int_equal(a->arg[1], SOCK_RAW);
	assert_int_equal(a->arg[2], IPPROTO_ICMP);
	assert_null(ev_act(pid, PK_ACT_RAW_SOCKET, 1));
	a = ev_act(pid, PK_ACT_PACKET_SOCKET, 0);
	assert_non_null(a);
	assert_int_equal(a->arg[1], SOCK_DGRAM);
	assert_non_null(ev_act(pid, PK_ACT_QDISC_BYPASS, 0));
}

static int xdp_socket(void *arg)
{
	struct xdp_umem_reg reg = { .len = 1 << 16, .chunk_size = 2048 };
	int fd = socket(AF_XDP, SOCK_RAW, 0);
	void *mem = mmap(NULL, reg.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : 1;
	reg.addr = (uintptr_t)mem;
	return setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) < 0 ? 2 : 0;
}

static void test_xdp_socket(void **state)
{
	pid_t pid;

	(void)state;
	if (socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0) < 0)
		skip();
	ev_clear();
	pid = ev_run(xdp_socket, NULL);
	assert_non_null(ev_act(pid, PK_ACT_XDP_SOCKET, 0));
	assert_non_null(ev_act(pid, PK_ACT_XDP_UMEM, 0));
}

/* An option longer than a page must reach the kernel unharmed. */
static int long_option(void *arg)
{
	static char value[3 * 4096];
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)arg;
	return setsockopt(fd, IPPROTO_IP, IP_TTL, &(int){ 7 }, sizeof(int)) < 0 ||
	       setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, value, sizeof(value)) < 0;
}

static void test_long_option_passes(void **state)
{
	(void)state;
	ev_run(long_option, NULL);
}

#ifdef __x86_64__
static long int80(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}

static int by_int80(void *arg)
{
	uint32_t *args = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)arg;
	if (int80(63, fd, 0, 0) != 0) /* dup2 */
		return errno == ENOSYS ? 0 : 1;
	args[0] = AF_PACKET;
	args[1] = SOCK_RAW;
	args[2] = 0;
	if (int80(102, 1, (long)(uintptr_t)args, 0) < 0) /* socketcall(SYS_SOCKET) */
		return 2;
	args[0] = 'x';
	return int80(356, (long)(uintptr_t)args, MFD_CLOEXEC, 0) < 0 ? 3 : 0; /* memfd_create */
}
#endif

#ifdef __x86_64__
static bool has_int80(void)
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)signal(SIGSEGV, SIG_DFL); /* not cmocka's, that reports it */
		_exit(int80(20, 0, 0, 0) < 0);  /* getpid */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}
#endif

static void test_int80(void **state)
{
	(void)state;
#ifdef __x86_64__
	struct pk_act *a;
	pid_t pid;

	if (!has_int80()) {
		print_message("# test_int80: no 32-bit entry (int 0x80) here\n");
		skip();
	}
	ev_clear();
	pid = ev_run(by_int80, NULL);
	a = ev_act(pid, PK_ACT_STDIO_SOCKET, 0);
	assert_non_null(a);
	assert_true(a->hdr.flags & PK_EVF_COMPAT);
	a = ev_act(pid, PK_ACT_PACKET_SOCKET, 0);
	assert_non_null(a);
	assert_int_equal(a->arg[1], SOCK_RAW);
	a = ev_act(pid, PK_ACT_MEMFD, 0);
	assert_non_null(a);
	assert_int_equal(a->arg[0], MFD_CLOEXEC);
	assert_true(a->hdr.flags & PK_EVF_COMPAT);
#else
	skip();
#endif
}

static int socket_by_ring(void *arg)
{
	struct io_uring_sqe sqe = {
		.opcode = URING_OP_SOCKET, .fd = AF_PACKET, .off = SOCK_RAW, .len = 0
	};
	unsigned int *flags = arg;
	struct uring u;

	if (uring_open(&u, *flags) < 0)
		return 1;
	for (int i = 0; i < 2; i++)
		if (uring_do(&u, &sqe) < 0)
			return 2;
	return 0;
}

static void check_ring(unsigned int flags)
{
	struct pk_act *a;
	pid_t pid;

	ev_clear();
	pid = ev_run(socket_by_ring, &flags);
	a = ev_act(pid, PK_ACT_IO_URING, 0);
	assert_non_null(a);
	assert_int_equal(a->arg[0] & IORING_SETUP_SQPOLL, flags);
	assert_int_equal(a->arg[1], 8);
	for (unsigned int i = 0; i < 2; i++) {
		a = ev_act(pid, PK_ACT_IO_URING_SOCKET, i);
		assert_non_null(a);
		assert_int_equal(a->arg[0], URING_OP_SOCKET);
		assert_int_equal(a->arg[1], AF_PACKET);
		assert_int_equal(a->arg[2], SOCK_RAW);
		assert_int_equal(!!(a->task.flags & PK_TASK_IO_WORKER), !!flags);
	}
}

static bool have_rings(void)
{
	struct uring u;

	if (uring_open(&u, 0) < 0)
		return false;
	close(u.fd);
	return true;
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

#define FLOOD 200000 /* more acts than the ring has room for */

static int pin_to_first(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static int flood(void *arg)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (pin_to_first() < 0)
		return 1;
	for (int i = 0; i < *(int *)arg; i++)
		if (dup2(fd, 0) != 0)
			return 2;
	return 0;
}

/* Records of this ring that did not fit, on CPU 0. */
static uint64_t lost_on_first(void)
{
	static const uint32_t hooks[] = { PK_EH_EXEC,    PK_EH_FORK,     PK_EH_EXIT,
					  PK_EH_SYSCALL, PK_EH_IO_URING, PK_EH_SOCK_OPT };
	int fd = pk_object_map_fd(ev.object, "pk_ev_cnt");
	struct pk_event_count cpu[256];
	uint64_t lost = 0;

	for (size_t i = 0; i < PK_ARRAY_SIZE(hooks); i++) {
		assert_int_equal(bpf_map_lookup_elem(fd, &hooks[i], cpu), 0);
		lost += cpu[0].ring_full;
	}
	return lost;
}

/* Nobody reads: what does not fit is counted, and missing in the sequence, to the unit. */
static void test_full_ring(void **state)
{
	uint64_t lost = lost_on_first();
	int64_t gaps = 0;
	uint32_t next = 0;
	bool first = true;
	int n = FLOOD;

	(void)state;
	ev_clear();
	ev_run(flood, &n); /* read when it has ended */
	n = 1;
	ev_run(flood, &n); /* makes the last gap visible */
	lost = lost_on_first() - lost;
	assert_true(lost > 0);
	for (size_t i = 0; i < ev.n; i++) {
		const struct pk_hdr *h = ev.rec[i];

		if (h->cpu != 0 || h->type == PK_EV_SOCK)
			continue;
		if (!first)
			gaps += (int32_t)(h->seq - next);
		next = h->seq + 1;
		first = false;
	}
	assert_int_equal(gaps, lost);
}

/* Last: nothing may be attached. */
static void test_counters_add_up(void **state)
{
	(void)state;
	ev_detach_all();
	ev_assert_equation();
	assert_true(ev_count(PK_EH_SYSCALL).submitted >= 20);
	assert_true(ev_count(PK_EH_SYSCALL).filtered > 0);
	assert_true(ev_count(PK_EH_SYSCALL).ring_full > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_socket_on_stdio),
		cmocka_unit_test(test_socket_made_as_stdin),
		cmocka_unit_test(test_memfd),
		cmocka_unit_test(test_ptrace_and_vm_write),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_target_in_pid_namespace),
		cmocka_unit_test(test_namespaces_and_mounts),
		cmocka_unit_test(test_uid_zero),
		cmocka_unit_test(test_bpf),
		cmocka_unit_test(test_module_that_fails_is_no_act),
		cmocka_unit_test(test_raw_and_packet_sockets),
		cmocka_unit_test(test_xdp_socket),
		cmocka_unit_test(test_long_option_passes),
		cmocka_unit_test(test_int80),
		cmocka_unit_test(test_io_uring),
		cmocka_unit_test(test_io_uring_sqpoll),
		cmocka_unit_test(test_full_ring),
		cmocka_unit_test(test_counters_add_up),
	};
	int r;

	if (geteuid() != 0) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (ev_load() < 0 || ev_attach_all() < 0) {
		printf("Bail out! can not load and attach the process and socket programs\n");
		ev_free();
		return 1;
	}
	r = cmocka_run_group_tests(tests, NULL, NULL);
	ev_free();
	return r;
}
