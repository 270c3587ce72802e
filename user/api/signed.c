/* SPDX-License-Identifier: Apache-2.0 */
/* Says what became of a signed list, to who sent it and to the record. It judges nothing. */
#include "api/signed.h"

#include "api/audit.h"
#include "api/link.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "base/json.h"
#include "conf/conf.h"
#include "sign/signing.h"

#include <inttypes.h>

int pk_signed_status(enum pk_refusal r)
{
	static const int status[PK_REFUSALS] = {
		[PK_SIGNED_OK] = 200,           [PK_REFUSED_UNSIGNED] = 403,
		[PK_REFUSED_TOO_LARGE] = 413,   [PK_REFUSED_MALFORMED] = 400,
		[PK_REFUSED_SIGNATURE] = 403,   [PK_REFUSED_UNKNOWN_KEY] = 403,
		[PK_REFUSED_RETIRED_KEY] = 403, [PK_REFUSED_THRESHOLD] = 403,
		[PK_REFUSED_NAME] = 422,        [PK_REFUSED_FUTURE] = 422,
		[PK_REFUSED_EXPIRED] = 422,     [PK_REFUSED_REPLAYED] = 409,
		[PK_REFUSED_FORKED] = 409,      [PK_REFUSED_DIGEST] = 422,
		[PK_REFUSED_COUNT] = 422,       [PK_REFUSED_OPTION] = 422,
		[PK_REFUSED_NO_BASE] = 409,     [PK_REFUSED_STATE] = 503,
	};

	return r < PK_REFUSALS ? status[r] : 500;
}

int pk_signed_refuse(struct pk_api_request *q, enum pk_refusal r, const char *detail)
{
	int status = pk_signed_status(r);
	struct pk_buf body = { 0 };
	struct pk_json j;

	pk_api_problem_begin(&j, &body, status, detail ? detail : pk_refusal_text(r));
	pk_json_str(&j, "code", pk_refusal_code(r));
	return pk_api_problem_end(q, &j, status);
}

void pk_signed_note(struct pk_view *v, const struct pk_audit_who *who, const char *list,
		    const struct pk_signed *s, enum pk_refusal r, const char *detail)
{
	_cleanup_(pk_buf_done) struct pk_buf object = { 0 };

	pk_buf_str(&object, list);
	if (s)
		pk_buf_fmt(&object, " version %" PRIu64 " signed by", s->statement.version);
	for (size_t i = 0; s && i < s->keys; i++)
		pk_buf_fmt(&object, " %s", s->key[i]);
	(void)pk_audit_note(v, /* the store counts what it refuses */
			    &(struct pk_audit){ .who = who,
						.act = "list push",
						.object = object.data ? object.data : list,
						.done = r == PK_SIGNED_OK && !detail,
						.code = r == PK_SIGNED_OK && detail
								? "not-applied"
								: pk_refusal_code(r),
						.detail = detail ? detail : pk_refusal_text(r) },
			    NULL);
}

bool pk_signed_guards(struct pk_api_request *q, const char *list)
{
	const struct pk_link_client *client = pk_link_client(q->x);
	struct pk_view *v = q->view;
	struct pk_accepted a;

	if (!client || client->role >= PK_ROLE_ADMIN || !v->conf->sign_require || !v->signing ||
	    !pk_versions_get(v->signing->versions, list, &a) || a.replaced)
		return false;
	(void)pk_signed_refuse(q, PK_REFUSED_UNSIGNED, /* always 0 */
			       "this list is signed: over the network only signed versions of it "
			       "change it, or an admin");
	return true;
}

void pk_signed_left(struct pk_view *v, const char *list)
{
	if (v->signing)
		pk_versions_replaced(v->signing->versions, list);
}

void pk_signed_write(struct pk_json *j, struct pk_view *v, const char *list)
{
	struct pk_accepted a;
	char hex[65];

	if (!v->signing || !pk_versions_get(v->signing->versions, list, &a))
		return;
	pk_hex(a.statement.sha256, sizeof(a.statement.sha256), hex);
	pk_json_obj(j, "signed");
	pk_json_u64(j, "version", a.statement.version);
	pk_json_i64(j, "created", a.statement.created_s * 1000);
	pk_json_i64(j, "expires", a.statement.expires_s * 1000);
	pk_json_str(j, "sha256", hex);
	pk_json_arr(j, "keys");
	for (size_t i = 0; i < a.keys; i++)
		pk_json_str(j, NULL, a.key[i]);
	pk_json_end(j);
	pk_json_bool(j, "in_force", !a.replaced && !a.damaged);
	pk_json_bool(j, "damaged", a.damaged);
	pk_json_end(j);
}
