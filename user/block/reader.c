/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collects what the readers find: entries, names, complaints, each with its bound. Knows no format.
 */
#include "block/reader.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "block/domain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE       4096u
#define POPULATED  (1u << 20)
#define TEXT_SHOWN 80
#define REASON_MAX 255
#define COMPLAINTS 100

size_t pk_piece_len(struct pk_piece s)
{
	return (size_t)(s.end - s.p);
}

struct pk_piece pk_piece_of(const char *s)
{
	return (struct pk_piece){ s, s + strlen(s) };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

struct pk_piece pk_piece_trim(struct pk_piece s)
{
	while (s.p < s.end && is_blank(*s.p))
		s.p++;
	while (s.p < s.end && is_blank(s.end[-1]))
		s.end--;
	return s;
}

bool pk_piece_is(struct pk_piece s, const char *word)
{
	return pk_piece_len(s) == strlen(word) && pk_piece_begins(s, word);
}

bool pk_piece_begins(struct pk_piece s, const char *word)
{
	size_t len = strlen(word);

	return pk_piece_len(s) >= len && memcmp(s.p, word, len) == 0;
}

bool pk_reader_line(struct pk_reader *r, struct pk_piece *rest, struct pk_piece *ret_line)
{
	const char *nl;

	if (rest->p >= rest->end || r->error)
		return false;
	nl = memchr(rest->p, '\n', pk_piece_len(*rest));
	*ret_line = (struct pk_piece){ rest->p, nl ? nl : rest->end };
	rest->p = nl ? nl + 1 : rest->end;
	if (ret_line->p < ret_line->end && ret_line->end[-1] == '\r')
		ret_line->end--;
	r->line++;
	r->d->lines++;
	return true;
}

struct pk_piece pk_piece_word(struct pk_piece *rest)
{
	struct pk_piece w;

