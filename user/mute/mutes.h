/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All suppressions: a fixed number of them, those that are over kept to be read until their place
 * is needed. Which one keeps a finding quiet, which ones end. One thread; wall clock comes with
 * each call.
 */
#pragma once

#include "mute/mute.h"

struct pk_mutes;

#define PK_MUTES_MAX 256

struct pk_mutes_count {
	uint64_t active, expired, removed, max;
	uint64_t hits; /* findings that were kept quiet, since the start */
};

struct pk_mutes *pk_mutes_new(void); /* NULL: no memory */
void pk_mutes_free(struct pk_mutes *t);

/*
 * Takes a copy of what was asked for: it gets a number, a uid, a beginning and its first act. Not
 * checked here. -ENOSPC: so many are in force.
 */
int pk_mutes_add(struct pk_mutes *t, const struct pk_mute *wish, const char *who, int64_t now_ms,
		 struct pk_mute **ret);
/* One that was read back, as it was. -ENOSPC, -EEXIST. */
int pk_mutes_restore(struct pk_mutes *t, const struct pk_mute *m);

/* Borrowed until the next add or restore. */
struct pk_mute *pk_mutes_find(const struct pk_mutes *t, uint64_t number); /* NULL */
struct pk_mute *pk_mutes_by_uid(const struct pk_mutes *t, const char *uid);
/* By number, the smallest first; start with NULL. */
struct pk_mute *pk_mutes_next(const struct pk_mutes *t, const struct pk_mute *m);

/* Could one of them be about this rule? Cheap, to be asked before the rest is looked up. */
bool pk_mutes_name(const struct pk_mutes *t, const char *rule);
/* The oldest one that keeps the finding quiet, counted; NULL: none does. */
struct pk_mute *pk_mutes_take(struct pk_mutes *t, const struct pk_finding *f,
			      const struct pk_filter_subject *s, int64_t now_ms);

/* -EALREADY: it is over. */
int pk_mutes_remove(struct pk_mute *m, const char *who, const char *why, int64_t now_ms);
/* A new end; also of one that has expired, which is in force again. -EALREADY: it was removed. */
int pk_mutes_extend(struct pk_mute *m, int64_t expires_ms, const char *who, const char *why,
		    int64_t now_ms);
/* One whose time is over and that was not told so: it is expired now. NULL: there is none. */
struct pk_mute *pk_mutes_expire(struct pk_mutes *t, int64_t now_ms);

void pk_mutes_counts(const struct pk_mutes *t, struct pk_mutes_count *ret_count);
