/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the tries of <picket/block.h>: rules in, rules out, each visible by one store. Owns the
 * allocation of lines and words; the memory is the kernel's maps (or, in tests, the heap). Freed
 * lines are used again only after every packet program that may still read them has ended.
 * Not thread safe.
 */
#pragma once

#include <picket/block.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_trie;

struct pk_trie_memory {
	uint64_t *roots;        /* PK_BLK_ROOT_WORDS, mapped */
	struct pk_blk_ctl *ctl; /* mapped */
	/*
	 * Waits until no packet program that ran before is still running, and has the pending hits
	 * settled. False: some may still mean what was taken out, which rests on.
	 */
	bool (*wait)(void *arg);
	/* The same without waiting, as pk_grace_begin() and pk_grace_is_over(). NULL: by waiting.
	 */
	uint64_t (*begin)(void *arg);
	bool (*is_over)(void *arg, uint64_t moment);
	void *arg;
};

/* After what packets may decide by has changed: what they know of addresses holds no more. */
static inline void pk_trie_changed(struct pk_blk_ctl *ctl)
{
	__atomic_store_n(&ctl->gen, ctl->gen + 1, __ATOMIC_RELEASE);
}

int pk_trie_new(const struct pk_trie_memory *m, struct pk_trie **ret_trie);
void pk_trie_free(struct pk_trie *t); /* changes nothing in the maps */

/* A chunk of PK_BLK_CHUNK_LINES lines: zeroed (fresh), or as found before pk_trie_adopt(). */
int pk_trie_add_chunk(struct pk_trie *t, uint32_t index, union pk_blk_line *lines, bool fresh);
/* Lines that can be taken without another chunk. One rule takes at most PK_TRIE_RULE_LINES. */
#define PK_TRIE_RULE_LINES 160
uint64_t pk_trie_free_lines(const struct pk_trie *t);
/* What n sorted entries will take at the most, in lines: to ask for chunks before a load. */
uint64_t pk_trie_need(uint64_t v4, uint64_t v6, uint64_t with_cond);

struct pk_trie_rule {
	uint8_t prefix[16];
	uint8_t bits; /* of the 16-byte form */
	bool v4;
	uint16_t list;
	uint8_t flags; /* PK_BLK_SEEN0 | PK_BLK_SEEN1 */
	bool has_cond;
	struct pk_blk_cond cond;
};

/* Adds a rule. -ENOSPC: a chunk is needed first, nothing changed. */
int pk_trie_add(struct pk_trie *t, const struct pk_trie_rule *rule, uint32_t *ret_line);
/*
 * Takes a rule out; its counters are lost. Whoever may be killed in the middle of an addition or a
 * removal marks the rule as not seen (flags) meanwhile, and removes it at the next start.
 */
void pk_trie_remove(struct pk_trie *t, uint32_t line);
/* Rules that hang on a pk_blk_who key: same lines, but in no trie. next: of the chain. */
int pk_trie_add_loose(struct pk_trie *t, const struct pk_trie_rule *rule, uint32_t next,
		      uint32_t *ret_line);
void pk_trie_remove_loose(struct pk_trie *t, uint32_t line);
void pk_trie_set_next(struct pk_trie *t, uint32_t line, uint32_t next); /* loose rules only */

struct pk_blk_rule *pk_trie_rule(const struct pk_trie *t, uint32_t line); /* borrowed */
struct pk_blk_cond *pk_trie_cond(const struct pk_trie *t, uint32_t line); /* NULL: has none */
void pk_trie_set_flags(struct pk_trie *t, uint32_t line, uint8_t flags);  /* SEEN0, SEEN1 only */

/*
 * After a start: walks what the maps hold, marks it as taken and calls back for each rule (found:
 * never EMPTY ones). Damage (a pointer out of range, a circle) is cut off where it is found and
 * counted. Loose rules: give their first lines.
 */
struct pk_trie_found {
	uint64_t rules, nodes, damaged;
};
int pk_trie_adopt(struct pk_trie *t, const uint32_t *loose, size_t n_loose,
		  void (*each)(void *arg, uint32_t line, const struct pk_blk_rule *rule), void *arg,
		  struct pk_trie_found *ret);

/*
 * Many IPv4 hosts have a table of their own beside the trie, and so have the sites of many IPv6
 * rules, made and filled between changes. pk_trie_want() begins one where it is worth it: chunks in
 * a row that it lacks for that, 0 none; pk_trie_step(): a part of the work, true: there is more.
 */
uint32_t pk_trie_want(struct pk_trie *t);
bool pk_trie_step(struct pk_trie *t);

/* Once a second: what was freed becomes usable. */
void pk_trie_tick(struct pk_trie *t);

struct pk_trie_use {
	uint64_t chunks, bytes;       /* of the maps: chunks and roots */
	uint64_t rules, words;        /* in use */
	uint64_t hosts, sites;        /* in the tables in force; others are in the trie alone */
	uint64_t free_lines, waiting; /* waiting: freed and perhaps still read */
};
void pk_trie_usage(const struct pk_trie *t, struct pk_trie_use *ret);

/*
 * The kernel's own lookup in plain C, by its table of sites where there is one, for `picket check`
 * and tests: first rule of the chain, 0 none.
 */
uint32_t pk_trie_lookup(const struct pk_trie *t, const uint8_t addr[16]);
