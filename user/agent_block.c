/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins the block lists to their surroundings: maps that the broker shares, files that it keeps,
 * the safe set that it watches over; interfaces, containers and users as the pipeline knows them.
 */
#include "agent_block.h"

#include "api/state.h"
#include "api/view.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "block/block.h"
#include "block/grace.h"
#include "conf/conf.h"
#include "enrich/enrich.h"
#include "flow/link.h"
#include "pipeline.h"
#include "probe/ring.h"
#include "probe/verdicts.h"

#include <errno.h>
#include <event2/event.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define SLICE_NS         4000000ull
#define WAIT_MS          1000
#define VERDICTS_AT_ONCE 4096

struct pk_agent_block {
	const struct pk_conf *conf;
	struct pk_pipeline *pipeline;
	struct pk_view *view;
	struct pk_block *block;
	struct event_base *loop;
	struct event *step; /* there is work to do */
	struct event *ring_ev;
	struct pk_ring_reader *ring;
	int broker, cnt_fd, who_fd, ring_fd, names_fd, drain_fd, journal_fd[2];
	uint64_t *roots;
	struct pk_blk_ctl *ctl;
	struct pk_blk_list *lists;
	struct pk_dns_ctl *dns;
	struct pk_grace *grace;
	struct pk_blk_count *per_cpu;
	int cpus;
	bool adopted, waiting;
};

static int64_t wall_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wake(struct pk_agent_block *a)
{
	struct timeval now = { 0 };

	if (!a->waiting)
		(void)event_add(a->step, &now); /* the tick comes anyway */
	a->waiting = true;
}

static int op_grow(void *arg, uint32_t n)
{
	const struct pk_agent_block *a = arg;
	struct pk_msg_grow m = { .n = n };

	return pk_chan_ask(a->broker, PK_MSG_GROW, (char *)&m + sizeof(m.head),
			   sizeof(m) - sizeof(m.head));
}

static int op_save(void *arg, const char *list, uint64_t serial, int fd)
{
	const struct pk_agent_block *a = arg;
	struct pk_msg_save m = { .head = { PK_MSG_SAVE, sizeof(m) }, .serial = serial };

	(void)snprintf(m.name, sizeof(m.name), "%s", list);
	return pk_chan_send_fds(a->broker, &m.head, &fd, fd >= 0, WAIT_MS);
}

static int op_journal(void *arg, unsigned file, const void *bytes, size_t n)
{
	const struct pk_agent_block *a = arg;
	int fd = a->journal_fd[file], r;
	ssize_t done;
	off_t at;

	if (fd < 0)
		return 0; /* told by the broker; half a second later it is in the list's file */
	at = n ? lseek(fd, 0, SEEK_END) : 0;
	done = at < 0 || !n ? at : write(fd, bytes, n);
	if (done == (ssize_t)n && n)
		return 0;
	r = done < 0 ? -errno : n ? -ENOSPC : 0;
	if (at >= 0 && ftruncate(fd, at) < 0 && r == 0)
		r = -errno;
	return r;
}

static void op_hold(void *arg, bool on)
{
	const struct pk_agent_block *a = arg;
	struct pk_msg_hold m = { .head = { PK_MSG_HOLD, sizeof(m) }, .on = on };
	int r = pk_chan_send(a->broker, &m.head, WAIT_MS);

	if (r < 0)
		pk_error("the broker can not be told to keep the hooks: %s", strerror(-r));
}

static int op_except(void *arg, const uint8_t addr[16], bool on)
{
	const struct pk_agent_block *a = arg;
	struct pk_msg_safe_addr m = { .head = { PK_MSG_SAFE_EXCEPT, sizeof(m) }, .on = on };

	memcpy(m.addr, addr, sizeof(m.addr));
	return pk_chan_send(a->broker, &m.head, WAIT_MS);
}

