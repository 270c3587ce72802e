/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The safe set as the kernel has it: prefixes, why each is safe, and the bits that tell whether
 * looking is worth it. A longer prefix hides a shorter one, so it has the kinds of both.
 */
#pragma once

#include <picket/block.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_SAFE_KINDS 6 /* bits of enum pk_blk_safe_kind */

struct pk_safe_prefix {
	struct pk_blk_safe_key key;
	uint32_t refs[PK_SAFE_KINDS];
	uint32_t kinds; /* in force, with those of shorter prefixes; 0: an exception */
	bool except;    /* may be blocked, unless it is our own or the protocols' */
	bool shown;     /* is in the set as told */
	bool in_kernel; /* and there was room for it */
};

struct pk_safeset {
	int set_fd, map_fd; /* pk_blk_safe, pk_blk_safe_map; borrowed */
	void (*tell)(void *arg, const struct pk_blk_safe_key *key, uint32_t kinds, bool gone);
	void *arg;
	/* The file's own. */
	struct pk_safe_prefix *v;
	size_t n, cap;
	size_t missing; /* not in the kernel */
	struct pk_blk_safe_map map;
};

/* One reason more or less; kind is one bit. -ENOMEM: not taken. */
int pk_safeset_add(struct pk_safeset *s, const struct pk_blk_safe_key *key, uint32_t kind);
void pk_safeset_remove(struct pk_safeset *s, const struct pk_blk_safe_key *key, uint32_t kind);

/* -EPERM: it is our own or loopback. */
int pk_safeset_except(struct pk_safeset *s, const uint8_t addr[16], bool on);

/* Tries again what found no room. */
void pk_safeset_retry(struct pk_safeset *s);

void pk_safeset_tell(const struct pk_safeset *s);
void pk_safeset_done(struct pk_safeset *s);
