/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins responses to block lists, sockets, flows, packets in memory and the broker. An address is
 * blocked only when the kernel completed a handshake with it: whoever forges packets never gets
 * that far.
 */
#include "pipeline_respond.h"

#include "api/state.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/log.h"
#include "block/change.h"
#include "block/show.h"
#include "capture/capture.h"
#include "conf/conf.h"
#include "flow/filter.h"
#include "flow/socket.h"
#include "flow/table.h"
#include "incident/incidents.h"
#include "respond/respond.h"
#include "respond/shelf.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define LIST         "auto"
#define ISOLATE      "isolate"
#define ASKS_MAX     32
#define GRACE_NS     100000000ull /* for packets that were on their way */
#define PREFIXES_MAX 16384
#define BEFORE_NS    600000000000ull
#define EVIDENCE_MAX (64u << 20)

struct ask {
	uint64_t serial; /* 0: free */
	uint32_t tgid;   /* 0: evidence */
	bool stop, answered;
	int result;
	char name[64];
};

struct pk_pipeline_respond {
	struct pk_view *view;
	struct pk_respond *respond;
	struct pk_playbook *playbook;
	size_t playbooks;
	uint64_t serial;
	struct ask ask[ASKS_MAX];
	size_t next_ask;
};

static int say(char *why, size_t size, int r, const char *text)
{
	(void)snprintf(why, size, "%s", text);
	return r;
}

/* Did the kernel complete a handshake with this address? */
static bool is_real(const struct pk_view *v, const uint8_t addr[16])
{
	const struct pk_sock_entry *e = NULL;

	while ((e = pk_sock_table_next(v->ocsf.socks, e)))
		if (e->established && memcmp(e->raddr, addr, 16) == 0)
			return true;
	return false;
}

/* The same of connections that are over: what we sent with PSH was sent by an open socket. */
static bool was_real(const struct pk_view *v, const uint8_t addr[16])
{
	struct pk_flow_entry *e = NULL;

	for (int ended = 0; ended < 2; ended++) {
		while ((e = ended ? pk_flow_table_ended(v->ocsf.flows, e)
				  : pk_flow_table_live(v->ocsf.flows, e))) {
			const struct pk_flow *f = &e->flow;
			unsigned us = memcmp(f->key.addr[0], addr, 16) == 0;

			if (f->key.proto == IPPROTO_TCP &&
			    memcmp(f->key.addr[!us], addr, 16) == 0 &&
			    (f->dir[us].tcp_flags & 0x08) && f->own[us].user.tgid)
				return true;
		}
	}
	return false;
}

static struct pk_block_entry entry_of(const uint8_t addr[16], uint8_t dir, int64_t expires_ms)
{
	struct pk_block_entry e = {
		.bits = 128, .v4 = pk_ip_is_v4(addr), .dir = dir, .expires_ms = expires_ms
	};

	memcpy(e.prefix, addr, 16);
	return e;
}

static const char *cause_of(const struct pk_incident *i)
{
	const struct pk_incident_alert *a = &i->alert[0];

	for (size_t k = 1; k < i->alerts; k++)
		if (i->alert[k].severity > a->severity)
			a = &i->alert[k];
	return i->alerts ? a->uid : "";
}

static int op_block(void *arg, const struct pk_incident *i, const uint8_t addr[16],
		    const struct pk_command_step *c, char *why, size_t size)
{
	const struct pk_pipeline_respond *p = arg;
	const struct pk_view *v = p->view;
	struct pk_block_auto_ask ask = { .alert = cause_of(i), .evidence = PK_BLOCK_ESTABLISHED };
	struct pk_block_done d = { 0 };
	struct pk_block_entry e;
	char reason[96];
	int r;

	if (!v->block || !pk_block_is_ready(v->block))
		return say(why, size, -EINPROGRESS, "there are no block lists here, or not yet");
	if (!is_real(v, addr) && !was_real(v, addr))
		return say(why, size, -EINPROGRESS,
			   "no handshake with it was completed: the address may be forged");
	e = entry_of(addr, c->dir, pk_clock_wall_ms(v->now_ns) + (int64_t)(c->ttl_ns / 1000000));
	(void)snprintf(reason, sizeof(reason), "incident %" PRIu64, i->number);
	ask.reason = reason;
	r = pk_block_auto(v->block, &ask, &e, &d);
	if (r < 0)
		(void)say(why, size, r, d.detail ? d.detail : strerror(-r));
	pk_block_done_done(&d);
	/* memory, or the rate, comes again: the step waits as long as it may */
	return r == -EBUSY || r == -EAGAIN ? -EINPROGRESS : r;
}

