/* SPDX-License-Identifier: Apache-2.0 */
/* What block lists do at the moment: what they dropped in all, and a second. */
#pragma once

#include <stdint.h>

struct pk_block;
struct pk_json;
struct pk_live_drops;

struct pk_live_drops *pk_live_drops_new(void);
void pk_live_drops_free(struct pk_live_drops *d);

/* Reads the counters of every list; at most once a second, and only while somebody watches. */
void pk_live_drops_tick(struct pk_live_drops *d, struct pk_block *b, uint64_t now_ns);
/* Members "drops" {...} and "lists" [...]; without block lists (NULL) both are empty. */
void pk_live_drops_write(const struct pk_live_drops *d, struct pk_json *j, struct pk_block *b);
