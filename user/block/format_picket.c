/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Picket's own format, what `picket list export` writes and saved lists are kept in: a first line
 * "picket-list 1", perhaps a head in braces, then an entry a line, as in
 *
 *     192.0.2.0/24 dir=in proto=tcp port=22-23 iface=eth0 expires=1700000000000 id=7 reason="..."
 *     evil.example how=sni-only,refuse-query expires=1700000000000 id=8 reason="..."
 *
 * Texts are escaped as for terminals, so that an export can be shown by cat.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/ip.h"
#include "block/reader.h"

#include <inttypes.h>
#include <string.h>

#define MAGIC "picket-list 1"

static void write_text(struct pk_buf *out, const char *key, const char *s)
{
	const char *quote;

	if (!*s)
		return;
	pk_buf_fmt(out, " %s=\"", key);
	while ((quote = strchr(s, '"'))) {
		pk_escape_text(out, s, (size_t)(quote - s));
		pk_buf_str(out, "\\x22");
		s = quote + 1;
	}
	pk_escape_text(out, s, strlen(s));
	pk_buf_char(out, '"');
}

void pk_list_write_entry(struct pk_buf *out, const struct pk_block_entry *e,
			 const struct pk_block_texts *t)
{
	pk_list_write_line(out, e, pk_block_text_at(t, e->iface), pk_block_text_at(t, e->reason));
}

void pk_list_write_line(struct pk_buf *out, const struct pk_block_entry *e, const char *iface,
			const char *reason)
{
	unsigned bits = e->v4 ? e->bits - 96u : e->bits;
	char addr[PK_IP_TEXT];

	pk_buf_str(out, pk_ip_format(e->prefix, addr));
	if (bits != (e->v4 ? 32 : 128))
		pk_buf_fmt(out, "/%u", bits);
	if (e->dir != (PK_BLK_IN | PK_BLK_OUT))
		pk_buf_str(out, e->dir == PK_BLK_IN ? " dir=in" : " dir=out");
	if (e->proto) {
		const char *name = pk_ip_proto_name(e->proto);

		pk_buf_str(out, " proto=");
		if (name)
			pk_buf_str(out, name);
		else
			pk_buf_fmt(out, "%u", e->proto);
	}
	if (e->port_lo || e->port_hi)
		pk_buf_fmt(out, " port=%u", e->port_lo);
	if (e->port_hi != e->port_lo)
		pk_buf_fmt(out, "-%u", e->port_hi);
	write_text(out, "iface", iface);
	if (e->expires_ms)
		pk_buf_fmt(out, " expires=%" PRIi64, e->expires_ms);
	if (e->id)
		pk_buf_fmt(out, " id=%" PRIu32, e->id);
	write_text(out, "reason", reason);
	pk_buf_char(out, '\n');
}

