/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fingerprints of a ClientHello: JA4 (FoxIO, "JA4: TLS Client Fingerprinting", BSD-3-Clause; no
 * other member of the JA4+ family: their licence does not allow it here) and JA3 (Salesforce,
 * BSD-3-Clause), which clients that shuffle their extensions defeat.
 */
#pragma once

#include <stddef.h>

struct pk_tls_client;

#define PK_JA4_LEN 36 /* "t13d1516h2_8daaf6152771_e5627efa2ab1" */
#define PK_JA3_LEN 32 /* lower case hexadecimal MD5 */

/* First character of a JA4 */
enum pk_ja4_over {
	PK_JA4_TCP = 't',
	PK_JA4_QUIC = 'q',
	PK_JA4_DTLS = 'd',
};

/* The digests, fetched once: fetching costs more than a fingerprint. For one thread. */
struct pk_ja4;

/* -ENOTSUP: the TLS library has no SHA-256; -ENOMEM. */
int pk_ja4_new(struct pk_ja4 **ret_ja4);
void pk_ja4_free(struct pk_ja4 *j);

/*
 * NUL ended. -EBADMSG: the hello has more ciphers or extensions than fit PK_TLS_HELLO_MAX; -EIO:
 * the TLS library failed.
 */
int pk_ja4_client(struct pk_ja4 *j, const struct pk_tls_client *hello, enum pk_ja4_over over,
		  char ret_text[PK_JA4_LEN + 1]);

/* NUL ended. -ENOTSUP: no MD5 here (a FIPS provider); the rest as pk_ja4_client(). */
int pk_ja3_client(struct pk_ja4 *j, const struct pk_tls_client *hello,
		  char ret_hash[PK_JA3_LEN + 1]);

/*
 * What JA3 is the hash of: "771,4865-4866,0-23-65281,29-23-24,0". Returns its length; it is NUL
 * ended, and cut where cap is not more than that, as with snprintf().
 */
size_t pk_ja3_text(const struct pk_tls_client *hello, char *out, size_t cap);
