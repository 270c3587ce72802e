/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes two alerts parts of one attack: keys that they share. A key is a hash, with a random
 * key of its own, of what kind it is and of what it says.
 */
#pragma once

#include "base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_enrich;
struct pk_finding;
struct pk_local;

#define PK_LINKS_MAX 48 /* of one alert */

struct pk_link_set {
	uint64_t key[PK_LINKS_MAX];
	bool weak[PK_LINKS_MAX]; /* anybody can bring it about: it joins, but never merges */
	size_t n;
};

/* Where to look things up; NULL where there is none. */
struct pk_link_world {
	struct pk_enrich *enrich;
	const struct pk_local *local;
};

/*
 * Ancestry of each process below its hub, the other side's address, the login session, the
 * container, and files that are not the system's own.
 */
void pk_link_finding(const struct pk_hash_key *hash, const struct pk_link_world *w,
		     const struct pk_finding *f, struct pk_link_set *ret);

/* Is a program at this path a file that an attack may have brought along? */
bool pk_link_is_foreign_file(const char *path);

struct pk_graph_node;
/* The same of what a graph has kept, for an incident that was read back. */
void pk_link_node(const struct pk_hash_key *hash, const struct pk_graph_node *n,
		  struct pk_link_set *ret);
