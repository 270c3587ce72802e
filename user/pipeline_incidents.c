/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the incidents: an alert that was told joins one or begins one, and one that changed is told
 * to readers of its stream and in the log: at most once a second each, and at once when a person
 * did something about it. It decides nothing else.
 */
#include "pipeline_incidents.h"

#include "api/stream.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "conf/conf.h"
#include "detect/alert.h"
#include "incident/incidents.h"
#include "output/journal.h"
#include "output/ocsf_finding.h"
#include "output/ocsf_incident.h"
#include "pipeline_keep.h"
#include "pipeline_respond.h"
#include "respond/respond.h"

#include <errno.h>

#define LOG_MAX   1024
#define LOG_BYTES 16384 /* of memory for each telling */

struct pk_pipeline_incidents {
	struct pk_view *view;
	struct pk_buf text;
};

static int tell(struct pk_view *v, struct pk_buf *text, struct pk_incident *i, uint64_t *ret_ticket)
{
	struct pk_ocsf_telling telling = { .sequence = pk_journal_next(v->incident_log) };
	struct pk_stream *r = NULL;
	struct pk_json j;

	pk_buf_reset(text);
	pk_json_init(&j, text);
	pk_ocsf_incident(&j, &v->ocsf, i, &telling);
	pk_incidents_told(i, v->now_ns);
	if (text->error)
		return text->error;
	pk_journal_add(v->incident_log, text->data, text->len);
	while ((r = pk_stream_next(v->streams, PK_STREAM_INCIDENTS, r)))
		if (pk_stream_has_room(r))
			pk_stream_add(r, (struct pk_stream_id){ .seq = telling.sequence },
				      text->data, text->len);
	return pk_pipeline_keep_incident(v, i, text->data, text->len, ret_ticket);
}

static void tell_changed(struct pk_pipeline_incidents *p)
{
	struct pk_incident *i;
	uint64_t ticket;

	while ((i = pk_incidents_untold(p->view->incidents, p->view->now_ns)))
		(void)tell(p->view, &p->text, i, &ticket); /* the store counts what it refuses */
}

/* Somebody did something about it and waits until it is kept. */
static int on_keep(struct pk_view *v, struct pk_incident *i, uint64_t *ret_ticket)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };

	return tell(v, &text, i, ret_ticket);
}

int pk_pipeline_incidents_new(struct pk_view *view, struct pk_pipeline_incidents **ret)
{
	const struct pk_conf *c = view->conf;
	struct pk_incidents_conf conf = { .max = c->incidents_max,
					  .window_ns = c->incident_window_ns,
					  .begin = PK_MEDIUM,
					  .world = { view->ocsf.enrich, view->ocsf.local },
					  .team = c->incident_team };
	struct pk_pipeline_incidents *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->view = view;
	view->ocsf.deadlines = &c->incident_deadlines;
	view->incidents = pk_incidents_new(&conf);
	view->incident_log = pk_journal_new(LOG_MAX * LOG_BYTES, LOG_MAX);
	view->keep = on_keep;
	*ret = p; /* the caller frees it, whatever is returned */
	return view->incidents && view->incident_log ? pk_pipeline_respond_new(view) : -ENOMEM;
}

void pk_pipeline_incidents_free(struct pk_pipeline_incidents *p)
{
	if (!p)
		return;
	pk_pipeline_respond_free(p->view);
	pk_incidents_free(p->view->incidents);
	pk_journal_free(p->view->incident_log);
	pk_buf_done(&p->text);
	free(p);
}

void pk_pipeline_incidents_alert(struct pk_pipeline_incidents *p, struct pk_alert *a)
{
	struct pk_view *v = p->view;
	char uid[PK_ALERT_UID];
	struct pk_incident *i =
		pk_incidents_take(v->incidents, a, pk_alert_uid(&v->ocsf, a->number, uid));

	if (!i)
		return;
	pk_respond_look(v->respond, i, v->now_ns); /* what is done about it */
	tell_changed(p);
}

void pk_pipeline_incidents_tick(struct pk_pipeline_incidents *p, uint64_t now_ns)
{
	pk_pipeline_respond_tick(p->view, now_ns);
	tell_changed(p);
}
