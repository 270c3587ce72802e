/* SPDX-License-Identifier: Apache-2.0 */
/* Makes tags, and answers conditions that do not hold. It knows no list. */
#include "api/tag.h"

#include "api/audit.h"
#include "api/exchange.h"
#include "api/said.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"

#include <picket/api.h>

#include <event2/http.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *pk_tag_of(const struct pk_view *v, const struct pk_block_info *info,
		      char out[PK_TAG_MAX])
{
	snprintf(out, PK_TAG_MAX, "\"%.8s%.8s-%" PRIx64 "\"", v->ocsf.boot, v->ocsf.run,
		 info->edition);
	return out;
}

void pk_tag_head(struct pk_api_request *q, const struct pk_block_info *info)
{
	char tag[PK_TAG_MAX];

	if (q->x)
		pk_exchange_head(q->x, "ETag", pk_tag_of(q->view, info, tag));
}

static bool refuse(struct pk_api_request *q, const struct pk_block_info *info, const char *detail)
{
	if (info)
		pk_tag_head(q, info);
	(void)pk_api_problem(q, 412, detail); /* always 0 */
	return false;
}

static bool malformed(struct pk_api_request *q, const char *name)
{
	char detail[96];

	snprintf(detail, sizeof(detail), "%s takes tags in double quotes with commas between, or *",
		 name);
	(void)pk_api_problem(q, 400, detail); /* always 0 */
	return false;
}

static bool not_modified(struct pk_api_request *q, const struct pk_block_info *info)
{
	struct pk_buf nothing = { 0 };

	pk_tag_head(q, info);
	pk_api_reply(q, 304, PK_API_TYPE_JSON, &nothing);
	return false;
}

bool pk_tag_passes(struct pk_api_request *q, const struct pk_block_info *info)
{
	const char *match = q->x ? pk_exchange_said(q->x, "If-Match") : NULL;
	const char *none = q->x ? pk_exchange_said(q->x, "If-None-Match") : NULL;
	char text[PK_TAG_MAX], *tag = info ? text : NULL;
	int r;

	if (info)
		(void)pk_tag_of(q->view, info, text); /* which is text */
	r = match ? pk_said_tag(match, tag, false) : 1;
	if (r < 0)
		return malformed(q, "If-Match");
	if (!r)
		return refuse(
			q, info,
			info ? "the list is not the one of If-Match any more: ETag is that of "
			       "now"
			     : "there is no list of this name that If-Match could be about");
	r = none ? pk_said_tag(none, tag, true) : 0;
	if (r < 0)
		return malformed(q, "If-None-Match");
	if (!r)
		return true;
	if (q->x->method == EVHTTP_REQ_GET || q->x->method == EVHTTP_REQ_HEAD)
		return not_modified(q, info);
	return refuse(q, info, "there is a list of If-None-Match");
}

bool pk_tag_lets(struct pk_api_request *q, const struct pk_block_info *info, const char *act)
{
	struct pk_audit_who who;

	pk_audit_who(q, &who); /* while the request is there */
	if (pk_tag_passes(q, info))
		return true;
	(void)pk_audit_note(q->view, /* the store counts what it refuses */
			    &(struct pk_audit){ .who = &who,
						.act = act,
						.object = q->rest,
						.code = "precondition",
						.detail = "what If-Match or If-None-Match asks for "
							  "is not so" },
			    NULL);
	return false;
}
