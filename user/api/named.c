/* SPDX-License-Identifier: Apache-2.0 */
/* DNS transactions, hellos and alerts from their journals, as lists and streams. It keeps nothing.
 */
#include "api/resume.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/stream.h"
#include "api/view.h"
#include "base/buf.h"
#include "flow/filter.h"
#include "output/journal.h"
#include "output/subject.h"

#include <picket/api.h>

#define LIMIT     1000
#define LIMIT_MAX 10000
#define BODY_MAX  (64u << 20)

/* The JSON of an item, and whether the filter wants it. */
static bool wanted(const struct pk_filter *f, const struct pk_journal_item *item, size_t *ret_len)
{
	struct pk_filter_subject s;
	struct pk_flow flow;

	*ret_len = pk_subject_unpack(item->json, item->len, &flow, &s);
	return pk_filter_match(f, &s);
}

/* Without after: behind which item the latest `limit` that are wanted begin. */
static uint64_t latest(const struct pk_journal *journal, const struct pk_filter *f, uint64_t limit)
{
	uint64_t all = 0, skip, seq = 0;
	struct pk_journal_item item;
	size_t len;

	for (; pk_journal_after(journal, seq, &item) == 0; seq = item.sequence)
		all += wanted(f, &item, &len);
	skip = all > limit ? all - limit : 0;
	for (seq = 0; skip && pk_journal_after(journal, seq, &item) == 0; seq = item.sequence)
		skip -= wanted(f, &item, &len);
	return seq;
}

static int get(struct pk_api_request *q, const struct pk_journal *journal, const char *member)
{
	uint64_t after = 0, limit = LIMIT, last, n = 0, first = 0;
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_journal_item item;
	struct pk_filter *f = NULL;
	bool from;
	size_t len;

	if (pk_api_param_u64(q, "limit", LIMIT_MAX, &limit) < 0 ||
	    pk_api_param_u64(q, "after", UINT64_MAX >> 4, &after) < 0 ||
	    pk_api_param_filter(q, &f) < 0)
		return 0;
	from = pk_api_param(q, "after") != NULL;
	if (!from)
		after = latest(journal, f, limit);
	if (pk_journal_after(journal, after, &item) == 0)
		first = item.sequence;
	pk_buf_fmt(&body, "{\"%s\":[", member);
	for (last = after; n < limit && pk_journal_after(journal, last, &item) == 0;
	     last = item.sequence) {
		if (!wanted(f, &item, &len))
			continue;
		if (n++)
			pk_buf_char(&body, ',');
		pk_buf_add(&body, item.json, len);
	}
	pk_buf_fmt(&body, "],\"last\":%llu,\"lost\":%llu}\n", (unsigned long long)last,
		   (unsigned long long)(from && first > after + 1 ? first - after - 1 : 0));
	pk_filter_free(f);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

static int stream(struct pk_api_request *q, const struct pk_journal *journal,
		  enum pk_stream_kind kind, enum pk_store_kind store)
{
	struct pk_filter *f = NULL;
	int r;

	if (pk_api_param_filter(q, &f) < 0)
		return 0;
	r = pk_resume_open(q, journal, kind, store, &f);
	pk_filter_free(f);
	return r;
}

int pk_dns_get(struct pk_api_request *q)
{
	return get(q, q->view->dns, "dns");
}

int pk_dns_stream(struct pk_api_request *q)
{
	return stream(q, q->view->dns, PK_STREAM_DNS, 0);
}

int pk_tls_get(struct pk_api_request *q)
{
	return get(q, q->view->tls, "tls");
}

int pk_tls_stream(struct pk_api_request *q)
{
	return stream(q, q->view->tls, PK_STREAM_TLS, 0);
}

int pk_alerts_stream(struct pk_api_request *q)
{
	return stream(q, q->view->alert_log, PK_STREAM_ALERTS, PK_STORE_ALERT);
}

int pk_incidents_stream(struct pk_api_request *q)
{
	return stream(q, q->view->incident_log, PK_STREAM_INCIDENTS, PK_STORE_INCIDENT);
}