static int op_unblock(void *arg, const uint8_t addr[16], char *why, size_t size)
{
	const struct pk_pipeline_respond *p = arg;
	struct pk_block_ask ask = { .list = LIST, .mode = -1, .who = "automatic" };
	struct pk_block_entry e = entry_of(addr, PK_BLK_IN | PK_BLK_OUT, 0);
	struct pk_block_done d = { 0 };
	int r;

	if (!p->view->block)
		return -ENOENT;
	r = pk_block_remove(p->view->block, &ask, &e, NULL, &d);
	if (r < 0)
		(void)say(why, size, r, d.detail ? d.detail : strerror(-r));
	pk_block_done_done(&d);
	return r;
}

static int op_cut(void *arg, const uint8_t addr[16], char *why, size_t size)
{
	const struct pk_pipeline_respond *p = arg;
	const struct pk_view *v = p->view;
	struct pk_flow_entry *e = NULL;
	size_t n = 0;

	while ((e = pk_flow_table_live(v->ocsf.flows, e))) {
		const struct pk_flow_key *k = &e->flow.key;
		uint32_t slot;

		if (k->proto != IPPROTO_TCP ||
		    (memcmp(k->addr[0], addr, 16) != 0 && memcmp(k->addr[1], addr, 16) != 0) ||
		    !v->capture || !v->mark || !pk_capture_slot(v->capture, e->flow.meta.id, &slot))
			continue;
		n += v->mark(v->arg, e->flow.meta.id, slot, PK_DIR_CUT, 0) == 0;
	}
	if (!n)
		return say(why, size, -EINPROGRESS, "no connection with it is known");
	(void)snprintf(why, size, "%zu connection%s", n, n > 1 ? "s" : "");
	return 0;
}

static struct ask *ask_of(struct pk_pipeline_respond *p, uint32_t tgid, bool stop, const char *name)
{
	for (size_t k = 0; k < ASKS_MAX; k++) {
		struct ask *a = &p->ask[k];

		if (a->serial && a->tgid == tgid && a->stop == stop && strcmp(a->name, name) == 0)
			return a;
	}
	return NULL;
}

static struct ask *ask_new(struct pk_pipeline_respond *p, uint32_t tgid, bool stop,
			   const char *name)
{
	struct ask *a = &p->ask[p->next_ask++ % ASKS_MAX];

	*a = (struct ask){ .serial = ++p->serial, .tgid = tgid, .stop = stop };
	(void)snprintf(a->name, sizeof(a->name), "%s", name);
	return a;
}

/* What the broker said; frees the ask. */
static int answer_of(struct ask *a, char *why, size_t size)
{
	int r = a->result;

	if (!a->answered)
		return -EINPROGRESS;
	*a = (struct ask){ 0 };
	if (r == -EPERM)
		return say(why, size, r, "it is never stopped: init, logins, the agent itself");
	if (r == -ESRCH)
		return say(why, size, r, "it is over");
	return r;
}

static void on_asked(struct pk_view *v, uint64_t serial, int result)
{
	struct pk_pipeline_respond *p = v->responder;

	for (size_t k = 0; p && k < ASKS_MAX; k++)
		if (p->ask[k].serial == serial) {
			p->ask[k].answered = true;
			p->ask[k].result = result;
		}
}

