/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns what the pipeline knows into rows. It never waits: what finds no room is counted by the
 * store. Which alerts there are is pipeline_alerts.c's.
 */
#include "pipeline_keep.h"

#include "api/resume.h"
#include "api/state.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "conf/conf.h"
#include "detect/alert.h"
#include "enrich/process.h"
#include "flow/table.h"
#include "incident/incidents.h"
#include "incident/read.h"
#include "name/fact.h"
#include "name/name.h"
#include "output/journal.h"
#include "output/ocsf_finding.h"
#include "output/ocsf_incident.h"
#include "sink/sink.h"
#include "store/query.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define QUEUE_BYTES   (4u << 20)
#define CHECKPOINT_NS (60ull * 1000000000)
#define DAY_NS        (86400ull * 1000000000)
#define OPEN_MS       2000 /* at the start the store may take so long before we go on without */

int pk_pipeline_keep_new(struct pk_view *view, const struct pk_places *places)
{
	const struct pk_conf *c = view->conf;
	struct pk_store_opts opts = { .dir_fd = places->store,
				      .checkpoints_fd = places->checkpoints,
				      .retain_ns = c->store_days * DAY_NS,
				      .bytes_max = c->store_bytes,
				      .queue_bytes = QUEUE_BYTES,
				      .checkpoint_ns = CHECKPOINT_NS };

	struct pk_sinks_opts sinks = { .conf = c,
				       .hostname = view->ocsf.hostname,
				       .spool_fd = places->spool,
				       .file_fd = places->sink_file };
	int r = 0;

	if (places->spool >= 0)
		r = pk_sinks_new(&sinks, &view->sinks);
	if (!r && places->store >= 0)
		r = pk_store_new(&opts, &view->store);
	return r;
}

void pk_pipeline_keep_free(struct pk_view *view)
{
	pk_sinks_free(PK_TAKE(view->sinks));
	pk_store_free(PK_TAKE(view->store));
}

static uint64_t wall_ns(uint64_t boot_ns)
{
	int64_t ns = (int64_t)boot_ns + pk_clock_offset_ns();

	return ns > 0 ? (uint64_t)ns : 0;
}

void pk_pipeline_keep_alert(struct pk_view *view, const struct pk_alert *a, const char *json,
			    size_t len)
{
	const struct pk_finding *f = &a->finding;
	struct pk_store_row row = { .kind = PK_STORE_ALERT,
				    .time_ns = wall_ns(f->ts_ns),
				    .technique = f->technique[0],
				    .severity = (uint8_t)f->severity,
				    .remote = f->has_remote ? f->remote : NULL,
				    .pid = f->procs ? f->proc[0].tgid : 0,
				    .json = json,
				    .len = len };
	char uid[PK_ALERT_UID];

	row.uid = pk_alert_uid(&view->ocsf, a->number, uid);
	/* both count what they refuse */
	if (view->store)
		(void)pk_store_put(view->store, &row, NULL);
	if (view->sinks && (!f->mute || view->conf->mute_sinks))
		(void)pk_sinks_put(view->sinks, &(struct pk_sink_record){ .time_ns = row.time_ns,
									  .severity = row.severity,
									  .uid = row.uid,
									  .json = json,
									  .len = len });
}

static int keep_act(struct pk_view *view, const struct pk_incident *i, struct pk_incident_act *a,
		    struct pk_buf *text)
{
	char uid[PK_ACT_UID], what[PK_STORE_UID_MAX], who[PK_STORE_UID_MAX];
	struct pk_store_row row = { .kind = PK_STORE_ACT,
				    .time_ns = (uint64_t)a->time_ms * 1000000,
				    .incident_uid = i->uid,
				    .severity = (uint8_t)i->severity,
				    .act = what,
				    .actor = who };
	struct pk_json j;

	pk_buf_reset(text);
	pk_json_init(&j, text);
	pk_ocsf_act(&j, &view->ocsf, i, a);
	if (text->error)
		return text->error;
	snprintf(what, sizeof(what), "%.*s", (int)sizeof(what) - 1, a->what);
	snprintf(who, sizeof(who), "%s", a->who);
	row.uid = pk_ocsf_act_uid(i, a, uid);
	row.json = text->data;
	row.len = text->len;
	return pk_store_put(view->store, &row, &a->ticket);
}

/* What finds no room is put again when the incident is told the next time. */
static int keep_acts(struct pk_view *view, struct pk_incident *i)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	int bad = 0;

	for (size_t k = 0; k < i->acts; k++) {
		int r = i->act[k].number > i->acts_kept ? keep_act(view, i, &i->act[k], &text) : 0;

		if (r == -ENOBUFS || r == -ENOMEM)
			return r;
		bad = r < 0 ? r : bad; /* will not be better the next time */
		if (i->act[k].number > i->acts_kept)
			i->acts_kept = i->act[k].number;
	}
	return bad;
}

int pk_pipeline_keep_incident(struct pk_view *view, struct pk_incident *i, const char *json,
			      size_t len, uint64_t *ret_ticket)
{
	struct pk_store_row row = { .kind = PK_STORE_INCIDENT,
				    .time_ns = (uint64_t)i->at_ms[PK_CLOCK_DETECTED] * 1000000,
				    .uid = i->uid,
				    .incident_uid = i->uid,
				    .severity = (uint8_t)i->severity,
				    .act = pk_incident_state_name(i->state),
				    .json = json,
				    .len = len };
	int r, bad;

	if (view->sinks) /* it counts what it refuses */
		(void)pk_sinks_put(
			view->sinks,
			&(struct pk_sink_record){ .time_ns = (uint64_t)i->updated_ms * 1000000,
						  .severity = row.severity,
						  .uid = row.uid,
						  .json = json,
						  .len = len });
	if (!view->store)
		return -ENODATA;
	bad = keep_acts(view, i);
	r = pk_store_put(view->store, &row, ret_ticket);
	return bad < 0 ? bad : r;
}

