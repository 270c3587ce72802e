/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One replacement of a list, from entries that were read to enforced and saved, in slices. Seen by
 * the kernel it is one store: until then the list is the old one, whole, and from then on the new
 * one. A crash at any moment leaves rules that the next start can tell apart by their parity.
 */
#pragma once

#include "block/lists.h"

enum pk_load_phase {
	PK_LOAD_NAMES,   /* names: allowed, known before? */
	PK_LOAD_CHECK,   /* is it allowed? */
	PK_LOAD_MATCH,   /* what is kept, what comes, what goes */
	PK_LOAD_MEMORY,  /* chunks for what comes */
	PK_LOAD_ADD,     /* rules that come: not yet seen */
	PK_LOAD_EXTEND,  /* what is kept must not end before the switch */
	PK_LOAD_MARK,    /* rules that go: not seen after the switch */
	PK_LOAD_FLIP,    /* the switch */
	PK_LOAD_PENDING, /* the old version is kept until confirmed */
	PK_LOAD_SETTLE,  /* rules that came: seen for good */
	PK_LOAD_DROP,    /* rules that went are removed */
	PK_LOAD_UNDO,    /* it failed before the switch: rules that came are removed */
	PK_LOAD_SAVING,  /* in force; the file is being written */
};

/* pk_block_entry.pad, in both versions */
#define PK_LOAD_KEPT   1 /* both versions share the rule */
#define PK_LOAD_REMADE 2 /* both have the entry, each with a rule of its own */

struct pk_load {
	struct pk_load *next;
	struct pk_block_list *l; /* NULL once it is removed */
	enum pk_load_phase phase;
	struct pk_version other; /* before the switch the new one, then the old one */
	bool is_new, at_start, remove, back, moved_expiry, asked, no_file;
	int starved; /* failed attempts to get memory for one rule */
	bool allow;
	enum pk_blk_mode mode, mode_before;
	struct pk_block_ask ask;
	struct pk_guard_walk walk;
	/* NAMES */
	struct pk_block_name *names;
	size_t n_names, i_name, names_kept;
	/* CHECK */
	struct pk_block_entry *v;
	size_t n, i, kept;
	/* further phases */
	struct pk_entries_at at, at_other;
	uint64_t need_v4, need_v6, need_cond;
	uint64_t began_ns, confirm_ns;
	uint8_t force[PK_LIST_FORCE][16]; /* of the version before */
	size_t n_force;
	uint64_t serial; /* SAVING: of the change */
	pk_block_done_fn done;
	void *arg;
	struct pk_block_done out;
};

/* The end of the queue; it runs when those before it have. */
void pk_load_queue(struct pk_block *b, struct pk_load *ld);
/* Tells the outcome, once, and frees. */
void pk_load_answer(struct pk_load *ld);
