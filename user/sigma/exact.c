/* SPDX-License-Identifier: Apache-2.0 */
/* A closed hash of literals by their lower case. Built once; nothing is ever removed. */
#include "sigma/exact.h"

#include "sigma/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int pk_sigma_exact_init(struct pk_sigma_exact *e, size_t n)
{
	size_t slots = 4;

	while (slots < 2 * n)
		slots *= 2;
	*e = (struct pk_sigma_exact){ .slot = calloc(slots, sizeof(*e->slot)),
				      .literal = calloc(n, sizeof(*e->literal)),
				      .mask = slots - 1 };
	if (e->slot && e->literal)
		return 0;
	pk_sigma_exact_done(e);
	return -ENOMEM;
}

void pk_sigma_exact_done(struct pk_sigma_exact *e)
{
	free(e->slot);
	free(e->literal);
	*e = (struct pk_sigma_exact){ 0 };
}

/* FNV-1a: values are as short as the longest literal, and who picks them picks no literals. */
static uint32_t hash(const char *s, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ pk_sigma_lower(s[i])) * 16777619u;
	return h ^ h >> 15;
}

void pk_sigma_exact_add(struct pk_sigma_exact *e, const struct pk_sigma_literal *l)
{
	uint32_t i = hash(l->s, l->len) & e->mask;

	while (e->slot[i])
		i = (i + 1) & e->mask;
	e->literal[e->n] = *l;
	e->slot[i] = ++e->n;
	if (l->len > e->len_max)
		e->len_max = l->len;
}

static bool is_same(const struct pk_sigma_literal *l, const char *s, size_t len)
{
	if (l->len != len)
		return false;
	if (l->cased)
		return memcmp(l->s, s, len) == 0;
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)l->s[i] != pk_sigma_lower(s[i]))
			return false;
	return true;
}

void pk_sigma_exact_find(const struct pk_sigma_exact *e, const char *s, size_t len,
			 void (*found)(void *arg, const struct pk_sigma_literal *l), void *arg)
{
	if (len > e->len_max)
		return;
	for (uint32_t i = hash(s, len) & e->mask; e->slot[i]; i = (i + 1) & e->mask)
		if (is_same(&e->literal[e->slot[i] - 1], s, len))
			found(arg, &e->literal[e->slot[i] - 1]);
}
