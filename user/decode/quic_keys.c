/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key derivation, header protection and decryption of QUIC Initial packets, all of it by OpenSSL.
 * It does not know what a packet holds.
 */
#include "decode/quic_keys.h"

#include "base/cleanup.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define SECRET_LEN 32
#define TAG_LEN    16

/* Labels of HKDF-Expand-Label (RFC 8446, 7.1) as they are hashed. */
struct label {
	uint8_t len;
	char text[19];
};

#define LABEL(text)                                                                                \
	{                                                                                          \
		sizeof("tls13 " text) - 1, "tls13 " text                                           \
	}

static const struct label client_in = LABEL("client in"), server_in = LABEL("server in");

/* What differs between versions: RFC 9001, 5.2; RFC 9369, 3.3. */
static const struct version {
	uint32_t version;
	uint8_t salt[20];
	struct label key, iv, hp;
} versions[] = {
	{ PK_QUIC_V1,
	  { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	    0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a },
	  LABEL("quic key"),
	  LABEL("quic iv"),
	  LABEL("quic hp") },
	{ PK_QUIC_V2,
	  { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
	    0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 },
	  LABEL("quicv2 key"),
	  LABEL("quicv2 iv"),
	  LABEL("quicv2 hp") },
};

/* OSSL_PARAM has no const; nothing is written through it. */
static OSSL_PARAM octets(const char *name, const void *data, size_t len)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)data, len);
}

static int extract(struct pk_quic *q, const uint8_t *salt, size_t salt_len, const uint8_t *dcid,
		   size_t dcid_len, uint8_t *out)
{
	const OSSL_PARAM params[] = {
		octets(OSSL_KDF_PARAM_KEY, dcid, dcid_len),
		octets(OSSL_KDF_PARAM_SALT, salt, salt_len),
		OSSL_PARAM_construct_end(),
	};

	return EVP_KDF_derive(q->extract, out, SECRET_LEN, params) == 1 ? 0 : -EIO;
}

/* HKDF-Expand-Label with an empty context. */
static int expand_label(struct pk_quic *q, const uint8_t *secret, const struct label *label,
			uint8_t *out, size_t out_len)
{
	uint8_t info[3 + sizeof(label->text) + 1] = { 0, (uint8_t)out_len, label->len };
	const OSSL_PARAM params[] = {
		octets(OSSL_KDF_PARAM_KEY, secret, SECRET_LEN),
		octets(OSSL_KDF_PARAM_INFO, info, 3 + label->len + 1),
		OSSL_PARAM_construct_end(),
	};

	memcpy(info + 3, label->text, label->len);
	return EVP_KDF_derive(q->expand, out, out_len, params) == 1 ? 0 : -EIO;
}

static const struct version *version_of(uint32_t version)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(versions); i++)
		if (versions[i].version == version)
			return &versions[i];
	return NULL;
}

int pk_quic_keys_derive(struct pk_quic *q, uint32_t version, const uint8_t *dcid, size_t dcid_len,
			bool server, struct pk_quic_keys *ret_keys)
{
	const struct version *v = version_of(version);
	uint8_t initial[SECRET_LEN], secret[SECRET_LEN];
	struct pk_quic_keys k;

	if (!v)
		return -ENOTSUP;
	if (extract(q, v->salt, sizeof(v->salt), dcid, dcid_len, initial) < 0 ||
	    expand_label(q, initial, server ? &server_in : &client_in, secret, SECRET_LEN) < 0 ||
	    expand_label(q, secret, &v->key, k.key, sizeof(k.key)) < 0 ||
	    expand_label(q, secret, &v->iv, k.iv, sizeof(k.iv)) < 0 ||
	    expand_label(q, secret, &v->hp, k.hp, sizeof(k.hp)) < 0)
		return -EIO;
	*ret_keys = k;
	return 0;
}

/* RFC 9000, A.3 */
static uint64_t full_number(uint64_t expected, uint64_t truncated, unsigned int bytes)
{
	uint64_t window = 1ull << (8 * bytes), half = window / 2;
	uint64_t number = (expected & ~(window - 1)) | truncated;

	if (number + half <= expected && number < (1ull << 62) - window)
		return number + window;
	if (number > expected + half && number >= window)
		return number - window;
	return number;
}

/* Five bytes to lay over the first byte and the number: RFC 9001, 5.4.3. */
static int read_mask(struct pk_quic *q, const uint8_t *hp, const uint8_t *sample, uint8_t *out)
{
	int len;

	if (EVP_EncryptInit_ex2(q->mask, NULL, hp, NULL, NULL) != 1 ||
	    EVP_EncryptUpdate(q->mask, out, &len, sample, 16) != 1 || len != 16)
		return -EIO;
	return 0;
}

