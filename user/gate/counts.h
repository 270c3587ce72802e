/* SPDX-License-Identifier: Apache-2.0 */
/* What the gate counts, whom it refuses by cause, and the line in the log for each of them. */
#pragma once

#include <stdint.h>

enum pk_gate_count {
	PK_GATE_ACCEPTED, /* connections */
	PK_GATE_SHAKEN,   /* handshakes that succeeded */
	PK_GATE_ASKED,    /* requests that went to the core */
	/* refused: handshakes */
	PK_GATE_REFUSED,
	PK_GATE_NO_CERT = PK_GATE_REFUSED,
	PK_GATE_UNKNOWN_CA,
	PK_GATE_EXPIRED,
	PK_GATE_REVOKED,
	PK_GATE_BAD_CERT,   /* for servers only, not valid yet, a bad signature, ... */
	PK_GATE_VERSION,    /* not TLS 1.3 */
	PK_GATE_UNFINISHED, /* ended before its handshake did, or spoke no TLS */
	/* requests */
	PK_GATE_NO_ROLE,
	PK_GATE_LIMITED,   /* too often */
	PK_GATE_TOO_LARGE, /* head or body */
	PK_GATE_MALFORMED, /* no HTTP, or none that is known here */
	PK_GATE_NO_MEMORY,
	/* connections */
	PK_GATE_LATE,    /* did not get on with it in time */
	PK_GATE_EVICTED, /* made room for others */
	PK_GATE_COUNTERS
};

struct pk_gate_counts {
	uint64_t n[PK_GATE_COUNTERS];
	uint64_t open;                  /* connections at this moment */
	int64_t cert_from_s, cert_to_s; /* when its own certificate is valid, epoch; 0: none */
	uint32_t listening, pad;
};

/* "no_certificate", "revoked", ...: of those from PK_GATE_REFUSED on. */
const char *pk_gate_count_name(enum pk_gate_count c);
/* Why somebody whose certificate has this X509_V_ERR_* is refused. */
enum pk_gate_count pk_gate_count_of_verify(int error);

/*
 * Counts who was refused and tells it in the log as an audit line, ten a second at most; how many
 * more there were is told with the next one. what: of which connection, NULL nothing more is known.
 */
struct pk_gate_audit {
	struct pk_gate_counts *counts;
	uint64_t second, lines, hidden;
};
void pk_gate_refused(struct pk_gate_audit *a, enum pk_gate_count why, const char *address,
		     const char *who);
