/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of one version of a list: an array in the order of their ids, and an index by hash.
 * 40 bytes a name besides its text, whatever there are. Texts are the version's.
 */
#pragma once

#include "block/domain.h"
#include "block/entry.h"

/* pk_block_name.how */
#define PK_BLOCK_SNI_ONLY 0x1 /* connections that name it are cut; its addresses stay open */
#define PK_BLOCK_REFUSE   0x2 /* queries for it are refused, besides */

struct pk_block_name {
	uint32_t text;   /* normalised; 0: it was removed */
	uint32_t reason; /* 0 none */
	uint32_t id;     /* within its list, as of entries */
	uint32_t hash;
	int64_t expires_ms; /* wall clock; 0 never */
	uint8_t how;        /* PK_BLOCK_SNI_ONLY, PK_BLOCK_REFUSE */
	uint8_t pad[7];
};

struct pk_domains {
	struct pk_block_name *v; /* ids ascend within what was added one by one */
	size_t n, cap;           /* with those that were removed */
	size_t live, expiring, refusing;
	uint32_t *slot; /* open addressing: index + 1; 0 free */
	size_t slots;
	bool refuses; /* any that ever had PK_BLOCK_REFUSE */
};

void pk_domains_done(struct pk_domains *s);
/* Room for so many, at once. */
int pk_domains_reserve(struct pk_domains *s, size_t n);
/* NULL: it is not there. */
struct pk_block_name *pk_domains_find(const struct pk_domains *s, const struct pk_block_texts *t,
				      const char *name, size_t len, uint32_t hash);
/* It is not in yet; hash is set. -ENOMEM. Pointers to names are void afterwards. */
int pk_domains_add(struct pk_domains *s, const struct pk_block_name *n);
/* Changes how and expiry of one that is there, and what is counted by them. */
void pk_domains_set(struct pk_domains *s, struct pk_block_name *n, uint8_t how, int64_t expires_ms);
void pk_domains_remove(struct pk_domains *s, struct pk_block_name *n);
/* Many were removed: they go out of the array for good. True: places have changed. */
bool pk_domains_compact(struct pk_domains *s);
/* The next that is there, from place *at on, which is set behind it; NULL: no more. */
struct pk_block_name *pk_domains_next(const struct pk_domains *s, size_t *at);
/* Bytes they take, texts not counted. */
size_t pk_domains_bytes(const struct pk_domains *s);

/* What a name did, by its id, so that it goes on when the list is replaced. */
struct pk_name_hits {
	uint32_t id;
	uint32_t pad;
	uint64_t answers; /* whose addresses were put on, or were shared */
	uint64_t shared;  /* addresses that were left open: other names have them, too */
	uint64_t safe;    /* addresses that were left open: they must be reached */
	uint64_t hellos;  /* connections cut */
	int64_t last_ms;  /* wall clock */
};
struct pk_name_hit_table {
	struct pk_name_hits *v;
	size_t n, slots;
};
void pk_name_hits_done(struct pk_name_hit_table *t);
/* NULL: it has none, or (with make) there is no memory. */
struct pk_name_hits *pk_name_hits_of(struct pk_name_hit_table *t, uint32_t id, bool make);
