/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a list, whatever its format: opens what is compressed, finds the format by the content,
 * lets its reader collect, and gives out everything or nothing.
 */
#include "block/format.h"

#include "base/cleanup.h"
#include "block/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PROBE_BYTES 4096 /* looked at for NUL */

static const char *const names[PK_LIST_FORMATS] = {
	[PK_LIST_AUTO] = "auto",         [PK_LIST_PLAIN] = "plain", [PK_LIST_IPSET] = "ipset",
	[PK_LIST_SPAMHAUS] = "spamhaus", [PK_LIST_CSV] = "csv",     [PK_LIST_HOSTS] = "hosts",
	[PK_LIST_STIX] = "stix",         [PK_LIST_MISP] = "misp",   [PK_LIST_ZEEK] = "zeek",
	[PK_LIST_PICKET] = "picket",
};

const char *pk_list_format_name(enum pk_list_format f)
{
	return f < PK_LIST_FORMATS ? names[f] : "unknown";
}

int pk_list_format_parse(const char *s, enum pk_list_format *ret)
{
	for (int i = 0; i < PK_LIST_FORMATS; i++) {
		if (strcmp(names[i], s) == 0) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

static bool is_json(struct pk_piece line, struct pk_piece rest)
{
	struct pk_piece after = { line.p + 1, rest.end };

	if (*line.p == '{')
		return true;
	while (after.p < after.end && strchr(" \t\r\n", *after.p) && *after.p)
		after.p++;
	/* "[2001:db8::1]:443" begins so as well */
	return *line.p == '[' && (after.p == after.end || (strchr("{[]\"", *after.p) && *after.p));
}

/* 0.0.0.0, 127.0.0.1, :: and others that hosts files send names to. */
static bool is_nowhere(const struct pk_span *s)
{
	uint32_t v4 = (uint32_t)s->lo;

	if (pk_addr_is_v4(s->lo))
		return v4 == 0 || v4 >> 24 == 127 || v4 == UINT32_MAX;
	return s->lo <= 1 || s->lo >> 118 == 0xfe80 >> 6 || s->lo >> 120 == 0xff;
}

static bool is_name(struct pk_piece s)
{
	return s.p < s.end && !pk_name_trim(&s, false);
}

/* By the first line that is no comment. */
static enum pk_list_format detect_row(struct pk_piece line)
{
	const char *comment = memchr(line.p, '#', pk_piece_len(line)), *semicolon, *why;
	struct pk_piece text = pk_piece_trim((struct pk_piece){ line.p, comment ?: line.end });
	struct pk_piece rest = text, word = pk_piece_word(&rest), before, after;
	struct pk_span span;
	bool is_addr = word.p < word.end && pk_span_scan(word.p, word.end, &span, &why) == word.end;

	rest = pk_piece_trim(rest);
	if (is_addr && is_nowhere(&span) && rest.p < rest.end && *rest.p != ';' && *rest.p != ',' &&
	    *rest.p != '-' && !span.is_range)
		return PK_LIST_HOSTS;
	semicolon = memchr(text.p, ';', pk_piece_len(text));
	if (semicolon) {
		before = pk_piece_trim((struct pk_piece){ text.p, semicolon });
		after = pk_piece_trim((struct pk_piece){ semicolon + 1, text.end });
		if (pk_span_scan(before.p, before.end, &span, &why) == before.end)
			return pk_piece_begins(after, "SBL") ? PK_LIST_SPAMHAUS : PK_LIST_PLAIN;
		if (is_name(before))
			return PK_LIST_PLAIN;
		return PK_LIST_CSV;
	}
	if (memchr(text.p, ',', pk_piece_len(text)) || memchr(text.p, '\t', pk_piece_len(text)) ||
	    pk_piece_begins(text, "\""))
		return PK_LIST_CSV;
	return PK_LIST_PLAIN;
}

enum pk_list_format pk_list_detect(struct pk_piece bytes)
{
	static const char *const ipset[] = { "create ", "add ", "-N ", "-A ", "flush ", "ipset " };
	bool is_first = true;

	while (bytes.p < bytes.end) {
		const char *nl = memchr(bytes.p, '\n', pk_piece_len(bytes));
		struct pk_piece line = pk_piece_trim((struct pk_piece){ bytes.p, nl ?: bytes.end });

		bytes.p = nl ? nl + 1 : bytes.end;
		if (is_first && pk_piece_begins(line, "picket-list "))
			return PK_LIST_PICKET;
		is_first = false;
		if (pk_piece_begins(line, "#fields\t") || pk_piece_begins(line, "#separator "))
			return PK_LIST_ZEEK;
		if (line.p == line.end || *line.p == '#' || *line.p == ';')
			continue;
		if (is_json(line, bytes))
			return PK_LIST_STIX;
		for (size_t i = 0; i < PK_ARRAY_SIZE(ipset); i++)
			if (pk_piece_begins(line, ipset[i]))
				return PK_LIST_IPSET;
		return detect_row(line);
	}
	return PK_LIST_PLAIN;
}

static void dispatch(struct pk_reader *r, struct pk_piece bytes)
{
	switch (r->d->format) {
	case PK_LIST_PLAIN:
		return pk_list_read_plain(r, bytes);
	case PK_LIST_IPSET:
		return pk_list_read_ipset(r, bytes);
	case PK_LIST_SPAMHAUS:
		return pk_list_read_spamhaus(r, bytes);
	case PK_LIST_CSV:
		return pk_list_read_csv(r, bytes);
	case PK_LIST_HOSTS:
		return pk_list_read_hosts(r, bytes);
	case PK_LIST_ZEEK:
		return pk_list_read_zeek(r, bytes);
	case PK_LIST_PICKET:
		return pk_list_read_picket(r, bytes);
	case PK_LIST_STIX:
	case PK_LIST_MISP:
		return pk_list_read_json(r, bytes);
	case PK_LIST_AUTO:
	case PK_LIST_FORMATS:
		break;
	}
	r->error = -EINVAL;
}

/* What no format has: another encoding, or bytes that are no text. */
static void check_text(struct pk_reader *r, struct pk_piece *bytes)
{
	size_t len = pk_piece_len(*bytes);

	if (pk_piece_begins(*bytes, "\xef\xbb\xbf"))
		bytes->p += 3;
	else if (pk_piece_begins(*bytes, "\xff\xfe") || pk_piece_begins(*bytes, "\xfe\xff"))
		pk_reader_refuse(r, pk_piece_of(""), "UTF-16: save it as UTF-8");
	else if (len && memchr(bytes->p, 0, len < PROBE_BYTES ? len : PROBE_BYTES))
		pk_reader_refuse(r, pk_piece_of(""),
				 "not text: expected a list, or one packed by gzip or zstd");
}

static void read_all(struct pk_reader *r, struct pk_piece bytes)
{
	_cleanup_free_ char *opened = NULL;

	if (pk_list_is_packed(bytes))
		pk_list_open(r, &bytes, &opened);
	if (!r->error && !r->fatal)
		check_text(r, &bytes);
	if (r->error || r->fatal)
		return;
	r->d->format = r->opts->format;
	if (r->opts->format == PK_LIST_AUTO) {
		r->d->format = pk_list_detect(bytes);
		if (r->opts->column && r->d->format != PK_LIST_STIX)
			r->d->format = PK_LIST_CSV;
	}
	dispatch(r, bytes);
}

static void drop_names(struct pk_list_data *d)
{
	free(d->names);
	d->names = NULL;
	d->n_names = 0;
	free(d->hashes);
	d->hashes = NULL;
	d->n_hashes = 0;
}

static void drop_entries(struct pk_list_data *d)
{
	free(d->v);
	d->v = NULL;
	d->n = 0;
	drop_names(d);
}

int pk_list_read(const void *bytes, size_t len, const struct pk_list_opts *opts,
		 struct pk_list_data *ret)
{
	struct pk_list_opts o = *opts;
	struct pk_reader r = { .opts = &o, .d = ret, .name_how = opts->name_how };

	*ret = (struct pk_list_data){ 0 };
	if (!o.defaults.dir)
		o.defaults.dir = PK_BLK_IN | PK_BLK_OUT;
	if (o.max_bytes && len > o.max_bytes)
		return -EFBIG;
	read_all(&r, (struct pk_piece){ bytes, (const char *)bytes + len });
	if (!r.error && ret->bad_total && (r.fatal || !o.skip_bad))
		r.error = -EBADMSG;
	if (!r.error)
		r.error = pk_list_merge(ret);
	if (r.error)
		drop_entries(ret);
	return r.error;
}

void pk_list_data_done(struct pk_list_data *d)
{
	drop_entries(d);
	for (size_t i = 0; i < d->n_bad; i++) {
		free(d->bad[i].text);
		free(d->bad[i].reason);
	}
	free(d->bad);
	pk_block_texts_done(&d->texts);
	*d = (struct pk_list_data){ 0 };
}

static void put_entry(struct pk_block_entry *e, pk_addr_t a, uint8_t bits)
{
	*e = (struct pk_block_entry){ .dir = PK_BLK_IN | PK_BLK_OUT, .bits = bits };
	pk_addr_bytes(a, e->prefix);
	e->v4 = bits >= 96 && pk_addr_is_v4(a);
}

int pk_block_parse_target(const char *s, struct pk_block_entry *v, size_t max, size_t *ret_n,
			  const char **ret_reason, bool *ret_host_bits)
{
	const char *end = s + strlen(s);
	struct pk_span span;
	pk_addr_t a;
	size_t n = 0;

	if (pk_span_scan(s, end, &span, ret_reason) != end) {
		if (pk_span_scan(s, end, &span, ret_reason))
			*ret_reason = "text after the address";
		return -EINVAL;
	}
	*ret_reason = span.port ? "an address with a port: the port is said on its own"
				: "a range of too many prefixes";
	if (span.port || !max)
		return -EINVAL;
	a = span.lo;
	do {
		uint8_t bits = span.bits;
		pk_addr_t at = a;

		if (n == max)
			return -EINVAL;
		if (span.is_range)
			a = pk_span_next(at, span.hi, &bits);
		put_entry(&v[n++], at, bits);
	} while (span.is_range && a && a <= span.hi);
	*ret_n = n;
	*ret_host_bits = span.has_host_bits;
	return 0;
}
