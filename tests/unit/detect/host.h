/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host for detectors that look at processes: what happens is told as records, as the kernel side
 * tells them, to the real process and socket tables and then to the detector. Time is seconds.
 */
#pragma once

#include "decode/record.h"
#include "enrich/enrich.h"
#include "flow/socket.h"
#include "see.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

#define HOST_SEC 1000000000ull

static struct {
	struct pk_conf *conf;
	uint64_t now_ns;
} host;

static inline void host_begin(const char *only)
{
	host.conf = pk_conf_new();
	host.now_ns = 1000 * HOST_SEC;
	assert_int_equal(pk_enrich_new(host.conf, false, &seen.world.enrich), 0);
	seen.world.socks = pk_sock_table_new(64);
	see_begin(only);
}

static inline void host_end(void)
{
	struct pk_enrich *e = seen.world.enrich;
	struct pk_sock_table *t = seen.world.socks;

	see_end();
	pk_enrich_free(e);
	pk_sock_table_free(t);
	pk_conf_free(host.conf);
}

/* A key of the detector's, for what happens from now on. */
static inline void host_set(const char *key, const char *value)
{
	assert_int_equal(pk_conf_set(seen.conf, key, value, NULL), 0);
}

static inline void host_wait(double seconds)
{
	host.now_ns += (uint64_t)(seconds * (double)HOST_SEC);
}

static inline struct pk_proc_id host_id(uint32_t pid)
{
	return (struct pk_proc_id){ .tgid = pid, .start_ns = pid };
}

static inline struct pk_hdr host_hdr(uint16_t type, size_t size)
{
	host.now_ns += 1000000;
	return (struct pk_hdr){ .ts = host.now_ns, .size = (uint32_t)size, .type = type };
}

static inline void host_show(const void *rec, size_t size)
{
	struct pk_see s = { .now_ns = host.now_ns };
	struct pk_event ev;

	assert_int_equal(pk_record_decode(&ev, rec, size), 0);
	s.ev = &ev;
	s.proc = pk_enrich_event(seen.world.enrich, &ev);
	if (ev.type == PK_EV_SOCK)
		(void)pk_sock_table_update(seen.world.socks, ev.sock);
	s.kind = ev.type == PK_EV_EXEC   ? PK_SEE_EXEC
		 : ev.type == PK_EV_EXIT ? PK_SEE_EXIT
		 : ev.type == PK_EV_ACT  ? PK_SEE_ACT
		 : ev.type == PK_EV_SOCK ? PK_SEE_SOCK
					 : PK_SEE_KINDS;
	if (s.kind != PK_SEE_KINDS)
		pk_detect_see(seen.detect, &s);
}

static inline void host_fork(uint32_t pid, uint32_t child)
{
	struct pk_fork r = { .hdr = host_hdr(PK_EV_FORK, sizeof(r)),
			     .task = { .id = host_id(pid) },
			     .child = host_id(child) };
	const struct pk_process *p = pk_process_by_pid(&seen.world.enrich->processes, pid);

	r.task.id.uid = r.child.uid = p ? p->id.uid : 0;
	host_show(&r, sizeof(r));
}

static inline void host_exit(uint32_t pid)
{
	struct pk_exit r = { .hdr = host_hdr(PK_EV_EXIT, sizeof(r)),
			     .task = { .id = host_id(pid) } };

	host_show(&r, sizeof(r));
}

/* What is not said of an exec. Set before one, it counts for that one only. */
static struct {
	const char *stdio; /* a letter each: f file, p pipe, t tty, n /dev/null, i inet, u unix */
	const char *filename; /* as given to execve */
	uint64_t cookie, ctime_s, ino, caps;
	uint32_t uid, euid, flags, mode;
	bool snapshot;
} with;

static inline uint8_t host_stdio(char c)
{
	static const char letters[] = "-fptniu";
	const char *at = strchr(letters, c);

	assert_non_null(at);
	return (uint8_t)(at - letters);
}

/* "/usr/bin/curl" as the kernel side has it: innermost first. */
static inline void host_path(struct pk_exec *e, const char *path)
{
	const char *end = path + strlen(path);

	for (const char *s = end; s > path; s--)
		if (s[-1] == '/') {
			memcpy(e->path + e->path_len, s, (size_t)(end - s));
			e->path_len += (uint32_t)(end - s) + 1;
			end = s - 1;
		}
}

