/* SPDX-License-Identifier: Apache-2.0 */
/* Turns of mirrors, waits that double, and chance in all of them. */
#include "pull/schedule.h"

#define SEC       1000000000ull
#define SOON_NS   (30 * SEC) /* spread of the first tries, at most a quarter of the interval */
#define NEXT_NS   SEC        /* until the next mirror of a round, at most */
#define FIRST_NS  (2 * SEC)  /* wait after the first round that failed, at most */
#define TIMES_MAX 30         /* it was doubled: longer than any interval */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* From (1 - part) of the time up to the whole of it; part in quarters. */
static uint64_t spread(uint64_t ns, unsigned quarters, uint32_t chance)
{
	uint64_t span = ns / 4 * quarters;

	return ns - span + (uint64_t)((double)span * ((double)chance / UINT32_MAX));
}

void pk_schedule_soon(struct pk_schedule *s, uint64_t now_ns, uint32_t chance)
{
	s->tried = 0;
	s->failed = 0;
	s->due_ns = now_ns + spread(least(SOON_NS, s->interval_ns / 4), 4, chance);
}

void pk_schedule_begin(struct pk_schedule *s, uint64_t interval_ns, unsigned mirrors,
		       uint64_t now_ns, uint32_t chance)
{
	*s = (struct pk_schedule){ .interval_ns = interval_ns, .mirrors = mirrors };
	pk_schedule_soon(s, now_ns, chance);
}

static void turn(struct pk_schedule *s)
{
	s->mirror = (s->mirror + 1) % s->mirrors;
}

void pk_schedule_good(struct pk_schedule *s, uint64_t now_ns, uint32_t chance)
{
	turn(s);
	s->tried = 0;
	s->failed = 0;
	s->due_ns = now_ns + spread(s->interval_ns, 1, chance);
}

void pk_schedule_bad(struct pk_schedule *s, uint64_t now_ns, uint64_t wait_ns, uint32_t chance)
{
	uint64_t wait;

	turn(s);
	if (++s->tried < s->mirrors) {
		s->due_ns = now_ns + spread(least(NEXT_NS, s->interval_ns / 4), 4, chance);
		return;
	}
	s->tried = 0;
	wait = least(FIRST_NS << s->failed, s->interval_ns);
	if (s->failed < TIMES_MAX)
		s->failed++;
	s->due_ns = now_ns + spread(wait, 2, chance);
	wait_ns = least(wait_ns, s->interval_ns);
	if (s->due_ns < now_ns + wait_ns)
		s->due_ns = now_ns + wait_ns;
}
