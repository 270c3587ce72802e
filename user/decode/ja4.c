/* SPDX-License-Identifier: Apache-2.0 */
/* JA4 and JA3 of a ClientHello, as their authors specify them. Digests are the TLS library's. */
#include "decode/ja4.h"

#include "base/cleanup.h"
#include "decode/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define NUMBERS_MAX (PK_TLS_HELLO_MAX / 2) /* 16-bit numbers that fit a hello */
#define HASH_CHARS  12
#define NO_HASH     "000000000000"

#define EXT_SNI  0x0000
#define EXT_ALPN 0x0010

struct pk_ja4 {
	EVP_MD *sha256, *md5; /* md5 may be NULL: FIPS */
	EVP_MD_CTX *ctx;
	uint16_t list[NUMBERS_MAX], spare[NUMBERS_MAX];
};

/* Text that is hashed, or put together, as it is made. */
struct sink {
	EVP_MD_CTX *ctx; /* NULL: to text */
	char *text;
	size_t cap;
	size_t total; /* made so far */
	size_t fill;  /* of buf */
	bool failed;
	char buf[512];
};

static const char hex[] = "0123456789abcdef";

static void flush(struct sink *s)
{
	size_t at = s->total - s->fill, room = s->cap > at ? s->cap - at : 0;

	if (s->ctx)
		s->failed |= EVP_DigestUpdate(s->ctx, s->buf, s->fill) != 1;
	else if (room)
		memcpy(s->text + at, s->buf, s->fill < room ? s->fill : room);
	s->fill = 0;
}

static void put(struct sink *s, char c)
{
	if (s->fill == sizeof(s->buf))
		flush(s);
	s->buf[s->fill++] = c;
	s->total++;
}

static void put_hex(struct sink *s, uint16_t v)
{
	put(s, hex[v >> 12]);
	put(s, hex[v >> 8 & 15]);
	put(s, hex[v >> 4 & 15]);
	put(s, hex[v & 15]);
}

static void put_decimal(struct sink *s, uint16_t v)
{
	char digits[5];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		put(s, digits[--n]);
}

/* Writes size bytes of the digest as hexadecimal text, NUL ended. */
static int finish(struct sink *s, size_t size, char *out)
{
	unsigned char sum[EVP_MAX_MD_SIZE];

	flush(s);
	if (s->failed || EVP_DigestFinal_ex(s->ctx, sum, NULL) != 1)
		return -EIO;
	for (size_t i = 0; i < size; i++) {
		*out++ = hex[sum[i] >> 4];
		*out++ = hex[sum[i] & 15];
	}
	*out = '\0';
	return 0;
}

