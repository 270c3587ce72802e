/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings of the hub, written as the alerts of hosts are. The same again within its time grows the
 * one that is there; it is told again when it is twice as large.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "hub/own.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

struct place {
	int64_t number, told, time_ms;
};

static uint64_t boot_ns(int64_t wall_ms)
{
	int64_t ns = wall_ms * 1000000 - pk_clock_offset_ns();

	return ns > 0 ? (uint64_t)ns : 0;
}

static void write_info(struct pk_json *j, const struct pk_hub_finding *f, const char *uid)
{
	pk_json_obj(j, "finding_info");
	pk_json_str(j, "uid", uid);
	pk_json_str(j, "title", f->rule->title);
	pk_json_str(j, "desc", f->plain);
	pk_json_obj(j, "analytic");
	pk_json_i64(j, "type_id", 2);
	pk_json_str(j, "type", "Behavioral");
	pk_json_str(j, "uid", f->rule->uid);
	pk_json_str(j, "name", f->rule->title);
	pk_json_end(j);
	pk_json_arr(j, "attacks");
	pk_json_obj(j, NULL);
	pk_json_obj(j, "technique");
	pk_json_str(j, "uid", f->rule->technique);
	pk_json_end(j);
	pk_json_str(j, "version", PK_ATTACK_VERSION);
	pk_json_end(j);
	pk_json_end(j);
	pk_json_i64(j, "first_seen_time", f->first_ms);
	pk_json_i64(j, "last_seen_time", f->last_ms);
	pk_json_end(j);
}

static void write_own(struct pk_json *j, const struct pk_hub_finding *f, const struct place *p)
{
	pk_json_obj(j, "unmapped");
	pk_json_obj(j, "picket");
	pk_json_i64(j, "number", p->number);
	pk_json_str(j, "value", f->value);
	pk_json_i64(j, "hosts", f->size);
	pk_json_str(j, "false_positives", f->rule->doubt);
	pk_json_bool(j, "spoofable", f->spoofable);
	pk_json_end(j);
	pk_json_end(j);
}

static int write_record(struct pk_hub *h, const struct pk_hub_finding *f, const struct place *p,
			struct pk_buf *out)
{
	enum pk_severity severity = f->spoofable ? PK_LOW : f->rule->severity;
	struct pk_json j;
	char uid[96];
	int r;

	snprintf(uid, sizeof(uid), "%.8s-hub-%" PRIx64 "-%" PRId64, h->ocsf.device,
		 (uint64_t)h->begun_ms, p->number);
	pk_json_init(&j, out);
	pk_json_obj(&j, NULL);
	pk_ocsf_head_rated(&j, 2004, p->told ? 2 : 1, p->told ? "Update" : "Create", uid,
			   (uint64_t)f->size, boot_ns(f->last_ms), severity);
	pk_json_str(&j, "message", f->plain);
	pk_json_bool(&j, "is_alert", true);
	pk_json_i64(&j, "count", f->size);
	pk_json_i64(&j, "confidence_score", f->rule->confidence);
	pk_json_i64(&j, "status_id", 1);
	pk_json_str(&j, "status", "New");
	write_info(&j, f, uid);
	pk_ocsf_device(&j, &h->ocsf);
	pk_json_arr(&j, "evidences");
	r = f->evidence(h, f, &j);
	pk_json_end(&j);
	pk_json_obj(&j, "remediation");
	pk_json_str(&j, "desc", f->rule->next);
	pk_json_end(&j);
	write_own(&j, f, p);
	pk_json_end(&j);
	return r < 0 ? r : out->error;
}

/* The one that is there, or another one. */
static int find_place(struct pk_hub *h, const struct pk_hub_finding *f, const char *key,
		      struct place *ret)
{
	int r = pk_hub_db_step(&h->db, PK_HUB_FINDING_FIND, key, f->since_ms);

	if (r > 0)
		*ret = (struct place){ .number = pk_hub_db_int(&h->db, PK_HUB_FINDING_FIND, 0),
				       .told = pk_hub_db_int(&h->db, PK_HUB_FINDING_FIND, 1),
				       .time_ms = pk_hub_db_int(&h->db, PK_HUB_FINDING_FIND, 2) };
	pk_hub_db_reset(&h->db, PK_HUB_FINDING_FIND);
	if (r)
		return r < 0 ? r : 0;
	r = pk_hub_db_step(&h->db, PK_HUB_FINDING_PUT, key, f->last_ms);
	*ret = (struct place){ .number = r > 0 ? pk_hub_db_int(&h->db, PK_HUB_FINDING_PUT, 0) : 0,
			       .time_ms = f->last_ms };
	pk_hub_db_reset(&h->db, PK_HUB_FINDING_PUT);
	return r < 0 ? r : 0;
}

int pk_hub_tell(struct pk_hub *h, const struct pk_hub_finding *f)
{
	_cleanup_(pk_buf_done) struct pk_buf json = { 0 };
	struct place p;
	char key[PK_HUB_VALUE_MAX + 64];
	bool tell;
	int r;

	snprintf(key, sizeof(key), "%s %s", f->rule->uid, f->value);
	r = find_place(h, f, key, &p);
	if (!r)
		r = write_record(h, f, &p, &json);
	if (r < 0)
		return r;
	pk_buf_char(&json, '\0');
	if (json.error)
		return json.error;
	tell = !p.told || f->size >= 2 * p.told;
	r = pk_hub_db_step(&h->db, PK_HUB_FINDING_SET, p.number, tell ? f->size : p.told,
			   f->last_ms, json.data);
	if (r < 0 || !tell)
		return r;
	pk_buf_str(&h->told, json.data);
	pk_buf_char(&h->told, '\n');
	return h->told.error;
}
