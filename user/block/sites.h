/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's table of sites (<picket/block.h>): what the IPv6 trie comes to after 32 bits, so
 * that a packet skips the nodes above. It only repeats what the trie says, and may lack any site.
 * For trie.c and adopt.c.
 */
#pragma once

#include "block/node.h"
#include "block/table.h"

struct pk_sites {
	struct pk_lines *lines;
	const uint64_t *roots;
	struct pk_table now, next; /* next: is being filled */
	uint32_t at;               /* next has the sites below this root */
	uint64_t rules;            /* of IPv6, in the trie */
};

/* The trie has changed in p: so do those of its sites that are in p, or that p is in. */
void pk_sites_update(struct pk_sites *s, const struct pk_prefix *p);

/* Begins a table, or a larger one: as pk_hosts_want(). */
uint32_t pk_sites_want(struct pk_sites *s);
/* Some sites into the table that was begun: as pk_hosts_step(). */
bool pk_sites_step(struct pk_sites *s, uint32_t *word);

/* As packets look: the slot of a site in the table of this word, 0: none. */
uint64_t pk_sites_find(const struct pk_lines *l, uint32_t word, uint32_t site);
