/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts that the store keeps: older ones than memory has, also of agents that ran before. */
#include "api/alerts_kept.h"

#include "api/alert_json.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "detect/finding.h"
#include "flow/filter.h"
#include "store/query.h"

#include <picket/api.h>

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define LIMIT     1000
#define LIMIT_MAX 10000
#define BODY_MAX  (64u << 20)
#define LOOKED_AT 1000000 /* rows for one answer */

struct page {
	struct pk_json *j;
	const struct pk_alert_wish *wish; /* NULL: any */
	uint64_t last;                    /* row that was looked at last */
	size_t n, limit;
};

/* Our own record: the text stands where its status is, and nowhere in a string. */
static bool is_muted(const struct pk_store_item *item)
{
	static const char text[] = "\"status_id\":3,";

	return memmem(item->json, item->len, text, sizeof(text) - 1);
}

static bool wanted(const struct pk_alert_wish *w, const struct pk_store_item *item)
{
	struct pk_filter_subject s;
	struct pk_flow flow;
	json_t *a;
	bool ok;

	if (is_muted(item) != w->muted)
		return false;
	if (!w->rule && !w->filter)
		return true;
	a = json_loadb(item->json, item->len, 0, NULL);
	ok = a && (!w->rule || pk_alert_json_is_of(a, w->rule));
	if (ok && w->filter) {
		pk_alert_json_subject(a, &flow, &s);
		ok = pk_filter_match(w->filter, &s);
	}
	json_decref(a);
	return ok;
}

static int add(void *arg, const struct pk_store_item *item)
{
	struct page *p = arg;

	p->last = item->id;
	if (p->wish && !wanted(p->wish, item))
		return 0;
	pk_json_raw(p->j, NULL, item->json, item->len);
	p->n++;
	return p->n == p->limit || p->j->out->error; /* the reader asks for the rest */
}

static int read_query(struct pk_api_request *q, struct pk_store_query *query, size_t *ret_limit)
{
	const char *severity = pk_api_param(q, "severity"), *order = pk_api_param(q, "order");
	uint64_t since = 0, limit = LIMIT;
	enum pk_severity least = 0;

	if (severity && pk_severity_parse(severity, &least) < 0)
		return pk_api_problem(q, 400,
				      "severity: expected informational, low, medium, high or "
				      "critical"),
		       -EINVAL;
	if (order && strcmp(order, "oldest") != 0 && strcmp(order, "newest") != 0)
		return pk_api_problem(q, 400, "order: expected oldest or newest"), -EINVAL;
	if (pk_api_param_u64(q, "since", INT64_MAX / 1000000, &since) < 0 ||
	    pk_api_param_u64(q, "after", INT64_MAX, &query->after) < 0 ||
	    pk_api_param_u64(q, "limit", LIMIT_MAX, &limit) < 0)
		return -EINVAL;
	query->kind = PK_STORE_ALERT;
	query->since_ns = since * 1000000;
	query->severity_min = (uint8_t)least;
	query->technique = pk_api_param(q, "technique");
	query->limit = LOOKED_AT; /* 200 ms end it before */
	*ret_limit = limit;
	query->oldest_first = order && strcmp(order, "oldest") == 0;
	return 0;
}

static int no_store(struct pk_api_request *q, int r)
{
	if (r == -ENODATA)
		return pk_api_busy(q, "the store is not open yet");
	return pk_api_problem(q, 503,
			      r == 0 ? "nothing is kept: store.enabled is off, or it has no "
				       "place to write to"
				     : "the store can not be read");
}

int pk_alerts_kept_get(struct pk_api_request *q, const struct pk_alert_wish *wish)
{
	struct pk_store_query query = { 0 };
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_json j;
	struct page page = { .j = &j, .wish = wish };
	int r;

	if (read_query(q, &query, &page.limit) < 0)
		return 0;
	if (!q->view->store)
		return no_store(q, 0);
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_arr(&j, "alerts");
	if (page.limit)
		r = pk_store_list(q->view->store, &query, add, &page);
	else
		r = 0;
	if (r < 0 && r != -ETIME) {
		pk_buf_done(&body);
		return no_store(q, r);
	}
	pk_json_end(&j);
	if (page.last)
		pk_json_u64(&j, "last", page.last);
	pk_json_bool(&j, "more", r == -ETIME || page.n == page.limit);
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

int pk_alert_kept_get(struct pk_api_request *q)
{
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_json j;
	struct page page = { .j = &j, .limit = 1 };

	pk_json_init(&j, &body);
	if (!q->view->store ||
	    pk_store_get(q->view->store, PK_STORE_ALERT, q->rest, add, &page) < 0) {
		pk_buf_done(&body);
		return -ENOENT;
	}
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}
