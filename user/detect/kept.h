/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What detectors learned, as bytes that outlive the agent. A detector says with a row which of its
 * tables are kept, what in a value is a time, and what may be believed of one that comes from a
 * file. The time in which nobody watched counts as none: stamps move by it, so that a host that was
 * off for a week neither forgets nor has learned enough; no wall clock is asked. They are negative
 * where something was before this boot. Who writes bytes to a disk is not known here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_KEPT_STAMPS 2
#define PK_KEPT_ROWS   65536u      /* of one table; of more, those touched last */
#define PK_KEPT_MAX    (64u << 20) /* bytes of all */

struct pk_buf;
struct pk_detect;
struct pk_memo;

/* How long what keys name stays the same thing. */
enum pk_kept_while {
	PK_KEPT_ALWAYS, /* programs by their path */
	PK_KEPT_NETNS,  /* scope is a net namespace: over a boot only the host's is known again */
	PK_KEPT_BOOT,   /* by interface: numbers of one boot; their times are of it, and stay */
};

struct pk_kept {
	uint32_t version; /* another one is not read: raise it with the meaning of a value */
	enum pk_kept_while lasts;
	size_t value_bytes;
	size_t stamp[PK_KEPT_STAMPS]; /* where in a value an int64_t boottime is */
	unsigned stamps;
	struct pk_memo *(*memo)(void *state, unsigned part); /* NULL: there is no such part */
	int64_t *(*begin)(void *state); /* 0: learning has not begun; NULL: it has no such time */
	/* Can it be? value is aligned, now_ns its own time; NULL: any can. */
	bool (*is_sane)(const void *value, int64_t now_ns);
};

/* When, and where its numbers are from. */
struct pk_kept_at {
	int64_t now_ns;      /* boottime */
	int64_t wall_ms;     /* to be shown, no more */
	uint64_t host_netns; /* cookie of the host's own */
	char boot[16];       /* which boot */
};

struct pk_kept_sum {
	uint64_t tables, rows;
	uint64_t left_out; /* rows beyond PK_KEPT_ROWS, or of things that this boot does not know */
	uint64_t unread;   /* tables of another version, or of detectors that are off or gone */
	int64_t wall_ms;   /* of loading: when it was saved */
};

/* Appends all. 0, or the error of the buffer. */
int pk_kept_save(struct pk_detect *d, const struct pk_kept_at *at, struct pk_buf *out,
		 struct pk_kept_sum *ret_sum);
/*
 * Into detectors that have seen nothing yet. -EBADMSG: it is not what save wrote, or can not be;
 * then nothing was taken.
 */
int pk_kept_load(struct pk_detect *d, const struct pk_kept_at *at, const void *data, size_t len,
		 struct pk_kept_sum *ret_sum);
