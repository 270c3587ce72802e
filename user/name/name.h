/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of what flows carry: samples of first bytes go in, facts by flow id and names of
 * addresses come out. One thread. Time is the samples'.
 */
#pragma once

#include "name/address.h"
#include "name/fact.h"
#include "name/handshake.h"
#include "name/news.h"
#include "name/question.h"
#include "name/reassembly.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_names;

struct pk_names_opts {
	size_t facts_max;     /* flows that something is known of, at once */
	size_t addresses_max; /* (client, address) pairs with names */
	size_t text_bytes;    /* memory for all texts, taken as it is used */
	const char *geo_file; /* "": none */
	/* Is this address the host's (or container's) own in that namespace? NULL: none is. */
	bool (*is_own)(void *arg, uint64_t netns, const uint8_t addr[16]);
	void (*news)(void *arg, const struct pk_news *news); /* NULL: nobody wants to know */
	void *arg;
};

struct pk_name_best {
	const char *name; /* borrowed until the next feed, forget or tick */
	enum pk_name_source source;
	enum pk_name_conflict conflict;
};

int pk_names_new(const struct pk_names_opts *opts, struct pk_names **ret_names);
void pk_names_free(struct pk_names *n);

/* A checked record with payload. 0, or -errno of what could not be decoded (counted by app and
 * reason): nothing that a caller must act on. */
int pk_names_feed(struct pk_names *n, const struct pk_sample *s);
/* A flow was reported: its ends get their DNS names and places, once. ended: it sends no more. */
void pk_names_flow(struct pk_names *n, const struct pk_flow *flow, bool ended);
/* The flow table forgot it. */
void pk_names_forget(struct pk_names *n, uint64_t flow);
/* Every second: questions nobody answered, streams that stopped, names that ran out. */
void pk_names_tick(struct pk_names *n, uint64_t now_ns);

/* All that is known of a flow; NULL: nothing. Borrowed until the next feed, forget or tick. */
const struct pk_fact *pk_names_fact(const struct pk_names *n, uint64_t flow);
/*
 * The name people would call the far end of this flow by: the SNI, else HTTP's Host, else the name
 * that its address was resolved from. With Encrypted ClientHello the resolved name goes before the
 * SNI. false: it has none (*ret_best has name NULL then).
 */
bool pk_names_best(const struct pk_names *n, uint64_t flow, struct pk_name_best *ret_best);
bool pk_fact_best(const struct pk_fact *fact, struct pk_name_best *ret_best); /* NULL: false */

/* The newest name that client resolved address from, as of now; NULL: none. */
const char *pk_names_address(struct pk_names *n, uint64_t netns, const uint8_t client[16],
			     const uint8_t addr[16], uint64_t now_ns);

/* Losses and use, for whoever shows them. */
#define PK_NAMES_WHY 5
struct pk_names_count {
	uint64_t samples[PK_APP_MAX];              /* by application */
	uint64_t named[PK_APP_MAX];                /* of them, where something was read */
	uint64_t failed[PK_APP_MAX][PK_NAMES_WHY]; /* by reason: pk_names_why() */
	uint64_t unsolicited;  /* DNS answers to no question that was seen: not believed */
	uint64_t contradicted; /* second answers that differ from the first: not believed */
	uint64_t unanswered;   /* questions that nobody answered in time */
	struct pk_facts_count facts;
	struct pk_intern_count texts;
	struct pk_addresses_count addresses;
	struct pk_questions_count questions;
	struct pk_reassembly_count streams;
	struct pk_handshakes_count handshakes;
	uint64_t unfinished;    /* flows that ended with a message half read */
	const char *geo_error;  /* why there are no places, NULL: there are */
	const char *geo_vendor; /* and since when */
	uint64_t geo_created;   /* epoch, s */
};
const char *pk_names_why(unsigned why); /* "short", "malformed", ... */
void pk_names_counts(const struct pk_names *n, struct pk_names_count *ret_counts);
