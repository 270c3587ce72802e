/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person has a playbook run, does what it asks for, or has what it did taken back. What the steps
 * do and whether they work is respond's; this says who wanted it and why.
 */
#include "api/incident_ask.h"
#include "api/incidents.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/view.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "base/json.h"
#include "conf/conf.h"
#include "respond/respond.h"

#include <picket/api.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct pk_playbook *named(const struct pk_view *v, const char *word)
{
	for (size_t i = 0; word && i < v->playbooks_n; i++)
		if (strcmp(v->playbooks[i].word, word) == 0 ||
		    strcmp(v->playbooks[i].id, word) == 0)
			return &v->playbooks[i];
	return NULL;
}

static void write_explained(struct pk_json *j, const char *key, const struct pk_playbook *p)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };

	pk_playbook_explain(p, &text);
	pk_json_str(j, key, text.data ? text.data : "");
}

/* What would be done, to whom. */
static void answer_plan(struct pk_api_request *q, const struct pk_incident *i,
			const struct pk_playbook *p)
{
	struct pk_buf body = { 0 };
	char ip[PK_IP_TEXT];
	struct pk_json j;

	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_u64(&j, "incident", i->number);
	pk_json_str(&j, "playbook", p->word);
	pk_json_str(&j, "name", p->name);
	write_explained(&j, "plan", p);
	pk_json_arr(&j, "remotes");
	for (size_t k = 0; k < i->remotes; k++)
		if (!i->remote[k].spoofable)
			pk_json_str(&j, NULL, pk_ip_format(i->remote[k].addr, ip));
	pk_json_end(&j);
	pk_json_arr(&j, "maybe_forged");
	for (size_t k = 0; k < i->remotes; k++)
		if (i->remote[k].spoofable)
			pk_json_str(&j, NULL, pk_ip_format(i->remote[k].addr, ip));
	pk_json_end(&j);
	if (i->suspect.tgid)
		pk_json_u64(&j, "pid", i->suspect.tgid);
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
}

int pk_incident_contain_post(struct pk_api_request *q)
{
	_cleanup_(pk_incident_ask_done) struct pk_incident_ask a = { 0 };
	const struct pk_playbook *p;
	const char *word;
	bool dry;
	int r;

	if (pk_incident_ask_begin(q, "reason playbook dry_run", false, &a) < 0)
		return 0;
	word = pk_incident_ask_text(&a, "playbook");
	dry = json_is_true(json_object_get(a.body, "dry_run"));
	p = word ? named(q->view, word) : pk_respond_playbook(q->view->respond, a.incident);
	if (!p)
		return pk_api_problem(q, 404,
				      word ? "there is no such playbook"
					   : "no playbook is for what its alerts say; name one");
	if (dry) {
		answer_plan(q, a.incident, p);
		return 0;
	}
	if (!a.by.why || !*a.by.why)
		return pk_api_problem(q, 400, "a reason is required: it stays with the incident");
	if (pk_incident_is_over(a.incident))
		return pk_api_problem(q, 409, "it is closed");
	r = pk_respond_contain(q->view->respond, a.incident, p, &a.by, q->view->now_ns);
	if (r == -EBUSY)
		return pk_api_problem(q, 409,
				      "a playbook is at work on it: look again in a moment");
	pk_incident_reply_kept(q, a.incident);
	return 0;
}

int pk_incident_revert_post(struct pk_api_request *q)
{
	_cleanup_(pk_incident_ask_done) struct pk_incident_ask a = { 0 };

	if (pk_incident_ask_begin(q, "reason", true, &a) < 0)
		return 0;
	if (!pk_respond_revert(q->view->respond, a.incident, &a.by))
		return pk_api_problem(q, 409, "nothing of it is in force");
	pk_incident_reply_kept(q, a.incident);
	return 0;
}

/* "done" or "skipped"; -EINVAL: a problem was answered. */
static int result_of(struct pk_api_request *q, const struct pk_incident_ask *a, bool *ret_done)
{
	const char *result = pk_incident_ask_text(a, "result");

	*ret_done = result && strcmp(result, "done") == 0;
	if (*ret_done || (result && strcmp(result, "skipped") == 0))
		return 0;
	(void)pk_api_problem(q, 400, "result: expected done or skipped");
	return -EINVAL;
}

int pk_incident_step_post(struct pk_api_request *q)
{
	_cleanup_(pk_incident_ask_done) struct pk_incident_ask a = { 0 };
	const char *step;
	uint64_t number;
	char *end;
	bool done;
	int r;

	if (pk_incident_ask_begin(q, "reason result step", true, &a) < 0 ||
	    result_of(q, &a, &done) < 0)
		return 0;
	step = pk_incident_ask_text(&a, "step");
	number = step ? strtoull(step, &end, 10) : 0;
	if (step && (!number || *end || *step < '0' || *step > '9'))
		return pk_api_problem(q, 400, "step: expected the number of a step that waits");
	r = pk_respond_answer(q->view->respond, a.incident, number, done, &a.by, q->view->now_ns);
	if (r == -ENOENT)
		return pk_api_problem(q, 409,
				      step ? "no step of this number waits for a person"
					   : "no step of it waits for a person");
	if (r == -ENOTUNIQ)
		return pk_api_problem(q, 409, "several steps wait: say which by its number");
	pk_incident_reply_kept(q, a.incident); /* what is stale is among its acts */
	return 0;
}

static void write_playbook(struct pk_json *j, const struct pk_playbook *p)
{
	pk_json_obj(j, NULL);
	pk_json_str(j, "word", p->word);
	pk_json_str(j, "id", p->id);
	pk_json_str(j, "name", p->name);
	pk_json_str(j, "description", p->description);
	pk_json_u64(j, "priority", p->priority);
	pk_json_arr(j, "labels");
	for (size_t i = 0; i < p->labels; i++)
		pk_json_str(j, NULL, p->label[i]);
	pk_json_end(j);
	write_explained(j, "steps", p);
	pk_json_end(j);
}

int pk_playbooks_get(struct pk_api_request *q)
{
	const struct pk_view *v = q->view;
	struct pk_respond_count n = { 0 };
	struct pk_buf body = { 0 };
	struct pk_json j;

	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_arr(&j, "playbooks");
	for (size_t i = 0; i < v->playbooks_n; i++)
		write_playbook(&j, &v->playbooks[i]);
	pk_json_end(&j);
	pk_json_arr(&j, "enabled");
	for (size_t i = 0; i < v->conf->respond_enabled.n; i++)
		pk_json_str(&j, NULL, v->conf->respond_enabled.v[i]);
	pk_json_end(&j);
	if (v->respond)
		pk_respond_counts(v->respond, &n);
	pk_json_obj(&j, "counts");
	pk_json_u64(&j, "runs", n.runs);
	pk_json_u64(&j, "active", n.active);
	pk_json_u64(&j, "waiting", n.waiting);
	pk_json_u64(&j, "steps", n.steps);
	pk_json_u64(&j, "advised", n.advised);
	pk_json_u64(&j, "failed", n.failed);
	pk_json_u64(&j, "refused_rate", n.refused_rate);
	pk_json_end(&j);
	pk_json_end(&j);
	pk_buf_char(&body, '\n');
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
	return 0;
}
