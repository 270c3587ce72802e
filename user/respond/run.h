/* SPDX-License-Identifier: Apache-2.0 */
/* Runs from inside: what respond.c (steps and their order), permit.c (what is done
 * without a person) and wait.c (steps for people) share. */
#pragma once

#include "respond/respond.h"

#define RUNS_MAX 16
#define DEEP     4
#define DIDS_MAX 32
#define WAYS_MAX 16

#define PAUSED 1 /* what follows is for later: the incident knows where */

struct did {
	enum pk_verb verb;
	uint8_t addr[16];
	struct pk_proc_id id;
	uint64_t at_ns;
	bool proven;
};

/* Where a run is. Behind a parallel step it is at several places. */
struct way {
	bool used, fresh; /* fresh: not gone yet as far as it goes */
	uint16_t at;
	struct {
		uint16_t step;
		size_t branch; /* the last one, or the one that is taken where there is no room */
	} back[DEEP];          /* parallel steps that it is in a branch of */
	size_t depth;
	uint64_t since_ns; /* the present step began */
	char waiting[160]; /* for what */
};

struct run {
	uint64_t incident; /* number; 0: free */
	const struct pk_playbook *p;
	bool human;
	char who[PK_INCIDENT_WHO], why[256];
	struct way way;             /* the one that is gone now */
	struct way other[WAYS_MAX]; /* all of them, that one as it was */
	size_t steps;
	bool passed[PK_PLAYBOOK_STEPS]; /* taken: what comes to the incident later has them, too */
	bool behind;                    /* it does not yet */
	unsigned remotes;               /* their revision, when the incident was looked at last */
	struct did did[DIDS_MAX];
	size_t dids;
};

struct pk_respond {
	struct pk_respond_conf conf;
	struct pk_respond_ops ops;
	struct pk_incidents *incidents;
	const struct pk_playbook *playbook;
	size_t playbooks;
	struct run run[RUNS_MAX];
	uint64_t credit_ns, credit_at_ns;
	struct pk_respond_count count;
};

struct step {
	struct pk_respond *r;
	struct run *run;
	struct pk_incident *i;
	const struct pk_step *s;
	uint64_t now_ns;
};

/* The run of an incident; 0: a free one. NULL: there is none. */
struct run *pk_respond_run(struct pk_respond *r, uint64_t incident);
/* An act of this kind, as it was noted: in force, or with one of these results (1 << result). */
struct pk_incident_act *pk_respond_act(const struct pk_incident *i, const char *what, bool in_force,
				       unsigned results);
/* An hour's share of what is done without a person is taken; false: it is used up. */
bool pk_respond_take_credit(struct pk_respond *r, uint64_t now_ns);
/* May it be done now? 0; -EALREADY: it was, or has been advised; -EPERM: to be advised, for why. */
int pk_respond_may(const struct step *s, const char *what, char *why, size_t size);
/* Writes down what became of a step. NULL: no memory. */
struct pk_incident_act *pk_respond_note(const struct step *s, enum pk_deed_result result,
					const char *what, const char *object, const char *why);
/* Where a branch ends: behind the parallel step, if it is the last one on its way; else nowhere. */
uint16_t pk_respond_come_back(struct run *run, const struct pk_incident *i);
/* A place where the run goes on, too. False: there is no room. */
bool pk_respond_add_way(struct run *run, const struct way *way);
/* As far as it goes without waiting. */
void pk_respond_go_on(struct pk_respond *r, struct run *run, uint64_t now_ns);

/* A step for a person: 0 or -errno as it was decided before, else PAUSED. */
int pk_respond_ask(const struct step *s);
/* Nobody is asked any more, and nothing goes on. Returns how many were. */
size_t pk_respond_drop_waits(struct pk_incident *i, const struct pk_incident_by *by);
/* What nobody did in time counts as not done, and what was decided goes on. */
void pk_respond_look_at_waits(struct pk_respond *r, struct pk_incident *i, uint64_t now_ns);
