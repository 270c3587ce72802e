/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the clocks, and holds the offset that replay fixes. It keeps no timers. */
#include "base/clock.h"

#include <time.h>

#define NS_PER_S  1000000000LL
#define NS_PER_MS 1000000LL

static int64_t fixed_offset_ns;

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) < 0)
		return 0;
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

uint64_t pk_clock_boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

int64_t pk_clock_offset_ns(void)
{
	return fixed_offset_ns ? fixed_offset_ns
			       : clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
}

int64_t pk_clock_wall_ms(uint64_t boot_ns)
{
	return (pk_clock_offset_ns() + (int64_t)boot_ns) / NS_PER_MS;
}

int64_t pk_clock_boot_of(int64_t wall_ms)
{
	const int64_t max_ms = INT64_MAX / NS_PER_MS / 2; /* the year 148,000: no sum overflows */

	if (wall_ms > max_ms)
		wall_ms = max_ms;
	return wall_ms * NS_PER_MS - pk_clock_offset_ns();
}

void pk_clock_fix_offset(int64_t offset_ns)
{
	fixed_offset_ns = offset_ns;
}
