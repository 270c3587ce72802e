/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reported flow as detectors look at it: who opened it, was it answered, was anything said. And
 * the parts that all findings about flows share.
 */
#pragma once

#include "detect/detect.h"

enum pk_probe {
	PK_PROBE_NONE, /* no probe: something was said, or it could be part of a conversation */
	PK_PROBE_SYN,
	PK_PROBE_FIN, /* RFC 9293 3.10.7.1: what closed ports answer, and open ones do not */
	PK_PROBE_NULL,
	PK_PROBE_XMAS,
	PK_PROBE_UDP,
	PK_PROBE_PING, /* ICMP echo, timestamp or mask request */
};

struct pk_talk {
	const struct pk_flow_entry *e;
	unsigned from, to;        /* ends: who opened it, and the other */
	const uint8_t *src, *dst; /* addresses of those; borrowed from e */
	uint16_t sport, dport;    /* host order */
	bool src_own, dst_own;    /* of this host, as far as is known */
	bool answered;            /* both sides sent */
	bool firm;                /* whoever opened it gets the answers: src is not forged */
	bool said;                /* the other side gave more than a handshake */
	enum pk_probe probe;
};

void pk_talk_of(const struct pk_world *w, const struct pk_flow_entry *e, struct pk_talk *ret_talk);
const char *pk_probe_name(enum pk_probe p); /* "SYN", ...; "none" */

bool pk_addr_is_inside(const uint8_t addr[16]); /* private, shared, link-local or loopback */
bool pk_addr_is_loopback(const uint8_t addr[16]);
bool pk_addr_is_group(const uint8_t addr[16]); /* multicast, broadcast, unspecified */

struct pk_owner;

/* A program, as far as is known. id is borrowed from the owner. */
struct pk_caller {
	uint64_t hash; /* of its path, or of its name; 0: unknown */
	const struct pk_proc_id *id;
	char name[64];
	bool is_kernel;
};
void pk_caller_of(const struct pk_process *p, const struct pk_owner *own,
		  struct pk_caller *ret_caller); /* p may be NULL */
void pk_talk_caller(const struct pk_world *w, const struct pk_talk *t, unsigned end,
		    struct pk_caller *ret_caller);

/* Flow, processes, whom to act against (never this host, if that is known), and if it may be
 * forged. */
void pk_talk_finding(const struct pk_talk *t, struct pk_finding *f);
