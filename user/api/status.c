/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's account of itself. Every equation that must hold is shown with its remainder. */
#include "api/status.h"

#include "api/record.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/state.h"
#include "api/status_gate.h"
#include "api/status_keep.h"
#include "api/status_names.h"
#include "api/status_pull.h"
#include "api/stream.h"
#include "api/tables.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
#include "base/json.h"
#include "enrich/digest.h"
#include "enrich/enrich.h"
#include "flow/aggregate.h"
#include "flow/link.h"
#include "flow/local.h"
#include "flow/socket.h"
#include "flow/table.h"
#include "output/journal.h"

#include <picket/api.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define AGGS_SHOWN 50

enum { ADDR_GATEWAY = 2, ADDR_NEIGHBOUR = 3, ADDR_RESOLVER = 4 }; /* enum pk_addr_kind */

static void write_coverage(struct pk_json *j, const struct pk_view *v)
{
	const struct pk_link *k;

	pk_json_arr(j, "coverage");
	for (size_t i = 0; (k = pk_links_at(v->ocsf.links, i)); i++) {
		pk_json_obj(j, NULL);
		pk_json_str(j, "iface", k->name);
		pk_json_u64(j, "index", k->ifindex);
		pk_json_obj(j, "netns");
		pk_json_u64(j, "cookie", k->netns);
		pk_json_u64(j, "inum", k->netns_inum);
		pk_json_str(j, "name", k->netns_name);
		pk_json_end(j);
		pk_json_str(j, "kind", k->kind);
		pk_json_u64(j, "mtu", k->mtu);
		pk_json_bool(j, "up", k->flags & IFF_UP);
		pk_json_str(j, "ingress", k->ingress);
		pk_json_str(j, "egress", k->egress);
		if (k->since_ns)
			pk_json_i64(j, "since", pk_clock_wall_ms(k->since_ns));
		pk_json_str(j, "reason", k->reason);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void write_addrs(struct pk_json *j, const struct pk_view *v, const char *key, unsigned kind)
{
	const struct pk_state *s = v->state;
	char ip[PK_IP_TEXT], mac[18];

	pk_json_arr(j, key);
	for (size_t i = 0; i < s->addrs; i++) {
		const struct pk_state_addr *a = &s->addr[i];
		const struct pk_link *link = pk_links_find(v->ocsf.links, a->netns, a->ifindex);

		if (a->kind != kind)
			continue;
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", a->mac[0], a->mac[1],
			 a->mac[2], a->mac[3], a->mac[4], a->mac[5]);
		pk_json_obj(j, NULL);
		pk_json_str(j, "ip", pk_ip_format(a->addr, ip));
		pk_json_str(j, "iface", link ? link->name : NULL);
		pk_json_u64(j, "netns", a->netns);
		if (kind == ADDR_NEIGHBOUR)
			pk_json_str(j, "mac", mac);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void write_network(struct pk_json *j, const struct pk_view *v)
{
	pk_json_obj(j, "network");
	write_addrs(j, v, "gateways", ADDR_GATEWAY);
	write_addrs(j, v, "resolvers", ADDR_RESOLVER);
	write_addrs(j, v, "neighbours", ADDR_NEIGHBOUR);
	pk_json_u64(j, "not_kept", v->state->addrs_refused);
	pk_json_end(j);
}

/* Counters of the equation under "refused", the others under "noted". */
static void write_counts(struct pk_json *j, const char *key, const uint64_t *n, bool refuses)
{
	pk_json_obj(j, key);
	for (int c = PK_PKT_AGGREGATE + 1; c < PK_PKT_COUNT_MAX; c++)
		if (pk_state_pkt_refuses(c) == refuses)
			pk_json_u64(j, pk_state_pkt_name(c), n[c]);
	pk_json_end(j);
}

static bool write_packets(struct pk_json *j, struct pk_state *s)
{
	bool ok = true;

	pk_json_obj(j, "packets");
	pk_json_arr(j, "hooks");
	for (int h = 0; h < PK_HOOK_PKT_MAX; h++) {
		const uint64_t *n = s->pkt[h];

		pk_json_obj(j, NULL);
		pk_json_str(j, "hook", pk_state_hook_name(h));
		pk_json_u64(j, "seen", n[PK_PKT_SEEN]);
		pk_json_u64(j, "seen_bytes", n[PK_PKT_SEEN_BYTES]);
		pk_json_u64(j, "flow", n[PK_PKT_FLOW]);
		pk_json_u64(j, "aggregate", n[PK_PKT_AGGREGATE]);
		write_counts(j, "refused", n, true);
		write_counts(j, "noted", n, false);
		pk_json_i64(j, "balance", pk_state_pkt_balance(s, h));
		pk_json_end(j);
		ok = ok && s->pkt_was_even[h];
		s->pkt_was_even[h] = false;
	}
	pk_json_end(j);
	pk_json_bool(j, "ok", ok);
	pk_json_end(j);
	return ok;
}

static bool write_events(struct pk_json *j, struct pk_state *s)
{
	bool ok = true;

	pk_json_obj(j, "events");
	pk_json_arr(j, "hooks");
	for (int h = 0; h < PK_EH_MAX; h++) {
		const struct pk_event_count *c = &s->ev[h];

		pk_json_obj(j, NULL);
		pk_json_str(j, "hook", pk_state_event_name(h));
		pk_json_u64(j, "seen", c->seen);
		pk_json_u64(j, "submitted", c->submitted);
		pk_json_u64(j, "ring_full", c->ring_full);
		pk_json_u64(j, "map_full", c->map_full);
		pk_json_u64(j, "oversized", c->oversized);
		pk_json_u64(j, "filtered", c->filtered);
		pk_json_i64(j, "balance", pk_state_ev_balance(s, h));
		pk_json_end(j);
		ok = ok && s->ev_was_even[h];
		s->ev_was_even[h] = false;
	}
	pk_json_end(j);
	pk_json_bool(j, "ok", ok);
	pk_json_end(j);
	return ok;
}

/* Row by row: seen = sampled + off + limited + ring_full + unread. */
static bool write_samples(struct pk_json *j, struct pk_state *s)
{
	bool ok = true;

	pk_json_obj(j, "samples");
	pk_json_arr(j, "rows");
	for (unsigned i = 0; i < PK_ROW_MAX; i++) {
		const struct pk_sample_count *c = &s->sample[i];

		pk_json_obj(j, NULL);
		pk_json_str(j, "app", pk_state_row_name(i));
		pk_json_u64(j, "seen", c->seen);
		pk_json_u64(j, "sampled", c->sampled);
		pk_json_u64(j, "bytes", c->bytes);
		pk_json_u64(j, "off", c->off);
		pk_json_u64(j, "limited", c->limited);
		pk_json_u64(j, "ring_full", c->ring_full);
		pk_json_u64(j, "unread", c->unread);
		pk_json_u64(j, "cut", c->cut);
		pk_json_i64(j, "balance", pk_state_sample_balance(s, i));
		pk_json_end(j);
		ok = ok && s->sample_was_even[i];
		s->sample_was_even[i] = false;
	}
	pk_json_end(j);
	pk_json_bool(j, "ok", ok);
	pk_json_end(j);
	return ok;
}

static void write_records(struct pk_json *j, const struct pk_state *s)
{
	pk_json_arr(j, "rings");
	for (int i = 0; i < PK_STATE_RINGS; i++) {
		pk_json_obj(j, NULL);
		pk_json_str(j, "ring", s->ring[i].name);
		pk_json_u64(j, "records", s->ring[i].records);
		pk_json_u64(j, "bytes", s->ring[i].bytes);
		pk_json_u64(j, "lost", s->ring[i].lost);
		pk_json_end(j);
	}
	pk_json_end(j);
	pk_json_obj(j, "records");
	pk_json_u64(j, "decoded", s->decoded);
	pk_json_obj(j, "refused");
	for (int i = 0; i < PK_STATE_REFUSED; i++)
		pk_json_u64(j, s->refused[i].why, s->refused[i].n);
	pk_json_end(j);
	pk_json_end(j);
}

static void write_kernel_table(struct pk_json *j, const struct pk_state *s)
{
	pk_json_obj(j, "kernel_table");
	pk_json_u64(j, "slots", s->slots);
	pk_json_u64(j, "used", s->use.used);
	pk_json_u64(j, "half_open", s->use.half_open);
	pk_json_u64(j, "created", s->use.created);
	pk_json_u64(j, "freed", s->use.freed);
	pk_json_u64(j, "refused", s->use.refused);
	if (s->swept_ns) {
		pk_json_obj(j, "sweep");
		pk_json_i64(j, "time", pk_clock_wall_ms(s->swept_ns));
		pk_json_u64(j, "live", s->sweep.live);
		pk_json_u64(j, "dying", s->sweep.dying);
		pk_json_u64(j, "reported", s->sweep.reported);
		pk_json_u64(j, "freed", s->sweep.freed);
		pk_json_u64(j, "ring_full", s->sweep.ring_full);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void write_table(void *arg, const struct pk_table *t)
{
	struct pk_json *j = arg;

	pk_json_obj(j, NULL);
	pk_json_str(j, "name", t->name);
	pk_json_u64(j, "used", t->used);
	pk_json_u64(j, "max", t->max);
	pk_json_u64(j, "evicted", t->evicted);
	pk_json_u64(j, "refused", t->refused);
	pk_json_end(j);
}

static void write_tables(struct pk_json *j, const struct pk_view *v)
{
	pk_json_arr(j, "tables");
	pk_tables_each(v, write_table, j);
	pk_json_end(j);
}

static void write_sum(struct pk_json *j, unsigned proto, const struct pk_agg *a)
{
	const char *name = proto == 0x0806 ? "arp" : pk_ip_proto_name(proto);

	if (proto < 256)
		pk_json_u64(j, "protocol_num", proto);
	pk_json_str(j, "protocol_name", name);
	pk_json_u64(j, "packets", a->packets);
	pk_json_u64(j, "bytes", a->bytes);
}

/* Files of programs that were compared with threat intelligence; nothing while it has no hash. */
static void write_digests(struct pk_json *j, const struct pk_view *v)
{
	struct pk_digest_counts c;

	if (!v->digests)
		return;
	pk_digests_counts(v->digests, &c);
	pk_json_obj(j, "file_hashes");
	pk_json_u64(j, "hashed", c.hashed);
	pk_json_u64(j, "known", c.known);
	pk_json_u64(j, "waiting", c.waiting);
	pk_json_obj(j, "skipped");
	for (unsigned i = 0; i < PK_DIGEST_WHYS; i++)
		pk_json_u64(j, pk_digest_why_name(i), c.skipped[i]);
	pk_json_end(j);
	pk_json_end(j);
}

static void write_aggregates(struct pk_json *j, const struct pk_view *v)
{
	struct pk_agg_entry top[AGGS_SHOWN];
	size_t n = pk_agg_table_top(v->aggs, top, AGGS_SHOWN);
	struct pk_agg total;
	char ip[PK_IP_TEXT];

	pk_agg_table_total(v->aggs, &total);
	pk_json_obj(j, "aggregates");
	pk_json_u64(j, "packets", total.packets);
	pk_json_u64(j, "bytes", total.bytes);
	pk_json_arr(j, "destinations");
	for (size_t i = 0; i < n; i++) {
		const struct pk_agg_key *k = &top[i].key;
		const struct pk_link *link = pk_links_find(v->ocsf.links, k->netns, k->ifindex);

		pk_json_obj(j, NULL);
		pk_json_str(j, "ip", pk_ip_format(k->dst, ip));
		pk_json_u64(j, "port", ntohs(k->dport));
		write_sum(j, k->proto, &top[i].sum);
		pk_json_str(j, "iface", link ? link->name : NULL);
		pk_json_u64(j, "netns", k->netns);
		pk_json_str(j, "direction", k->where == PK_AT_EGRESS ? "out" : "in");
		pk_json_i64(j, "first", pk_clock_wall_ms(top[i].sum.first_ns));
		pk_json_i64(j, "last", pk_clock_wall_ms(top[i].sum.last_ns));
		pk_json_end(j);
	}
	pk_json_end(j);
	pk_json_arr(j, "protocols");
	for (unsigned p = 0; p <= 256; p++) {
		const struct pk_agg *a = pk_agg_table_proto(v->aggs, p);

		if (!a->packets)
			continue;
		pk_json_obj(j, NULL);
		write_sum(j, p, a);
		pk_json_end(j);
	}
	pk_json_end(j);
	pk_json_end(j);
}

static void write_programs(struct pk_json *j, const struct pk_state *s)
{
	static const char *const attached[] = { "no", "yes", "unavailable" };

	pk_json_arr(j, "programs");
	for (size_t i = 0; i < s->progs; i++) {
		const struct pk_state_prog *p = &s->prog[i];

		pk_json_obj(j, NULL);
		pk_json_str(j, "name", p->name);
		pk_json_u64(j, "id", p->id);
		pk_json_str(j, "attached", attached[p->attached < 3 ? p->attached : 0]);
		pk_json_u64(j, "netns", p->netns);
		pk_json_u64(j, "runs", p->runs);
		pk_json_u64(j, "run_ns", p->run_ns);
		if (p->runs)
			pk_json_dbl(j, "ns_per_run", (double)p->run_ns / p->runs);
		pk_json_str(j, "note", p->note);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void write_notices(struct pk_json *j, const struct pk_state *s)
{
	static const char *const level[] = { "error",   "error",  "error", "error",
					     "warning", "notice", "info",  "debug" };
	uint64_t n = s->notices < PK_STATE_NOTICES ? s->notices : PK_STATE_NOTICES;

	pk_json_arr(j, "notices");
	for (uint64_t i = s->notices - n; i < s->notices; i++) {
		const struct pk_state_notice *k = &s->notice[i % PK_STATE_NOTICES];

		pk_json_obj(j, NULL);
		pk_json_i64(j, "time", pk_clock_wall_ms(k->ts));
		pk_json_str(j, "level", level[k->level < 8 ? k->level : 7]);
		pk_json_str(j, "text", k->text);
		pk_json_end(j);
	}
	pk_json_end(j);
}

/* What the configuration leaves out is wanted so, but not when that is everything. */
static void write_none_wanted(struct pk_json *j, const struct pk_links *all)
{
	const struct pk_link *k;
	size_t n = 0;

	for (; (k = pk_links_at(all, n)); n++)
		if (k->wanted)
			return;
	if (n)
		pk_json_str(j, NULL,
			    "no interface is watched: interfaces.include and interfaces.exclude "
			    "leave all of them out");
}

static void write_degraded(struct pk_json *j, const struct pk_view *v, const struct pk_api *api)
{
	const struct pk_state *s = v->state;
	const struct pk_link *k;
	char text[320];

	pk_json_arr(j, "degraded");
	for (size_t i = 0; (k = pk_links_at(v->ocsf.links, i)); i++) {
		if (!k->wanted || (k->in_covered && k->out_covered && !k->reason[0]))
			continue;
		snprintf(text, sizeof(text), "%s%s%s: ingress %s, egress %s%s%s", k->netns_name,
			 k->netns_name[0] ? "/" : "", k->name, k->ingress, k->egress,
			 k->reason[0] ? ": " : "", k->reason);
		pk_json_str(j, NULL, text);
	}
	write_none_wanted(j, v->ocsf.links);
	for (size_t i = 0; i < s->progs; i++) {
		if (s->prog[i].attached == 1)
			continue;
		snprintf(text, sizeof(text), "program %s: %s%s%s", s->prog[i].name,
			 s->prog[i].attached == 2 ? "not on this kernel" : "not attached",
			 s->prog[i].note[0] ? ": " : "", s->prog[i].note);
		pk_json_str(j, NULL, text);
	}
	pk_status_names_degraded(j, v);
	pk_status_keep_degraded(j, v);
	pk_status_gate_degraded(j, v, api);
	pk_status_pull_degraded(j, v, api);
	if (s->broker_gone)
		pk_json_str(j, NULL, "the privileged process is gone");
	if (!s->have_maps)
		pk_json_str(j, NULL, "kernel counters can not be read");
	pk_json_end(j);
}

uint64_t pk_status_rss_bytes(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size, rss;

	return f && fscanf(f, "%lu %lu", &size, &rss) == 2 ? rss * sysconf(_SC_PAGESIZE) : 0;
}

double pk_status_cpu_s(void)
{
	struct rusage u = { 0 };

	(void)getrusage(RUSAGE_SELF, &u); /* can not fail with these arguments */
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void write_self(struct pk_json *j, const struct pk_view *v)
{
	pk_json_obj(j, "streams");
	pk_json_u64(j, "readers",
		    pk_streams_readers(v->streams, PK_STREAM_FLOWS) +
			    pk_streams_readers(v->streams, PK_STREAM_EVENTS) +
			    pk_streams_readers(v->streams, PK_STREAM_LIVE));
	pk_json_u64(j, "watchers", pk_streams_readers(v->streams, PK_STREAM_LIVE));
	pk_json_u64(j, "lost", pk_streams_lost(v->streams));
	pk_json_end(j);
	pk_json_obj(j, "self");
	pk_json_u64(j, "rss_bytes", pk_status_rss_bytes());
	pk_json_dbl(j, "cpu_s", pk_status_cpu_s());
	pk_json_dbl(j, "cpu_percent", v->state->cpu_percent);
	pk_json_end(j);
	pk_json_obj(j, "broker");
	pk_json_u64(j, "messages", v->state->msgs);
	pk_json_u64(j, "refused", v->state->msgs_bad);
	pk_json_end(j);
}

int pk_status_get(struct pk_api_request *q)
{
	struct pk_view *v = q->view;
	struct pk_state *s = v->state;
	struct pk_buf body = { 0 };
	struct pk_json j;
	bool ok;

	if (v->refresh)
		v->refresh(v->arg);
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "version", PK_VERSION);
	pk_json_u64(&j, "abi", PK_ABI);
	pk_json_u64(&j, "pid", getpid());
	pk_json_str(&j, "hostname", v->ocsf.hostname);
	pk_json_str(&j, "boot", v->ocsf.boot);
	pk_json_i64(&j, "started", pk_clock_wall_ms(s->started_ns));
	pk_json_i64(&j, "now", pk_clock_wall_ms(v->now_ns));
	pk_json_u64(&j, "uptime_s",
		    v->now_ns > s->started_ns ? (v->now_ns - s->started_ns) / 1000000000 : 0);
	write_coverage(&j, v);
	write_network(&j, v);
	ok = write_packets(&j, s);
	ok = write_events(&j, s) && ok;
	ok = write_samples(&j, s) && ok;
	pk_json_bool(&j, "ok", ok && !s->broker_gone);
	write_degraded(&j, v, q->api);
	write_records(&j, s);
	write_kernel_table(&j, s);
	write_tables(&j, v);
	pk_status_names(&j, v);
	write_digests(&j, v);
	write_aggregates(&j, v);
	write_programs(&j, s);
	write_notices(&j, s);
	pk_status_keep(&j, v);
	pk_status_gate(&j, v, q->api);
	pk_status_pull(&j, v, q->api);
	pk_records_status(pk_api_records(q->api), &j);
	write_self(&j, v);
	pk_json_end(&j);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}
