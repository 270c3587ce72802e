/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of the unprivileged process: rings and the broker's messages go to the pipeline, a timer
 * ticks, requests are answered. It decides when to read and how much at once; what records mean is
 * the pipeline's business. It ends when the broker does.
 */
#include "agent.h"

#include "agent_block.h"
#include "agent_pull.h"
#include "agent_sign.h"
#include "api/server.h"
#include "api/state.h"
#include "api/stream.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "decode/gap.h"
#include "enrich/digest.h"
#include "flow/link.h"
#include "intel/intel.h"
#include "kernel.h"
#include "pipeline.h"
#include "probe/channel.h"
#include "probe/counters.h"
#include "probe/ring.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define RINGS             5
#define RING_BATCH        4096       /* records of one ring before the others have their turn */
#define RING_SLICE        64         /* of them without looking at the clock */
#define RING_TURN_NS      4000000ull /* the same in time: alerts and answers wait meanwhile */
#define LAST_TURNS        1000
#define RECORD_BATCH      128 /* of whole frames: about what a socket takes in a turn */
#define SOON_US           100000
#define MSGS_AT_ONCE      256
#define WATCHED_ACTIVE_NS 1000000000ull

struct ring {
	struct agent *a;
	struct pk_ring_reader *reader;
	struct pk_state_ring *state;
	struct pk_gap gap;
	struct event *ev;
};

struct agent {
	const struct pk_conf *conf;
	struct event_base *base;
	struct pk_pipeline *pipeline;
	struct pk_view *view;
	struct pk_api *api;
	int broker;
	struct pk_places places;
	struct pk_agent_block *block;
	struct pk_agent_sign *sign; /* NULL: no signed lists */
	struct pk_agent_pull *pull;
	struct pk_kernel kernel;
	struct ring ring[RINGS];
	struct pk_knobs knobs; /* as the broker set them */
	bool watched;
	struct event *tick, *soon, *msgs;
	double cpu_s;
	union pk_msg msg;
};

static void on_record(void *arg, const void *rec, size_t size)
{
	struct ring *r = arg;

	r->state->records++;
	r->state->bytes += size;
	if (pk_pipeline_feed(r->a->pipeline, rec, size) < 0)
		return;                 /* counted by reason; a bad head has no number to trust */
	(void)pk_gap_see(&r->gap, rec); /* it keeps the sum */
	r->state->lost = r->gap.lost;
}

/* What is there, or a part of it. 1: there may be more; -errno. */
static int read_ring(struct pk_ring_reader *ring, int batch)
{
	uint64_t end = pk_clock_boot_ns() + RING_TURN_NS;
	int r = RING_SLICE;

	for (int n = 0; n < batch && r == RING_SLICE; n += r) {
		r = pk_ring_read(ring, RING_SLICE);
		if (r == RING_SLICE && pk_clock_boot_ns() >= end)
			return 1;
	}
	return r < 0 ? r : r == RING_SLICE;
}

/* The same of two rings, in the order of time that begins each of their records. */
static int read_both(struct pk_ring_reader *one, struct pk_ring_reader *other, int batch)
{
	uint64_t end = pk_clock_boot_ns() + RING_TURN_NS;
	int r = 1;

	for (int n = 1; n <= batch && r == 1; n++) {
		r = pk_ring_read(pk_ring_next(one) <= pk_ring_next(other) ? one : other, 1);
		if (r == 1 && n % RING_SLICE == 0 && pk_clock_boot_ns() >= end)
			return 1;
	}
	return r;
}

static bool may_go_on(struct agent *a, const struct ring *ring, int r)
{
	if (r >= 0)
		return r > 0;
	pk_error("cannot read the %s ring any more: %s, leaving", ring->state->name, strerror(-r));
	event_base_loopbreak(a->base);
	return false;
}

/* Processes and sockets as they happened: a shell finds the connection that it was started on, and
 * a connection its process. Then samples, flows: so a flow finds its owner and its names. Returns
 * whether there may be more. */
