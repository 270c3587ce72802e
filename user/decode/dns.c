/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS messages: header, sections, names. The data of records is dns_rdata.c's, words for numbers
 * are dns_text.c's. What follows a name, a count or a length stays within the message whatever it
 * says.
 */
#include "decode/dns.h"

#include "base/cleanup.h"
#include "decode/dns_own.h"

#include <errno.h>
#include <string.h>

#define HEADER       12
#define NAME_MAX_LEN 255    /* on the wire, lengths and root included */
#define POINTERS_MAX 127    /* a name has no more labels than that */
#define ESCAPED_MAX  4      /* characters that one byte can become */
#define QUESTION_FIX 4      /* type, class */
#define RR_FIX       10     /* type, class, TTL, length */
#define CLASS_TOP    0x8000 /* multicast DNS: QU, cache flush */
#define MESSAGE_MAX  65535

#define FLAG_QR 0x8000
#define FLAG_AA 0x0400
#define FLAG_TC 0x0200
#define FLAG_RD 0x0100
#define FLAG_RA 0x0080
#define FLAG_Z  0x0040
#define FLAG_AD 0x0020
#define FLAG_CD 0x0010

static uint16_t u16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* One label in lower case behind text[at]; returns where the text ends then. There is room. */
static size_t put_label(char *text, size_t at, const uint8_t *label, size_t n, bool *mixed)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = label[i];

		if (c >= 'A' && c <= 'Z') {
			text[at++] = (char)(c | 0x20);
			*mixed = true;
		} else if (c == '.' || c == '\\') {
			text[at++] = '\\';
			text[at++] = (char)c;
		} else if (c > 0x20 && c < 0x7f) {
			text[at++] = (char)c;
		} else {
			text[at++] = '\\';
			text[at++] = (char)('0' + c / 100);
			text[at++] = (char)('0' + c / 10 % 10);
			text[at++] = (char)('0' + c % 10);
		}
	}
	return at;
}

static bool name_known(const struct dns_reader *r, size_t at, struct dns_name *ret)
{
	for (unsigned i = 0; i < r->n_known; i++)
		if (r->known[i].at == at) {
			*ret = (struct dns_name){ .s = r->out->text + r->known[i].text,
						  .len = r->known[i].len,
						  .mixed = r->known[i].mixed };
			return true;
		}
	return false;
}

static void name_keep(struct dns_reader *r, size_t at, const struct dns_name *name)
{
	if (r->n_known == PK_ARRAY_SIZE(r->known))
		return;
	r->known[r->n_known].at = (uint16_t)at;
	r->known[r->n_known].text = (uint16_t)(name->s - r->out->text);
	r->known[r->n_known].len = name->len;
	r->known[r->n_known++].mixed = name->mixed;
}

/*
 * Where a name is being read. Pointers lead back, before the place where their stretch of labels
 * began (RFC 1035 4.1.4: "a prior occurrence"). Public resolvers also follow one that leads
 * forward, so that a query could hide its name from us: one such jump is followed and marked.
 * Whoever would read for ever needs one in each round.
 */
struct walk {
	size_t at;
	size_t from;  /* start of this stretch of labels */
	size_t end;   /* bytes that it may touch end here */
	size_t after; /* behind the name's own bytes; 0: no pointer yet */
	unsigned pointers;
	bool forward;
};

static enum pk_dns_why follow(const struct dns_reader *r, struct walk *w)
{
	size_t to;

	if (w->end - w->at < 2)
		return PK_DNS_SHORT;
	to = u16_at(r->msg + w->at) & 0x3fff;
	if (to < HEADER || ++w->pointers > POINTERS_MAX)
		return PK_DNS_POINTER;
	if (to >= w->from) {
		if (w->forward)
			return PK_DNS_LOOP;
		w->forward = true;
	}
	if (!w->after)
		w->after = w->at + 2;
	w->at = w->from = to;
	w->end = r->len;
	return PK_DNS_OK;
}

