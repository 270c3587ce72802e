/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that calls all stages. A record is decoded, its process named, its socket or flow
 * updated, and what people may want to read is written down. Nothing here waits or asks the kernel.
 */
#include "pipeline.h"

#include "api/flows_stream.h"
#include "api/live.h"
#include "api/state.h"
#include "api/stream.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "block/show.h"
#include "capture/capture.h"
#include "conf/conf.h"
#include "decode/record.h"
#include "enrich/digest.h"
#include "enrich/enrich.h"
#include "flow/aggregate.h"
#include "flow/filter.h"
#include "flow/link.h"
#include "flow/local.h"
#include "flow/socket.h"
#include "flow/table.h"
#include "listed.h"
#include "name/name.h"
#include "output/journal.h"
#include "pipeline_alerts.h"
#include "pipeline_capture.h"
#include "pipeline_digests.h"
#include "pipeline_keep.h"
#include "pipeline_learned.h"
#include "pipeline_mutes.h"
#include "pipeline_news.h"
#include "places.h"
#include "respond/respond.h"

#include <errno.h>
#include <stdio.h>

#define SOCKETS_MAX     65536
#define LINKS_MAX       4096
#define ADDRS_MAX       8192
#define AGGS_MAX        16384
#define KERNEL_AGGS_MAX 4096 /* of bpf/maps.h */
#define EVENT_BYTES     768  /* of memory for each event kept: most are shorter, few longer */
#define DNS_BYTES       2048 /* the same of a DNS transaction, with what a filter may ask */
#define TLS_BYTES       4096
#define ADDRESSES_MAX   65536
#define TEXT_BYTES      (32u << 20)

struct pk_pipeline {
	const struct pk_conf *conf;
	bool live;
	struct pk_enrich *enrich;
	struct pk_state state;
	struct pk_pipeline_news *news;
	struct pk_pipeline_alerts *alerts;   /* NULL: a capture */
	struct pk_pipeline_learned *learned; /* NULL: it has no place */
	struct pk_view view;
	struct pk_buf text; /* of the record being written, kept for its memory */
};

static void process_net(struct pk_pipeline *p, const struct pk_flow_entry *e)
{
	for (int d = 0; d < 2; d++) {
		const struct pk_flow_counted *now = &e->counted[d], *was = &e->counted_before[d];
		struct pk_proc_id id = { .tgid = was->tgid, .start_ns = was->start_ns };
		struct pk_process *proc;

		if (was->tgid && (proc = pk_enrich_owner(p->enrich, &id)) && proc->net.flows)
			proc->net.flows--;
		id = (struct pk_proc_id){ .tgid = now->tgid, .start_ns = now->start_ns };
		if (!now->tgid || !(proc = pk_enrich_owner(p->enrich, &id)))
			continue;
		proc->net.flows += !e->ended;
		proc->net.flows_ended += e->ended && !e->was_ended;
		proc->net.bytes_out += e->new_bytes[d];
		proc->net.bytes_in += e->new_bytes[!d];
	}
}

/* With what the lists know of the rule, if it is still there. */
static void write_verdict(struct pk_pipeline *p, struct pk_json *j, const struct pk_event *ev)
{
	struct pk_view *v = &p->view;
	const struct pk_verdict *d = ev->verdict;
	struct pk_ocsf_rule rule = { 0 };
	struct pk_block_row row;

	if (v->block) {
		rule.list = pk_block_list_name(v->block, d->list);
		if (pk_block_row_of_line(v->block, d->line, d->prefix, d->bits, &row)) {
			rule.reason = row.reason;
			rule.entry = row.e->id;
			rule.packets = row.packets;
		}
	}
	pk_ocsf_verdict(j, &v->ocsf, ev, &rule, pk_journal_next(v->journal));
}

