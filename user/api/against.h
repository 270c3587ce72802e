/* SPDX-License-Identifier: Apache-2.0 */
/* A list that is not in force, to be asked which addresses, names and flows it would decide about.
 */
#pragma once

#include "block/entry.h"

struct pk_against;
struct pk_list_data;

struct pk_against_query {
	uint8_t addr[16];
	uint8_t dir; /* PK_BLK_IN or PK_BLK_OUT */
	uint8_t proto;
	uint16_t port;     /* destination port of the packet, host order; 0 none */
	const char *iface; /* NULL: not known, and no entry that names one is met */
};

/* v: sorted, no two equal; borrowed with texts as long as it lives. NULL: out of memory. */
struct pk_against *pk_against_new(const struct pk_block_entry *v, size_t n,
				  const struct pk_block_texts *texts);
void pk_against_free(struct pk_against *a);
/* Index in v of the most specific entry whose limits are met; -1: none. */
int64_t pk_against_find(const struct pk_against *a, const struct pk_against_query *q);

/*
 * Index in d's names of the one that covers this name (as a packet had it, HTTP's with a port), the
 * nearest; -1: none.
 */
int64_t pk_against_name(const struct pk_list_data *d, const char *name);
