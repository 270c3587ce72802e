/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How usual is a flow: what the history says about earlier flows of the same program with the same
 * remote side. It goes over the remembered flows once for a request and keeps nothing.
 */
#include "api/live_rows.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/state.h"
#include "api/view.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "enrich/enrich.h"
#include "flow/table.h"

#include <picket/api.h>

#include <stdlib.h>
#include <string.h>

struct sum {
	uint64_t flows, bytes, first_ns, last_ns;
};

struct usual {
	const struct pk_view *v;
	const struct pk_flow_entry *e;
	char with[256]; /* name or address of the remote side */
	const char *program;
	struct sum same, others;
};

/* Path of what runs on this side of the flow, else its name; "" unknown. */
static const char *program_of(const struct pk_view *v, const struct pk_flow_entry *e)
{
	int d = pk_ocsf_actor(e);
	const struct pk_process *p =
		d < 0 ? NULL : pk_enrich_owner(v->ocsf.enrich, &e->flow.own[d].user);

	if (!p)
		return "";
	return *pk_process_path(p) ? pk_process_path(p) : pk_process_name(p);
}

static void add(struct sum *s, const struct pk_flow_entry *e)
{
	if (!s->flows || e->flow.meta.start_ns < s->first_ns)
		s->first_ns = e->flow.meta.start_ns;
	if (e->updated_ns > s->last_ns)
		s->last_ns = e->updated_ns;
	s->flows++;
	s->bytes += e->flow.dir[0].bytes + e->flow.dir[1].bytes;
}

static void look(struct usual *u, const struct pk_flow_entry *e)
{
	bool is_name;
	unsigned here = pk_live_here(u->v, e);

	if (e == u->e || e->flow.meta.start_ns > u->e->flow.meta.start_ns ||
	    strcmp(pk_live_name(u->v, e, !here, &is_name), u->with) != 0)
		return;
	add(strcmp(program_of(u->v, e), u->program) ? &u->others : &u->same, e);
}

/* To the start of the agent, or to the oldest flow that was not forgotten. */
static uint64_t since_ns(const struct pk_view *v)
{
	struct pk_table_use_count live, ended;
	struct pk_flow_entry *oldest = NULL;

	pk_flow_table_counts(v->ocsf.flows, &live, &ended);
	for (struct pk_flow_entry *e = NULL; (e = pk_flow_table_ended(v->ocsf.flows, e));)
		oldest = e;
	return ended.evicted && oldest ? oldest->updated_ns : v->state->started_ns;
}

static void write_sum(struct pk_json *j, const char *key, const struct sum *s)
{
	pk_json_obj(j, key);
	pk_json_u64(j, "flows", s->flows);
	pk_json_u64(j, "bytes", s->bytes);
	if (s->flows) {
		pk_json_i64(j, "first", pk_clock_wall_ms(s->first_ns));
		pk_json_i64(j, "last", pk_clock_wall_ms(s->last_ns));
	}
	pk_json_end(j);
}

static void answer(struct pk_api_request *q, const struct usual *u)
{
	const char *slash = strrchr(u->program, '/');
	struct pk_buf body = { 0 };
	struct pk_json j;

	pk_json_init(&j, &body);
	pk_json_obj(&j, NULL);
	pk_json_str(&j, "process", slash ? slash + 1 : u->program);
	pk_json_str(&j, "with", u->with);
	pk_json_i64(&j, "since", pk_clock_wall_ms(since_ns(u->v)));
	write_sum(&j, "same", &u->same);
	write_sum(&j, "others", &u->others);
	pk_json_end(&j);
	pk_api_reply(q, 200, PK_API_TYPE_JSON, &body);
}

int pk_flow_usual_get(struct pk_api_request *q)
{
	struct pk_flow_table *t = q->view->ocsf.flows;
	char *end = NULL;
	uint64_t id = strtoull(q->rest, &end, 16);
	struct pk_flow_entry *e = strlen(q->rest) == 16 && !*end ? pk_flow_table_find(t, id) : NULL;
	struct usual u = { .v = q->view, .e = e };
	bool is_name;

	if (!e)
		return pk_api_problem(q, 404, "there is no flow with this id (any more)");
	strncpy(u.with, pk_live_name(u.v, e, !pk_live_here(u.v, e), &is_name), sizeof(u.with) - 1);
	u.program = program_of(u.v, e);
	for (struct pk_flow_entry *f = NULL; (f = pk_flow_table_live(t, f));)
		look(&u, f);
	for (struct pk_flow_entry *f = NULL; (f = pk_flow_table_ended(t, f));)
		look(&u, f);
	answer(q, &u);
	return 0;
}
