/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A suppression: somebody's decision that certain alerts are not told for a while. It has an owner,
 * a reason and an end, and says which rules it is for and, by conditions that must all hold, which
 * of their findings. It decides about one finding at a time. Texts are raw: escape them on output.
 */
#pragma once

#include "detect/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_filter_subject;

#define PK_MUTE_UID   40 /* "mute-20260131T120000-12" with its NUL */
#define PK_MUTE_RULES 16
#define PK_MUTE_RULE  128 /* bytes of the name of a detector, id or title of a rule */
#define PK_MUTE_TEXT  256 /* bytes of a condition, of a reason */
#define PK_MUTE_WHO   96
#define PK_MUTE_ACTS  16 /* kept of one; all of them are in the store */

/* Conditions. Of a process: the one the finding is about, not those above it. */
enum pk_mute_field {
	PK_MUTE_PROCESS,   /* its name, which anybody can choose; glob */
	PK_MUTE_EXE,       /* path of its program, as it sees it; glob */
	PK_MUTE_CMD,       /* its command line; glob */
	PK_MUTE_USER,      /* name or number */
	PK_MUTE_CONTAINER, /* name or id, or the first six characters of one at least; glob */
	PK_MUTE_REMOTE,    /* address or network that the other side is in */
	PK_MUTE_NAME,      /* domain, with all below it */
	PK_MUTE_FIELDS
};

enum pk_mute_state { PK_MUTE_ACTIVE = 1, PK_MUTE_EXPIRED, PK_MUTE_REMOVED, PK_MUTE_STATES };

struct pk_mute_act {
	uint64_t number; /* from 1, within the suppression */
	int64_t time_ms;
	char who[PK_MUTE_WHO], what[96], why[PK_MUTE_TEXT];
};

struct pk_mute {
	char uid[PK_MUTE_UID];
	uint64_t number;
	enum pk_mute_state state;
	char rule[PK_MUTE_RULES][PK_MUTE_RULE];
	size_t rules;
	char want[PK_MUTE_FIELDS][PK_MUTE_TEXT]; /* "": no such condition */
	uint8_t net[16];                         /* of PK_MUTE_REMOTE */
	unsigned bits;
	char owner[64], reason[PK_MUTE_TEXT];
	int64_t created_ms, expires_ms, ended_ms; /* wall clock, which outlives a boot; ended 0: no
						   */
	uint64_t hits;                            /* findings that were not told */
	int64_t last_hit_ms;                      /* 0: never */
	struct pk_mute_act act[PK_MUTE_ACTS];     /* the latest */
	size_t acts;
	uint64_t acts_ever;
	/* of who keeps it */
	uint64_t acts_kept; /* number of the last act that was put into the store */
	uint64_t hits_kept;
	int64_t kept_ms; /* 0: to be kept at once */
	uint64_t ticket; /* of the store, of its last row; 0: it was read from there */
};

const char *pk_mute_field_name(enum pk_mute_field f); /* "exe": in JSON and of the option */
const char *pk_mute_state_name(enum pk_mute_state s);
int pk_mute_state_parse(const char *s, enum pk_mute_state *ret); /* -EINVAL */

/* Sets a condition. -EINVAL: *ret_why says what is wrong with the text (a constant). */
int pk_mute_want(struct pk_mute *m, enum pk_mute_field f, const char *text, const char **ret_why);
/* -EINVAL: empty, too long; -ENOSPC: too many. */
int pk_mute_add_rule(struct pk_mute *m, const char *rule);
/* Has it no condition at all: does it keep whole rules quiet? */
bool pk_mute_is_wide(const struct pk_mute *m);

/*
 * May it be at all, however it came? -EINVAL: *ret_why. Who works against the sensor must not be
 * able to hide behind a name: a rule that guards it can be narrowed by the whole path of a program
 * only.
 */
int pk_mute_check(const struct pk_mute *m, bool wide, const char **ret_why);

/* Is it in force and about this finding? s: what filters ask about the finding. */
bool pk_mute_fits(const struct pk_mute *m, const struct pk_finding *f,
		  const struct pk_filter_subject *s);

/* Writes down who did what and why; beyond PK_MUTE_ACTS the oldest goes (it is in the store). */
void pk_mute_note(struct pk_mute *m, const char *who, const char *what, const char *why,
		  int64_t now_ms);
