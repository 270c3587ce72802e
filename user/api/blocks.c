/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single blocks: all targets of a request, or none of them. Where the kernel's memory has to grow
 * first, or the list is being replaced, the request waits for it; what a request added before it
 * failed is taken out again. Each is written down with who, when and why, also what was refused; it
 * is in force at once, and answered when it is on the disk.
 */
#include "api/blocks.h"

#include "api/answer.h"
#include "api/audit.h"
#include "api/kept.h"
#include "api/peer.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/signed.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "store/store.h"

#include <picket/api.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <string.h>

#define AGAIN_MS  20
#define TRIES_MAX 250
#define NAMED_MAX 4 /* targets in a line of the log; the record has all */

struct change {
	struct pk_blocks blocks;
	struct pk_api_later *later;
	struct event *timer;
	char *who;
	struct pk_audit_who asker;
	uint64_t ticket; /* of the store, when it was written down */
	bool remove;
	size_t at; /* targets that are done */
	unsigned tries;
	struct {
		uint32_t id;
		bool changed, missing;
	} out[PK_BLOCKS_TARGETS];
};

static void change_free(struct change *c)
{
	pk_blocks_done(&c->blocks);
	pk_api_later_free(c->later);
	if (c->timer)
		event_free(c->timer);
	free(c->who);
	free(c);
}

static void gone(void *arg)
{
	change_free(arg);
}

static int add_one(struct pk_block *b, struct change *c, size_t i, struct pk_block_done *d)
{
	struct pk_blocks *k = &c->blocks;
	const struct pk_block_entry *e = &k->v[i];

	if (k->name[i])
		return pk_block_add_name(b, &k->ask, k->name[i], k->how, e->expires_ms, k->reason,
					 d);
	if (k->is_auto)
		return pk_block_auto(b, &k->automatic, e, d);
	if (k->proc.kind)
		return pk_block_add_proc(b, &k->ask, &k->proc, e, k->reason, d);
	return pk_block_add(b, &k->ask, e, k->iface, k->reason, d);
}

static int remove_one(struct pk_block *b, struct change *c, size_t i, struct pk_block_done *d)
{
	struct pk_blocks *k = &c->blocks;
	const struct pk_block_entry *e = &k->v[i];

	if (k->name[i])
		return pk_block_remove_name(b, &k->ask, k->name[i], d);
	return k->proc.kind ? pk_block_remove_proc(b, &k->ask, &k->proc, e, d)
			    : pk_block_remove(b, &k->ask, e, k->iface, d);
}

/* What was added before something failed. */
static void undo(struct pk_block *b, struct change *c)
{
	while (!c->remove && c->at--) {
		struct pk_block_done d = { 0 };

		if (c->out[c->at].changed)
			(void)remove_one(b, c, c->at, &d); /* it was there just now */
		pk_block_done_done(&d);
	}
}

static const char *list_of(const struct change *c)
{
	if (!c->blocks.is_auto)
		return c->blocks.ask.list;
	return c->blocks.automatic.list ? c->blocks.automatic.list : "auto";
}

static void explain_missing_name(struct pk_block *b, const struct change *c, struct pk_buf *out)
{
	_cleanup_free_ struct pk_block_answer *a = calloc(1, sizeof(*a));

	pk_buf_fmt(out, "%s is no entry of list %s", c->blocks.name[0], list_of(c));
	if (a)
		pk_block_check_name(b, c->blocks.name[0], a);
	if (a && a->n)
		pk_buf_fmt(out, "; what speaks about it is %s of list %s", a->v[0].row.name,
			   a->v[0].list);
}

/* Not in this list: in which, then? */
static void explain_missing(struct pk_block *b, const struct change *c, struct pk_buf *out)
{
	_cleanup_free_ struct pk_block_answer *a = calloc(1, sizeof(*a));
	struct pk_block_query q = { .dir = PK_BLK_IN | PK_BLK_OUT };
	const struct pk_block_entry *e = &c->blocks.v[0];
	char text[PK_PREFIX_TEXT];

	if (c->blocks.proc.kind) {
		pk_buf_fmt(out, "there is no such block in list %s", list_of(c));
		return;
	}
	if (c->blocks.name[0]) {
		explain_missing_name(b, c, out);
		return;
	}
	pk_buf_fmt(out, "%s is no entry of list %s with these limits", pk_limits_prefix(e, text),
		   list_of(c));
	memcpy(q.addr, e->prefix, sizeof(q.addr));
	if (a)
		pk_block_check(b, &q, a);
	for (size_t i = 0; a && i < a->n; i++) {
		if (a->v[i].allow || a->v[i].row.proc)
			continue;
		pk_buf_fmt(out, "; what speaks about it is %s of list %s",
			   pk_limits_prefix(a->v[i].row.e, text), a->v[i].list);
		return;
	}
}

