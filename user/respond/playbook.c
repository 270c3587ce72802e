/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and checks. The schema of CACAO lets much pass that can't be run; all of it is looked for
 * here, before anything runs.
 */
#include "respond/playbook.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_MAX_MS (7ull * 86400 * 1000)

struct reader {
	struct pk_playbook *p;
	struct pk_buf *errors;
	json_t *workflow, *agents;
	bool bad;
};

static void complain(struct reader *r, const char *where, const char *what, const char *which)
{
	pk_buf_fmt(r->errors, "%.72s: %s%s%.96s\n", where, what, *which ? ": " : "", which);
	r->bad = true;
}

static const char *text_of(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void copy(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%.*s", (int)size - 1, from);
}

/* "action--" and a UUID of version 4 (RFC 9562). */
static bool is_id(const char *id, const char *type)
{
	size_t n = strlen(type);
	const char *u = id + n + 2;

	if (strncmp(id, type, n) != 0 || strncmp(id + n, "--", 2) != 0 || strlen(u) != 36)
		return false;
	for (int i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? u[i] != '-'
			 : !isxdigit((unsigned char)u[i]) || isupper((unsigned char)u[i]))
			return false;
	}
	return u[14] == '4' && strchr("89ab", u[19]);
}

/* "2026-01-15T09:00:00.000Z" */
static bool is_time(const char *s)
{
	static const char shape[] = "0000-00-00T00:00:00.000Z";

	if (strlen(s) != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < sizeof(shape) - 1; i++)
		if (shape[i] == '0' ? !isdigit((unsigned char)s[i]) : s[i] != shape[i])
			return false;
	return true;
}

static uint16_t find(const struct pk_playbook *p, const char *id)
{
	for (size_t i = 0; i < p->steps; i++)
		if (strcmp(p->step[i].id, id) == 0)
			return (uint16_t)i;
	return PK_STEP_NONE;
}

static uint16_t target(struct reader *r, const struct pk_step *s, json_t *o, const char *key)
{
	const char *id = text_of(o, key);
	uint16_t to = *id ? find(r->p, id) : PK_STEP_NONE;

	if (*id && to == PK_STEP_NONE)
		complain(r, s->id, "leads to a step that is not there", id);
	return to;
}

static void read_condition(struct reader *r, struct pk_step *s, json_t *o)
{
	static const char *const known[] = { "__severity__", "__pid__", "__remote__",
					     "__spoofable__", "__alerts__" };
	static const struct {
		const char *text;
		enum pk_condition_op op;
	} ops[] = { { ">=", PK_OP_AT_LEAST }, { "!=", PK_OP_NOT_EQUAL }, { "=", PK_OP_EQUAL } };
	char op[4] = "";

	if (sscanf(text_of(o, "condition"), "%31[a-z_]:value %3[<>!=] %63s", s->variable, op,
		   s->value) != 3) {
		complain(r, s->id, "not a condition (__variable__:value =|!=|>= literal)",
			 text_of(o, "condition"));
		return;
	}
	for (size_t i = 0; i < PK_ARRAY_SIZE(known); i++)
		if (strcmp(known[i], s->variable) == 0)
			for (size_t k = 0; k < PK_ARRAY_SIZE(ops); k++)
				if (strcmp(ops[k].text, op) == 0) {
					s->op = ops[k].op;
					return;
				}
	complain(r, s->id, "unknown variable or operator", text_of(o, "condition"));
}

static void read_command(struct reader *r, struct pk_step *s, json_t *o)
{
	json_t *commands = json_object_get(o, "commands"), *c = json_array_get(commands, 0);
	const char *type = text_of(c, "type"), *command = text_of(c, "command");
	char why[160] = "";

	if (json_array_size(commands) != 1) {
		complain(r, s->id, "must have exactly one command", "");
	} else if (strcmp(type, "manual") == 0) {
		s->is_manual = true;
		copy(s->text, sizeof(s->text), command);
		copy(s->whom, sizeof(s->whom),
		     text_of(json_object_get(r->agents, text_of(o, "agent")), "name"));
		if (!*command)
			complain(r, s->id, "a manual command without a text", "");
		if (!s->timeout_ms)
			complain(r, s->id, "a manual step needs a timeout", "");
	} else if (strcmp(type, "bash") != 0) {
		complain(r, s->id, "unknown type of command", type);
	} else if (pk_verb_parse(command, &s->command, why, sizeof(why)) < 0) {
		complain(r, s->id, why, "");
	}
}

