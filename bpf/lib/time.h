/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What time it is for a packet. Reading the clock costs as much as all the rest (50 ns on a virtual
 * machine), so an established flow gets the time of the last tick, new flows and handshakes the
 * exact one. When replaying both are the capture's.
 */
#ifndef PICKET_TIME_H
#define PICKET_TIME_H

#include "../maps.h"

/* One for all CPUs. ns is written before jiffies: who reads a torn pair reads the clock again. */
#define pk_tick_ns      (((volatile __u64 *)pk_tick)[0])
#define pk_tick_jiffies (((volatile __u64 *)pk_tick)[1])

static __always_inline struct pk_replay_ctx *pk_replay_now(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pk_replay, &zero);
}

static __always_inline __u64 pk_now(void)
{
	struct pk_replay_ctx *r;

	if (!pk_replaying)
		return bpf_ktime_get_boot_ns();
	r = pk_replay_now();
	return r ? r->now_ns : 0;
}

static __always_inline __u64 pk_now_tick(void)
{
	__u64 j, now;

	if (pk_replaying)
		return pk_now();
	j = bpf_jiffies64();
	if (pk_tick_jiffies == j)
		return pk_tick_ns;
	now = bpf_ktime_get_boot_ns();
	pk_tick_ns = now;
	pk_tick_jiffies = j;
	return now;
}

#endif