static void write_targets(struct pk_json *j, const struct change *c, const char *key, bool missing)
{
	char text[PK_PREFIX_TEXT];

	pk_json_arr(j, key);
	for (size_t i = 0; i < c->blocks.n; i++) {
		const struct pk_block_entry *e = &c->blocks.v[i];

		if (c->out[i].missing != missing)
			continue;
		pk_json_obj(j, NULL);
		if (!missing)
			pk_json_u64(j, "id", c->out[i].id);
		if (c->blocks.name[i]) {
			pk_json_str(j, "name", c->blocks.name[i]);
			if (!c->remove)
				pk_answer_how(j, c->blocks.how);
		} else {
			pk_json_str(j, "prefix",
				    c->blocks.proc.kind && !e->bits ? "any"
								    : pk_limits_prefix(e, text));
		}
		if (c->blocks.proc.kind)
			pk_answer_who(j, &c->blocks.proc);
		pk_limits_write(j, e, c->blocks.iface);
		if (!c->remove)
			pk_json_bool(j, "new", c->out[i].changed);
		pk_json_str(j, "list", list_of(c));
		pk_json_end(j);
	}
	pk_json_end(j);
}

static void answer(struct pk_api_request *q, struct change *c)
{
	struct pk_buf body = { 0 };
	struct pk_json j;

	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	write_targets(&j, c, c->remove ? "removed" : "added", false);
	if (c->remove)
		write_targets(&j, c, "missing", true);
	pk_json_bool(&j, "kept", c->ticket && pk_store_done(q->view->store) >= c->ticket);
	pk_json_end(&j);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
}

/* "198.51.100.7, evil.example and 3 more, list operator" */
static void object_of(const struct change *c, const char *const *target, struct pk_buf *out)
{
	for (size_t i = 0; i < c->blocks.n && i < NAMED_MAX; i++)
		pk_buf_fmt(out, "%s%s", i ? ", " : "", target[i]);
	if (c->blocks.n > NAMED_MAX)
		pk_buf_fmt(out, " and %zu more", c->blocks.n - NAMED_MAX);
	pk_buf_fmt(out, ", list %s", list_of(c));
}

/* Who did what to what, why, and what became of it. detail NULL: it was done. */
static int note(struct change *c, const char *detail)
{
	char prefix[PK_BLOCKS_TARGETS][PK_PREFIX_TEXT];
	const char *target[PK_BLOCKS_TARGETS];
	_cleanup_(pk_buf_done) struct pk_buf object = { 0 };
	const struct pk_blocks *k = &c->blocks;

	for (size_t i = 0; i < k->n; i++)
		target[i] = k->name[i]                      ? k->name[i]
			    : k->proc.kind && !k->v[i].bits ? "any"
							    : pk_limits_prefix(&k->v[i], prefix[i]);
	object_of(c, target, &object);
	return pk_audit_note(c->later->q.view,
			     &(struct pk_audit){ .who = &c->asker,
						 .act = c->remove      ? "unblock"
							: k->ask.allow ? "allow"
								       : "block",
						 .object = object.data ? object.data : "",
						 .done = !detail,
						 .code = detail ? "refused" : "ok",
						 .detail = detail,
						 .why = k->reason,
						 .resource = target,
						 .resources = k->n },
			     &c->ticket);
}

static void answer_kept(struct pk_api_request *q, union pk_kept_what what)
{
	struct change *c = what.own;

	answer(q, c);
	change_free(c);
}

