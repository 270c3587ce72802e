/* SPDX-License-Identifier: Apache-2.0 */
/* Reads beside the hub, with a connection of its own that can not write. */
#include "hub/query.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "hub/db.h"
#include "hub/record.h"

#include <errno.h>
#include <stdio.h>

#define PAGE 200 /* findings in memory */

static int end(struct pk_hub_view *v, struct pk_hub_db *db, int r)
{
	snprintf(v->why, sizeof(v->why), "%s", db->why);
	pk_hub_db_close(db);
	return r;
}

/* Those from a number on, page by page. */
static int pages(struct pk_hub_view *v, struct pk_hub_db *db, int64_t from)
{
	int r, n;

	do {
		n = 0;
		r = pk_hub_db_step(db, PK_HUB_SHOW_PAGE, from, (int64_t)PAGE);
		for (; r > 0; r = pk_hub_db_next(db, PK_HUB_SHOW_PAGE), n++) {
			from = pk_hub_db_int(db, PK_HUB_SHOW_PAGE, 0) + 1;
			v->row(v->arg, pk_hub_db_text(db, PK_HUB_SHOW_PAGE, 1));
		}
	} while (r >= 0 && n == PAGE);
	return r;
}

int pk_hub_findings(struct pk_hub_view *v, int64_t n)
{
	struct pk_hub_db db = { 0 };
	int64_t from = 0;
	int r = pk_hub_db_open_read(v->where, &db);

	if (r >= 0)
		r = pk_hub_db_step(&db, PK_HUB_SHOW_FROM, n);
	if (r > 0) {
		from = pk_hub_db_int(&db, PK_HUB_SHOW_FROM, 0);
		pk_hub_db_reset(&db, PK_HUB_SHOW_FROM);
		r = pages(v, &db, from);
	}
	return end(v, &db, r);
}

int pk_hub_finding(struct pk_hub_view *v, int64_t number)
{
	struct pk_hub_db db = { 0 };
	int r = pk_hub_db_open_read(v->where, &db);

	if (r >= 0) {
		r = pk_hub_db_step(&db, PK_HUB_SHOW_ONE, number);
		if (r > 0)
			v->row(v->arg, pk_hub_db_text(&db, PK_HUB_SHOW_ONE, 0));
		else if (!r)
			snprintf(db.why, sizeof(db.why), "there is no such finding");
		r = r > 0 ? 0 : r < 0 ? r : -ENOENT;
	}
	return end(v, &db, r);
}

/* The refusals of a host, by cause. */
static int write_refused(struct pk_hub_db *db, int64_t host, struct pk_json *j)
{
	int r = pk_hub_db_step(db, PK_HUB_SHOW_REFUSED, host);

	pk_json_obj(j, "refused");
	for (; r > 0; r = pk_hub_db_next(db, PK_HUB_SHOW_REFUSED)) {
		const char *why =
			pk_hub_refusal_name((unsigned)pk_hub_db_int(db, PK_HUB_SHOW_REFUSED, 0));

		if (why)
			pk_json_i64(j, why, pk_hub_db_int(db, PK_HUB_SHOW_REFUSED, 1));
	}
	pk_json_end(j);
	return r;
}

static int write_host(struct pk_hub_db *db, struct pk_buf *out)
{
	struct pk_json j;
	int r;

	pk_buf_reset(out);
	pk_json_init(&j, out);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "host", pk_hub_db_text(db, PK_HUB_SHOW_HOSTS, 1));
	pk_json_i64(&j, "first_seen_time", pk_hub_db_int(db, PK_HUB_SHOW_HOSTS, 2));
	pk_json_i64(&j, "last_seen_time", pk_hub_db_int(db, PK_HUB_SHOW_HOSTS, 3));
	pk_json_i64(&j, "alerts", pk_hub_db_int(db, PK_HUB_SHOW_HOSTS, 4));
	pk_json_i64(&j, "values_lost", pk_hub_db_int(db, PK_HUB_SHOW_HOSTS, 5));
	pk_json_i64(&j, "evicted", pk_hub_db_int(db, PK_HUB_SHOW_HOSTS, 6));
	r = write_refused(db, pk_hub_db_int(db, PK_HUB_SHOW_HOSTS, 0), &j);
	pk_json_end(&j);
	pk_buf_char(out, '\0');
	return r < 0 ? r : out->error;
}

int pk_hub_hosts(struct pk_hub_view *v)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 };
	struct pk_hub_db db = { 0 };
	int r = pk_hub_db_open_read(v->where, &db);

	if (r >= 0)
		r = pk_hub_db_step(&db, PK_HUB_SHOW_HOSTS);
	while (r > 0) {
		r = write_host(&db, &out);
		if (r < 0)
			break;
		v->row(v->arg, out.data);
		r = pk_hub_db_next(&db, PK_HUB_SHOW_HOSTS);
	}
	return end(v, &db, r);
}
