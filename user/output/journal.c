/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns a ring of bytes and a ring of items that point into it. Text never wraps: an item that does
 * not fit behind the last one starts at 0 again. It does not know what the text means.
 */
#include "output/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	size_t at, len;
};

struct pk_journal {
	char *data;
	size_t bytes, head; /* next free byte */
	struct slot *slot;  /* item s is slot[s % items] */
	size_t items;
	uint64_t first, next; /* kept: first <= s < next */
	uint64_t evicted;
};

struct pk_journal *pk_journal_new(size_t bytes, size_t items)
{
	struct pk_journal *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->bytes = bytes;
	j->items = items ? items : 1;
	j->first = j->next = 1;
	j->data = malloc(bytes ? bytes : 1);
	j->slot = calloc(j->items, sizeof(*j->slot));
	if (j->data && j->slot)
		return j;
	pk_journal_free(j);
	return NULL;
}

void pk_journal_free(struct pk_journal *j)
{
	if (!j)
		return;
	free(j->data);
	free(j->slot);
	free(j);
}

uint64_t pk_journal_next(const struct pk_journal *j)
{
	return j->next;
}

void pk_journal_begin_at(struct pk_journal *j, uint64_t sequence)
{
	if (j->first == j->next && sequence > j->next)
		j->first = j->next = sequence;
}

static struct slot *oldest(const struct pk_journal *j)
{
	return &j->slot[j->first % j->items];
}

/* Drops items from the oldest on until none lies in [at, at + len). */
static void make_room(struct pk_journal *j, size_t at, size_t len)
{
	while (j->first < j->next) {
		struct slot *s = oldest(j);

		if (j->next - j->first < j->items && (s->at >= at + len || s->at + s->len <= at))
			break;
		j->first++;
		j->evicted++;
	}
}

void pk_journal_add(struct pk_journal *j, const char *json, size_t len)
{
	if (len > j->bytes) {
		j->evicted += j->next - j->first + 1;
		j->first = ++j->next;
		j->head = 0;
		return;
	}
	if (j->head + len > j->bytes) {
		make_room(j, j->head, j->bytes - j->head);
		j->head = 0;
	}
	make_room(j, j->head, len);
	memcpy(j->data + j->head, json, len);
	j->slot[j->next % j->items] = (struct slot){ .at = j->head, .len = len };
	j->head += len;
	j->next++;
}

int pk_journal_after(const struct pk_journal *j, uint64_t after, struct pk_journal_item *ret_item)
{
	uint64_t s = after + 1 > j->first ? after + 1 : j->first;
	const struct slot *slot;

	if (after == UINT64_MAX || s >= j->next)
		return -ENOENT;
	slot = &j->slot[s % j->items];
	*ret_item = (struct pk_journal_item){ .sequence = s,
					      .len = slot->len,
					      .json = j->data + slot->at };
	return 0;
}

void pk_journal_counts(const struct pk_journal *j, uint64_t *ret_used, uint64_t *ret_max,
		       uint64_t *ret_evicted)
{
	*ret_used = j->next - j->first;
	*ret_max = j->items;
	*ret_evicted = j->evicted;
}