/* Done: answered when it is on the disk, or cannot be. */
static void finish(struct pk_block *b, struct change *c)
{
	_cleanup_(pk_buf_done) struct pk_buf why = { 0 };
	size_t missing = 0;

	for (size_t i = 0; i < c->blocks.n; i++)
		missing += c->out[i].missing;
	if (missing == c->blocks.n) {
		explain_missing(b, c, &why);
		(void)pk_api_problem(&c->later->q, 404, why.data ? why.data : ""); /* always 0 */
		change_free(c);
		return;
	}
	if (note(c, NULL) == 0 && pk_kept_wait(&c->later->q, c->ticket, answer_kept,
					       (union pk_kept_what){ .own = c }) == 0) {
		c->later->q.x = NULL; /* the answer is whose wait it is */
		return;
	}
	answer(&c->later->q, c);
	change_free(c);
}

static int again(struct change *c)
{
	struct timeval soon = { .tv_usec = AGAIN_MS * 1000 };

	return c->blocks.is_auto || ++c->tries > TRIES_MAX ? -EAGAIN : event_add(c->timer, &soon);
}

/* Does the targets that are left. */
static void go_on(struct change *c)
{
	struct pk_block *b = pk_answer_block(&c->later->q);

	while (b && c->at < c->blocks.n) {
		struct pk_block_done d = { 0 };
		int r = c->remove ? remove_one(b, c, c->at, &d) : add_one(b, c, c->at, &d);

		bool wait = r == -EAGAIN || (r == -EBUSY && pk_answer_is_loading(b, list_of(c)));

		if (wait && again(c) == 0) {
			pk_block_done_done(&d);
			return; /* the timer has it */
		}
		c->out[c->at].id = d.id;
		c->out[c->at].changed = d.added || d.removed;
		c->out[c->at].missing = c->remove && r == -ENOENT;
		if (r < 0 && !c->out[c->at].missing) {
			undo(b, c);
			(void)note(c, d.detail ? d.detail : strerror(-r)); /* the log has it */
			(void)pk_answer_failed(&c->later->q, &d);          /* always 0 */
			b = NULL;
		}
		pk_block_done_done(&d);
		c->at++;
	}
	if (b) {
		pk_signed_left(c->later->q.view, list_of(c));
		finish(b, c);
		return;
	}
	change_free(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	go_on(arg);
}

static int start(struct pk_api_request *q, bool remove)
{
	struct evbuffer *in = pk_api_body(q);
	size_t len = evbuffer_get_length(in);
	const char *bytes = len ? (const char *)evbuffer_pullup(in, -1) : "";
	struct pk_buf who = { 0 };
	struct change *c;

	if (!pk_answer_block(q))
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->remove = remove;
	if (pk_blocks_read(bytes, len, pk_clock_wall_ms(pk_clock_boot_ns()), &c->blocks) < 0) {
		(void)pk_api_problem(q, 400, c->blocks.error); /* always 0 */
		change_free(c);
		return 0;
	}
	if (pk_signed_guards(q, list_of(c))) {
		change_free(c);
		return 0;
	}
	pk_api_peer_name(q, &who);
	c->who = who.data;
	c->blocks.ask.who = c->who;
	pk_audit_who(q, &c->asker);
	c->timer = event_new(pk_api_base(q->api), -1, 0, on_timer, c);
	c->later = pk_api_later_new(q);
	if (!c->timer || !c->later) {
		if (c->later) /* the answer is the caller's */
			c->later->q.x = NULL;
		change_free(c);
		return -ENOMEM;
	}
	c->later->gone = gone;
	c->later->arg = c;
	go_on(c);
	return 0;
}

int pk_blocks_post(struct pk_api_request *q)
{
	return start(q, false);
}

int pk_blocks_delete(struct pk_api_request *q)
{
	return start(q, true);
}

int pk_detach_post(struct pk_api_request *q)
{
	struct pk_buf body = { 0 };
	struct pk_audit_who who;

	if (!q->view->detach)
		return pk_api_problem(q, 503, "the privileged process can not be asked");
	if (q->view->detach(q->view->arg) < 0)
		return pk_api_busy(q, "the privileged process takes no messages: try again");
	pk_audit_who(q, &who); /* the end of the agent waits until it is kept */
	(void)pk_audit_note(q->view,
			    &(struct pk_audit){ .who = &who,
						.act = "detach",
						.object = "hooks, maps and what was enforced",
						.done = true,
						.code = "ok" },
			    NULL);
	pk_buf_str(&body, "{\"detaching\":true}\n");
	pk_api_reply(q, 202, PK_API_TYPE_JSON, &body);
	return 0;
}
