/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's TLS: what it shows, whom it believes, and who a client is by its certificate. */
#pragma once

#include "gate/role.h"

#include <openssl/ssl.h>
#include <stdint.h>

struct pk_conf;

#define PK_TLS_FILES    4 /* descriptors in this order: cert, key, ca, crl */
#define PK_TLS_NAME_MAX 200

struct pk_tls_client {
	enum pk_role role;
	uint8_t fingerprint[32];    /* SHA-256 of the certificate */
	char name[PK_TLS_NAME_MAX]; /* its subject, printable ASCII */
};

/*
 * Server side: TLS 1.3 only, client certificates asked for and verified, no resumption, so that
 * each connection is verified anew. fds: borrowed, fds[3] -1 without a list of revoked ones.
 * -EBADMSG: a file is not what it should be; *ret_file is its place.
 */
int pk_tls_new(const int fds[PK_TLS_FILES], SSL_CTX **ret_ctx, int *ret_file);

/* After the handshake. -ENOENT: there is no certificate. */
int pk_tls_client(const struct pk_conf *conf, const SSL *ssl, struct pk_tls_client *ret_client);
/* The same of a certificate. */
int pk_tls_identify(const struct pk_conf *conf, X509 *cert, struct pk_tls_client *ret_client);
