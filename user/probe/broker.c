/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's loop: signals, the pipeline's messages, netlink, and a tick a second. Parses nothing
 * that came over the network. Everything attached is a link of this process, so whatever ends it
 * leaves nothing behind; but while there is something to enforce, that is pinned (hold.h).
 */
#include "probe/broker.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "conf/conf.h"
#include "probe/attach.h"
#include "probe/blocks.h"
#include "probe/child.h"
#include "probe/costs.h"
#include "probe/evidence.h"
#include "probe/exe.h"
#include "probe/hold.h"
#include "probe/mark.h"
#include "probe/object.h"
#include "probe/pins.h"
#include "probe/resolv.h"
#include "probe/snapshot.h"
#include "probe/spaces.h"
#include "probe/suspend.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#define ACTIVE_MIN_NS 200000000ULL /* as often as the sweep may run */
#define SEND_WAIT_MS  200 /* a pipeline that does not read may not keep us from our hooks */

struct broker {
	const struct pk_broker_opts *opts;
	struct pk_conf *conf;
	struct event_base *base;
	struct event *sig[4], *tick, *sweep;
	struct {
		struct pk_space *space;
		struct event *ev;
	} watch[PK_SPACES_MAX];
	struct pk_object *obj;
	struct pk_pins *pins;
	struct pk_attachments hooks;
	struct pk_spaces spaces;
	struct pk_hold hold;
	struct pk_blocks blocks;
	struct pk_resolv resolv;
	struct pk_costs costs;
	struct pk_knobs knobs; /* in force */
	struct pk_marks marks;
	struct pk_suspend suspend;
	struct pk_evidence evidence;
	struct pk_exe exe;
	uint64_t marks_refused; /* as told */
	uint64_t netns;
	uint64_t unsent; /* messages that found no room */
	uint64_t watchdog_ns, watchdog_last_ns;
	struct pk_child child;
	struct pk_ward ward[PK_WARDS];
	bool resend; /* state was lost on the way: tell all of it again */
	bool stopping;
	bool detach;   /* leave nothing to enforce either */
	bool degraded; /* enforcement would end with us: told once */
	int result;
};

static void send_msg(void *arg, const struct pk_msg_head *msg)
{
	struct broker *b = arg;

	pk_blocks_hear(&b->blocks, msg);
	if (pk_child_send(&b->child, msg, b->stopping ? 0 : SEND_WAIT_MS) == -EAGAIN) {
		b->unsent++;
		b->resend = true;
	}
}

static void send_bare(struct broker *b, uint32_t type)
{
	struct pk_msg_head m = { type, sizeof(m) };

	send_msg(b, &m);
}

static void notice(void *arg, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void notice(void *arg, int level, const char *fmt, ...)
{
	struct pk_msg_notice m = { .head = { PK_MSG_NOTICE, sizeof(m) },
				   .ts = pk_clock_boot_ns(),
				   .level = (uint32_t)level };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m.text, sizeof(m.text), fmt, ap);
	va_end(ap);
	pk_log(level, "%s", m.text);
	send_msg(arg, &m.head);
}

/* Reports into the flow ring; while it is full, the pipeline gets time to read. */
static void sweep(struct broker *b, bool flush)
{
	struct pk_msg_swept m = { .head = { PK_MSG_SWEPT, sizeof(m) } };
	int r;

	for (int tries = 0; tries < (flush ? 100 : 1); tries++) {
		m.sweep = (struct pk_sweep_ctx){ .flush = flush };
		r = pk_object_sweep(b->obj, &m.sweep);
		if (r < 0) {
			pk_warn("sweep of the flow table: %s; trying again", strerror(-r));
			return;
		}
		if (!m.sweep.ring_full && !(flush && m.sweep.live + m.sweep.dying))
			break;
		if (flush)
			usleep(20000);
	}
	send_msg(b, &m.head);
}