static bool read_rings(struct agent *a)
{
	struct ring *proc = &a->ring[0], *sock = &a->ring[PK_FD_RB_SOCK - PK_FD_RB_PROC];
	bool more = false;

	if (proc->reader && sock->reader)
		more = may_go_on(a, proc, read_both(proc->reader, sock->reader, RING_BATCH));
	for (struct ring *r = sock + 1; r < a->ring + RINGS; r++) {
		bool whole = r - a->ring == PK_FD_RB_RECORD - PK_FD_RB_PROC;

		if (r->reader)
			more |= may_go_on(a, r,
					  read_ring(r->reader, whole ? RECORD_BATCH : RING_BATCH));
	}
	pk_streams_flush(a->view->streams);
	pk_api_flush(a->api);
	return more;
}

static void on_ring(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)read_rings(arg); /* what is left makes it readable again */
}

static int send_knobs(struct agent *a)
{
	struct pk_knobs k = a->knobs;

	if (a->watched && k.active_ns > WATCHED_ACTIVE_NS)
		k.active_ns = WATCHED_ACTIVE_NS;
	a->view->ocsf.stale_ns = k.active_ns * 5 / 2;
	return pk_chan_ask(a->broker, PK_MSG_KNOBS, &k, sizeof(k));
}

/* Somebody looks at the live view: report every second. */
static void on_watched(void *arg, bool on)
{
	struct agent *a = arg;

	if (on == a->watched || !a->knobs.active_ns)
		return;
	if (on) /* what is in force now is what we go back to */
		(void)pk_counters_knobs(a->kernel.fd[PK_FD_KNOBS], &a->knobs); /* else the last */
	a->watched = on;
	if (send_knobs(a) < 0)
		a->watched = !on; /* the next tick tries again */
}

static void on_refresh(void *arg)
{
	struct agent *a = arg;

	(void)read_rings(a);
	a->view->now_ns = pk_clock_boot_ns();
	pk_agent_block_drain(a->block);
	pk_kernel_read(&a->kernel, a->view);
}

/* A new configuration while somebody watches: it is the one to go back to, later. */
static void keep_watched(struct agent *a)
{
	struct pk_knobs k;

	if (!a->watched || pk_counters_knobs(a->kernel.fd[PK_FD_KNOBS], &k) < 0 ||
	    k.active_ns <= WATCHED_ACTIVE_NS)
		return;
	a->knobs = k;
	(void)send_knobs(a); /* the next tick tries again */
}

static void note_cpu(struct agent *a)
{
	struct rusage u = { 0 };
	double s;

	(void)getrusage(RUSAGE_SELF, &u); /* can not fail with these arguments */
	s = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	/* the last ten seconds or so */
	a->view->state->cpu_percent += ((s - a->cpu_s) * 100 - a->view->state->cpu_percent) / 10;
	a->cpu_s = s;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct agent *a = arg;

	(void)fd;
	(void)what;
	(void)read_rings(a);
	a->view->now_ns = pk_clock_boot_ns();
	pk_agent_block_drain(a->block);
	pk_kernel_read(&a->kernel, a->view);
	note_cpu(a);
	keep_watched(a);
	pk_pipeline_tick(a->pipeline, a->view->now_ns);
	pk_agent_block_tick(a->block);
	if (a->sign)
		pk_agent_sign_tick(a->sign);
	pk_agent_pull_tick(a->pull);
	pk_streams_flush(a->view->streams);
	pk_api_flush(a->api);
	pk_api_tick(a->api);
}

static int open_ring(struct agent *a, int i)
{
	struct ring *r = &a->ring[i];
	int e;

	r->a = a;
	r->state = &a->view->state->ring[i];
	e = pk_gap_init(&r->gap, a->kernel.cpus);
	if (e < 0)
		return e;
	e = pk_ring_open(a->kernel.fd[PK_FD_RB_PROC + i], on_record, r, &r->reader);
	if (e < 0)
		return e;
	r->ev = event_new(a->base, pk_ring_fd(r->reader), EV_READ | EV_PERSIST, on_ring, a);
	return r->ev && event_add(r->ev, NULL) == 0 ? 0 : -ENOMEM;
}

