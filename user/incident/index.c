/* SPDX-License-Identifier: Apache-2.0 */
/* A chained table; keys are hashes already. */
#include "incident/index.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

int pk_index_init(struct pk_index *x, uint32_t max)
{
	uint32_t buckets = 16;

	while (buckets < max)
		buckets *= 2;
	*x = (struct pk_index){ .entry = calloc(max, sizeof(*x->entry)),
				.bucket = malloc(buckets * sizeof(*x->bucket)),
				.max = max,
				.mask = buckets - 1,
				.free = PK_INDEX_NONE };
	if (!x->entry || !x->bucket) {
		pk_index_done(x);
		return -ENOMEM;
	}
	memset(x->bucket, 0xff, buckets * sizeof(*x->bucket));
	return 0;
}

void pk_index_done(struct pk_index *x)
{
	free(x->entry);
	free(x->bucket);
	*x = (struct pk_index){ 0 };
}

static uint32_t *find(const struct pk_index *x, uint64_t key)
{
	uint32_t *at = &x->bucket[(key ^ key >> 32) & x->mask];

	while (*at != PK_INDEX_NONE && x->entry[*at].key != key)
		at = &x->entry[*at].next;
	return at;
}

uint32_t pk_index_find(const struct pk_index *x, uint64_t key)
{
	uint32_t at = *find(x, key);

	return at == PK_INDEX_NONE ? PK_INDEX_NONE : x->entry[at].slot;
}

int pk_index_set(struct pk_index *x, uint64_t key, uint32_t slot)
{
	uint32_t *at = find(x, key), i = *at;

	if (i == PK_INDEX_NONE) {
		i = x->free;
		if (i != PK_INDEX_NONE)
			x->free = x->entry[i].next;
		else if (x->used < x->max)
			i = x->used++;
		else
			return -ENOSPC;
		x->entry[i] = (struct pk_index_entry){ .key = key, .next = PK_INDEX_NONE };
		*at = i;
	}
	x->entry[i].slot = slot;
	return 0;
}

void pk_index_remove(struct pk_index *x, uint64_t key)
{
	uint32_t *at = find(x, key), i = *at;

	if (i == PK_INDEX_NONE)
		return;
	*at = x->entry[i].next;
	x->entry[i].next = x->free;
	x->free = i;
}