static int send_record(void *arg, const void *rec, size_t size)
{
	struct broker *b = arg;
	struct {
		struct pk_msg_head head;
		char rec[PK_MSG_MAX - sizeof(struct pk_msg_head)];
	} m;

	m.head.type = PK_MSG_RECORD;
	m.head.size = (uint32_t)(sizeof(m.head) + size);
	memcpy(m.rec, rec, size);
	/* The pipeline reads these as fast as it can; wait for it longer than for anything else. */
	return pk_child_send(&b->child, &m.head, 5000);
}

static void tell_hooks(struct broker *b)
{
	for (size_t i = 0; i < b->hooks.n; i++) {
		const struct pk_attachment *k = &b->hooks.v[i];
		struct pk_msg_prog m = { .head = { PK_MSG_PROG, sizeof(m) }, .netns = b->netns };

		m.attached = k->link_fd >= 0 ? 1 : k->prog_fd < 0 ? 2 : 0;
		if (k->prog_fd >= 0)
			pk_costs_read(&b->costs, k->prog_fd, &m);
		snprintf(m.name, sizeof(m.name), "%s", k->name);
		snprintf(m.note, sizeof(m.note), "%s", k->why);
		send_msg(b, &m.head);
	}
	pk_costs_tell_packet(&b->costs, b->obj, b->netns, send_msg, b);
}

static void tell_resolvers(struct broker *b)
{
	pk_blocks_resolvers(&b->blocks, b->netns, false);
	pk_resolv_tell(&b->resolv, b->netns, send_msg, b);
	pk_blocks_resolvers(&b->blocks, b->netns, true);
}

static void tell_all(struct broker *b)
{
	b->resend = false;
	pk_spaces_tell(&b->spaces);
	tell_resolvers(b);
	tell_hooks(b);
}

static int hello(struct broker *b)
{
	static const char *const maps[PK_FD_MAX] = {
		[PK_FD_RB_PROC] = "pk_rb_proc",
		[PK_FD_RB_SOCK] = "pk_rb_sock",
		[PK_FD_RB_SAMPLE] = "pk_rb_sample",
		[PK_FD_RB_RECORD] = "pk_rb_record",
		[PK_FD_SAMPLE_CNT] = "pk_sample_cnt",
		[PK_FD_RB_FLOW] = "pk_rb_flow",
		[PK_FD_PKT_CNT] = "pk_pkt_cnt",
		[PK_FD_EV_CNT] = "pk_ev_cnt",
		[PK_FD_AGGS] = "pk_aggs",
		[PK_FD_AGG_REST] = "pk_agg_rest",
		[PK_FD_USE] = "pk_use",
		[PK_FD_KNOBS] = "pk_knobs",
	};
	struct pk_msg_hello m = { .head = { PK_MSG_HELLO, sizeof(m) },
				  .abi = PK_ABI,
				  .slots = pk_object_slots(b->obj),
				  .host_netns = b->netns,
				  .cpus = (uint32_t)libbpf_num_possible_cpus() };
	int fds[PK_FD_MAX];

	for (int i = 0; i < PK_FD_MAX; i++) {
		fds[i] = pk_object_map_fd(b->obj, maps[i]);
		if (fds[i] < 0)
			return fds[i];
	}
	return pk_child_send_fds(&b->child, &m.head, fds, PK_FD_MAX, 1000);
}

/* Everything a new pipeline must know, in the order it can use it. */
static int greet(void *arg)
{
	struct broker *b = arg;
	int r = hello(b);

	if (r < 0)
		return r;
	r = pk_marks_reset(&b->marks); /* of a pipeline that is gone */
	if (r < 0)
		pk_warn("flows stay marked to be recorded: %s", strerror(-r));
	pk_exe_stop(&b->exe); /* the numbers of its asks come again */
	tell_all(b);
	r = pk_snapshot_take(b->obj, send_record, b);
	if (r < 0)
		notice(b, PK_LOG_WARN,
		       "what ran before the start is not fully known: %s; continuing",
		       strerror(-r));
	send_bare(b, PK_MSG_SNAPSHOT_DONE);
	for (size_t i = 0; i < PK_WARDS; i++)
		pk_ward_start(&b->ward[i]);
	return pk_blocks_greet(&b->blocks);
}