static void default_knobs(struct agent *a, uint32_t slots)
{
	const struct pk_conf *c = a->conf;

	if (pk_counters_knobs(a->kernel.fd[PK_FD_KNOBS], &a->knobs) == 0 && a->knobs.active_ns)
		return;
	a->knobs = (struct pk_knobs){ .active_ns = c->active_ns,
				      .idle_ns = c->idle_ns,
				      .half_open_ns = c->half_open_ns,
				      .emergency_ns = c->emergency_ns,
				      .linger_ns = c->linger_ns,
				      .half_open_max = slots * c->half_open_percent / 100 };
}

static int take_hello(struct agent *a, const struct pk_msg_hello *m, int fds[PK_FD_MAX])
{
	int r;

	if (m->abi != PK_ABI || !m->cpus || m->cpus > 65536 || a->kernel.fd[0] >= 0)
		return -EPROTO;
	for (int i = 0; i < PK_FD_MAX; i++) {
		a->kernel.fd[i] = PK_TAKE_FD(fds[i]);
		if (a->kernel.fd[i] < 0)
			return -EPROTO;
	}
	a->kernel.cpus = m->cpus;
	a->view->state->slots = m->slots;
	for (int i = 0; i < RINGS; i++) {
		r = open_ring(a, i);
		if (r < 0)
			return r;
	}
	default_knobs(a, m->slots);
	pk_pipeline_learn(a->pipeline, &a->places, m->host_netns);
	return a->watched ? send_knobs(a) : 0;
}

static const char *cover_name(uint8_t c)
{
	static const char *const name[] = { "none",   "xdp-native", "xdp-generic", "tcx",
					    "clsact", "not-needed", "excluded" };

	return c < PK_ARRAY_SIZE(name) ? name[c] : "unknown";
}

static void take_link(struct agent *a, const struct pk_msg_link *m)
{
	struct pk_link k = {
		.netns = m->netns,
		.netns_inum = m->netns_inum,
		.ifindex = m->ifindex,
		.flags = m->flags,
		.mtu = m->mtu,
		.since_ns = m->since_ns,
		.ingress = cover_name(m->ingress),
		.egress = cover_name(m->egress),
		.in_covered = m->ingress != PK_COVER_NONE && m->ingress != PK_COVER_EXCLUDED,
		.out_covered = m->egress != PK_COVER_NONE && m->egress != PK_COVER_EXCLUDED,
		.wanted = m->ingress != PK_COVER_EXCLUDED || m->egress != PK_COVER_EXCLUDED,
	};

	memcpy(k.name, m->name, sizeof(k.name));
	memcpy(k.kind, m->kind, sizeof(k.kind));
	memcpy(k.netns_name, m->netns_name, sizeof(k.netns_name));
	memcpy(k.reason, m->reason, sizeof(k.reason));
	pk_pipeline_link(a->pipeline, &k);
}

static void take_prog(struct agent *a, const struct pk_msg_prog *m)
{
	struct pk_state_prog p = { .id = m->id,
				   .attached = m->attached,
				   .run_ns = m->run_time_ns,
				   .runs = m->run_count,
				   .netns = m->netns };

	memcpy(p.name, m->name, sizeof(p.name));
	memcpy(p.note, m->note, sizeof(p.note));
	pk_state_prog(a->view->state, &p);
}

