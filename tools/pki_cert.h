/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, certificates and lists of revoked ones (RFC 5280), made with OpenSSL. In memory only; files
 * are pki_dir.c's. Times are seconds since 1970.
 */
#pragma once

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_PKI_SERIAL   41 /* hex digits and the end */
#define PK_PKI_NAME_MAX 64 /* bytes of a common name (RFC 5280, ub-common-name) */
#define PK_PKI_SANS_MAX 32
/* Before now: clocks of other hosts may be behind. */
#define PK_PKI_SKEW_S 300

/* What a certificate of a person or a program says of its role, as URI in subjectAltName. */
#define PK_PKI_ROLE_URI "urn:picket:role:"

enum pk_pki_kind { PK_PKI_P256, PK_PKI_ED25519 };

struct pk_pki_wish {
	const char *name;       /* pk_pki_is_name() */
	const char *role;       /* NULL: a host's, for TLS servers; else pk_pki_is_role() */
	const char *const *san; /* a host's other names and addresses */
	size_t n_san;
	int64_t now_s;
	unsigned days;
};

struct pk_pki_revoked {
	char serial[PK_PKI_SERIAL];
	int64_t at_s;
};

bool pk_pki_is_role(const char *s); /* reader, analyst, operator, admin */
bool pk_pki_is_name(const char *s); /* letters, digits and . _ @ -, at most PK_PKI_NAME_MAX */
bool pk_pki_is_host(const char *s); /* a DNS name, also *.name, or an address */

/* All: 0, -ENOMEM, or -EINVAL for what can not be in a certificate. What is returned is owned. */
int pk_pki_key_new(enum pk_pki_kind kind, EVP_PKEY **ret_key);
int pk_pki_ca_new(EVP_PKEY *key, const char *name, int64_t now_s, unsigned days, X509 **ret_cert);
/* key: whose certificate it becomes; its public half is enough. It ends no later than the CA. */
int pk_pki_cert_new(X509 *ca, EVP_PKEY *ca_key, EVP_PKEY *key, const struct pk_pki_wish *wish,
		    X509 **ret_cert);
/* number: greater than that of every list before. */
int pk_pki_crl_new(X509 *ca, EVP_PKEY *ca_key, const struct pk_pki_revoked *v, size_t n,
		   uint64_t number, int64_t now_s, unsigned days, X509_CRL **ret_crl);

int pk_pki_serial(const X509 *cert, char ret_serial[PK_PKI_SERIAL]); /* upper-case hex */
int64_t pk_pki_ends_s(const X509 *cert); /* notAfter; 0 when it can not be read */
