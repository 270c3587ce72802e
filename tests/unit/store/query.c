/* SPDX-License-Identifier: Apache-2.0 */
/* Each filter gives the rows it should, in the order and in the pieces asked for. */
#include "store/query.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "make.h"

#define ALERTS 60

struct seen {
	unsigned n;
	uint64_t id;
	unsigned of[ALERTS + 1];
};

static int note(void *arg, const struct pk_store_item *i)
{
	struct seen *s = arg;

	s->of[s->n++] = (unsigned)atoi(i->uid + 2);
	s->id = i->id;
	assert_int_equal(i->time_ns, 1000000000ull * s->of[s->n - 1]);
	return 0;
}

static struct seen ask(struct pk_store *s, struct pk_store_query q)
{
	struct seen seen = { 0 };

	q.kind = PK_STORE_ALERT;
	assert_int_equal(pk_store_list(s, &q, note, &seen), 0);
	return seen;
}

static void test_filters(void **state)
{
	uint8_t remote[16] = { [15] = 9 };
	struct pk_store *s;
	struct place p;
	struct seen seen;
	uint64_t t = 0;

	(void)state;
	place_make(&p);
	s = store_open(&p);
	for (unsigned n = 1; n <= ALERTS; n++)
		t = put_alert(s, n, 1);
	assert_true(store_wait(s, t));
	seen = ask(s, (struct pk_store_query){ 0 });
	assert_int_equal(seen.n, ALERTS);
	assert_int_equal(seen.of[0], ALERTS); /* newest first */
	seen = ask(s, (struct pk_store_query){ .since_ns = 10000000000, .until_ns = 20000000000 });
	assert_int_equal(seen.n, 10);
	assert_int_equal(seen.of[0], 19);
	seen = ask(s, (struct pk_store_query){ .severity_min = 5, .oldest_first = true });
	assert_int_equal(seen.n, 10);
	assert_int_equal(seen.of[0], 5);
	seen = ask(s, (struct pk_store_query){ .incident_uid = "odd" });
	assert_int_equal(seen.n, 30);
	seen = ask(s, (struct pk_store_query){ .technique = "T9999" });
	assert_int_equal(seen.n, 0);
	seen = ask(s, (struct pk_store_query){ .remote = remote, .technique = "T1046" });
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.of[0], 9);
	pk_store_free(s);
	place_done(&p);
}

/* Page after page gives each row once, either way. */
static void test_pages(void **state)
{
	struct pk_store *s;
	struct place p;
	struct seen seen = { 0 };
	unsigned sum;
	uint64_t t = 0;

	(void)state;
	place_make(&p);
	s = store_open(&p);
	for (unsigned n = 1; n <= ALERTS; n++)
		t = put_alert(s, n, 1);
	assert_true(store_wait(s, t));
	for (int oldest = 0; oldest < 2; oldest++) {
		sum = 0;
		seen.id = 0;
		do {
			seen = ask(s, (struct pk_store_query){ .after = seen.id,
							       .limit = 7,
							       .oldest_first = oldest });
			assert_true(seen.n <= 7);
			for (unsigned i = 0; i < seen.n; i++)
				sum += seen.of[i];
		} while (seen.n);
		assert_int_equal(sum, ALERTS * (ALERTS + 1) / 2);
	}
	pk_store_free(s);
	place_done(&p);
}

static void test_none(void **state)
{
	struct pk_store_opts o = { .dir_fd = -1, .checkpoints_fd = -1, .queue_bytes = 4096 };
	struct pk_store_query q = { .kind = PK_STORE_ALERT };
	struct pk_store *s;

	(void)state;
	assert_int_equal(pk_store_new(&o, &s), 0);
	assert_true(pk_store_list(s, &q, note, NULL) < 0);
	pk_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
