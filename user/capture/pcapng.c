/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the five things of a pcapng file that a recording needs, and reads as much of a block as
 * splitting a stream takes. No packaged library writes comments (libpcap knows no options), so it
 * is done here and checked with theirs. It keeps nothing: numbers of interfaces are the caller's.
 */
#include "capture/pcapng.h"

#include "base/buf.h"
#include "base/escape.h"

#include <string.h>

#define HEAD_LEN  8  /* type and length of a block */
#define BLOCK_MIN 12 /* with the length behind it */
/* no block that we make or take is larger: a packet of 64 KiB with its options */
#define BLOCK_MAX (1u << 20)
#define TEXT_MAX  2048 /* bytes of a text option */

/* Option codes; the same number means another thing in another block. */
enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_HARDWARE = 2,
	SHB_OS = 3,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	EPB_FLAGS = 2,
	EPB_DROPCOUNT = 4,
	ISB_STARTTIME = 2,
	ISB_ENDTIME = 3,
	ISB_IFRECV = 4,
	ISB_IFDROP = 5,
	ISB_OSDROP = 7,
	ISB_USRDELIV = 8,
};

#define TSRESOL_NS 9 /* timestamps count 10^-9 s */

static void put_u8(struct pk_buf *b, uint8_t v)
{
	pk_buf_add(b, &v, sizeof(v));
}

static void put_u16(struct pk_buf *b, uint16_t v)
{
	pk_buf_add(b, &v, sizeof(v));
}

static void put_u32(struct pk_buf *b, uint32_t v)
{
	pk_buf_add(b, &v, sizeof(v));
}

/* Upper half first, whatever the byte order of the halves: 4.3 of the draft. */
static void put_time(struct pk_buf *b, uint64_t ns)
{
	put_u32(b, (uint32_t)(ns >> 32));
	put_u32(b, (uint32_t)ns);
}

static void pad4(struct pk_buf *b, size_t len)
{
	static const char zero[4];

	pk_buf_add(b, zero, -len & 3);
}

static void option(struct pk_buf *b, uint16_t code, const void *data, size_t len)
{
	put_u16(b, code);
	put_u16(b, (uint16_t)len);
	pk_buf_add(b, data, len);
	pad4(b, len);
}

static void option_u64(struct pk_buf *b, uint16_t code, uint64_t v)
{
	option(b, code, &v, sizeof(v));
}

static void option_time(struct pk_buf *b, uint16_t code, uint64_t ns)
{
	put_u16(b, code);
	put_u16(b, sizeof(ns));
	put_time(b, ns);
}

/* Not in the middle of a character: the text is valid UTF-8. */
static size_t cut_text(const char *s, size_t len)
{
	if (len <= TEXT_MAX)
		return len;
	for (len = TEXT_MAX; len && ((unsigned char)s[len] & 0xc0) == 0x80; len--)
		;
	return len;
}

/* Escaped where it stands: a comment comes with every packet. lead: bytes before the text. */
static void option_text(struct pk_buf *b, uint16_t code, const char *lead, size_t lead_len,
			const char *s)
{
	size_t at = b->len, text = at + 4 + lead_len;
	uint16_t len;

	if (!s || !*s)
		return;
	put_u16(b, code);
	put_u16(b, 0);
	pk_buf_add(b, lead, lead_len);
	pk_escape_text(b, s, strlen(s));
	if (b->error)
		return;
	b->len = text + cut_text(b->data + text, b->len - text);
	len = (uint16_t)(b->len - at - 4);
	memcpy(b->data + at + 2, &len, sizeof(len));
	pad4(b, len);
}

static void option_str(struct pk_buf *b, uint16_t code, const char *s)
{
	option_text(b, code, NULL, 0, s);
}

/* Where the block begins, for its end. */
static size_t begin(struct pk_buf *b, uint32_t type)
{
	size_t at = b->len;

	put_u32(b, type);
	put_u32(b, 0);
	return at;
}

static void end(struct pk_buf *b, size_t at)
{
	uint32_t len = (uint32_t)(b->len - at + sizeof(len));

	put_u32(b, len);
	if (!b->error)
		memcpy(b->data + at + sizeof(uint32_t), &len, sizeof(len));
}

void pk_pcapng_section(struct pk_buf *b, const struct pk_pcapng_section *s)
{
	size_t at = begin(b, PK_PCAPNG_SECTION);

	put_u32(b, PK_PCAPNG_MAGIC);
	put_u16(b, 1); /* version 1.0 */
	put_u16(b, 0);
	put_u32(b, UINT32_MAX); /* length of the section: not known */
	put_u32(b, UINT32_MAX);
	option_str(b, SHB_HARDWARE, s->hardware);
	option_str(b, SHB_OS, s->os);
	option_str(b, SHB_USERAPPL, s->application);
	option(b, OPT_END, NULL, 0);
	end(b, at);
}

