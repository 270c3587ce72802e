/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists as a whole: what there is, replaced, compared, exported, removed. A list comes through
 * upload.c and is answered when it is in force and saved.
 */
#include "api/answer.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/signed.h"
#include "api/status_pull.h"
#include "api/tag.h"
#include "api/upload.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "base/json.h"
#include "block/answers.h"
#include "block/limits.h"
#include "block/treat.h"
#include "sign/signing.h"

#include <picket/api.h>

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#define ROWS       1000
#define ROWS_MAX   10000
#define DIFF_ROWS  1000
#define SAFE_SHOWN 4096
#define BODY_MAX   (64u << 20)
#define NS_PER_MS  1e6
#define AGAIN_MS   20
#define TRIES_MAX  250

static void write_memory(struct pk_json *j, struct pk_block *b)
{
	struct pk_block_totals t;

	pk_block_totals(b, &t);
	pk_json_obj(j, "memory");
	pk_json_u64(j, "chunks", t.use.chunks);
	pk_json_u64(j, "bytes", t.use.bytes);
	pk_json_u64(j, "rules", t.use.rules);
	pk_json_u64(j, "words", t.use.words);
	pk_json_u64(j, "hosts", t.use.hosts);
	pk_json_u64(j, "sites", t.use.sites);
	pk_json_u64(j, "free_lines", t.use.free_lines);
	pk_json_u64(j, "names", t.names);
	pk_json_u64(j, "name_bytes", t.name_bytes);
	pk_json_u64(j, "refused_names", pk_block_refused_names(b));
	pk_json_end(j);
}

/* DNS answers for listed names, by what became of their addresses. */
static void write_answers(struct pk_json *j, struct pk_block *b)
{
	const uint64_t *n = pk_block_answer_counts(b);

	pk_json_obj(j, "answers");
	for (int i = PK_ANSWER_SNI_ONLY; i < PK_ANSWER_FATES; i++)
		pk_json_u64(j, pk_answer_fate_name(i), n[i]);
	pk_json_u64(j, "now", pk_block_answer_addrs(b));
	pk_json_end(j);
}

static void write_safe(struct pk_json *j, struct pk_block *b)
{
	struct pk_blk_safe_key key;
	char text[PK_PREFIX_TEXT];
	uint32_t kinds;

	pk_json_arr(j, "safe");
	for (size_t i = 0; i < SAFE_SHOWN && pk_block_safe_at(b, i, &key, &kinds); i++) {
		struct pk_block_entry e = { .bits = (uint8_t)key.bits };

		memcpy(e.prefix, key.addr, sizeof(e.prefix));
		e.v4 = key.bits >= 96 && pk_ip_is_v4(key.addr);
		pk_json_obj(j, NULL);
		pk_json_str(j, "prefix", pk_limits_prefix(&e, text));
		pk_answer_safe(j, "why", kinds);
		pk_json_end(j);
	}
	pk_json_end(j);
}

