/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a playbook may have done: one verb of the `picket` tool a command, from this list alone,
 * split here and never given to a shell. What is not in the list is for a person.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum pk_verb {
	PK_VERB_BLOCK,    /* picket block __remote__:value [--ttl TIME] [--dir in|out|both] */
	PK_VERB_CUT,      /* picket cut __remote__:value: the connections there are */
	PK_VERB_SUSPEND,  /* picket suspend __pid__:value [--ttl TIME] */
	PK_VERB_SNAPSHOT, /* picket snapshot __incident__:value */
	PK_VERB_ISOLATE,  /* picket isolate [--ttl TIME] */
	PK_VERB_VERIFY,   /* picket verify __incident__:value: is it contained? */
	PK_VERB_TELL,     /* picket tell __incident__:value: a person, in the log */
	PK_VERBS
};

struct pk_command_step {
	enum pk_verb verb;
	uint64_t ttl_ns; /* 0: the configuration's */
	uint8_t dir;     /* PK_BLK_IN | PK_BLK_OUT */
};

/* -EINVAL: not such a command; why says so for people. */
int pk_verb_parse(const char *command, struct pk_command_step *ret, char *why, size_t why_size);
const char *pk_verb_name(enum pk_verb v);
/* Its OCSF class and activity: 7004 or 7003; 0: it changes nothing. */
int pk_verb_class(enum pk_verb v, int *ret_activity);
