/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats of one address or name a line: plain lists and netsets (Spamhaus in text is one of them),
 * hosts files, Zeek's intelligence files.
 */
#include "block/reader.h"

#include <string.h>

static bool is_comment(char c)
{
	return c == '#' || c == ';';
}

/* A letter or a digit is in it: "# ----" is no reason. */
static bool has_word(struct pk_piece s)
{
	for (; s.p < s.end; s.p++)
		if ((uint8_t)*s.p >= 0x80 || (*s.p >= '0' && *s.p <= '9') ||
		    ((*s.p | 0x20) >= 'a' && (*s.p | 0x20) <= 'z'))
			return true;
	return false;
}

/* What follows an address: nothing, or a comment, which is the reason. */
static bool take_comment(struct pk_reader *r, struct pk_piece line, const char *after,
			 struct pk_block_entry *e)
{
	struct pk_piece text = pk_piece_trim((struct pk_piece){ after, line.end });

	if (text.p < text.end && !is_comment(*text.p)) {
		pk_reader_bad(r, line, "%s",
			      text.p == after ? "not an address: other characters follow it"
					      : "text after the address: a comment begins with #");
		return false;
	}
	while (text.p < text.end && is_comment(*text.p))
		text.p++;
	text = pk_piece_trim(text);
	if (has_word(text))
		e->reason = pk_reader_text(r, text);
	return true;
}

/* Letters that no address has, and no colon. */
static bool is_word(struct pk_piece s)
{
	if (memchr(s.p, ':', pk_piece_len(s)))
		return false;
	for (; s.p < s.end; s.p++)
		if ((uint8_t)*s.p >= 0x80 || ((*s.p | 0x20) >= 'g' && (*s.p | 0x20) <= 'z'))
			return true;
	return false;
}

/* No address: a name, or a complaint that says which of both it is nearer to. */
static void take_name(struct pk_reader *r, struct pk_piece line, const char *reason)
{
	struct pk_block_entry like = r->opts->defaults;
	struct pk_piece rest = line, name, whole;

	for (rest.end = rest.p; rest.end < line.end && !is_comment(*rest.end); rest.end++)
		;
	name = whole = pk_piece_word(&rest);
	if (memmem(whole.p, pk_piece_len(whole), "://", 3)) {
		pk_reader_bad(r, line, "a URL: expected its address or its name alone");
		return;
	}
	if (pk_name_trim(&name, false)) {
		pk_reader_bad(r, line, "%s",
			      is_word(name) ? pk_name_check(name.p, pk_piece_len(name), false)
					    : reason);
		return;
	}
	if (take_comment(r, line, whole.end, &like))
		pk_reader_name(r, name, &like);
}

void pk_list_read_plain(struct pk_reader *r, struct pk_piece bytes)
{
	struct pk_piece line;

	while (pk_reader_line(r, &bytes, &line)) {
		struct pk_span span;
		const char *reason, *after;

		line = pk_piece_trim(line);
		if (line.p == line.end || is_comment(*line.p))
			continue;
		after = pk_span_scan(line.p, line.end, &span, &reason);
		if (after == line.end) {
			pk_reader_span(r, &span, NULL);
		} else if (after) {
			struct pk_block_entry e = r->opts->defaults;

			if (take_comment(r, line, after, &e))
				pk_reader_span(r, &span, &e);
		} else {
			take_name(r, line, reason);
		}
	}
}