/* What is in text goes to the journal and to every reader who wants it. */
static void publish_event(struct pk_pipeline *p, struct pk_process *proc)
{
	struct pk_view *v = &p->view;
	struct pk_stream_id id = { .seq = pk_journal_next(v->journal) };
	struct pk_filter_subject s = { 0 };

	pk_journal_add(v->journal, p->text.data, p->text.len);
	if (!pk_streams_readers(v->streams, PK_STREAM_EVENTS))
		return;
	if (proc)
		pk_ocsf_subject_process(&v->ocsf, proc, &s);
	for (struct pk_stream *r = NULL; (r = pk_stream_next(v->streams, PK_STREAM_EVENTS, r));)
		if (pk_filter_match(pk_stream_filter(r), &s) && pk_stream_has_room(r))
			pk_stream_add(r, id, p->text.data, p->text.len);
}

/* Writes an event once. */
static void tell_event(struct pk_pipeline *p, const struct pk_event *ev, struct pk_process *proc)
{
	struct pk_view *v = &p->view;
	struct pk_json j;

	pk_buf_reset(&p->text);
	pk_json_init(&j, &p->text);
	if (ev->type == PK_EV_SOCK)
		pk_ocsf_listen(&j, &v->ocsf, ev, pk_journal_next(v->journal));
	else if (ev->type == PK_EV_VERDICT)
		write_verdict(p, &j, ev);
	else if (ev->type == PK_EV_QUERY)
		pk_listed_query(v, ev, &p->text);
	else
		pk_ocsf_event(&j, &v->ocsf, ev, proc, pk_journal_next(v->journal));
	if (!p->text.error)
		publish_event(p, proc);
}

static void tell_flow(struct pk_pipeline *p, struct pk_flow_entry *e)
{
	struct pk_view *v = &p->view;
	struct pk_stream_id id = pk_flows_stream_id(v, e);
	struct pk_filter_subject s;
	bool written = false;
	struct pk_json j;

	for (struct pk_stream *r = NULL; (r = pk_stream_next(v->streams, PK_STREAM_FLOWS, r));) {
		pk_ocsf_subject(&v->ocsf, e, pk_filter_needs(pk_stream_filter(r)), e->updated_ns,
				&s);
		if (!pk_filter_match(pk_stream_filter(r), &s) || !pk_stream_has_room(r))
			continue;
		if (!written) {
			pk_buf_reset(&p->text);
			pk_json_init(&j, &p->text);
			pk_ocsf_flow(&j, &v->ocsf, e, e->updated_ns, e->report);
			written = true;
		}
		if (!p->text.error)
			pk_stream_add(r, id, p->text.data, p->text.len);
	}
}

/* What is odd. */
static void detect(struct pk_pipeline *p, struct pk_see see)
{
	if (!p->alerts)
		return;
	see.now_ns = p->view.now_ns;
	pk_pipeline_alerts_see(p->alerts, &see);
}

static const struct pk_fact *fact_of(const struct pk_pipeline *p, uint64_t flow)
{
	return pk_names_fact(p->view.ocsf.names, flow);
}

static void take_flow(struct pk_pipeline *p, const struct pk_event *ev)
{
	struct pk_flow_entry *e = pk_flow_table_update(p->view.ocsf.flows, ev->flow);

	if (e && (e->is_new || e->ended)) /* a flow that goes on is joined when somebody looks */
		pk_ocsf_join(&p->view.ocsf, e);
	if (p->view.capture)
		pk_capture_flow(p->view.capture, ev->flow);
	if (!e)
		return; /* no room: counted by the table */
	pk_flow_entry_count(e);
	process_net(p, e);
	pk_names_flow(p->view.ocsf.names, &e->flow, e->ended);
	pk_pipeline_keep_flow(&p->view, e);
	detect(p, (struct pk_see){
			  .kind = PK_SEE_FLOW, .flow = e, .fact = fact_of(p, e->flow.meta.id) });
	if (pk_streams_readers(p->view.streams, PK_STREAM_FLOWS))
		tell_flow(p, e);
}

/* Bytes of a packet: to be decoded, to be kept, to be recorded, or several of these (why). */
static void take_sample(struct pk_pipeline *p, const struct pk_event *ev)
{
	if (ev->sample->why & PK_SAMPLE_PAYLOAD) {
		(void)pk_names_feed(p->view.ocsf.names, ev->sample); /* counted by reason */
		detect(p, (struct pk_see){ .kind = PK_SEE_SAMPLE,
					   .sample = ev->sample,
					   .fact = fact_of(p, ev->sample->flow) });
	}
	if (p->view.capture)
		pk_capture_packet(p->view.capture, ev->sample);
}