int pk_lists_get(struct pk_api_request *q)
{
	struct pk_block *b = pk_answer_block(q);
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_block_info info;
	struct pk_json j;

	if (!b)
		return 0;
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_arr(&j, "lists");
	for (size_t i = 0; pk_block_list_at(b, i, &info); i++) {
		pk_json_obj(&j, NULL);
		pk_answer_info(&j, q, &info);
		pk_signed_write(&j, q->view, info.name);
		pk_status_pull_list(&j, q->view, info.name);
		pk_json_end(&j);
	}
	pk_json_end(&j);
	write_answers(&j, b);
	write_memory(&j, b);
	write_safe(&j, b);
	pk_json_end(&j);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

static int no_list(struct pk_api_request *q)
{
	return pk_api_problem(q, 404, "there is no list of this name");
}

static bool write_row(void *arg, const struct pk_block_row *row)
{
	struct pk_json *j = arg;

	pk_json_obj(j, NULL);
	pk_answer_row(j, row);
	pk_json_end(j);
	return !j->out->error;
}

int pk_list_get(struct pk_api_request *q)
{
	uint64_t limit = ROWS, after = 0;
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_block *b = pk_answer_block(q);
	struct pk_block_info info;
	struct pk_json j;
	int r;

	if (!b || pk_api_param_u64(q, "limit", ROWS_MAX, &limit) < 0 ||
	    pk_api_param_u64(q, "after", UINT32_MAX, &after) < 0)
		return 0;
	if (!pk_block_list_get(b, q->rest, &info))
		return no_list(q);
	if (!pk_tag_passes(q, &info))
		return 0;
	pk_tag_head(q, &info);
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_obj(&j, "list");
	pk_answer_info(&j, q, &info);
	pk_signed_write(&j, q->view, info.name);
	pk_status_pull_list(&j, q->view, info.name);
	pk_json_end(&j);
	pk_json_arr(&j, "entries");
	r = pk_block_rows(b, q->rest, (uint32_t)after, limit, write_row, &j);
	pk_json_end(&j);
	pk_json_bool(&j, "more", r == 1);
	pk_json_end(&j);
	if (r < 0) {
		pk_buf_done(&body);
		return r;
	}
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

/* What there is after a change. */
static int answer_info(struct pk_api_request *q, const char *list)
{
	struct pk_buf body = { 0 };
	struct pk_block_info info;
	struct pk_json j;

	if (!pk_block_list_get(q->view->block, list, &info))
		return no_list(q);
	pk_tag_head(q, &info);
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_obj(&j, "list");
	pk_answer_info(&j, q, &info);
	pk_signed_write(&j, q->view, info.name);
	pk_status_pull_list(&j, q->view, info.name);
	pk_json_end(&j);
	pk_json_end(&j);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

static int answer_change(struct pk_api_request *q, struct pk_block_done *d, const char *list)
{
	int r = d->result < 0 ? pk_answer_failed(q, d) : answer_info(q, list);

	pk_block_done_done(d);
	return r;
}

/* Is the list still the one that the asker wants changed? One that is not there is for others to
 * refuse. */
static bool is_as_asked(struct pk_api_request *q, struct pk_block *b, const char *act)
{
	struct pk_block_info info;

	return !pk_block_list_get(b, q->rest, &info) || pk_tag_lets(q, &info, act);
}

int pk_list_mode(struct pk_api_request *q)
{
	const char *s = pk_api_param(q, "mode");
	struct pk_block *b = pk_answer_block(q);
	struct pk_block_done d = { 0 };
	int mode;

	if (!b)
		return 0;
	if (!s || pk_list_mode_parse(s, &mode) < 0)
		return pk_api_problem(q, 400, "mode must be enforce, observe or off");
	if (pk_signed_guards(q, q->rest) || !is_as_asked(q, b, "list mode"))
		return 0;
	(void)pk_block_set_mode(b, q->rest, (enum pk_blk_mode)mode, &d); /* d has it */
	return answer_change(q, &d, q->rest);
}

struct confirm {
	struct pk_api_later *later;
	char list[64];
};

static void on_confirmed(void *arg, struct pk_block_done *d)
{
	struct confirm *c = arg;
	struct pk_api_request *q = &c->later->q;
	struct pk_block_info info;

	/* a list that was new may be gone now */
	if (d->result < 0)
		(void)pk_answer_failed(q, d); /* always 0 */
	else if (pk_block_list_get(q->view->block, c->list, &info))
		(void)answer_info(q, c->list); /* always 0 */
	else
		(void)pk_lists_get(q); /* always 0 */
	pk_api_later_free(c->later);
	free(c);
}

int pk_list_confirm(struct pk_api_request *q)
{
	struct pk_block *b = pk_answer_block(q);
	struct confirm *c;
	bool back = false;

	if (!b || pk_api_param_bool(q, "back", &back) < 0 || !is_as_asked(q, b, "list confirm"))
		return 0;
	c = calloc(1, sizeof(*c));
	if (c)
		c->later = pk_api_later_new(q);
	if (!c || !c->later) {
		free(c);
		return -ENOMEM;
	}
	(void)snprintf(c->list, sizeof(c->list), "%s", q->rest);
	c->later->gone = free;
	c->later->arg = c;
	pk_block_confirm(b, c->list, back, on_confirmed, c);
	return 0;
}

static void on_removed(void *arg, struct pk_block_done *d)
{
	struct pk_api_later *later = arg;
	struct pk_buf body = { 0 };
	struct pk_json j;

	if (d->result < 0) {
		(void)pk_answer_failed(&later->q, d); /* always 0 */
	} else {
		pk_json_init(&j, &body);
		pk_json_obj(&j, NULL);
		pk_json_u64(&j, "removed", d->removed);
		pk_json_bool(&j, "saved", d->saved);
		pk_json_end(&j);
		pk_api_reply(&later->q, 200, PK_API_TYPE_JSON, &body);
	}
	pk_api_later_free(later);
}

int pk_list_delete(struct pk_api_request *q)
{
	struct pk_block *b = pk_answer_block(q);
	struct pk_api_later *later;
	struct pk_block_info info;

	if (!b)
		return 0;
	if (!pk_block_list_get(b, q->rest, &info))
		return no_list(q);
	if (pk_signed_guards(q, q->rest) || !pk_tag_lets(q, &info, "list remove"))
		return 0;
	later = pk_api_later_new(q);
	if (!later)
		return -ENOMEM;
	pk_signed_left(q->view, q->rest);
	pk_block_remove_list(b, q->rest, on_removed, later);
	return 0;
}

static void write_outcome(struct pk_json *j, const struct pk_upload *u,
			  const struct pk_block_done *d)
{
	struct pk_view *v = u->later->q.view;
	struct pk_block_info info;
	char tag[PK_TAG_MAX];

	pk_json_str(j, "list", u->ask.list);
	if (pk_block_list_get(v->block, u->ask.list, &info))
		pk_json_str(j, "etag", pk_tag_of(v, &info, tag));
	pk_json_u64(j, "entries", d->entries);
	pk_json_u64(j, "added", d->added);
	pk_json_u64(j, "removed", d->removed);
	pk_json_u64(j, "kept", d->kept);
	if (d->refused_total)
		pk_answer_refused(j, d);
}

/* What became of a push; a list that is not the signed one any more is marked so. */
static void note_push(struct pk_upload *u, const struct pk_block_done *d)
{
	struct pk_view *v = u->later->q.view;
	const char *failed = d->result < 0 ? d->detail ? d->detail : strerror(-d->result) : NULL;

	pk_signed_note(v, &u->asker, u->ask.list, u->is_signed ? &u->opened : NULL, PK_SIGNED_OK,
		       failed);
	if (!u->is_signed && !failed)
		pk_signed_left(v, u->ask.list);
}

static void on_loaded(void *arg, struct pk_block_done *d)
{
	struct pk_upload *u = arg;
	struct pk_buf body = { 0 };
	struct pk_block_info info;
	struct pk_json j;

	note_push(u, d);
	if (d->result < 0) {
		(void)pk_answer_failed(&u->later->q, d); /* always 0 */
		pk_upload_free(u);
		return;
	}
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	write_outcome(&j, u, d);
	if (pk_block_list_get(u->later->q.view->block, u->ask.list, &info))
		pk_json_str(&j, "mode", pk_list_mode_name(info.mode));
	pk_answer_read(&j, &d->data);
	pk_json_obj(&j, "took");
	pk_json_dbl(&j, "read_ms", (double)u->read_ns / NS_PER_MS);
	pk_json_dbl(&j, "enforce_ms", (double)d->enforce_ns / NS_PER_MS);
	pk_json_dbl(&j, "save_ms", (double)d->save_ns / NS_PER_MS);
	pk_json_end(&j);
	pk_json_bool(&j, "saved", d->saved);
	pk_json_str(&j, "note", d->detail);
	if (d->confirm_by_ms)
		pk_json_i64(&j, "confirm_by", d->confirm_by_ms);
	pk_json_end(&j);
	pk_api_reply(&u->later->q, 200, PK_API_TYPE_JSON, &body);
	pk_upload_free(u);
}

/* Two versions that were accepted at once come here in any order: the newer one stays. */
static bool is_superseded(struct pk_upload *u)
{
	struct pk_view *v = u->later->q.view;

	if (!u->is_signed || pk_versions_is_last(v->signing->versions, &u->opened.statement))
		return false;
	pk_signed_note(v, &u->asker, u->ask.list, &u->opened, PK_REFUSED_REPLAYED, NULL);
	(void)pk_signed_refuse(&u->later->q, PK_REFUSED_REPLAYED, NULL); /* always 0 */
	return true;
}

/* It was changed while the upload was read. */
static bool is_outrun(struct pk_upload *u, struct pk_block *b)
{
	struct pk_block_info info;

	if (pk_tag_passes(&u->later->q, pk_block_list_get(b, u->ask.list, &info) ? &info : NULL))
		return false;
	pk_signed_note(u->later->q.view, &u->asker, u->ask.list, u->is_signed ? &u->opened : NULL,
		       PK_SIGNED_OK, "the list is not the one of If-Match any more");
	return true;
}

static void load_now(evutil_socket_t fd, short what, void *arg)
{
	struct timeval soon = { .tv_usec = AGAIN_MS * 1000 };
	struct pk_upload *u = arg;
	struct pk_block *b = pk_answer_block(&u->later->q);

	(void)fd, (void)what;
	/* another change of the list is on its last steps: after it */
	if (b && pk_answer_is_loading(b, u->ask.list) && u->tries++ < TRIES_MAX &&
	    event_base_once(pk_api_base(u->later->q.api), -1, EV_TIMEOUT, load_now, u, &soon) == 0)
		return;
	if (b && !is_superseded(u) && !is_outrun(u, b))
		pk_block_load(b, &u->ask, &u->data, on_loaded, u);
	else
		pk_upload_free(u);
}

static void load(struct pk_upload *u)
{
	if (pk_upload_was_read(u))
		load_now(-1, EV_TIMEOUT, u);
	else
		pk_upload_free(u);
}

int pk_list_put(struct pk_api_request *q)
{
	struct pk_block *b = pk_answer_block(q);
	struct pk_block_info info;
	bool lets = b && pk_tag_lets(q, pk_block_list_get(b, q->rest, &info) ? &info : NULL,
				     "list push");

	return lets ? pk_upload_start(q, true, load) : 0;
}

static void diff(struct pk_upload *u)
{
	struct pk_block *b = pk_answer_block(&u->later->q);
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_block_done d = { 0 };
	struct pk_json j;

	if (!b || !pk_upload_was_read(u)) {
		pk_upload_free(u);
		return;
	}
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	if (pk_block_diff(b, &u->ask, &u->data, DIFF_ROWS, &j, &d) < 0) {
		pk_buf_done(&body);
		(void)pk_answer_failed(&u->later->q, &d); /* always 0 */
	} else {
		write_outcome(&j, u, &d);
		pk_answer_read(&j, &u->data);
		pk_json_end(&j);
		pk_api_reply(&u->later->q, 200, PK_API_TYPE_JSON, &body);
	}
	pk_block_done_done(&d);
	pk_upload_free(u);
}

/* What pushing it would do: the difference, what is refused, and flows that it would have cut. */
static void plan(struct pk_upload *u)
{
	struct pk_block *b = pk_answer_block(&u->later->q);
	struct pk_buf body = { .max = BODY_MAX };
	struct pk_block_done d = { 0 };
	struct pk_json j;
	int r;

	if (!b || !pk_upload_was_read(u)) {
		pk_upload_free(u);
		return;
	}
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	r = pk_block_diff(b, &u->ask, &u->data, DIFF_ROWS, &j, &d);
	if (r == 0) {
		write_outcome(&j, u, &d);
		pk_json_obj(&j, "would_cut");
		r = pk_list_test_write(&j, u);
		pk_json_end(&j);
	}
	pk_json_end(&j);
	if (r < 0) {
		pk_buf_done(&body);
		d.result = d.result < 0 ? d.result : r;
		(void)pk_answer_failed(&u->later->q, &d); /* always 0 */
	} else {
		pk_api_reply(&u->later->q, 200, PK_API_TYPE_JSON, &body);
	}
	pk_block_done_done(&d);
	pk_upload_free(u);
}

int pk_list_plan(struct pk_api_request *q)
{
	return pk_answer_block(q) ? pk_upload_start(q, false, plan) : 0;
}

int pk_list_diff(struct pk_api_request *q)
{
	return pk_answer_block(q) ? pk_upload_start(q, false, diff) : 0;
}