static void read_branches(struct reader *r, struct pk_step *s, json_t *o)
{
	json_t *list = json_object_get(o, "next_steps"), *one;
	size_t i;

	if (!json_array_size(list) || json_array_size(list) > PK_PLAYBOOK_BRANCHES)
		complain(r, s->id, "must have 1 to 8 next_steps", "");
	json_array_foreach(list, i, one)
	{
		const char *id = json_string_value(one);
		uint16_t to = id ? find(r->p, id) : PK_STEP_NONE;

		if (to == PK_STEP_NONE)
			complain(r, s->id, "leads to a step that is not there", id ? id : "");
		else if (s->branches < PK_PLAYBOOK_BRANCHES)
			s->branch[s->branches++] = to;
	}
}

static void read_step(struct reader *r, struct pk_step *s, json_t *o)
{
	json_t *timeout = json_object_get(o, "timeout");
	json_int_t ms = json_integer_value(timeout);

	s->next = target(r, s, o, "on_completion");
	s->on_success = target(r, s, o, "on_success");
	s->on_failure = target(r, s, o, "on_failure");
	s->on_true = target(r, s, o, "on_true");
	s->on_false = target(r, s, o, "on_false");
	if (timeout && (ms <= 0 || ms > (json_int_t)TIMEOUT_MAX_MS))
		complain(r, s->id, "timeout must be 1 ms to 7 days", "");
	s->timeout_ms = ms > 0 ? (uint64_t)ms : 0;
	if (s->type == PK_STEP_ACTION)
		read_command(r, s, o);
	if (s->type == PK_STEP_IF)
		read_condition(r, s, o);
	if (s->type == PK_STEP_PARALLEL)
		read_branches(r, s, o);
	if (s->type == PK_STEP_IF && s->on_true == PK_STEP_NONE)
		complain(r, s->id, "an if-condition needs on_true", "");
}

static void name_step(struct reader *r, const char *id, json_t *o)
{
	static const char *const types[] = { "start", "end", "action", "if-condition", "parallel" };
	const char *type = text_of(o, "type");
	struct pk_step *s;

	if (r->p->steps == PK_PLAYBOOK_STEPS) {
		complain(r, id, "more than 64 steps", "");
		return;
	}
	s = &r->p->step[r->p->steps++];
	*s = (struct pk_step){ .type = PK_STEP_END };
	copy(s->id, sizeof(s->id), id);
	copy(s->name, sizeof(s->name), text_of(o, "name"));
	for (size_t i = 0; i < PK_ARRAY_SIZE(types); i++)
		if (strcmp(types[i], type) == 0) {
			s->type = (enum pk_step_type)i;
			if (!is_id(id, type))
				complain(r, id, "its id is not TYPE--UUIDv4", "");
			return;
		}
	complain(r, id, "a type of step that is not run here", type);
}

/* Ways from a step on: all must come to an end, and none back to where it was. */
static void walk(struct reader *r, uint16_t at, uint8_t mark[PK_PLAYBOOK_STEPS])
{
	const struct pk_step *s;
	uint16_t to[5 + PK_PLAYBOOK_BRANCHES];
	size_t n = 0;
	bool leads = false;

	if (at == PK_STEP_NONE || mark[at] == 2)
		return;
	s = &r->p->step[at];
	if (mark[at] == 1) {
		complain(r, s->id, "is part of a circle", "");
		mark[at] = 2;
		return;
	}
	mark[at] = 1;
	to[n++] = s->next;
	to[n++] = s->on_success;
	to[n++] = s->on_failure;
	to[n++] = s->on_true;
	to[n++] = s->on_false;
	for (size_t i = 0; i < s->branches; i++)
		to[n++] = s->branch[i];
	for (size_t i = 0; i < n; i++) {
		leads |= to[i] != PK_STEP_NONE && i < 3;
		walk(r, to[i], mark);
	}
	if (s->type == PK_STEP_END ? leads : !leads && s->type != PK_STEP_IF)
		complain(r, s->id, leads ? "an end leads nowhere" : "no end is reached from it",
			 "");
	if (s->type == PK_STEP_IF && s->next == PK_STEP_NONE && s->on_false == PK_STEP_NONE)
		complain(r, s->id, "no end is reached when the condition is false", "");
	if (s->type == PK_STEP_ACTION && s->next == PK_STEP_NONE &&
	    (s->on_success == PK_STEP_NONE || s->on_failure == PK_STEP_NONE))
		complain(r, s->id, "needs on_completion, or both on_success and on_failure", "");
	mark[at] = 2;
}