static void count_refused(struct pk_state *s, int r)
{
	static const int why[] = { -ENODATA, -EBADMSG, -ENOTSUP, -EFAULT };

	for (int i = 0; i < 4; i++)
		if (why[i] == r) {
			s->refused[i].n++;
			return;
		}
	s->refused[PK_STATE_REFUSED - 1].n++;
}

/* Something that just happened and that people read one by one. */
static bool is_news(const struct pk_event *ev)
{
	if (ev->hdr->flags & PK_EVF_SNAPSHOT)
		return false; /* was so before we came */
	return ev->type == PK_EV_EXEC || ev->type == PK_EV_EXIT || ev->type == PK_EV_ACT ||
	       ev->type == PK_EV_VERDICT || ev->type == PK_EV_QUERY ||
	       (ev->type == PK_EV_SOCK && ev->sock->op == PK_SOCK_LISTEN);
}

static void detect_event(struct pk_pipeline *p, const struct pk_event *ev, struct pk_process *proc)
{
	static const struct {
		enum pk_event_type type;
		enum pk_see_kind kind;
	} kinds[] = {
		{ PK_EV_EXEC, PK_SEE_EXEC },       { PK_EV_EXIT, PK_SEE_EXIT },
		{ PK_EV_ACT, PK_SEE_ACT },         { PK_EV_SOCK, PK_SEE_SOCK },
		{ PK_EV_VERDICT, PK_SEE_VERDICT },
	};

	for (size_t i = 0; i < PK_ARRAY_SIZE(kinds); i++)
		if (kinds[i].type == ev->type)
			detect(p, (struct pk_see){ .kind = kinds[i].kind, .ev = ev, .proc = proc });
}

int pk_pipeline_feed(struct pk_pipeline *p, const void *rec, size_t size)
{
	struct pk_process *proc;
	struct pk_event ev;
	int r;

	r = pk_record_decode(&ev, rec, size); /* what happened */
	if (r < 0) {
		count_refused(&p->state, r);
		return r;
	}
	p->state.decoded++;
	if (ev.hdr->ts > p->view.now_ns)
		p->view.now_ns = ev.hdr->ts;
	if (ev.type == PK_EV_FLOW) {
		take_flow(p, &ev); /* which conversation, and whose */
		return 0;
	}
	if (ev.type == PK_EV_SAMPLE) {
		take_sample(p, &ev); /* what it carries */
		return 0;
	}
	proc = ev.type == PK_EV_VERDICT || ev.type == PK_EV_QUERY
		       ? NULL
		       : pk_enrich_event(p->enrich, &ev); /* who did it */
	if (ev.type == PK_EV_SOCK)
		(void)pk_sock_table_update(p->view.ocsf.socks, ev.sock); /* NULL: no cookie */
	detect_event(p, &ev, proc);                                      /* what is odd about it */
	if (p->alerts && ev.type == PK_EV_EXEC && proc)
		pk_pipeline_digests_exec(&p->view, p->alerts, &ev, proc); /* what its file is */
	if (p->live && is_news(&ev))
		tell_event(p, &ev, proc); /* who wants to know */
	return 0;
}

void pk_pipeline_notice(struct pk_pipeline *p, uint64_t ts, unsigned level, const char *text)
{
	pk_state_notice(&p->state, ts, level, text);
	detect(p, (struct pk_see){ .kind = PK_SEE_NOTICE, .notice = text });
}

void pk_pipeline_tick(struct pk_pipeline *p, uint64_t now_ns)
{
	p->view.now_ns = now_ns;
	p->view.state->turned_ns = now_ns;
	pk_enrich_tick(p->enrich, now_ns);
	pk_names_tick(p->view.ocsf.names, now_ns);
	pk_pipeline_news_tick(p->news, now_ns);
	if (p->alerts)
		pk_pipeline_alerts_tick(p->alerts, now_ns);
	if (p->learned)
		pk_pipeline_learned_tick(p->learned);
	pk_pipeline_digests_turn(&p->view, p->alerts);
	pk_pipeline_keep_tick(&p->view);
	if (p->view.capture)
		pk_capture_tick(p->view.capture, now_ns, pk_clock_offset_ns());
	pk_live_tick(p->view.live, &p->view);
}

