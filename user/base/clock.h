/* SPDX-License-Identifier: Apache-2.0 */
/* Boottime for durations and identity, wall clock only for display. Stages never call time(). */
#pragma once

#include <stdint.h>

uint64_t pk_clock_boot_ns(void);
/* Wall clock milliseconds since the epoch for a boottime stamp, by the offset measured now. */
int64_t pk_clock_wall_ms(uint64_t boot_ns);
/* The other way: boottime ns; negative: before this boot. wall_ms: since the epoch, at least 0. */
int64_t pk_clock_boot_of(int64_t wall_ms);
/* Wall clock minus boottime, now: it jumps when somebody sets the clock, and not otherwise. */
int64_t pk_clock_offset_ns(void);
/* Fixes the offset (wall = boot + offset) for replay; 0 goes back to the real clock. */
void pk_clock_fix_offset(int64_t offset_ns);