static uint32_t op_ifindex(void *arg, const char *name)
{
	const struct pk_agent_block *a = arg;
	const struct pk_link *k;

	for (size_t i = 0; (k = pk_links_at(a->view->ocsf.links, i)); i++)
		if (!*k->netns_name && strcmp(k->name, name) == 0)
			return k->ifindex;
	return 0;
}

static void op_ifname(void *arg, uint32_t ifindex, char ret[16])
{
	const struct pk_agent_block *a = arg;
	const struct pk_link *k;

	for (size_t i = 0; (k = pk_links_at(a->view->ocsf.links, i)); i++)
		if (!*k->netns_name && k->ifindex == ifindex)
			memcpy(ret, k->name, sizeof(k->name));
}

static int op_who(void *arg, const struct pk_blk_who_key *key, uint32_t line)
{
	const struct pk_agent_block *a = arg;

	return pk_verdicts_set_who(a->who_fd, key, line);
}

static int op_refuse(void *arg, const struct pk_dns_key *key, const struct pk_dns_name *value)
{
	const struct pk_agent_block *a = arg;

	return pk_verdicts_set_name(a->names_fd, key, value);
}

static int op_refused(void *arg, const struct pk_dns_key *key, struct pk_dns_name *ret)
{
	const struct pk_agent_block *a = arg;

	return pk_verdicts_get_name(a->names_fd, key, ret);
}

static int op_count(void *arg, unsigned list, bool reset, struct pk_blk_count *ret)
{
	const struct pk_agent_block *a = arg;
	int r = 0;

	if (list >= PK_BLK_LISTS)
		return -EINVAL;
	if (reset)
		r = pk_verdicts_count_anew(a->cnt_fd, list, a->per_cpu, a->cpus);
	return r < 0 ? r : pk_verdicts_count(a->cnt_fd, list, a->per_cpu, a->cpus, ret);
}

/* False: a processor is just counting a packet, whenever it is asked; what it has pending stays. */
static bool drain(const struct pk_agent_block *a)
{
	int r = pk_verdicts_drain(a->drain_fd, a->cpus);

	if (r < 0)
		pk_debug("hits of some packets are not in their entries yet: %s", strerror(-r));
	return r != -EBUSY; /* of others no later try makes more */
}

static void op_drain(void *arg)
{
	(void)drain(arg); /* counters of now are as good as can be had */
}

void pk_agent_block_drain(struct pk_agent_block *a)
{
	if (a->ctl && a->ctl->have & (PK_BLK_HAVE_V4 | PK_BLK_HAVE_V6)) /* else wake nobody */
		op_drain(a);
}

/* What was freed is nobody's when no packet program reads it and no pending hit is for it. */
static bool mem_wait(void *arg)
{
	(void)pk_grace_wait(NULL); /* always true */
	return drain(arg);
}

static uint64_t mem_begin(void *arg)
{
	return pk_grace_begin(((struct pk_agent_block *)arg)->grace);
}

static bool mem_is_over(void *arg, uint64_t moment)
{
	const struct pk_agent_block *a = arg;

	return pk_grace_is_over(a->grace, moment) && drain(a);
}

static int op_container(void *arg, const char *name, uint64_t *ret, size_t max)
{
	const struct pk_agent_block *a = arg;
	const struct pk_containers *c = &a->view->ocsf.enrich->containers;
	char text[PK_CONTAINER_ID_LEN];
	size_t n = 0;

	for (uint32_t i = 0; i < c->max && n < max; i++) {
		const struct pk_container *k = &c->slot[i];

		if (!k->path || !*k->cgroup.id || k->key & PK_CONTAINER_V1)
			continue;
		if (strcmp(pk_container_name(k, text), name) == 0 ||
		    (strlen(name) >= 12 && strncmp(k->cgroup.id, name, strlen(name)) == 0))
			ret[n++] = k->key;
	}
	return n ? (int)n : -ENOENT;
}

