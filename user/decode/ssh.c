/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clear part of SSH: identification and KEXINIT of one direction, and HASSH from the latter.
 * What comes behind KEXINIT is not looked at.
 */
#include "decode/ssh.h"

#include "base/cleanup.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#define PREFIX      "SSH-"
#define PREFIX_LEN  4
#define MSG_KEXINIT 20
#define COOKIE      16
#define PADDING_MIN 4
#define MD5_LEN     16

static struct pk_slice part(struct pk_slice s, uint32_t from, uint32_t to)
{
	return (struct pk_slice){ s.s + from, to - from };
}

static uint32_t find(struct pk_slice s, char c)
{
	const char *p = s.len ? memchr(s.s, c, s.len) : NULL;

	return p ? (uint32_t)(p - s.s) : s.len;
}

/* "SSH-protoversion-softwareversion SP comments", without its end. */
static enum pk_ssh_why split_id(struct pk_ssh *out, struct pk_slice id)
{
	struct pk_slice rest = part(id, PREFIX_LEN, id.len);
	uint32_t dash = find(rest, '-'), blank;

	out->id = id;
	if (!dash || dash == rest.len)
		return PK_SSH_MALFORMED;
	out->version = part(rest, 0, dash);
	rest = part(rest, dash + 1, rest.len);
	blank = find(rest, ' ');
	out->software = part(rest, 0, blank);
	if (blank < rest.len)
		out->comment = part(rest, blank + 1, rest.len);
	return out->software.len ? PK_SSH_OK : PK_SSH_MALFORMED;
}

/* One line, with *ret_after behind its end. SHORT: it does not end within max bytes that are there.
 */
static enum pk_ssh_why take_line(struct pk_slice s, uint32_t max, struct pk_slice *ret,
				 uint32_t *ret_after)
{
	uint32_t n = find(part(s, 0, s.len < max ? s.len : max), '\n');

	if (n == max)
		return PK_SSH_LONG;
	if (n == s.len)
		return PK_SSH_SHORT;
	*ret_after = n + 1;
	*ret = part(s, 0, n);
	return PK_SSH_OK;
}

static bool begins(struct pk_slice s)
{
	return s.len >= PREFIX_LEN && !memcmp(s.s, PREFIX, PREFIX_LEN);
}

/* Text that a server may send first: no control bytes but a tab. */
static bool is_text(struct pk_slice line)
{
	for (uint32_t i = 0; i < line.len; i++)
		if ((uint8_t)line.s[i] < 0x20 && line.s[i] != '\t' && line.s[i] != '\r')
			return false;
	return true;
}

/* Steps over lines before the identification. SHORT: it has not come yet. -EBADMSG: this is no SSH.
 */
static int skip_lines(struct pk_ssh *out, struct pk_slice s, uint32_t *at)
{
	struct pk_slice line;
	enum pk_ssh_why why;
	uint32_t after;

	while (!begins(part(s, *at, s.len))) {
		why = take_line(part(s, *at, s.len), PK_SSH_BEFORE_MAX - *at, &line, &after);
		if (why == PK_SSH_SHORT && is_text(part(s, *at, s.len))) {
			out->id_why = PK_SSH_SHORT;
			return 0;
		}
		if (why || !is_text(line) || *at + after >= PK_SSH_BEFORE_MAX)
			return -EBADMSG;
		out->lines_before++;
		*at += after;
	}
	out->id_why = PK_SSH_OK;
	return 0;
}

/* The identification, and lines before it. *at is then behind it. */
static int read_id(struct pk_ssh *out, struct pk_slice s, uint32_t *at)
{
	int r = skip_lines(out, s, at);
	struct pk_slice line;
	uint32_t after;

	if (r < 0 || out->id_why)
		return r;
	out->id_why = take_line(part(s, *at, s.len), PK_SSH_ID_MAX, &line, &after);
	if (out->id_why)
		return 0;
	*at += after;
	out->bare_lf = !line.len || line.s[line.len - 1] != '\r';
	if (!out->bare_lf)
		line.len--;
	out->id_why = split_id(out, line);
	return 0;
}

/* RFC 4253 6 (packet), 7.1 (KEXINIT), with no encryption and no MAC yet. */
static enum pk_ssh_why read_kex(struct pk_ssh *out, struct pk_slice s)
{
	struct pk_cursor c = pk_cursor_of(s.s, s.len), body;
	struct pk_slice list[PK_SSH_LISTS];
	uint32_t len = pk_cursor_u32(&c);
	uint8_t padding = pk_cursor_u8(&c), type = pk_cursor_u8(&c);

