/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last packets in memory, in the order they came: as many as fit into a fixed number of bytes,
 * the oldest go first. A packet has a position, which only grows and is never used twice; one that
 * has gone is found to be gone. Packets of one flow are linked from the latest to the earliest.
 */
#pragma once

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_packet_ring;

#define PK_PACKET_NONE 0 /* no packet has this position */

struct pk_packet_counts {
	uint64_t bytes, max; /* in use, and room */
	uint64_t packets;    /* kept */
	uint64_t taken;      /* ever */
	uint64_t gone;       /* made room for others */
	uint64_t refused;    /* larger than the ring */
	uint64_t oldest_ns;  /* time of the oldest kept one; 0: none */
};

/* bytes: from 4096 on, rounded down to a multiple of 8. Memory is touched only as it is used. NULL:
 * none. */
struct pk_packet_ring *pk_packet_ring_new(size_t bytes);
void pk_packet_ring_free(struct pk_packet_ring *r);

/*
 * Copies the record, which was checked; before: position of the packet of the same flow that came
 * before it, or PK_PACKET_NONE. Returns its position; PK_PACKET_NONE: it is larger than the ring.
 */
uint64_t pk_packet_ring_add(struct pk_packet_ring *r, const struct pk_sample *s, uint64_t before);

/* Borrowed until the next packet is added. NULL: it has gone. */
const struct pk_sample *pk_packet_ring_at(const struct pk_packet_ring *r, uint64_t position);
/* The packet that was named as the one before; PK_PACKET_NONE: there was none, or it has gone. */
uint64_t pk_packet_ring_before(const struct pk_packet_ring *r, uint64_t position);
/* In the order they came; start with PK_PACKET_NONE. PK_PACKET_NONE: that was the last. */
uint64_t pk_packet_ring_next(const struct pk_packet_ring *r, uint64_t position);

/* Where the next packet will be, or behind that. */
uint64_t pk_packet_ring_top(const struct pk_packet_ring *r);

void pk_packet_ring_counts(const struct pk_packet_ring *r, struct pk_packet_counts *ret_counts);
