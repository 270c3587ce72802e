/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces by (net namespace, index): name, and how each direction is covered. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_link {
	uint64_t netns; /* cookie */
	uint32_t netns_inum, ifindex;
	uint32_t flags; /* IFF_* */
	uint32_t mtu;
	uint64_t since_ns;                    /* covered since, boottime; 0 not covered */
	const char *ingress, *egress;         /* how, static text */
	bool in_covered, out_covered, wanted; /* wanted: not left out by the config */
	char name[16];
	char kind[16];
	char netns_name[64];
	char reason[128]; /* why not fully covered, else "" */
};

struct pk_links;

struct pk_links *pk_links_new(size_t max); /* more are counted as refused */
void pk_links_free(struct pk_links *l);
int pk_links_set(struct pk_links *l, const struct pk_link *link); /* -ENOSPC: full */
void pk_links_remove(struct pk_links *l, uint64_t netns, uint32_t ifindex);
const struct pk_link *pk_links_find(const struct pk_links *l, uint64_t netns, uint32_t ifindex);
/* Any interface of this namespace, for the namespace's number and name; NULL: none. */
const struct pk_link *pk_links_of(const struct pk_links *l, uint64_t netns);
const struct pk_link *pk_links_at(const struct pk_links *l, size_t i); /* NULL: i is the count */
uint64_t pk_links_refused(const struct pk_links *l);