static void take_addr(struct agent *a, const struct pk_msg_addr *m, bool gone)
{
	struct pk_state_addr addr = { .netns = m->netns, .ifindex = m->ifindex, .kind = m->kind };

	if (m->kind == PK_ADDR_OWN) {
		pk_pipeline_own_addr(a->pipeline, m->netns, m->addr, m->prefix_bits, gone);
		return;
	}
	memcpy(addr.mac, m->mac, sizeof(addr.mac));
	memcpy(addr.addr, m->addr, sizeof(addr.addr));
	pk_state_addr(a->view->state, &addr, gone);
}

/* What can't be read leaves the rest in force; it is told, and the agent goes on. */
static void read_intel(struct agent *a)
{
	struct pk_intel_sum sum;
	int r = pk_pipeline_intel(a->pipeline, pk_clock_wall_ms(pk_clock_boot_ns()), &sum);

	if (r < 0)
		pk_error("%s: %s, continuing with the threat intelligence of before",
			 a->conf->intel_dir, strerror(-r));
	else if (sum.bad_files || sum.bad_lines)
		pk_warn("%s: %llu files and %llu lines of threat intelligence were left out, the "
			"first: %s",
			a->conf->intel_dir, (unsigned long long)sum.bad_files,
			(unsigned long long)sum.bad_lines, sum.bad);
	if (r == 0 && sum.other_hashes)
		pk_warn("%s: %llu hashes of files are not supported and not looked for: MD5, SHA-1 "
			"or others than SHA-256",
			a->conf->intel_dir, (unsigned long long)sum.other_hashes);
}

/* With responses that wait. */
static void go_on(struct agent *a)
{
	a->view->now_ns = pk_clock_boot_ns();
	pk_pipeline_soon(a->pipeline, a->view->now_ns);
}

static int take_msg(struct agent *a, const union pk_msg *m, int fds[PK_FD_MAX])
{
	if (pk_agent_block_take(a->block, m, fds)) {
		go_on(a); /* a response may have waited for memory */
		return 0;
	}
	switch (m->head.type) {
	case PK_MSG_HELLO:
		return take_hello(a, &m->hello, fds);
	case PK_MSG_RECORD:
		(void)pk_pipeline_feed(a->pipeline, m->bytes + sizeof(m->head),
				       m->head.size - sizeof(m->head)); /* counted by reason */
		return 0;
	case PK_MSG_LINK:
		take_link(a, &m->link);
		pk_agent_block_links_changed(a->block);
		return 0;
	case PK_MSG_LINK_GONE:
		pk_agent_block_links_changed(a->block);
		pk_pipeline_link_gone(a->pipeline, m->link.netns, m->link.ifindex);
		return 0;
	case PK_MSG_ADDR:
	case PK_MSG_ADDR_GONE:
		take_addr(a, &m->addr, m->head.type == PK_MSG_ADDR_GONE);
		return 0;
	case PK_MSG_PROG:
		take_prog(a, &m->prog);
		return 0;
	case PK_MSG_NOTICE:
		pk_pipeline_notice(a->pipeline, m->notice.ts, m->notice.level, m->notice.text);
		return 0;
	case PK_MSG_RELOAD:
		read_intel(a);
		if (a->sign)
			pk_agent_sign_reload(a->sign);
		return 0;
	case PK_MSG_DONE:
		a->view->asked(a->view, m->done.serial, m->done.result);
		go_on(a);
		return 0;
	case PK_MSG_EXE_FILE:
		if (a->view->digests)
			pk_digests_take(a->view->digests, m->done.serial, m->done.result, &fds[0]);
		return 0;
	case PK_MSG_GATE:
		if (pk_api_gate(a->api, PK_TAKE_FD(fds[0])) < 0)
			pk_error("gate: its requests can not be taken");
		return 0;
	case PK_MSG_PULL:
		if (pk_api_pull(a->api, PK_TAKE_FD(fds[0])) < 0)
			pk_error("pull: lists that are fetched can not be taken");
		return 0;
	case PK_MSG_SWEPT:
		a->view->state->sweep = m->swept.sweep;
		a->view->state->swept_ns = pk_clock_boot_ns();
		return 0;
	default: /* the end of the snapshot changes nothing here */
		return 0;
	}
}