static void set_knobs(struct broker *b, const struct pk_knobs *k)
{
	int r = pk_object_set_knobs(b->obj, k);

	if (r < 0)
		pk_warn("flow timeouts can not be set: %s; the old ones stay", strerror(-r));
	else
		b->knobs = *k;
}

static void knobs_of_conf(const struct broker *b, struct pk_knobs *k)
{
	*k = (struct pk_knobs){
		.active_ns = b->conf->active_ns,
		.idle_ns = b->conf->idle_ns,
		.half_open_ns = b->conf->half_open_ns,
		.emergency_ns = b->conf->emergency_ns,
		.linger_ns = b->conf->linger_ns,
		.half_open_max = pk_object_slots(b->obj) * b->conf->half_open_percent / 100,
		.sample_off = pk_conf_sample_off(b->conf),
		.sample_rate = (uint32_t)b->conf->sample_rate,
		.keep_packets = (uint32_t)b->conf->sample_keep,
		.keep_rate = (uint32_t)b->conf->sample_keep_rate,
		.mark = b->knobs.mark,
	};
}

/* Reports as often as somebody who watches wants them, but neither faster nor slower than is right.
 */
static void on_knobs(struct broker *b, const union pk_msg *msg)
{
	struct pk_knobs wish, k = b->knobs;

	memcpy(&wish, msg->bytes + sizeof(msg->head), sizeof(wish));
	k.active_ns = wish.active_ns;
	if (k.active_ns < ACTIVE_MIN_NS)
		k.active_ns = ACTIVE_MIN_NS;
	if (k.active_ns > b->conf->active_ns)
		k.active_ns = b->conf->active_ns;
	set_knobs(b, &k);
}

static void on_hold(struct broker *b, bool on)
{
	bool adopted = pk_pins_is_waiting(b->pins);

	if (pk_hold_set(&b->hold, on) < 0 && !b->degraded) {
		b->degraded = true;
		notice(b, PK_LOG_WARN, "%s; enforcement ends with the agent",
		       pk_pins_trouble(b->pins));
	}
	if (adopted)
		notice(b, PK_LOG_NOTICE, "the programs of an earlier version are replaced");
}

static void on_mark(struct broker *b, const struct pk_msg_mark *msg)
{
	int r = pk_marks_apply(&b->marks, msg, pk_clock_boot_ns());

	if (r == -EPERM)
		notice(b, PK_LOG_WARN, "a flow of an address that is never cut off is not cut");
	else if (r < 0 && r != -EAGAIN) /* told once a second */
		pk_warn("a flow can not be marked: %s", strerror(-r));
}

static void answer(void *arg, uint64_t serial, int result)
{
	struct pk_msg_done m = { .head = { PK_MSG_DONE, sizeof(m) },
				 .serial = serial,
				 .result = result };

	send_msg(arg, &m.head);
}

static void answer_exe(void *arg, uint64_t serial, int result, int fd)
{
	struct broker *b = arg;
	struct pk_msg_done m = { .head = { PK_MSG_EXE_FILE, sizeof(m) },
				 .serial = serial,
				 .result = result };

	/* one that finds no room is asked for no longer after a while, and counted there */
	(void)pk_child_send_fds(&b->child, &m.head, &fd, fd >= 0, 0);
}

static void on_signal_asked(struct broker *b, const struct pk_msg_signal *msg)
{
	int r;

	b->suspend.pipeline = b->child.pid;
	r = pk_suspend_apply(&b->suspend, msg, pk_clock_boot_ns());
	if (r < 0)
		notice(b, PK_LOG_WARN, "process %u is not signalled: %s", msg->tgid, strerror(-r));
	else
		notice(b, PK_LOG_NOTICE, "process %u %s by a response", msg->tgid,
		       msg->stop ? "was stopped" : "goes on");
	answer(b, msg->serial, r);
}

/*
 * All that a pipeline, which reads what attackers write, may ask of us. It decides what is enforced
 * and so may end that, but nothing else: it can't starve what the kernel counts.
 */
