/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How regular something comes, scored as RITA does (Active Countermeasures, versions 4 and 5): a
 * pure function of times and sizes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PK_REGULAR_MAX 48
#define PK_REGULAR_MIN 4

struct pk_regular {
	/* each 0 to 1; 1: as a beacon */
	double time_skew;   /* intervals lie evenly around their median (Bowley) */
	double time_spread; /* and close to it (median absolute deviation) */
	double time_share;  /* of the calls that the median promises, so many came */
	double size_skew, size_spread, size_small;
	double all; /* their mean */
	double median_ms, median_bytes, span_ms;
};

/* n from PK_REGULAR_MIN to PK_REGULAR_MAX times (in any order) and sizes. */
void pk_regular_score(const uint32_t *at_ms, const uint32_t *bytes, size_t n,
		      struct pk_regular *ret_score);