static int op_suspend(void *arg, const struct pk_proc_id *id, bool stop, char *why, size_t size)
{
	struct pk_pipeline_respond *p = arg;
	const struct pk_view *v = p->view;
	struct ask *a = ask_of(p, id->tgid, stop, "");
	int r;

	if (a)
		return answer_of(a, why, size);
	if (!v->signal)
		return say(why, size, -ENOTSUP, "there is no privileged process to ask");
	a = ask_of(p, id->tgid, !stop, "");
	if (a) /* an answer that nobody came for is none to what comes later */
		*a = (struct ask){ 0 };
	a = ask_new(p, id->tgid, stop, "");
	r = v->signal(v->arg, a->serial, id, stop);
	if (r < 0)
		*a = (struct ask){ 0 };
	return r < 0 ? r : -EINPROGRESS;
}

/* Packets of the other sides from before the alert, as far as memory has them. */
static int packets_of(const struct pk_view *v, const struct pk_incident *i, int *ret_fd)
{
	_cleanup_(pk_filter_freep) struct pk_filter *filter = NULL;
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 }, out = { .max = EVIDENCE_MAX };
	uint64_t packets = 0;
	struct pk_filter_error bad;
	char ip[PK_IP_TEXT];
	int r;

	for (size_t k = 0; k < i->remotes; k++)
		pk_buf_fmt(&text, "%shost %s", k ? " or " : "",
			   pk_ip_format(i->remote[k].addr, ip));
	if (!v->capture || !text.len)
		return -ENODATA;
	r = pk_filter_new(text.data, &filter, &bad);
	if (r == 0)
		r = pk_capture_freeze(v->capture, filter, text.data,
				      v->now_ns > BEFORE_NS ? v->now_ns - BEFORE_NS : 0, v->now_ns,
				      &out, &packets);
	if (r < 0)
		return r;
	*ret_fd = memfd_create("packets", MFD_CLOEXEC);
	if (*ret_fd < 0 || write(*ret_fd, out.data, out.len) != (ssize_t)out.len)
		return -EIO;
	return 0;
}

static int op_snapshot(void *arg, const struct pk_incident *i, char *why, size_t size)
{
	struct pk_pipeline_respond *p = arg;
	const struct pk_view *v = p->view;
	struct ask *a = ask_of(p, 0, false, i->uid);
	_cleanup_close_ int fd = -1;
	int r;

	if (a) {
		r = answer_of(a, why, size);
		if (r == -EEXIST)
			r = 0; /* it was kept before, by an agent that is gone */
		if (r == 0)
			(void)snprintf(why, size, "in %s/evidence/%s", v->conf->state_dir, i->uid);
		return r;
	}
	if (!v->evidence)
		return say(why, size, -ENOTSUP, "there is no privileged process to ask");
	(void)packets_of(v, i, &fd); /* without them the rest is still evidence */
	a = ask_new(p, 0, false, i->uid);
	r = v->evidence(v->arg, a->serial, i->uid, &i->suspect, fd);
	if (r < 0)
		*a = (struct ask){ 0 };
	return r < 0 ? r : -EINPROGRESS;
}

struct split {
	struct pk_block *b;
	int64_t expires_ms;
	size_t n;
	int error;
};

static bool covers(const uint8_t a[16], unsigned bits, const uint8_t b[16])
{
	return pk_ip_in(b, a, bits);
}

/* What of the safe set lies in this prefix: 0 nothing, 1 something, 2 it lies in a safe one. */
static int safe_in(struct pk_block *b, const uint8_t prefix[16], unsigned bits)
{
	struct pk_blk_safe_key key;
	uint32_t kinds;
	int found = 0;

	for (size_t n = 0; pk_block_safe_at(b, n, &key, &kinds); n++) {
		if (key.bits <= bits && covers(key.addr, key.bits, prefix))
			return 2;
		if (key.bits > bits && covers(prefix, bits, key.addr))
			found = 1;
	}
	return found;
}

