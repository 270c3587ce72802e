/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's packet program as a function: frames in, flow reports and samples out, on the clock
 * of a capture. Nothing is attached; nothing of the host's network is touched.
 */
#pragma once

#include <picket/map.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_replay;

/*
 * Takes each flow report and each sample (size may be more than its hdr.size). Samples come in the
 * order of their packets, some packets later, and before the flow's next report. A negative result
 * stops what read it and is returned by it.
 */
typedef int (*pk_replay_report)(void *arg, const void *record, size_t size);

/* slots: of the flow table. -EPERM: may not load programs. */
int pk_replay_new(uint32_t slots, pk_replay_report report, void *arg, struct pk_replay **ret);
void pk_replay_free(struct pk_replay *k);
void pk_replay_freep(struct pk_replay **k);
uint32_t pk_replay_slots(const struct pk_replay *k);

/* As if just loaded: no flow, no fragment, all counters 0. Flows still there are not reported. */
int pk_replay_reset(struct pk_replay *k);

/*
 * One Ethernet frame at now_ns. frame_bytes: what it had when complete; wire_bytes: what is to be
 * counted for it (they differ when its link header was replaced).
 */
int pk_replay_packet(struct pk_replay *k, const void *frame, uint32_t len, uint64_t now_ns,
		     uint32_t frame_bytes, uint32_t wire_bytes);

/* Reports what is new or has ended; with flush all flows end. */
int pk_replay_sweep(struct pk_replay *k, uint64_t now_ns, bool flush);

/* Sums over all CPUs, by enum pk_pkt_count. */
int pk_replay_counts(const struct pk_replay *k, uint64_t ret_counts[PK_PKT_COUNT_MAX]);
