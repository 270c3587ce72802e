/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence on disk: STATE/evidence/INCIDENT, a bag as BagIt lays it out (RFC 8493), so that
 * `sha256sum -c manifest-sha256.txt` checks it without us. A short-lived child writes: copies of a
 * program may be large and disks slow.
 */
#pragma once

#include "probe/msg.h"

#include <stdbool.h>
#include <sys/types.h>

#define PK_EVIDENCE_JOBS  8
#define PK_EVIDENCE_BYTES (256u << 20) /* of one file, at most */
#define PK_EVIDENCE_BAGS  256          /* in the directory; then no more are begun */

struct pk_evidence_job {
	struct pk_msg_evidence ask;
	int fd;    /* packets as pcapng; -1: none */
	pid_t pid; /* of the child; 0: waits */
};

struct pk_evidence {
	/* Set by the caller. result: 0 or -errno. */
	void (*done)(void *arg, uint64_t serial, int result);
	void *arg;
	const char *state_dir; /* borrowed */
	/* The file's own. */
	struct pk_evidence_job job[PK_EVIDENCE_JOBS];
	size_t jobs;
};

/* Answered by done, maybe at once. fd (-1: none) is taken. */
void pk_evidence_take(struct pk_evidence *e, const struct pk_msg_evidence *ask, int *fd);
/* A child ended; false: not ours. */
bool pk_evidence_reaped(struct pk_evidence *e, pid_t pid, int status);

/* What the child does, here for its test: one bag in dir. */
int pk_evidence_write(int dir, const struct pk_msg_evidence *ask, int packets);
