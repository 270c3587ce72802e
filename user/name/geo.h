/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Country and autonomous system of addresses, from a database file on this host (libloc's format).
 * Nothing is asked over the network. Built without libloc there is no place for any address.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pk_geo;

struct pk_geo_place {
	uint32_t asn;    /* 0: unknown */
	char country[3]; /* ISO 3166-1 alpha-2, upper case; "": unknown */
	bool anycast;    /* announced from many places: the country is the holder's */
	char as_name[128];
};

/* -ENOENT and what open(2) says; -EBADMSG: not such a database; -ENOTSUP: built without. */
int pk_geo_open(const char *file, struct pk_geo **ret_geo);
void pk_geo_close(struct pk_geo *g); /* NULL is fine */

/* false: it has no place there. addr in the 16-byte form. */
bool pk_geo_find(struct pk_geo *g, const uint8_t addr[16], struct pk_geo_place *ret_place);
const char *pk_geo_vendor(const struct pk_geo *g); /* who made the database */
uint64_t pk_geo_created(const struct pk_geo *g);   /* seconds since the epoch */