static void on_message(void *arg, const union pk_msg *msg, int *fd)
{
	struct broker *b = arg;

	switch (msg->head.type) {
	case PK_MSG_KNOBS:
		on_knobs(b, msg);
		break;
	case PK_MSG_MARK:
		on_mark(b, &msg->mark);
		break;
	case PK_MSG_SIGNAL:
		on_signal_asked(b, &msg->signal);
		break;
	case PK_MSG_EVIDENCE:
		b->evidence.state_dir = b->conf->state_dir; /* a reload makes a new one */
		pk_evidence_take(&b->evidence, &msg->evidence, fd);
		break;
	case PK_MSG_EXE:
		pk_exe_ask(&b->exe, &msg->exe);
		break;
	case PK_MSG_HOLD:
		on_hold(b, msg->hold.on);
		break;
	case PK_MSG_DETACH:
		b->detach = true;
		event_base_loopbreak(b->base);
		break;
	default:
		if (!pk_blocks_message(&b->blocks, msg, fd))
			pk_warn("the pipeline sent a message of type %u, ignored", msg->head.type);
	}
}

static void on_reaped(void *arg, pid_t pid, int status)
{
	struct broker *b = arg;

	if (pk_evidence_reaped(&b->evidence, pid, status))
		return;
	for (size_t i = 0; i < PK_WARDS; i++)
		if (pk_ward_reaped(&b->ward[i], pid, status))
			return;
	pk_blocks_reaped(&b->blocks, pid, status);
}

static pid_t spawn(void *arg, int fd)
{
	struct broker *b = arg;

	return b->opts->spawn(b->opts->arg, b->conf, fd);
}

static void conf_errors(const struct pk_buf *errors)
{
	char *text = errors->data, *line;

	while (text && (line = strsep(&text, "\n")))
		if (*line)
			pk_error("%s", line);
}

static int set_sweeps(struct broker *b)
{
	struct timeval tv = { .tv_sec = (time_t)(b->conf->sweep_ns / 1000000000),
			      .tv_usec = (suseconds_t)(b->conf->sweep_ns / 1000 % 1000000) };

	return event_add(b->sweep, &tv) < 0 ? -ENOMEM : 0;
}

static void reload(struct broker *b)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = {}, keys = {};
	struct pk_conf *fresh;
	struct pk_knobs k;

	(void)pk_notify("RELOADING=1");
	if (pk_conf_load(b->opts->conf_file, &errors, &fresh) < 0 ||
	    (b->opts->log_level &&
	     pk_conf_set(fresh, "log.level", b->opts->log_level, &errors) < 0)) {
		conf_errors(&errors);
		notice(b, PK_LOG_ERROR, "the configuration has errors; the old one stays");
		(void)pk_notify("READY=1");
		return;
	}
	pk_conf_restart_keys(b->conf, fresh, &keys);
	if (keys.len)
		notice(b, PK_LOG_WARN, "these keys count from the next start: %s", keys.data);
	pk_spaces_recover(&b->spaces, fresh);
	pk_conf_free(b->conf);
	b->conf = fresh;
	pk_blocks_reload(&b->blocks, fresh);
	for (size_t i = 0; i < PK_WARDS; i++)
		pk_ward_reload(&b->ward[i], fresh);
	knobs_of_conf(b, &k);
	set_knobs(b, &k);
	(void)set_sweeps(b); /* the old period stays when there is no memory for a timer */
	pk_log_init("picketd", (enum pk_log_level)fresh->log_level);
	pk_log_target_set((enum pk_log_target)fresh->log_target);
	send_bare(b, PK_MSG_RELOAD);
	notice(b, PK_LOG_INFO, "configuration read again");
	(void)pk_notify("READY=1");
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct broker *b = arg;

	(void)what;
	if (sig == SIGCHLD)
		pk_child_reap(&b->child, !b->stopping);
	else if (sig == SIGHUP)
		reload(b);
	else
		event_base_loopbreak(b->base);
}