/* The labels of a name as text behind what is in out->text. *ret_len of it; r->at is not moved. */
static enum pk_dns_why read_labels(struct dns_reader *r, struct walk *w, size_t *ret_len,
				   bool *mixed)
{
	struct pk_dns *out = r->out;
	size_t at = out->text_len, wire = 1;

	for (;;) {
		enum pk_dns_why why;
		uint8_t n;

		if (w->at >= w->end)
			return PK_DNS_SHORT;
		n = r->msg[w->at];
		if (n >= 0xc0) {
			why = follow(r, w);
			if (why)
				return why;
			continue;
		}
		if (n >= 0x40)
			return PK_DNS_LABEL;
		if (!n)
			break;
		if (w->end - w->at < 1U + n)
			return PK_DNS_SHORT;
		wire += 1U + n;
		if (wire > NAME_MAX_LEN)
			return PK_DNS_NAME;
		if (sizeof(out->text) - at < (size_t)n * ESCAPED_MAX + 2)
			return PK_DNS_MANY;
		if (at > out->text_len)
			out->text[at++] = '.';
		at = put_label(out->text, at, r->msg + w->at + 1, n, mixed);
		w->at += 1U + n;
	}
	if (!w->after)
		w->after = w->at + 1;
	*ret_len = at - out->text_len;
	return PK_DNS_OK;
}

enum pk_dns_why pk_dns_name_read(struct dns_reader *r, size_t end, struct dns_name *ret)
{
	struct walk w = { .at = r->at, .from = r->at, .end = end };
	struct dns_name name = { .s = ".", .len = 1 };
	enum pk_dns_why why;
	bool mixed = false;
	size_t len = 0;

	/* The usual case: a pointer alone, to a name that is known. */
	if (end - r->at >= 2 && r->msg[r->at] >= 0xc0 &&
	    (size_t)(u16_at(r->msg + r->at) & 0x3fff) < r->at &&
	    name_known(r, u16_at(r->msg + r->at) & 0x3fff, ret)) {
		r->at += 2;
		return PK_DNS_OK;
	}
	why = read_labels(r, &w, &len, &mixed);
	if (why)
		return why;
	if (len) {
		name = (struct dns_name){ .s = r->out->text + r->out->text_len,
					  .len = (uint16_t)len,
					  .mixed = mixed };
		r->out->text[r->out->text_len + len] = '\0';
		r->out->text_len += len + 1;
		name_keep(r, r->at, &name);
	}
	r->out->forward |= w.forward;
	*ret = name;
	r->at = w.after;
	return PK_DNS_OK;
}

static enum pk_dns_why read_question(struct dns_reader *r, enum pk_dns_kind kind)
{
	struct pk_dns *out = r->out;
	struct pk_dns_question *q;
	struct dns_name name;
	enum pk_dns_why why;

	if (out->n_questions == PK_DNS_QUESTIONS_MAX)
		return PK_DNS_MANY;
	why = pk_dns_name_read(r, r->len, &name);
	if (why)
		return why;
	if (r->len - r->at < QUESTION_FIX)
		return PK_DNS_SHORT;
	q = &out->questions[out->n_questions++];
	*q = (struct pk_dns_question){ .name = name.s,
				       .name_len = name.len,
				       .mixed_case = name.mixed,
				       .type = u16_at(r->msg + r->at),
				       .class = u16_at(r->msg + r->at + 2) };
	if (kind == PK_DNS_MULTICAST) {
		q->unicast = q->class & CLASS_TOP;
		q->class &= ~CLASS_TOP;
	}
	r->at += QUESTION_FIX;
	return PK_DNS_OK;
}

/* OPT: its class is a size, its TTL three fields (RFC 6891 6.1.3). */
static enum pk_dns_why read_opt(struct dns_reader *r, uint16_t size, uint32_t ttl,
				struct pk_slice options)
{
	struct pk_dns *out = r->out;