/* head: first byte, then the number's bytes, both without protection. */
static int decrypt(struct pk_quic *q, const struct pk_quic_keys *keys, const uint8_t *data,
		   const struct pk_quic_header *h, const uint8_t *head, unsigned int number_len,
		   uint64_t number, size_t *ret_len)
{
	size_t from = h->number_off + number_len, plain = h->len - from - TAG_LEN;
	uint8_t nonce[12], tag[TAG_LEN];
	int len;

	memcpy(nonce, keys->iv, sizeof(nonce));
	for (int i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(number >> 8 * i);
	memcpy(tag, data + h->len - TAG_LEN, TAG_LEN);
	if (EVP_DecryptInit_ex2(q->aead, NULL, keys->key, nonce, NULL) != 1 ||
	    EVP_DecryptUpdate(q->aead, NULL, &len, head, 1) != 1 ||
	    EVP_DecryptUpdate(q->aead, NULL, &len, data + 1, (int)h->number_off - 1) != 1 ||
	    EVP_DecryptUpdate(q->aead, NULL, &len, head + 1, (int)number_len) != 1 ||
	    EVP_DecryptUpdate(q->aead, q->plain, &len, data + from, (int)plain) != 1 ||
	    EVP_CIPHER_CTX_ctrl(q->aead, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) != 1)
		return -EIO;
	if (EVP_DecryptFinal_ex(q->aead, q->plain + len, &len) != 1)
		return -EBADMSG;
	*ret_len = plain;
	return 0;
}

int pk_quic_open(struct pk_quic *q, const struct pk_quic_keys *keys, const uint8_t *data,
		 const struct pk_quic_header *header, uint64_t expected, uint64_t *ret_number,
		 size_t *ret_len)
{
	uint8_t mask[16], head[5];
	unsigned int number_len;
	uint64_t number = 0;
	int r;

	if (header->len > PK_QUIC_PLAIN_MAX)
		return -EMSGSIZE;
	r = read_mask(q, keys->hp, data + header->number_off + 4, mask);
	if (r < 0)
		return r;
	head[0] = data[0] ^ (mask[0] & 0x0f);
	number_len = (head[0] & 3) + 1;
	for (unsigned int i = 0; i < number_len; i++) {
		head[1 + i] = data[header->number_off + i] ^ mask[1 + i];
		number = number << 8 | head[1 + i];
	}
	number = full_number(expected, number, number_len);
	r = decrypt(q, keys, data, header, head, number_len, number, ret_len);
	if (r < 0)
		return r;
	*ret_number = number;
	return 0;
}

/* A context of HKDF for one of its two steps. */
static EVP_KDF_CTX *hkdf(EVP_KDF *kdf, int mode)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	if (ctx && EVP_KDF_CTX_set_params(ctx, params) == 1)
		return ctx;
	EVP_KDF_CTX_free(ctx);
	return NULL;
}

void pk_quic_free(struct pk_quic *q)
{
	if (!q)
		return;
	EVP_CIPHER_CTX_free(q->mask);
	EVP_CIPHER_CTX_free(q->aead);
	EVP_CIPHER_free(q->ecb);
	EVP_CIPHER_free(q->gcm);
	EVP_KDF_CTX_free(q->extract);
	EVP_KDF_CTX_free(q->expand);
	free(q);
}

static void quic_freep(struct pk_quic **q)
{
	pk_quic_free(*q);
}

int pk_quic_new(struct pk_quic **ret_quic)
{
	_cleanup_(quic_freep) struct pk_quic *q = calloc(1, sizeof(*q));
	EVP_KDF *kdf;

	if (!q)
		return -ENOMEM;
	ERR_set_mark();
	kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	if (kdf) {
		q->extract = hkdf(kdf, EVP_KDF_HKDF_MODE_EXTRACT_ONLY);
		q->expand = hkdf(kdf, EVP_KDF_HKDF_MODE_EXPAND_ONLY);
	}
	EVP_KDF_free(kdf);
	q->ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	q->gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	q->mask = EVP_CIPHER_CTX_new();
	q->aead = EVP_CIPHER_CTX_new();
	ERR_pop_to_mark(); /* else it would be taken for an error of a TLS connection */
	if (!q->mask || !q->aead)
		return -ENOMEM;
	if (!q->extract || !q->expand || !q->ecb || !q->gcm ||
	    EVP_EncryptInit_ex2(q->mask, q->ecb, NULL, NULL, NULL) != 1 ||
	    EVP_DecryptInit_ex2(q->aead, q->gcm, NULL, NULL, NULL) != 1)
		return -ENOTSUP;
	*ret_quic = PK_TAKE(q);
	return 0;
}
