/* SPDX-License-Identifier: Apache-2.0 */
/* Reads where a page begins, and tells where it ended. What is in it the routes say. */
#include "api/kept_page.h"

#include "api/server.h"
#include "api/view.h"

#include <picket/api.h>

#include <errno.h>
#include <string.h>

#define LIMIT     1000
#define LIMIT_MAX 10000
#define BODY_MAX  (64u << 20)
#define LOOKED_AT 1000000 /* rows for one answer */
#define NS_PER_MS 1000000

static void no_store(struct pk_api_request *q, int r)
{
	if (r == -ENODATA)
		(void)pk_api_busy(q, "the store is not open yet"); /* always 0 */
	else
		(void)pk_api_problem(q, 503, /* always 0 */
				     r == 0 ? "nothing is kept: store.enabled is off, or it has no "
					      "place to write to"
					    : "the store can not be read");
}

int pk_kept_page_begin(struct pk_api_request *q, const char *member, struct pk_kept_page *p)
{
	const char *order = pk_api_param(q, "order");
	uint64_t since = 0, limit = LIMIT;

	*p = (struct pk_kept_page){ .body.max = BODY_MAX };
	if (order && strcmp(order, "oldest") != 0 && strcmp(order, "newest") != 0) {
		(void)pk_api_problem(q, 400, "order: expected oldest or newest"); /* always 0 */
		return -EINVAL;
	}
	if (pk_api_param_u64(q, "since", INT64_MAX / NS_PER_MS, &since) < 0 ||
	    pk_api_param_u64(q, "after", INT64_MAX, &p->query.after) < 0 ||
	    pk_api_param_u64(q, "limit", LIMIT_MAX, &limit) < 0)
		return -EINVAL;
	if (!q->view->store) {
		no_store(q, 0);
		return -EINVAL;
	}
	p->query.since_ns = since * NS_PER_MS;
	p->query.oldest_first = order && strcmp(order, "oldest") == 0;
	p->query.limit = limit ? LOOKED_AT : 1; /* 200 ms end it before */
	p->limit = limit;
	pk_json_init(&p->j, &p->body);
	pk_json_obj(&p->j, NULL);
	pk_json_arr(&p->j, member);
	return 0;
}

bool pk_kept_page_took(struct pk_kept_page *p, uint64_t id, bool added)
{
	p->last = id;
	p->n += added;
	return p->n >= p->limit || p->body.error; /* the reader asks for the rest */
}

void pk_kept_page_end(struct pk_api_request *q, struct pk_kept_page *p, int r)
{
	if (r < 0 && r != -ETIME) {
		pk_buf_done(&p->body);
		no_store(q, r);
		return;
	}
	pk_json_end(&p->j);
	if (p->last)
		pk_json_u64(&p->j, "last", p->last);
	pk_json_bool(&p->j, "more", r == -ETIME || (p->n >= p->limit && p->limit));
	pk_json_end(&p->j);
	pk_buf_char(&p->body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &p->body);
}