	out->edns.seen = true;
	out->edns.udp_size = size;
	out->edns.version = ttl >> 16 & 0xff;
	out->edns.dnssec_ok = ttl & 0x8000;
	out->rcode |= (ttl >> 24) << 4;
	if (pk_dns_options_read(r, options))
		out->bad_rdata++;
	return PK_DNS_OK;
}

static enum pk_dns_why read_rr(struct dns_reader *r, enum pk_dns_kind kind,
			       enum pk_dns_section section)
{
	struct pk_dns *out = r->out;
	struct pk_dns_rr *rr;
	struct dns_name name;
	struct pk_cursor c;
	enum pk_dns_why why;
	uint16_t type, class;
	uint32_t ttl;
	size_t data;

	why = pk_dns_name_read(r, r->len, &name);
	if (why)
		return why;
	if (r->len - r->at < RR_FIX)
		return PK_DNS_SHORT;
	c = pk_cursor_of(r->msg + r->at, RR_FIX);
	type = pk_cursor_u16(&c);
	class = pk_cursor_u16(&c);
	ttl = pk_cursor_u32(&c);
	data = pk_cursor_u16(&c);
	if (type == PK_DNS_OPT_RR &&
	    (section != PK_DNS_ADDITIONAL || out->edns.seen || *name.s != '.'))
		return PK_DNS_OPT;
	if (type != PK_DNS_OPT_RR && out->n_rrs == PK_DNS_RRS_MAX)
		return PK_DNS_MANY;
	if (r->len - r->at - RR_FIX < data)
		return PK_DNS_SHORT;
	r->at += RR_FIX;
	if (type == PK_DNS_OPT_RR) {
		struct pk_slice options = { (const char *)r->msg + r->at, (uint32_t)data };

		r->at += data;
		return read_opt(r, class, ttl, options);
	}
	rr = &out->rrs[out->n_rrs++];
	*rr = (struct pk_dns_rr){ .name = name.s,
				  .name_len = name.len,
				  .type = type,
				  .class = class,
				  .ttl = ttl > INT32_MAX ? 0 : ttl,
				  .section = section,
				  .rdata = { (const char *)r->msg + r->at, (uint32_t)data } };
	if (kind == PK_DNS_MULTICAST) {
		rr->flush = class & CLASS_TOP;
		rr->class &= ~CLASS_TOP;
	}
	data += r->at;
	rr->why = pk_dns_rdata_read(r, rr);
	if (rr->why > PK_DNS_RAW)
		out->bad_rdata++;
	r->at = data;
	return PK_DNS_OK;
}

static void read_header(struct pk_dns *out, const uint8_t *msg)
{
	uint16_t f = u16_at(msg + 2);

	/* Not all of it: the arrays are large, and filled as they are used. */
	memset(out, 0, offsetof(struct pk_dns, questions));
	out->text_len = 0;
	out->id = u16_at(msg);
	out->flags = f;
	out->response = f & FLAG_QR;
	out->opcode = f >> 11 & 0xf;
	out->authoritative = f & FLAG_AA;
	out->truncated = f & FLAG_TC;
	out->recursion_desired = f & FLAG_RD;
	out->recursion_available = f & FLAG_RA;
	out->authentic = f & FLAG_AD;
	out->checking_off = f & FLAG_CD;
	out->rcode = f & 0xf;
	for (unsigned i = 0; i < 4; i++)
		out->total[i] = u16_at(msg + 4 + 2 * i);
}

static enum pk_dns_why read_sections(struct dns_reader *r, enum pk_dns_kind kind)
{
	size_t before = r->at;
	enum pk_dns_why why;

