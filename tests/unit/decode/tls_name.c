/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/tls.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Every cipher that the TLS library knows is found under the name that it has there. */
static void test_as_the_library(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	STACK_OF(SSL_CIPHER) * list;
	const SSL_CIPHER *c;
	const char *name;

	(void)state;
	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_set_cipher_list(ctx, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"), 1);
	list = SSL_CTX_get_ciphers(ctx);
	assert_true(sk_SSL_CIPHER_num(list) > 50);
	for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
		c = sk_SSL_CIPHER_value(list, i);
		name = pk_tls_cipher_name(SSL_CIPHER_get_protocol_id(c));
		assert_non_null(name);
		assert_string_equal(name, SSL_CIPHER_standard_name(c));
	}
	SSL_CTX_free(ctx);
}

/* A row out of order would not be found. */
static void test_sorted(void **state)
{
	unsigned int ciphers = 0, versions = 0, groups = 0;

	(void)state;
	for (uint32_t n = 0; n <= UINT16_MAX; n++) {
		ciphers += pk_tls_cipher_name((uint16_t)n) != NULL;
		versions += pk_tls_version_name((uint16_t)n) != NULL;
		groups += pk_tls_group_name((uint16_t)n) != NULL;
	}
	assert_int_equal(ciphers, 362);
	assert_int_equal(versions, 9);
	assert_int_equal(groups, 27);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(pk_tls_version_name(0x0304), "TLS 1.3");
	assert_string_equal(pk_tls_version_name(0xfefd), "DTLS 1.2");
	assert_null(pk_tls_version_name(0x7f1c));
	assert_string_equal(pk_tls_group_name(0x11ec), "X25519MLKEM768");
	assert_string_equal(pk_tls_cipher_name(0x00ff), "TLS_EMPTY_RENEGOTIATION_INFO_SCSV");
	assert_null(pk_tls_cipher_name(0x1a1a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_library),
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
