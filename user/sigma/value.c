/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of values: read, wrapped, compared. What a pattern is compared with is not known here.
 */
#include "sigma/value.h"

#include <errno.h>
#include <string.h>

static int room(struct pk_arena *a, size_t n, struct pk_sigma_pattern *ret)
{
	struct pk_sigma_pattern p = { .byte = pk_arena_alloc(a, n), .kind = pk_arena_alloc(a, n) };

	if (!p.byte || !p.kind)
		return -ENOMEM;
	*ret = p;
	return 0;
}

static void put(struct pk_sigma_pattern *p, uint8_t byte, enum pk_sigma_byte_kind kind)
{
	p->byte[p->n] = byte;
	p->kind[p->n++] = kind;
}

int pk_sigma_pattern_parse(struct pk_arena *a, const char *s, size_t len,
			   struct pk_sigma_pattern *ret)
{
	struct pk_sigma_pattern p;
	int r = len > PK_SIGMA_VALUE_MAX ? -EFBIG : room(a, len, &p);

	if (r < 0)
		return r;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\\' && i + 1 < len && strchr("\\*?", s[i + 1]) && s[i + 1])
			put(&p, s[++i], PK_SIGMA_BYTE);
		else if (s[i] == '*')
			put(&p, 0, PK_SIGMA_STAR);
		else if (s[i] == '?')
			put(&p, 0, PK_SIGMA_QUESTION);
		else
			put(&p, s[i], PK_SIGMA_BYTE);
	}
	*ret = p;
	return 0;
}

int pk_sigma_pattern_bytes(struct pk_arena *a, const void *s, size_t len,
			   struct pk_sigma_pattern *ret)
{
	int r = room(a, len, ret);

	if (r < 0)
		return r;
	if (len)
		memcpy(ret->byte, s, len);
	ret->n = len;
	return 0;
}

int pk_sigma_pattern_wrap(struct pk_arena *a, const struct pk_sigma_pattern *p, bool before,
			  bool behind, struct pk_sigma_pattern *ret)
{
	struct pk_sigma_pattern w;
	int r = room(a, p->n + 2, &w);

	if (r < 0)
		return r;
	if (before)
		put(&w, 0, PK_SIGMA_STAR);
	for (size_t i = 0; i < p->n; i++)
		put(&w, p->byte[i], p->kind[i]);
	if (behind)
		put(&w, 0, PK_SIGMA_STAR);
	*ret = w;
	return 0;
}

bool pk_sigma_pattern_is_plain(const struct pk_sigma_pattern *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->kind[i] != PK_SIGMA_BYTE)
			return false;
	return true;
}

void pk_sigma_pattern_lower(struct pk_sigma_pattern *p)
{
	for (size_t i = 0; i < p->n; i++)
		p->byte[i] = pk_sigma_lower(p->byte[i]);
}

struct pk_sigma_run pk_sigma_pattern_run(const struct pk_sigma_pattern *p)
{
	struct pk_sigma_run best = { 0 }, run = { 0 };

	for (size_t i = 0; i < p->n; i++) {
		if (p->kind[i] != PK_SIGMA_BYTE) {
			run = (struct pk_sigma_run){ .at = i + 1 };
			continue;
		}
		run.len++;
		if (run.len > best.len)
			best = run;
	}
	return best;
}

static bool is_inner(uint8_t c) /* a byte of a UTF-8 character that is not its first */
{
	return (c & 0xc0) == 0x80;
}

static size_t next_char(const char *s, size_t at, size_t len)
{
	for (at++; at < len && is_inner(s[at]); at++)
		;
	return at;
}

bool pk_sigma_pattern_fits(const struct pk_sigma_pattern *p, bool cased, const char *s, size_t len)
{
	/* Where the last star stands, and what of s it has taken so far. */
	size_t i = 0, at = 0, star = SIZE_MAX, taken = 0;

	while (at < len) {
		uint8_t c = cased ? (uint8_t)s[at] : pk_sigma_lower(s[at]);

		if (i < p->n && p->kind[i] == PK_SIGMA_STAR) {
			star = i++;
			taken = at;
		} else if (i < p->n && p->kind[i] == PK_SIGMA_QUESTION) {
			i++;
			at = next_char(s, at, len);
		} else if (i < p->n && p->byte[i] == c) {
			i++;
			at++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			at = ++taken;
		} else {
			return false;
		}
	}
	while (i < p->n && p->kind[i] == PK_SIGMA_STAR)
		i++;
	return i == p->n;
}
