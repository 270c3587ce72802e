/* SPDX-License-Identifier: Apache-2.0 */
/* Owns questions by key and in the order they were asked. It does not read messages. */
#include "name/question.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "name/intern.h"

#include <string.h>

struct pk_questions {
	struct pk_question *e; /* [0] is not used */
	uint32_t *head, mask, fresh, free, newest, oldest;
	struct pk_questions_count count;
	struct pk_intern *texts;
	struct pk_hash_key hash;
};

_Static_assert(sizeof(struct pk_question_key) == 8 * PK_HASH_WORDS, "hashed whole");

struct pk_questions *pk_questions_new(size_t max, struct pk_intern *texts)
{
	struct pk_questions *q = calloc(1, sizeof(*q));
	uint32_t heads = 64;

	if (!q)
		return NULL;
	q->count.max = max ? max : 1;
	while (heads < q->count.max)
		heads *= 2;
	q->mask = heads - 1;
	q->fresh = 1;
	q->texts = texts;
	q->e = calloc(q->count.max + 1, sizeof(*q->e));
	q->head = calloc(heads, sizeof(*q->head));
	pk_hash_key_init(&q->hash);
	if (q->e && q->head)
		return q;
	pk_questions_free(q);
	return NULL;
}

void pk_questions_free(struct pk_questions *q)
{
	if (!q)
		return;
	free(q->e);
	free(q->head);
	free(q);
}

static uint32_t *head_of(const struct pk_questions *q, const struct pk_question_key *key)
{
	uint64_t w[PK_HASH_WORDS];

	memcpy(w, key, sizeof(w));
	return &q->head[pk_hash_words(&q->hash, w, PK_HASH_WORDS) & q->mask];
}

struct pk_question *pk_questions_find(struct pk_questions *q, const struct pk_question_key *key)
{
	for (uint32_t i = *head_of(q, key); i; i = q->e[i].next)
		if (!memcmp(&q->e[i].key, key, sizeof(*key)))
			return &q->e[i];
	return NULL;
}

void pk_questions_drop(struct pk_questions *q, struct pk_question *x)
{
	uint32_t i = (uint32_t)(x - q->e), *p = head_of(q, &x->key);

	while (*p != i)
		p = &q->e[*p].next;
	*p = x->next;
	if (x->newer)
		q->e[x->newer].older = x->older;
	else
		q->newest = x->older;
	if (x->older)
		q->e[x->older].newer = x->newer;
	else
		q->oldest = x->newer;
	pk_intern_put(q->texts, &x->name);
	x->next = q->free;
	q->free = i;
	q->count.used--;
}

struct pk_question *pk_questions_add(struct pk_questions *q, const struct pk_question_key *key,
				     const char *name, uint64_t now_ns)
{
	uint32_t i, *head;

	if (!q->free && q->fresh > q->count.max) {
		pk_questions_drop(q, &q->e[q->oldest]);
		q->count.evicted++;
	}
	i = q->free;
	if (i)
		q->free = q->e[i].next;
	else
		i = q->fresh++;
	head = head_of(q, key);
	q->e[i] = (struct pk_question){ .key = *key,
					.name = pk_intern_again(name),
					.asked_ns = now_ns,
					.older = q->newest,
					.next = *head };
	*head = i;
	if (q->newest)
		q->e[q->newest].newer = i;
	else
		q->oldest = i;
	q->newest = i;
	q->count.used++;
	return &q->e[i];
}

struct pk_question *pk_questions_over(struct pk_questions *q, uint64_t now_ns)
{
	struct pk_question *x = q->oldest ? &q->e[q->oldest] : NULL;

	return x && now_ns > x->asked_ns && now_ns - x->asked_ns >= PK_QUESTION_WAIT_NS ? x : NULL;
}

void pk_questions_counts(const struct pk_questions *q, struct pk_questions_count *ret)
{
	*ret = q->count;
}
