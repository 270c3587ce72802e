/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of Initial packets and what they open (RFC 9001, 5; RFC 9369, 3.3). */
#pragma once

#include "decode/quic.h"

#include <openssl/types.h>

#define PK_QUIC_PLAIN_MAX 65536

struct pk_quic {
	EVP_KDF_CTX *extract, *expand; /* HKDF with SHA-256, one for each step */
	EVP_CIPHER *ecb, *gcm;
	EVP_CIPHER_CTX *mask, *aead;
	uint8_t plain[PK_QUIC_PLAIN_MAX];
};

/* Of client or server, from the Destination Connection ID. -EIO: the TLS library failed. */
int pk_quic_keys_derive(struct pk_quic *q, uint32_t version, const uint8_t *dcid, size_t dcid_len,
			bool server, struct pk_quic_keys *ret_keys);

/*
 * Decrypts the numbered packet at data into q->plain. expected: RFC 9000, A.3, the number that
 * should come. -EBADMSG: its tag does not fit: other keys, or it was changed.
 */
int pk_quic_open(struct pk_quic *q, const struct pk_quic_keys *keys, const uint8_t *data,
		 const struct pk_quic_header *header, uint64_t expected, uint64_t *ret_number,
		 size_t *ret_len);
