/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which a message passes the parts, and what is counted and removed. */
#include "hub/hub.h"

#include "base/cleanup.h"
#include "conf/conf.h"
#include "hub/own.h"
#include "nats/subject.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS   (86400ll * 1000)
#define CUT_ROWS 1000 /* at once, while it is too large */
#define CUTS_MAX 200

int pk_hub_open(const struct pk_hub_opts *opts, struct pk_hub **ret_hub)
{
	struct pk_hub *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->conf = opts->conf;
	h->now_ms = opts->now_ms;
	h->found = opts->found;
	h->arg = opts->arg;
	h->where = strdup(opts->where);
	if (!h->where) {
		free(h);
		return -ENOMEM;
	}
	pk_ocsf_init_host(&h->ocsf);
	*ret_hub = h;
	return 0;
}

void pk_hub_close(struct pk_hub *h)
{
	if (!h)
		return;
	pk_hub_db_close(&h->db);
	pk_buf_done(&h->told);
	free(h->where);
	free(h);
}

const char *pk_hub_why(const struct pk_hub *h)
{
	return h->db.why;
}

static int read_begun(struct pk_hub *h)
{
	int r = pk_hub_db_step(&h->db, PK_HUB_BEGUN_PUT, h->now_ms);

	if (r >= 0)
		r = pk_hub_db_step(&h->db, PK_HUB_BEGUN);
	if (r > 0)
		h->begun_ms = pk_hub_db_int(&h->db, PK_HUB_BEGUN, 0);
	if (r >= 0)
		pk_hub_db_reset(&h->db, PK_HUB_BEGUN);
	return r;
}

/* Findings are marked once they were handed on: after a crash between they are said twice. */
static void hand_on(struct pk_hub *h)
{
	if (h->told.len && h->found) {
		h->found(h->arg, h->told.data, h->told.len);
		(void)pk_hub_db_step(&h->db, PK_HUB_SAID);
	}
	pk_buf_reset(&h->told);
}

/* What was kept and, as the hub or the database went away then, not handed on. */
static int read_unsaid(struct pk_hub *h)
{
	int r = pk_hub_db_step(&h->db, PK_HUB_UNSAID);

	for (; r > 0; r = pk_hub_db_next(&h->db, PK_HUB_UNSAID)) {
		pk_buf_str(&h->told, pk_hub_db_text(&h->db, PK_HUB_UNSAID, 0));
		pk_buf_char(&h->told, '\n');
	}
	if (r < 0 || h->told.error)
		return r < 0 ? r : h->told.error;
	pk_hub_db_reset(&h->db, PK_HUB_UNSAID);
	hand_on(h);
	return 0;
}

int pk_hub_ready(struct pk_hub *h)
{
	char why[PK_HUB_WHY_MAX];
	int r;

	if (h->db.backend && !h->db.lost)
		return 0;
	pk_hub_db_close(&h->db);
	pk_buf_reset(&h->told);
	r = pk_hub_db_open(h->where, &h->db);
	if (r < 0)
		return r;
	r = read_begun(h);
	if (r >= 0)
		r = read_unsaid(h);
	if (r >= 0)
		return 0;
	snprintf(why, sizeof(why), "%s", h->db.why);
	pk_hub_db_close(&h->db);
	snprintf(h->db.why, sizeof(h->db.why), "%s", why);
	return r;
}

int pk_hub_begin(struct pk_hub *h)
{
	return pk_hub_db_begin(&h->db);
}

int pk_hub_commit(struct pk_hub *h)
{
	int r = pk_hub_db_commit(&h->db);

	if (r < 0)
		pk_hub_rollback(h);
	else
		hand_on(h);
	return r;
}

void pk_hub_rollback(struct pk_hub *h)
{
	pk_hub_db_rollback(&h->db);
	pk_buf_reset(&h->told);
}

/* 1: *ret_id is the host; 0: there is no room for it. */
static int host_of(struct pk_hub *h, const char *name, int64_t now_ms, int64_t *ret_id)
{
	int r = pk_hub_db_step(&h->db, PK_HUB_HOST_FIND, name);
	int64_t n = 0;

	if (r > 0)
		*ret_id = pk_hub_db_int(&h->db, PK_HUB_HOST_FIND, 0);
	pk_hub_db_reset(&h->db, PK_HUB_HOST_FIND);
	if (r)
		return r;
	r = pk_hub_db_step(&h->db, PK_HUB_HOST_COUNT);
	if (r > 0)
		n = pk_hub_db_int(&h->db, PK_HUB_HOST_COUNT, 0);
	pk_hub_db_reset(&h->db, PK_HUB_HOST_COUNT);
	if (r < 0 || n >= (int64_t)h->conf->hub_hosts)
		return r < 0 ? r : 0;
	r = pk_hub_db_step(&h->db, PK_HUB_HOST_ADD, name, now_ms);
	if (r > 0)
		*ret_id = pk_hub_db_int(&h->db, PK_HUB_HOST_ADD, 0);
	pk_hub_db_reset(&h->db, PK_HUB_HOST_ADD);
	return r;
}

