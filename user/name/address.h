/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names a client resolved an address from: (client, address) to names, each until its TTL
 * ran out and a while longer, for connections that are made late. A client is an address in a
 * namespace; all own addresses of a namespace are one client, for it may ask over one of them and
 * connect from another.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_addresses;
struct pk_intern;

#define PK_ADDRESS_NAMES     8  /* of one address, the newest ones */
#define PK_ADDRESS_TTL_MIN_S 60 /* programs keep answers longer than TTL 0 or 1 says */
#define PK_ADDRESS_TTL_MAX_S 86400
#define PK_ADDRESS_GRACE_S   900 /* after the end of its TTL a name still counts so long */

struct pk_client {
	uint64_t netns;   /* cookie */
	uint8_t addr[16]; /* all 0: any own address of the namespace */
};

struct pk_addresses_count {
	uint64_t used, max, evicted;
	uint64_t names; /* ever learned, renewed ones not counted */
};

struct pk_addresses *pk_addresses_new(size_t max, struct pk_intern *texts); /* NULL: no memory */
void pk_addresses_free(struct pk_addresses *a);

/* client got addr as an answer for name (interned, borrowed) at now_ns, for ttl_s seconds. */
void pk_addresses_learn(struct pk_addresses *a, const struct pk_client *client,
			const uint8_t addr[16], const char *name, uint32_t ttl_s, uint64_t now_ns);
/* The newest name at that time, one within its TTL before one beyond it. NULL: none. Borrowed. */
const char *pk_addresses_name(struct pk_addresses *a, const struct pk_client *client,
			      const uint8_t addr[16], uint64_t at_ns);
/* Was it resolved from this very name (interned)? */
bool pk_addresses_has(struct pk_addresses *a, const struct pk_client *client,
		      const uint8_t addr[16], const char *name, uint64_t at_ns);
/* Forgets addresses whose names all ran out, a few at a call. */
void pk_addresses_tick(struct pk_addresses *a, uint64_t now_ns);
void pk_addresses_counts(const struct pk_addresses *a, struct pk_addresses_count *ret_counts);
