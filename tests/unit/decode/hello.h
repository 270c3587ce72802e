/* SPDX-License-Identifier: Apache-2.0 */
/* Puts TLS hellos together, right ones and wrong ones. Used by unit tests and the bench. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	uint8_t data[80000];
	size_t len;
};

static inline void put8(struct bytes *b, uint8_t v)
{
	b->data[b->len++] = v;
}

static inline void put16(struct bytes *b, unsigned int v)
{
	put8(b, (uint8_t)(v >> 8));
	put8(b, (uint8_t)v);
}

static inline void put_raw(struct bytes *b, const void *data, size_t len)
{
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static inline void put_zeros(struct bytes *b, size_t len)
{
	memset(b->data + b->len, 0, len);
	b->len += len;
}

/* A length of 16 bits that close16() fills in. */
static inline size_t open16(struct bytes *b)
{
	put16(b, 0);
	return b->len;
}

static inline void close16(struct bytes *b, size_t from)
{
	b->data[from - 2] = (uint8_t)((b->len - from) >> 8);
	b->data[from - 1] = (uint8_t)(b->len - from);
}

static inline void put_list16(struct bytes *b, const uint16_t *list, size_t n)
{
	size_t at = open16(b);

	for (size_t i = 0; i < n; i++)
		put16(b, list[i]);
	close16(b, at);
}

/* Version, random, session id, ciphers, compression methods; then extensions may follow. */
static inline void put_client(struct bytes *b, uint16_t version, const uint16_t *ciphers, size_t n)
{
	put16(b, version);
	for (int i = 0; i < 32; i++)
		put8(b, (uint8_t)i);
	put8(b, 32);
	put_zeros(b, 32);
	put_list16(b, ciphers, n);
	put16(b, 0x0100);
}

static inline void put_extension(struct bytes *b, uint16_t type, const void *body, size_t len)
{
	put16(b, type);
	put16(b, (unsigned int)len);
	put_raw(b, body, len);
}

static inline void put_sni(struct bytes *b, const char *name)
{
	size_t ext, list;

	put16(b, 0);
	ext = open16(b);
	list = open16(b);
	put8(b, 0);
	put16(b, (unsigned int)strlen(name));
	put_raw(b, name, strlen(name));
	close16(b, list);
	close16(b, ext);
}

/* names: each behind its length byte, "\2h2\10http/1.1" */
static inline void put_alpn(struct bytes *b, const char *names, size_t len)
{
	size_t ext;

	put16(b, 16);
	ext = open16(b);
	put16(b, (unsigned int)len);
	put_raw(b, names, len);
	close16(b, ext);
}

static inline void put_extension16(struct bytes *b, uint16_t type, const uint16_t *list, size_t n)
{
	size_t ext;

	put16(b, type);
	ext = open16(b);
	put_list16(b, list, n);
	close16(b, ext);
}

static inline void put_versions(struct bytes *b, const uint16_t *list, size_t n)
{
	put16(b, 43);
	put16(b, (unsigned int)(2 * n + 1));
	put8(b, (uint8_t)(2 * n));
	for (size_t i = 0; i < n; i++)
		put16(b, list[i]);
}

/*
 * The hello of JA4.md's example, with GREASE where Chrome sends it; without its signature
 * algorithms if sigalgs is 0.
 */
static inline void put_chrome(struct bytes *b, const char *name, int sigalgs)
{
	static const uint16_t ciphers[] = { 0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
					    0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
					    0x009c, 0x009d, 0x002f, 0x0035 };
	static const uint16_t groups[] = { 0x9a9a, 0x001d, 0x0017, 0x0018 };
	static const uint16_t algorithms[] = { 0x0403, 0x0804, 0x0401, 0x0503,
					       0x0805, 0x0501, 0x0806, 0x0601 };
	static const uint16_t versions[] = { 0x5a5a, 0x0304, 0x0303 };
	static const uint16_t empty[] = { 0x0017, 0x0005, 0x0023, 0x0012 };
	size_t block;

	put_client(b, 0x0303, ciphers, sizeof(ciphers) / sizeof(*ciphers));
	block = open16(b);
	put_extension(b, 0x7a7a, "", 0);
	put_extension(b, 0x001b, "\2\0\2", 3);
	put_sni(b, name);
	put_extension(b, 0x0033, "\0\0", 2);
	put_alpn(b, "\2h2\10http/1.1", 12);
	put_extension(b, 0x4469, "\0\3\2h2", 5);
	put_extension(b, empty[0], "", 0);
	put_extension(b, 0x002d, "\1\1", 2);
	put_extension16(b, 0x000d, algorithms, sigalgs ? 8 : 0);
	put_extension(b, empty[1], "\1\0\0\0\0", 5);
	put_extension(b, empty[2], "", 0);
	put_extension(b, empty[3], "", 0);
	put_versions(b, versions, 3);
	put_extension(b, 0xff01, "\0", 1);
	put_extension(b, 0x000b, "\1\0", 2);
	put_extension16(b, 0x000a, groups, 4);
	put_extension(b, 0xeaea, "\0", 1);
	put_extension(b, 0x0015, "\0\0\0\0", 4);
	close16(b, block);
}

/* The messages at data, each with its head, as records of at most size bytes. */
static inline void put_records(struct bytes *b, const uint8_t *data, size_t len, size_t size)
{
	for (size_t at = 0; at < len; at += size) {
		size_t n = len - at < size ? len - at : size;

		put8(b, 22);
		put16(b, 0x0301);
		put16(b, (unsigned int)n);
		put_raw(b, data + at, n);
	}
}

static inline void put_message(struct bytes *b, uint8_t type, const struct bytes *body)
{
	put8(b, type);
	put8(b, (uint8_t)(body->len >> 16));
	put16(b, (unsigned int)(body->len & 0xffff));
	put_raw(b, body->data, body->len);
}
