/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent itself counts: flows, lists, alerts, incidents, and the queues behind them. */
#include "api/metrics.h"
#include "api/state.h"
#include "api/stream.h"
#include "api/tables.h"
#include "api/view.h"
#include "base/cleanup.h"
#include "base/prom.h"
#include "block/show.h"
#include "capture/capture.h"
#include "detect/alert.h"
#include "detect/detect.h"
#include "enrich/digest.h"
#include "flow/table.h"
#include "incident/incidents.h"
#include "respond/respond.h"
#include "sink/sink.h"
#include "store/store.h"

#include <picket/block.h>

static void write_flows(struct pk_prom *p, const struct pk_view *v)
{
	const struct pk_flow_totals *t = pk_flow_table_totals(v->ocsf.flows);
	static const char *const way[] = { "out", "in" };

	pk_prom_count(p, "picket_flows_total", "Flows ever reported.", t->flows);
	pk_prom_counter(p, "picket_flow_bytes_total", "Bytes of flows, as this host sends.");
	for (int d = 0; d < 2; d++) {
		pk_prom_label(p, "direction", way[d]);
		pk_prom_u64(p, t->bytes[d]);
	}
	pk_prom_counter(p, "picket_flow_packets_total", "Packets of flows, as this host sends.");
	for (int d = 0; d < 2; d++) {
		pk_prom_label(p, "direction", way[d]);
		pk_prom_u64(p, t->packets[d]);
	}
}

/* One family of the tables: they are asked once for each. */
struct family {
	struct pk_prom *p;
	size_t at;
};

static void write_table(void *arg, const struct pk_table *t)
{
	const struct family *f = arg;

	pk_prom_label(f->p, "table", t->name);
	pk_prom_u64(f->p, *(const uint64_t *)((const char *)t + f->at));
}

static void write_digests(struct pk_prom *p, const struct pk_view *v)
{
	struct pk_digest_counts c;

	if (!v->digests)
		return;
	pk_digests_counts(v->digests, &c);
	pk_prom_counter(p, "picket_file_hashes_total",
			"Files of programs that started, by what came of hashing them.");
	pk_prom_label(p, "what", "hashed");
	pk_prom_u64(p, c.hashed);
	pk_prom_label(p, "what", "known");
	pk_prom_u64(p, c.known);
	for (unsigned i = 0; i < PK_DIGEST_WHYS; i++) {
		pk_prom_label(p, "what", pk_digest_why_name(i));
		pk_prom_u64(p, c.skipped[i]);
	}
}

void pk_metrics_tables(struct pk_prom *p, const struct pk_view *v)
{
	struct family f = { .p = p };

	write_flows(p, v);
	pk_prom_gauge(p, "picket_table_entries", "What a table of the agent holds.");
	f.at = offsetof(struct pk_table, used);
	pk_tables_each(v, write_table, &f);
	pk_prom_gauge(p, "picket_table_capacity", "What it has room for.");
	f.at = offsetof(struct pk_table, max);
	pk_tables_each(v, write_table, &f);
	pk_prom_counter(p, "picket_table_evicted_total", "What had to go for something newer.");
	f.at = offsetof(struct pk_table, evicted);
	pk_tables_each(v, write_table, &f);
	pk_prom_counter(p, "picket_table_refused_total", "What found no room.");
	f.at = offsetof(struct pk_table, refused);
	pk_tables_each(v, write_table, &f);
	pk_prom_counter(p, "picket_name_records_total",
			"Records of names by what was odd: written early, or lost.");
	pk_prom_label(p, "what", "hurried");
	pk_prom_u64(p, v->news_hurried);
	pk_prom_label(p, "what", "lost");
	pk_prom_u64(p, v->news_lost);
	write_digests(p, v);
}

#define COUNT(member) offsetof(struct pk_blk_count, member)

static void write_list_counts(struct pk_prom *p, const struct pk_view *v)
{
	static const struct {
		size_t at;
		const char *name, *direction, *help;
	} rows[] = {
		{ COUNT(in_packets), "picket_list_dropped_packets_total", "in",
		  "Packets that a list dropped." },
		{ COUNT(out_packets), NULL, "out", NULL },
		{ COUNT(in_bytes), "picket_list_dropped_bytes_total", "in", "Bytes of them." },
		{ COUNT(out_bytes), NULL, "out", NULL },
		{ COUNT(calls), "picket_list_refused_calls_total", NULL,
		  "connect() and sendmsg() that a list refused." },
		{ COUNT(seen_packets), "picket_list_observed_packets_total", NULL,
		  "Packets that a list in mode observe would have dropped, and calls it would have "
		  "refused." },
		{ COUNT(seen_bytes), "picket_list_observed_bytes_total", NULL, "Bytes of them." },
		{ COUNT(allowed_packets), "picket_list_allowed_packets_total", NULL,
		  "Packets that an allow list kept from being dropped." },
	};
	struct pk_block_info info;

	for (size_t r = 0; r < PK_ARRAY_SIZE(rows); r++) {
		if (rows[r].name)
			pk_prom_counter(p, rows[r].name, rows[r].help);
		for (size_t i = 0; pk_block_list_at(v->block, i, &info); i++) {
			pk_prom_label(p, "list", info.name);
			if (rows[r].direction)
				pk_prom_label(p, "direction", rows[r].direction);
			pk_prom_u64(p, *(const __u64 *)((const char *)&info.count + rows[r].at));
		}
	}
}