/* All addresses but the safe ones, as prefixes that touch none of them. */
static void split(struct split *s, const uint8_t prefix[16], unsigned bits, bool v4)
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff };
	struct pk_block_ask ask = { .list = ISOLATE, .mode = -1, .wide = true, .who = "automatic" };
	uint8_t half[16];
	int safe = safe_in(s->b, prefix, bits);

	if (safe == 2 || s->error || (!v4 && bits >= 96 && covers(mapped, 96, prefix)))
		return;
	if (safe == 0 && (v4 || bits >= 97 || !covers(prefix, bits, mapped))) {
		struct pk_block_entry e = entry_of(prefix, PK_BLK_IN | PK_BLK_OUT, s->expires_ms);
		struct pk_block_done d = { 0 };

		e.bits = (uint8_t)bits;
		e.v4 = v4;
		s->error = s->n++ == PREFIXES_MAX
				   ? -ENOSPC
				   : pk_block_add(s->b, &ask, &e, NULL, "host isolated", &d);
		pk_block_done_done(&d);
		return;
	}
	if (bits == 128)
		return;
	memcpy(half, prefix, 16);
	split(s, half, bits + 1, v4);
	half[bits / 8] |= (uint8_t)(0x80 >> bits % 8);
	split(s, half, bits + 1, v4);
}

static void removed(void *arg, struct pk_block_done *d)
{
	(void)arg;
	(void)d; /* the list is gone, or never was */
}

static int op_isolate(void *arg, bool on, uint64_t ttl_ns, char *why, size_t size)
{
	static const uint8_t all4[16] = { [10] = 0xff, [11] = 0xff }, all6[16];
	const struct pk_pipeline_respond *p = arg;
	struct split s = { .b = p->view->block,
			   .expires_ms = pk_clock_wall_ms(p->view->now_ns) +
					 (int64_t)(ttl_ns / 1000000) };

	if (!s.b || !pk_block_is_ready(s.b))
		return say(why, size, -EAGAIN, "there are no block lists here, or not yet");
	if (!on) {
		pk_block_remove_list(s.b, ISOLATE, removed, NULL);
		return 0;
	}
	split(&s, all4, 96, true);
	split(&s, all6, 0, false);
	if (s.error == -EAGAIN)
		return -EINPROGRESS; /* memory is on its way */
	if (s.error < 0) {           /* half of it is worth nothing */
		pk_block_remove_list(s.b, ISOLATE, removed, NULL);
		return say(why, size, s.error, "not all addresses could be listed");
	}
	(void)snprintf(why, size, "all but the safe set, as %zu prefixes", s.n);
	return 0;
}

static int op_tell(void *arg, const struct pk_incident *i, char *why, size_t size)
{
	const struct pk_pipeline_respond *p = arg;
	_cleanup_(pk_buf_done) struct pk_buf title = { 0 };
	char text[240];

	pk_incident_title(i, &title);
	(void)snprintf(text, sizeof(text),
		       "incident %" PRIu64 " (%s): %.160s; picket incident show %" PRIu64,
		       i->number, pk_severity_name(i->severity), title.data ? title.data : "",
		       i->number);
	pk_warn("%s", text);
	pk_state_notice(p->view->state, p->view->now_ns, PK_LOG_WARN, text);
	return say(why, size, 0, "in the log and the status");
}

/* Packets of it were dropped, and none has come through since. */
static int prove_block(const struct pk_view *v, const uint8_t addr[16], uint64_t since_ns,
		       char *why, size_t size)
{
	_cleanup_free_ struct pk_block_answer *a = calloc(1, sizeof(*a));
	struct pk_block_query q = { .dir = PK_BLK_IN | PK_BLK_OUT };
	const struct pk_flow_entry *e = NULL;
	uint64_t dropped = 0;

	memcpy(q.addr, addr, sizeof(q.addr));
	if (!a || !v->block)
		return -EAGAIN;
	pk_block_check(v->block, &q, a);
	for (size_t k = 0; k < a->n; k++)
		if (strcmp(a->v[k].list, LIST) == 0)
			dropped += a->v[k].row.packets;
	while ((e = pk_flow_table_live(v->ocsf.flows, e)))
		for (int d = 0; d < 2; d++)
			if (memcmp(e->flow.key.addr[d], addr, 16) == 0 &&
			    e->flow.dir[d].last_ns > since_ns + GRACE_NS)
				return -EAGAIN; /* something still comes through */
	if (!dropped)
		return -EAGAIN;
	(void)snprintf(why, size, "%" PRIu64 " packets dropped, no reply since", dropped);
	return 0;
}

