/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates to roles, with names that try to be somebody else's. */
#include "gate/tls.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static struct pk_conf *conf;
static EVP_PKEY *key;

/* One GeneralName of this type, whose bytes may be anything. */
static void add_alt(X509 *c, int type, const char *s, int len)
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_IA5STRING *v = ASN1_IA5STRING_new();

	assert_int_equal(ASN1_STRING_set(v, s, len), 1);
	GENERAL_NAME_set0_value(g, type, v);
	sk_GENERAL_NAME_push(all, g);
	assert_int_equal(X509_add1_ext_i2d(c, NID_subject_alt_name, all, 0, X509V3_ADD_APPEND), 1);
	GENERAL_NAMES_free(all);
}

static X509 *cert(const char *cn, int type, const char *alt, int alt_len)
{
	X509 *c = X509_new();
	X509_NAME *n = X509_get_subject_name(c);

	X509_NAME_add_entry_by_txt(n, "O", MBSTRING_UTF8, (const unsigned char *)"Lab", -1, -1, 0);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_version(c, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
	X509_gmtime_adj(X509_getm_notBefore(c), 0);
	X509_gmtime_adj(X509_getm_notAfter(c), 3600);
	X509_set_issuer_name(c, n);
	X509_set_pubkey(c, key);
	if (alt)
		add_alt(c, type, alt, alt_len);
	assert_true(X509_sign(c, key, NULL) > 0);
	return c;
}

static enum pk_role role_of(const char *cn, int type, const char *alt, int alt_len)
{
	X509 *c = cert(cn, type, alt, alt_len);
	struct pk_tls_client who;

	assert_int_equal(pk_tls_identify(conf, c, &who), 0);
	for (const char *p = who.name; *p; p++)
		assert_in_range(*p, 0x20, 0x7e);
	X509_free(c);
	return who.role;
}

static enum pk_role role_by(int type, const char *alt)
{
	return role_of("x", type, alt, (int)strlen(alt));
}

static void roles_by_uri(void **state)
{
	static const char nul[] = "urn:picket:role:admin\0.example.org";

	(void)state;
	assert_int_equal(role_by(GEN_URI, "urn:picket:role:reader"), PK_ROLE_READER);
	assert_int_equal(role_by(GEN_URI, "urn:picket:role:analyst"), PK_ROLE_ANALYST);
	assert_int_equal(role_by(GEN_URI, "urn:picket:role:operator"), PK_ROLE_OPERATOR);
	assert_int_equal(role_by(GEN_URI, "urn:picket:role:admin"), PK_ROLE_ADMIN);
	assert_int_equal(role_by(GEN_URI, "urn:picket:role:adminx"), PK_ROLE_NONE);
	assert_int_equal(role_by(GEN_DNS, "urn:picket:role:admin"), PK_ROLE_NONE);
	assert_int_equal(role_of("x", GEN_URI, nul, sizeof(nul) - 1), PK_ROLE_NONE);
	assert_int_equal(role_of("x", GEN_URI, "", 0), PK_ROLE_NONE);
	assert_int_equal(role_of("urn:picket:role:admin", 0, NULL, 0), PK_ROLE_NONE);
	assert_int_equal(role_of("URI:urn:picket:role:admin", 0, NULL, 0), PK_ROLE_NONE);
}

static void roles_by_subject(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf errors = { 0 };

	(void)state;
	assert_int_equal(pk_conf_set(conf, "gate.admins", "subject:CN=alice\\,O=Lab", &errors), 0);
	/* a comma in a value is not one between values */
	assert_int_equal(role_of("alice,O=Lab", 0, NULL, 0), PK_ROLE_NONE);
	pk_conf_free(conf);
	conf = pk_conf_new();
	assert_int_equal(pk_conf_set(conf, "gate.admins", "subject:CN=alice?O=Lab", &errors), 0);
	assert_int_equal(role_of("alice", 0, NULL, 0), PK_ROLE_ADMIN);
	assert_int_equal(role_of("alicf", 0, NULL, 0), PK_ROLE_NONE);
	pk_conf_free(conf);
	conf = pk_conf_new();
}

static int file_of(int (*put)(BIO *b, void *what), void *what)
{
	BIO *b = BIO_new(BIO_s_mem());
	int fd = memfd_create("test", MFD_CLOEXEC);
	char *data;
	long len;

	assert_int_equal(put(b, what), 1);
	len = BIO_get_mem_data(b, &data);
	assert_int_equal(write(fd, data, (size_t)len), len);
	BIO_free(b);
	return fd;
}

static int put_cert(BIO *b, void *c)
{
	return PEM_write_bio_X509(b, c);
}

static int put_key(BIO *b, void *k)
{
	return PEM_write_bio_PKCS8PrivateKey(b, k, NULL, NULL, 0, NULL, NULL);
}

static void files_must_fit(void **state)
{
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	X509 *c = cert("host", 0, NULL, 0);
	int fds[PK_TLS_FILES] = { file_of(put_cert, c), file_of(put_key, key), file_of(put_cert, c),
				  -1 };
	int wrong_key = file_of(put_key, other), empty = memfd_create("empty", MFD_CLOEXEC);
	int file = -1, right = fds[1];
	SSL_CTX *ctx = NULL;

	(void)state;
	assert_int_equal(pk_tls_new(fds, &ctx, &file), 0);
	assert_int_equal(SSL_CTX_get_min_proto_version(ctx), TLS1_3_VERSION);
	assert_true(SSL_CTX_get_verify_mode(ctx) & SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
	SSL_CTX_free(ctx);
	fds[1] = wrong_key;
	assert_int_equal(pk_tls_new(fds, &ctx, &file), -EBADMSG);
	assert_int_equal(file, 1);
	fds[1] = right;
	fds[3] = fds[0]; /* a certificate is no list of revoked ones */
	assert_int_equal(pk_tls_new(fds, &ctx, &file), -EBADMSG);
	assert_int_equal(file, 3);
	fds[3] = empty;
	assert_int_equal(pk_tls_new(fds, &ctx, &file), -EBADMSG);
	assert_int_equal(file, 3);
	for (int i = 0; i < PK_TLS_FILES; i++)
		close(fds[i]);
	close(wrong_key);
	X509_free(c);
	EVP_PKEY_free(other);
}

static int set_up(void **state)
{
	(void)state;
	conf = pk_conf_new();
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return conf && key ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	pk_conf_free(conf);
	EVP_PKEY_free(key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles_by_uri),
		cmocka_unit_test(roles_by_subject),
		cmocka_unit_test(files_must_fit),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