static void write_list_states(struct pk_prom *p, const struct pk_view *v)
{
	static const char *const mode[] = {
		[PK_BLK_OFF] = "off", [PK_BLK_OBSERVE] = "observe", [PK_BLK_ENFORCE] = "enforce"
	};
	struct pk_block_info info;

	pk_prom_gauge(p, "picket_list_entries", "Entries of a list, with names.");
	for (size_t i = 0; pk_block_list_at(v->block, i, &info); i++) {
		pk_prom_label(p, "list", info.name);
		pk_prom_label(p, "kind", info.allow ? "allow" : "block");
		pk_prom_label(p, "mode", mode[info.mode]);
		pk_prom_u64(p, info.entries);
	}
	pk_prom_gauge(p, "picket_list_changed_timestamp_seconds",
		      "When a list was changed last, since the epoch.");
	for (size_t i = 0; pk_block_list_at(v->block, i, &info); i++) {
		pk_prom_label(p, "list", info.name);
		pk_prom_dbl(p, (double)info.changed_ms / 1e3);
	}
	pk_prom_gauge(p, "picket_list_fault",
		      "1 when the file of a list is damaged or can not be "
		      "written.");
	for (size_t i = 0; pk_block_list_at(v->block, i, &info); i++) {
		pk_prom_label(p, "list", info.name);
		pk_prom_u64(p, info.fault != NULL);
	}
}

void pk_metrics_lists(struct pk_prom *p, const struct pk_view *v)
{
	struct pk_block_totals t;

	if (!v->block)
		return;
	pk_block_totals(v->block, &t);
	pk_prom_level(p, "picket_lists", "Block and allow lists.", t.lists);
	pk_prom_level(p, "picket_enforcing", "1 when there is something to enforce.", t.enforcing);
	pk_prom_level(p, "picket_block_memory_bytes", "Kernel memory of the rules.", t.use.bytes);
	pk_prom_count(p, "picket_automatic_blocks_refused_total",
		      "Blocks of responses refused by rate, number or evidence.", t.auto_refused);
	write_list_states(p, v);
	write_list_counts(p, v);
}

static void write_incidents(struct pk_prom *p, const struct pk_view *v)
{
	struct pk_incidents_count n;
	struct pk_respond_count r;

	if (v->incidents) {
		pk_incidents_counts(v->incidents, &n);
		pk_prom_level(p, "picket_incidents_open", "Incidents that are not over.", n.open);
		pk_prom_count(p, "picket_incidents_total", "Incidents that began.", n.begun);
		pk_prom_count(p, "picket_incidents_merged_total",
			      "Incidents that became part of another.", n.merged);
		pk_prom_count(p, "picket_incidents_evicted_total",
			      "Incidents that had to go for newer ones.", n.evicted);
		pk_prom_count(p, "picket_incidents_refused_total",
			      "Incidents for which there was no memory.", n.refused);
	}
	if (!v->respond)
		return;
	pk_respond_counts(v->respond, &r);
	pk_prom_level(p, "picket_responses_active", "Responses in force.", r.active);
	pk_prom_count(p, "picket_responses_total", "Playbooks that were run.", r.runs);
	pk_prom_count(p, "picket_response_steps_total", "Steps that were done.", r.steps);
	pk_prom_count(p, "picket_response_steps_failed_total", "Steps that failed.", r.failed);
	pk_prom_count(p, "picket_response_steps_refused_total",
		      "Steps refused as too many came at once.", r.refused_rate);
}

