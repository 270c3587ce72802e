/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cgroup ids to paths and what they say. Needs no privilege: the id of a cgroup is the inode of its
 * directory, so the tree is walked when an unknown one appears, at most once a second.
 */
#pragma once

#include "enrich/cgroup.h"

#include <stddef.h>
#include <stdint.h>

#define PK_CONTAINER_V1 (1ull << 63)

struct pk_container {
	uint64_t key; /* cgroup id; PK_CONTAINER_V1 set: one known by its v1 path */
	uint64_t used_ns;
	uint64_t ask_ns; /* not before: ask /proc again */
	uint32_t tries;  /* that found no path for it */
	uint32_t hash_next;
	char *path; /* in its cgroup tree, "/" first; NULL when unknown */
	struct pk_cgroup cgroup;
};

struct pk_containers {
	char *root;  /* mount point of cgroup v2; NULL: there is none */
	char *proc;  /* "/proc" */
	bool has_v1; /* there are cgroup v1 hierarchies: containers may live there only */
	struct pk_container *slot;
	uint32_t *bucket;
	uint32_t mask, max;
	uint64_t seed;
	uint64_t walk_ns; /* not before: walk the tree again */
	/* counters */
	uint32_t used;
	uint64_t evicted, walks, unknown;
};

/* root "": found in the mount table. */
int pk_containers_init(struct pk_containers *c, const char *root, uint32_t max);
void pk_containers_done(struct pk_containers *c);

/*
 * What is known of a cgroup; pid, if not 0, is a process in it that may still be running. NULL: id
 * 0 or no room. Borrowed until the next call.
 */
const struct pk_container *pk_container_get(struct pk_containers *c, uint64_t id, uint32_t pid,
					    uint64_t now_ns);
/* Key of the container that only the v1 hierarchies know this running process to be in, or 0. */
uint64_t pk_container_find_v1(struct pk_containers *c, uint32_t pid, uint64_t now_ns);
/* Container name for people: the name, or 12 digits of the id; "" for none. */
const char *pk_container_name(const struct pk_container *c, char out[PK_CONTAINER_ID_LEN]);
