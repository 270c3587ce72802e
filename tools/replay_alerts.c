/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the detectors of one capture, or of what the store keeps, and their alerts, which are
 * printed at the end. There are no processes in a capture: what needs them stays silent.
 */
#include "replay_alerts.h"

#include "alerts.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "conf/conf.h"
#include "detect/alert.h"
#include "detect/detect.h"
#include "flow/filter.h"
#include "output/ocsf.h"
#include "output/ocsf_finding.h"
#include "output/subject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALERTS_MAX 65536

struct pk_replay_alerts {
	struct pk_replay_world world;
	struct pk_detect *detect;
	struct pk_alerts *alerts;
	struct pk_ocsf ocsf;
	struct pk_buf text, subject;
};

static void on_found(void *arg, struct pk_finding *f)
{
	struct pk_replay_alerts *a = arg;
	struct pk_filter_subject s;
	struct pk_alert *alert;
	struct pk_flow flow;
	struct pk_json j;
	bool is_new;

	if (a->world.wanted && !a->world.wanted(a->world.arg, f))
		return;
	alert = pk_alerts_take(a->alerts, f, &is_new);
	if (!alert || !is_new)
		return;
	pk_buf_reset(&a->text);
	pk_buf_reset(&a->subject);
	pk_json_init(&j, &a->text);
	pk_ocsf_evidence(&j, &a->ocsf, f);
	pk_ocsf_finding_subject(&a->ocsf, f, &flow, &s);
	pk_subject_pack(&a->subject, &s);
	if (!a->text.error && !a->subject.error)
		(void)pk_alert_keep(alert, a->text.data, a->text.len, a->subject.data,
				    a->subject.len); /* told without it */
}

int pk_replay_alerts_new(const struct pk_replay_world *world, struct pk_replay_alerts **ret_alerts)
{
	_cleanup_(pk_replay_alerts_freep) struct pk_replay_alerts *a = calloc(1, sizeof(*a));
	struct pk_world w = { .conf = world->conf,
			      .enrich = world->enrich,
			      .flows = world->flows,
			      .names = world->names };
	int r;

	if (!a)
		return -ENOMEM;
	a->ocsf = (struct pk_ocsf){ .boot = "00000000",
				    .enrich = world->enrich,
				    .flows = world->flows,
				    .names = world->names };
	snprintf(a->ocsf.hostname, sizeof(a->ocsf.hostname), "%s", world->hostname);
	a->world = *world;
	w.intel = &a->world.intel;
	a->alerts = pk_alerts_new(ALERTS_MAX, world->conf->alerts_fold_ns);
	if (!a->alerts)
		return -ENOMEM;
	r = pk_detect_new(&w, on_found, a, &a->detect);
	if (r < 0)
		return r;
	*ret_alerts = PK_TAKE(a);
	return 0;
}

int pk_replay_only_rules(struct pk_conf *conf, const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	_cleanup_(pk_buf_done) struct pk_buf off = { 0 };
	int r;

	if (!real)
		return -errno;
	for (size_t i = 0; i < pk_detectors_n; i++)
		if (strcmp(pk_detectors[i]->name, "rules") != 0)
			pk_buf_fmt(&off, "%s%s", off.len ? "," : "", pk_detectors[i]->name);
	r = off.error ? off.error : pk_conf_set(conf, "detect.off", off.data, NULL);
	return r < 0 ? r : pk_conf_set(conf, "detect.rules_dir", real, NULL);
}

uint64_t pk_replay_alerts_lost(const struct pk_replay_alerts *a)
{
	struct pk_alerts_count c;

	pk_alerts_counts(a->alerts, &c);
	return c.evicted + c.refused;
}

void pk_replay_alerts_free(struct pk_replay_alerts *a)
{
	if (!a)
		return;
	pk_detect_free(a->detect);
	pk_alerts_free(a->alerts);
	pk_buf_done(&a->text);
	pk_buf_done(&a->subject);
	free(a);
}

void pk_replay_alerts_freep(struct pk_replay_alerts **a)
{
	pk_replay_alerts_free(*a);
}

void pk_replay_alerts_see(struct pk_replay_alerts *a, const struct pk_see *see)
{
	pk_detect_see(a->detect, see);
}

void pk_replay_alerts_tick(struct pk_replay_alerts *a, uint64_t now_ns)
{
	pk_detect_tick(a->detect, now_ns);
}

static void print_one(struct pk_replay_alerts *a, struct pk_table *t, const struct pk_alert *alert,
		      struct pk_buf *out)
{
	struct pk_json j;
	json_t *o;

	pk_buf_reset(&a->text);
	pk_json_init(&j, &a->text);
	pk_ocsf_alert(&j, &a->ocsf, alert, 0);
	o = a->text.error ? NULL : json_loadb(a->text.data, a->text.len, 0, NULL);
	if (o)
		pk_table_row(t, out, o);
	else if (!out->error)
		out->error = a->text.error ? a->text.error : -EBADMSG;
	json_decref(o);
}

/* The last line of JSON output. */
static void json_sum(struct pk_buf *b, const char *file, uint64_t alerts)
{
	struct pk_json j;

	pk_json_init(&j, b);
	pk_json_obj(&j, NULL);
	pk_json_obj(&j, "replay");
	pk_json_str(&j, "file", file);
	pk_json_u64(&j, "alerts", alerts);
	pk_json_end(&j);
	pk_json_end(&j);
	pk_buf_char(b, '\n');
}

int pk_replay_alerts_print(struct pk_replay_alerts *a, FILE *out, enum pk_format format,
			   const struct pk_filter *filter, const char *file, uint64_t *ret_n)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	struct pk_filter_subject s;
	struct pk_table t;
	struct pk_flow flow;

	*ret_n = 0;
	pk_table_init(&t, pk_alert_columns, pk_alert_columns_n, format);
	for (struct pk_alert *alert = NULL; (alert = pk_alerts_next(a->alerts, alert));) {
		(void)pk_subject_unpack(alert->subject ? alert->subject : "", alert->subject_len,
					&flow, &s);
		if (!pk_filter_match(filter, &s))
			continue;
		print_one(a, &t, alert, &text);
		++*ret_n;
	}
	if (format == PK_FORMAT_JSON && file)
		json_sum(&text, file, *ret_n);
	if (text.error)
		return text.error;
	return fwrite(text.data, 1, text.len, out) == text.len && !fflush(out) ? 0 : -EIO;
}