static void check_ways(struct reader *r)
{
	uint8_t mark[PK_PLAYBOOK_STEPS] = { 0 };

	if (r->p->start == PK_STEP_NONE || r->p->step[r->p->start].type != PK_STEP_START) {
		complain(r, "workflow_start", "is not the id of a start step", "");
		return;
	}
	walk(r, r->p->start, mark);
	for (size_t i = 0; i < r->p->steps; i++)
		if (!mark[i])
			complain(r, r->p->step[i].id, "nothing leads to it", "");
}

static void read_labels(struct reader *r, json_t *labels)
{
	json_t *one;
	size_t i;

	json_array_foreach(labels, i,
			   one) if (json_string_value(one) && r->p->labels < PK_PLAYBOOK_LABELS)
		copy(r->p->label[r->p->labels++], sizeof(r->p->label[0]), json_string_value(one));
}

static void read_impact(struct reader *r, json_t *impact)
{
	json_int_t n = json_integer_value(impact);

	if (impact && (!json_is_integer(impact) || n < 0 || n > 100))
		complain(r, "impact", "is not a number from 0 to 100", "");
	else
		r->p->impact = (unsigned)n;
}

static void read_head(struct reader *r, json_t *o)
{
	static const char *const times[] = { "created", "modified" };

	if (strcmp(text_of(o, "type"), "playbook") != 0 ||
	    strcmp(text_of(o, "spec_version"), "cacao-2.0") != 0)
		complain(r, "playbook", "type playbook of spec_version cacao-2.0 is expected", "");
	if (!is_id(text_of(o, "id"), "playbook"))
		complain(r, "id", "is not playbook--UUIDv4", text_of(o, "id"));
	if (!is_id(text_of(o, "created_by"), "identity"))
		complain(r, "created_by", "is not identity--UUIDv4", "");
	if (!*text_of(o, "name"))
		complain(r, "name", "is missing", "");
	for (size_t i = 0; i < PK_ARRAY_SIZE(times); i++)
		if (!is_time(text_of(o, times[i])))
			complain(r, times[i], "is not a time with three digits and Z", "");
	copy(r->p->id, sizeof(r->p->id), text_of(o, "id"));
	copy(r->p->name, sizeof(r->p->name), text_of(o, "name"));
	copy(r->p->description, sizeof(r->p->description), text_of(o, "description"));
	r->p->priority = (unsigned)json_integer_value(json_object_get(o, "priority"));
	read_impact(r, json_object_get(o, "impact"));
	read_labels(r, json_object_get(o, "labels"));
}

int pk_playbook_read(const char *json, size_t len, struct pk_playbook *ret, struct pk_buf *errors)
{
	_cleanup_free_ struct pk_playbook *p = calloc(1, sizeof(*p));
	json_error_t e;
	json_t *o = json_loadb(json, len, JSON_REJECT_DUPLICATES, &e), *step;
	struct reader r = { .p = p, .errors = errors };
	const char *id;
	char line[32];

	if (!p) {
		json_decref(o);
		return -ENOMEM;
	}
	if (!json_is_object(o)) {
		(void)snprintf(line, sizeof(line), "line %d", e.line);
		complain(&r, line, "not JSON", e.text);
		json_decref(o);
		return -EBADMSG;
	}
	read_head(&r, o);
	r.workflow = json_object_get(o, "workflow");
	r.agents = json_object_get(o, "agent_definitions");
	json_object_foreach(r.workflow, id, step) name_step(&r, id, step);
	for (size_t i = 0; i < p->steps; i++)
		read_step(&r, &p->step[i], json_object_get(r.workflow, p->step[i].id));
	p->start = find(p, text_of(o, "workflow_start"));
	check_ways(&r);
	json_decref(o);
	if (r.bad)
		return -EBADMSG;
	*ret = *p;
	return 0;
}

