/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A playbook in the subset of CACAO 2.0 that is run here: steps of type start, end, action,
 * if-condition and parallel; commands of type bash (one verb, verb.h) and manual. Read once,
 * checked whole, never changed.
 */
#pragma once

#include "respond/verb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_buf;

#define PK_PLAYBOOK_STEPS    64
#define PK_PLAYBOOK_BRANCHES 8
#define PK_PLAYBOOK_LABELS   32
#define PK_STEP_NONE         UINT16_MAX

/* CACAO's impact, 0 to 100, is what a playbook does to who owns the host: above this a person
 * decides before it acts. */
#define PK_PLAYBOOK_IMPACT 50

enum pk_step_type { PK_STEP_START, PK_STEP_END, PK_STEP_ACTION, PK_STEP_IF, PK_STEP_PARALLEL };

enum pk_condition_op { PK_OP_EQUAL, PK_OP_NOT_EQUAL, PK_OP_AT_LEAST };

struct pk_step {
	char id[72];
	enum pk_step_type type;
	char name[96];
	uint16_t next, on_success, on_failure; /* steps; PK_STEP_NONE */
	uint16_t on_true, on_false;
	uint16_t branch[PK_PLAYBOOK_BRANCHES];
	size_t branches;
	uint64_t timeout_ms; /* 0: none */
	bool is_manual;
	char text[192]; /* what the person is to do */
	char whom[64];  /* who that is, by the playbook's agents; "": it does not say */
	struct pk_command_step command;
	char variable[32], value[64]; /* of a condition */
	enum pk_condition_op op;
};

struct pk_playbook {
	char word[32]; /* what people call it: its file without .json */
	char id[64], name[96], description[256];
	unsigned priority; /* 1 is asked first; 0: last */
	unsigned impact;   /* 0: its author does not say */
	char label[PK_PLAYBOOK_LABELS]
		  [48]; /* "attack:T1059" and "rule:reverse_shell" say what for */
	size_t labels;
	struct pk_step step[PK_PLAYBOOK_STEPS];
	size_t steps;
	uint16_t start;
};

/*
 * Reads one. -EBADMSG: complaints are lines in errors ("STEP: what is wrong"): unknown types, verbs
 * and conditions, ids that are no UUIDv4, steps that nothing leads to, ways without an end,
 * circles, a manual step without a timeout, an impact that is no number from 0 to 100.
 */
int pk_playbook_read(const char *json, size_t len, struct pk_playbook *ret, struct pk_buf *errors);

/* Is it for this technique ("T1059.004" is also T1059) or rule? */
bool pk_playbook_is_for(const struct pk_playbook *p, const char *technique, const char *rule);
/* The steps in words, in the order they would be taken, branches indented. */
void pk_playbook_explain(const struct pk_playbook *p, struct pk_buf *out);