void pk_pcapng_iface(struct pk_buf *b, const struct pk_pcapng_iface *i)
{
	size_t at = begin(b, PK_PCAPNG_INTERFACE);

	put_u16(b, i->linktype);
	put_u16(b, 0);
	put_u32(b, i->snaplen);
	option_str(b, IF_NAME, i->name);
	option_str(b, IF_DESCRIPTION, i->description);
	put_u16(b, IF_TSRESOL);
	put_u16(b, 1);
	put_u8(b, TSRESOL_NS);
	pad4(b, 1);
	option_text(b, IF_FILTER, "", 1, i->filter); /* 0: as text */
	option(b, OPT_END, NULL, 0);
	end(b, at);
}

void pk_pcapng_packet(struct pk_buf *b, const struct pk_pcapng_packet *p)
{
	size_t at = begin(b, PK_PCAPNG_PACKET);
	uint32_t flags = p->way;

	put_u32(b, p->iface);
	put_time(b, p->ts_ns);
	put_u32(b, p->len);
	put_u32(b, p->wire_len);
	pk_buf_add(b, p->data, p->len);
	pad4(b, p->len);
	option_str(b, OPT_COMMENT, p->comment);
	if (flags)
		option(b, EPB_FLAGS, &flags, sizeof(flags));
	if (p->dropped)
		option_u64(b, EPB_DROPCOUNT, p->dropped);
	option(b, OPT_END, NULL, 0);
	end(b, at);
}

void pk_pcapng_stats(struct pk_buf *b, const struct pk_pcapng_stats *s)
{
	size_t at = begin(b, PK_PCAPNG_STATS);

	put_u32(b, s->iface);
	put_time(b, s->ts_ns);
	option_str(b, OPT_COMMENT, s->comment);
	option_time(b, ISB_STARTTIME, s->start_ns);
	option_time(b, ISB_ENDTIME, s->end_ns);
	option_u64(b, ISB_IFRECV, s->received);
	option_u64(b, ISB_IFDROP, s->dropped);
	option_u64(b, ISB_OSDROP, s->os_dropped);
	option_u64(b, ISB_USRDELIV, s->delivered);
	option(b, OPT_END, NULL, 0);
	end(b, at);
}

static uint32_t get_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint16_t get_u16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

bool pk_pcapng_block(const void *data, size_t len, uint32_t *ret_type, uint32_t *ret_len)
{
	const uint8_t *p = data;
	uint32_t n;

	*ret_type = *ret_len = 0;
	if (len < HEAD_LEN)
		return false;
	n = get_u32(p + 4);
	if (n < BLOCK_MIN || n > BLOCK_MAX || n % 4)
		return false;
	*ret_type = get_u32(p);
	*ret_len = n;
	return true;
}

/* Of the options from at to stop; NULL: there is none with this code. */
static const uint8_t *find_option(const uint8_t *p, size_t at, size_t stop, uint16_t code,
				  size_t *ret_len)
{
	while (at + 4 <= stop) {
		uint16_t c = get_u16(p + at);
		size_t n = get_u16(p + at + 2);

		at += 4;
		if (c == OPT_END || n > stop - at)
			return NULL;
		if (c == code) {
			*ret_len = n;
			return p + at;
		}
		at += (n + 3) & ~(size_t)3;
	}
	return NULL;
}

bool pk_pcapng_read_packet(const void *block, size_t len, struct pk_pcapng_seen *ret_seen)
{
	const uint8_t *p = block;
	struct pk_pcapng_seen s = { 0 };
	size_t at, stop, n;

	if (len < HEAD_LEN + 20 + sizeof(uint32_t) || len % 4)
		return false;
	s.iface = get_u32(p + 8);
	s.ts_ns = (uint64_t)get_u32(p + 12) << 32 | get_u32(p + 16);
	s.len = get_u32(p + 20);
	s.wire_len = get_u32(p + 24);
	stop = len - sizeof(uint32_t);
	at = HEAD_LEN + 20;
	if (s.len > stop - at)
		return false;
	at += (s.len + 3u) & ~3u;
	p = find_option(block, at, stop, EPB_DROPCOUNT, &n);
	if (p && n == sizeof(s.dropped))
		memcpy(&s.dropped, p, n);
	*ret_seen = s;
	return true;
}

const char *pk_pcapng_read_comment(const void *block, size_t len, size_t *ret_len)
{
	if (len < HEAD_LEN + 12 + sizeof(uint32_t) || len % 4)
		return NULL;
	return (const char *)find_option(block, HEAD_LEN + 12, len - sizeof(uint32_t), OPT_COMMENT,
					 ret_len);
}
