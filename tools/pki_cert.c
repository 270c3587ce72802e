/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns what is in Picket's certificates: serial numbers, names, lifetimes, extensions. What goes
 * into an extension's text is checked before, so that no comma can add a name of its own.
 */
#include "pki_cert.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAY_S        86400
#define SERIAL_BYTES 16

static const char *const roles[] = { "reader", "analyst", "operator", "admin" };

static void x509_freep(X509 **c)
{
	X509_free(*c);
}

static void crl_freep(X509_CRL **c)
{
	X509_CRL_free(*c);
}

static void bn_freep(BIGNUM **n)
{
	BN_free(*n);
}

static void revoked_freep(X509_REVOKED **r)
{
	X509_REVOKED_free(*r);
}

static void time_freep(ASN1_TIME **t)
{
	ASN1_TIME_free(*t);
}

static void integer_freep(ASN1_INTEGER **i)
{
	ASN1_INTEGER_free(*i);
}

bool pk_pki_is_role(const char *s)
{
	for (size_t i = 0; i < PK_ARRAY_SIZE(roles); i++)
		if (!strcmp(s, roles[i]))
			return true;
	return false;
}

static bool is_made_of(const char *s, size_t max, const char *more)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr(more, s[i]))
			return false;
	return n && n <= max;
}

bool pk_pki_is_name(const char *s)
{
	/* it also names files: nothing hidden, no way up */
	return is_made_of(s, PK_PKI_NAME_MAX, "._@-") && *s != '.' && *s != '-';
}

bool pk_pki_is_host(const char *s)
{
	uint8_t addr[16];
	const char *name = !strncmp(s, "*.", 2) ? s + 2 : s;

	return pk_ip_parse(s, addr) == 0 || (is_made_of(name, 253, ".-_") && *name != '.' &&
					     *name != '-' && !strstr(name, ".."));
}

int pk_pki_key_new(enum pk_pki_kind kind, EVP_PKEY **ret_key)
{
	EVP_PKEY *key = kind == PK_PKI_P256 ? EVP_EC_gen("P-256")
					    : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	if (!key)
		return -ENOMEM;
	*ret_key = key;
	return 0;
}

/* Ed25519 hashes by itself. */
static const EVP_MD *digest_for(const EVP_PKEY *key)
{
	return EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

static int add_ext(X509V3_CTX *ctx, X509 *cert, X509_CRL *crl, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, ctx, nid, value);
	int ok;

	if (!e)
		return -EINVAL;
	ok = cert ? X509_add_ext(cert, e, -1) : X509_CRL_add_ext(crl, e, -1);
	X509_EXTENSION_free(e);
	return ok ? 0 : -ENOMEM;
}

static int set_serial(X509 *cert)
{
	_cleanup_(bn_freep) BIGNUM *n = NULL;
	unsigned char bytes[SERIAL_BYTES];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return -EIO;
	bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, and always as long */
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	return n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) ? 0 : -ENOMEM;
}

/* All that certificates have in common. subject: also its own issuer where issuer is NULL. */
static int fill(X509 *cert, EVP_PKEY *key, const char *subject, X509 *issuer, int64_t now_s,
		int64_t end_s)
{
	X509_NAME *name = X509_get_subject_name(cert);
	int r = set_serial(cert);

	if (r < 0)
		return r;
	if (!X509_set_version(cert, X509_VERSION_3) ||
	    !ASN1_TIME_set(X509_getm_notBefore(cert), now_s - PK_PKI_SKEW_S) ||
	    !ASN1_TIME_set(X509_getm_notAfter(cert), end_s) ||
	    !X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Picket",
					-1, -1, 0) ||
	    !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)subject,
					-1, -1, 0) ||
	    !X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : name) ||
	    !X509_set_pubkey(cert, key))
		return -EINVAL;
	return 0;
}

int pk_pki_ca_new(EVP_PKEY *key, const char *name, int64_t now_s, unsigned days, X509 **ret_cert)
{
	_cleanup_(x509_freep) X509 *cert = X509_new();
	X509V3_CTX ctx;
	int r;

	if (!cert)
		return -ENOMEM;
	r = fill(cert, key, name, NULL, now_s, now_s + (int64_t)days * DAY_S);
	if (r < 0)
		return r;
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	r = add_ext(&ctx, cert, NULL, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	if (!r)
		r = add_ext(&ctx, cert, NULL, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (!r)
		r = add_ext(&ctx, cert, NULL, NID_subject_key_identifier, "hash");
	if (!r)
		r = X509_sign(cert, key, digest_for(key)) ? 0 : -EINVAL;
	if (!r)
		*ret_cert = PK_TAKE(cert);
	return r;
}

static void add_name(struct pk_buf *out, const char *s)
{
	uint8_t addr[16];

	pk_buf_fmt(out, "%s%s:%s", out->len ? "," : "", pk_ip_parse(s, addr) ? "DNS" : "IP", s);
}

/* Of a host its names, of anybody else the role. -EINVAL: what would not be what it looks like. */
static int alt_names(const struct pk_pki_wish *w, struct pk_buf *out)
{
	if (!pk_pki_is_name(w->name) || w->n_san > PK_PKI_SANS_MAX)
		return -EINVAL;
	if (w->role) {
		pk_buf_fmt(out, "URI:" PK_PKI_ROLE_URI "%s", w->role);
		return !pk_pki_is_role(w->role) || w->n_san ? -EINVAL : out->error;
	}
	if (!pk_pki_is_host(w->name))
		return -EINVAL;
	add_name(out, w->name);
	for (size_t i = 0; i < w->n_san; i++) {
		if (!pk_pki_is_host(w->san[i]))
			return -EINVAL;
		add_name(out, w->san[i]);
	}
	return out->error;
}

static int extend(X509 *ca, X509 *cert, const struct pk_pki_wish *w)
{
	_cleanup_(pk_buf_done) struct pk_buf names = {};
	int r = alt_names(w, &names);
	const struct {
		int nid;
		const char *value;
	} ext[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, w->role ? "clientAuth" : "serverAuth" },
		{ NID_subject_alt_name, names.data },
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid:always" },
	};
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, ca, cert, NULL, NULL, 0);
	for (size_t i = 0; !r && i < PK_ARRAY_SIZE(ext); i++)
		r = add_ext(&ctx, cert, NULL, ext[i].nid, ext[i].value);
	return r;
}

