/* SPDX-License-Identifier: Apache-2.0 */
/* All that the API may read, and the few things it may ask for. The pipeline owns every member. */
#pragma once

#include "output/ocsf.h"

#include <stdbool.h>
#include <stdint.h>

struct pk_agg_table;
struct pk_alerts;
struct pk_block;
struct pk_capture;
struct pk_conf;
struct pk_detect;
struct pk_digests;
struct pk_incident;
struct pk_journal;
struct pk_incidents;
struct pk_live;
struct pk_mutes;
struct pk_pipeline_respond;
struct pk_playbook;
struct pk_pulls;
struct pk_respond;
struct pk_signing;
struct pk_state;
struct pk_sinks;
struct pk_store;
struct pk_streams;
struct pk_waiting;

struct pk_view {
	const struct pk_conf *conf;
	struct pk_ocsf ocsf; /* flows, sockets, links, own addresses, processes, names */
	struct pk_state *state;
	struct pk_agg_table *aggs;
	struct pk_journal *journal; /* events */
	struct pk_journal *dns,
		*tls;             /* DNS transactions, hellos; with subjects (output/subject.h) */
	struct pk_alerts *alerts; /* NULL: nothing is detected here */
	struct pk_journal *alert_log; /* every telling of an alert, with subjects */
	const struct pk_detect *detect;
	const struct pk_waiting *waiting; /* findings that do not know yet whose they are */
	struct pk_store *store;           /* NULL: nothing is kept on disk */
	struct pk_sinks *sinks;           /* NULL: there are none */
	struct {
		uint64_t broken;
		bool trouble;
	} store_told;           /* what was said of it last */
	bool logs_go_on;        /* alert_log and incident_log count on from what the store has */
	struct pk_mutes *mutes; /* suppressions; NULL: nothing is detected here */
	bool mutes_ready;       /* those of before were read: more can be made */
	struct pk_incidents *incidents;        /* NULL: none are kept here */
	struct pk_journal *incident_log;       /* every telling of an incident */
	struct pk_pipeline_respond *responder; /* the pipeline's own */
	struct pk_respond *respond;            /* NULL: nothing is done about them here */
	const struct pk_playbook *playbooks;
	size_t playbooks_n;
	/* Records written before it was known whose they are, for too many waited; records of
	 * flows that were never reported, which were not written. */
	uint64_t news_hurried, news_lost;
	struct pk_streams *streams;
	struct pk_live *live;
	struct pk_block *block;     /* NULL: not here, or not yet */
	struct pk_signing *signing; /* NULL: signed lists can't be judged here */
	struct pk_pulls *pulls;     /* NULL: no list is fetched */
	struct pk_digests *digests; /* NULL: nobody wants to know hashes of files */
	bool digests_failed;        /* no thread for them */
	struct pk_capture *capture; /* NULL: packets are not kept */
	uint64_t now_ns; /* boottime of this moment, set by the pipeline before anyone reads */
	/* Somebody began (true) or nobody is left (false) to watch /v1/live. */
	void (*watched)(void *arg, bool on);
	/* Reads the kernel's counters into state, for whoever shows them. NULL: nothing to read. */
	void (*refresh)(void *arg);
	/* A person who asks something sits at this address: it is not to be cut off. NULL: nobody
	 * keeps such addresses. */
	void (*admin)(void *arg, const uint8_t addr[16]);
	/* Takes everything down and ends: -errno when it could not even be asked. NULL: nobody to
	 * ask. */
	int (*detach)(void *arg);
	/*
	 * Marks the flow of this id in this slot of the kernel's table to be recorded
	 * (PK_DIR_RECORD) or cut (PK_DIR_CUT), or no more. flow 0: all flows, and those to come,
	 * RECORD only. The answer tells only whether it was asked for: a flow that is over, or
	 * whose remote end is never cut off, is left as it is. -EAGAIN: ask again later. NULL:
	 * nobody to ask.
	 */
	int (*mark)(void *arg, uint64_t flow, uint32_t slot, uint32_t set, uint32_t clear);
	/*
	 * Stops a process or lets it go on; keeps evidence of one (tgid 0: of none) under this
	 * name, with the bytes of fd (borrowed; -1 none). What became of it comes to asked() with
	 * the serial. -errno: it could not be asked. NULL: nobody to ask.
	 */
	int (*signal)(void *arg, uint64_t serial, const struct pk_proc_id *id, bool stop);
	int (*evidence)(void *arg, uint64_t serial, const char *name, const struct pk_proc_id *id,
			int fd);
	/* Opens the file that a process runs; it comes to digests with the serial. -errno: it could
	 * not be asked. NULL: nobody to ask. */
	int (*exe)(void *arg, uint64_t serial, const struct pk_proc_id *id, uint64_t ino);
	void (*asked)(struct pk_view *v, uint64_t serial, int result); /* the pipeline's */
	/*
	 * Tells an incident at once and gives it to the store, with what was done about it: it is
	 * on the disk when the ticket is done. -ENODATA: there is no store; -ENOBUFS: no room.
	 */
	int (*keep)(struct pk_view *v, struct pk_incident *i, uint64_t *ret_ticket);
	void *arg;
};
