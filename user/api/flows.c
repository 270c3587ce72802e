/* SPDX-License-Identifier: Apache-2.0 */
/* Flows and events as lists and streams. It reads tables and the journal and keeps nothing. */
#include "api/flows_kept.h"
#include "api/resume.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/stream.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "flow/filter.h"
#include "flow/table.h"
#include "output/journal.h"

#include <picket/api.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT     1000
#define LIMIT_MAX 10000
#define BODY_MAX  (64u << 20)

struct listing {
	struct pk_view *v;
	const struct pk_filter *f;
	uint64_t limit, written, matched;
	struct pk_json j;
};

static void list_one(struct listing *l, struct pk_flow_entry *e)
{
	struct pk_filter_subject s;

	pk_ocsf_subject(&l->v->ocsf, e, pk_filter_needs(l->f), l->v->now_ns, &s);
	if (!pk_filter_match(l->f, &s))
		return;
	l->matched++;
	if (l->written >= l->limit)
		return;
	l->written++;
	pk_ocsf_flow(&l->j, &l->v->ocsf, e, l->v->now_ns, 0);
}

/* Live and ended flows in one order: the latest report first. */
static void list_flows(struct listing *l, bool live, bool ended)
{
	struct pk_flow_table *t = l->v->ocsf.flows;
	struct pk_flow_entry *a = live ? pk_flow_table_live(t, NULL) : NULL;
	struct pk_flow_entry *b = ended ? pk_flow_table_ended(t, NULL) : NULL;

	while (a || b) {
		if (a && (!b || a->updated_ns >= b->updated_ns)) {
			list_one(l, a);
			a = pk_flow_table_live(t, a);
		} else {
			list_one(l, b);
			b = pk_flow_table_ended(t, b);
		}
	}
}

int pk_flows_get(struct pk_api_request *q)
{
	const char *state = pk_api_param(q, "state");
	bool all = state && strcmp(state, "all") == 0, ended = state && strcmp(state, "ended") == 0;
	struct listing l = { .v = q->view, .limit = LIMIT };
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_filter *f = NULL;

	if (state && !all && !ended && strcmp(state, "live") != 0)
		return pk_api_problem(q, 400, "state must be live, ended or all");
	if (pk_api_param_u64(q, "limit", LIMIT_MAX, &l.limit) < 0 || pk_api_param_filter(q, &f) < 0)
		return 0;
	if (pk_api_param(q, "since")) {
		(void)pk_flows_kept_get(q, f); /* always 0 */
		pk_filter_free(f);
		return 0;
	}
	l.f = f;
	pk_json_init(&l.j, &body);
	pk_json_obj(&l.j, NULL);
	pk_json_arr(&l.j, "flows");
	list_flows(&l, !ended, all || ended);
	pk_json_end(&l.j);
	pk_json_u64(&l.j, "matched", l.matched);
	pk_json_u64(&l.j, "limit", l.limit);
	pk_json_end(&l.j);
	pk_filter_free(f);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

int pk_flow_get(struct pk_api_request *q)
{
	char *end = NULL;
	uint64_t id = strtoull(q->rest, &end, 16);
	struct pk_flow_entry *e =
		strlen(q->rest) == 16 && !*end ? pk_flow_table_find(q->view->ocsf.flows, id) : NULL;
	struct pk_buf body = { 0 };
	struct pk_json j;

	if (!e)
		return pk_api_problem(q, 404, "there is no flow with this id (any more)");
	pk_json_init(&j, &body);
	pk_ocsf_flow(&j, &q->view->ocsf, e, q->view->now_ns, 0);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

int pk_events_get(struct pk_api_request *q)
{
	const struct pk_journal *journal = q->view->journal;
	uint64_t after = 0, limit = LIMIT, last, first = 0, n = 0, skip;
	struct pk_journal_item item = { 0 };
	struct pk_buf body = { .max = BODY_MAX };

	if (pk_api_param_u64(q, "limit", LIMIT_MAX, &limit) < 0 ||
	    pk_api_param_u64(q, "after", UINT64_MAX >> 4, &after) < 0)
		return 0;
	/* without after: the latest ones */
	skip = pk_journal_next(journal) > limit + 1 ? pk_journal_next(journal) - 1 - limit : 0;
	if (!pk_api_param(q, "after"))
		after = skip;
	last = after;
	pk_buf_str(&body, "{\"events\":[");
	while (n < limit && pk_journal_after(journal, last, &item) == 0) {
		if (n++)
			pk_buf_char(&body, ',');
		else
			first = item.sequence;
		pk_buf_add(&body, item.json, item.len);
		last = item.sequence;
	}
	pk_buf_fmt(&body, "],\"last\":%llu,\"lost\":%llu}\n", (unsigned long long)last,
		   (unsigned long long)(first > after + 1 && pk_api_param(q, "after")
						? first - after - 1
						: 0));
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

/* With after, what is kept comes first; a filter is about what comes from now on only. */
int pk_events_stream(struct pk_api_request *q)
{
	struct pk_filter *f = NULL;
	struct pk_resume from;
	int r;

	if (pk_resume_read(q, &from) < 0)
		return 0;
	if (from.asked && pk_api_param(q, "filter"))
		return pk_api_problem(q, 400, "after and filter do not go together");
	if (pk_api_param_filter(q, &f) < 0)
		return 0;
	r = pk_resume_open(q, q->view->journal, PK_STREAM_EVENTS, 0, &f);
	pk_filter_free(f);
	return r;
}