	for (unsigned i = 0; i < r->out->total[0]; i++, before = r->at) {
		why = read_question(r, kind);
		if (why) {
			r->at = before;
			return why;
		}
	}
	for (unsigned s = 0; s < 3; s++)
		for (unsigned i = 0; i < r->out->total[1 + s]; i++, before = r->at) {
			why = read_rr(r, kind, s);
			if (why) {
				r->at = before;
				return why;
			}
		}
	return r->at == r->len ? PK_DNS_OK : PK_DNS_TRAILING;
}

int pk_dns_decode(struct pk_dns *ret, enum pk_dns_kind kind, const void *data, size_t len)
{
	struct dns_reader r = { .out = ret, .msg = data, .at = HEADER };

	if (len < HEADER)
		return -ENODATA;
	r.len = len < MESSAGE_MAX ? len : MESSAGE_MAX;
	read_header(ret, data);
	ret->why = read_sections(&r, kind);
	ret->why_at = (uint16_t)r.at;
	return ret->why ? -EBADMSG : 0;
}

bool pk_dns_tcp_next(struct pk_cursor *c, struct pk_slice *ret_msg, size_t *ret_missing)
{
	size_t left = pk_cursor_left(c), want;
	const char *p = (const char *)c->data + (left ? c->at : 0);

	*ret_msg = (struct pk_slice){ 0 };
	if (left < 2) {
		*ret_missing = 2 - left;
		return false;
	}
	want = u16_at(c->data + c->at);
	if (left - 2 < want) {
		*ret_msg = (struct pk_slice){ p + 2, (uint32_t)(left - 2) };
		*ret_missing = want - (left - 2);
		return false;
	}
	*ret_msg = (struct pk_slice){ p + 2, (uint32_t)want };
	*ret_missing = 0;
	c->at += 2 + want;
	return true;
}

/* Behind the first name of a message, which can't be compressed; 0: that is no name. */
static size_t first_name_end(const uint8_t *msg, size_t len, bool *ret_cut)
{
	size_t at = HEADER;

	*ret_cut = false;
	while (at < len && msg[at] < 0x40) {
		if (!msg[at])
			return at + 1;
		at += 1U + msg[at];
		if (at - HEADER >= NAME_MAX_LEN)
			return 0;
	}
	*ret_cut = at >= len;
	return 0;
}

bool pk_dns_is(const void *data, size_t len)
{
	const uint8_t *msg = data;
	uint16_t flags, class;
	size_t at;
	bool cut;

	if (len < HEADER)
		return false;
	flags = u16_at(msg + 2);
	/* Opcodes: query, status, notify, update; 1 and 6 are hardly met, 3 and above 6 not given.
	 */
	if (flags & FLAG_Z || !(0x35 >> (flags >> 11 & 0xf) & 1))
		return false;
	if (!(flags & FLAG_QR) && (flags & 0xf || flags & FLAG_RA))
		return false;
	/* Without a question it must be an answer, with answers: multicast DNS, or later messages
	 * of a zone transfer. */
	if (!u16_at(msg + 4) && (!(flags & FLAG_QR) || !u16_at(msg + 6)))
		return false;
	if (u16_at(msg + 4) > 32 || u16_at(msg + 6) > 4096 || u16_at(msg + 8) > 4096 ||
	    u16_at(msg + 10) > 256)
		return false;
	at = first_name_end(msg, len, &cut);
	if (!at)
		return cut;
	if (len - at < QUESTION_FIX)
		return true;
	class = u16_at(msg + at + 2) & ~CLASS_TOP;
	return u16_at(msg + at) && (class == 1 || class == 3 || class == 4 || class >= 254) &&
	       class <= 255;
}

bool pk_dns_alpn_next(struct pk_slice *list, struct pk_slice *ret_id)
{
	struct pk_cursor c = pk_cursor_of(list->s, list->len);
	size_t n = pk_cursor_u8(&c);

	*ret_id = pk_cursor_slice(&c, n);
	if (c.short_ || !n)
		return false;
	*list = (struct pk_slice){ list->s + c.at, list->len - (uint32_t)c.at };
	return true;
}
