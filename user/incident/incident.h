/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One incident: what alerts add up to, who decided what about it and when. Times are wall clock,
 * for they outlive a boot. Texts are raw: escape them on output.
 */
#pragma once

#include "detect/finding.h"
#include "incident/assess.h"
#include "incident/duty.h"
#include "incident/graph.h"
#include "incident/tactic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_INCIDENT_UID      40  /* "inc-20260131T120000-12" with its NUL */
#define PK_INCIDENT_ALERTS   128 /* kept of one incident, with their texts */
#define PK_INCIDENT_ACTS     256
#define PK_INCIDENT_KEYS     192
#define PK_INCIDENT_REMOTES  16
#define PK_INCIDENT_WHO      96
#define PK_INCIDENT_ALERT_ID 64

enum pk_incident_state {
	PK_INCIDENT_NEW = 1,
	PK_INCIDENT_TRIAGE,
	PK_INCIDENT_DECLARED,
	PK_INCIDENT_CONTAINED,
	PK_INCIDENT_ERADICATED,
	PK_INCIDENT_RECOVERED,
	PK_INCIDENT_CLOSED,
	PK_INCIDENT_DISMISSED,
	PK_INCIDENT_DUPLICATE,
	PK_INCIDENT_DRILL,
	PK_INCIDENT_STATES
};

/* verdict_id of OCSF 1.8.0 */
enum pk_verdict_id {
	PK_VERDICT_UNKNOWN = 0,
	PK_VERDICT_FALSE_POSITIVE = 1,
	PK_VERDICT_TRUE_POSITIVE = 2,
	PK_VERDICT_BENIGN = 5,
	PK_VERDICT_TEST = 6,
	PK_VERDICT_DUPLICATE = 10,
};

/* Each set once, and only forwards in an incident's life. */
enum pk_incident_clock {
	PK_CLOCK_OCCURRED, /* first event that counts */
	PK_CLOCK_DETECTED, /* first alert */
	PK_CLOCK_ACKED,
	PK_CLOCK_AWARE, /* a named person says: it is significant */
	PK_CLOCK_DECLARED,
	PK_CLOCK_CONTAINED, /* proven, not only ordered */
	PK_CLOCK_ERADICATED,
	PK_CLOCK_RECOVERED,
	PK_CLOCK_CLOSED,
	PK_CLOCKS
};

struct pk_incident_alert {
	char uid[PK_INCIDENT_ALERT_ID];
	uint64_t count;
	int64_t first_ms, last_ms;
	enum pk_severity severity;
	char rule[64], title[96];
	char technique[PK_TECHNIQUES_MAX][12];
	char plain[256];
	char next[192]; /* what to do */
	bool spoofable;
};

/* What an act is about; the kinds of a timeline (with detection, which alerts are). */
enum pk_deed_type {
	PK_DEED_OBSERVATION = 1, /* a note, a merge, evidence */
	PK_DEED_STATUS,          /* status_changed */
	PK_DEED_SEVERITY,        /* severity_changed */
	PK_DEED_MITIGATION,      /* a response */
};
enum pk_deed_result { PK_DEED_DONE = 1, PK_DEED_FAILED, PK_DEED_REFUSED, PK_DEED_ADVISED };

#define PK_ACT_UNKEPT UINT64_MAX

struct pk_incident_act {
	uint64_t number; /* from 1, within the incident */
	/* of the store, which has it on the disk once that is done; 0: was read from there;
	 * PK_ACT_UNKEPT: it was not given to it */
	uint64_t ticket;
	int64_t time_ms;
	enum pk_deed_type type;
	enum pk_deed_result result;
	int class_uid, activity_id; /* OCSF 7003 or 7004 and its activity; 0: no response */
	char who[PK_INCIDENT_WHO];  /* "alice (uid 1000, pid 4242)", or "picket" and the rule */
	char what[192], why[256];
	char object[96];  /* address, process or file it was done to; "": none */
	char undo[32];    /* verb that takes it back; "": nothing does, or it was */
	int64_t until_ms; /* it ends by itself; 0: not */
};

#define PK_INCIDENT_WAITS      4 /* steps for people, at once */
#define PK_INCIDENT_WAIT_DEPTH 4

/* A step of a playbook that waits for a person; ids are the playbook's. */
struct pk_incident_wait {
	uint64_t number; /* of the act that asked for it */
	char playbook[64], step[72];
	char text[192]; /* what he is to do */
	char whom[64];
	int64_t since_ms, until_ms; /* then it counts as not done */
	/* 0: it waits; else it is decided, and goes on when no other playbook is at work */
	enum pk_deed_result result;
	/* a person has the playbook run: who and why */
	bool human;
	char who[PK_INCIDENT_WHO], why[256];
	/* parallel steps that it is in a branch of, the outermost first */
	struct {
		char step[72];
		size_t branch;
	} back[PK_INCIDENT_WAIT_DEPTH];
	size_t depth;
};

