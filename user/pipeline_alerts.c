/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the detectors. Each finding becomes an alert or is counted in one; an alert is told when it
 * is new and when it has grown, to readers of the stream and in the log. It decides nothing.
 */
#include "pipeline_alerts.h"

#include "api/stream.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "conf/conf.h"
#include "detect/alert.h"
#include "detect/indicators.h"
#include "detect/owner.h"
#include "detect/waiting.h"
#include "flow/filter.h"
#include "flow/table.h"
#include "intel/intel.h"
#include "output/journal.h"
#include "output/ocsf_finding.h"
#include "output/subject.h"
#include "pipeline_incidents.h"
#include "pipeline_keep.h"
#include "pipeline_mutes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOG_BYTES 4096 /* of memory for each alert told */

struct pk_pipeline_alerts {
	struct pk_view *view;
	struct pk_world world;
	struct pk_detect *detect;
	struct pk_waiting *waiting;
	struct pk_indicators *intel; /* NULL: none was read yet */
	struct pk_pipeline_incidents *incidents;
	struct pk_buf text, subject;
};

/* To the stream without its subject, to the log with it. */
static void publish(struct pk_pipeline_alerts *p, const struct pk_alert *a, size_t len)
{
	struct pk_view *v = p->view;
	struct pk_stream_id id = { .seq = pk_journal_next(v->alert_log) };
	struct pk_filter_subject s;
	struct pk_flow flow;

	pk_buf_add(&p->text, a->subject, a->subject_len);
	if (p->text.error)
		return;
	pk_journal_add(v->alert_log, p->text.data, p->text.len);
	(void)pk_subject_unpack(p->text.data, p->text.len, &flow, &s);
	for (struct pk_stream *r = NULL; (r = pk_stream_next(v->streams, PK_STREAM_ALERTS, r));)
		if (pk_filter_match(pk_stream_filter(r), &s) && pk_stream_has_room(r))
			pk_stream_add(r, id, p->text.data, len);
}

/* What is suppressed is kept and can be read, and that is all. */
static void tell(struct pk_pipeline_alerts *p, struct pk_alert *a)
{
	struct pk_view *v = p->view;
	bool quiet = a->finding.mute != 0;
	struct pk_json j;

	if (!quiet)
		pk_pipeline_incidents_alert(p->incidents, a); /* what it adds up to */
	pk_buf_reset(&p->text);
	pk_json_init(&j, &p->text);
	pk_ocsf_alert(&j, &v->ocsf, a, quiet ? 0 : pk_journal_next(v->alert_log));
	if (p->text.error)
		return;
	pk_pipeline_keep_alert(v, a, p->text.data, p->text.len);
	if (!quiet)
		publish(p, a, p->text.len);
	a->told = a->count;
	a->told_ns = v->now_ns;
}

/* What can only be looked up now. */
static void keep_evidence(struct pk_pipeline_alerts *p, struct pk_alert *a)
{
	const struct pk_ocsf *o = &p->view->ocsf;
	struct pk_filter_subject s;
	struct pk_flow flow;
	struct pk_json j;

	pk_buf_reset(&p->text);
	pk_json_init(&j, &p->text);
	pk_ocsf_evidence(&j, o, &a->finding);
	pk_ocsf_finding_subject(o, &a->finding, &flow, &s);
	pk_buf_reset(&p->subject);
	pk_subject_pack(&p->subject, &s);
	if (!p->text.error && !p->subject.error)
		(void)pk_alert_keep(a, p->text.data, p->text.len, p->subject.data,
				    p->subject.len); /* without it the alert is still told */
}

/* Whose it is is known as far as it ever will be. */
static void on_known(void *arg, struct pk_finding *f)
{
	struct pk_pipeline_alerts *p = arg;
	struct pk_alert *a;
	bool is_new, more;

	pk_pipeline_mutes_ask(p->view, f); /* did somebody decide not to hear of it? */
	a = pk_alerts_take(p->view->alerts, f, &is_new);
	if (!a)
		return;
	more = is_new || pk_finding_other_view(&a->finding, &p->world, f);
	if (more)
		keep_evidence(p, a);
	if (more || pk_alert_is_due(a, p->view->now_ns))
		tell(p, a);
}

