/* SPDX-License-Identifier: Apache-2.0 */
/* One table after the other: chunks from the pool, the one store that puts them in force, and back.
 */
#include "block/table.h"

uint32_t pk_table_begin(struct pk_lines *l, uint32_t n, uint32_t chunks, struct pk_table *ret)
{
	uint32_t first;

	if (!pk_lines_take_chunks(l, chunks, &first))
		return chunks;
	*ret = (struct pk_table){ .first = first, .n = n, .chunks = chunks };
	return 0;
}

void pk_table_switch(struct pk_lines *l, struct pk_table *now, struct pk_table *next,
		     uint32_t *word)
{
	struct pk_table before = *now;

	*now = *next;
	*next = (struct pk_table){ 0 };
	__atomic_store_n(word, pk_table_word(now), __ATOMIC_RELEASE);
	for (uint32_t i = 0; i < before.chunks; i++)
		pk_lines_give_chunk(l, before.first + i);
}

void pk_table_drop(uint32_t *word)
{
	__atomic_store_n(word, 0, __ATOMIC_RELEASE);
}
