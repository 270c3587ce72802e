/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flows, processes and their events as OCSF 1.8.0: network_activity (4001) and process_activity
 * (1007). What OCSF has no place for is under unmapped.picket. user/api/README.md shows both.
 */
#pragma once

#include "detect/finding.h"
#include "flow/local.h"

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_conf_list;
struct pk_enrich;
struct pk_event;
struct pk_filter;
struct pk_filter_subject;
struct pk_flow_entry;
struct pk_flow_table;
struct pk_json;
struct pk_links;
struct pk_names;
struct pk_process;
struct pk_sock_table;

#define PK_PROCESS_UID 48 /* "boot-pid-start" with its NUL */

/* What a record is written from; everything is borrowed. NULL where not at hand: left out. */
struct pk_ocsf {
	struct pk_enrich *enrich; /* processes, users, containers */
	struct pk_flow_table *flows;
	struct pk_sock_table *socks;
	struct pk_links *links;
	struct pk_local *local;
	struct pk_names *names;               /* what flows carry */
	const struct pk_conf_list *deadlines; /* of incidents: incident.deadlines */
	uint64_t stale_ns; /* a flow that was not reported for so long has rate 0 */
	char hostname[65], device[33], boot[9], kernel[65];
	char run[9]; /* when this agent began, so that its numbers are not those of another; "" */
};

/* Who used one side of a flow, as far as is known. */
struct pk_side {
	const struct pk_process *user, *creator; /* NULL: not in the tree (any more) */
	const struct pk_owner *owner;            /* NULL: unknown */
};

/* Fills hostname, device (hash of the machine id), boot and kernel of this machine. */
void pk_ocsf_init_host(struct pk_ocsf *o);

/* Looks for owners that the kernel's record did not have: other views, then sockets. */
void pk_ocsf_join(const struct pk_ocsf *o, struct pk_flow_entry *e);
void pk_ocsf_side(const struct pk_ocsf *o, const struct pk_flow_entry *e, unsigned d,
		  struct pk_side *ret_side);
/*
 * The side whose process the flow is put down to: the one in the flow's own namespace, else one
 * known from another view; the initiator's if both are. -1: nobody is known.
 */
int pk_ocsf_actor(const struct pk_flow_entry *e);

/* One 4001 record. sequence 0: left out. */
void pk_ocsf_flow(struct pk_json *j, const struct pk_ocsf *o, struct pk_flow_entry *e,
		  uint64_t now_ns, uint64_t sequence);
/* One 1007 record of an exec, exit or act; p (may be NULL) is the process that did it. */
void pk_ocsf_event(struct pk_json *j, const struct pk_ocsf *o, const struct pk_event *ev,
		   const struct pk_process *p, uint64_t sequence);
/* A socket that began to listen, as 4001 activity 7. */
void pk_ocsf_listen(struct pk_json *j, const struct pk_ocsf *o, const struct pk_event *ev,
		    uint64_t sequence);
/* What the agent knows of the rule that a verdict names; texts may be NULL: it is gone. */
struct pk_ocsf_rule {
	const char *list, *reason;
	uint32_t entry;
	uint64_t packets;
};
/* A verdict of a block list, as 4001 activity 5 (dropped) or 6 (seen). */
void pk_ocsf_verdict(struct pk_json *j, const struct pk_ocsf *o, const struct pk_event *ev,
		     const struct pk_ocsf_rule *rule, uint64_t sequence);
/* Process object with parent and ancestry. */
void pk_ocsf_process(struct pk_json *j, const char *key, const struct pk_ocsf *o,
		     const struct pk_process *p);
/* pid, uid, name and user alone. */
void pk_ocsf_process_brief(struct pk_json *j, const char *key, const struct pk_ocsf *o,
			   const struct pk_process *p);
/* The same from an identity alone, where the process is not in the tree. */
void pk_ocsf_identity(struct pk_json *j, const char *key, const struct pk_ocsf *o,
		      const struct pk_proc_id *id, const char *name, size_t name_len);

/* What every record begins with: class, activity, severity (informational) and time (boottime), as
 * members of the object that is open. sequence 0: left out. */
void pk_ocsf_head(struct pk_json *j, int class_uid, int activity, const char *activity_name,
		  const char *uid, uint64_t sequence, uint64_t ts_ns);
void pk_ocsf_head_rated(struct pk_json *j, int class_uid, int activity, const char *activity_name,
			const char *uid, uint64_t sequence, uint64_t ts_ns,
			enum pk_severity severity);
void pk_ocsf_device(struct pk_json *j, const struct pk_ocsf *o);
const char *pk_process_uid(const struct pk_ocsf *o, const struct pk_proc_id *id,
			   char out[PK_PROCESS_UID]);

/* Fills what a filter with these needs asks about a flow (process); strings are borrowed. */
void pk_ocsf_subject(const struct pk_ocsf *o, struct pk_flow_entry *e, unsigned needs,
		     uint64_t now_ns, struct pk_filter_subject *ret_subject);
/* Adds the processes of one side. */
void pk_ocsf_subject_side(const struct pk_ocsf *o, const struct pk_side *side,
			  struct pk_filter_subject *s);
void pk_ocsf_subject_process(const struct pk_ocsf *o, const struct pk_process *p,
			     struct pk_filter_subject *ret_subject);
