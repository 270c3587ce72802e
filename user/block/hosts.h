/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's table of hosts (<picket/block.h>): IPv4 addresses whose first rule is plain, so that
 * a packet from one of many costs one read. It only repeats what the trie and the briefs say, and
 * may lack anybody. For trie.c and adopt.c.
 */
#pragma once

#include "block/table.h"

struct pk_hosts {
	struct pk_lines *lines;
	struct pk_table now, next; /* next: is being filled */
	uint32_t at;               /* next has what chunks below this one hold */
	uint64_t n;                /* hosts with a plain first rule */
};

/* A brief that tells all of its rule. */
static inline bool pk_brief_is_plain(uint8_t brief)
{
	return brief && (brief & PK_BLK_BRIEF_LOOK) != PK_BLK_BRIEF_LOOK;
}

/* A host's rule, and its line's brief now that it is plain. */
void pk_hosts_put(struct pk_hosts *h, const struct pk_blk_rule *r, uint32_t line, uint8_t brief);
/* The rule is about to change: packets have to look. Its places rest as lines do. */
void pk_hosts_forget(struct pk_hosts *h, const struct pk_blk_rule *r);
/* A rule that adoption found, while there is no table. */
void pk_hosts_count(struct pk_hosts *h, const struct pk_blk_rule *r);
/* A place that no program reads any more. hosts: a struct pk_hosts, as lines.h has it. */
void pk_hosts_free_place(void *hosts, uint32_t place);

/*
 * Begins a table, or a larger one, when there are hosts enough for it and free chunks in a row.
 * Ret: how many chunks in a row it lacks; 0: none.
 */
uint32_t pk_hosts_want(struct pk_hosts *h);
/* One chunk of rules into the table that was begun; *word says where it is when it is whole. True:
 * there is more to do. */
bool pk_hosts_step(struct pk_hosts *h, uint32_t *word);
