/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON: loads a document whole or refuses it with line and column, and finds out what it is.
 * Spamhaus' lists, an object a line, are read here. What a document may cost in memory is reckoned
 * from its bytes before it is loaded, since a short text can become many small objects.
 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "block/document.h"

#include <errno.h>
#include <string.h>

#define COST_TIMES 4 /* memory of a document, in max_bytes */
#define FLAGS      JSON_REJECT_DUPLICATES

static void unref(json_t **v)
{
	json_decref(*v);
}
#define _json_ __attribute__((cleanup(unref)))

const char *pk_member_text(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

void pk_document_place(struct pk_document *d, size_t since, const char *text)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
	const char *at = NULL;
	uint64_t line = 1;

	if (d->r->d->n_bad <= since)
		return;
	pk_buf_fmt(&b, "\"%s\"", text ? text : "");
	if (!b.error && text)
		at = memmem(d->bytes.p, pk_piece_len(d->bytes), b.data, b.len);
	for (const char *p = d->bytes.p; at && p < at; p++)
		line += *p == '\n';
	while (since < d->r->d->n_bad)
		d->r->d->bad[since++].line = at ? line : 0;
}

/* Bytes of memory that the document will take, about; jansson 2.14 on 64 bits. */
static uint64_t reckon(struct pk_piece b)
{
	uint64_t cost = pk_piece_len(b);
	bool in_text = false;

	for (const char *p = b.p; p < b.end; p++) {
		if (in_text) {
			if (*p == '\\')
				p++;
			else if (*p == '"')
				in_text = false;
			continue;
		}
		in_text = *p == '"';
		if (*p == '{')
			cost += 320;
		else if (*p == '[')
			cost += 160;
		else if (*p == ',')
			cost += 64;
		else if (*p == ':')
			cost += 96;
	}
	return cost;
}

static uint64_t count_lines(struct pk_piece b)
{
	uint64_t n = b.p < b.end && b.end[-1] != '\n';

	for (; b.p < b.end; b.p++)
		n += *b.p == '\n';
	return n;
}

/* NULL: refused. */
static json_t *load(struct pk_reader *r, struct pk_piece b, bool is_line)
{
	_cleanup_(pk_buf_done) struct pk_buf why = { 0 };
	json_error_t e;
	json_t *v;

	if (r->opts->max_bytes && reckon(b) / COST_TIMES > r->opts->max_bytes) {
		r->error = -EFBIG;
		return NULL;
	}
	v = json_loadb(b.p, pk_piece_len(b), FLAGS, &e);
	if (v)
		return v;
	if (json_error_code(&e) == json_error_out_of_memory) {
		r->error = -ENOMEM;
		return NULL;
	}
	pk_escape_text(&why, e.text, strlen(e.text));
	if (is_line) {
		pk_reader_bad(r, b, "not JSON: column %d: %s", e.column, why.data ? why.data : "");
	} else {
		r->line = e.line > 0 ? (uint64_t)e.line : 0;
		pk_reader_refuse(r, pk_piece_of(""), "not JSON: line %d, column %d: %s", e.line,
				 e.column, why.data ? why.data : "");
	}
	return NULL;
}

static bool is_spamhaus(const json_t *v)
{
	const char *type = pk_member_text(v, "type");

	return json_is_string(json_object_get(v, "cidr")) || json_object_get(v, "asn") ||
	       (type && strcmp(type, "metadata") == 0 && json_object_get(v, "records"));
}

/* The metadata at the end tells how many there must be: a list cut short is not the list. */
static void spamhaus_row(struct pk_reader *r, struct pk_piece line, const json_t *v, uint64_t *n)
{
	const json_t *records = json_object_get(v, "records");
	const char *cidr = pk_member_text(v, "cidr"), *id = pk_member_text(v, "sblid");
	struct pk_block_entry e = r->opts->defaults;

	if (cidr) {
		++*n;
		if (id)
			e.reason = pk_reader_text(r, pk_piece_of(id));
		pk_reader_take(r, pk_piece_of(cidr), PK_WANT_ADDR, &e);
	} else if (json_object_get(v, "asn")) {
		++*n;
		r->d->ignored++;
	} else if (!is_spamhaus(v)) {
		pk_reader_bad(r, line, "no member cidr: expected {\"cidr\":\"192.0.2.0/24\",...}");
	} else if (json_integer_value(records) != (json_int_t)*n) {
		pk_reader_bad(r, line, "%llu records before this line, and it tells of %lld",
			      (unsigned long long)*n, (long long)json_integer_value(records));
	}
}

static void read_lines(struct pk_reader *r, struct pk_piece bytes)
{
	struct pk_piece line;
	uint64_t n = 0;

	while (pk_reader_line(r, &bytes, &line)) {
		_json_ json_t *v = NULL;

		line = pk_piece_trim(line);
		if (line.p == line.end)
			continue;
		v = load(r, line, true);
		if (v)
			spamhaus_row(r, line, v, &n);
	}
}

/* Is the first line an object of its own, and one of Spamhaus'? */
static bool is_lines(struct pk_piece bytes)
{
	const char *nl = memchr(bytes.p, '\n', pk_piece_len(bytes));
	struct pk_piece line = { bytes.p, nl ? nl : bytes.end };
	_json_ json_t *v = NULL;

	if (pk_piece_len(line) > 65536)
		return false;
	v = json_loadb(line.p, pk_piece_len(line), FLAGS, NULL);
	return v && is_spamhaus(v);
}

static const json_t *first_of(const json_t *root)
{
	return json_is_array(root) ? json_array_get(root, 0) : root;
}

static void read_document(struct pk_document *d)
{
	enum pk_list_format want = d->r->opts->format;
	bool is_stix = pk_stix_is(first_of(d->root)), is_misp = pk_misp_is(first_of(d->root));
	bool is_warning = pk_warnings_is(d->root);

	d->r->d->format = is_stix ? PK_LIST_STIX : PK_LIST_MISP;
	if (want == PK_LIST_STIX ? !is_stix : want == PK_LIST_MISP && !is_misp && !is_warning)
		pk_reader_refuse(d->r, pk_piece_of(""), "JSON, but not of format %s",
				 pk_list_format_name(want));
	else if (is_warning)
		pk_list_read_warnings(d);
	else if (is_stix)
		pk_list_read_stix(d);
	else if (is_misp)
		pk_list_read_misp(d);
	else
		pk_reader_refuse(d->r, pk_piece_of(""),
				 "JSON of an unknown kind: expected a STIX bundle, a MISP event or "
				 "warning list, or Spamhaus' lines");
}

void pk_list_read_json(struct pk_reader *r, struct pk_piece bytes)
{
	struct pk_document d = { .r = r, .bytes = bytes };
	_json_ json_t *root = NULL;

	if (is_lines(bytes) && r->opts->format == PK_LIST_AUTO) {
		r->d->format = PK_LIST_SPAMHAUS;
		read_lines(r, bytes);
		return;
	}
	r->d->lines = count_lines(bytes);
	root = load(r, bytes, false);
	if (!root)
		return;
	r->line = 1;
	d.root = root;
	read_document(&d);
}

void pk_list_read_spamhaus(struct pk_reader *r, struct pk_piece bytes)
{
	struct pk_piece start = bytes;

	while (start.p < start.end && (*start.p == '\n' || *start.p == '\r' || *start.p == ' '))
		start.p++;
	if (pk_piece_begins(start, "{"))
		read_lines(r, bytes);
	else
		pk_list_read_plain(r, bytes);
}