int pk_pipeline_keep(struct pk_pipeline *p, const struct pk_places *places)
{
	int r;

	snprintf(p->view.ocsf.run, sizeof(p->view.ocsf.run), "%08llx",
		 (unsigned long long)pk_clock_boot_ns() / 100000000 & 0xffffffff);
	r = pk_pipeline_keep_new(&p->view, places);
	if (r == 0)
		pk_pipeline_keep_restore(&p->view);
	if (p->alerts)
		pk_pipeline_mutes_tick(&p->view); /* in force before the first finding */
	return r;
}

void pk_pipeline_learn(struct pk_pipeline *p, const struct pk_places *places, uint64_t host_netns)
{
	if (!p->alerts || p->learned)
		return;
	if (places->learned >= 0)
		p->learned = pk_pipeline_learned_new(&p->view, pk_pipeline_alerts_detect(p->alerts),
						     places->learned, host_netns);
	if (!p->learned) /* told when it could not be made */
		p->state.learned.trouble = places->learned < 0 ? -ENOTDIR : -ENOMEM;
}

int pk_pipeline_intel(struct pk_pipeline *p, int64_t now_ms, struct pk_intel_sum *ret_sum)
{
	int r = p->alerts ? pk_pipeline_alerts_intel(p->alerts, now_ms, ret_sum) : -ENOTSUP;

	if (r == 0)
		pk_pipeline_digests_all(&p->view, p->alerts);
	return r;
}

void pk_pipeline_soon(struct pk_pipeline *p, uint64_t now_ns)
{
	pk_pipeline_digests_turn(&p->view, p->alerts);
	if (p->alerts && pk_respond_hurry(p->view.respond, now_ns))
		pk_pipeline_alerts_soon(p->alerts, now_ns);
}

struct pk_view *pk_pipeline_view(struct pk_pipeline *p)
{
	return &p->view;
}

void pk_pipeline_link(struct pk_pipeline *p, const struct pk_link *link)
{
	/* both fail only when full, which they count */
	(void)pk_links_set(p->view.ocsf.links, link);
	(void)pk_netns_set(&p->enrich->netns, link->netns, link->netns_inum, link->netns_name);
}

void pk_pipeline_link_gone(struct pk_pipeline *p, uint64_t netns, uint32_t ifindex)
{
	struct pk_links *l = p->view.ocsf.links;

	pk_links_remove(l, netns, ifindex);
	if (!pk_links_of(l, netns))
		pk_netns_remove(&p->enrich->netns, netns);
}

void pk_pipeline_own_addr(struct pk_pipeline *p, uint64_t netns, const uint8_t addr[16],
			  unsigned bits, bool gone)
{
	struct pk_local *l = p->view.ocsf.local;

	if (gone)
		pk_local_remove(l, netns, addr, bits);
	else
		pk_local_add(l, netns, addr, bits);
}

static void on_news(void *arg, const struct pk_news *news)
{
	struct pk_pipeline *p = arg;

	if (!p->live)
		return;
	if (pk_listed_news(&p->view, news, &p->text)) /* what lists say about it */
		publish_event(p, NULL);
	pk_pipeline_news_take(p->news, news);
	detect(p, (struct pk_see){ .kind = PK_SEE_NEWS, .news = news, .fact = news->fact });
}

static bool is_own(void *arg, uint64_t netns, const uint8_t addr[16])
{
	const struct pk_pipeline *p = arg;

	return pk_local_has(p->view.ocsf.local, netns, addr);
}

static void on_forgot(void *arg, uint64_t flow)
{
	struct pk_pipeline *p = arg;

	pk_names_forget(p->view.ocsf.names, flow);
}

