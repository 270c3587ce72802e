/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a web request: its text stays in its bounds, is padded, reads the same twice, and
 * hits lie in it. Also as the part of one, that is cut anywhere.
 *
 * fuzz-links: user/detect/web_text.c user/detect/web_match.c user/decode/http.c
 */
#include "decode/http.h"
#include "detect/web_match.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct pk_web_text *t, const struct pk_slice part[PK_WEB_PARTS])
{
	size_t sent = 0, before = 0;

	require(t->len <= PK_WEB_TEXT_MAX);
	for (unsigned p = 0; p < PK_WEB_PARTS; p++) {
		sent += part[p].len + (p > 0);
		require(t->end[p] >= before && t->end[p] <= t->len && t->end[p] <= sent);
		before = t->end[p];
	}
	for (size_t i = 0; i < PK_WEB_TEXT_PAD; i++)
		require(!t->s[t->len + i]);
}

static void try(struct pk_web_match *m, const struct pk_slice part[PK_WEB_PARTS])
{
	/* on the heap, for the sanitizer to see what lies beyond */
	struct pk_web_text *t = malloc(sizeof(*t)), *again = malloc(sizeof(*again));
	struct pk_web_hit hit[PK_WEB_KINDS];
	size_t n;

	require(t && again);
	pk_web_text_make(t, part);
	check(t, part);
	pk_web_text_make(again, part);
	require(again->len == t->len && !memcmp(again->s, t->s, t->len));
	n = pk_web_match_find(m, t, false, hit);
	require(n <= PK_WEB_KINDS);
	for (size_t i = 0; i < n; i++)
		require(hit[i].from + strlen(hit[i].literal) <= t->len &&
			!memcmp(t->s + hit[i].from, hit[i].literal, strlen(hit[i].literal)));
	free(t);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pk_web_match *m;
	struct pk_slice part[PK_WEB_PARTS] = { 0 };
	struct pk_http h;

	if (!m)
		require(pk_web_match_new(&m) == 0);
	part[PK_WEB_TARGET] = (struct pk_slice){ (const char *)data, (uint32_t)size };
	try(m, part);
	part[PK_WEB_BODY] = part[PK_WEB_TARGET];
	try(m, part);
	if (pk_http_decode(&h, data, size) < 0)
		return 0;
	part[PK_WEB_TARGET] = h.target;
	part[PK_WEB_FIELDS] = (struct pk_slice){ (const char *)data, h.head_len };
	part[PK_WEB_BODY] =
		(struct pk_slice){ (const char *)data + h.head_len, (uint32_t)(size - h.head_len) };
	try(m, part);
	return 0;
}
