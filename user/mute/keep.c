/* SPDX-License-Identifier: Apache-2.0 */
/* Rows out of suppressions, and back. When they change, others decide. */
#include "mute/keep.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "mute/json.h"
#include "mute/mutes.h"
#include "store/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define MINUTE_MS 60000
#define DAY_MS    86400000
#define ROWS_MAX  4096 /* read at the start: those that are over, too */

static int put(struct pk_store *s, struct pk_store_row *row, const struct pk_buf *text,
	       uint64_t *ret_ticket)
{
	if (text->error)
		return text->error;
	row->json = text->data;
	row->len = text->len;
	return pk_store_put(s, row, ret_ticket);
}

static int keep_act(struct pk_store *s, const struct pk_mute *m, const struct pk_mute_act *a,
		    struct pk_buf *text)
{
	char uid[PK_MUTE_UID + 32];
	struct pk_store_row row = { .kind = PK_STORE_ACT,
				    .time_ns = (uint64_t)a->time_ms * 1000000,
				    .uid = uid,
				    .act = a->what,
				    .actor = a->who };
	struct pk_json j;

	(void)snprintf(uid, sizeof(uid), "%s-act-%" PRIu64, m->uid, a->number);
	pk_buf_reset(text);
	pk_json_init(&j, text);
	pk_mute_write_act(&j, m, a);
	return put(s, &row, text, NULL);
}

int pk_mute_keep(struct pk_store *s, struct pk_mute *m, int64_t now_ms, uint64_t *ret_ticket)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	struct pk_store_row row = { .kind = PK_STORE_MUTE,
				    .time_ns = (uint64_t)m->created_ms * 1000000,
				    .uid = m->uid,
				    .act = pk_mute_state_name(m->state) };
	struct pk_json j;
	int r;

	for (size_t i = 0; i < m->acts; i++) {
		if (m->act[i].number <= m->acts_kept)
			continue;
		r = keep_act(s, m, &m->act[i], &text);
		if (r < 0)
			return r;
		m->acts_kept = m->act[i].number;
	}
	pk_buf_reset(&text);
	pk_json_init(&j, &text);
	pk_mute_write(&j, m, NULL);
	r = put(s, &row, &text, &m->ticket);
	if (r < 0)
		return r;
	if (ret_ticket)
		*ret_ticket = m->ticket;
	m->hits_kept = m->hits;
	m->kept_ms = now_ms;
	return 0;
}

static bool is_due(const struct pk_mute *m, enum pk_mutes_which which, int64_t now_ms)
{
	int64_t age = now_ms - m->kept_ms;

	if (!m->kept_ms || which == PK_MUTES_ALL)
		return true;
	if (m->hits != m->hits_kept && (which == PK_MUTES_CHANGED || age >= MINUTE_MS))
		return true;
	return m->state == PK_MUTE_ACTIVE && age >= DAY_MS;
}

void pk_mutes_keep(struct pk_store *s, struct pk_mutes *t, enum pk_mutes_which which,
		   int64_t now_ms)
{
	for (struct pk_mute *m = NULL; (m = pk_mutes_next(t, m));)
		if (is_due(m, which, now_ms))
			(void)pk_mute_keep(s, m, now_ms, NULL); /* the next time */
}

struct reading {
	struct pk_mutes *to;
	unsigned bad;
};

static int read_one(void *arg, const struct pk_store_item *item)
{
	struct reading *r = arg;
	_cleanup_free_ struct pk_mute *m = malloc(sizeof(*m));

	if (!m)
		return -ENOMEM;
	if (pk_mute_read(item->json, item->len, m) < 0) {
		r->bad++;
		return 0;
	}
	m->kept_ms = (int64_t)(item->time_ns / 1000000);
	(void)pk_mutes_restore(r->to, m); /* the newest come first; what has no room is over */
	return 0;
}

int pk_mutes_read(struct pk_store *s, struct pk_mutes *t, unsigned *ret_bad)
{
	const struct pk_store_query query = { .kind = PK_STORE_MUTE, .limit = ROWS_MAX };
	struct reading reading = { .to = t };
	int r = pk_store_list(s, &query, read_one, &reading);

	*ret_bad = reading.bad;
	return r;
}
