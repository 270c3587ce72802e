/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns what is read from the files and how certificates are judged. It opens nothing: descriptors
 * come from the process that may, and are read from their beginning.
 */
#include "gate/tls.h"

#include "base/cleanup.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

#define FILE_MAX  (8u << 20) /* bytes; a list of 100,000 revoked certificates has 4 MiB */
#define NAMES_MAX 64
#define NAME_SIZE 320

static BIO *read_file(int fd)
{
	BIO *mem = BIO_new(BIO_s_secmem());
	char chunk[4096];
	off_t at = 0;
	ssize_t n = 0;

	while (mem && at <= (off_t)FILE_MAX && (n = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		if (BIO_write(mem, chunk, (int)n) != n)
			n = -1;
		at += n > 0 ? n : 0;
		if (n < 0)
			break;
	}
	OPENSSL_cleanse(chunk, sizeof(chunk));
	if (mem && n == 0 && at)
		return mem;
	BIO_free(mem);
	return NULL;
}

/* The first certificate is ours, those behind it are sent with it. */
static bool use_chain(SSL_CTX *ctx, BIO *file)
{
	X509 *c = PEM_read_bio_X509(file, NULL, NULL, NULL);
	bool ok = c && SSL_CTX_use_certificate(ctx, c) == 1;

	X509_free(c);
	while (ok && (c = PEM_read_bio_X509(file, NULL, NULL, NULL))) {
		ok = SSL_CTX_add0_chain_cert(ctx, c) == 1;
		if (!ok)
			X509_free(c);
	}
	return ok;
}

static bool use_key(SSL_CTX *ctx, BIO *file)
{
	EVP_PKEY *k = PEM_read_bio_PrivateKey(file, NULL, NULL, (void *)"");
	bool ok = k && SSL_CTX_use_PrivateKey(ctx, k) == 1 && SSL_CTX_check_private_key(ctx) == 1;

	EVP_PKEY_free(k);
	return ok;
}

static bool use_ca(SSL_CTX *ctx, BIO *file)
{
	bool any = false, ok = true;
	X509 *c;

	while (ok && (c = PEM_read_bio_X509(file, NULL, NULL, NULL))) {
		ok = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), c) == 1 &&
		     SSL_CTX_add_client_CA(ctx, c) == 1;
		any = true;
		X509_free(c);
	}
	return ok && any;
}

static bool use_crl(SSL_CTX *ctx, BIO *file)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	bool any = false, ok = true;
	X509_CRL *c;

	while (ok && (c = PEM_read_bio_X509_CRL(file, NULL, NULL, NULL))) {
		ok = X509_STORE_add_crl(store, c) == 1;
		any = true;
		X509_CRL_free(c);
	}
	return ok && any && X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1;
}

static bool set_rules(SSL_CTX *ctx)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 0) == 1;
}

int pk_tls_new(const int fds[PK_TLS_FILES], SSL_CTX **ret_ctx, int *ret_file)
{
	static bool (*const use[PK_TLS_FILES])(SSL_CTX *, BIO *) = { use_chain, use_key, use_ca,
								     use_crl };
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool ok = ctx && set_rules(ctx);
	int i;

	if (!ok) {
		SSL_CTX_free(ctx);
		return -ENOMEM;
	}
	for (i = 0; ok && i < PK_TLS_FILES; i++) {
		BIO *file = fds[i] < 0 ? NULL : read_file(fds[i]);

		ok = file ? use[i](ctx, file) : fds[i] < 0 && i == PK_TLS_FILES - 1;
		BIO_free(file);
	}
	ERR_clear_error(); /* the end of a file is one, too */
	if (ok) {
		*ret_ctx = ctx;
		return 0;
	}
	SSL_CTX_free(ctx);
	*ret_file = i - 1;
	return -EBADMSG;
}

/* "KIND:VALUE". A value with a NUL or anything unprintable is no name of anybody. */
static bool take_name(char out[NAME_SIZE], const char *kind, const unsigned char *s, int len)
{
	size_t n = strlen(kind);

	if (len <= 0 || (size_t)len >= NAME_SIZE - n)
		return false;
	for (int i = 0; i < len; i++)
		if (s[i] < 0x21 || s[i] > 0x7e)
			return false;
	memcpy(out, kind, n);
	memcpy(out + n, s, (size_t)len);
	out[n + (size_t)len] = '\0';
	return true;
}

static const char *kind_of(int type)
{
	return type == GEN_URI ? "URI:" : type == GEN_DNS ? "DNS:" : "email:";
}

static unsigned alt_names(X509 *cert, char out[][NAME_SIZE], unsigned max)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	unsigned n = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(all) && n < max; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
		const ASN1_STRING *s;

		if (g->type != GEN_URI && g->type != GEN_DNS && g->type != GEN_EMAIL)
			continue;
		s = g->d.ia5;
		n += take_name(out[n], kind_of(g->type), ASN1_STRING_get0_data(s),
			       ASN1_STRING_length(s));
	}
	GENERAL_NAMES_free(all);
	return n;
}

/* RFC 2253, whose escapes leave printable ASCII only. false: too long to be matched whole. */
static bool subject(X509 *cert, char out[NAME_SIZE])
{
	BIO *mem = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len = -1;

	if (mem && X509_NAME_print_ex(mem, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0)
		len = BIO_get_mem_data(mem, &text);
	len = len > 0 && len < NAME_SIZE - 9 ? len : -1;
	if (len > 0)
		snprintf(out, NAME_SIZE, "subject:%.*s", (int)len, text);
	BIO_free(mem);
	return len > 0;
}

int pk_tls_identify(const struct pk_conf *conf, X509 *cert, struct pk_tls_client *ret_client)
{
	char text[NAMES_MAX][NAME_SIZE];
	const char *names[NAMES_MAX];
	struct pk_tls_client c = { 0 };
	unsigned n, len = sizeof(c.fingerprint);
	bool named = subject(cert, text[0]);

	if (X509_digest(cert, EVP_sha256(), c.fingerprint, &len) != 1)
		return -ENOMEM;
	snprintf(c.name, sizeof(c.name), "%.*s", PK_TLS_NAME_MAX - 1, named ? text[0] + 8 : "");
	n = named + alt_names(cert, text + named, NAMES_MAX - named);
	for (unsigned i = 0; i < n; i++)
		names[i] = text[i];
	for (char *p = c.name; *p; p++)
		*p = *p < 0x20 || *p > 0x7e ? '?' : *p;
	c.role = pk_role_of(conf, names, n);
	*ret_client = c;
	return 0;
}

int pk_tls_client(const struct pk_conf *conf, const SSL *ssl, struct pk_tls_client *ret_client)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);

	return cert && SSL_get_verify_result(ssl) == X509_V_OK
		       ? pk_tls_identify(conf, cert, ret_client)
		       : -ENOENT;
}