/* Least significant byte first, stable: time does not depend on what a client chose to send. */
static void sort_many(uint16_t *list, uint16_t *spare, size_t n)
{
	uint16_t *from = list, *to = spare, *swap;

	for (int shift = 0; shift < 16; shift += 8) {
		size_t start[257] = { 0 };

		for (size_t i = 0; i < n; i++)
			start[(from[i] >> shift & 255) + 1]++;
		for (size_t i = 1; i < 257; i++)
			start[i] += start[i - 1];
		for (size_t i = 0; i < n; i++)
			to[start[from[i] >> shift & 255]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
}

static void sort(uint16_t *list, uint16_t *spare, size_t n)
{
	size_t k;
	uint16_t v;

	if (n > 64) {
		sort_many(list, spare, n);
		return;
	}
	for (size_t i = 1; i < n; i++) {
		v = list[i];
		for (k = i; k && list[k - 1] > v; k--)
			list[k] = list[k - 1];
		list[k] = v;
	}
}

/* The numbers of a list but GREASE, into j->list; returns how many. */
static size_t take_numbers(struct pk_ja4 *j, struct pk_slice from)
{
	size_t n = 0;
	uint16_t v;

	for (size_t i = 0; i < from.len / 2; i++) {
		v = pk_tls_u16(from, i);
		if (!pk_tls_is_grease(v))
			j->list[n++] = v;
	}
	return n;
}

/* The types of extensions but GREASE, SNI and ALPN; *ret_all counts those two as well. */
static size_t take_extensions(struct pk_ja4 *j, struct pk_slice block, size_t *ret_all)
{
	struct pk_cursor c = pk_cursor_of(block.s ? block.s : "", block.len);
	struct pk_slice body;
	size_t n = 0;
	uint16_t type;

	*ret_all = 0;
	while (pk_tls_extension_next(&c, &type, &body)) {
		if (pk_tls_is_grease(type))
			continue;
		++*ret_all;
		if (type != EXT_SNI && type != EXT_ALPN)
			j->list[n++] = type;
	}
	return n;
}

static void put_list(struct sink *s, const uint16_t *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			put(s, ',');
		put_hex(s, list[i]);
	}
}

/* "_" and the numbers in the client's order; nothing when there are none. */
static void put_sigalgs(struct sink *s, struct pk_slice sigalgs)
{
	char before = '_';
	uint16_t v;

	for (size_t i = 0; i < sigalgs.len / 2; i++) {
		v = pk_tls_u16(sigalgs, i);
		if (pk_tls_is_grease(v))
			continue;
		put(s, before);
		put_hex(s, v);
		before = ',';
	}
}

/* One hash of JA4: of the n numbers of j->list, sorted, and what sigalgs adds. */
static int hash_part(struct pk_ja4 *j, size_t n, struct pk_slice sigalgs, char *out)
{
	struct sink s = { .ctx = j->ctx };

	if (!n) {
		memcpy(out, NO_HASH, sizeof(NO_HASH));
		return 0;
	}
	if (EVP_DigestInit_ex2(j->ctx, j->sha256, NULL) != 1)
		return -EIO;
	sort(j->list, j->spare, n);
	put_list(&s, j->list, n);
	put_sigalgs(&s, sigalgs);
	return finish(&s, HASH_CHARS / 2, out);
}

static const char *version_chars(uint16_t version)
{
	static const struct {
		uint16_t version;
		char chars[3];
	} rows[] = {
		{ 0x0304, "13" }, { 0x0303, "12" }, { 0x0302, "11" },
		{ 0x0301, "10" }, { 0x0300, "s3" }, { 0x0002, "s2" },
		{ 0xfeff, "d1" }, { 0xfefd, "d2" }, { 0xfefc, "d3" },
	};

	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++)
		if (rows[i].version == version)
			return rows[i].chars;
	return "00";
}

static void count_chars(size_t n, char *out)
{
	if (n > 99)
		n = 99;
	out[0] = (char)('0' + n / 10);
	out[1] = (char)('0' + n % 10);
}

static bool is_alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_grease_name(struct pk_slice name)
{
	return name.len == 2 && pk_tls_is_grease(pk_tls_u16(name, 0));
}

static void alpn_chars(struct pk_slice list, char *out)
{
	struct pk_slice name = { 0 };
	uint8_t first, last;

	out[0] = out[1] = '0';
	while (pk_tls_alpn_next(&list, &name) && is_grease_name(name))
		name = (struct pk_slice){ 0 };
	if (!name.len)
		return;
	first = (uint8_t)name.s[0];
	last = (uint8_t)name.s[name.len - 1];
	if (is_alphanumeric(first) && is_alphanumeric(last)) {
		out[0] = (char)first;
		out[1] = (char)last;
	} else { /* the first and last characters of its hexadecimal form */
		out[0] = hex[first >> 4];
		out[1] = hex[last & 15];
	}
}

