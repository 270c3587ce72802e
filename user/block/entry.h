/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of a list as people write it: an address range, or a name, and what limits it. */
#pragma once

#include <picket/block.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_block_entry {
	uint8_t prefix[16];        /* bits after `bits` are zero */
	uint8_t bits;              /* of the 16-byte form: IPv4 /8 is 104 */
	uint8_t v4;                /* 1: IPv4; ::/0 is no IPv4 */
	uint8_t proto;             /* 0 any */
	uint8_t dir;               /* PK_BLK_IN | PK_BLK_OUT; never 0 */
	uint16_t port_lo, port_hi; /* destination port, host order; 0, 0 any */
	uint32_t iface;            /* text: name of the interface; 0 any */
	uint32_t reason;           /* text; 0 none */
	uint32_t id;               /* of the entry within its list, given by the list; 0 none yet */
	int64_t expires_ms;        /* wall clock, ms since 1970; 0 never */
	uint32_t line;             /* kernel rule; 0: not in the kernel */
	uint32_t pad;
};

/* Texts of many entries, each once, ended by NUL; offset 0 is "". */
struct pk_block_texts {
	char *data;
	size_t len, cap;
	uint32_t *index; /* open addressing: offsets */
	size_t n, slots;
};
void pk_block_texts_done(struct pk_block_texts *t);
/* Offset of the text (up to a NUL in it), added if new; -ENOMEM, -EFBIG above 2 GiB. */
int64_t pk_block_text(struct pk_block_texts *t, const char *s, size_t len);
const char *pk_block_text_at(const struct pk_block_texts *t, uint32_t offset);

/* Order: family (IPv4 first), prefix, bits, then conditions (proto, dir, ports, iface). Entries
 * that compare equal are one. */
int pk_block_entry_compare(const struct pk_block_entry *a, const struct pk_block_entry *b);
/* The conditions alone. */
int pk_block_entry_compare_cond(const struct pk_block_entry *a, const struct pk_block_entry *b);
/* Does the entry limit anything besides address (so that it needs a struct pk_blk_cond)? */
bool pk_block_entry_has_cond(const struct pk_block_entry *e);
