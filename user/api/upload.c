/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the uploads, from what their request says to the list that was read, in threads of work.c.
 */
#include "api/upload.h"

#include "api/answer.h"
#include "api/link.h"
#include "api/peer.h"
#include "api/signed.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hex.h"
#include "conf/conf.h"
#include "sign/delta.h"
#include "sign/signing.h"

#include <errno.h>
#include <event2/buffer.h>
#include <string.h>

#define UNPACKED_TIMES 16 /* a compressed list may be this much larger than it came */
#define UNPACKED_MAX   (2ull << 30)
#define CONFIRM_S_MAX  86400
#define AGAINST_S_MAX  (366ull * 86400)
#define SOURCE_MAX     255

struct pk_uploads {
	struct pk_works *works;
	struct pk_upload *first;
};

static void unlink_upload(struct pk_upload *u)
{
	struct pk_upload **p = &u->all->first;

	while (*p != u)
		p = &(*p)->next;
	*p = u->next;
}

void pk_upload_free(struct pk_upload *u)
{
	if (!u)
		return;
	if (u->all)
		unlink_upload(u);
	pk_api_later_free(u->later);
	pk_list_data_done(&u->data);
	if (u->body)
		evbuffer_free(u->body);
	pk_envelope_done(&u->envelope);
	free(u->column);
	free(u->list);
	free(u->source);
	free(u->who);
	free(u);
}

static void upload_freep(struct pk_upload **u)
{
	pk_upload_free(*u);
}

static int answer_too_large(struct pk_upload *u)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };

	pk_buf_fmt(&text,
		   "the list is too large: at most %llu bytes unpacked (api.upload_max), %llu "
		   "entries (block.entries_max)",
		   (unsigned long long)u->opts.max_bytes, (unsigned long long)u->opts.max_entries);
	return pk_api_problem(&u->later->q, 413, text.data ? text.data : "the list is too large");
}

bool pk_upload_was_read(struct pk_upload *u)
{
	struct pk_block_done d = { .result = u->result, .data = u->data };
	char text[128];

	if (u->refusal != PK_SIGNED_OK) {
		if (u->changes)
			pk_signed_note(u->later->q.view, &u->asker, u->list, &u->opened, u->refusal,
				       NULL);
		(void)pk_signed_refuse(&u->later->q, u->refusal, NULL); /* always 0 */
		return false;
	}
	if (u->result >= 0)
		return true;
	if (u->result == -EFBIG) {
		(void)answer_too_large(u); /* always 0 */
		return false;
	}
	snprintf(text, sizeof(text), "%llu bad %s: nothing was changed",
		 (unsigned long long)u->data.bad_total, u->data.bad_total == 1 ? "line" : "lines");
	if (u->result == -EBADMSG)
		d.detail = text;
	(void)pk_answer_failed(&u->later->q, &d); /* always 0; d is borrowed as a whole */
	return false;
}

/* The whole list from what it was before; *ret is owned. */
static enum pk_refusal apply_delta(struct pk_upload *u, const void *delta, size_t len, void **ret)
{
	const struct pk_statement *s = &u->opened.statement;
	void *base = NULL;
	size_t base_len;
	int r = pk_versions_content(u->versions, s->list, u->base, &base, &base_len);

	if (r < 0)
		return PK_REFUSED_NO_BASE;
	r = pk_delta_apply(base, base_len, delta, len, s->size, ret);
	free(base);
	return r == -EBADMSG ? PK_REFUSED_DIGEST : r < 0 ? PK_REFUSED_TOO_LARGE : PK_SIGNED_OK;
}

/* Is it what was signed? If it is to be put in force, it is accepted, for good. */
static enum pk_refusal read_signed(struct pk_upload *u, const void *bytes, size_t len)
{
	const struct pk_statement *s = &u->opened.statement;
	_cleanup_free_ void *whole = NULL;
	enum pk_refusal r = PK_SIGNED_OK;

	if (u->has_base)
		r = apply_delta(u, bytes, len, &whole);
	if (r != PK_SIGNED_OK)
		return r;
	if (whole) {
		bytes = whole;
		len = s->size;
	}
	r = pk_statement_fits(s, bytes, len);
	if (r != PK_SIGNED_OK)
		return r;
	u->result = pk_list_read(bytes, len, &u->opts, &u->data);
	if (u->result < 0)
		return PK_SIGNED_OK; /* which is told as of any other list */
	if (u->data.n + u->data.n_names != s->count)
		return PK_REFUSED_COUNT;
	return u->changes ? pk_versions_accept(u->versions, &u->envelope, s, bytes, len)
			  : PK_SIGNED_OK;
}

