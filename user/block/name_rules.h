/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listed names, as the files of this room see them: how lists get and lose them, and what follows
 * from it in the kernel. Nobody outside of the room sees it.
 */
#pragma once

#include "block/lists.h"
#include "block/show.h"

struct pk_load;

/* name_change.c */
/* The phase of a load that takes the names; as those of load.c. */
int pk_name_load(struct pk_block *b, struct pk_load *ld, uint64_t until_ns);
/* The list has other names, or another mode: what follows from them is made true. */
void pk_name_changed(struct pk_block *b);
/* The end of a load. */
void pk_name_loaded(struct pk_block *b, struct pk_load *ld);
/* What a load of data would say and do about names. */
void pk_name_guard(const struct pk_block_ask *ask, const struct pk_list_data *data,
		   struct pk_block_done *d);
void pk_name_diff(const struct pk_block_list *l, const struct pk_list_data *data, size_t max,
		  struct pk_json *out, struct pk_block_done *ret);
void pk_name_expire(struct pk_block *b, const struct pk_expiry_item *item);
void pk_name_hint_all(struct pk_block *b, struct pk_block_list *l); /* when they end */

/* name_match.c: the entry that decides about a name in lower case. False: none speaks about it. */
struct pk_name_match {
	struct pk_block_list *l;
	struct pk_block_name *n;
};
bool pk_name_match(struct pk_block *b, const char *name, struct pk_name_match *ret);
const char *pk_name_text(const struct pk_name_match *m);
enum pk_block_verdict pk_name_verdict(const struct pk_name_match *m);
/* Its entry, which is borrowed until the next call for the list, and what it did. */
void pk_name_row(struct pk_block *b, struct pk_block_list *l, struct pk_block_name *n,
		 struct pk_block_row *row);

/* refuse.c: pk_dns_names says what the lists say. */
/* Is there room for one more (have: it is there already)? -ENOSPC. */
int pk_refuse_room(struct pk_block *b, const struct pk_block_name *have);
/* What the kernel counted for it; false: queries for it are not refused. */
bool pk_refuse_read(struct pk_block *b, const char *name, struct pk_dns_name *ret);
void pk_refuse_sync(struct pk_block *b, const char *name);
/* All names of all lists again, in slices. */
void pk_refuse_changed(struct pk_block *b);
bool pk_refuse_step(struct pk_block *b, uint64_t until_ns);
void pk_refuse_free(struct pk_block *b);

/* answers.c: addresses that are blocked because of a name. */
/* Names, modes or lists are others: what is no more listed is taken out, in slices. */
void pk_answers_changed(struct pk_block *b);
bool pk_answers_step(struct pk_block *b, uint64_t until_ns);
void pk_answers_free(struct pk_block *b);
