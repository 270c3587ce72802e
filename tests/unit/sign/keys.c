/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/keys.h"

#include "place.h"

#include <errno.h>

static void trusted_and_retired(void **state)
{
	struct pk_key a, b;
	struct pk_keys k;
	struct place p;

	(void)state;
	place_make(&p);
	make_key(&p, "a", &a);
	make_key(&p, "b", &b);
	assert_int_equal(renameat(p.fd, "b.pub", p.fd, "b.retired"), 0);
	load_keys(&p, &k);
	assert_int_equal(k.n, 2);
	assert_false(pk_keys_find(&k, a.id)->retired);
	assert_true(pk_keys_find(&k, b.id)->retired);
	assert_null(pk_keys_find(&k, "0123456789abcdef"));
	pk_keys_done(&k);
	/* both: it stays retired */
	assert_int_equal(pk_key_save_public_at(p.fd, "z.pub", &b), 0);
	load_keys(&p, &k);
	assert_int_equal(k.n, 2);
	assert_true(pk_keys_find(&k, b.id)->retired);
	pk_keys_done(&k);
	pk_key_done(&a);
	pk_key_done(&b);
	place_clean(&p);
}

static void what_others_could_write_is_left_out(void **state)
{
	struct pk_buf errors = { 0 };
	struct pk_key a, b;
	struct pk_keys k = { 0 };
	struct place p;

	(void)state;
	place_make(&p);
	make_key(&p, "a", &a);
	make_key(&p, "b", &b);
	assert_int_equal(fchmodat(p.fd, "b.pub", 0664, 0), 0);
	assert_int_equal(renameat(p.fd, "a.key", p.fd, "private.pub"), 0);
	assert_int_equal(symlinkat("a.pub", p.fd, "link.pub"), 0);
	assert_int_equal(pk_keys_load(p.dir, &errors, &k), 0);
	assert_int_equal(k.n, 1);
	assert_non_null(strstr(errors.data, "/b.pub: others may write it"));
	assert_non_null(strstr(errors.data, "/private.pub: is a private key"));
	assert_non_null(strstr(errors.data, "/link.pub: can not be read"));
	pk_keys_done(&k);
	assert_int_equal(chmod(p.dir, 0777), 0);
	assert_int_equal(pk_keys_load(p.dir, &errors, &k), -EPERM);
	assert_int_equal(pk_keys_load("/nonexistent/keys.d", &errors, &k), 0);
	assert_int_equal(k.n, 0);
	pk_buf_done(&errors);
	pk_key_done(&a);
	pk_key_done(&b);
	place_clean(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trusted_and_retired),
		cmocka_unit_test(what_others_could_write_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
