/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of detectors, and the room that runs them. A detector sees what happens one thing
 * at a time, keeps its own bounded state and says findings; it never logs, blocks, reads files (but
 * rules.c its rules, at start and on reload) or asks the clock. Adding one is a file, a line in
 * registry.c and rows in conf/schema_detect.c.
 */
#pragma once

#include "detect/finding.h"
#include "detect/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_agg_table;
struct pk_conf;
struct pk_detect;
struct pk_digest;
struct pk_enrich;
struct pk_event;
struct pk_fact;
struct pk_flow_entry;
struct pk_flow_table;
struct pk_indicators;
struct pk_kept;
struct pk_local;
struct pk_names;
struct pk_news;
struct pk_process;
struct pk_sample;
struct pk_sock_table;

/* What there is to see; pk_detector.wants is a set of 1 << these. */
enum pk_see_kind {
	PK_SEE_EXEC,    /* ev->exec, proc: already with its new image */
	PK_SEE_EXIT,    /* ev->exit, proc */
	PK_SEE_ACT,     /* ev->act, proc */
	PK_SEE_SOCK,    /* ev->sock, proc (NULL: in softirq) */
	PK_SEE_VERDICT, /* ev->verdict: a block list decided */
	PK_SEE_FLOW,    /* flow was reported: is_new, ended, totals; fact (NULL: nothing known) */
	PK_SEE_NEWS,    /* news: DNS, hello, HTTP request; fact (NULL for flow 0) */
	PK_SEE_SAMPLE,  /* sample: the bytes of a packet; ask for it only for ARP, DHCP, ICMP */
	PK_SEE_NOTICE,  /* notice: what the broker says, as that a hook was taken away */
	PK_SEE_DIGEST,  /* digest: SHA-256 of a file that was run; proc, if it is still known */
	PK_SEE_KINDS
};

/* Everything is borrowed for the call. NULL where it is not of that kind, or not known. */
struct pk_see {
	enum pk_see_kind kind;
	uint64_t now_ns; /* boottime of the record */
	const struct pk_event *ev;
	const struct pk_process *proc; /* that acted */
	const struct pk_flow_entry *flow;
	const struct pk_fact *fact;
	const struct pk_news *news;
	const struct pk_sample *sample;
	const char *notice;
	const struct pk_digest *digest;
};

/* Where to look things up. Borrowed; NULL where there is none (a capture has no processes). */
struct pk_world {
	const struct pk_conf *conf;
	struct pk_enrich *enrich;
	struct pk_flow_table *flows;
	struct pk_sock_table *socks;
	struct pk_local *local;
	struct pk_names *names;
	struct pk_agg_table *aggs; /* floods that the kernel only summed up */
	/* Threat intelligence as it is now: what it points to changes with each reload. */
	struct pk_indicators *const *intel;
};

struct pk_detector {
	const char *name;  /* "port_scan": in alerts, in detect.off, before its keys */
	const char *title; /* "Port scan" */
	const char *technique[PK_TECHNIQUES_MAX];
	enum pk_severity severity;
	uint8_t confidence; /* percent; both are the default of its findings */
	const char *doubt;  /* the false positives to expect, one sentence */
	const char *next;   /* what a person should do, one sentence */
	unsigned wants;     /* set of 1 << enum pk_see_kind */
	/* Memory it never exceeds; 0: it keeps nothing. */
	size_t (*bytes_max)(const struct pk_conf *conf);
	/* State from the configuration; 0 or -errno. NULL: none is needed. */
	int (*init)(const struct pk_world *w, void **ret_state);
	void (*done)(void *state);
	void (*see)(struct pk_detect *d, void *state, const struct pk_see *s);
	void (*tick)(struct pk_detect *d, void *state, uint64_t now_ns); /* every second; NULL */
	void (*memory)(const void *state, struct pk_memory *sum); /* adds; NULL with bytes_max */
	const struct pk_kept *kept; /* what it learned outlives the agent (kept.h); NULL: not */
};

extern const struct pk_detector *const pk_detectors[];
extern const size_t pk_detectors_n;

/*
 * Runs those detectors that detect.off does not name. found is called within see and tick, for each
 * finding; the finding is the callee's until it returns. w is copied, what it points to borrowed.
 */
int pk_detect_new(const struct pk_world *w, void (*found)(void *arg, struct pk_finding *f),
		  void *arg, struct pk_detect **ret_detect);
void pk_detect_free(struct pk_detect *d);

static inline bool pk_detect_wants(unsigned wants, enum pk_see_kind kind)
{
	return wants & (1u << kind);
}
/* Set of what at least one detector wants: what nobody wants need not be shown. */
unsigned pk_detect_wanted(const struct pk_detect *d);
void pk_detect_see(struct pk_detect *d, const struct pk_see *s);
void pk_detect_tick(struct pk_detect *d, uint64_t now_ns);

/* For detectors. The world, and saying a finding: what it left empty is taken from the descriptor.
 */
const struct pk_world *pk_detect_world(const struct pk_detect *d);
void pk_detect_found(struct pk_detect *d, const struct pk_detector *self, struct pk_finding *f);

/* The state of one of pk_detectors; NULL: it has none, or is off. For what shows it. */
const void *pk_detect_state(const struct pk_detect *d, const struct pk_detector *detector);

/* The same, to be changed, of one by index, if it is on. For kept.c. */
void *pk_detect_state_at(struct pk_detect *d, size_t i);

struct pk_detector_use {
	const struct pk_detector *detector;
	bool on;
	uint64_t seen, found;
	size_t bytes, bytes_max;
	uint64_t evicted, refused; /* of what it remembers (memory.h) */
};
/* One of pk_detectors, by index. */
void pk_detect_use(const struct pk_detect *d, size_t i, struct pk_detector_use *ret_use);