	while (rest->p < rest->end && is_blank(*rest->p))
		rest->p++;
	w = (struct pk_piece){ rest->p, rest->p };
	while (w.end < rest->end && !is_blank(*w.end))
		w.end++;
	rest->p = w.end;
	return w;
}

int pk_piece_number(struct pk_piece s, uint64_t max, uint64_t *ret_v)
{
	uint64_t v = 0;

	if (s.p == s.end)
		return -EINVAL;
	for (; s.p < s.end; s.p++) {
		if (*s.p < '0' || *s.p > '9' || v > (max - (uint64_t)(*s.p - '0')) / 10)
			return -EINVAL;
		v = v * 10 + (uint64_t)(*s.p - '0');
	}
	*ret_v = v;
	return 0;
}

void pk_reader_populate(void *mem, size_t size)
{
	uintptr_t at = ((uintptr_t)mem + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	uintptr_t end = ((uintptr_t)mem + size) & ~(uintptr_t)(PAGE - 1);

	if (mem && size >= POPULATED) /* a wish: kernels may refuse it */
		(void)madvise((char *)mem + (at - (uintptr_t)mem), end - at, MADV_POPULATE_WRITE);
}

/* Room for one more in an array that has n of *cap and may have max. */
static int make_room(void **v, size_t n, size_t *cap, size_t size, uint64_t max)
{
	size_t next = *cap ? *cap * 2 : 64;
	void *more;

	if (max && n >= max)
		return -EFBIG;
	if (n < *cap)
		return 0;
	more = realloc(*v, next * size);
	if (!more)
		return -ENOMEM;
	pk_reader_populate(more, next * size);
	*v = more;
	*cap = next;
	return 0;
}

static char *printed(const char *fmt, va_list ap)
{
	char *s = NULL;

	return vasprintf(&s, fmt, ap) < 0 ? NULL : s;
}

static void complain(struct pk_reader *r, struct pk_piece text, const char *fmt, va_list ap)
{
	size_t max = r->opts->max_complaints ? r->opts->max_complaints : COMPLAINTS;
	struct pk_list_data *d = r->d;
	_cleanup_free_ char *reason = NULL, *shown = NULL;
	struct pk_list_bad *more;

	d->bad_total++;
	if (d->n_bad >= max)
		return;
	if (pk_piece_len(text) > TEXT_SHOWN)
		text.end = text.p + TEXT_SHOWN;
	reason = printed(fmt, ap);
	shown = strndup(text.p, pk_piece_len(text));
	more = reallocarray(d->bad, d->n_bad + 1, sizeof(*d->bad));
	if (more)
		d->bad = more;
	if (!reason || !shown || !more) {
		r->error = -ENOMEM;
		return;
	}
	d->bad[d->n_bad++] = (struct pk_list_bad){ r->line, PK_TAKE(shown), PK_TAKE(reason) };
}

void pk_reader_bad(struct pk_reader *r, struct pk_piece text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(r, text, fmt, ap);
	va_end(ap);
}

void pk_reader_refuse(struct pk_reader *r, struct pk_piece text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(r, text, fmt, ap);
	va_end(ap);
	r->fatal = true;
}

static void add(struct pk_reader *r, pk_addr_t a, uint8_t bits, const struct pk_block_entry *like)
{
	struct pk_list_data *d = r->d;
	struct pk_block_entry *e;

	if (d->n == r->cap || (r->opts->max_entries && d->n >= r->opts->max_entries)) {
		int err = make_room((void **)&d->v, d->n, &r->cap, sizeof(*d->v),
				    r->opts->max_entries);

		if (err < 0) {
			r->error = err;
			return;
		}
	}
	e = &d->v[d->n++];
	*e = *like;
	pk_addr_bytes(a, e->prefix);
	e->bits = bits;
	e->v4 = bits >= 96 && pk_addr_is_v4(a);
}

void pk_reader_span(struct pk_reader *r, const struct pk_span *s, const struct pk_block_entry *like)
{
	struct pk_block_entry own;
	pk_addr_t a = s->lo;

	if (!like)
		like = &r->opts->defaults;
	if (s->port) {
		own = *like;
		own.port_lo = own.port_hi = s->port;
		like = &own;
	}
	if (like->expires_ms && r->opts->now_ms && like->expires_ms <= r->opts->now_ms) {
		r->d->ignored++;
		return;
	}
	r->d->read++;
	r->d->host_bits += s->has_host_bits;
	if (!s->is_range) {
		add(r, a, s->bits, like);
		return;
	}
	do {
		pk_addr_t at = a;
		uint8_t bits;

		a = pk_span_next(a, s->hi, &bits);
		add(r, at, bits, like);
	} while (a && a <= s->hi && !r->error);
}

void pk_reader_name(struct pk_reader *r, struct pk_piece name, const struct pk_block_entry *like)
{
	struct pk_list_data *d = r->d;
	struct pk_block_name *n;
	char text[PK_DOMAIN_MAX];
	const char *why;
	int64_t at;
	int len = pk_domain_normalise(name.p, pk_piece_len(name), text, &why);

	if (!like)
		like = &r->opts->defaults;
	if (len < 0) {
		pk_reader_bad(r, name, "%s", why);
		return;
	}
	if (like->expires_ms && r->opts->now_ms && like->expires_ms <= r->opts->now_ms) {
		d->ignored++;
		return;
	}
	if (!r->error)
		r->error = make_room((void **)&d->names, d->n_names, &r->names_cap,
				     sizeof(*d->names), r->opts->max_entries);
	if (r->error)
		return;
	at = pk_block_text(&d->texts, text, (size_t)len);
	if (at < 0) {
		r->error = (int)at;
		return;
	}
	n = &d->names[d->n_names++];
	*n = (struct pk_block_name){ .text = (uint32_t)at,
				     .reason = like->reason,
				     .id = like->id,
				     .hash = pk_domain_hash(text, (size_t)len),
				     .expires_ms = like->expires_ms,
				     .how = r->name_how };
}

void pk_reader_hash(struct pk_reader *r, struct pk_piece hash, const struct pk_block_entry *like)
{
	struct pk_list_data *d = r->d;
	int64_t at;

	if (!r->opts->hashes || pk_piece_len(hash) != 64 || !pk_hex_is(hash.p, 64)) {
		d->ignored++;
		return;
	}
	if (!r->error)
		r->error = make_room((void **)&d->hashes, d->n_hashes, &r->hashes_cap,
				     sizeof(*d->hashes), r->opts->max_entries);
	if (r->error)
		return;
	at = pk_block_text(&d->texts, hash.p, 64);
	if (at < 0) {
		r->error = (int)at;
		return;
	}
	d->hashes[d->n_hashes++] = (struct pk_list_hash){ .text = (uint32_t)at,
							  .reason = like->reason,
							  .expires_ms = like->expires_ms };
}

uint32_t pk_reader_text(struct pk_reader *r, struct pk_piece text)
{
	size_t len = pk_piece_len(text);
	int64_t offset;

	/* A code point is not cut in half. */
	if (len > REASON_MAX) {
		len = REASON_MAX;
		while (len && ((uint8_t)text.p[len] & 0xc0) == 0x80)
			len--;
	}
	offset = pk_block_text(&r->d->texts, text.p, len);
	if (offset < 0) {
		r->error = (int)offset;
		return 0;
	}
	return (uint32_t)offset;
}

static const char *idn_check(struct pk_piece name)
{
	char text[PK_DOMAIN_MAX];
	const char *why;

	return pk_domain_normalise(name.p, pk_piece_len(name), text, &why) < 0 ? why : NULL;
}

const char *pk_name_trim(struct pk_piece *name, bool may_be_single)
{
	if (pk_piece_begins(*name, "*."))
		name->p += 2;
	else if (pk_piece_begins(*name, "."))
		name->p++;
	if (pk_piece_len(*name) > 1 && name->end[-1] == '.')
		name->end--;
	for (const char *p = name->p; p < name->end; p++)
		if (*p & 0x80)
			return idn_check(*name);
	return pk_name_check(name->p, pk_piece_len(*name), may_be_single);
}

void pk_reader_take(struct pk_reader *r, struct pk_piece text, unsigned what,
		    const struct pk_block_entry *like)
{
	const char *reason = "not a name", *end = NULL;
	struct pk_piece name;
	struct pk_span span;

	text = pk_piece_trim(text);
	name = text;
	if (what & PK_WANT_ADDR) {
		end = pk_span_scan(text.p, text.end, &span, &reason);
		if (end == text.end) {
			pk_reader_span(r, &span, like);
			return;
		}
	}
	if (what & PK_WANT_NAME) {
		const char *why = pk_name_trim(&name, !(what & PK_WANT_ADDR));

		if (!why) {
			pk_reader_name(r, name, like);
			return;
		}
		if (!(what & PK_WANT_ADDR) || (!end && name.p<name.end && * name.p> '9'))
			reason = why;
	}
	if (what & PK_OR_IGNORE)
		r->d->ignored++;
	else if (text.p == text.end)
		pk_reader_bad(r, text, "empty, expected an address");
	else
		pk_reader_bad(r, text, "%s", end ? "text after the address" : reason);
}
