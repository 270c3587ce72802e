/* SPDX-License-Identifier: Apache-2.0 */
/* Makes protected QUIC packets, as a client or server would (RFC 9001, 5). For tests alone. */
#pragma once

#include "decode/quic_keys.h"
#include "hello.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct seal {
	uint32_t version;
	bool server;         /* whose keys */
	const char *key_cid; /* Connection IDs, as text; the keys follow from this one */
	const char *dcid, *scid, *token; /* NULL: empty */
	uint64_t number;
	unsigned int number_len; /* 1 to 4 */
	uint8_t first;           /* 0: the first byte of an Initial, else the bits 0xf0 of it */
};

static inline void put_varint(struct bytes *b, uint64_t v)
{
	if (v < 64) {
		put8(b, (uint8_t)v);
	} else if (v < 16384) {
		put16(b, 0x4000 | (unsigned int)v);
	} else {
		put16(b, 0x8000 | (unsigned int)(v >> 16));
		put16(b, (unsigned int)(v & 0xffff));
	}
}

static inline void put_cid(struct bytes *b, const char *cid)
{
	put8(b, (uint8_t)(cid ? strlen(cid) : 0));
	put_raw(b, cid ? cid : "", cid ? strlen(cid) : 0);
}

static inline void seal_check(int good)
{
	if (!good)
		abort();
}

/* Encrypts the packet at data, whose header is right and unprotected, and protects its header. */
static inline void seal_protect(const struct pk_quic_keys *k, uint8_t *data, size_t number_off,
				unsigned int number_len, uint64_t number, size_t plain_len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t from = number_off + number_len;
	uint8_t nonce[12], mask[32];
	int len;

	memcpy(nonce, k->iv, 12);
	for (int i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(number >> 8 * i);
	seal_check(EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, k->key, nonce) == 1);
	seal_check(EVP_EncryptUpdate(ctx, NULL, &len, data, (int)from) == 1);
	seal_check(EVP_EncryptUpdate(ctx, data + from, &len, data + from, (int)plain_len) == 1);
	seal_check(EVP_EncryptFinal_ex(ctx, data + from + plain_len, &len) == 1);
	seal_check(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, data + from + plain_len) ==
		   1);
	EVP_CIPHER_CTX_reset(ctx);
	seal_check(EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL, k->hp, NULL) == 1);
	seal_check(EVP_EncryptUpdate(ctx, mask, &len, data + number_off + 4, 16) == 1);
	EVP_CIPHER_CTX_free(ctx);
	data[0] ^= mask[0] & 0x0f;
	for (unsigned int i = 0; i < number_len; i++)
		data[number_off + i] ^= mask[1 + i];
}

/* Appends one packet with these frames; short ones are padded, so that there is a sample. */
static inline void seal(struct pk_quic *q, struct bytes *out, const struct seal *s,
			const void *frames, size_t len)
{
	uint8_t first = s->first ? s->first : s->version == PK_QUIC_V2 ? 0xd0 : 0xc0;
	size_t pad = len + s->number_len < 4 ? 4 - s->number_len - len : 0;
	size_t start = out->len, number_off;
	struct pk_quic_keys keys;

	seal_check(!pk_quic_keys_derive(q, s->version, (const uint8_t *)s->key_cid,
					strlen(s->key_cid), s->server, &keys));
	put8(out, first | (uint8_t)(s->number_len - 1));
	put16(out, s->version >> 16);
	put16(out, s->version & 0xffff);
	put_cid(out, s->dcid);
	put_cid(out, s->scid);
	if (first == (s->version == PK_QUIC_V2 ? 0xd0 : 0xc0)) {
		put_varint(out, s->token ? strlen(s->token) : 0);
		put_raw(out, s->token ? s->token : "", s->token ? strlen(s->token) : 0);
	}
	put_varint(out, s->number_len + len + pad + 16);
	number_off = out->len - start;
	for (unsigned int i = s->number_len; i; i--)
		put8(out, (uint8_t)(s->number >> 8 * (i - 1)));
	put_raw(out, frames, len);
	put_zeros(out, pad + 16);
	seal_protect(&keys, out->data + start, number_off, s->number_len, s->number, len + pad);
}

static inline void put_crypto(struct bytes *b, uint64_t at, const uint8_t *data, size_t len)
{
	put8(b, 0x06);
	put_varint(b, at);
	put_varint(b, len);
	put_raw(b, data, len);
}