static int op_cgroup(void *arg, const char *path, uint64_t *ret)
{
	const struct pk_agent_block *a = arg;
	const char *root = a->view->ocsf.enrich->containers.root;
	char full[4096];
	struct stat st;

	if (!root || strstr(path, "..") ||
	    snprintf(full, sizeof(full), "%s/%s", root, path) >= (int)sizeof(full))
		return -ENOENT;
	if (stat(full, &st) < 0)
		return -errno;
	*ret = st.st_ino; /* of a directory of cgroup v2 it is the id */
	return 0;
}

static int op_user(void *arg, const char *name, uint64_t *ret)
{
	const struct passwd *p = getpwnam(name);
	char *end;

	(void)arg;
	if (p) {
		*ret = p->pw_uid;
		return 0;
	}
	*ret = strtoul(name, &end, 10);
	return *name && !*end ? 0 : -ENOENT;
}

static void op_notice(void *arg, const char *text)
{
	struct pk_agent_block *a = arg;

	pk_warn("%s", text);
	pk_state_notice(a->view->state, pk_clock_boot_ns(), PK_LOG_WARN, text);
}

static void op_work(void *arg)
{
	wake(arg);
}

void pk_agent_block_admin(const struct pk_agent_block *a, const uint8_t addr[16])
{
	struct pk_msg_safe_addr m = { .head = { PK_MSG_SAFE_ADMIN, sizeof(m) }, .on = 1 };

	memcpy(m.addr, addr, sizeof(m.addr));
	(void)pk_chan_send(a->broker, &m.head, 0); /* told again with the next request */
}

int pk_agent_block_detach(const struct pk_agent_block *a)
{
	return pk_chan_ask(a->broker, PK_MSG_DETACH, NULL, 0);
}

/* A slice of work, then the rest of the loop has its turn. */
static void on_step(evutil_socket_t fd, short what, void *arg)
{
	struct pk_agent_block *a = arg;
	uint64_t now = pk_clock_boot_ns(), next;
	struct timeval tv = { 0 };

	(void)fd, (void)what;
	a->waiting = false;
	if (!a->block)
		return;
	next = pk_block_next_ns(a->block);
	if (next && next <= now)
		pk_block_tick(a->block, wall_ms(), now);
	if (pk_block_step(a->block, SLICE_NS)) {
		wake(a);
		return;
	}
	next = pk_block_next_ns(a->block);
	if (!next)
		return;
	now = pk_clock_boot_ns();
	next = next > now + 10000000 ? next - now : 10000000;
	tv.tv_sec = (time_t)(next / 1000000000);
	tv.tv_usec = (suseconds_t)(next / 1000 % 1000000);
	(void)event_add(a->step, &tv);
}

void pk_agent_block_tick(struct pk_agent_block *a)
{
	if (!a->block)
		return;
	pk_block_tick(a->block, wall_ms(), pk_clock_boot_ns());
	wake(a);
}

void pk_agent_block_links_changed(struct pk_agent_block *a)
{
	if (a->block)
		pk_block_links_changed(a->block);
}

