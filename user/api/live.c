/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the history of rates and sends snapshots: totals here, rows in live_write.c, block lists in
 * live_drops.c. Where several readers have the same filter they
 * still get their own snapshot: readers are few.
 */
#include "api/live.h"

#include "api/live_drops.h"
#include "api/live_rows.h"
#include "api/live_write.h"
#include "api/server.h"
#include "api/state.h"
#include "api/stream.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "enrich/enrich.h"
#include "flow/aggregate.h"
#include "flow/filter.h"
#include "flow/link.h"
#include "flow/socket.h"
#include "flow/table.h"

#include <errno.h>
#include <stdlib.h>

#define S_NS 1e9

enum { OUT, IN, PACKETS, FLOWS_NEW, PROCESSES_NEW, SERIES };

static const char *const series_name[SERIES] = { "bytes_out", "bytes_in", "packets", "flows_new",
						 "processes_new" };

struct pk_live {
	double rate[SERIES][PK_LIVE_HISTORY]; /* a ring */
	uint64_t last[SERIES];                /* totals at the last tick */
	uint64_t last_ns;
	uint64_t ticks, sequence;
	struct pk_live_rows *rows;
	struct pk_live_drops *drops;
	struct pk_buf text;
};

struct pk_live *pk_live_new(void)
{
	struct pk_live *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->rows = pk_live_rows_new();
	l->drops = pk_live_drops_new();
	if (l->rows && l->drops)
		return l;
	pk_live_free(l);
	return NULL;
}

void pk_live_free(struct pk_live *l)
{
	if (!l)
		return;
	pk_live_rows_free(l->rows);
	pk_live_drops_free(l->drops);
	pk_buf_done(&l->text);
	free(l);
}

static void move_on(struct pk_live *l, const struct pk_view *v)
{
	const struct pk_flow_totals *t = pk_flow_table_totals(v->ocsf.flows);
	const struct pk_processes *p = &v->ocsf.enrich->processes;
	uint64_t now[SERIES] = { t->bytes[0], t->bytes[1], t->packets[0] + t->packets[1], t->flows,
				 p->used + p->evicted };
	double s = l->last_ns && v->now_ns > l->last_ns ? (v->now_ns - l->last_ns) / S_NS : 0;

	for (int i = 0; i < SERIES; i++) {
		uint64_t more = now[i] > l->last[i] ? now[i] - l->last[i] : 0;

		l->rate[i][l->ticks % PK_LIVE_HISTORY] = s > 0 ? more / s : 0;
		l->last[i] = now[i];
	}
	l->last_ns = v->now_ns;
	l->ticks++;
}

static void write_totals(struct pk_json *j, const struct pk_live *l, const struct pk_view *v)
{
	const struct pk_flow_totals *t = pk_flow_table_totals(v->ocsf.flows);
	struct pk_table_use_count live, ended, socks;
	uint64_t listening, lost = 0;
	struct pk_agg aggregated;

	pk_flow_table_counts(v->ocsf.flows, &live, &ended);
	pk_sock_table_counts(v->ocsf.socks, &socks, &listening);
	pk_agg_table_total(v->aggs, &aggregated);
	for (int i = 0; i < PK_STATE_RINGS; i++)
		lost += v->state->ring[i].lost;
	pk_json_obj(j, "totals");
	pk_json_u64(j, "bytes_out", t->bytes[0]);
	pk_json_u64(j, "bytes_in", t->bytes[1]);
	pk_json_u64(j, "packets", t->packets[0] + t->packets[1]);
	pk_json_u64(j, "flows", live.used);
	pk_json_u64(j, "flows_seen", t->flows);
	pk_json_u64(j, "processes", v->ocsf.enrich->processes.running);
	pk_json_u64(j, "listeners", listening);
	pk_json_u64(j, "aggregated_packets", aggregated.packets);
	pk_json_u64(j, "events_lost", lost);
	pk_json_end(j);
	pk_json_obj(j, "rate");
	for (int i = 0; i < SERIES; i++)
		pk_json_dbl(j, series_name[i],
			    l->ticks ? l->rate[i][(l->ticks - 1) % PK_LIVE_HISTORY] : 0);
	pk_json_end(j);
}