bool pk_playbook_is_for(const struct pk_playbook *p, const char *technique, const char *rule)
{
	for (size_t i = 0; i < p->labels; i++) {
		const char *l = p->label[i];
		size_t n = strlen(l);

		if (rule && strncmp(l, "rule:", 5) == 0 && strcmp(l + 5, rule) == 0)
			return true;
		if (technique && strncmp(l, "attack:", 7) == 0 &&
		    strncmp(technique, l + 7, n - 7) == 0 &&
		    (!technique[n - 7] || technique[n - 7] == '.'))
			return true;
	}
	return false;
}

/* In the largest unit that leaves nothing over. */
static void put_time(struct pk_buf *out, uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *unit;
	} units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } };

	for (size_t k = 0; k < PK_ARRAY_SIZE(units); k++)
		if (ms % units[k].ms == 0) {
			pk_buf_fmt(out, "%llu%s", (unsigned long long)(ms / units[k].ms),
				   units[k].unit);
			return;
		}
	pk_buf_fmt(out, "%llums", (unsigned long long)ms);
}

static void explain_one(const struct pk_playbook *p, uint16_t at, int depth, struct pk_buf *out);

/* Where it waits, for whom and how long, and what comes when he does not do it. */
static void explain_manual(const struct pk_playbook *p, const struct pk_step *s, int depth,
			   struct pk_buf *out)
{
	pk_buf_fmt(out,
		   "%*s- a person%s%s%s: %s\n%*s  waits until that is done or skipped, at most ",
		   depth * 3, "", *s->whom ? " (" : "", s->whom, *s->whom ? ")" : "", s->text,
		   depth * 3, "");
	put_time(out, s->timeout_ms);
	pk_buf_char(out, '\n');
	if (s->on_failure == PK_STEP_NONE ||
	    s->on_failure == (s->next != PK_STEP_NONE ? s->next : s->on_success))
		return;
	pk_buf_fmt(out, "%*s  if it is not done:\n", depth * 3, "");
	explain_one(p, s->on_failure, depth + 1, out);
}

static void explain_one(const struct pk_playbook *p, uint16_t at, int depth, struct pk_buf *out)
{
	while (at != PK_STEP_NONE && depth < 12) {
		const struct pk_step *s = &p->step[at];

		if (s->type == PK_STEP_ACTION && s->is_manual)
			explain_manual(p, s, depth, out);
		else if (s->type == PK_STEP_ACTION)
			pk_buf_fmt(out, "%*s- %s: %s\n", depth * 3, "",
				   pk_verb_name(s->command.verb), s->name);
		if (s->type == PK_STEP_IF) {
			pk_buf_fmt(out, "%*s- if %s %s %s:\n", depth * 3, "", s->variable,
				   s->op == PK_OP_AT_LEAST    ? "at least"
				   : s->op == PK_OP_NOT_EQUAL ? "is not"
							      : "is",
				   s->value);
			explain_one(p, s->on_true, depth + 1, out);
			if (s->on_false != PK_STEP_NONE) {
				pk_buf_fmt(out, "%*s  else:\n", depth * 3, "");
				explain_one(p, s->on_false, depth + 1, out);
			}
		}
		for (size_t i = 0; i < s->branches; i++)
			explain_one(p, s->branch[i], depth + 1, out);
		at = s->on_success != PK_STEP_NONE ? s->on_success : s->next;
	}
}

void pk_playbook_explain(const struct pk_playbook *p, struct pk_buf *out)
{
	if (p->impact > PK_PLAYBOOK_IMPACT)
		pk_buf_fmt(out,
			   "impact %u: unless a person has it run, it acts only after one did a "
			   "step of it\n",
			   p->impact);
	explain_one(p, p->start, 0, out);
}
