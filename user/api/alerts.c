/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts as they are now, and the detectors that make them. It keeps nothing. */
#include "api/alerts_kept.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "detect/alert.h"
#include "detect/detect.h"
#include "detect/waiting.h"
#include "flow/filter.h"
#include "output/ocsf_finding.h"
#include "output/subject.h"

#include <picket/api.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT     1000
#define LIMIT_MAX 10000
#define BODY_MAX  (64u << 20)

struct wish {
	struct pk_filter *filter;
	enum pk_severity severity; /* at least */
	const char *technique;     /* NULL: any; with its sub-techniques */
	const char *rule;          /* NULL: any */
	bool muted;                /* those that are suppressed, and no others */
};

static bool has_technique(const struct pk_finding *f, const char *technique)
{
	size_t n = strlen(technique);

	for (size_t i = 0; i < PK_TECHNIQUES_MAX && f->technique[i]; i++)
		if (strncasecmp(f->technique[i], technique, n) == 0 &&
		    (!f->technique[i][n] || f->technique[i][n] == '.'))
			return true;
	return false;
}

static bool wanted(const struct wish *w, const struct pk_alert *a)
{
	struct pk_filter_subject s;
	struct pk_flow flow;

	if ((a->finding.mute != 0) != w->muted || a->finding.severity < w->severity ||
	    (w->technique && !has_technique(&a->finding, w->technique)) ||
	    (w->rule && strcmp(a->finding.rule, w->rule) != 0))
		return false;
	(void)pk_subject_unpack(a->subject ? a->subject : "", a->subject_len, &flow, &s);
	return pk_filter_match(w->filter, &s);
}

static int read_wish(struct pk_api_request *q, struct wish *w)
{
	const char *severity = pk_api_param(q, "severity");

	*w = (struct wish){ .severity = PK_INFORMATIONAL,
			    .technique = pk_api_param(q, "technique"),
			    .rule = pk_api_param(q, "rule") };
	if (severity && pk_severity_parse(severity, &w->severity) < 0) {
		pk_api_problem(q, 400,
			       "severity: expected informational, low, medium, high or critical");
		return -EINVAL;
	}
	if (pk_api_param_bool(q, "muted", &w->muted) < 0)
		return -EINVAL;
	return pk_api_param_filter(q, &w->filter);
}

int pk_alerts_get(struct pk_api_request *q)
{
	const struct pk_alerts *all = q->view->alerts;
	struct pk_buf body = { .max = BODY_MAX };
	uint64_t limit = LIMIT, matched = 0, n = 0;
	struct pk_json j;
	struct wish w;

	if (pk_api_param_u64(q, "limit", LIMIT_MAX, &limit) < 0 || read_wish(q, &w) < 0)
		return 0;
	if (pk_api_param(q, "since")) {
		(void)pk_alerts_kept_get(
			q, &(struct pk_alert_wish){ .rule = w.rule,
						    .filter = pk_api_param(q, "filter") ? w.filter
											: NULL,
						    .muted = w.muted }); /* always 0 */
		pk_filter_free(w.filter);
		return 0;
	}
	for (struct pk_alert *a = NULL; (a = pk_alerts_next(all, a));)
		matched += wanted(&w, a);
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_arr(&j, "alerts");
	for (struct pk_alert *a = NULL; (a = pk_alerts_next(all, a));)
		if (wanted(&w, a) && n++ + limit >= matched)
			pk_ocsf_alert(&j, &q->view->ocsf, a, 0);
	pk_json_end(&j);
	pk_json_u64(&j, "matched", matched);
	pk_json_u64(&j, "limit", limit);
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	pk_filter_free(w.filter);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

/* By its uid ("boot-run-a-number") or its number alone. */
int pk_alert_get(struct pk_api_request *q)
{
	const char *dash = strrchr(q->rest, '-'), *digits = dash ? dash + 1 : q->rest;
	char *end, uid[PK_ALERT_UID];
	unsigned long long number = strtoull(digits, &end, 10);
	struct pk_alert *a = *digits && !*end ? pk_alerts_find(q->view->alerts, number) : NULL;
	struct pk_buf body = { 0 };
	struct pk_json j;

	if (!a && pk_alert_kept_get(q) == 0)
		return 0;
	if (!a || (dash && strcmp(pk_alert_uid(&q->view->ocsf, number, uid), q->rest) != 0))
		return pk_api_problem(q, 404, "there is no such alert");
	pk_json_init(&j, &body);
	pk_ocsf_alert(&j, &q->view->ocsf, a, 0);
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

static void write_detector(struct pk_json *j, const struct pk_detector_use *u)
{
	const struct pk_detector *d = u->detector;

	pk_json_obj(j, NULL);
	pk_json_str(j, "name", d->name);
	pk_json_str(j, "title", d->title);
	pk_json_bool(j, "on", u->on);
	pk_json_str(j, "severity", pk_severity_name(d->severity));
	pk_json_i64(j, "confidence_score", d->confidence);
	pk_json_arr(j, "techniques");
	for (size_t i = 0; i < PK_TECHNIQUES_MAX && d->technique[i]; i++)
		pk_json_str(j, NULL, d->technique[i]);
	pk_json_end(j);
	pk_json_str(j, "false_positives", d->doubt);
	pk_json_str(j, "next", d->next);
	pk_json_u64(j, "seen", u->seen);
	pk_json_u64(j, "found", u->found);
	pk_json_u64(j, "bytes", u->bytes);
	pk_json_u64(j, "bytes_max", u->bytes_max);
	pk_json_u64(j, "evicted", u->evicted);
	pk_json_u64(j, "refused", u->refused);
	pk_json_end(j);
}

int pk_detectors_get(struct pk_api_request *q)
{
	struct pk_buf body = { 0 };
	struct pk_json j;

	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "attack_version", PK_ATTACK_VERSION);
	pk_json_arr(&j, "detectors");
	for (size_t i = 0; i < pk_detectors_n; i++) {
		struct pk_detector_use u;

		pk_detect_use(q->view->detect, i, &u);
		write_detector(&j, &u);
	}
	pk_json_end(&j);
	/* said before it was known whose they are, for too many waited */
	pk_json_u64(&j, "hurried", q->view->waiting ? pk_waiting_hurried(q->view->waiting) : 0);
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}