/* Somebody the incident is about, and how sure it is that it is he. */
struct pk_incident_remote {
	uint8_t addr[16];
	bool spoofable; /* all that points to him may be forged */
};

struct pk_incident {
	char uid[PK_INCIDENT_UID];
	uint64_t number;
	enum pk_incident_state state;
	enum pk_severity severity;
	enum pk_verdict_id verdict;
	uint64_t merged_into; /* number; 0: not */
	char owner[64], team[64];
	int64_t at_ms[PK_CLOCKS]; /* 0: not yet */
	int64_t updated_ms;
	struct pk_incident_alert *alert;
	struct pk_incident_act *act;
	size_t alerts, acts;
	struct pk_incident_wait *wait; /* PK_INCIDENT_WAITS; NULL: none ever did */
	size_t waits;
	char (*assessed)[PK_ASSESS_TEXT]; /* PK_ASSESS_KINDS; NULL: nobody said anything */
	struct pk_report report[PK_CONF_DEADLINES]; /* who was told */
	size_t reports;
	uint64_t alerts_lost, acts_lost, acts_ever; /* lost: no room */
	struct pk_incident_remote remote[PK_INCIDENT_REMOTES];
	size_t remotes;
	uint64_t remotes_lost;     /* times there was no room for one; it is in the graph */
	unsigned remotes_revision; /* counts those that came, and that turned out to be sure */
	struct pk_proc_id suspect; /* process of the gravest alert; tgid 0 none */
	enum pk_severity suspect_severity;
	struct pk_graph *graph;
	uint32_t tactics; /* set of 1 << enum pk_tactic */
	/* of the table */
	uint64_t key[PK_INCIDENT_KEYS];
	size_t keys;
	int64_t seen_ns;   /* boottime of the newest alert; negative: before this boot */
	uint64_t revision; /* counts changes: told again when it moved */
	uint64_t told, told_ns;
	uint32_t slot;
	uint64_t sequence;  /* of the record that it was read from; 0: none */
	uint64_t acts_kept; /* number of the last act that was put into the store */
	bool is_ready;      /* playbooks have been asked about the newest alert */
};

const char *pk_incident_state_name(enum pk_incident_state s);
int pk_incident_state_parse(const char *s, enum pk_incident_state *ret); /* -EINVAL */
int pk_incident_status_id(enum pk_incident_state s);                     /* of OCSF */
const char *pk_verdict_name(enum pk_verdict_id v);
int pk_verdict_parse(const char *s, enum pk_verdict_id *ret); /* -EINVAL */
const char *pk_incident_clock_name(enum pk_incident_clock c); /* "occurred" */
const char *pk_deed_type_name(enum pk_deed_type t);
const char *pk_deed_result_name(enum pk_deed_result r);

/* Is it over, so that new alerts begin another one? */
bool pk_incident_is_over(const struct pk_incident *i);
/* Something that was done for it is still to end or to be taken back. */
bool pk_incident_is_in_force(const struct pk_incident *i);

/* Who acts, when and why. */
struct pk_incident_by {
	const char *who, *why;
	int64_t now_ms;
};

/* Writes an act down and counts a revision; beyond PK_INCIDENT_ACTS the oldest goes that
 * is not in force. Borrowed until the next one; NULL: no memory, counted. */
struct pk_incident_act *pk_incident_note(struct pk_incident *i, const struct pk_incident_by *by,
					 enum pk_deed_type type, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Another state, with its clock and an act. -EPERM: not from the present one. */
int pk_incident_move(struct pk_incident *i, enum pk_incident_state to,
		     const struct pk_incident_by *by);
/* A person has seen it: state triage and acked, unless it is further. -EALREADY: was so. */
int pk_incident_ack(struct pk_incident *i, const struct pk_incident_by *by);
/* NULL: stays as it is. */
void pk_incident_assign(struct pk_incident *i, const char *owner, const char *team,
			const struct pk_incident_by *by);
/* A named person knows that it is significant: legal clocks begin. -EALREADY: was so. */
int pk_incident_aware(struct pk_incident *i, const struct pk_incident_by *by);
void pk_incident_rule(struct pk_incident *i, enum pk_verdict_id v, const struct pk_incident_by *by);

/* Severity of its alerts, raised where several tactics chain; an act when it changed. */
void pk_incident_rate(struct pk_incident *i, int64_t now_ms);

struct pk_buf;
/* A few words, one sentence, and a paragraph, of what its alerts say. */
void pk_incident_title(const struct pk_incident *i, struct pk_buf *out);
void pk_incident_sentence(const struct pk_incident *i, struct pk_buf *out);
void pk_incident_paragraph(const struct pk_incident *i, struct pk_buf *out);

/* Room for one alert more, not cleared; NULL: there is none. */
struct pk_incident_alert *pk_incident_alert_add(struct pk_incident *i);
/* The same for one that waits, cleared. */
struct pk_incident_wait *pk_incident_wait_add(struct pk_incident *i);
void pk_incident_wait_drop(struct pk_incident *i, size_t k);
void pk_incident_done(struct pk_incident *i); /* frees what it owns */