void pk_list_write_name(struct pk_buf *out, const struct pk_block_name *n, const char *name,
			const char *reason)
{
	pk_buf_str(out, name);
	if (n->how)
		pk_buf_fmt(out, " how=%s%s%s", n->how & PK_BLOCK_SNI_ONLY ? "sni-only" : "",
			   n->how == (PK_BLOCK_SNI_ONLY | PK_BLOCK_REFUSE) ? "," : "",
			   n->how & PK_BLOCK_REFUSE ? "refuse-query" : "");
	if (n->expires_ms)
		pk_buf_fmt(out, " expires=%" PRIi64, n->expires_ms);
	if (n->id)
		pk_buf_fmt(out, " id=%" PRIu32, n->id);
	write_text(out, "reason", reason);
	pk_buf_char(out, '\n');
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Code point of 1 to 6 hexadecimal digits to UTF-8. */
static void put_utf8(struct pk_buf *out, uint32_t c)
{
	if (c < 0x80) {
		pk_buf_char(out, (char)c);
	} else if (c < 0x800) {
		pk_buf_char(out, (char)(0xc0 | c >> 6));
		pk_buf_char(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		pk_buf_char(out, (char)(0xe0 | c >> 12));
		pk_buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		pk_buf_char(out, (char)(0x80 | (c & 0x3f)));
	} else {
		pk_buf_char(out, (char)(0xf0 | c >> 18));
		pk_buf_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		pk_buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		pk_buf_char(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* "{200e}" after \u. */
static const char *unescape_point(struct pk_buf *out, const char *p, const char *end)
{
	uint32_t c = 0;

	if (p >= end || *p++ != '{')
		return NULL;
	while (p < end && hex(*p) >= 0 && c < 0x110000)
		c = c << 4 | (uint32_t)hex(*p++);
	if (p >= end || *p != '}' || !c || c >= 0x110000)
		return NULL;
	put_utf8(out, c);
	return p + 1;
}

/* What follows a backslash. */
static const char *unescape_one(struct pk_buf *out, const char *p, const char *end)
{
	static const char from[] = "nrte\\", to[] = "\n\r\t\x1b\\";
	const char *at;

	if (p >= end)
		return NULL;
	if (*p == 'u')
		return unescape_point(out, p + 1, end);
	if (*p == 'x') {
		if (end - p < 3 || hex(p[1]) < 0 || hex(p[2]) < 0)
			return NULL;
		pk_buf_char(out, (char)(hex(p[1]) << 4 | hex(p[2])));
		return p + 3;
	}
	at = *p ? strchr(from, *p) : NULL;
	if (!at)
		return NULL;
	pk_buf_char(out, to[at - from]);
	return p + 1;
}

/* A quoted text at p, which may end the line; where it ends, NULL: it is damaged. */
static const char *scan_text(struct pk_reader *r, const char *p, const char *end, uint32_t *ret)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };

	if (p >= end || *p++ != '"')
		return NULL;
	pk_buf_str(&text, ""); /* an empty text is a text, too */
	while (p && p < end && *p != '"') {
		if (*p == '\\')
			p = unescape_one(&text, p + 1, end);
		else
			pk_buf_char(&text, *p++);
	}
	if (!p || p >= end)
		return NULL;
	if (text.error) {
		r->error = text.error;
		return NULL;
	}
	*ret = pk_reader_text(r, (struct pk_piece){ text.data, text.data + text.len });
	return p + 1;
}

static int take_proto(struct pk_piece value, struct pk_block_entry *e)
{
	uint64_t n;

	if (pk_piece_number(value, 255, &n) == 0) {
		e->proto = n;
		return 0;
	}
	for (unsigned i = 1; i < 256; i++) {
		const char *name = pk_ip_proto_name(i);

		if (name && pk_piece_is(value, name)) {
			e->proto = i;
			return 0;
		}
	}
	return -1;
}

static int take_ports(struct pk_piece value, struct pk_block_entry *e)
{
	const char *dash = memchr(value.p, '-', pk_piece_len(value));
	struct pk_piece hi = { dash ? dash + 1 : value.p, value.end };
	uint64_t a, b;

	if (dash)
		value.end = dash;
	if (pk_piece_number(value, 65535, &a) < 0 || pk_piece_number(hi, 65535, &b) < 0 || a > b)
		return -1;
	e->port_lo = a;
	e->port_hi = b;
	return 0;
}

static int take_dir(struct pk_piece value, struct pk_block_entry *e)
{
	e->dir = 0;
	if (pk_piece_is(value, "in") || pk_piece_is(value, "both"))
		e->dir |= PK_BLK_IN;
	if (pk_piece_is(value, "out") || pk_piece_is(value, "both"))
		e->dir |= PK_BLK_OUT;
	return e->dir ? 0 : -1;
}

static int take_how(struct pk_piece value, uint8_t *ret_how)
{
	while (value.p < value.end) {
		const char *comma = memchr(value.p, ',', pk_piece_len(value));
		struct pk_piece word = { value.p, comma ? comma : value.end };

		if (pk_piece_is(word, "sni-only"))
			*ret_how |= PK_BLOCK_SNI_ONLY;
		else if (pk_piece_is(word, "refuse-query"))
			*ret_how |= PK_BLOCK_REFUSE;
		else
			return -1;
		value.p = comma ? comma + 1 : value.end;
	}
	return 0;
}

/* One "key=value"; 0, or -1 when the value is wrong, -2 when the key is not known. */
static int take_field(struct pk_piece key, struct pk_piece value, struct pk_block_entry *e,
		      uint8_t *how)
{
	uint64_t n;

	if (how && pk_piece_is(key, "how"))
		return take_how(value, how);
	if (!how && pk_piece_is(key, "dir"))
		return take_dir(value, e);
	if (!how && pk_piece_is(key, "proto"))
		return take_proto(value, e);
	if (!how && pk_piece_is(key, "port"))
		return take_ports(value, e);
	if (pk_piece_is(key, "expires")) {
		if (pk_piece_number(value, INT64_MAX, &n) < 0)
			return -1;
		e->expires_ms = (int64_t)n;
		return 0;
	}
	if (pk_piece_is(key, "id")) {
		if (pk_piece_number(value, UINT32_MAX, &n) < 0)
			return -1;
		e->id = (uint32_t)n;
		return 0;
	}
	return -2;
}

/* how: of a name, which has other fields than an address (NULL). */
static const char *take_fields(struct pk_reader *r, struct pk_piece rest, struct pk_block_entry *e,
			       uint8_t *how)
{
	while (rest = pk_piece_trim(rest), rest.p < rest.end) {
		const char *is = memchr(rest.p, '=', pk_piece_len(rest));
		struct pk_piece key = { rest.p, is ? is : rest.end }, value;
		bool is_reason = pk_piece_is(key, "reason");
		int err;

		if (!is)
			return "not a field: expected key=value";
		rest.p = is + 1;
		if (is_reason || (!how && pk_piece_is(key, "iface"))) {
			rest.p = scan_text(r, rest.p, rest.end, is_reason ? &e->reason : &e->iface);
			if (!rest.p)
				return "text that is not quoted or escaped as it should be";
			continue;
		}
		value = (struct pk_piece){ rest.p, rest.p };
		while (value.end < rest.end && *value.end != ' ')
			value.end++;
		rest.p = value.end;
		err = take_field(key, value, e, how);
		if (err)
			return err == -1 ? "value out of its range"
			       : how     ? "a field that is not known: expected how, expires, id, "
					   "reason"
					 : "a field that is not known: expected dir, proto, port, "
					   "iface, expires, id, reason";
	}
	return NULL;
}

static void take_name(struct pk_reader *r, struct pk_piece line, struct pk_piece name,
		      struct pk_piece rest)
{
	struct pk_block_entry like = r->opts->defaults;
	uint8_t how = 0, before = r->name_how;
	const char *why = pk_name_trim(&name, true);

	if (!why)
		why = take_fields(r, rest, &like, &how);
	if (why) {
		pk_reader_bad(r, line, "%s", why);
		return;
	}
	r->name_how = how;
	pk_reader_name(r, name, &like);
	r->name_how = before;
}

/* A word that no address begins with. */
static bool is_name(struct pk_piece word)
{
	struct pk_piece name = word;

	return !memchr(word.p, ':', pk_piece_len(word)) && !pk_name_trim(&name, true);
}

static void take_line(struct pk_reader *r, struct pk_piece line)
{
	struct pk_block_entry e = r->opts->defaults;
	struct pk_piece rest = line, addr = pk_piece_word(&rest);
	const char *why = NULL, *end;
	struct pk_span span;

	end = pk_span_scan(addr.p, addr.end, &span, &why);
	if (end && end != addr.end)
		why = "text after the address";
	if (!end && is_name(addr)) {
		take_name(r, line, addr, rest);
		return;
	}
	if (end == addr.end)
		why = take_fields(r, rest, &e, NULL);
	if (why)
		pk_reader_bad(r, line, "%s", why);
	else
		pk_reader_span(r, &span, &e);
}

void pk_list_read_picket(struct pk_reader *r, struct pk_piece bytes)
{
	struct pk_piece line;

	while (!r->fatal && pk_reader_line(r, &bytes, &line)) {
		line = pk_piece_trim(line);
		if (line.p == line.end || *line.p == '#')
			continue;
		if (r->line == 1 && pk_piece_begins(line, "picket-list ")) {
			if (!pk_piece_is(line, MAGIC))
				pk_reader_refuse(r, line,
						 "a version that is not known: "
						 "expected " MAGIC);
			continue;
		}
		if (r->line == 2 && *line.p == '{')
			continue;
		take_line(r, line);
	}
}
