/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the process and socket programs: loads and attaches them to the running system,
 * keeps the records they send, does things in child processes. Other processes of the machine are
 * seen, too: tests look for their own by pid.
 */
#pragma once

#include "base/cleanup.h"
#include "picket.skel.h"
#include "probe/hooks.h"
#include "probe/object.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include <cmocka.h>

#define EV_LINKS 64
#define EV_RINGS 2
#define EV_MAX   400000

static struct {
	struct pk_object *object;
	struct bpf_link *link[EV_LINKS];
	size_t links;
	struct ring_buffer *ring;
	int rings[EV_RINGS];
	struct pk_hdr **rec;
	size_t n, room;
	int cgroup;
	/* Set before ev_load(): one packet program more, and what flows are to carry. */
	const char *also;
	uint64_t netns;
} ev = { .cgroup = -1 };

static inline int ev_keep(void *ctx, void *data, size_t size)
{
	struct pk_hdr *copy;

	(void)ctx;
	if (ev.n == EV_MAX)
		return 0;
	if (ev.n == ev.room) {
		ev.room = ev.room ? ev.room * 2 : 1024;
		ev.rec = realloc(ev.rec, ev.room * sizeof(*ev.rec));
		assert_non_null(ev.rec);
	}
	copy = malloc(size);
	assert_non_null(copy);
	memcpy(copy, data, size);
	assert_int_equal(copy->size, size);
	ev.rec[ev.n++] = copy;
	return 0;
}

/* A ring's two counters lie on its first two pages: how far it was read, how far it is written. */
static inline unsigned long ev_ring_at(int fd, bool written)
{
	long page = sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, (size_t)page, PROT_READ, MAP_SHARED, fd, written ? page : 0);
	unsigned long at;

	assert_true(p != MAP_FAILED);
	at = __atomic_load_n((unsigned long *)p, __ATOMIC_ACQUIRE);
	munmap(p, (size_t)page);
	return at;
}

/*
 * Takes over what the rings hold now. A record that another processor is about to write hides those
 * behind it until it is done: waited for.
 */
static inline void ev_read(void)
{
	for (size_t i = 0; i < EV_RINGS; i++) {
		unsigned long end = ev_ring_at(ev.rings[i], true);

		do {
			assert_true(ring_buffer__consume(ev.ring) >= 0);
		} while (ev_ring_at(ev.rings[i], false) < end && sched_yield() == 0);
	}
}

static inline void ev_clear(void)
{
	ev_read();
	while (ev.n)
		free(ev.rec[--ev.n]);
}

/* The next record of a type after *at, NULL at the end. Start with *at = 0. */
static inline void *ev_next(uint16_t type, size_t *at)
{
	while (*at < ev.n) {
		struct pk_hdr *h = ev.rec[(*at)++];

		if (h->type == type)
			return h;
	}
	return NULL;
}

static inline bool ev_same(const struct pk_proc_id *a, const struct pk_proc_id *b)
{
	return a->tgid == b->tgid && a->start_ns == b->start_ns;
}

static inline struct pk_exec *ev_exec(pid_t pid)
{
	struct pk_exec *e, *last = NULL;
	size_t at = 0;

	while ((e = ev_next(PK_EV_EXEC, &at)))
		if (e->task.id.tgid == (uint32_t)pid && !(e->hdr.flags & PK_EVF_SNAPSHOT))
			last = e;
	return last;
}

static inline struct pk_fork *ev_fork(pid_t child)
{
	struct pk_fork *f;
	size_t at = 0;

	while ((f = ev_next(PK_EV_FORK, &at)))
		if (f->child.tgid == (uint32_t)child)
			return f;
	return NULL;
}

static inline struct pk_exit *ev_exit(pid_t pid)
{
	struct pk_exit *x;
	size_t at = 0;

	while ((x = ev_next(PK_EV_EXIT, &at)))
		if (x->task.id.tgid == (uint32_t)pid)
			return x;
	return NULL;
}

/* The n-th (from 0) act of that kind by pid. */
static inline struct pk_act *ev_act(pid_t pid, uint32_t kind, unsigned int n)
{
	struct pk_act *a;
	size_t at = 0;

	while ((a = ev_next(PK_EV_ACT, &at)))
		if (a->task.id.tgid == (uint32_t)pid && a->kind == kind && n-- == 0)
			return a;
	return NULL;
}

/* Does fn in a child and waits for it; its exit status must be 0. */
static inline pid_t ev_run(int (*fn)(void *), void *arg)
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn(arg));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	ev_read();
	if (status != 0)
		print_error("child of test: status %#x\n", status);
	assert_int_equal(status, 0);
	return pid;
}

static inline int ev_open_cgroup(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/mounts", "re");
	char where[256], type[64];

	while (f && fscanf(f, "%*s %255s %63s %*[^\n]", where, type) == 2)
		if (strcmp(type, "cgroup2") == 0)
			return open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return -1;
}

