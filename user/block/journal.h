/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was changed since the files of the lists were written, a line a change, so that it holds
 * although we are killed before they are. Two files take turns: one is written to while the other
 * waits until all it tells is in the lists' own files, and is emptied. A line:
 *
 *	CHECKSUM SERIAL LIST block|allow off|observe|enforce FORCED,...|- WHAT REST
 *
 * WHAT and REST: + or - and an entry or a name as in a file; p or q and a rule about processes that
 * came or went; m: nothing but what is before it; x: the list was removed.
 */
#pragma once

#include "block/lists.h"

struct pk_saved;
struct pk_who_rule;

void pk_journal_entry(struct pk_block *b, struct pk_block_list *l, bool on,
		      const struct pk_block_entry *e, const char *reason);
void pk_journal_name(struct pk_block *b, struct pk_block_list *l, bool on,
		     const struct pk_block_name *n);
void pk_journal_process(struct pk_block *b, struct pk_block_list *l, bool on,
			const struct pk_who_rule *w);
void pk_journal_mode(struct pk_block *b, struct pk_block_list *l);
void pk_journal_removed(struct pk_block *b, struct pk_block_list *l);
/* Files were written: what they hold is needed no more. */
void pk_journal_settle(struct pk_block *b);

uint32_t pk_journal_sum(const char *p, size_t n);

/* replay.c: lines that were found at the start. Those cut short or damaged are passed over. */
struct pk_replay;
int pk_replay_add(struct pk_block *b, struct pk_replay **r, unsigned file, const void *bytes,
		  size_t len);
void pk_replay_free(struct pk_replay *r);
/* What was saved of a list, or nothing of a list whose file was never written, becomes what it was.
 * Interfaces in s->data are b's already. 1: there were changes; *ret_serial is the last one's. */
int pk_replay_apply(struct pk_block *b, const struct pk_replay *r, struct pk_saved *s,
		    uint64_t *ret_serial);
/* It was removed after this change. */
bool pk_replay_is_removed(const struct pk_replay *r, const char *list, uint64_t serial);
/* The i-th list there are lines about, NULL: no more; whether it is there after the last one. */
const char *pk_replay_list(const struct pk_replay *r, size_t i, bool *ret_there);