static void *map(int fd, size_t size)
{
	void *p = mmap(NULL, (size + 4095) & ~4095ul, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void on_verdict(void *arg, const void *rec, size_t size)
{
	const struct pk_agent_block *a = arg;

	(void)pk_pipeline_feed(a->pipeline, rec, size); /* counted by reason */
}

static void on_ring(evutil_socket_t fd, short what, void *arg)
{
	const struct pk_agent_block *a = arg;

	(void)fd, (void)what;
	(void)pk_ring_read(a->ring, VERDICTS_AT_ONCE); /* stuck: status shows records not read */
}

static int open_ring(struct pk_agent_block *a)
{
	int r = pk_ring_open(a->ring_fd, on_verdict, a, &a->ring);

	if (r < 0)
		return r;
	a->ring_ev = event_new(a->loop, pk_ring_fd(a->ring), EV_READ | EV_PERSIST, on_ring, a);
	return a->ring_ev && event_add(a->ring_ev, NULL) == 0 ? 0 : -ENOMEM;
}

static int take_maps(struct pk_agent_block *a, const struct pk_msg_block *m, int fds[PK_FD_MAX])
{
	struct pk_block_ops ops = { .grow = op_grow,
				    .save = op_save,
				    .journal = op_journal,
				    .hold = op_hold,
				    .except = op_except,
				    .ifindex = op_ifindex,
				    .ifname = op_ifname,
				    .who = op_who,
				    .refuse = op_refuse,
				    .refused = op_refused,
				    .count = op_count,
				    .drain = op_drain,
				    .container = op_container,
				    .cgroup = op_cgroup,
				    .user = op_user,
				    .notice = op_notice,
				    .work = op_work,
				    .arg = a };
	struct pk_trie_memory mem = {
		.wait = mem_wait, .begin = mem_begin, .is_over = mem_is_over, .arg = a
	};
	int r;

	if (a->block)
		return -EPROTO;
	a->roots = map(fds[PK_BLK_FD_ROOTS], PK_BLK_ROOT_WORDS * sizeof(uint64_t));
	a->ctl = map(fds[PK_BLK_FD_CTL], sizeof(*a->ctl));
	a->lists = map(fds[PK_BLK_FD_LISTS], PK_BLK_LISTS * sizeof(*a->lists));
	a->dns = map(fds[PK_BLK_FD_DNS_CTL], sizeof(*a->dns));
	a->cpus = pk_verdicts_cpus();
	if (a->cpus > 0)
		a->per_cpu = calloc((size_t)a->cpus, sizeof(*a->per_cpu));
	if (!a->roots || !a->ctl || !a->lists || !a->dns || !a->per_cpu)
		return -ENOMEM;
	a->cnt_fd = PK_TAKE_FD(fds[PK_BLK_FD_CNT]);
	a->who_fd = PK_TAKE_FD(fds[PK_BLK_FD_WHO]);
	a->ring_fd = PK_TAKE_FD(fds[PK_BLK_FD_RB]);
	a->names_fd = PK_TAKE_FD(fds[PK_BLK_FD_DNS_NAMES]);
	a->drain_fd = PK_TAKE_FD(fds[PK_BLK_FD_DRAIN]);
	r = open_ring(a);
	if (!r)
		r = pk_grace_new(&a->grace);
	if (r < 0)
		return r;
	a->adopted = m->adopted;
	mem.roots = a->roots;
	mem.ctl = a->ctl;
	r = pk_block_new(a->conf, &ops, &mem, a->lists, &a->block);
	return r;
}

static int take_chunk(struct pk_agent_block *a, const struct pk_msg_chunk *m, int fd)
{
	union pk_blk_line *lines = map(fd, PK_BLK_CHUNK_LINES * sizeof(*lines));

	if (!lines)
		return -ENOMEM;
	wake(a);
	return pk_block_add_chunk(a->block, m->index, lines);
}

/* A file whole, as the broker bounds its size; to be unmapped if *ret_size. */
static int map_file(int fd, const void **ret, size_t *ret_size)
{
	struct stat st;
	void *p = NULL;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	*ret = p ? p : "";
	*ret_size = (size_t)st.st_size;
	return 0;
}

static int take_saved(struct pk_agent_block *a, const struct pk_msg_saved_list *m, int fd)
{
	const void *p;
	size_t n;
	int r = map_file(fd, &p, &n);

	if (r < 0)
		return r;
	r = pk_block_add_saved(a->block, m->name, m->previous, p, n);
	if (n)
		(void)munmap((void *)p, n);
	if (r < 0 && r != -EBADMSG)
		return r;
	return 0; /* a damaged one is told at the start */
}

static int take_journal(struct pk_agent_block *a, int fds[2])
{
	int r = 0;

	for (unsigned i = 0; i < 2 && r == 0; i++) {
		const void *p;
		size_t n;

		a->journal_fd[i] = PK_TAKE_FD(fds[i]);
		r = map_file(a->journal_fd[i], &p, &n);
		if (r < 0)
			break;
		r = pk_block_add_journal(a->block, i, p, n);
		if (n)
			(void)munmap((void *)p, n);
	}
	return r;
}

static void add_who(void *arg, const struct pk_blk_who_key *key, uint32_t line)
{
	const struct pk_agent_block *a = arg;

	(void)pk_block_add_who(a->block, key, line); /* full: made anew */
}

static void add_name(void *arg, const struct pk_dns_key *key)
{
	const struct pk_agent_block *a = arg;

	(void)pk_block_add_refused(a->block, key); /* no memory: it stays, and is refused */
}

static int start(struct pk_agent_block *a)
{
	int r = pk_verdicts_each_who(a->who_fd, add_who, a);

	pk_block_set_dns(a->block, a->dns);
	if (r == 0)
		r = pk_verdicts_each_name(a->names_fd, add_name, a);
	if (r == 0)
		r = pk_block_start(a->block, wall_ms(), pk_clock_boot_ns());
	if (r < 0)
		return r;
	a->view->block = a->block;
	wake(a);
	return 0;
}

static int take(struct pk_agent_block *a, const union pk_msg *m, int fds[PK_FD_MAX])
{
	if (m->head.type == PK_MSG_BLOCK)
		return take_maps(a, &m->block, fds);
	if (!a->block)
		return -EPROTO;
	switch (m->head.type) {
	case PK_MSG_CHUNK:
		return take_chunk(a, &m->chunk, fds[0]);
	case PK_MSG_SAVED_LIST:
		return take_saved(a, &m->saved_list, fds[0]);
	case PK_MSG_JOURNAL:
		return take_journal(a, fds);
	case PK_MSG_SAFE:
		return pk_block_safe(a->block, &m->safe.key, m->safe.kinds);
	case PK_MSG_SAFE_GONE:
		return pk_block_safe(a->block, &m->safe.key, 0);
	case PK_MSG_BLOCK_START:
		return start(a);
	case PK_MSG_GROW_FAILED:
		pk_block_grow_failed(a->block, m->result.result);
		wake(a);
		return 0;
	default:
		pk_block_saved(a->block, m->saved.name, m->saved.serial, m->saved.result);
		wake(a);
		return 0;
	}
}

bool pk_agent_block_take(struct pk_agent_block *a, const union pk_msg *m, int fds[PK_FD_MAX])
{
	int r;

	if ((m->head.type < PK_MSG_BLOCK || m->head.type > PK_MSG_SAVED) &&
	    m->head.type != PK_MSG_JOURNAL)
		return false;
	r = take(a, m, fds);
	if (r < 0)
		pk_error("block lists: message %u: %s", m->head.type, strerror(-r));
	return true;
}

int pk_agent_block_new(struct event_base *base, int broker, const struct pk_conf *conf,
		       struct pk_pipeline *pipeline, struct pk_agent_block **ret)
{
	struct pk_agent_block *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->conf = conf;
	a->broker = broker;
	a->loop = base;
	a->pipeline = pipeline;
	a->view = pk_pipeline_view(pipeline);
	a->journal_fd[0] = a->journal_fd[1] = -1;
	a->cnt_fd = a->who_fd = a->ring_fd = a->names_fd = a->drain_fd = -1;
	a->step = event_new(base, -1, 0, on_step, a);
	if (!a->step) {
		free(a);
		return -ENOMEM;
	}
	*ret = a;
	return 0;
}

void pk_agent_block_free(struct pk_agent_block *a)
{
	if (!a)
		return;
	a->view->block = NULL;
	if (a->step)
		event_free(a->step);
	if (a->ring_ev)
		event_free(a->ring_ev);
	pk_ring_close(a->ring);
	pk_block_free(a->block); /* the mappings go with the process */
	pk_grace_free(a->grace);
	free(a->per_cpu);
	pk_closep(&a->journal_fd[0]);
	pk_closep(&a->journal_fd[1]);
	pk_closep(&a->cnt_fd);
	pk_closep(&a->who_fd);
	pk_closep(&a->names_fd);
	pk_closep(&a->drain_fd);
	pk_closep(&a->ring_fd);
	free(a);
}
