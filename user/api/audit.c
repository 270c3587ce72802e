/* SPDX-License-Identifier: Apache-2.0 */
/* Writes acts as OCSF API Activity (6003), 1.8.0. Whether the store takes them it counts itself. */
#include "api/audit.h"

#include "api/link.h"
#include "api/peer.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "store/store.h"

#include <errno.h>
#include <stdio.h>

void pk_audit_who(const struct pk_api_request *q, struct pk_audit_who *ret)
{
	const struct pk_link_client *client = pk_link_client(q->x);
	_cleanup_(pk_buf_done) struct pk_buf name = { 0 };

	*ret = (struct pk_audit_who){ 0 };
	if (client) {
		snprintf(ret->name, sizeof(ret->name), "%s (%s)", client->name,
			 pk_role_name(client->role));
		snprintf(ret->fingerprint, sizeof(ret->fingerprint), "%s", client->fingerprint);
		return;
	}
	pk_api_peer_name(q, &name);
	snprintf(ret->name, sizeof(ret->name), "%s",
		 name.len ? name.data : "somebody who has left");
}

static void write_actor(struct pk_json *j, const struct pk_audit_who *who)
{
	pk_json_obj(j, "actor");
	pk_json_obj(j, "user");
	pk_json_str(j, "name", who->name);
	if (*who->fingerprint)
		pk_json_str(j, "uid", who->fingerprint);
	pk_json_end(j);
	pk_json_end(j);
}

static void write_act(struct pk_json *j, const struct pk_ocsf *o, const struct pk_audit *a,
		      const char *uid, uint64_t now_ns)
{
	pk_json_obj(j, NULL);
	pk_ocsf_head_rated(j, 6003, 3, "Update", uid, 0, now_ns,
			   a->done ? PK_INFORMATIONAL : PK_LOW);
	pk_ocsf_device(j, o);
	write_actor(j, a->who);
	pk_json_obj(j, "api");
	pk_json_str(j, "operation", a->act);
	pk_json_end(j);
	pk_json_arr(j, "resources");
	for (size_t i = 0; i < (a->resource ? a->resources : 1); i++) {
		pk_json_obj(j, NULL);
		pk_json_str(j, "name", a->resource ? a->resource[i] : a->object);
		pk_json_end(j);
	}
	pk_json_end(j);
	pk_json_i64(j, "status_id", a->done ? 1 : 2);
	pk_json_str(j, "status", a->done ? "Success" : "Failure");
	pk_json_str(j, "status_code", a->code);
	pk_json_str(j, "status_detail", a->detail);
	if (a->why) {
		pk_json_obj(j, "unmapped");
		pk_json_obj(j, "picket");
		pk_json_str(j, "object", a->object);
		pk_json_str(j, "why", a->why);
		pk_json_end(j);
		pk_json_end(j);
	}
	pk_json_end(j);
}

int pk_audit_note(struct pk_view *v, const struct pk_audit *a, uint64_t *ret_ticket)
{
	static uint64_t number; /* with the run it is never the same twice */
	_cleanup_(pk_buf_done) struct pk_buf text = { .max = PK_STORE_JSON_MAX };
	uint64_t boot_ns = pk_clock_boot_ns();
	int64_t now_ms = pk_clock_wall_ms(boot_ns);
	char uid[48], actor[PK_STORE_UID_MAX], act[PK_STORE_UID_MAX];
	struct pk_json j;

	pk_notice("audit: %s %s by %s%s%s: %s%s%s", a->act, a->object, a->who->name,
		  *a->who->fingerprint ? ", " : "", a->who->fingerprint, a->code,
		  a->why ? ": " : "", a->why ? a->why : "");
	if (!v->store)
		return -ENODATA;
	snprintf(uid, sizeof(uid), "%s-api-%llu", v->ocsf.run, (unsigned long long)++number);
	snprintf(actor, sizeof(actor), "%.*s", (int)sizeof(actor) - 1, a->who->name);
	snprintf(act, sizeof(act), "%.*s", (int)sizeof(act) - 1, a->act);
	pk_json_init(&j, &text);
	write_act(&j, &v->ocsf, a, uid, boot_ns);
	if (text.error)
		return text.error;
	return pk_store_put(v->store,
			    &(struct pk_store_row){ .kind = PK_STORE_ACT,
						    .time_ns = (uint64_t)now_ms * 1000000,
						    .uid = uid,
						    .actor = actor,
						    .act = act,
						    .severity = a->done ? PK_INFORMATIONAL : PK_LOW,
						    .json = text.data,
						    .len = text.len },
			    ret_ticket);
}
