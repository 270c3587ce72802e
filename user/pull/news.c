/* SPDX-License-Identifier: Apache-2.0 */
/* Names of outcomes, and the check of a message about them. */
#include "pull/news.h"

#include "base/cleanup.h"

#include <string.h>

static const char *const names[] = {
	[PK_PULL_PENDING] = "pending",         [PK_PULL_ACCEPTED] = "accepted",
	[PK_PULL_UNCHANGED] = "unchanged",     [PK_PULL_REFUSED] = "refused",
	[PK_PULL_UNREACHABLE] = "unreachable", [PK_PULL_BAD_ANSWER] = "bad-answer",
	[PK_PULL_TOO_LARGE] = "too-large",
};

_Static_assert(PK_ARRAY_SIZE(names) == PK_PULL_OUTCOMES, "one name each");

const char *pk_pull_outcome_name(enum pk_pull_outcome o)
{
	return o < PK_PULL_OUTCOMES ? names[o] : "unknown";
}

bool pk_pull_is_good(enum pk_pull_outcome o)
{
	return o == PK_PULL_ACCEPTED || o == PK_PULL_UNCHANGED;
}

static bool is_text(const char *s, size_t size)
{
	const char *end = memchr(s, 0, size);

	for (; end && s < end; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return end;
}

bool pk_pull_news_is_valid(const struct pk_pull_news *n)
{
	return n->outcome > PK_PULL_PENDING && n->outcome < PK_PULL_OUTCOMES && n->status <= 999 &&
	       is_text(n->list, sizeof(n->list)) && is_text(n->source, sizeof(n->source)) &&
	       is_text(n->why, sizeof(n->why));
}

void pk_pull_text(char *to, unsigned size, const char *s)
{
	unsigned n = 0;

	for (; *s && n + 1 < size; s++)
		to[n++] = *s < 0x20 || *s > 0x7e ? '?' : *s;
	to[n] = '\0';
}
