/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses are this host's, per net namespace, and which way a flow goes because of it. */
#pragma once

#include <picket/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pk_direction {
	PK_DIR_UNKNOWN = 0,
	PK_DIR_IN,
	PK_DIR_OUT,
	PK_DIR_FORWARD, /* neither end is here */
	PK_DIR_LOCAL,   /* both ends are here */
};

struct pk_local;

/* max: addresses kept; more are counted as refused. trust_hooks: where nothing is known of a
 * namespace, the hook that counted the first packet tells (not for captures). */
struct pk_local *pk_local_new(size_t max, bool trust_hooks);
void pk_local_free(struct pk_local *l);

/* bits: of its network, in the 16-byte form; the directed broadcast address becomes own too. */
void pk_local_add(struct pk_local *l, uint64_t netns, const uint8_t addr[16], unsigned bits);
void pk_local_remove(struct pk_local *l, uint64_t netns, const uint8_t addr[16], unsigned bits);
bool pk_local_has(const struct pk_local *l, uint64_t netns, const uint8_t addr[16]);

/*
 * As seen from the namespace of the flow. joined: bit d set where own[d] was not found in that
 * namespace but in another view of the conversation; it then says nothing about this one.
 */
enum pk_direction pk_local_direction(const struct pk_local *l, const struct pk_flow *f,
				     unsigned joined);
/* Is end d of the flow on this host, as far as is known? */
bool pk_local_is_end(const struct pk_local *l, const struct pk_flow *f, unsigned joined,
		     unsigned d);
const char *pk_direction_name(enum pk_direction d); /* "in", "out", "forward", "local", "unknown" */
