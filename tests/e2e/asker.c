/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker with a pipeline that prints what it is told about block lists and asks what it reads
 * from a FIFO, line by line: `asker CONFIG FIFO`. Requests: grow N, save NAME TEXT, remove NAME,
 * admin IP, except IP, unexcept IP, hold, crash.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "base/log.h"
#include "conf/conf.h"
#include "probe/broker.h"
#include "probe/channel.h"
#include "probe/privs.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static uint64_t serial;

static void save(int chan, const char *name, const char *text)
{
	struct pk_msg_save m = { .head = { PK_MSG_SAVE, sizeof(m) }, .serial = ++serial };
	_cleanup_close_ int fd = text ? memfd_create("list", MFD_CLOEXEC) : -1;

	snprintf(m.name, sizeof(m.name), "%s", name);
	if (text && write(fd, text, strlen(text)) < 0)
		return;
	(void)pk_chan_send_fds(chan, &m.head, &fd, text != NULL, 0);
}

static void address(int chan, uint32_t type, const char *ip, uint32_t on)
{
	struct pk_msg_safe_addr m = { .head = { type, sizeof(m) }, .on = on };

	if (!pk_ip_parse(ip, m.addr))
		(void)pk_chan_send(chan, &m.head, 0);
}

static void ask(int chan, char *line)
{
	char *rest = line, *verb, *a, *b;

	line[strcspn(line, "\n")] = 0;
	verb = strsep(&rest, " ");
	a = strsep(&rest, " ");
	b = strsep(&rest, " ");
	if (!strcmp(verb, "crash"))
		abort();
	if (!strcmp(verb, "hold")) {
		uint32_t on[2] = { 1, 0 };

		(void)pk_chan_ask(chan, PK_MSG_HOLD, on, sizeof(on));
	}
	if (!strcmp(verb, "grow")) {
		uint32_t n[2] = { (uint32_t)atoi(a ? a : "0"), 0 };

		(void)pk_chan_ask(chan, PK_MSG_GROW, n, sizeof(n));
	}
	if (a && !strcmp(verb, "save"))
		save(chan, a, b);
	if (a && !strcmp(verb, "remove"))
		save(chan, a, NULL);
	if (a && !strcmp(verb, "admin"))
		address(chan, PK_MSG_SAFE_ADMIN, a, 0);
	if (a && !strcmp(verb, "except"))
		address(chan, PK_MSG_SAFE_EXCEPT, a, 1);
	if (a && !strcmp(verb, "unexcept"))
		address(chan, PK_MSG_SAFE_EXCEPT, a, 0);
}

static void print_safe(const char *what, const struct pk_msg_safe *m)
{
	char ip[PK_IP_TEXT];

	fprintf(stderr, "%s %s/%u %x\n", what, pk_ip_format(m->key.addr, ip), m->key.bits,
		m->kinds);
}

/* Also that a chunk can be written to, and what was written before. */
static void print_chunk(const struct pk_msg_chunk *m, int fd)
{
	size_t size = PK_BLK_CHUNK_LINES * sizeof(union pk_blk_line);
	uint64_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		fprintf(stderr, "chunk %u: %m\n", m->index);
		return;
	}
	fprintf(stderr, "chunk %u fresh=%u word=%llu\n", m->index, m->fresh,
		(unsigned long long)p[0]);
	p[0] = 1000 + m->index;
	munmap(p, size);
}

static void print_list(const struct pk_msg_saved_list *m, int fd)
{
	char text[64];
	ssize_t n = read(fd, text, sizeof(text));

	fprintf(stderr, "list %s previous=%u %.*s writable=%d\n", m->name, m->previous,
		n < 0 ? 0 : (int)n, text, write(fd, "x", 1) == 1);
}

static void print(const union pk_msg *m, const int *fds)
{
	switch (m->head.type) {
	case PK_MSG_BLOCK:
		fprintf(stderr, "block adopted=%u max=%u\n", m->block.adopted, m->block.chunks_max);
		break;
	case PK_MSG_CHUNK:
		print_chunk(&m->chunk, fds[0]);
		break;
	case PK_MSG_SAVED_LIST:
		print_list(&m->saved_list, fds[0]);
		break;
	case PK_MSG_SAFE:
		print_safe("safe", &m->safe);
		break;
	case PK_MSG_SAFE_GONE:
		print_safe("gone", &m->safe);
		break;
	case PK_MSG_GROW_FAILED:
		fprintf(stderr, "grow failed: %s\n", strerror(-m->result.result));
		break;
	case PK_MSG_SAVED:
		fprintf(stderr, "saved %s %llu: %s\n", m->saved.name,
			(unsigned long long)m->saved.serial, strerror(-m->saved.result));
		break;
	case PK_MSG_BLOCK_START:
		fprintf(stderr, "start\n");
		break;
	default:
		break;
	}
}

/* Ends when the broker does. */
static int pipeline(int fd, const char *fifo)
{
	FILE *in = fopen(fifo, "r+e");
	union pk_msg msg;
	char line[256];
	int fds[PK_FD_MAX], r;

	if (!in || pk_privs_none("picket") < 0)
		return 1;
	setvbuf(in, NULL, _IONBF, 0);
	for (;;) {
		struct pollfd p[2] = { { fd, POLLIN, 0 }, { fileno(in), POLLIN, 0 } };

		(void)poll(p, 2, -1);
		if (p[1].revents && fgets(line, sizeof(line), in))
			ask(fd, line);
		if (!p[0].revents)
			continue;
		r = pk_chan_recv(fd, &msg, fds);
		if (r > 0)
			print(&msg, fds);
		for (int i = 0; r > 0 && i < PK_FD_MAX; i++)
			pk_closep(&fds[i]);
		if (r == 0)
			return 0;
	}
}

static pid_t spawn(void *arg, const struct pk_conf *conf, int fd)
{
	pid_t pid = fork();

	(void)conf;
	if (pid)
		return pid;
	signal(SIGTERM, SIG_IGN);
	close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
	_exit(pipeline(fd, arg));
}

int main(int argc, char **argv)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = {};
	struct pk_broker_opts opts = { .spawn = spawn };
	sigset_t set;

	if (argc != 3 || pk_conf_load(argv[1], &errors, &opts.conf) < 0)
		return 2;
	opts.conf_file = argv[1];
	opts.arg = argv[2];
	pk_log_init("asker", PK_LOG_INFO);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (pk_privs_broker() < 0)
		return 2;
	return pk_broker_run(&opts) < 0;
}