int pk_pki_cert_new(X509 *ca, EVP_PKEY *ca_key, EVP_PKEY *key, const struct pk_pki_wish *wish,
		    X509 **ret_cert)
{
	_cleanup_(x509_freep) X509 *cert = X509_new();
	int64_t end_s = wish->now_s + (int64_t)wish->days * DAY_S, ca_end_s = pk_pki_ends_s(ca);
	int r;

	if (!cert)
		return -ENOMEM;
	r = fill(cert, key, wish->name, ca, wish->now_s, end_s < ca_end_s ? end_s : ca_end_s);
	if (!r)
		r = extend(ca, cert, wish);
	if (!r)
		r = X509_sign(cert, ca_key, digest_for(ca_key)) ? 0 : -EINVAL;
	if (!r)
		*ret_cert = PK_TAKE(cert);
	return r;
}

static int add_revoked(X509_CRL *crl, const struct pk_pki_revoked *v)
{
	_cleanup_(revoked_freep) X509_REVOKED *rev = X509_REVOKED_new();
	_cleanup_(time_freep) ASN1_TIME *at = ASN1_TIME_set(NULL, v->at_s);
	_cleanup_(integer_freep) ASN1_INTEGER *serial = NULL;
	_cleanup_(bn_freep) BIGNUM *n = NULL;

	if (BN_hex2bn(&n, v->serial) != (int)strlen(v->serial) || !n)
		return -EINVAL;
	serial = BN_to_ASN1_INTEGER(n, NULL);
	if (!rev || !at || !serial || !X509_REVOKED_set_serialNumber(rev, serial) ||
	    !X509_REVOKED_set_revocationDate(rev, at) || !X509_CRL_add0_revoked(crl, rev))
		return -ENOMEM;
	rev = NULL; /* the list has it */
	return 0;
}

static int crl_dates(X509_CRL *crl, int64_t now_s, unsigned days)
{
	_cleanup_(time_freep) ASN1_TIME *from = ASN1_TIME_set(NULL, now_s - PK_PKI_SKEW_S);
	_cleanup_(time_freep) ASN1_TIME *to = ASN1_TIME_set(NULL, now_s + (int64_t)days * DAY_S);

	return from && to && X509_CRL_set1_lastUpdate(crl, from) &&
			       X509_CRL_set1_nextUpdate(crl, to)
		       ? 0
		       : -ENOMEM;
}

static int crl_number(X509_CRL *crl, uint64_t number)
{
	_cleanup_(integer_freep) ASN1_INTEGER *n = ASN1_INTEGER_new();

	return n && ASN1_INTEGER_set_uint64(n, number) &&
			       X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) == 1
		       ? 0
		       : -ENOMEM;
}

int pk_pki_crl_new(X509 *ca, EVP_PKEY *ca_key, const struct pk_pki_revoked *v, size_t n,
		   uint64_t number, int64_t now_s, unsigned days, X509_CRL **ret_crl)
{
	_cleanup_(crl_freep) X509_CRL *crl = X509_CRL_new();
	X509V3_CTX ctx;
	int r;

	if (!crl || !X509_CRL_set_version(crl, X509_CRL_VERSION_2) ||
	    !X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)))
		return -ENOMEM;
	r = crl_dates(crl, now_s, days);
	for (size_t i = 0; !r && i < n; i++)
		r = add_revoked(crl, &v[i]);
	X509V3_set_ctx(&ctx, ca, NULL, NULL, crl, 0);
	if (!r)
		r = add_ext(&ctx, NULL, crl, NID_authority_key_identifier, "keyid:always");
	if (!r)
		r = crl_number(crl, number);
	if (!r)
		r = X509_CRL_sort(crl) && X509_CRL_sign(crl, ca_key, digest_for(ca_key)) ? 0
											 : -EINVAL;
	if (!r)
		*ret_crl = PK_TAKE(crl);
	return r;
}

int pk_pki_serial(const X509 *cert, char ret_serial[PK_PKI_SERIAL])
{
	_cleanup_(bn_freep) BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = n ? BN_bn2hex(n) : NULL;
	int len = hex ? snprintf(ret_serial, PK_PKI_SERIAL, "%s", hex) : -1;

	OPENSSL_free(hex);
	return len < 0 ? -ENOMEM : len >= PK_PKI_SERIAL ? -EINVAL : 0;
}

int64_t pk_pki_ends_s(const X509 *cert)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) ? timegm(&tm) : 0;
}
