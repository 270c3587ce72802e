/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts that the store keeps: older ones than memory has, also of agents that ran before. */
#include "api/alerts_kept.h"

#include "api/alert_json.h"
#include "api/kept_page.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "detect/finding.h"
#include "flow/filter.h"
#include "store/query.h"

#include <picket/api.h>

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define BODY_MAX (64u << 20)

struct listing {
	struct pk_kept_page page;
	const struct pk_alert_wish *wish;
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
	struct listing *l = arg;
	bool ok = wanted(l->wish, item);

	if (ok)
		pk_json_raw(&l->page.j, NULL, item->json, item->len);
	return pk_kept_page_took(&l->page, item->id, ok);
}

int pk_alerts_kept_get(struct pk_api_request *q, const struct pk_alert_wish *wish)
{
	const char *severity = pk_api_param(q, "severity");
	struct listing l = { .wish = wish };
	enum pk_severity least = 0;
	int r = 0;

	if (severity && pk_severity_parse(severity, &least) < 0)
		return pk_api_problem(q, 400,
				      "severity: expected informational, low, medium, high or "
				      "critical");
	if (pk_kept_page_begin(q, "alerts", &l.page) < 0)
		return 0;
	l.page.query.kind = PK_STORE_ALERT;
	l.page.query.severity_min = (uint8_t)least;
	l.page.query.technique = pk_api_param(q, "technique");
	if (l.page.limit)
		r = pk_store_list(q->view->store, &l.page.query, add, &l);
	pk_kept_page_end(q, &l.page, r);
	return 0;
}

static int copy(void *arg, const struct pk_store_item *item)
{
	pk_buf_add(arg, item->json, item->len);
	return 0;
}

int pk_alert_kept_get(struct pk_api_request *q)
{
	struct pk_buf body = { .max = BODY_MAX };

	if (!q->view->store ||
	    pk_store_get(q->view->store, PK_STORE_ALERT, q->rest, copy, &body) < 0) {
		pk_buf_done(&body);
		return -ENOENT;
	}
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}
