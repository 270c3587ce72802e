/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists on disk: STATE/lists/NAME.list and, from the save before, NAME.list.prev. Whenever power
 * fails, one of the two is there and whole. What was changed since is in STATE/lists/changes.0 and
 * changes.1, which the pipeline writes itself: it survives us, though not always the host. A
 * short-lived child writes, so that a slow disk holds up nothing else.
 */
#pragma once

#include "probe/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PK_KEEP_JOBS 64 /* that may wait */

struct pk_keep_job {
	char name[PK_LIST_NAME_MAX + 1];
	uint64_t serial;
	int fd; /* -1: remove */
};

struct pk_keep {
	/* Set by the caller. result: 0 or -errno. */
	void (*done)(void *arg, const char *name, uint64_t serial, int result);
	void *arg;
	/* The file's own. */
	int dir;                              /* -1: there is none */
	int why;                              /* then: -errno */
	pid_t pid;                            /* of the child at work on the first job, or 0 */
	struct pk_keep_job job[PK_KEEP_JOBS]; /* in order; one at a time */
	size_t jobs;
};

/* -errno: nothing can be kept, which each save is answered with. */
int pk_keep_open(struct pk_keep *k, const char *state_dir);

/* Waits some seconds for what was begun. */
void pk_keep_close(struct pk_keep *k);

/* Answered by done, maybe at once. fd (-1: remove the list) is taken. */
void pk_keep_save(struct pk_keep *k, const char *name, uint64_t serial, int *fd);

/* A child ended; false: not ours. */
bool pk_keep_reaped(struct pk_keep *k, pid_t pid, int status);

/* Calls back for each file that is there: open for reading, or what is wrong with it. */
void pk_keep_each(const struct pk_keep *k,
		  void (*found)(void *arg, const char *name, bool previous, int fd_or_error),
		  void *arg);

/* The two files of changes that no list's file holds yet, made if need be: to read and append. */
int pk_keep_journal(const struct pk_keep *k, int ret_fd[2]);

/* What the child does, here for its test: step, unless NULL, is called between any two changes. */
int pk_keep_write(int dir, const char *name, int fd, void (*step)(void));
int pk_keep_erase(int dir, const char *name, void (*step)(void));