static inline bool ev_is_ours(const char *section)
{
	return strncmp(section, "tp_btf/", 7) == 0 || strncmp(section, "cgroup", 6) == 0 ||
	       strncmp(section, "iter/", 5) == 0;
}

static inline int ev_attach(struct bpf_program *p)
{
	const char *section = bpf_program__section_name(p);
	struct bpf_link *link;

	if (!ev_is_ours(section) || bpf_program__fd(p) < 0 || strncmp(section, "iter/", 5) == 0)
		return 0;
	link = strncmp(section, "cgroup", 6) == 0 ? bpf_program__attach_cgroup(p, ev.cgroup)
						  : bpf_program__attach(p);
	if (!link || ev.links == EV_LINKS)
		return -1;
	ev.link[ev.links++] = link;
	return 0;
}

/* Loads our programs; attaches all but the iterators when asked to. */
static inline int ev_load(void)
{
	struct pk_object_opts opts = { .slots = 1024, .netns = ev.netns };
	struct bpf_program *p;
	struct picket_bpf *skel;

	ev.cgroup = ev_open_cgroup();
	if (ev.cgroup < 0 || pk_object_open(&opts, &ev.object) < 0)
		return -1;
	skel = pk_object_skel(ev.object);
	bpf_object__for_each_program(p, skel->obj) if (!ev_is_ours(bpf_program__section_name(p)))
		bpf_program__set_autoload(p, ev.also && !strcmp(bpf_program__name(p), ev.also));
	if (pk_hooks_prepare(skel) < 0 || pk_object_load(ev.object) < 0)
		return -1;
	ev.rings[0] = bpf_map__fd(skel->maps.pk_rb_proc);
	ev.rings[1] = bpf_map__fd(skel->maps.pk_rb_sock);
	ev.ring = ring_buffer__new(ev.rings[0], ev_keep, NULL, NULL);
	if (!ev.ring)
		return -1;
	return ring_buffer__add(ev.ring, ev.rings[1], ev_keep, NULL);
}

static inline int ev_attach_all(void)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, pk_object_bpf(ev.object)) if (ev_attach(p) < 0) return -1;
	return 0;
}

static inline void ev_free(void)
{
	while (ev.links)
		bpf_link__destroy(ev.link[--ev.links]);
	ring_buffer__free(ev.ring);
	pk_object_free(ev.object);
	if (ev.cgroup >= 0)
		close(ev.cgroup);
	while (ev.n)
		free(ev.rec[--ev.n]);
	free(ev.rec);
	memset(&ev, 0, sizeof(ev));
}

/* Reads an iterator to its end; records go where those of the rings go. Returns how many. */
static inline int ev_iterate(const char *prog, size_t record)
{
	struct bpf_program *p = bpf_object__find_program_by_name(pk_object_bpf(ev.object), prog);
	struct bpf_link *link = bpf_program__attach_iter(p, NULL);
	char buf[1 << 16];
	size_t have = 0;
	int fd, n = 0;
	ssize_t r;

	assert_non_null(link);
	fd = bpf_iter_create(bpf_link__fd(link));
	assert_true(fd >= 0);
	while ((r = read(fd, buf + have, sizeof(buf) - have)) > 0) {
		size_t at = 0;

		for (have += r; have - at >= record; at += record, n++)
			ev_keep(NULL, buf + at, record);
		memmove(buf, buf + at, have - at);
		have -= at;
	}
	assert_int_equal(r, 0);
	assert_int_equal(have, 0);
	close(fd);
	bpf_link__destroy(link);
	return n;
}

static inline struct pk_event_count ev_count(uint32_t hook)
{
	struct pk_event_count sum = { 0 }, cpu[256];
	int cpus = libbpf_num_possible_cpus();

	assert_in_range(cpus, 1, 256);
	assert_int_equal(bpf_map_lookup_elem(pk_object_map_fd(ev.object, "pk_ev_cnt"), &hook, cpu),
			 0);
	for (int i = 0; i < cpus; i++) {
		sum.seen += cpu[i].seen;
		sum.submitted += cpu[i].submitted;
		sum.ring_full += cpu[i].ring_full;
		sum.map_full += cpu[i].map_full;
		sum.oversized += cpu[i].oversized;
		sum.filtered += cpu[i].filtered;
	}
	return sum;
}

/* To be asked when nothing is attached any more: then no event is under way. */
static inline void ev_assert_equation(void)
{
	for (uint32_t hook = 0; hook < PK_EH_MAX; hook++) {
		struct pk_event_count c = ev_count(hook);

		if (c.seen != c.submitted + c.ring_full + c.map_full + c.oversized + c.filtered)
			print_error("hook %u: seen %llu, submitted %llu, filtered %llu\n", hook,
				    c.seen, c.submitted, c.filtered);
		assert_int_equal(c.seen,
				 c.submitted + c.ring_full + c.map_full + c.oversized + c.filtered);
	}
}

static inline void ev_detach_all(void)
{
	while (ev.links)
		bpf_link__destroy(ev.link[--ev.links]);
}
