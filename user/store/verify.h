/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the chain of a database whole, and the one that signed checkpoints speak of? It reads one
 * state of the database and changes nothing, so it may run beside the agent.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum pk_verdict_code {
	PK_VERIFY_OK = 0,
	PK_VERIFY_ALTERED = 2,
	PK_VERIFY_GAP = 3,
	PK_VERIFY_TRUNCATED = 4,
	PK_VERIFY_FORK = 5,
	PK_VERIFY_NO_ANCHOR = 6,
};

struct pk_verify_fault {
	enum pk_verdict_code code;
	uint64_t sequence; /* record of the chain; 0: none in particular */
	char text[320];    /* what and where; may hold bytes of others: escape it */
};

#define PK_VERIFY_FAULTS 32 /* that are described; all are counted */

struct pk_verify {
	enum pk_verdict_code code;
	char chain_uid[33];
	uint64_t first, last, records, objects; /* sequence numbers; how many were looked at */
	uint64_t base;                          /* the chain was pruned through this record */
	uint64_t checkpoints;                   /* signed by the key, of this chain */
	uint64_t checkpoints_other;             /* of other chains or keys */
	uint64_t checkpoints_unreadable;        /* lines that are none */
	uint64_t anchored_n, anchored_ms;       /* the newest checkpoint that holds */
	uint64_t faults_n;
	struct pk_verify_fault fault[PK_VERIFY_FAULTS];
	char error[160]; /* why it could not be done */
};

/*
 * key NULL or "": there is none, so nothing is anchored. -errno, with error filled in, when the
 * database can not be read at all; otherwise 0 and ret_result->code.
 */
int pk_verify_run(const char *db, const char *checkpoints, const char *key,
		  struct pk_verify *ret_result);
const char *pk_verify_code_name(enum pk_verdict_code code);