/* As proc(5) tells its state: T, stopped. */
static int prove_suspend(const struct pk_proc_id *id, char *why, size_t size)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[32], line[512], *at;

	(void)snprintf(path, sizeof(path), "/proc/%u/stat", id->tgid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return say(why, size, 0, "the process is over");
	at = strrchr(line, ')');
	if (!at || (at[2] != 'T' && at[2] != 'Z' && at[2] != 'X'))
		return -EAGAIN;
	return say(why, size, 0, "the process is stopped");
}

static int op_proof(void *arg, enum pk_verb verb, const uint8_t addr[16],
		    const struct pk_proc_id *id, uint64_t since_ns, char *why, size_t size)
{
	const struct pk_pipeline_respond *p = arg;
	struct pk_block_info info;

	if (verb == PK_VERB_BLOCK)
		return prove_block(p->view, addr, since_ns, why, size);
	if (verb == PK_VERB_SUSPEND)
		return prove_suspend(id, why, size);
	if (verb == PK_VERB_ISOLATE)
		return p->view->block && pk_block_list_get(p->view->block, ISOLATE, &info) &&
				       info.entries
			       ? 0
			       : -EAGAIN;
	return 0;
}

static void enable(const struct pk_conf *c, struct pk_respond_conf *r)
{
	for (size_t i = 0; i < c->respond_enabled.n; i++)
		for (int v = 0; v < PK_VERBS; v++)
			if (strcmp(pk_verb_name((enum pk_verb)v), c->respond_enabled.v[i]) == 0)
				r->enabled[v] = true;
	r->enabled[PK_VERB_VERIFY] = r->enabled[PK_VERB_TELL] = true;
}

static void read_playbooks(struct pk_pipeline_respond *p, const char *dir)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = { 0 };
	char *at, *line;
	int r = pk_shelf_read(dir, &p->playbook, &p->playbooks, &errors);

	at = errors.data;
	while (at && (line = strsep(&at, "\n")))
		if (*line)
			pk_warn("playbook %s", line);
	if (r < 0)
		pk_notice("%s: %s, continuing without playbooks", dir, strerror(-r));
}

int pk_pipeline_respond_new(struct pk_view *view)
{
	const struct pk_conf *c = view->conf;
	struct pk_respond_conf conf = { .ttl_ns = c->respond_ttl_ns, .rate = c->respond_rate };
	struct pk_pipeline_respond *p = calloc(1, sizeof(*p));
	struct pk_respond_ops ops = { .block = op_block,
				      .unblock = op_unblock,
				      .cut = op_cut,
				      .suspend = op_suspend,
				      .snapshot = op_snapshot,
				      .isolate = op_isolate,
				      .tell = op_tell,
				      .proof = op_proof,
				      .arg = p };

	if (!p)
		return -ENOMEM;
	p->view = view;
	view->responder = p;
	view->asked = on_asked;
	enable(c, &conf);
	if (*c->respond_playbooks)
		read_playbooks(p, c->respond_playbooks);
	p->respond = pk_respond_new(&conf, &ops, view->incidents, p->playbook, p->playbooks);
	view->respond = p->respond;
	view->playbooks = p->playbook;
	view->playbooks_n = p->playbooks;
	return p->respond ? 0 : -ENOMEM;
}

void pk_pipeline_respond_free(struct pk_view *view)
{
	struct pk_pipeline_respond *p = view->responder;

	if (!p)
		return;
	pk_respond_free(p->respond);
	free(p->playbook);
	free(p);
	view->responder = NULL;
	view->respond = NULL;
}

void pk_pipeline_respond_tick(struct pk_view *view, uint64_t now_ns)
{
	view->now_ns = now_ns;
	pk_respond_tick(view->respond, now_ns);
}
