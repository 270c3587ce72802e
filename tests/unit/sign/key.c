/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/key.h"

#include "base/hex.h"
#include "place.h"

#include <errno.h>
#include <openssl/evp.h>

static void a_pair_is_made_kept_and_used(void **state)
{
	struct pk_key k, again, pub;
	struct place p;
	struct stat st;
	uint8_t sig[PK_SIG_SIZE];
	char file[320];

	(void)state;
	place_make(&p);
	make_key(&p, "a", &k);
	assert_int_equal(pk_key_load_at(p.fd, "a.key", &again), 0);
	assert_int_equal(pk_key_load_at(p.fd, "a.pub", &pub), 0);
	assert_string_equal(k.id, again.id);
	assert_string_equal(k.id, pub.id);
	assert_true(again.is_private && !pub.is_private);
	assert_int_equal(fstatat(p.fd, "a.key", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(p.fd, "a.pub", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(pk_key_sign(&pub, "x", 1, sig), -EINVAL);
	assert_int_equal(pk_key_sign(&again, "x", 1, sig), 0);
	assert_true(pk_key_verify(&pub, "x", 1, sig));
	assert_false(pk_key_verify(&pub, "y", 1, sig));
	sig[63] ^= 1;
	assert_false(pk_key_verify(&pub, "x", 1, sig));
	assert_int_equal(symlinkat("a.pub", p.fd, "b.pub"), 0);
	assert_int_equal(pk_key_load_at(p.fd, "b.pub", &pub), -ELOOP);
	assert_int_equal(pk_key_load_at(p.fd, "none", &pub), -ENOENT);
	snprintf(file, sizeof(file),
		 "cd %s && openssl genpkey -algorithm ED25519 -aes128 -pass "
		 "pass:x -out locked.key 2>/dev/null && openssl ecparam -name "
		 "prime256v1 -genkey -noout -out other.key && echo x > text",
		 p.dir);
	assert_int_equal(system(file), 0);
	assert_int_equal(pk_key_load_at(p.fd, "locked.key", &pub), -EINVAL);
	assert_int_equal(pk_key_load_at(p.fd, "other.key", &pub), -EINVAL);
	assert_int_equal(pk_key_load_at(p.fd, "text", &pub), -EINVAL);
	pk_key_done(&k);
	pk_key_done(&again);
	pk_key_done(&pub);
	place_clean(&p);
}

/* RFC 8032, 7.1, test 2: one byte is signed. */
static void it_is_ed25519(void **state)
{
	static const char secret[] =
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
	static const char want[] =
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
		"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
	uint8_t raw[32], sig[PK_SIG_SIZE];
	char hex[2 * PK_SIG_SIZE + 1];
	struct pk_key k = { .is_private = true };

	(void)state;
	assert_int_equal(pk_hex_parse(secret, raw, sizeof(raw)), 0);
	k.pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
	assert_int_equal(pk_key_sign(&k, "\x72", 1, sig), 0);
	pk_hex(sig, sizeof(sig), hex);
	assert_string_equal(hex, want);
	pk_key_done(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pair_is_made_kept_and_used),
		cmocka_unit_test(it_is_ed25519),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