/* What was told last before the end may not have been kept; no number may come twice. */
#define TOLD_UNKEPT 1000

static int restore_one(void *arg, const struct pk_store_item *item)
{
	struct pk_view *view = arg;
	struct pk_incident i;

	if (pk_incident_read(item->json, item->len, &i) < 0)
		return 0; /* of another version of this program */
	pk_journal_begin_at(view->incident_log, i.sequence + TOLD_UNKEPT);
	if (pk_incidents_restore(view->incidents, &i) < 0)
		pk_incident_done(&i); /* no room: the newest ones came first */
	return 0;
}

/* The number of the last telling that is kept. */
static int restore_number(void *arg, const struct pk_store_item *item)
{
	struct pk_view *view = arg;
	uint64_t n = pk_resume_sequence(item->json, item->len);

	if (n) /* else it is suppressed, and was not told */
		pk_journal_begin_at(view->alert_log, n + TOLD_UNKEPT);
	return n != 0;
}

/* A new database has a first record at once, an old one its last: then it can be read. */
static bool is_open(struct pk_store *s)
{
	struct pk_store_counts c;

	pk_store_counts(s, &c);
	return c.chain > 0;
}

void pk_pipeline_keep_restore(struct pk_view *view)
{
	struct pk_store_query query = { .kind = PK_STORE_INCIDENT,
					.limit = view->conf->incidents_max };
	struct pk_store_query latest = { .kind = PK_STORE_ALERT, .by_change = true };
	int r;

	if (!view->store || !view->incidents)
		return;
	for (int ms = 0; ms < OPEN_MS && !is_open(view->store); ms += 5)
		usleep(5000);
	r = pk_store_list(view->store, &query, restore_one, view);
	if (r == 0)
		r = pk_store_list(view->store, &latest, restore_number, view);
	view->logs_go_on = r == 0;
	if (r < 0 && r != -ENODATA)
		pk_warn("alerts and incidents of before can not be read: %s, continuing without "
			"them",
			strerror(-r));
}

/* The name that says most about whom the flow was with; NULL: none is known. */
static const char *name_of(const struct pk_fact *f, unsigned to)
{
	const char *const by_worth[] = { f->sni, f->http_host, f->dns[to], f->dns_question };

	for (size_t i = 0; i < PK_ARRAY_SIZE(by_worth); i++)
		if (by_worth[i] && by_worth[i][0])
			return by_worth[i];
	return NULL;
}

static void add_owner(const struct pk_view *view, const struct pk_flow_entry *e,
		      struct pk_store_flow *row)
{
	int d = pk_ocsf_actor(e);
	struct pk_side s;

	if (d < 0)
		return;
	pk_ocsf_side(&view->ocsf, e, (unsigned)d, &s);
	row->pid = s.owner->user.tgid;
	row->uid = s.owner->user.uid;
	row->exe = s.user ? pk_process_path(s.user) : NULL;
	if (row->pid)
		row->own = (unsigned)d != (e->flow.meta.initiator & 1);
}

void pk_pipeline_keep_flow(struct pk_view *view, struct pk_flow_entry *e)
{
	const struct pk_flow *f = &e->flow;
	const struct pk_fact *fact;
	unsigned from = f->meta.initiator & 1;
	uint64_t last =
		f->dir[0].last_ns > f->dir[1].last_ns ? f->dir[0].last_ns : f->dir[1].last_ns;
	struct pk_store_flow row = { .start_ns = wall_ns(f->meta.start_ns),
				     .end_ns = wall_ns(last),
				     .proto = f->key.proto,
				     .own = PK_STORE_NO_END };

	if (!view->store || !view->conf->store_flows || !e->ended || e->was_ended)
		return;
	for (unsigned i = 0; i < 2; i++) {
		unsigned d = i ? !from : from;

		row.bytes[i] = f->dir[d].bytes;
		row.packets[i] = f->dir[d].packets;
		row.port[i] = ntohs(f->key.port[d]);
		memcpy(row.addr[i], f->key.addr[d], 16);
	}
	add_owner(view, e, &row);
	fact = pk_names_fact(view->ocsf.names, f->meta.id);
	row.name = fact ? name_of(fact, !from) : NULL;
	(void)pk_store_put_flow(view->store, &row); /* it counts what it refuses */
}

/* A line in the log and in the status, once for each thing that happened. */
static void notice(struct pk_view *view, const char *text)
{
	pk_warn("%s", text);
	pk_state_notice(view->state, view->now_ns, PK_LOG_WARN, text);
}

void pk_pipeline_keep_tick(struct pk_view *view)
{
	struct pk_store_counts c;
	char text[256];
	bool troubled;

	if (!view->store)
		return;
	pk_store_counts(view->store, &c);
	if (c.broken > view->store_told.broken) {
		snprintf(text, sizeof(text),
			 "store: the database was broken and is kept as %s; another one begins",
			 c.kept);
		notice(view, text);
	}
	troubled = c.trouble[0] != '\0';
	if (troubled && !view->store_told.trouble) {
		snprintf(text, sizeof(text),
			 "store: %s; what is to be kept waits, and is counted when it finds no "
			 "more room",
			 c.trouble);
		notice(view, text);
	} else if (!troubled && view->store_told.trouble) {
		notice(view, "store: writing again");
	}
	view->store_told.broken = c.broken;
	view->store_told.trouble = troubled;
}
