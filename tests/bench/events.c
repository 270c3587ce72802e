/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one record costs the agent up to the point where its process is known: decode, gap count and
 * enrich, with the default table. Short processes are forked, run a program with two arguments and
 * end; the socket events are of processes that are already known.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "decode/gap.h"
#include "decode/record.h"
#include "enrich/enrich.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define SHORT_PROCESSES 300000
#define SOCKET_EVENTS   3000000
#define KNOWN           10000

struct bench {
	struct pk_enrich *enrich;
	struct pk_gap gap;
	uint32_t seq;
	uint64_t refused;
};

static void feed(struct bench *b, struct pk_hdr *hdr)
{
	struct pk_event ev;

	hdr->seq = b->seq++;
	pk_gap_see(&b->gap, hdr);
	if (pk_record_decode(&ev, hdr, hdr->size) < 0 || !pk_enrich_event(b->enrich, &ev))
		b->refused++;
}

static void fill_exec(struct pk_exec *e)
{
	static const char path[] = "curl\0bin\0usr", cwd[] = "alice\0home";
	static const char argv[] = "curl\0-s\0https://www.example.org/some/page.html";

	*e = (struct pk_exec){ .hdr = { .size = sizeof(*e), .type = PK_EV_EXEC } };
	memcpy(e->path, path, sizeof(path));
	memcpy(e->cwd, cwd, sizeof(cwd));
	memcpy(e->argv, argv, sizeof(argv));
	strcpy(e->filename, "/usr/bin/curl");
	e->path_len = sizeof(path);
	e->cwd_len = sizeof(cwd);
	e->argv_len = e->argv_total = sizeof(argv);
	e->task.cgroup = 1;
	strcpy(e->task.comm, "curl");
}

static void short_process(struct bench *b, struct pk_exec *exec, uint64_t i)
{
	struct pk_fork f = { .hdr = { .ts = 10 * i, .size = sizeof(f), .type = PK_EV_FORK } };
	struct pk_exit x = { .hdr = { .ts = 10 * i + 9, .size = sizeof(x), .type = PK_EV_EXIT } };

	f.task.id = (struct pk_proc_id){ .tgid = 1 + i % KNOWN, .start_ns = 1 };
	f.task.cgroup = 1;
	f.child = (struct pk_proc_id){ .tgid = 20000 + i % 4000000, .start_ns = 10 * i };
	exec->hdr.ts = 10 * i + 5;
	exec->task.id = x.task.id = f.child;
	x.task.cgroup = 1;
	feed(b, &f.hdr);
	feed(b, &exec->hdr);
	feed(b, &x.hdr);
}

static void print(const char *what, uint64_t events, uint64_t ns)
{
	printf("%-44s %6.0f ns each, %5.2f M events/s\n", what, (double)ns / events,
	       events * 1e3 / ns);
}

static void short_processes(struct bench *b, struct pk_exec *exec, uint64_t from, const char *what)
{
	uint64_t t0 = pk_clock_boot_ns();

	for (uint64_t i = 1; i <= SHORT_PROCESSES; i++)
		short_process(b, exec, from + i);
	print(what, 3 * SHORT_PROCESSES, pk_clock_boot_ns() - t0);
}

int main(void)
{
	_cleanup_(pk_conf_freep) struct pk_conf *conf = pk_conf_new();
	struct pk_sock s = { .hdr = { .size = sizeof(s), .type = PK_EV_SOCK },
			     .family = AF_INET,
			     .op = PK_SOCK_CONNECT };
	struct pk_exec exec;
	struct bench b = { 0 };
	struct rusage use;
	uint64_t t0;

	if (!conf || pk_enrich_new(conf, true, &b.enrich) < 0 || pk_gap_init(&b.gap, 1) < 0)
		return 1;
	fill_exec(&exec);
	for (uint32_t i = 1; i <= KNOWN; i++) {
		exec.task.id = (struct pk_proc_id){ .tgid = i, .start_ns = 1 };
		feed(&b, &exec.hdr);
	}
	b.enrich->containers.has_v1 = false;
	short_processes(&b, &exec, 0, "fork, exec and exit of short processes");
	b.enrich->containers.has_v1 = true;
	short_processes(&b, &exec, SHORT_PROCESSES, "the same where cgroup v1 has to be asked too");
	s.task.cgroup = 1;
	t0 = pk_clock_boot_ns();
	for (uint32_t i = 0; i < SOCKET_EVENTS; i++) {
		s.hdr.ts = 100 + 20ull * SHORT_PROCESSES + i;
		s.task.id = (struct pk_proc_id){ .tgid = 1 + i * 7919ull % KNOWN, .start_ns = 1 };
		feed(&b, &s.hdr);
	}
	print("socket events of 10,000 known processes", SOCKET_EVENTS, pk_clock_boot_ns() - t0);
	getrusage(RUSAGE_SELF, &use);
	printf("%u processes in the table, %llu evicted, %llu records refused, %.1f MiB RSS\n",
	       b.enrich->processes.used, (unsigned long long)b.enrich->processes.evicted,
	       (unsigned long long)b.refused, use.ru_maxrss / 1024.0);
	pk_gap_done(&b.gap);
	pk_enrich_free(b.enrich);
	return b.refused || b.gap.lost;
}
