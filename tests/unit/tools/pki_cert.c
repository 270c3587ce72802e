/* SPDX-License-Identifier: Apache-2.0 */
#include "../../../tools/pki_cert.h"

#include "base/cleanup.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define NOW 1800000000

struct ca {
	EVP_PKEY *key, *leaf_key;
	X509 *cert;
};

static void begin(struct ca *c, enum pk_pki_kind kind)
{
	assert_int_equal(pk_pki_key_new(kind, &c->key), 0);
	assert_int_equal(pk_pki_key_new(kind, &c->leaf_key), 0);
	assert_int_equal(pk_pki_ca_new(c->key, "Test CA", NOW, 3650, &c->cert), 0);
}

static void end(struct ca *c)
{
	EVP_PKEY_free(c->key);
	EVP_PKEY_free(c->leaf_key);
	X509_free(c->cert);
}

/* What OpenSSL says of it at a time: X509_V_OK or why not. */
static int verify(const struct ca *c, X509 *cert, X509_CRL *crl, int64_t at_s, int purpose)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int r;

	X509_STORE_add_cert(store, c->cert);
	if (crl)
		X509_STORE_add_crl(store, crl);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, cert, NULL), 1);
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT | (crl ? X509_V_FLAG_CRL_CHECK : 0));
	X509_STORE_CTX_set_time(ctx, 0, at_s);
	X509_STORE_CTX_set_purpose(ctx, purpose);
	r = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return r;
}

static X509 *issue(const struct ca *c, const struct pk_pki_wish *w)
{
	X509 *cert = NULL;

	assert_int_equal(pk_pki_cert_new(c->cert, c->key, c->leaf_key, w, &cert), 0);
	return cert;
}

static void hosts_and_roles_verify(void **state)
{
	static const char *const san[] = { "10.0.0.1", "fd00::1", "*.example.org" };
	const struct pk_pki_wish host = { "web1", NULL, san, 3, NOW, 365 };
	const struct pk_pki_wish role = { "alice", "operator", NULL, 0, NOW, 365 };

	(void)state;
	for (int kind = PK_PKI_P256; kind <= PK_PKI_ED25519; kind++) {
		struct ca c;
		X509 *h, *r;

		begin(&c, kind);
		h = issue(&c, &host);
		r = issue(&c, &role);
		assert_int_equal(verify(&c, h, NULL, NOW, X509_PURPOSE_SSL_SERVER), X509_V_OK);
		assert_int_equal(verify(&c, r, NULL, NOW, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
		assert_int_equal(verify(&c, h, NULL, NOW, X509_PURPOSE_SSL_CLIENT),
				 X509_V_ERR_INVALID_PURPOSE);
		assert_int_equal(verify(&c, r, NULL, NOW, X509_PURPOSE_SSL_SERVER),
				 X509_V_ERR_INVALID_PURPOSE);
		assert_int_equal(X509_check_host(h, "web1", 0, 0, NULL), 1);
		assert_int_equal(X509_check_host(h, "a.example.org", 0, 0, NULL), 1);
		assert_int_equal(X509_check_host(h, "web2", 0, 0, NULL), 0);
		assert_int_equal(X509_check_ip_asc(h, "10.0.0.1", 0), 1);
		assert_int_equal(X509_check_ip_asc(h, "fd00::1", 0), 1);
		X509_free(h);
		X509_free(r);
		end(&c);
	}
}

static void lifetimes(void **state)
{
	const struct pk_pki_wish w = { "alice", "reader", NULL, 0, NOW, 30 };
	struct pk_pki_wish late = w;
	struct ca c;
	X509 *x;

	(void)state;
	begin(&c, PK_PKI_P256);
	x = issue(&c, &w);
	assert_int_equal(pk_pki_ends_s(x), NOW + 30 * 86400);
	assert_int_equal(verify(&c, x, NULL, NOW - PK_PKI_SKEW_S, X509_PURPOSE_SSL_CLIENT),
			 X509_V_OK);
	assert_int_equal(verify(&c, x, NULL, NOW - PK_PKI_SKEW_S - 1, X509_PURPOSE_SSL_CLIENT),
			 X509_V_ERR_CERT_NOT_YET_VALID);
	assert_int_equal(verify(&c, x, NULL, NOW + 30 * 86400 + 1, X509_PURPOSE_SSL_CLIENT),
			 X509_V_ERR_CERT_HAS_EXPIRED);
	X509_free(x);
	late.now_s = NOW + 3640 * 86400ll; /* none outlives its authority */
	x = issue(&c, &late);
	assert_int_equal(pk_pki_ends_s(x), pk_pki_ends_s(c.cert));
	X509_free(x);
	end(&c);
}

static void revoked(void **state)
{
	const struct pk_pki_wish w = { "alice", "admin", NULL, 0, NOW, 365 };
	struct pk_pki_revoked v = { .at_s = NOW };
	X509_CRL *crl = NULL;
	struct ca c;
	X509 *a, *b;

	(void)state;
	begin(&c, PK_PKI_P256);
	a = issue(&c, &w);
	b = issue(&c, &w);
	assert_int_equal(pk_pki_serial(a, v.serial), 0);
	assert_int_equal(pk_pki_crl_new(c.cert, c.key, &v, 1, 7, NOW, 400, &crl), 0);
	assert_int_equal(verify(&c, a, crl, NOW, X509_PURPOSE_SSL_CLIENT), X509_V_ERR_CERT_REVOKED);
	assert_int_equal(verify(&c, b, crl, NOW, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
	X509_CRL_free(crl);
	crl = NULL;
	snprintf(v.serial, sizeof(v.serial), "12xy");
	assert_int_equal(pk_pki_crl_new(c.cert, c.key, &v, 1, 8, NOW, 400, &crl), -EINVAL);
	assert_null(crl);
	X509_free(a);
	X509_free(b);
	end(&c);
}

/* A comma, a second kind of name or a role that is none never get into a certificate. */
static void names_are_what_they_look_like(void **state)
{
	static const char *const bad_san[] = { "a,URI:urn:picket:role:admin", "a b", "", "-a",
					       "a..b" };
	static const char *const bad_name[] = {
		"", "../ca", ".x", "-x", "a,b", "a/b", "a b", "a\nb"
	};
	struct ca c;
	X509 *x = NULL;

	(void)state;
	begin(&c, PK_PKI_P256);
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad_san); i++) {
		const struct pk_pki_wish w = { "web1", NULL, &bad_san[i], 1, NOW, 1 };

		assert_int_equal(pk_pki_cert_new(c.cert, c.key, c.leaf_key, &w, &x), -EINVAL);
	}
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad_name); i++) {
		const struct pk_pki_wish w = { bad_name[i], "reader", NULL, 0, NOW, 1 };

		assert_false(pk_pki_is_name(bad_name[i]));
		assert_int_equal(pk_pki_cert_new(c.cert, c.key, c.leaf_key, &w, &x), -EINVAL);
	}
	assert_false(pk_pki_is_role("root"));
	assert_false(pk_pki_is_role("admin,URI:x"));
	assert_null(x);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_and_roles_verify),
		cmocka_unit_test(lifetimes),
		cmocka_unit_test(revoked),
		cmocka_unit_test(names_are_what_they_look_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