	if (s.len >= 4 && (len > PK_SSH_PACKET_MAX || len < 2 + PADDING_MIN))
		return s.len >= 4 && len > PK_SSH_PACKET_MAX ? PK_SSH_LONG : PK_SSH_MALFORMED;
	if (c.short_)
		return PK_SSH_SHORT;
	if (type != MSG_KEXINIT)
		return PK_SSH_NONE;
	if (padding < PADDING_MIN || padding > len - 2)
		return PK_SSH_MALFORMED;
	body = pk_cursor_sub(&c, len - 2 - padding);
	if (body.short_)
		return PK_SSH_SHORT;
	(void)pk_cursor_take(&body, COOKIE);
	for (unsigned i = 0; i < PK_SSH_LISTS; i++)
		list[i] = pk_cursor_slice(&body, pk_cursor_u32(&body));
	out->kex_follows = pk_cursor_u8(&body);
	(void)pk_cursor_u32(&body); /* reserved */
	if (body.short_) {
		out->kex_follows = false;
		return PK_SSH_MALFORMED;
	}
	memcpy(out->list, list, sizeof(list));
	return PK_SSH_OK;
}

int pk_ssh_decode(struct pk_ssh *ret, const void *data, size_t len)
{
	struct pk_ssh out = { .id_why = PK_SSH_NONE, .kex_why = PK_SSH_SHORT };
	struct pk_slice s = { data, len < UINT32_MAX ? (uint32_t)len : UINT32_MAX };
	uint32_t at = 0;
	int r;

	if (!len)
		return -EBADMSG;
	/* A packet's length has a zero byte first, a line of text has not. */
	if (s.s[0] != '\0') {
		r = read_id(&out, s, &at);
		if (r < 0)
			return r;
	}
	if (out.id_why == PK_SSH_OK || out.id_why == PK_SSH_NONE)
		out.kex_why = read_kex(&out, part(s, at, s.len));
	/* Without an identification it must be a KEXINIT, or nobody knows what it is. */
	if (out.id_why == PK_SSH_NONE && out.kex_why != PK_SSH_OK &&
	    !(out.kex_why == PK_SSH_SHORT && s.len >= 6))
		return -EBADMSG;
	*ret = out;
	return 0;
}

static bool digest_lists(EVP_MD_CTX *ctx, const struct pk_slice *lists, const uint8_t *order,
			 size_t n)
{
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++)
		ok = (!i || EVP_DigestUpdate(ctx, ";", 1)) &&
		     EVP_DigestUpdate(ctx, lists[order[i]].s, lists[order[i]].len);
	return ok;
}

int pk_ssh_hassh(const struct pk_ssh *s, bool server, char ret_hex[PK_SSH_HASSH_TEXT])
{
	static const uint8_t client_lists[] = { PK_SSH_KEX, PK_SSH_ENC_CLIENT, PK_SSH_MAC_CLIENT,
						PK_SSH_COMP_CLIENT };
	static const uint8_t server_lists[] = { PK_SSH_KEX, PK_SSH_ENC_SERVER, PK_SSH_MAC_SERVER,
						PK_SSH_COMP_SERVER };
	const uint8_t *order = server ? server_lists : client_lists;
	uint8_t md[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx;
	bool ok;

	if (s->kex_why != PK_SSH_OK)
		return -ENODATA;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) &&
	     digest_lists(ctx, s->list, order, PK_ARRAY_SIZE(client_lists)) &&
	     EVP_DigestFinal_ex(ctx, md, NULL);
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return -ENOTSUP;
	for (unsigned i = 0; i < MD5_LEN; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", md[i]);
	return 0;
}

bool pk_ssh_is(const void *data, size_t len)
{
	/* A version that exists, so that other text with these letters is not taken for it. */
	return len > PREFIX_LEN && !memcmp(data, PREFIX, PREFIX_LEN) &&
	       (((const char *)data)[PREFIX_LEN] == '1' || ((const char *)data)[PREFIX_LEN] == '2');
}

const char *pk_ssh_why_name(uint8_t why)
{
	static const char *const names[PK_SSH_WHYS] = {
		[PK_SSH_OK] = "ok",
		[PK_SSH_SHORT] = "short",
		[PK_SSH_NONE] = "none",
		[PK_SSH_LONG] = "too long",
		[PK_SSH_MALFORMED] = "malformed",
	};

	return why < PK_SSH_WHYS ? names[why] : NULL;
}
