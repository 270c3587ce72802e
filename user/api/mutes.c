/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suppressions: who made them, for what, why and until when; and making, extending and removing
 * them, each of which is written down with who it was. What they do is user/mute's.
 */
#include "api/mutes.h"

#include "api/kept.h"
#include "api/peer.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "conf/conf.h"
#include "detect/detect.h"
#include "detect/rules.h"
#include "mute/json.h"
#include "mute/keep.h"
#include "mute/mutes.h"
#include "store/store.h"

#include <picket/api.h>

#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int64_t now_ms(void)
{
	return pk_clock_wall_ms(pk_clock_boot_ns());
}

static bool is_kept(const struct pk_view *v, const struct pk_mute *m)
{
	return v->store && m->kept_ms && pk_store_done(v->store) >= m->ticket;
}

static void reply(struct pk_api_request *q, int status, const struct pk_mute *m)
{
	bool kept = is_kept(q->view, m);
	struct pk_buf body = { 0 };
	struct pk_json j;

	pk_json_init(&j, &body);
	pk_mute_write(&j, m, &kept);
	pk_buf_char(&body, '\n');
	pk_api_reply(q, status, PK_API_TYPE_JSON, &body);
}

/* By number or uid; NULL: it was answered. */
static struct pk_mute *asked(struct pk_api_request *q)
{
	const struct pk_mutes *all = q->view->mutes;
	struct pk_mute *m = NULL;
	char *end;
	unsigned long long n = strtoull(q->rest, &end, 10);

	if (all && *q->rest)
		m = *end ? pk_mutes_by_uid(all, q->rest) : pk_mutes_find(all, n);
	if (!m)
		(void)pk_api_problem(q, 404, "there is no such suppression"); /* always 0 */
	return m;
}

/* "active", "all", or one state. */
static bool wanted(const struct pk_mute *m, const char *state)
{
	return strcmp(state, "all") == 0 || strcmp(state, pk_mute_state_name(m->state)) == 0;
}

int pk_mutes_get(struct pk_api_request *q)
{
	const char *state = pk_api_param(q, "state");
	struct pk_buf body = { 0 };
	enum pk_mute_state known;
	struct pk_json j;

	state = state ? state : "active";
	if (strcmp(state, "all") != 0 && pk_mute_state_parse(state, &known) < 0)
		return pk_api_problem(q, 400, "state: expected active, expired, removed or all");
	if (!q->view->mutes)
		return pk_api_problem(q, 503, "nothing is detected here");
	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_arr(&j, "mutes");
	for (struct pk_mute *m = NULL; (m = pk_mutes_next(q->view->mutes, m));) {
		bool kept = is_kept(q->view, m);

		if (wanted(m, state))
			pk_mute_write(&j, m, &kept);
	}
	pk_json_end(&j);
	pk_mute_write_counts(&j, "counts", q->view->mutes);
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}

int pk_mute_get(struct pk_api_request *q)
{
	const struct pk_mute *m = asked(q);

	if (m)
		reply(q, 200, m);
	return 0;
}

/* -EINVAL: it was answered. */
static int read_ask(struct pk_api_request *q, enum pk_mute_asked what, struct pk_mute_ask *ret)
{
	_cleanup_(pk_buf_done) struct pk_buf error = { 0 };
	struct evbuffer *in = pk_api_body(q);
	size_t len = evbuffer_get_length(in);
	const char *bytes = len ? (const char *)evbuffer_pullup(in, -1) : "";

	if (pk_mute_ask_read(what, q->view->conf, bytes, len, ret, &error) == 0)
		return 0;
	(void)pk_api_problem(q, 400, error.data ? error.data : "no memory"); /* always 0 */
	return -EINVAL;
}

/* A rule that nobody has would be a suppression that silently does nothing. */
static const char *unknown_rule(const struct pk_view *v, const struct pk_mute *m)
{
	for (size_t i = 0; i < m->rules; i++) {
		bool known = pk_rules_has(v->detect, m->rule[i]);

		for (size_t k = 0; k < pk_detectors_n && !known; k++)
			known = strcmp(pk_detectors[k]->name, m->rule[i]) == 0;
		if (!known)
			return m->rule[i];
	}
	return NULL;
}

static int64_t expiry(const struct pk_conf *c, uint64_t ttl_ns, int64_t now)
{
	uint64_t ns = ttl_ns ? ttl_ns : c->mute_ttl_ns;

	if (ns > c->mute_ttl_max_ns)
		ns = c->mute_ttl_max_ns;
	return now + (int64_t)(ns / 1000000);
}