static void attached_again(void *arg, const struct pk_attachment *k, int r)
{
	if (r < 0)
		notice(arg, PK_LOG_ERROR,
		       "hook %s was removed by somebody and can not be attached: %s", k->name,
		       strerror(-r));
	else
		notice(arg, PK_LOG_WARN, "hook %s was removed by somebody; attached again",
		       k->name);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;
	uint64_t now = pk_clock_boot_ns();

	(void)fd, (void)what;
	pk_spaces_check(&b->spaces);
	pk_attach_check(&b->hooks, b->obj, attached_again, b);
	if (!pk_hold_check(&b->hold)) {
		notice(b, PK_LOG_WARN, "pins were removed by somebody; pinned again");
		on_hold(b, true);
	}
	if (pk_resolv_changed(&b->resolv))
		tell_resolvers(b);
	if (pk_blocks_tick(&b->blocks, now))
		pk_spaces_tell_addrs(&b->spaces);
	if (b->marks.refused != b->marks_refused) {
		notice(b, PK_LOG_WARN, "%llu flows were not marked: more than %u in a second",
		       (unsigned long long)(b->marks.refused - b->marks_refused),
		       PK_MARKS_A_SECOND);
		b->marks_refused = b->marks.refused;
	}
	if (pk_costs_tick(&b->costs, now))
		tell_hooks(b);
	if (b->resend)
		tell_all(b);
	if (b->watchdog_ns && b->conf->watchdog && now - b->watchdog_last_ns > b->watchdog_ns / 3) {
		b->watchdog_last_ns = now;
		(void)pk_notify("WATCHDOG=1");
	}
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	sweep(arg, false);
}

static void on_netlink(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	pk_space_read(arg);
}

static void on_round(void *arg, uint64_t netns, bool end)
{
	struct broker *b = arg;

	pk_blocks_round(&b->blocks, netns, end);
}

static void watch_space(void *arg, struct pk_space *s, bool on)
{
	struct broker *b = arg;

	for (size_t i = 0; i < PK_SPACES_MAX; i++) {
		if (b->watch[i].space != (on ? NULL : s))
			continue;
		if (!on) {
			b->watch[i].space = NULL;
			event_free(PK_TAKE(b->watch[i].ev));
			return;
		}
		b->watch[i].ev =
			event_new(b->base, pk_space_fd(s), EV_READ | EV_PERSIST, on_netlink, s);
		if (!b->watch[i].ev)
			return;
		b->watch[i].space = s;
		event_add(b->watch[i].ev, NULL);
		return;
	}
}

static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };

/* From here on a signal waits for the loop, however long loading takes. */
static int catch_signals(struct broker *b)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < PK_ARRAY_SIZE(signals); i++) {
		sigaddset(&set, signals[i]);
		b->sig[i] = evsignal_new(b->base, signals[i], on_signal, b);
		if (!b->sig[i] || event_add(b->sig[i], NULL) < 0)
			return -ENOMEM;
	}
	return sigprocmask(SIG_UNBLOCK, &set, NULL) < 0 ? -errno : 0;
}

static int make_timers(struct broker *b)
{
	struct timeval second = { .tv_sec = 1 };

	b->tick = event_new(b->base, -1, EV_PERSIST, on_tick, b);
	b->sweep = event_new(b->base, -1, EV_PERSIST, on_sweep, b);
	if (!b->tick || !b->sweep || event_add(b->tick, &second) < 0)
		return -ENOMEM;
	return set_sweeps(b);
}

static int open_blocks(struct broker *b)
{
	int r;

	b->blocks = (struct pk_blocks){ .conf = b->conf,
					.obj = b->obj,
					.child = &b->child,
					.adopted = pk_pins_is_adopted(b->pins),
					.notice = notice,
					.arg = b };
	r = pk_blocks_open(&b->blocks);
	if (r < 0)
		pk_error("the maps of block lists can not be worked with: %s", strerror(-r));
	return r;
}

