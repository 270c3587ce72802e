/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of the files that processes run, off the path of events: asked for when a program starts,
 * opened by somebody who may, read by a thread. Each file is read once as long as it stays as it is
 * and is among the last few thousand; what is not hashed is counted by cause. All calls are of one
 * thread and never wait for a file.
 */
#pragma once

#include <picket/event.h>

#include <stdbool.h>
#include <stdint.h>

#define PK_DIGEST_TEXT 65
#define PK_DIGEST_PATH 256
#define PK_DIGESTS_MAX 1024 /* that wait at once */

/* Of the file that a process ran. */
struct pk_digest {
	struct pk_proc_id id;
	uint64_t ts_ns;            /* boottime of its exec, or of looking again */
	char path[PK_DIGEST_PATH]; /* at its exec, cut */
	char sha256[PK_DIGEST_TEXT];
	uint64_t size; /* bytes */
};

/* Why a file was not hashed. */
enum pk_digest_why {
	PK_DIGEST_OVER,   /* the process had ended */
	PK_DIGEST_RACED,  /* it ran another file by then, or the file changed meanwhile */
	PK_DIGEST_LARGE,  /* larger than size_max */
	PK_DIGEST_REMOTE, /* of a file system that others serve: NFS, SMB, FUSE, ... */
	PK_DIGEST_BUSY,   /* too many wait, or nobody answered */
	PK_DIGEST_FAILED, /* can't be opened or read */
	PK_DIGEST_WHYS
};

struct pk_digest_counts {
	uint64_t hashed, known; /* read; not read again */
	uint64_t skipped[PK_DIGEST_WHYS];
	uint64_t waiting; /* now */
};

struct pk_digests;

/* ask: opens the file (inode ino) that this process runs, which comes to pk_digests_take() with the
 * number; -errno: ask again. -ENOMEM; -errno of the thread. */
int pk_digests_new(uint64_t size_max,
		   int (*ask)(void *arg, uint64_t serial, const struct pk_proc_id *id,
			      uint64_t ino),
		   void *arg, struct pk_digests **ret_digests);
void pk_digests_free(struct pk_digests *d); /* ends the thread; NULL: nothing */

void pk_digests_want(struct pk_digests *d, const struct pk_proc_id *id, uint64_t ino,
		     const char *path, uint64_t ts_ns);
/* What came of it: 0 and the file, which is taken, or -ESRCH (over), -ESTALE (raced), -EREMOTE,
 * -EAGAIN (busy), other. Unknown numbers are left alone. */
void pk_digests_take(struct pk_digests *d, uint64_t serial, int result, int *fd);
/* One that is done; false: none. */
bool pk_digests_next(struct pk_digests *d, struct pk_digest *ret_digest);
/* Asks for those that could not be asked for before, gives up those that nobody answered. */
void pk_digests_tick(struct pk_digests *d, uint64_t now_ns);

void pk_digests_counts(struct pk_digests *d, struct pk_digest_counts *ret_counts);
const char *pk_digest_why_name(enum pk_digest_why why); /* "over", as the status has it */