static void on_msgs(evutil_socket_t fd, short what, void *arg)
{
	struct agent *a = arg;
	int fds[PK_FD_MAX], r;

	(void)what;
	for (int i = 0; i < MSGS_AT_ONCE; i++) {
		r = pk_chan_recv(fd, &a->msg, fds);
		if (r == -EAGAIN)
			return;
		if (r == -EBADMSG) {
			a->view->state->msgs_bad++;
			continue;
		}
		if (r <= 0) { /* the broker is gone, and so are its programs */
			for (int n = 0; n < LAST_TURNS && read_rings(a); n++)
				; /* its last reports */
			a->view->state->broker_gone = true;
			event_base_loopbreak(a->base);
			return;
		}
		a->view->state->msgs++;
		r = take_msg(a, &a->msg, fds);
		for (int k = 0; k < PK_FD_MAX; k++)
			pk_closep(&fds[k]);
		if (r < 0) {
			pk_error("cannot work with what the broker sent: %s, leaving",
				 strerror(-r));
			event_base_loopbreak(a->base);
			return;
		}
	}
}

static void on_admin(void *arg, const uint8_t addr[16])
{
	const struct agent *a = arg;

	pk_agent_block_admin(a->block, addr);
}

static int on_detach(void *arg)
{
	const struct agent *a = arg;

	return pk_agent_block_detach(a->block);
}

static int on_mark(void *arg, uint64_t flow, uint32_t slot, uint32_t set, uint32_t clear)
{
	const struct agent *a = arg;
	struct pk_msg_mark m = { .flow = flow, .slot = slot, .set = set, .clear = clear };

	return pk_chan_ask(a->broker, PK_MSG_MARK, (char *)&m + sizeof(m.head),
			   sizeof(m) - sizeof(m.head));
}

static int on_signal(void *arg, uint64_t serial, const struct pk_proc_id *id, bool stop)
{
	const struct agent *a = arg;
	struct pk_msg_signal m = {
		.serial = serial, .start_ns = id->start_ns, .tgid = id->tgid, .stop = stop
	};

	return pk_chan_ask(a->broker, PK_MSG_SIGNAL, (char *)&m + sizeof(m.head),
			   sizeof(m) - sizeof(m.head));
}

static int on_exe(void *arg, uint64_t serial, const struct pk_proc_id *id, uint64_t ino)
{
	const struct agent *a = arg;
	struct pk_msg_exe m = {
		.serial = serial, .start_ns = id->start_ns, .ino = ino, .tgid = id->tgid
	};

	return pk_chan_ask(a->broker, PK_MSG_EXE, (char *)&m + sizeof(m.head),
			   sizeof(m) - sizeof(m.head));
}

static int on_evidence(void *arg, uint64_t serial, const char *name, const struct pk_proc_id *id,
		       int fd)
{
	const struct agent *a = arg;
	struct pk_msg_evidence m = { .head = { PK_MSG_EVIDENCE, sizeof(m) },
				     .serial = serial,
				     .start_ns = id->start_ns,
				     .tgid = id->tgid };

	(void)snprintf(m.name, sizeof(m.name), "%s", name);
	return pk_chan_send_fds(a->broker, &m.head, &fd, fd >= 0, 0);
}

/* Responses wait for proofs, and not for a second. */
static void on_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	go_on(arg);
}