static int start(struct broker *b)
{
	struct pk_knobs k;
	int r;

	b->base = event_base_new();
	if (!b->base)
		return -ENOMEM;
	r = pk_child_init(&b->child, b->base);
	for (size_t i = 0; i < PK_WARDS && !r; i++)
		r = pk_ward_init(&b->ward[i], b->base);
	if (!r)
		r = catch_signals(b);
	if (!r)
		r = pk_space_self_cookie(&b->netns);
	if (!r)
		r = pk_pins_open(b->conf->pins_dir, &b->pins);
	if (r < 0)
		return r;
	r = pk_attach_load(b->conf, b->netns, b->pins, &b->obj, &b->hooks);
	if (r < 0) {
		pk_error("the kernel programs can not be loaded: %s", strerror(-r));
		return r;
	}
	b->evidence =
		(struct pk_evidence){ .done = answer, .arg = b, .state_dir = b->conf->state_dir };
	b->exe = (struct pk_exe){ .answer = answer_exe, .arg = b, .base = b->base };
	b->marks = (struct pk_marks){ .obj = b->obj, .knobs = &b->knobs };
	knobs_of_conf(b, &k);
	set_knobs(b, &k);
	pk_attach_all(&b->hooks, b->obj, b->conf->cgroup);
	pk_costs_open(&b->costs, b->conf->bpf_stats);
	b->spaces = (struct pk_spaces){
		.env = { b->conf, b->obj, b->pins, { send_msg, on_round, notice, b } },
		.watch = watch_space
	};
	b->hold = (struct pk_hold){ b->pins, b->obj, &b->hooks, &b->spaces };
	r = open_blocks(b);
	if (r < 0)
		return r;
	r = pk_spaces_open(&b->spaces);
	if (r < 0) {
		pk_error("the network interfaces can not be read: %s", strerror(-r));
		return r;
	}
	if (pk_resolv_changed(&b->resolv))
		tell_resolvers(b);
	pk_blocks_settle(&b->blocks);
	if (pk_pins_is_held(b->pins))
		pk_notice(
			pk_pins_is_adopted(b->pins)
				? "took over what an earlier agent left in force; counters go on"
				: "an earlier agent of another kind left hooks in force; they stay "
				  "until our lists are");
	b->watchdog_ns = pk_notify_watchdog_ns();
	return make_timers(b);
}

static void stop(struct broker *b)
{
	b->stopping = true;
	(void)pk_notify("STOPPING=1");
	if (b->detach)
		pk_pins_release(b->pins);
	pk_spaces_close(&b->spaces);
	pk_attach_done(&b->hooks);
	/* Not while packet programs run: they may hold what it would free. */
	if (b->obj && b->child.pid > 0)
		sweep(b, !pk_pins_is_held(b->pins));
	if (b->detach)
		pk_notice("detached: nothing is enforced any more");
	else if (pk_pins_is_held(b->pins))
		pk_notice("enforcement stays in the kernel; `picket detach` or, without an agent, "
			  "`picketd --detach` takes it down");
	for (size_t i = 0; i < PK_WARDS; i++)
		pk_ward_stop(&b->ward[i]);
	pk_child_stop(&b->child);
	pk_exe_stop(&b->exe);
	for (size_t i = 0; i < PK_ARRAY_SIZE(b->sig); i++)
		if (b->sig[i])
			event_free(b->sig[i]);
	if (b->tick)
		event_free(b->tick);
	if (b->sweep)
		event_free(b->sweep);
	if (b->base)
		event_base_free(b->base);
	pk_blocks_close(&b->blocks);
	pk_costs_close(&b->costs);
	pk_object_free(b->obj);
	pk_pins_free(b->pins);
	pk_conf_free(b->conf);
}

int pk_broker_run(const struct pk_broker_opts *opts)
{
	struct broker *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->opts = opts;
	b->conf = opts->conf;
	b->child = (struct pk_child){ spawn, greet, on_message, on_reaped, b, .fd = -1 };
	b->costs.fd = -1;
	for (int i = 0; i < PK_WARDS; i++)
		b->ward[i] = (struct pk_ward){ .name = i,
					       .spawn = opts->spawn_ward[i],
					       .arg = opts->arg,
					       .conf = opts->conf,
					       .pipeline = &b->child,
					       .files = -1 };
	b->hooks.cgroup_fd = -1;
	r = start(b);
	if (!r) {
		pk_child_start(&b->child);
		pk_notice("watching %zu network namespace%s", b->spaces.n,
			  b->spaces.n == 1 ? "" : "s");
		(void)pk_notify("READY=1");
		r = event_base_dispatch(b->base) < 0 ? -EIO : 0;
	}
	stop(b);
	free(b);
	return r;
}
