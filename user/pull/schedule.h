/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a list is asked for next, and of which mirror. Pure: the time and chance (any 32 bits) are
 * the caller's. Times are boottime ns.
 */
#pragma once

#include <stdint.h>

struct pk_schedule {
	uint64_t interval_ns; /* from one success to the next try, at most */
	unsigned mirrors;     /* at least one */
	unsigned mirror;      /* the next one */
	unsigned tried;       /* without success, in this round over all mirrors */
	unsigned failed;      /* rounds */
	uint64_t due_ns;
};

/* The first try is soon, but not at once: after a power cut a thousand hosts start together. */
void pk_schedule_begin(struct pk_schedule *s, uint64_t interval_ns, unsigned mirrors,
		       uint64_t now_ns, uint32_t chance);
/* It gave the list, or said that it has nothing newer. The next mirror has its turn, so that none
 * can keep this host at an old list. */
void pk_schedule_good(struct pk_schedule *s, uint64_t now_ns, uint32_t chance);
/* It did not: the next mirror, at once; after the last of them, later each time, up to the
 * interval. wait_ns: the mirror asked for so much, which is granted up to the interval; 0: none. */
void pk_schedule_bad(struct pk_schedule *s, uint64_t now_ns, uint64_t wait_ns, uint32_t chance);
/* Something may be otherwise now: soon again, as at the beginning. */
void pk_schedule_soon(struct pk_schedule *s, uint64_t now_ns, uint32_t chance);
