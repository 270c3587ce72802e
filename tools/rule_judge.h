/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which Sigma rules can be tested on what there is of the past: a capture, or the store. One that
 * looks at what is not there would find nothing, which is no answer: it is named with that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_buf;
struct pk_finding;
struct pk_sigma_rule;
struct pk_sigma_set;

/* What there is. */
struct pk_rule_place {
	const uint64_t *fields; /* by enum pk_sigma_source, sets of fields; 0: no such events */
	const char *no_events;  /* "are not kept": behind the kind of event */
	const char *no_field;   /* the same behind a field's name */
	bool one_side;          /* connections have no end that is ours: Initiated is "true" */
};

extern const struct pk_rule_place pk_rule_capture;

struct pk_rule_judged {
	struct pk_sigma_set *set;
	char (*reason)[160]; /* by rule: why it can't be answered; "": it can, or does not run */
	size_t asked, not_asked;
};

/* -errno; errors: in words, as far as there are any. */
int pk_rule_judge_load(struct pk_rule_judged *j, const char *path, struct pk_buf *errors);
void pk_rule_judge_done(struct pk_rule_judged *j);

void pk_rule_judge(struct pk_rule_judged *j, const struct pk_rule_place *place);
bool pk_rule_judge_can(const struct pk_rule_judged *j, const struct pk_sigma_rule *rule);
/* What is not tested is said with its place, on stderr. */
void pk_rule_judge_tell(const struct pk_rule_judged *j);
/* Of pk_replay_world, arg: the judged. Rules that can't be answered are run by the detector, too,
 * and not believed. */
bool pk_rule_judge_wanted(void *arg, const struct pk_finding *f);
