/* SPDX-License-Identifier: Apache-2.0 */
/* What can be read of the block lists. Texts are borrowed until the lists change. */
#pragma once

#include "block/block.h"
#include "block/change.h"

struct pk_buf;

struct pk_block_info {
	const char *name;
	unsigned index; /* of pk_blk_lists */
	/* Another one with each change of content, mode, or what waits to be confirmed; no other
	 * list of this run ever has it. What it hit does not count. */
	uint64_t edition;
	bool allow;
	enum pk_blk_mode mode;
	uint64_t entries; /* with names */
	uint64_t names;
	uint64_t processes; /* rules about processes are not among the entries */
	int64_t created_ms, changed_ms;
	const char *source, *who; /* "" none */
	bool saved;               /* the file is what is enforced */
	const char *fault;        /* what went wrong with its file, NULL nothing */
	bool loading;
	int64_t confirm_by_ms;   /* 0: nothing waits for it */
	uint64_t entries_before; /* that come back unless confirmed */
	struct pk_blk_count count;
};
/* Lists in the order of their names; false: there is no nth, no such list. */
bool pk_block_list_at(struct pk_block *b, size_t n, struct pk_block_info *ret);
bool pk_block_list_get(struct pk_block *b, const char *list, struct pk_block_info *ret);
/* Name for the index in a record of the kernel; NULL: none. */
const char *pk_block_list_name(struct pk_block *b, unsigned index);

struct pk_block_row {
	const struct pk_block_entry *e;
	const char *iface, *reason;
	uint64_t packets, bytes;
	int64_t last_hit_ms; /* wall clock; 0 never */
	uint8_t last_peer[16];
	/* rules about processes: else NULL */
	const struct pk_block_proc *proc;
	bool proc_found; /* the file, container or cgroup is there */
	/* names: else NULL; e has id and expiry only */
	const char *name;
	uint8_t how; /* PK_BLOCK_SNI_ONLY, PK_BLOCK_REFUSE */
	struct pk_name_hits hits;
	uint64_t queries; /* refused, or seen */
};
/*
 * Entries in order, after the one with this id (0: from the first), at most n; each returns false
 * to end it. Names come behind, rules about processes last. -ENOENT: no such list; 1: there are
 * more.
 */
int pk_block_rows(struct pk_block *b, const char *list, uint32_t after, size_t n,
		  bool (*each)(void *arg, const struct pk_block_row *row), void *arg);
/* The entry of a rule that a record names, if it is still there. */
bool pk_block_row_of_line(struct pk_block *b, uint32_t line, const uint8_t prefix[16],
			  unsigned bits, struct pk_block_row *ret);

/* The export format piece by piece, each of about max_bytes; *at 0 begins. 0: that was all; 1: call
 * again with what is in *at; changes in between may be in it or not. */
struct pk_block_export {
	bool begun;
	struct pk_block_entry last;
	size_t name; /* place of the next */
	bool named;  /* names have begun */
};
int pk_block_export(struct pk_block *b, const char *list, struct pk_block_export *at,
		    size_t max_bytes, struct pk_buf *out);

/* Would it be blocked? The kernel's answer, and everything that speaks about the address. */
enum pk_block_verdict {
	PK_BLOCK_PASS,    /* nothing speaks about it */
	PK_BLOCK_ALLOWED, /* an allow list does */
	PK_BLOCK_DROP,
	PK_BLOCK_OBSERVE, /* only seen */
	PK_BLOCK_SAFE,    /* a list would, but it is safe */
};
struct pk_block_query {
	uint8_t addr[16];
	uint8_t dir;      /* PK_BLK_IN, PK_BLK_OUT; both: either */
	uint8_t proto;    /* 0: not told: entries with a condition count as if it were met */
	uint16_t port;    /* the same */
	uint32_t ifindex; /* the same */
};
struct pk_block_match {
	const char *list;
	bool allow;
	enum pk_blk_mode mode;
	bool decides;
	struct pk_block_row row;
};
struct pk_block_answer {
	enum pk_block_verdict verdict;
	uint32_t safe;               /* enum pk_blk_safe_kind of the address */
	struct pk_block_match v[64]; /* most specific first */
	size_t n;
	size_t more; /* that are not in v */
};
void pk_block_check(struct pk_block *b, const struct pk_block_query *q,
		    struct pk_block_answer *ret);
/* The same about a name (normalised): rows are names. */
void pk_block_check_name(struct pk_block *b, const char *name, struct pk_block_answer *ret);

/* What is to be done about a name in lower case that a packet carries. */
struct pk_block_ruling {
	const char *list, *name, *reason; /* of the entry that decides */
	unsigned index;                   /* of the list */
	uint32_t id;
	uint8_t how; /* PK_BLOCK_SNI_ONLY, PK_BLOCK_REFUSE */
};
enum pk_block_verdict pk_block_name(struct pk_block *b, const char *name,
				    struct pk_block_ruling *ret);
bool pk_block_has_names(const struct pk_block *b);
/* A connection was cut because of it: counted. */
void pk_block_name_cut(struct pk_block *b, const struct pk_block_ruling *of);

/* The listed name of a query's record; NULL: it is no more. How many are in the kernel. */
const char *pk_block_refused_name(struct pk_block *b, const struct pk_dns_key *key);
size_t pk_block_refused_names(const struct pk_block *b);

/* "default gateway, resolver"; borrowed until the next call. */
const char *pk_block_safe_text(uint32_t kinds);
/* The nth of the safe set; false: there is none. */
bool pk_block_safe_at(struct pk_block *b, size_t n, struct pk_blk_safe_key *ret_key,
		      uint32_t *ret_kinds);

/* For status and the live view. */
struct pk_block_totals {
	bool ready;     /* all that was saved is in force */
	bool enforcing; /* there is something to enforce */
	uint64_t lists, entries, names, processes, expiring;
	uint64_t name_bytes;                 /* memory of names and texts, all lists */
	uint64_t auto_entries, auto_refused; /* refused: by rate, number, evidence */
	uint64_t faults;                     /* lists whose file is damaged or cannot be written */
	uint64_t adopted, repaired; /* rules found at the start; of these not as they should be */
	struct pk_blk_count count;
	struct pk_trie_use use;
};
void pk_block_totals(struct pk_block *b, struct pk_block_totals *ret);