static struct pk_upload *of(struct pk_work *w)
{
	return (struct pk_upload *)w; /* its first member */
}

static void read_list(struct pk_work *w)
{
	struct pk_upload *u = of(w);
	uint64_t began = pk_clock_boot_ns();
	size_t len = evbuffer_get_length(u->body);
	const void *bytes = len ? (const void *)evbuffer_pullup(u->body, -1) : "";

	if (!bytes)
		u->result = -ENOMEM;
	else if (u->is_signed)
		u->refusal = read_signed(u, bytes, len);
	else
		u->result = pk_list_read(bytes, len, &u->opts, &u->data);
	evbuffer_free(PK_TAKE(u->body));
	u->read_ns = pk_clock_boot_ns() - began;
}

static void on_read(struct pk_work *w)
{
	of(w)->done(of(w));
}

struct pk_uploads *pk_uploads_new(struct event_base *base)
{
	struct pk_uploads *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->works = pk_works_new(base, PK_UPLOADS_MAX);
	if (s->works)
		return s;
	free(s);
	return NULL;
}

void pk_uploads_free(struct pk_uploads *s)
{
	if (!s)
		return;
	pk_works_free(s->works);
	while (s->first)
		pk_upload_free(s->first);
	free(s);
}

/* -EINVAL: answered. */
static int bad_param(struct pk_api_request *q, const char *detail)
{
	(void)pk_api_problem(q, 400, detail); /* always 0 */
	return -EINVAL;
}

static int copy(const char *s, char **ret)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

/* Refused before anything was read: answered and recorded. detail NULL: the refusal's own words. */
static int refuse(struct pk_api_request *q, const struct pk_upload *u, enum pk_refusal r,
		  const char *detail)
{
	if (u->changes)
		pk_signed_note(q->view, &u->asker, q->rest, NULL, r, detail);
	(void)pk_signed_refuse(q, r, detail); /* always 0 */
	return -EINVAL;
}

/* What was signed, or what the request says; not both, for who carries a list is not who made it.
 */
static int read_treat(struct pk_api_request *q, struct pk_upload *u)
{
	char names[] = PK_LIST_TREATS, *rest = names;
	const char *name, *wrong = NULL;
	struct pk_list_treat t;

	pk_list_treat_init(&t);
	t.opts.now_ms = u->is_signed ? u->opened.statement.created_s * 1000 : u->opts.now_ms;
	while (!wrong && (name = strsep(&rest, " "))) {
		const char *said = pk_api_param(q, name), *value = said;

		if (u->is_signed && said)
			return bad_param(q, "what is signed says itself how it is to be treated");
		if (u->is_signed)
			value = pk_statement_option(&u->opened.statement, name);
		wrong = value ? pk_list_treat_set(&t, name, value) : NULL;
	}
	if (!wrong)
		wrong = pk_list_treat_end(&t);
	if (wrong)
		return u->is_signed ? refuse(q, u, PK_REFUSED_OPTION, wrong) : bad_param(q, wrong);
	u->opts = t.opts;
	u->ask = t.ask;
	return copy(t.opts.column, &u->column);
}

/* A list that was turned off because it had expired: a new version turns it on again. */
static void give_back_mode(struct pk_upload *u)
{
	struct pk_accepted a;

	if (u->is_signed && u->ask.mode < 0 &&
	    pk_versions_get(u->versions, u->opened.statement.list, &a) && a.was)
		u->ask.mode = (int)a.was;
}

static int read_params(struct pk_api_request *q, struct pk_upload *u)
{
	const char *base = pk_api_param(q, "base"), *source = pk_api_param(q, "source");
	const struct pk_conf *conf = q->view->conf;
	uint64_t confirm_s = 0;

	if (pk_api_param_u64(q, "confirm", CONFIRM_S_MAX, &confirm_s) < 0 ||
	    pk_api_param_u64(q, "against", AGAINST_S_MAX, &u->against_s) < 0)
		return -EINVAL;
	if (source && strlen(source) > SOURCE_MAX)
		return bad_param(q, "source is too long: 255 bytes at most");
	u->has_base = base;
	if (base && (!u->is_signed || pk_hex_parse(base, u->base, sizeof(u->base)) < 0))
		return bad_param(q, "base is the SHA-256 of what a signed delta starts from");
	u->ask.confirm_ms = confirm_s * 1000;
	give_back_mode(u);
	u->opts.max_bytes = conf->upload_max * UNPACKED_TIMES;
	if (u->opts.max_bytes > UNPACKED_MAX)
		u->opts.max_bytes = UNPACKED_MAX;
	u->opts.max_entries = conf->block_entries_max;
	return 0;
}

