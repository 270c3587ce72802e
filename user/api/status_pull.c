/* SPDX-License-Identifier: Apache-2.0 */
/* Shows what pull/told.c holds, in the status, beside lists and in the metrics. */
#include "api/status_pull.h"

#include "api/link.h"
#include "api/metrics.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/prom.h"
#include "conf/conf.h"
#include "pull/told.h"

#include <stdio.h>
#include <string.h>

static void write_time(struct pk_json *j, const char *name, uint64_t ns)
{
	if (ns)
		pk_json_i64(j, name, pk_clock_wall_ms(ns));
}

static void write_members(struct pk_json *j, const struct pk_pulled *p)
{
	pk_json_str(j, "outcome", pk_pull_outcome_name(p->last.outcome));
	if (*p->last.why)
		pk_json_str(j, "why", p->last.why);
	if (*p->last.source)
		pk_json_str(j, "mirror", p->last.source);
	if (p->last.status)
		pk_json_u64(j, "status", p->last.status);
	write_time(j, "tried", p->tried_ns);
	write_time(j, "good", p->good_ns);
	write_time(j, "next", p->next_ns);
	pk_json_bool(j, "stale", p->stale);
	pk_json_obj(j, "tries");
	for (int i = PK_PULL_PENDING + 1; i < PK_PULL_OUTCOMES; i++)
		pk_json_u64(j, pk_pull_outcome_name(i), p->count[i]);
	pk_json_end(j);
}

void pk_status_pull(struct pk_json *j, const struct pk_view *v, const struct pk_api *api)
{
	const struct pk_pulled *p;

	if (!v->pulls)
		return;
	pk_json_obj(j, "pull");
	pk_json_bool(j, "running", pk_api_pull_runs(api));
	pk_json_arr(j, "lists");
	for (size_t i = 0; (p = pk_pulls_at(v->pulls, i)); i++) {
		pk_json_obj(j, NULL);
		pk_json_str(j, "list", p->list);
		write_members(j, p);
		pk_json_end(j);
	}
	pk_json_end(j);
	pk_json_end(j);
}

/* A try and its repetition have had their time. */
static bool is_late(const struct pk_view *v, const struct pk_pulled *p)
{
	uint64_t since = pk_pulls_since(v->pulls, p);

	return v->now_ns > since + 2 * (v->conf->pull_interval_ns + v->conf->pull_timeout_ns);
}

void pk_status_pull_degraded(struct pk_json *j, const struct pk_view *v, const struct pk_api *api)
{
	const struct pk_pulled *p;
	char text[400];

	if (!v->pulls)
		return;
	if (!pk_api_pull_runs(api))
		pk_json_str(j, NULL, "the process that fetches lists is not running");
	for (size_t i = 0; (p = pk_pulls_at(v->pulls, i)); i++) {
		if (!p->stale && !is_late(v, p))
			continue;
		snprintf(text, sizeof(text), "list %s: no mirror had it for %llu s: %s%s%s",
			 p->list,
			 (unsigned long long)((v->now_ns - pk_pulls_since(v->pulls, p)) /
					      1000000000),
			 pk_pull_outcome_name(p->last.outcome), *p->last.why ? ", " : "",
			 p->last.why);
		pk_json_str(j, NULL, text);
	}
}

void pk_status_pull_list(struct pk_json *j, const struct pk_view *v, const char *list)
{
	const struct pk_pulled *p = pk_pulls_find(v->pulls, list);

	if (!p)
		return;
	pk_json_obj(j, "pull");
	write_members(j, p);
	pk_json_end(j);
}

void pk_metrics_pull(struct pk_prom *p, const struct pk_view *v, const struct pk_api *api)
{
	const struct pk_pulled *of;

	if (!v->pulls)
		return;
	pk_prom_level(p, "picket_pull_running", "1 while the process that fetches lists is there.",
		      pk_api_pull_runs(api));
	pk_prom_counter(p, "picket_pull_tries_total",
			"Tries to fetch a list, by what came of them.");
	for (size_t i = 0; (of = pk_pulls_at(v->pulls, i)); i++)
		for (int o = PK_PULL_PENDING + 1; o < PK_PULL_OUTCOMES; o++) {
			pk_prom_label(p, "list", of->list);
			pk_prom_label(p, "outcome", pk_pull_outcome_name(o));
			pk_prom_u64(p, of->count[o]);
		}
	pk_prom_gauge(p, "picket_pull_good_timestamp_seconds",
		      "When a mirror last gave the list, or had nothing newer, since the epoch; 0: "
		      "never.");
	for (size_t i = 0; (of = pk_pulls_at(v->pulls, i)); i++) {
		pk_prom_label(p, "list", of->list);
		pk_prom_dbl(p, of->good_ns ? (double)pk_clock_wall_ms(of->good_ns) / 1e3 : 0);
	}
}

bool pk_pull_may(const struct pk_api_request *q, const struct pk_route *route)
{
	const struct pk_link_client *c = pk_link_client(q->x);

	return c && c->role == PK_ROLE_CARRIER && route->answer == pk_list_put &&
	       pk_pulls_find(q->view->pulls, q->rest) && !pk_api_param(q, "base") &&
	       !pk_api_param(q, "confirm");
}
