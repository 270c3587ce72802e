/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about what processes may talk to, as saved.c and show.c see them. */
#pragma once

#include "block/lists.h"

struct pk_who_rule {
	struct pk_block_proc proc; /* name is owned */
	struct pk_block_entry e;
	struct pk_block_list *l;
	char *reason;
	struct pk_blk_who_key key[16];
	uint32_t line[16]; /* one for each key */
	size_t n;
};

struct pk_who_table {
	struct pk_who_rule *v[1024];
	size_t n;
};

/* Of a list, the first from *at on; NULL: no more. */
const struct pk_who_rule *pk_who_next(const struct pk_block *b, const struct pk_block_list *l,
				      size_t *at);
const struct pk_who_rule *pk_who_of_line(const struct pk_block *b, uint32_t line, size_t *ret_key);