static void reply_later(struct pk_api_request *q, union pk_kept_what what)
{
	const struct pk_mute *m = pk_mutes_find(q->view->mutes, what.number);

	if (m)
		reply(q, m->acts_ever == 1 ? 201 : 200, m);
	else
		(void)pk_api_problem(q, 404, "it was done, and has gone from memory since");
}

/* What was decided is in force, and told in the log; it is answered when it is on the disk. */
static int decided(struct pk_api_request *q, struct pk_mute *m, int status)
{
	const struct pk_mute_act *a = &m->act[m->acts - 1];
	uint64_t ticket = 0;
	int r = -ENODATA;

	pk_notice("suppression %" PRIu64 " of %s%s: %s by %s: %s", m->number, m->rule[0],
		  m->rules > 1 ? " and others" : "", a->what, a->who, a->why);
	if (q->view->store) /* without room now the next tick tries again */
		r = pk_mute_keep(q->view->store, m, now_ms(), &ticket);
	if (r == 0)
		r = pk_kept_wait(q, ticket, reply_later,
				 (union pk_kept_what){ .number = m->number });
	if (r < 0)
		reply(q, status, m); /* which is in force, but not kept */
	return 0;
}

/* Is what somebody asks for a suppression that may be? Else it was answered. */
static bool may_be(struct pk_api_request *q, const struct pk_mute_ask *ask)
{
	const char *why, *rule = unknown_rule(q->view, &ask->mute);
	char detail[PK_MUTE_RULE + 96];

	if (rule) {
		(void)snprintf(detail, sizeof(detail),
			       "rules: there is neither a detector nor a loaded rule called %s",
			       rule);
		(void)pk_api_problem(q, 400, detail); /* always 0 */
		return false;
	}
	if (pk_mute_check(&ask->mute, ask->wide, &why) < 0) {
		(void)pk_api_problem(q, 400, why);
		return false;
	}
	return true;
}

int pk_mutes_post(struct pk_api_request *q)
{
	_cleanup_(pk_buf_done) struct pk_buf who = { 0 }, owner = { 0 };
	_cleanup_free_ struct pk_mute_ask *ask = malloc(sizeof(*ask));
	struct pk_mute *m;

	if (!ask)
		return -ENOMEM;
	if (!q->view->mutes || !q->view->mutes_ready)
		return pk_api_busy(q, "suppressions of before were not read yet: try again");
	if (read_ask(q, PK_MUTE_ASK_NEW, ask) < 0)
		return 0;
	pk_api_peer_actor(q, &who);
	pk_api_peer_name(q, &owner);
	if (!ask->mute.owner[0])
		(void)snprintf(ask->mute.owner, sizeof(ask->mute.owner), "%s",
			       owner.data ? owner.data : "");
	if (!may_be(q, ask))
		return 0;
	ask->mute.expires_ms = expiry(q->view->conf, ask->ttl_ns, now_ms());
	if (pk_mutes_add(q->view->mutes, &ask->mute, who.data ? who.data : "", now_ms(), &m) < 0)
		return pk_api_problem(q, 409, "as many suppressions as there can be are in force");
	return decided(q, m, 201);
}

int pk_mute_extend_post(struct pk_api_request *q)
{
	_cleanup_free_ struct pk_mute_ask *ask = malloc(sizeof(*ask));
	_cleanup_(pk_buf_done) struct pk_buf who = { 0 };
	struct pk_mute *m = asked(q);

	if (!ask)
		return -ENOMEM;
	if (!m || read_ask(q, PK_MUTE_ASK_EXTEND, ask) < 0)
		return 0;
	pk_api_peer_actor(q, &who);
	if (pk_mutes_extend(m, expiry(q->view->conf, ask->ttl_ns, now_ms()),
			    who.data ? who.data : "", ask->reason, now_ms()) < 0)
		return pk_api_problem(q, 409, "it was removed: make another one");
	return decided(q, m, 200);
}

int pk_mute_delete(struct pk_api_request *q)
{
	_cleanup_free_ struct pk_mute_ask *ask = malloc(sizeof(*ask));
	_cleanup_(pk_buf_done) struct pk_buf who = { 0 };
	struct pk_mute *m = asked(q);

	if (!ask)
		return -ENOMEM;
	if (!m || read_ask(q, PK_MUTE_ASK_REMOVE, ask) < 0)
		return 0;
	pk_api_peer_actor(q, &who);
	if (pk_mutes_remove(m, who.data ? who.data : "", ask->reason, now_ms()) < 0)
		return pk_api_problem(q, 409, "it is over already");
	return decided(q, m, 200);
}
