/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a pattern apart into words. Knows which properties mean addresses, names and ports. */
#include "block/pattern_lex.h"

#include <errno.h>
#include <string.h>

bool pk_pattern_fail(struct pk_pattern_parser *s, const char *reason)
{
	if (!s->error) {
		s->error = -EINVAL;
		s->reason = reason;
	}
	return false;
}

void pk_pattern_skip(struct pk_pattern_parser *s)
{
	while (s->p < s->end && strchr(" \t\r\n", *s->p) && *s->p)
		s->p++;
}

static bool is_word_char(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
	       c == '-' || c == '.' || c == ':';
}

static bool peek(struct pk_pattern_parser *s, char c)
{
	pk_pattern_skip(s);
	return s->p < s->end && *s->p == c;
}

bool pk_pattern_take(struct pk_pattern_parser *s, char c)
{
	if (!peek(s, c))
		return false;
	s->p++;
	return true;
}

/* A keyword, in capitals as the standard has it. */
bool pk_pattern_word(struct pk_pattern_parser *s, const char *word)
{
	size_t len = strlen(word);

	pk_pattern_skip(s);
	if ((size_t)(s->end - s->p) < len || strncmp(s->p, word, len) != 0)
		return false;
	if (s->p + len < s->end && is_word_char(s->p[len]))
		return false;
	s->p += len;
	return true;
}

/* The rest of a quoted text; \' and \\ are a quote and a backslash. Appends to texts. */
static bool take_quoted(struct pk_pattern_parser *s, size_t *ret_at, size_t *ret_len)
{
	struct pk_buf *b = &s->out->texts;
	size_t at = b->len;

	while (s->p < s->end && *s->p != '\'') {
		if (*s->p == '\\' && s->p + 1 < s->end)
			s->p++;
		pk_buf_char(b, *s->p++);
	}
	if (s->p >= s->end)
		return pk_pattern_fail(s, "a quoted text doesn't end");
	s->p++;
	if (b->error)
		s->error = b->error;
	*ret_at = at;
	*ret_len = b->len - at;
	return !b->error;
}

bool pk_pattern_constant(struct pk_pattern_parser *s, size_t *ret_at, size_t *ret_len)
{
	pk_pattern_skip(s);
	if (s->end - s->p >= 2 && strchr("thb", *s->p) && s->p[1] == '\'')
		s->p++;
	if (pk_pattern_take(s, '\''))
		return take_quoted(s, ret_at, ret_len);
	*ret_at = s->out->texts.len;
	while (s->p < s->end && (is_word_char(*s->p) || *s->p == '+'))
		pk_buf_char(&s->out->texts, *s->p++);
	*ret_len = s->out->texts.len - *ret_at;
	return *ret_len || pk_pattern_fail(s, "expected a constant, as in 'text' or 80");
}

static unsigned path_kind(const char *p, size_t len)
{
	static const struct {
		const char *path;
		unsigned has;
	} paths[] = {
		{ "ipv4-addr:value", PK_HAS_ADDR },
		{ "ipv6-addr:value", PK_HAS_ADDR },
		{ "network-traffic:src_ref.value", PK_HAS_SRC },
		{ "network-traffic:dst_ref.value", PK_HAS_DST },
		{ "network-traffic:src_port", PK_HAS_SPORT },
		{ "network-traffic:dst_port", PK_HAS_DPORT },
		{ "network-traffic:protocols[*]", PK_HAS_PROTO },
		{ "network-traffic:protocols[0]", PK_HAS_PROTO },
		{ "network-traffic:src_ref.type", 0 },
		{ "network-traffic:dst_ref.type", 0 },
		{ "domain-name:value", PK_HAS_NAME },
		{ "domain-name:resolves_to_refs[*].value", PK_HAS_RESOLVES },
		{ "domain-name:resolves_to_refs[*].type", 0 },
		{ "file:hashes.'SHA-256'", PK_HAS_HASH },
		{ "file:hashes.SHA256", PK_HAS_HASH }, /* STIX 2.0 */
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (strlen(paths[i].path) == len && strncmp(p, paths[i].path, len) == 0)
			return paths[i].has;
	return PK_HAS_OTHER;
}

bool pk_pattern_path(struct pk_pattern_parser *s, unsigned *ret_kind)
{
	const char *start;

	pk_pattern_skip(s);
	start = s->p;
	while (s->p < s->end && (is_word_char(*s->p) || *s->p == '[' || *s->p == '\'')) {
		char until = *s->p == '[' ? ']' : *s->p == '\'' ? '\'' : 0;

		s->p++;
		while (until && s->p < s->end && *s->p != until)
			s->p++;
		if (until && s->p == s->end)
			return pk_pattern_fail(s, "a property doesn't end");
		s->p += until != 0;
	}
	if (s->p == start || !memchr(start, ':', (size_t)(s->p - start)))
		return pk_pattern_fail(s, "expected a property, as in ipv4-addr:value");
	*ret_kind = path_kind(start, (size_t)(s->p - start));
	return true;
}
