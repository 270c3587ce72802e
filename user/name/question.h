/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS questions that were seen, until their answer comes or nobody gave one in time, and a while
 * longer: an answer counts only if somebody asked for it, and the first one only.
 */
#pragma once

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_QUESTION_WAIT_NS 5000000000ull /* for an answer; and, once it came, for others */

struct pk_intern;
struct pk_questions;

/* What an answer must have in common with its question. Multicast: server and its port are 0, for
 * the answer comes from whoever knows; multicast DNS: also client, its port and id. */
struct pk_question_key {
	uint64_t netns;
	uint8_t client[16], server[16];
	__be16 client_port, server_port;
	uint16_t id, qtype;
	uint8_t kind; /* enum pk_dns_kind */
	uint8_t tcp;
	uint8_t pad[6];
	uint64_t name; /* the interned text, as a number */
};

struct pk_question {
	struct pk_question_key key;
	struct pk_flow_key flow_key; /* of the packet that asked first */
	uint64_t flow;
	uint32_t slot;
	uint8_t client; /* end of flow_key that asked */
	uint16_t qclass;
	const char *name;
	uint32_t asked;       /* times, in the flow of the first */
	uint64_t asked_ns;    /* the first */
	uint64_t answered_ns; /* 0: not yet */
	uint64_t answer;      /* hash of it, for its owner */
	uint32_t next, older, newer;
};

struct pk_questions_count {
	uint64_t used, max;
	uint64_t evicted; /* left before their time, to make room */
};

struct pk_questions *pk_questions_new(size_t max, struct pk_intern *texts); /* NULL: no memory */
void pk_questions_free(struct pk_questions *q);

struct pk_question *pk_questions_find(struct pk_questions *q, const struct pk_question_key *key);
/* A new question; name is interned and gets one more owner. Never NULL: the oldest makes room. */
struct pk_question *pk_questions_add(struct pk_questions *q, const struct pk_question_key *key,
				     const char *name, uint64_t now_ns);
/* The oldest whose time is over by now; NULL: none. Then drop it. */
struct pk_question *pk_questions_over(struct pk_questions *q, uint64_t now_ns);
void pk_questions_drop(struct pk_questions *q, struct pk_question *x);
void pk_questions_counts(const struct pk_questions *q, struct pk_questions_count *ret_counts);
