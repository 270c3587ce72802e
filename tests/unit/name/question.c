/* SPDX-License-Identifier: Apache-2.0 */
/* Questions are found by all that an answer must have, in time, and bounded. */
#include "name/question.h"

#include "name/intern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct pk_question_key key_of(unsigned i, const char *name)
{
	return (struct pk_question_key){ .netns = 1,
					 .client = { [15] = 1 },
					 .server = { [15] = 2 },
					 .client_port = (__be16)(1000 + i),
					 .server_port = 53,
					 .id = (uint16_t)i,
					 .qtype = 1,
					 .name = (uintptr_t)name };
}

static void test_match(void **state)
{
	struct pk_intern *t = pk_intern_new(1 << 20);
	struct pk_questions *q = pk_questions_new(100, t);
	const char *name = pk_intern_text(t, "a.example", 9);
	struct pk_question_key key = key_of(1, name), wrong;
	struct pk_question *x = pk_questions_add(q, &key, name, 5);

	(void)state;
	pk_intern_put(t, &(const char *){ name }); /* the question owns it too */
	assert_ptr_equal(pk_questions_find(q, &key), x);
	assert_string_equal(x->name, "a.example");
	for (size_t b = 0; b < sizeof(key); b++) {
		wrong = key;
		((uint8_t *)&wrong)[b] ^= 1;
		assert_null(pk_questions_find(q, &wrong));
	}
	assert_null(pk_questions_over(q, 5 + PK_QUESTION_WAIT_NS - 1));
	assert_ptr_equal(pk_questions_over(q, 5 + PK_QUESTION_WAIT_NS), x);
	assert_null(pk_questions_over(q, 1)); /* time that went back */
	pk_questions_drop(q, x);
	assert_null(pk_questions_find(q, &key));
	assert_null(pk_questions_over(q, UINT64_MAX));
	pk_questions_free(q);
	pk_intern_free(t);
}

static void test_bound(void **state)
{
	struct pk_intern *t = pk_intern_new(1 << 20);
	struct pk_questions *q = pk_questions_new(100, t);
	const char *name = pk_intern_text(t, "a.example", 9);
	struct pk_questions_count n;
	struct pk_intern_count texts;
	struct pk_question_key key;
	struct pk_question *x;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		key = key_of(i, name);
		(void)pk_questions_add(q, &key, name, i);
	}
	pk_questions_counts(q, &n);
	assert_int_equal(n.used, 100);
	assert_int_equal(n.evicted, 900);
	key = key_of(899, name);
	assert_null(pk_questions_find(q, &key));
	key = key_of(950, name);
	x = pk_questions_find(q, &key);
	assert_non_null(x);
	pk_questions_drop(q, x); /* from the middle */
	for (unsigned i = 0; (x = pk_questions_over(q, UINT64_MAX)); i++) {
		assert_int_equal(x->key.id, 900 + i + (i >= 50));
		pk_questions_drop(q, x);
	}
	pk_questions_counts(q, &n);
	assert_int_equal(n.used, 0);
	pk_intern_put(t, &name);
	pk_intern_counts(t, &texts);
	assert_int_equal(texts.texts, 0);
	pk_questions_free(q);
	pk_intern_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_match),
					    cmocka_unit_test(test_bound) };

	return cmocka_run_group_tests_name("name/question", tests, NULL, NULL);
}