/* What lives as long as the upload does. */
static int read_texts(struct pk_api_request *q, struct pk_upload *u)
{
	struct pk_buf who = { 0 };

	pk_api_peer_name(q, &who);
	u->who = who.data;
	if (copy(pk_api_param(q, "source"), &u->source) < 0 || copy(q->rest, &u->list) < 0)
		return -ENOMEM;
	u->opts.column = u->column;
	u->ask.list = u->list;
	u->ask.source = u->source;
	u->ask.who = u->who;
	return 0;
}

static enum pk_refusal open_envelope(struct pk_api_request *q, struct pk_upload *u)
{
	struct evbuffer *body = pk_api_body(q);
	size_t len = evbuffer_get_length(body);
	size_t head = len > PK_ENVELOPE_MAX + 1 ? PK_ENVELOPE_MAX + 1 : len;
	const void *bytes = head ? (const void *)evbuffer_pullup(body, (ev_ssize_t)head) : "";
	size_t n = bytes ? pk_envelope_ends(bytes, head) : 0;
	enum pk_refusal r;

	if (!q->view->signing)
		return PK_REFUSED_STATE;
	if (!n)
		return PK_REFUSED_MALFORMED;
	r = pk_signing_open(q->view->signing, bytes, n, q->rest, u->opts.now_ms / 1000,
			    &u->envelope, &u->opened);
	if (r == PK_SIGNED_OK && u->opened.statement.size > q->view->conf->upload_max)
		r = PK_REFUSED_TOO_LARGE;
	(void)evbuffer_drain(body, n + 1); /* so much is there */
	u->versions = q->view->signing->versions;
	return r;
}

/* May it come, and as what? -EINVAL: answered. */
static int judge(struct pk_api_request *q, struct pk_upload *u)
{
	const struct pk_link_client *client = pk_link_client(q->x);
	enum pk_refusal r = PK_SIGNED_OK;

	if (pk_api_param_bool(q, "signed", &u->is_signed) < 0)
		return -EINVAL;
	if (u->is_signed)
		r = open_envelope(q, u);
	else if (u->changes && client &&
		 (q->view->conf->sign_require || client->role == PK_ROLE_CARRIER))
		r = PK_REFUSED_UNSIGNED;
	return r == PK_SIGNED_OK ? 0 : refuse(q, u, r, NULL);
}

/* 0; -EINVAL: answered. */
static int prepare(struct pk_api_request *q, struct pk_upload *u)
{
	int r;

	u->opts.now_ms = pk_clock_wall_ms(pk_clock_boot_ns());
	pk_audit_who(q, &u->asker);
	r = judge(q, u);
	if (r == 0)
		r = read_treat(q, u);
	if (r == 0)
		r = read_params(q, u);
	if (r == 0)
		r = read_texts(q, u);
	if (r < 0)
		return r;
	u->body = evbuffer_new();
	if (!u->body || evbuffer_add_buffer(u->body, pk_api_body(q)) < 0)
		return -ENOMEM;
	u->later = pk_api_later_new(q);
	return u->later ? 0 : -ENOMEM;
}

int pk_upload_start(struct pk_api_request *q, bool changes, void (*done)(struct pk_upload *u))
{
	_cleanup_(upload_freep) struct pk_upload *u = NULL;
	struct pk_uploads *s = pk_api_uploads(q->api);
	int r;

	if (pk_works_is_full(s->works))
		return pk_api_busy(q, "other lists are being read: try again");
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->changes = changes;
	r = prepare(q, u);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	u->done = done;
	u->work.run = read_list;
	u->work.done = on_read;
	u->all = s;
	u->next = s->first;
	s->first = u;
	if (pk_work_start(s->works, &u->work) < 0)
		return pk_api_busy(&u->later->q, "no thread to read the list: try again");
	u = NULL; /* done() has it now */
	return 0;
}
