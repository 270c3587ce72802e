/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP echo: identity, size, entropy, and which program's pattern fills it. */
#include "decode/icmp.h"

#include "base/cursor.h"

#include <errno.h>
#include <math.h>

#define HEADER       8
#define STAMP        16 /* bytes of a time that ping puts before its pattern, at most */
#define LETTERS_MIN  8
#define CONSTANT_MIN 4

/* The type of an echo request and of its reply, by version. */
static bool is_echo(uint8_t version, uint8_t type, bool *ret_request)
{
	*ret_request = type == (version == 6 ? 128 : 8);
	return *ret_request || type == (version == 6 ? 129 : 0);
}

uint16_t pk_icmp_entropy(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t count[256] = { 0 };
	double bits = 0;

	for (size_t i = 0; i < len; i++)
		count[p[i]]++;
	for (unsigned i = 0; i < 256 && len; i++)
		if (count[i])
			bits -= count[i] * log2((double)count[i] / (double)len);
	return len ? (uint16_t)lround(100 * bits / (double)len) : 0;
}

static bool is_constant(const uint8_t *p, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (p[i] != p[0])
			return false;
	return n >= CONSTANT_MIN;
}

/* iputils: byte i is i, but for a time of 8 or 16 bytes at the start; BSD counts behind it as well.
 */
static bool is_counting(const uint8_t *p, size_t n)
{
	if (n < STAMP + 8)
		return false;
	for (size_t i = STAMP; i < n; i++)
		if (p[i] != (uint8_t)(p[STAMP] + (i - STAMP)))
			return false;
	return p[STAMP] == STAMP || p[STAMP] == 0 || p[STAMP] == 8;
}

/* Windows: a to w, again and again. */
static bool is_letters(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 'a' + i % 23)
			return false;
	return n >= LETTERS_MIN;
}

/* Behind a time stamp, whose size the program chooses (busybox 4, fping 16). */
static bool is_constant_behind_stamp(const uint8_t *p, size_t n)
{
	return n > STAMP && is_constant(p + STAMP, n - STAMP);
}

static enum pk_icmp_fill fill_of(const uint8_t *p, size_t n)
{
	if (!n)
		return PK_ICMP_EMPTY;
	if (is_constant(p, n) || is_constant_behind_stamp(p, n))
		return PK_ICMP_CONSTANT;
	if (is_letters(p, n))
		return PK_ICMP_LETTERS;
	return is_counting(p, n) ? PK_ICMP_COUNTING : PK_ICMP_OTHER;
}

int pk_icmp_decode(struct pk_icmp *ret, uint8_t version, const void *data, size_t len,
		   size_t wire_len)
{
	struct pk_cursor c = pk_cursor_of(data, len);
	struct pk_icmp out = { .version = version };
	const uint8_t *payload;

	out.type = pk_cursor_u8(&c);
	out.code = pk_cursor_u8(&c);
	(void)pk_cursor_u16(&c); /* checksum */
	out.id = pk_cursor_u16(&c);
	out.seq = pk_cursor_u16(&c);
	if (c.short_)
		return -ENODATA;
	out.echo = is_echo(version, out.type, &out.request);
	if (out.echo) {
		out.looked = (uint32_t)pk_cursor_left(&c);
		out.size = wire_len > len ? (uint32_t)(wire_len - HEADER) : out.looked;
		payload = pk_cursor_take(&c, out.looked);
		out.entropy = pk_icmp_entropy(payload, out.looked);
		/* What was not there to look at is not empty. */
		out.fill = out.looked || !out.size ? fill_of(payload, out.looked) : PK_ICMP_OTHER;
	} else {
		out.id = out.seq = 0;
	}
	*ret = out;
	return 0;
}

const char *pk_icmp_fill_name(uint8_t fill)
{
	static const char *const names[PK_ICMP_FILLS] = {
		[PK_ICMP_OTHER] = "other",       [PK_ICMP_EMPTY] = "empty",
		[PK_ICMP_COUNTING] = "counting", [PK_ICMP_LETTERS] = "letters",
		[PK_ICMP_CONSTANT] = "constant",
	};

	return fill < PK_ICMP_FILLS ? names[fill] : NULL;
}