/* pid, a child of parent, runs path with these arguments (between blanks). */
static inline void host_exec(uint32_t pid, uint32_t parent, const char *path, const char *line)
{
	static struct pk_exec e;
	size_t len = strlen(line);

	e = (struct pk_exec){ .hdr = host_hdr(PK_EV_EXEC, sizeof(e)),
			      .task = { .id = host_id(pid) },
			      .parent = host_id(parent),
			      .exe_ino = with.ino,
			      .exe_mode = with.mode ? with.mode : 0100755,
			      .exe_ctime_s = with.ctime_s,
			      .exec_flags = with.flags,
			      .uid = with.uid,
			      .euid = with.euid                    ? with.euid
				      : with.flags & PK_EXEC_SETID ? 0
								   : with.uid,
			      .cap_permitted = with.caps,
			      .stdio_cookie = with.cookie };
	e.task.id.uid = e.euid;
	e.hdr.flags = with.snapshot ? PK_EVF_SNAPSHOT : 0;
	for (int i = 0; with.stdio && i < 3; i++)
		e.stdio[i] = host_stdio(with.stdio[i]);
	if (with.filename)
		snprintf(e.filename, sizeof(e.filename), "%s", with.filename);
	host_path(&e, path);
	memcpy(e.argv, line, len);
	for (size_t i = 0; i < len; i++)
		if (e.argv[i] == ' ')
			e.argv[i] = '\0';
	e.argv_len = e.argv_total = (uint32_t)len + 1;
	host_show(&e, sizeof(e));
	memset(&with, 0, sizeof(with));
}

static inline struct pk_task host_task(uint32_t pid)
{
	const struct pk_process *p = pk_process_by_pid(&seen.world.enrich->processes, pid);

	return (struct pk_task){ .id = { .tgid = pid, .start_ns = pid, .uid = p ? p->id.uid : 0 } };
}

static inline void host_act(uint32_t pid, uint32_t kind, uint64_t a0, uint64_t a1, uint64_t a2,
			    uint32_t target)
{
	struct pk_act a = { .hdr = host_hdr(PK_EV_ACT, sizeof(a)),
			    .task = host_task(pid),
			    .kind = kind,
			    .arg = { a0, a1, a2 } };

	if (target)
		a.target = host_id(target);
	host_show(&a, sizeof(a));
}

/* Something of a TCP socket between 10.0.0.1:local and remote:port. */
static inline void host_sock(uint32_t pid, uint8_t op, uint64_t cookie, uint16_t local,
			     const char *remote, uint16_t port)
{
	struct pk_sock s = { .hdr = host_hdr(PK_EV_SOCK, sizeof(s)),
			     .task = host_task(pid),
			     .owner = { .creator = host_id(pid),
					.user = host_id(pid),
					.cookie = cookie,
					.flags = op == PK_SOCK_ACCEPT ? PK_OWNER_ACCEPTED : 0 },
			     .laddr = { [10] = 0xff, 0xff, 10, 0, 0, 1 },
			     .lport = htons(local),
			     .rport = htons(port),
			     .family = AF_INET,
			     .l4 = IPPROTO_TCP,
			     .op = op };

	if (strchr(remote, ':')) {
		s.family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, remote, s.raddr), 1);
	} else {
		s.raddr[10] = s.raddr[11] = 0xff;
		assert_int_equal(inet_pton(AF_INET, remote, s.raddr + 12), 1);
	}
	host_show(&s, sizeof(s));
}

static inline void host_dup(uint32_t pid, unsigned fd, uint64_t cookie)
{
	host_act(pid, PK_ACT_STDIO_SOCKET, fd, cookie, AF_INET, 0);
}

/* n findings so far, and the last has this technique, at least this severity, and words that people
 * understand. */
static inline void host_found(size_t n, const char *technique, enum pk_severity severity)
{
	const struct pk_finding *f = &seen.finding[n - 1];
	bool has = false;
	size_t words = 1;

	if (seen.n != n)
		fail_msg("%zu findings, not %zu", seen.n, n);
	for (size_t i = 0; i < PK_TECHNIQUES_MAX && f->technique[i]; i++)
		has |= strcmp(f->technique[i], technique) == 0;
	assert_true(has);
	assert_int_equal(f->severity, severity);
	for (const char *s = f->plain; *s; s++)
		words += *s == ' ';
	assert_in_range(words, 5, 25);
	assert_true(f->detail[0] && f->procs > 0);
}