/* Names that every hosts file has for the host itself. */
static bool is_own_name(struct pk_piece name)
{
	static const char *const own[] = { "localhost.localdomain", "0.0.0.0" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (pk_piece_is(name, own[i]))
			return true;
	return !memchr(name.p, '.', pk_piece_len(name));
}

static void take_host(struct pk_reader *r, struct pk_piece name)
{
	struct pk_piece as_written = name;
	const char *why;

	if (is_own_name(name)) {
		r->d->ignored++;
		return;
	}
	why = pk_name_trim(&name, false);
	if (why)
		pk_reader_bad(r, as_written, "%s", why);
	else
		pk_reader_name(r, name, NULL);
}

void pk_list_read_hosts(struct pk_reader *r, struct pk_piece bytes)
{
	struct pk_piece line;

	while (pk_reader_line(r, &bytes, &line)) {
		const char *comment = memchr(line.p, '#', pk_piece_len(line)), *reason;
		struct pk_piece rest = { line.p, comment ? comment : line.end }, word;
		struct pk_span span;

		word = pk_piece_word(&rest);
		if (word.p == word.end)
			continue;
		if (pk_span_scan(word.p, word.end, &span, &reason) != word.end) {
			pk_reader_bad(r, line,
				      "not a line of a hosts file: expected an address "
				      "and names, as in 0.0.0.0 name.example");
			continue;
		}
		word = pk_piece_word(&rest);
		if (word.p == word.end)
			pk_reader_bad(r, line, "no name after the address");
		for (; word.p < word.end; word = pk_piece_word(&rest))
			take_host(r, word);
	}
}

/* Columns of Zeek's intelligence, counted from 0; -1 none. */
struct zeek {
	int indicator, type, desc, source;
};

static struct pk_piece next_field(struct pk_piece *rest)
{
	const char *tab = memchr(rest->p, '\t', pk_piece_len(*rest));
	struct pk_piece f = { rest->p, tab ? tab : rest->end };

	rest->p = tab ? tab + 1 : rest->end;
	return f;
}

static void zeek_fields(struct pk_reader *r, struct pk_piece line, struct zeek *z)
{
	struct pk_piece rest = line;

	*z = (struct zeek){ -1, -1, -1, -1 };
	(void)next_field(&rest); /* "#fields" itself */
	for (int i = 0; rest.p < rest.end; i++) {
		struct pk_piece name = pk_piece_trim(next_field(&rest));

		if (pk_piece_is(name, "indicator"))
			z->indicator = i;
		else if (pk_piece_is(name, "indicator_type"))
			z->type = i;
		else if (pk_piece_is(name, "meta.desc"))
			z->desc = i;
		else if (pk_piece_is(name, "meta.source"))
			z->source = i;
	}
	if (z->indicator < 0 || z->type < 0)
		pk_reader_refuse(r, line,
				 "#fields without indicator and indicator_type, split by tabs");
}

static void zeek_row(struct pk_reader *r, struct pk_piece line, const struct zeek *z)
{
	struct pk_piece rest = line, value = { 0 }, type = { 0 }, why = { 0 }, f;
	struct pk_block_entry e = r->opts->defaults;

	for (int i = 0; rest.p < rest.end; i++) {
		f = pk_piece_trim(next_field(&rest));
		if (i == z->indicator)
			value = f;
		else if (i == z->type)
			type = f;
		else if (!pk_piece_is(f, "-") && (i == z->desc || (i == z->source && !why.p)))
			why = f;
	}
	if (!value.p || !type.p) {
		pk_reader_bad(r, line, "too few fields: they are split by single tabs, as #fields");
		return;
	}
	if (pk_piece_is(type, "Intel::ADDR") || pk_piece_is(type, "Intel::SUBNET")) {
		if (why.p)
			e.reason = pk_reader_text(r, why);
		pk_reader_take(r, value, PK_WANT_ADDR, &e);
	} else if (pk_piece_is(type, "Intel::DOMAIN")) {
		if (why.p)
			e.reason = pk_reader_text(r, why);
		pk_reader_take(r, value, PK_WANT_NAME, &e);
	} else if (pk_piece_begins(type, "Intel::")) {
		r->d->ignored++;
	} else {
		pk_reader_bad(r, line, "not a type of indicator: expected Intel::ADDR or the like");
	}
}

void pk_list_read_zeek(struct pk_reader *r, struct pk_piece bytes)
{
	struct pk_piece line;
	struct zeek z = { -1, -1, -1, -1 };
	bool has_fields = false;

	while (pk_reader_line(r, &bytes, &line) && !r->fatal) {
		if (pk_piece_begins(line, "#fields")) {
			zeek_fields(r, line, &z);
			has_fields = true;
		} else if (!pk_piece_len(pk_piece_trim(line)) || *line.p == '#') {
			continue;
		} else if (has_fields) {
			zeek_row(r, line, &z);
		} else {
			pk_reader_refuse(r, line, "no line with #fields before the first row");
		}
	}
}
