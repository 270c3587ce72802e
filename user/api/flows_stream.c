/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report says all that its flow did so far, so a reader who was away is given the last one of
 * each flow that was reported since, oldest first, out of the table. Lost is what ended since and
 * has left the table: ended flows leave it in the order in which they ended.
 */
#include "api/flows_stream.h"

#include "api/resume.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "flow/filter.h"
#include "flow/table.h"

#include <errno.h>

struct past {
	struct pk_stream_past base; /* first member */
	uint64_t seq;               /* told up to this report */
};

static uint64_t ended(const struct pk_view *v, uint64_t *ret_gone)
{
	struct pk_table_use_count live, n;

	pk_flow_table_counts(v->ocsf.flows, &live, &n);
	*ret_gone = n.evicted;
	return n.evicted + n.used;
}

struct pk_stream_id pk_flows_stream_id(const struct pk_view *v, const struct pk_flow_entry *e)
{
	uint64_t gone;

	return (struct pk_stream_id){ e->report, ended(v, &gone) };
}

static void give(struct pk_view *v, struct pk_stream *r, struct pk_flow_entry *e)
{
	const struct pk_filter *f = pk_stream_filter(r);
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	struct pk_filter_subject s;
	struct pk_json j;

	pk_ocsf_subject(&v->ocsf, e, pk_filter_needs(f), e->updated_ns, &s);
	if (!pk_filter_match(f, &s))
		return;
	pk_json_init(&j, &text);
	pk_ocsf_flow(&j, &v->ocsf, e, e->updated_ns, e->report);
	if (text.error)
		pk_stream_lose(r, 1);
	else
		pk_stream_add(r, pk_flows_stream_id(v, e), text.data, text.len);
}

static bool more(struct pk_stream_past *base, struct pk_stream *r)
{
	struct past *p = (struct past *)base;
	struct pk_flow_table *t = base->view->ocsf.flows;
	struct pk_flow_entry *a = pk_flow_table_after(t, false, p->seq);
	struct pk_flow_entry *b = pk_flow_table_after(t, true, p->seq);

	while ((a || b) && !pk_stream_is_full(r)) {
		struct pk_flow_entry **first = a && (!b || a->report < b->report) ? &a : &b;

		p->seq = (*first)->report;
		give(base->view, r, *first);
		*first = pk_flow_table_newer(t, *first);
	}
	return a || b;
}

/* How many flows ended after this and are not in the table any more. Without a mark: at most. */
static uint64_t lost_since(const struct pk_view *v, const struct pk_resume *from)
{
	struct pk_flow_entry *oldest = pk_flow_table_after(v->ocsf.flows, true, 0);
	uint64_t gone;

	(void)ended(v, &gone);
	if (from->other_run || (from->seq && oldest && oldest->report > from->seq && !from->mark))
		return gone;
	return from->mark && gone > from->mark ? gone - from->mark : 0;
}

int pk_flows_stream(struct pk_api_request *q)
{
	struct pk_streams *all = q->view->streams;
	struct pk_filter *f = NULL;
	struct past *p = NULL;
	struct pk_resume from;
	uint64_t lost;
	int r;

	if (pk_resume_read(q, &from) < 0 || pk_api_param_filter(q, &f) < 0)
		return 0;
	lost = from.asked ? lost_since(q->view, &from) : 0;
	if (from.asked) {
		p = calloc(1, sizeof(*p));
		if (p)
			*p = (struct past){ { more, q->view }, from.other_run ? 0 : from.seq };
	}
	r = from.asked && !p ? -ENOMEM
			     : pk_stream_open(all, q, PK_STREAM_FLOWS, &f, 0, p ? &p->base : NULL);
	pk_filter_free(f);
	if (r == -EBUSY)
		return pk_api_busy(q, "too many readers");
	if (r < 0)
		return r;
	if (from.other_run)
		pk_stream_restarted(pk_stream_latest(all), lost);
	else
		pk_stream_lose(pk_stream_latest(all), lost);
	if (from.asked)
		pk_streams_flush(all);
	return 0;
}