static int set_up(struct agent *a, const struct pk_agent_opts *o, int listen_fd)
{
	struct timeval second = { .tv_sec = 1 }, soon = { .tv_usec = SOON_US };
	int r;

	a->base = event_base_new();
	if (!a->base) {
		pk_closep(&listen_fd);
		return -ENOMEM;
	}
	r = pk_pipeline_new(o->conf, true, &a->pipeline);
	if (r < 0) {
		pk_closep(&listen_fd);
		return r;
	}
	a->view = pk_pipeline_view(a->pipeline);
	r = pk_pipeline_keep(a->pipeline, &a->places);
	if (r < 0)
		pk_error("the store: %s, continuing without keeping alerts and acts", strerror(-r));
	r = pk_agent_pull_new(o->conf, a->pipeline, &a->pull);
	if (r < 0) {
		pk_closep(&listen_fd);
		return r;
	}
	r = pk_agent_sign_new(o->conf, a->places.accepted, a->pipeline, &a->sign);
	if (r < 0)
		pk_error("signed lists: %s, continuing without accepting any", strerror(-r));
	read_intel(a);
	a->view->watched = on_watched;
	a->view->refresh = on_refresh;
	a->view->admin = on_admin;
	a->view->detach = on_detach;
	a->view->mark = on_mark;
	a->view->signal = on_signal;
	a->view->evidence = on_evidence;
	a->view->exe = on_exe;
	a->view->arg = a;
	a->view->now_ns = a->view->state->started_ns = pk_clock_boot_ns();
	r = pk_api_new(a->base, a->view, listen_fd, o->group, o->conf->upload_max, &a->api);
	if (r < 0)
		return r;
	r = pk_agent_block_new(a->base, a->broker, o->conf, a->pipeline, &a->block);
	if (r < 0)
		return r;
	a->msgs = event_new(a->base, a->broker, EV_READ | EV_PERSIST, on_msgs, a);
	a->tick = event_new(a->base, -1, EV_PERSIST, on_tick, a);
	a->soon = event_new(a->base, -1, EV_PERSIST, on_soon, a);
	return a->msgs && a->tick && a->soon && event_add(a->soon, &soon) == 0 &&
			       event_add(a->msgs, NULL) == 0 && event_add(a->tick, &second) == 0
		       ? 0
		       : -ENOMEM;
}

static void tear_down(struct agent *a)
{
	if (a->view)
		a->view->watched = NULL;
	if (a->view) { /* replies end before the server that carries them */
		pk_streams_free(a->view->streams);
		a->view->streams = NULL;
	}
	pk_api_free(a->api);
	pk_agent_sign_free(a->sign);
	pk_agent_pull_free(a->pull);
	pk_agent_block_free(a->block);
	for (int i = 0; i < RINGS; i++) {
		if (a->ring[i].ev)
			event_free(a->ring[i].ev);
		pk_ring_close(a->ring[i].reader);
		pk_gap_done(&a->ring[i].gap);
	}
	if (a->msgs)
		event_free(a->msgs);
	if (a->tick)
		event_free(a->tick);
	if (a->soon)
		event_free(a->soon);
	pk_pipeline_free(a->pipeline);
	if (a->base)
		event_base_free(a->base);
	for (int i = 0; i < PK_FD_MAX; i++)
		pk_closep(&a->kernel.fd[i]);
	pk_places_close(&a->places);
	pk_closep(&a->broker);
}

int pk_agent_run(const struct pk_agent_opts *o)
{
	_cleanup_free_ struct agent *a = calloc(1, sizeof(*a));
	int listen_fd = o->listen_fd, r = 0;

	if (!a)
		return -ENOMEM;
	/* who stops us is the broker, by closing its socket after the last sweep */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	a->conf = o->conf;
	a->broker = o->broker_fd;
	a->places = o->places;
	for (int i = 0; i < PK_FD_MAX; i++)
		a->kernel.fd[i] = -1;
	if (listen_fd < 0) {
		r = pk_api_listen(o->conf->socket_path, o->group, &listen_fd);
		if (r < 0)
			pk_error("cannot listen on %s: %s", o->conf->socket_path, strerror(-r));
	}
	if (r == 0)
		r = set_up(a, o, listen_fd);
	if (r == 0 && event_base_dispatch(a->base) < 0)
		r = -EIO;
	if (r == 0 && !a->view->state->broker_gone)
		r = -EPROTO;
	tear_down(a);
	return r;
}
