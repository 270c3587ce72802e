/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chunks that block lists lie in: made when the pipeline asks, found again when maps were taken
 * over. They stay for as long as the pool's map does, and are numbered from 0 without a hole.
 */
#pragma once

#include <picket/block.h>

#include <stdbool.h>
#include <stdint.h>

struct pk_pool {
	int map;                        /* pk_blk_pool, borrowed */
	uint32_t max;                   /* chunks */
	uint32_t n;                     /* there are */
	uint32_t id[PK_BLK_CHUNKS_MAX]; /* of their maps; 0: not looked for yet */
	/* Hands a chunk over; fd is borrowed. -errno: it did not get there. */
	int (*tell)(void *arg, uint32_t index, bool fresh, int fd);
	void *arg;
};

/* map, tell and arg are set, the rest is zero. Finds how many there are; bytes: the most that it
 * may become. */
int pk_pool_open(struct pk_pool *p, uint64_t bytes);

/* Hands over all that there are. */
int pk_pool_tell(struct pk_pool *p);

/*
 * Makes that many more and hands them over. -ENOSPC, and none is made: beyond the most there may
 * be. Any other -errno: those handed over until then are there.
 */
int pk_pool_grow(struct pk_pool *p, uint32_t n);
