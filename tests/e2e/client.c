/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of the end-to-end stories: one conversation with server.c, by the way named first.
 *   client tcp|udp|uring|tfo|vfork|pass ADDRESS PORT LINE
 * An IPv4 address written ::ffff:a.b.c.d is used through an IPv6 socket. vfork starts itself again
 * from a vfork child; pass makes the socket here and lets another process connect and talk with it.
 * Ends 0 only if the answer came. What the process is called in the flows is up to its command
 * line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct where {
	struct sockaddr_storage addr;
	socklen_t len;
	const char *line;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct where parse(char **argv)
{
	struct where w = { .line = argv[4] };
	struct sockaddr_in *v4 = (void *)&w.addr;
	struct sockaddr_in6 *v6 = (void *)&w.addr;

	if (inet_pton(AF_INET, argv[2], &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)atoi(argv[3]));
		w.len = sizeof(*v4);
	} else if (inet_pton(AF_INET6, argv[2], &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)atoi(argv[3]));
		w.len = sizeof(*v6);
	} else {
		fprintf(stderr, "not an address: %s\n", argv[2]);
		exit(2);
	}
	return w;
}

static int make(const struct where *w, int type)
{
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(w->addr.ss_family, type, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die("socket");
	return fd;
}

static size_t request(const struct where *w, char *buf, size_t size)
{
	return (size_t)snprintf(buf, size, "%s\r\n\r\n", w->line);
}

/* Reads to the end; something must have come. */
static int answered(int fd)
{
	char buf[4096];
	ssize_t n, all = 0;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		all += n;
	return n == 0 && all > 0 ? 0 : 1;
}

static int talk(int fd, const struct where *w)
{
	char buf[1024];
	size_t len = request(w, buf, sizeof(buf));

	if (write(fd, buf, len) != (ssize_t)len)
		die("write");
	return answered(fd);
}

static int by_tcp(const struct where *w)
{
	int fd = make(w, SOCK_STREAM);

	if (connect(fd, (const struct sockaddr *)&w->addr, w->len))
		die("connect");
	return talk(fd, w);
}

/*
 * Line "idNx" gets port 20000 + N: left to the kernel, ports of short exchanges come back within
 * the idle timeout, and exchanges with the same five-tuple are one flow.
 */
static void own_port(int fd, const struct where *w)
{
	struct sockaddr_storage any = { .ss_family = w->addr.ss_family };
	unsigned n;

	if (sscanf(w->line, "id%ux", &n) != 1 || n > 40000)
		return;
	((struct sockaddr_in *)&any)->sin_port = htons((uint16_t)(20000 + n)); /* same in IPv6 */
	if (bind(fd, (struct sockaddr *)&any, w->len))
		die("bind");
}

static int by_udp(const struct where *w)
{
	int fd = make(w, SOCK_DGRAM);
	size_t len = strlen(w->line);
	char buf[1024];

	own_port(fd, w);
	if (sendto(fd, w->line, len, 0, (const struct sockaddr *)&w->addr, w->len) < 0)
		die("sendto");
	return recv(fd, buf, sizeof(buf), 0) == (ssize_t)len ? 0 : 1;
}

/* Data in the SYN; 2: the kernel did not do that (no cookie yet). */
static int by_tfo(const struct where *w)
{
	int fd = make(w, SOCK_STREAM), r;
	struct tcp_info info = {};
	socklen_t len = sizeof(info);
	char buf[1024];
	size_t n = request(w, buf, sizeof(buf));

	if (sendto(fd, buf, n, MSG_FASTOPEN, (const struct sockaddr *)&w->addr, w->len) < 0)
		die("fast open");
	r = answered(fd);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		die("TCP_INFO");
	return r ? r : info.tcpi_options & 32 /* TCPI_OPT_SYN_DATA */ ? 0 : 2;
}

/* One operation through a ring made by hand; its result. */
static int ring_connect(int fd, const struct where *w)
{
	struct io_uring_params p = {};
	int ring = (int)syscall(__NR_io_uring_setup, 4, &p);
	char *sq, *cq;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;

	if (ring < 0)
		die("io_uring_setup");
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		  IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*cqe), PROT_READ | PROT_WRITE,
		  MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		   IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || (void *)sqe == MAP_FAILED)
		die("mmap");
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_CONNECT;
	sqe->fd = fd;
	sqe->addr = (uint64_t)(uintptr_t)&w->addr;
	sqe->off = w->len;
	*(uint32_t *)(sq + p.sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(__NR_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		die("io_uring_enter");
	cqe = (void *)(cq + p.cq_off.cqes);
	return cqe->res;
}

static int by_uring(const struct where *w)
{
	int fd = make(w, SOCK_STREAM), r = ring_connect(fd, w);

	if (r) {
		fprintf(stderr, "connect by ring: %s\n", strerror(-r));
		return 1;
	}
	return talk(fd, w);
}

static int by_vfork(char **argv)
{
	int status = 0;
	pid_t pid = vfork();

	if (!pid) {
		execl("/proc/self/exe", "client", "tcp", argv[2], argv[3], argv[4], NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		die("vfork");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void send_fd(int over, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec io = { &byte, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control };
	struct cmsghdr *c;

	m.msg_controllen = sizeof(control);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(over, &m, 0) != 1)
		die("sendmsg");
}

static int take_fd(int over)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec io = { &byte, 1 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control };
	int fd;

	m.msg_controllen = sizeof(control);
	if (recvmsg(over, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* The child gets the socket by message, not by fork: it is made after the fork. */
static int by_pass(const struct where *w)
{
	int pair[2], status = 0, fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || (pid = fork()) < 0)
		die("pass");
	if (!pid) {
		fd = take_fd(pair[1]);
		if (connect(fd, (const struct sockaddr *)&w->addr, w->len))
			die("connect");
		_exit(talk(fd, w));
	}
	fd = make(w, SOCK_STREAM);
	send_fd(pair[0], fd);
	close(fd);
	printf("creator %d user %d\n", getpid(), pid);
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	struct where w;

	if (argc != 5) {
		fprintf(stderr, "usage: client tcp|udp|uring|tfo|vfork|pass ADDRESS PORT LINE\n");
		return 2;
	}
	w = parse(argv);
	if (!strcmp(argv[1], "tcp"))
		return by_tcp(&w);
	if (!strcmp(argv[1], "udp"))
		return by_udp(&w);
	if (!strcmp(argv[1], "uring"))
		return by_uring(&w);
	if (!strcmp(argv[1], "tfo"))
		return by_tfo(&w);
	if (!strcmp(argv[1], "vfork"))
		return by_vfork(argv);
	return by_pass(&w);
}
