/* SPDX-License-Identifier: Apache-2.0 */
/* The rates of each row in the last minutes, as far as it was on the screen's list. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PK_TOP_SAMPLES  240  /* a second each */
#define PK_TOP_KEPT_MAX 4096 /* rows */
#define PK_TOP_FORGET   60   /* snapshots without the row */

struct pk_top_history;

struct pk_top_history *pk_top_history_new(void);
void pk_top_history_free(struct pk_top_history *h);

/* One sample of a row; snapshots are numbered, those that the row missed count as 0. When all
 * places are taken a row that was not there before has no history. */
void pk_top_history_add(struct pk_top_history *h, const char *id, uint64_t snapshot, double out,
			double in);
/* Forgets rows that were not in the last PK_TOP_FORGET snapshots. */
void pk_top_history_sweep(struct pk_top_history *h, uint64_t snapshot);
/* The row's samples, oldest first. Returns how many; 0: unknown. */
size_t pk_top_history_get(const struct pk_top_history *h, const char *id,
			  double ret_out[PK_TOP_SAMPLES], double ret_in[PK_TOP_SAMPLES]);