void pk_metrics_alerts(struct pk_prom *p, const struct pk_view *v)
{
	struct pk_alerts_count n;
	struct pk_detector_use u;

	if (v->alerts) {
		pk_alerts_counts(v->alerts, &n);
		pk_prom_count(p, "picket_findings_total", "Findings of detectors.", n.findings);
		pk_prom_count(p, "picket_findings_folded_total",
			      "Of them, those that were counted up in an alert that was there.",
			      n.folded);
		pk_prom_level(p, "picket_alerts", "Alerts in memory.", n.used);
		pk_prom_count(p, "picket_alerts_evicted_total",
			      "Alerts that left memory for newer ones.", n.evicted);
		pk_prom_count(p, "picket_alerts_refused_total",
			      "Alerts for which there was no memory.", n.refused);
	}
	if (v->detect) {
		pk_prom_counter(p, "picket_detector_findings_total", "Findings by detector.");
		for (size_t i = 0; i < pk_detectors_n; i++) {
			pk_detect_use(v->detect, i, &u);
			pk_prom_label(p, "detector", u.detector->name);
			pk_prom_u64(p, u.found);
		}
		pk_prom_gauge(p, "picket_detector_memory_bytes", "Memory by detector.");
		for (size_t i = 0; i < pk_detectors_n; i++) {
			pk_detect_use(v->detect, i, &u);
			pk_prom_label(p, "detector", u.detector->name);
			pk_prom_u64(p, u.bytes);
		}
	}
	if (v->state->learned.on) {
		pk_prom_count(p, "picket_learned_saves_total",
			      "Times that what detectors learned was written.",
			      v->state->learned.saves);
		pk_prom_count(p, "picket_learned_saves_failed_total", "Times that it could not be.",
			      v->state->learned.failed);
		pk_prom_level(p, "picket_learned_rows", "Rows of it.", v->state->learned.rows);
		pk_prom_count(p, "picket_learned_damaged_total",
			      "Files of it that could not be read.", v->state->learned.damaged);
	}
	write_incidents(p, v);
}

static void write_lost(struct pk_prom *p, const char *cause, uint64_t n)
{
	pk_prom_label(p, "cause", cause);
	pk_prom_u64(p, n);
}

static void write_store(struct pk_prom *p, struct pk_store *store)
{
	struct pk_store_counts c;

	pk_store_counts(store, &c);
	pk_prom_level(p, "picket_store_writable", "1 when the store can write.", !c.trouble[0]);
	pk_prom_count(p, "picket_store_rows_total", "Alerts, incidents and acts written.", c.rows);
	pk_prom_count(p, "picket_store_flows_total", "Flows written.", c.flows);
	pk_prom_counter(p, "picket_store_lost_total", "Rows that were not written.");
	write_lost(p, "queue_full", c.lost_full);
	write_lost(p, "flow_queue_full", c.lost_flow_full);
	write_lost(p, "bad_row", c.lost_bad);
	write_lost(p, "ended", c.lost_end);
	pk_prom_count(p, "picket_store_commits_failed_total", "Commits that were tried again.",
		      c.failed);
	pk_prom_level(p, "picket_store_queue_bytes", "What waits to be written.", c.queued_bytes);
	pk_prom_level(p, "picket_store_size_bytes", "Size of the database.", c.bytes);
}

static void write_sinks(struct pk_prom *p, struct pk_sinks *sinks)
{
	static const struct {
		size_t at;
		bool level;
		const char *name, *help;
	} rows[] = {
		{ offsetof(struct pk_sink_count, sent), false, "picket_sink_records_sent_total",
		  "Records that a receiver took." },
		{ offsetof(struct pk_sink_count, waiting), true, "picket_sink_queue_records",
		  "Records that wait for a receiver." },
		{ offsetof(struct pk_sink_count, failed), false, "picket_sink_tries_failed_total",
		  "Tries that failed." },
		{ offsetof(struct pk_sink_count, dropped), false,
		  "picket_sink_records_dropped_total",
		  "Records that left the queue for newer ones." },
		{ offsetof(struct pk_sink_count, refused), false,
		  "picket_sink_records_refused_total", "Records that a receiver will never take." },
	};
	struct pk_sink_count c;

	for (size_t r = 0; r < PK_ARRAY_SIZE(rows); r++) {
		if (rows[r].level)
			pk_prom_gauge(p, rows[r].name, rows[r].help);
		else
			pk_prom_counter(p, rows[r].name, rows[r].help);
		for (size_t i = 0; pk_sinks_count(sinks, i, &c); i++) {
			pk_prom_label(p, "sink", c.name);
			pk_prom_u64(p, *(const uint64_t *)((const char *)&c + rows[r].at));
		}
	}
}

void pk_metrics_queues(struct pk_prom *p, const struct pk_view *v)
{
	struct pk_capture_counts c;
	size_t readers = 0;

	for (int k = 0; v->streams && k < PK_STREAM_KINDS; k++)
		readers += pk_streams_readers(v->streams, (enum pk_stream_kind)k);
	pk_prom_level(p, "picket_stream_readers", "Readers of streams.", readers);
	pk_prom_count(p, "picket_stream_records_lost_total",
		      "Records that readers of streams were too slow for.",
		      v->streams ? pk_streams_lost(v->streams) : 0);
	if (v->store)
		write_store(p, v->store);
	if (v->sinks)
		write_sinks(p, v->sinks);
	if (!v->capture)
		return;
	pk_capture_counts(v->capture, &c);
	pk_prom_level(p, "picket_capture_memory_bytes", "Packets kept in memory.", c.memory.bytes);
	pk_prom_count(p, "picket_capture_packets_total", "Packets that came to be kept.",
		      c.memory.taken);
	pk_prom_level(p, "picket_recordings", "Recordings that go on.", c.recordings);
}