static void write_history(struct pk_json *j, const struct pk_live *l)
{
	uint64_t n = l->ticks < PK_LIVE_HISTORY ? l->ticks : PK_LIVE_HISTORY;

	pk_json_obj(j, "history");
	for (int i = 0; i < PROCESSES_NEW; i++) {
		pk_json_arr(j, series_name[i]);
		for (uint64_t t = l->ticks - n; t < l->ticks; t++)
			pk_json_u64(j, NULL, (uint64_t)l->rate[i][t % PK_LIVE_HISTORY]);
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void write_coverage(struct pk_json *j, const struct pk_view *v)
{
	unsigned n[3] = { 0 };
	const struct pk_link *k;

	for (size_t i = 0; (k = pk_links_at(v->ocsf.links, i)); i++)
		if (k->wanted)
			n[k->in_covered + k->out_covered]++;
	pk_json_obj(j, "coverage");
	pk_json_u64(j, "covered", n[2]);
	pk_json_u64(j, "partial", n[1]);
	pk_json_u64(j, "uncovered", n[0]);
	pk_json_end(j);
}

static void write_snapshot(struct pk_live *l, struct pk_view *v, const struct pk_filter *f,
			   size_t rows, uint64_t lost)
{
	struct pk_json j;

	pk_buf_reset(&l->text);
	pk_json_init(&j, &l->text);
	pk_json_obj(&j, NULL);
	pk_json_i64(&j, "time", pk_clock_wall_ms(v->now_ns));
	pk_json_u64(&j, "sequence", l->sequence);
	pk_json_u64(&j, "interval_ms", 1000);
	pk_json_i64(&j, "started", pk_clock_wall_ms(v->state->started_ns));
	pk_json_str(&j, "hostname", v->ocsf.hostname);
	pk_json_u64(&j, "lost", lost);
	write_totals(&j, l, v);
	write_history(&j, l);
	write_coverage(&j, v);
	if (pk_live_rows_fill(l->rows, v, f) < 0)
		pk_json_bool(&j, "rows_missing", true);
	pk_live_write(&j, v, l->rows, rows);
	pk_live_drops_write(l->drops, &j, v->block);
	pk_json_end(&j);
}

static void send_one(struct pk_live *l, struct pk_view *v, struct pk_stream *r)
{
	uint64_t lost = pk_stream_lost(r);

	if (!pk_stream_has_room(r))
		return;
	write_snapshot(l, v, pk_stream_filter(r), pk_stream_arg(r), lost);
	if (!l->text.error)
		pk_stream_add(r, (struct pk_stream_id){ 0 }, l->text.data, l->text.len);
}

void pk_live_tick(struct pk_live *l, struct pk_view *v)
{
	bool any = pk_streams_readers(v->streams, PK_STREAM_LIVE) > 0;

	move_on(l, v);
	l->sequence++;
	if (any && v->block)
		pk_live_drops_tick(l->drops, v->block, v->now_ns);
	for (struct pk_stream *r = NULL;
	     any && (r = pk_stream_next(v->streams, PK_STREAM_LIVE, r));)
		send_one(l, v, r);
	if (v->watched)
		v->watched(v->arg, any);
}

int pk_live_get(struct pk_api_request *q)
{
	struct pk_filter *f = NULL;
	uint64_t rows = PK_LIVE_ROWS;
	int r;

	if (pk_api_param_u64(q, "limit", PK_LIVE_ROWS_MAX, &rows) < 0 ||
	    pk_api_param_filter(q, &f) < 0)
		return 0;
	r = pk_stream_open(q->view->streams, q, PK_STREAM_LIVE, &f, rows, NULL);
	pk_filter_free(f);
	if (r == -EBUSY)
		return pk_api_busy(q, "too many readers");
	if (r < 0)
		return r;
	if (q->view->watched)
		q->view->watched(q->view->arg, true);
	if (q->view->block)
		pk_live_drops_tick(q->view->live->drops, q->view->block, q->view->now_ns);
	/* the first snapshot now: nobody likes to look at an empty screen */
	send_one(q->view->live, q->view, pk_stream_next(q->view->streams, PK_STREAM_LIVE, NULL));
	pk_streams_flush(q->view->streams);
	return 0;
}
