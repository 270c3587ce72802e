/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause OR Apache-2.0 */
/*
 * What the benchmarks of block lists share with their programs. Addresses in network order, IPv4
 * as ::ffff:a.b.c.d.
 */
#ifndef BENCH_BLOCK_H
#define BENCH_BLOCK_H

#include <linux/types.h>

#define BB_ROW     (1u << 17) /* addresses of one measurement, each used once */
#define BB_FIRST   2048       /* packets of a row that are not timed */
#define BB_FLOOD   (1u << 20) /* sources of a flood, used in turn */
#define BB_LENGTHS 129

enum {
	BB_TO_PASS,
	BB_TO_PICKET,
	BB_TO_LOOKUP,
	BB_TO_FLOOR,
	BB_TO_LPM,
	BB_TO_HASH,
	BB_TO_HOSTS,
	BB_TARGETS
};

struct bb_addr {
	__u64 w[2];
};
struct bb_lpm4 {
	__u32 bits;
	__be32 addr;
};
struct bb_lpm6 {
	__u32 bits;
	__u64 addr[2];
} __attribute__((packed, aligned(4)));
struct bb_hash4 {
	__be32 addr;
	__u32 bits;
};
struct bb_hash6 {
	__u64 addr[2];
	__u64 bits;
};

struct bb_state {
	__u64 hits;
	__u32 at;     /* next of the row */
	__u32 target; /* BB_TO_* */
	__u32 v6;
	__u32 n_lengths;
	__u32 n_lines;           /* of BB_TO_FLOOR */
	__u32 read;              /* the last one */
	__u8 length[BB_LENGTHS]; /* prefix lengths in use, longest first */
	__u8 pad[7];
};

struct bb_flood {
	__u64 sent;
	__u32 sum; /* of the words of the frame's IPv4 header, without source and sum */
	__u32 v6;
};

#endif
