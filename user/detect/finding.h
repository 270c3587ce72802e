/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a detector says: one finding, complete enough that nobody has to ask it again. Made on the
 * stack, copied by whoever keeps it. Texts in arrays are raw and NUL ended (escape them on output);
 * texts behind pointers live as long as the detector or rule they come from.
 */
#pragma once

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* severity_id of OCSF 1.8.0 */
enum pk_severity { PK_INFORMATIONAL = 1, PK_LOW, PK_MEDIUM, PK_HIGH, PK_CRITICAL };

#define PK_ATTACK_VERSION "19.1" /* of the ATT&CK catalogue that technique ids are from */
#define PK_TECHNIQUES_MAX 4
#define PK_FINDING_PROCS  4
#define PK_FINDING_FIELDS 12

/* A value that made the detector decide. */
struct pk_finding_field {
	char name[32];
	char value[224];
};

struct pk_finding {
	/* what; from the detector's descriptor unless it says otherwise */
	const char *rule;                         /* name of the detector, or id of the rule */
	const char *title;                        /* a few words */
	const char *author;                       /* of a rule; NULL */
	const char *technique[PK_TECHNIQUES_MAX]; /* ATT&CK ids, "T1046"; NULL ended */
	const char *doubt;                        /* what else it may be */
	const char *next;                         /* what to do next */
	enum pk_severity severity;
	uint8_t confidence; /* percent */
	bool is_rule;       /* by a rule somebody wrote, not by a detector of the program */

	char plain[256];  /* one sentence for a person without the field's words */
	char detail[768]; /* the paragraph for an engineer */

	/* when, boottime */
	uint64_t ts_ns;    /* of the event that decided */
	uint64_t first_ns; /* of the first one that counts; 0: ts_ns */

	/* who and with whom */
	struct pk_proc_id proc[PK_FINDING_PROCS]; /* first the one it is about */
	size_t procs;
	uint64_t netns;         /* cookie; 0: unknown */
	uint64_t flow;          /* id of the flow that decided; 0: none */
	struct pk_flow_key key; /* of it; has_key */
	bool has_key;
	uint8_t initiator; /* end of key */
	bool has_remote;
	uint8_t remote[16]; /* the other side: who is to be blocked, if anybody */
	char name[256];     /* DNS name, SNI; "": none */
	/* Anybody can make packets that look like this: no reason to act against remote. */
	bool spoofable;

	struct pk_finding_field field[PK_FINDING_FIELDS];
	size_t fields;

	/* Findings of one rule with the same number are one alert, counted. */
	uint64_t fold;

	/* Number of the suppression that keeps it quiet, set by who asks them; 0: none. */
	uint64_t mute;
};

void pk_finding_plain(struct pk_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void pk_finding_detail(struct pk_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Both shorten what is too long; beyond PK_FINDING_FIELDS a field is left out. */
void pk_finding_field(struct pk_finding *f, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds a process once; tgid 0 and those beyond PK_FINDING_PROCS are left out. */
void pk_finding_proc(struct pk_finding *f, const struct pk_proc_id *id);
/* The flow that decided, with far as the end that is the other side. */
void pk_finding_flow(struct pk_finding *f, const struct pk_flow_key *key, uint64_t flow,
		     uint8_t initiator, unsigned far);
void pk_finding_remote(struct pk_finding *f, const uint8_t addr[16]);
/* Mixes bytes into fold: what makes this finding the same as another. */
void pk_finding_fold(struct pk_finding *f, const void *data, size_t len);

const char *pk_severity_name(enum pk_severity s);            /* "Low", as OCSF spells it */
int pk_severity_parse(const char *s, enum pk_severity *ret); /* any case; -EINVAL */
