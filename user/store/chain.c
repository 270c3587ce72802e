/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts and hashes of the chain. Members are written in the order of their names and numbers stay
 * below 2^53, so what is written is canonical as it is. It keeps nothing on disk.
 */
#include "store/chain.h"

#include "base/buf.h"
#include "base/hex.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int pk_chain_uid(char ret_uid[33])
{
	uint8_t r[16];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return errno ? -errno : -EIO;
	pk_hex(r, sizeof(r), ret_uid);
	return 0;
}

void pk_hash(const void *data, size_t len, uint8_t ret_hash[PK_HASH_SIZE])
{
	if (EVP_Digest(data, len, ret_hash, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* SHA-256 is built in: without it nothing recorded means anything */
}

/* Bytes of the UTF-8 character at s (RFC 3629), 0: it is none. */
static size_t utf8_len(const uint8_t *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (!n || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void canon_control(struct pk_buf *out, uint8_t c)
{
	static const char from[] = "\b\t\n\f\r", to[] = "btnfr";
	const char *p = strchr(from, c); /* c is never NUL */

	if (p)
		pk_buf_fmt(out, "\\%c", to[p - from]);
	else
		pk_buf_fmt(out, "\\u%04x", c);
}

void pk_canon_str(struct pk_buf *out, const char *s)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t n;

	pk_buf_char(out, '"');
	for (; *p; p += n) {
		n = utf8_len(p);
		if (n == 0) {
			pk_buf_fmt(out, "\\\\x%02x", *p);
			n = 1;
		} else if (*p == '"' || *p == '\\') {
			pk_buf_fmt(out, "\\%c", *p);
		} else if (*p < 0x20) {
			canon_control(out, *p);
		} else {
			pk_buf_add(out, p, n);
		}
	}
	pk_buf_char(out, '"');
}

void pk_chain_write(const struct pk_chain *c, const struct pk_chain_entry *e, struct pk_buf *out)
{
	char prev[2 * PK_HASH_SIZE + 1], object[2 * PK_HASH_SIZE + 1];

	pk_hex(c->head, PK_HASH_SIZE, prev);
	pk_hex(e->object, PK_HASH_SIZE, object);
	pk_buf_str(out, "{\"act\":");
	pk_canon_str(out, e->act);
	pk_buf_str(out, ",\"actor\":");
	pk_canon_str(out, e->actor);
	pk_buf_fmt(out, ",\"boot_time\":%" PRIu64 ",\"chain_uid\":\"%s\"", e->boot_ms, c->uid);
	pk_buf_fmt(out, ",\"fingerprint\":{\"algorithm_id\":3,\"value\":\"%s\"}", object);
	pk_buf_fmt(out, ",\"prev_event\":\"%s\",\"sequence\":%" PRIu64, prev, c->seq + 1);
	pk_buf_fmt(out, ",\"time\":%" PRIu64 ",\"type\":", e->time_ms);
	pk_canon_str(out, e->type);
	pk_buf_str(out, ",\"uid\":");
	pk_canon_str(out, e->uid);
	pk_buf_char(out, '}');
}

void pk_chain_advance(struct pk_chain *c, const uint8_t hash[PK_HASH_SIZE])
{
	c->seq++;
	memcpy(c->head, hash, PK_HASH_SIZE);
}