static int make_names(struct pk_pipeline *p)
{
	const struct pk_conf *c = p->conf;
	struct pk_view *v = &p->view;
	struct pk_names_opts opts = { .facts_max = c->flow_slots + c->keep_flows,
				      .addresses_max = ADDRESSES_MAX,
				      .text_bytes = TEXT_BYTES,
				      .geo_file = c->geo_database,
				      .is_own = is_own,
				      .news = on_news,
				      .arg = p };
	int r;

	v->dns = pk_journal_new(p->live ? c->keep_dns * DNS_BYTES : 0, p->live ? c->keep_dns : 0);
	v->tls = pk_journal_new(p->live ? c->keep_tls * TLS_BYTES : 0, p->live ? c->keep_tls : 0);
	if (!v->dns || !v->tls)
		return -ENOMEM;
	r = pk_names_new(&opts, &v->ocsf.names);
	if (r < 0)
		return r;
	pk_flow_table_on_forget(v->ocsf.flows, on_forgot, p);
	return pk_pipeline_news_new(v, &p->news);
}

static int make_tables(struct pk_pipeline *p)
{
	const struct pk_conf *c = p->conf;
	struct pk_view *v = &p->view;
	size_t events = p->live ? c->keep_events : 0;
	int r;

	r = pk_state_init(&p->state);
	if (r < 0)
		return r;
	r = pk_enrich_new(c, p->live, &p->enrich);
	if (r < 0)
		return r;
	v->conf = c;
	v->state = &p->state;
	v->ocsf.enrich = p->enrich;
	v->ocsf.flows = pk_flow_table_new(c->flow_slots, c->keep_flows);
	v->ocsf.socks = pk_sock_table_new(SOCKETS_MAX);
	v->ocsf.links = pk_links_new(LINKS_MAX);
	v->ocsf.local = pk_local_new(ADDRS_MAX, p->live);
	v->ocsf.stale_ns = c->active_ns * 5 / 2;
	v->aggs = pk_agg_table_new(AGGS_MAX, KERNEL_AGGS_MAX);
	v->journal = pk_journal_new(events * EVENT_BYTES, events);
	v->streams = pk_streams_new();
	v->live = pk_live_new();
	return v->ocsf.flows && v->ocsf.socks && v->ocsf.links && v->ocsf.local && v->aggs &&
			       v->journal && v->streams && v->live
		       ? make_names(p)
		       : -ENOMEM;
}

int pk_pipeline_new(const struct pk_conf *conf, bool live, struct pk_pipeline **ret_pipeline)
{
	_cleanup_(pk_pipeline_freep) struct pk_pipeline *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->conf = conf;
	p->live = live;
	r = make_tables(p);
	if (r < 0)
		return r;
	pk_ocsf_init_host(&p->view.ocsf);
	if (live)
		r = pk_pipeline_capture_new(conf, &p->view, &p->view.capture);
	if (live && r == 0)
		r = pk_pipeline_alerts_new(&p->view, &p->alerts);
	if (r < 0)
		return r;
	*ret_pipeline = PK_TAKE(p);
	return 0;
}

void pk_pipeline_free(struct pk_pipeline *p)
{
	if (!p)
		return;
	pk_streams_free(p->view.streams);
	pk_pipeline_learned_free(p->learned);
	if (p->alerts)
		pk_pipeline_mutes_end(&p->view);
	pk_pipeline_keep_free(&p->view);
	pk_digests_free(p->view.digests);
	pk_pipeline_alerts_free(p->alerts);
	pk_capture_free(p->view.capture);
	pk_live_free(p->view.live);
	pk_pipeline_news_free(p->news);
	pk_names_free(p->view.ocsf.names);
	pk_journal_free(p->view.journal);
	pk_journal_free(p->view.dns);
	pk_journal_free(p->view.tls);
	pk_agg_table_free(p->view.aggs);
	pk_local_free(p->view.ocsf.local);
	pk_links_free(p->view.ocsf.links);
	pk_sock_table_free(p->view.ocsf.socks);
	pk_flow_table_free(p->view.ocsf.flows);
	pk_enrich_free(p->enrich);
	pk_state_done(&p->state);
	pk_buf_done(&p->text);
	free(p);
}

void pk_pipeline_freep(struct pk_pipeline **p)
{
	pk_pipeline_free(*p);
}
