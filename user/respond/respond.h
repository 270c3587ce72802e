/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Playbooks at work: which is for which incident, step after step, what was done and what proves
 * it. By itself it only takes steps that the configuration enables, at a bounded rate; a person may
 * have all of them taken. Everything is written down with the incident.
 */
#pragma once

#include "incident/incident.h"
#include "respond/playbook.h"

struct pk_incidents;
struct pk_respond;

/* What a step does in the world. All return at once: 0 done; -EINPROGRESS: asked for, or not known
 * yet, to be called again with the same; else -errno, and why in words. */
struct pk_respond_ops {
	int (*block)(void *arg, const struct pk_incident *i, const uint8_t addr[16],
		     const struct pk_command_step *c, char *why, size_t size);
	int (*unblock)(void *arg, const uint8_t addr[16], char *why, size_t size);
	int (*cut)(void *arg, const uint8_t addr[16], char *why, size_t size);
	int (*suspend)(void *arg, const struct pk_proc_id *id, bool stop, char *why, size_t size);
	int (*snapshot)(void *arg, const struct pk_incident *i, char *why, size_t size);
	int (*isolate)(void *arg, bool on, uint64_t ttl_ns, char *why, size_t size);
	int (*tell)(void *arg, const struct pk_incident *i, char *why, size_t size);
	/* Does it work? 0: yes, why says how that is known; -EAGAIN: not yet. */
	int (*proof)(void *arg, enum pk_verb verb, const uint8_t addr[16],
		     const struct pk_proc_id *id, uint64_t since_ns, char *why, size_t size);
	void *arg;
};

struct pk_respond_conf {
	bool enabled[PK_VERBS]; /* without a person */
	uint64_t ttl_ns;
	uint64_t rate; /* runs an hour that nobody asked for */
};

/* playbooks: borrowed. NULL: no memory. */
struct pk_respond *pk_respond_new(const struct pk_respond_conf *conf,
				  const struct pk_respond_ops *ops, struct pk_incidents *incidents,
				  const struct pk_playbook *playbooks, size_t n);
void pk_respond_free(struct pk_respond *r);

/* The playbook for what its alerts say: that of the gravest; NULL: none. */
const struct pk_playbook *pk_respond_playbook(const struct pk_respond *r,
					      const struct pk_incident *i);
/* Something about the incident is new: begins its playbook, unless that is at work. */
void pk_respond_look(struct pk_respond *r, struct pk_incident *i, uint64_t now_ns);
/* By a person, who may have every step taken. p NULL: the one for it. -ENOENT: there is none;
 * -EBUSY: it is at work. */
int pk_respond_contain(struct pk_respond *r, struct pk_incident *i, const struct pk_playbook *p,
		       const struct pk_incident_by *by, uint64_t now_ns);
/* Takes back what is in force, and what waits for people. Returns how many steps. */
size_t pk_respond_revert(struct pk_respond *r, struct pk_incident *i,
			 const struct pk_incident_by *by);
/*
 * A person did what a step waited for, or decided against it: the way leads on as after success, or
 * failure. number: of the act that asked, 0 the only one. -ENOENT: nothing waits, or not that;
 * -ENOTUNIQ: several do; -ESTALE: written down, but its playbook is another one now, or gone, and
 * nothing follows. What follows waits while another playbook is at work on the incident.
 */
int pk_respond_answer(struct pk_respond *r, struct pk_incident *i, uint64_t number, bool done,
		      const struct pk_incident_by *by, uint64_t now_ns);
/* Goes on with what waits; true: something did. */
bool pk_respond_hurry(struct pk_respond *r, uint64_t now_ns);
/* The same, once a second; besides, what ends by itself, and incidents nobody looked at yet. */
void pk_respond_tick(struct pk_respond *r, uint64_t now_ns);

struct pk_respond_count {
	uint64_t runs, steps, advised, failed, refused_rate;
	size_t active;
	size_t waiting; /* steps, for people */
};
void pk_respond_counts(const struct pk_respond *r, struct pk_respond_count *ret_count);
