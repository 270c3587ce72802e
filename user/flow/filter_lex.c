/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of the filter language: words, quoted text, parentheses, operators. It knows no word's
 * meaning. Control characters are refused: they have no place in a filter.
 */
#include "flow/filter_lex.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int pk_filter_fail(struct pk_filter_error *e, size_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	e->offset = at;
	return -EINVAL;
}

bool pk_token_is(const struct pk_token *t, const char *text)
{
	return (t->type == PK_TOK_WORD || t->type == PK_TOK_OP) && strcmp(t->text, text) == 0;
}

/* Length of the operator at s, 0: none. */
static size_t op_len(const char *s)
{
	static const char *const two[] = { "&&", "||", ">=", "<=", "!=", "==", "<<", ">>" };

	for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++)
		if (strncmp(s, two[i], 2) == 0)
			return 2;
	return strchr("!<>=&|+[]", *s) ? 1 : 0;
}

static bool is_word(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && !strchr("!<>=&|()\"'[]+", c);
}

static int lex_quoted(const char *text, size_t *at, struct pk_token *t, struct pk_filter_error *e)
{
	size_t i = *at, n = 0;
	char quote = text[i++];

	while (text[i] && text[i] != quote) {
		if (text[i] == '\\' && text[i + 1])
			i++;
		if ((unsigned char)text[i] < ' ')
			return pk_filter_fail(e, i, "control character in the filter");
		if (n + 1 >= sizeof(t->text))
			return pk_filter_fail(e, *at, "quoted text is longer than %d bytes",
					      PK_TOKEN_LEN - 1);
		t->text[n++] = text[i++];
	}
	if (!text[i])
		return pk_filter_fail(e, *at, "this quote is never closed");
	t->type = PK_TOK_QUOTED;
	*at = i + 1;
	return 0;
}

static int lex_one(const char *text, size_t *at, struct pk_token *t, struct pk_filter_error *e)
{
	size_t n = 0;
	char c = text[*at];

	if (c == '"' || c == '\'')
		return lex_quoted(text, at, t, e);
	if (c == '(' || c == ')') {
		t->type = c == '(' ? PK_TOK_OPEN : PK_TOK_CLOSE;
		n = 1;
	} else if (op_len(text + *at)) {
		t->type = PK_TOK_OP;
		n = op_len(text + *at);
	} else {
		t->type = PK_TOK_WORD;
		while (text[*at + n] && is_word(text[*at + n]) && !isspace(text[*at + n]))
			n++;
	}
	if (n == 0)
		return pk_filter_fail(e, *at, "control character in the filter");
	if (n >= sizeof(t->text))
		return pk_filter_fail(e, *at, "this word is longer than %d bytes",
				      PK_TOKEN_LEN - 1);
	memcpy(t->text, text + *at, n);
	*at += n;
	return 0;
}

int pk_filter_lex(const char *text, struct pk_token *tokens, size_t *ret_n,
		  struct pk_filter_error *e)
{
	size_t at = 0, n = 0;
	int r;

	if (strnlen(text, PK_FILTER_MAX + 1) > PK_FILTER_MAX)
		return pk_filter_fail(e, PK_FILTER_MAX, "the filter is longer than %d bytes",
				      PK_FILTER_MAX);
	for (;;) {
		struct pk_token *t = &tokens[n];

		while (isspace((unsigned char)text[at]))
			at++;
		*t = (struct pk_token){ .type = PK_TOK_END, .at = at };
		if (!text[at])
			break;
		if (n + 2 > PK_TOKENS_MAX)
			return pk_filter_fail(e, at, "more than %d words", PK_TOKENS_MAX - 2);
		r = lex_one(text, &at, t, e);
		if (r < 0)
			return r;
		t->len = at - t->at;
		n++;
	}
	*ret_n = n;
	return 0;
}
