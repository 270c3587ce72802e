/* SPDX-License-Identifier: Apache-2.0 */
/* A signed line says what was signed, to whoever has the public key, and nothing else passes. */
#include "store/checkpoint.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "store/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "make.h"

static void test_key(void **state)
{
	struct pk_key made, again, public = { 0 };
	struct stat st;
	char file[160];
	struct place p;

	(void)state;
	place_make(&p);
	assert_int_equal(pk_checkpoint_key(p.fd, &made), 0);
	assert_int_equal(pk_checkpoint_key(p.fd, &again), 0);
	assert_int_equal(pk_key_load(place_file(&p, PK_STORE_PUB, file), &public), 0);
	assert_string_equal(made.id, again.id);
	assert_string_equal(made.id, public.id);
	pk_key_done(&again);
	assert_int_equal(stat(place_file(&p, PK_STORE_KEY, file), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(truncate(file, 20), 0);
	assert_int_equal(pk_checkpoint_key(p.fd, &again), -EINVAL); /* never silently another one */
	pk_key_done(&made);
	pk_key_done(&public);
	place_done(&p);
}

static void test_sign(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf line = { 0 };
	struct pk_chain c = { .uid = "0123456789abcdef0123456789abcdef", .seq = 6, .head = { 9 } };
	struct pk_key ours, theirs;
	struct pk_checkpoint is;
	struct place p, q;
	int r;

	(void)state;
	place_make(&p);
	place_make(&q);
	assert_int_equal(pk_checkpoint_key(p.fd, &ours), 0);
	assert_int_equal(pk_checkpoint_key(q.fd, &theirs), 0);
	assert_int_equal(pk_checkpoint_sign(&ours, &c, 77, &line), 0);
	assert_int_equal(pk_checkpoint_read(&ours, line.data, line.len, &is), 0);
	assert_int_equal(is.n, 6);
	assert_int_equal(is.time_ms, 77);
	assert_string_equal(is.chain_uid, c.uid);
	assert_memory_equal(is.head, c.head, sizeof(c.head));
	assert_int_equal(pk_checkpoint_read(&theirs, line.data, line.len, &is), -ENOKEY);
	for (size_t i = 0; i < line.len; i++) { /* any byte changed */
		line.data[i] ^= 1;
		r = pk_checkpoint_read(&ours, line.data, line.len, &is);
		assert_true(r == -EINVAL || r == -EBADMSG || r == -ENOKEY);
		line.data[i] ^= 1;
	}
	for (size_t n = 0; n < line.len; n++) /* any length */
		assert_int_equal(pk_checkpoint_read(&ours, line.data, n, &is), -EINVAL);
	pk_key_done(&ours);
	pk_key_done(&theirs);
	place_done(&p);
	place_done(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
