/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Losses seen from the numbers in the records of one ring, per CPU. The kernel takes a number
 * before it asks for room, so what did not fit is a gap here, whatever its own counters say.
 */
#pragma once

#include <stdint.h>

struct pk_hdr;

struct pk_gap_cpu {
	uint32_t next; /* number that should come */
	uint64_t lost;
};

struct pk_gap {
	struct pk_gap_cpu *cpu;
	uint32_t cpus;
	uint64_t seen;
	uint64_t lost; /* never came */
	uint64_t
		late; /* came after a higher number of their CPU: counted as lost, then taken off */
	uint64_t bad_cpu; /* records with a CPU number that can't be */
};

int pk_gap_init(struct pk_gap *g, uint32_t cpus);
void pk_gap_done(struct pk_gap *g);
/* Returns how many records are missing right before this one. Only for records from a ring. */
uint32_t pk_gap_see(struct pk_gap *g, const struct pk_hdr *hdr);
