/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts that the store keeps: older ones than memory has, also of agents that ran before. */
#include "api/alerts_kept.h"

#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "detect/finding.h"
#include "store/query.h"

#include <picket/api.h>

#include <errno.h>
#include <string.h>

#define LIMIT     1000
#define LIMIT_MAX 10000
#define BODY_MAX  (64u << 20)

struct page {
	struct pk_json *j;
	uint64_t last;
	size_t n;
};

static int add(void *arg, const struct pk_store_item *item)
{
	struct page *p = arg;

	pk_json_raw(p->j, NULL, item->json, item->len);
	p->last = item->id;
	p->n++;
	return p->j->out->error; /* the body is full: the reader asks for the rest */
}

static int read_query(struct pk_api_request *q, struct pk_store_query *query)
{
	const char *severity = pk_api_param(q, "severity"), *order = pk_api_param(q, "order");
	uint64_t since = 0, limit = LIMIT;
	enum pk_severity least = 0;

	if (pk_api_param(q, "filter") || pk_api_param(q, "rule"))
		return pk_api_problem(q, 400,
				      "kept alerts are found by since, severity, technique, after "
				      "and limit"),
		       -EINVAL;
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
	query->limit = limit;
	query->oldest_first = order && strcmp(order, "oldest") == 0;
	return 0;
}

static int no_store(struct pk_api_request *q, int r)
{
	return pk_api_problem(q, 503,
			      r == -ENODATA ? "the store is not open yet"
			      : r == 0      ? "nothing is kept: store.enabled is off, or it has no "
					      "place to write to"
					    : "the store can not be read");
}

int pk_alerts_kept_get(struct pk_api_request *q)
{
	struct pk_store_query query = { 0 };
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_json j;
	struct page page = { .j = &j };
	int r;

	if (read_query(q, &query) < 0)
		return 0;
	if (!q->view->store)
		return no_store(q, 0);
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_arr(&j, "alerts");
	if (query.limit)
		r = pk_store_list(q->view->store, &query, add, &page);
	else
		r = 0;
	if (r < 0 && r != -ETIME) {
		pk_buf_done(&body);
		return no_store(q, r);
	}
	pk_json_end(&j);
	if (page.n)
		pk_json_u64(&j, "last", page.last);
	pk_json_bool(&j, "more", r == -ETIME || page.n == query.limit);
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

int pk_alert_kept_get(struct pk_api_request *q)
{
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_json j;
	struct page page = { .j = &j };

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