/* Bytes of a subject are any; a database takes characters. */
static bool is_text(const char *s)
{
	json_t *j = json_string(s);

	json_decref(j);
	return j;
}

static int refuse(struct pk_hub *h, int64_t host, enum pk_hub_refusal why,
		  enum pk_hub_refusal *ret_why)
{
	*ret_why = why;
	return pk_hub_db_step(&h->db, PK_HUB_REFUSE, host, (int64_t)why);
}

/* 1: it is new, or a newer version; 0: it was here before. */
static int keep(struct pk_hub *h, const struct pk_hub_alert *a)
{
	const struct pk_hub_record *r = a->r;
	int64_t outbound = *r->remote && !r->inbound;
	int rc = pk_hub_db_step(&h->db, PK_HUB_ALERT_PUT, a->host, r->uid, (int64_t)r->sequence,
				a->time_ms, r->remote, outbound);
	int done;

	pk_hub_db_reset(&h->db, PK_HUB_ALERT_PUT);
	if (rc <= 0)
		return rc;
	done = pk_hub_db_cut(&h->db, PK_HUB_ALERT_CUT, a->host, h->conf->hub_alerts);
	return done < 0 ? done : 1;
}

static int correlate(struct pk_hub *h, const struct pk_hub_alert *a)
{
	int r = pk_hub_spread(h, a);

	return r < 0 ? r : pk_hub_lateral(h, a);
}

int pk_hub_take(struct pk_hub *h, const char *subject, const char *json, size_t len,
		int64_t arrived_ms, enum pk_hub_refusal *ret_why)
{
	char tenant[PK_NATS_TOKEN_MAX], name[PK_NATS_TOKEN_MAX];
	struct pk_hub_record record;
	struct pk_hub_alert a = { .r = &record };
	enum pk_hub_refusal why;
	int r;

	if (pk_nats_subject_read(subject, "alerts", tenant, name) < 0 ||
	    strcmp(tenant, h->conf->nats_tenant) != 0 || !is_text(name))
		return refuse(h, 0, PK_HUB_BAD_SUBJECT, ret_why);
	r = host_of(h, name, arrived_ms, &a.host);
	if (r <= 0)
		return r < 0 ? r : refuse(h, 0, PK_HUB_TOO_MANY_HOSTS, ret_why);
	why = pk_hub_record_read(json, len, &record);
	if (why != PK_HUB_TAKEN)
		return refuse(h, a.host, why, ret_why);
	a.time_ms = record.time_ms < arrived_ms ? record.time_ms : arrived_ms;
	r = pk_hub_db_step(&h->db, PK_HUB_HOST_TOUCH, a.host, arrived_ms,
			   (int64_t)record.values_lost);
	if (r >= 0)
		r = keep(h, &a);
	if (r <= 0)
		return r < 0 ? r : refuse(h, a.host, PK_HUB_AGAIN, ret_why);
	*ret_why = PK_HUB_TAKEN;
	return correlate(h, &a);
}

static int forget(struct pk_hub *h, int64_t before)
{
	static const enum pk_hub_stmt old[] = { PK_HUB_OLD_SEEN,     PK_HUB_OLD_ALERTS,
						PK_HUB_OLD_OWN,      PK_HUB_OLD_STEPS,
						PK_HUB_OLD_FINDINGS, PK_HUB_OLD_HOSTS };
	int r = pk_hub_begin(h);

	for (size_t i = 0; r >= 0 && i < PK_ARRAY_SIZE(old); i++)
		r = pk_hub_db_step(&h->db, old[i], before);
	if (r < 0) {
		pk_hub_rollback(h);
		return r;
	}
	return pk_hub_commit(h);
}

int pk_hub_trim(struct pk_hub *h, int64_t now_ms)
{
	int r = forget(h, now_ms - (int64_t)h->conf->hub_days * DAY_MS);

	for (int i = 0; r >= 0 && i < CUTS_MAX; i++) {
		uint64_t bytes = 0;
		int64_t oldest = 0;

		r = pk_hub_db_bytes(&h->db, &bytes);
		if (r < 0 || bytes <= h->conf->hub_bytes)
			break;
		r = pk_hub_db_step(&h->db, PK_HUB_OLDEST, (int64_t)CUT_ROWS);
		if (r > 0)
			oldest = pk_hub_db_int(&h->db, PK_HUB_OLDEST, 0);
		pk_hub_db_reset(&h->db, PK_HUB_OLDEST);
		if (r < 0 || !oldest)
			break;
		r = forget(h, oldest + 1);
	}
	return r < 0 ? r : 0;
}