static void on_found(void *arg, struct pk_finding *f)
{
	struct pk_pipeline_alerts *p = arg;

	pk_waiting_take(p->waiting, f, p->view->now_ns);
}

int pk_pipeline_alerts_new(struct pk_view *view, struct pk_pipeline_alerts **ret_alerts)
{
	struct pk_pipeline_alerts *p = calloc(1, sizeof(*p));
	const struct pk_conf *c = view->conf;
	int r;

	if (!p)
		return -ENOMEM;
	p->world = (struct pk_world){ .conf = c,
				      .enrich = view->ocsf.enrich,
				      .flows = view->ocsf.flows,
				      .socks = view->ocsf.socks,
				      .local = view->ocsf.local,
				      .names = view->ocsf.names,
				      .aggs = view->aggs,
				      .intel = &p->intel };
	p->waiting = pk_waiting_new(&p->world, on_known, p);
	p->view = view;
	view->alerts = pk_alerts_new(c->alerts_max, c->alerts_fold_ns);
	view->alert_log = pk_journal_new(c->alerts_max * LOG_BYTES, c->alerts_max);
	r = view->alerts && view->alert_log && p->waiting
		    ? pk_detect_new(&p->world, on_found, p, &p->detect)
		    : -ENOMEM;
	if (r == 0)
		r = pk_pipeline_mutes_new(view);
	if (r == 0)
		r = pk_pipeline_incidents_new(view, &p->incidents);
	if (r < 0) {
		pk_pipeline_alerts_free(p);
		return r;
	}
	view->detect = p->detect;
	view->waiting = p->waiting;
	*ret_alerts = p;
	return 0;
}

void pk_pipeline_alerts_free(struct pk_pipeline_alerts *p)
{
	if (!p)
		return;
	pk_pipeline_incidents_free(p->incidents);
	pk_detect_free(p->detect);
	pk_waiting_free(p->waiting);
	pk_indicators_free(p->intel);
	pk_pipeline_mutes_free(p->view);
	pk_alerts_free(p->view->alerts);
	pk_journal_free(p->view->alert_log);
	pk_buf_done(&p->text);
	pk_buf_done(&p->subject);
	free(p);
}

int pk_pipeline_alerts_intel(struct pk_pipeline_alerts *p, int64_t now_ms,
			     struct pk_intel_sum *ret_sum)
{
	const struct pk_conf *c = p->view->conf;
	struct pk_indicators *fresh;
	int r = pk_intel_load(c->intel_dir, c->intel_max, now_ms, &fresh, ret_sum);

	if (r < 0)
		return r;
	pk_indicators_free(p->intel);
	p->intel = fresh;
	return 0;
}

bool pk_pipeline_alerts_wants_digests(const struct pk_pipeline_alerts *p)
{
	struct pk_indicators_count c;

	if (!p->intel || !pk_detect_wants(pk_detect_wanted(p->detect), PK_SEE_DIGEST))
		return false;
	pk_indicators_counts(p->intel, &c);
	return c.hashes > 0;
}

struct pk_detect *pk_pipeline_alerts_detect(struct pk_pipeline_alerts *p)
{
	return p->detect;
}

void pk_pipeline_alerts_see(struct pk_pipeline_alerts *p, const struct pk_see *see)
{
	if (see->kind == PK_SEE_FLOW)
		pk_waiting_flow(p->waiting, see->flow->flow.meta.id);
	if (see->kind == PK_SEE_NOTICE) /* rules may be read again: their texts go */
		pk_waiting_tick(p->waiting, UINT64_MAX);
	pk_detect_see(p->detect, see);
}

/* Alerts that grew and have not been told for a while are told on the next tick. */
void pk_pipeline_alerts_tick(struct pk_pipeline_alerts *p, uint64_t now_ns)
{
	pk_pipeline_mutes_tick(p->view);
	pk_waiting_tick(p->waiting, now_ns);
	pk_detect_tick(p->detect, now_ns);
	for (struct pk_alert *a = NULL; (a = pk_alerts_next(p->view->alerts, a));)
		if (pk_alert_is_due(a, now_ns))
			tell(p, a);
	pk_pipeline_incidents_tick(p->incidents, now_ns);
}

void pk_pipeline_alerts_soon(struct pk_pipeline_alerts *p, uint64_t now_ns)
{
	pk_pipeline_incidents_tick(p->incidents, now_ns);
}