int pk_ja4_client(struct pk_ja4 *j, const struct pk_tls_client *hello, enum pk_ja4_over over,
		  char ret_text[PK_JA4_LEN + 1])
{
	char t[PK_JA4_LEN + 1];
	size_t n, all;
	int r;

	if (hello->ciphers.len + hello->extensions.len > PK_TLS_HELLO_MAX)
		return -EBADMSG;
	t[0] = (char)over;
	memcpy(t + 1, version_chars(hello->version), 2);
	t[3] = hello->has_sni ? 'd' : 'i';
	n = take_numbers(j, hello->ciphers);
	count_chars(n, t + 4);
	r = hash_part(j, n, (struct pk_slice){ 0 }, t + 11);
	if (r < 0)
		return r;
	n = take_extensions(j, hello->extensions, &all);
	count_chars(all, t + 6);
	r = hash_part(j, n, hello->sigalgs, t + 24);
	if (r < 0)
		return r;
	alpn_chars(hello->alpn, t + 8);
	t[10] = t[23] = '_';
	memcpy(ret_text, t, sizeof(t));
	return 0;
}

static void put_ja3_numbers(struct sink *s, struct pk_slice list)
{
	bool more = false;
	uint16_t v;

	for (size_t i = 0; i < list.len / 2; i++) {
		v = pk_tls_u16(list, i);
		if (pk_tls_is_grease(v))
			continue;
		if (more)
			put(s, '-');
		put_decimal(s, v);
		more = true;
	}
	put(s, ',');
}

static void put_ja3_extensions(struct sink *s, struct pk_slice block)
{
	struct pk_cursor c = pk_cursor_of(block.s ? block.s : "", block.len);
	struct pk_slice body;
	bool more = false;
	uint16_t type;

	while (pk_tls_extension_next(&c, &type, &body)) {
		if (pk_tls_is_grease(type))
			continue;
		if (more)
			put(s, '-');
		put_decimal(s, type);
		more = true;
	}
	put(s, ',');
}

static void put_ja3(struct sink *s, const struct pk_tls_client *hello)
{
	put_decimal(s, hello->legacy_version);
	put(s, ',');
	put_ja3_numbers(s, hello->ciphers);
	put_ja3_extensions(s, hello->extensions);
	put_ja3_numbers(s, hello->groups);
	for (size_t i = 0; i < hello->points.len; i++) {
		if (i)
			put(s, '-');
		put_decimal(s, (uint8_t)hello->points.s[i]);
	}
}

int pk_ja3_client(struct pk_ja4 *j, const struct pk_tls_client *hello,
		  char ret_hash[PK_JA3_LEN + 1])
{
	struct sink s = { .ctx = j->ctx };

	if (!j->md5)
		return -ENOTSUP;
	if (hello->ciphers.len + hello->extensions.len > PK_TLS_HELLO_MAX)
		return -EBADMSG;
	if (EVP_DigestInit_ex2(j->ctx, j->md5, NULL) != 1)
		return -EIO;
	put_ja3(&s, hello);
	return finish(&s, PK_JA3_LEN / 2, ret_hash);
}

size_t pk_ja3_text(const struct pk_tls_client *hello, char *out, size_t cap)
{
	struct sink s = { .text = out, .cap = cap ? cap - 1 : 0 };

	put_ja3(&s, hello);
	flush(&s);
	if (cap)
		out[s.total < s.cap ? s.total : s.cap] = '\0';
	return s.total;
}

void pk_ja4_free(struct pk_ja4 *j)
{
	if (!j)
		return;
	EVP_MD_CTX_free(j->ctx);
	EVP_MD_free(j->md5);
	EVP_MD_free(j->sha256);
	free(j);
}

static void ja4_freep(struct pk_ja4 **j)
{
	pk_ja4_free(*j);
}

int pk_ja4_new(struct pk_ja4 **ret_ja4)
{
	_cleanup_(ja4_freep) struct pk_ja4 *j = calloc(1, sizeof(*j));

	if (!j)
		return -ENOMEM;
	j->ctx = EVP_MD_CTX_new();
	if (!j->ctx)
		return -ENOMEM;
	j->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!j->sha256)
		return -ENOTSUP;
	/* What it leaves in the error queue would be taken for an error of a TLS connection. */
	ERR_set_mark();
	j->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	ERR_pop_to_mark();
	*ret_ja4 = PK_TAKE(j);
	return 0;
}
