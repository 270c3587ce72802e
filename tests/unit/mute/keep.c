/* SPDX-License-Identifier: Apache-2.0 */
/* Through a real store and back, with hits and acts; the chain holds; acts are kept once. */
#include "mute/keep.h"

#include "base/cleanup.h"
#include "mute/mutes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../store/make.h"

#define T0     1768467600000
#define MINUTE 60000
#define DAY    86400000

static struct pk_mute *add(struct pk_mutes *t, int64_t expires_ms)
{
	struct pk_mute wish = { .owner = "alice", .reason = "known", .expires_ms = expires_ms };
	struct pk_mute *m;

	assert_int_equal(pk_mute_add_rule(&wish, "beacon"), 0);
	assert_int_equal(pk_mutes_add(t, &wish, "alice (uid 1)", T0, &m), 0);
	return m;
}

static int count(void *arg, const struct pk_store_item *item)
{
	(void)item;
	++*(unsigned *)arg;
	return 0;
}

static unsigned rows(struct pk_store *s, enum pk_store_kind kind)
{
	const struct pk_store_query q = { .kind = kind };
	unsigned n = 0;

	assert_int_equal(pk_store_list(s, &q, count, &n), 0);
	return n;
}

static void test_back(void **state)
{
	struct pk_mutes *t = pk_mutes_new(), *again = pk_mutes_new();
	struct pk_store *s;
	struct pk_mute *m, *r;
	struct place p;
	unsigned bad;

	(void)state;
	place_make(&p);
	s = store_open(&p);
	add(t, T0 + DAY);
	m = add(t, T0 + 2 * DAY);
	assert_int_equal(pk_mutes_extend(m, T0 + 3 * DAY, "bob", "still", T0 + 1), 0);
	m->hits = 5;
	m->last_hit_ms = T0 + 2;
	pk_mutes_keep(s, t, PK_MUTES_DUE, T0 + 3);
	pk_mutes_keep(s, t, PK_MUTES_DUE, T0 + 4); /* nothing is new */
	pk_store_free(s);                          /* writes all */
	s = store_open(&p);
	while (pk_mutes_read(s, again, &bad) == -ENODATA)
		usleep(1000);
	assert_int_equal(bad, 0);
	r = pk_mutes_find(again, 2);
	assert_non_null(r);
	r->kept_ms = m->kept_ms; /* when it was written does not come back */
	r->ticket = m->ticket;
	assert_memory_equal(r, m, sizeof(*m));
	assert_non_null(pk_mutes_find(again, 1));
	assert_int_equal(rows(s, PK_STORE_MUTE), 2);
	assert_int_equal(rows(s, PK_STORE_ACT), 4); /* three of them, and the store's first */
	pk_store_free(s);
	pk_mutes_free(t);
	pk_mutes_free(again);
	place_done(&p);
}

/* Hits a minute later, what is in force a day later; all for a database that is new. */
static void test_when(void **state)
{
	struct pk_mutes *t = pk_mutes_new();
	struct pk_mute *m;
	struct pk_store *s;
	struct place p;

	(void)state;
	place_make(&p);
	s = store_open(&p);
	m = add(t, T0 + 90ll * DAY);
	pk_mutes_keep(s, t, PK_MUTES_DUE, T0);
	assert_int_equal(m->kept_ms, T0);
	m->hits++;
	pk_mutes_keep(s, t, PK_MUTES_DUE, T0 + MINUTE - 1);
	assert_int_equal(m->kept_ms, T0);
	pk_mutes_keep(s, t, PK_MUTES_DUE, T0 + MINUTE);
	assert_int_equal(m->kept_ms, T0 + MINUTE);
	pk_mutes_keep(s, t, PK_MUTES_DUE, T0 + DAY);
	assert_int_equal(m->kept_ms, T0 + MINUTE);
	m->hits++;
	pk_mutes_keep(s, t, PK_MUTES_CHANGED, T0 + MINUTE + 1);
	assert_int_equal(m->kept_ms, T0 + MINUTE + 1);
	pk_mutes_keep(s, t, PK_MUTES_CHANGED, T0 + MINUTE + 2);
	assert_int_equal(m->kept_ms, T0 + MINUTE + 1);
	pk_mutes_keep(s, t, PK_MUTES_ALL, T0 + DAY);
	assert_int_equal(m->kept_ms, T0 + DAY);
	pk_mutes_keep(s, t, PK_MUTES_DUE, T0 + 2 * DAY);
	assert_int_equal(m->kept_ms, T0 + 2 * DAY);
	assert_int_equal(pk_mutes_remove(m, "bob", NULL, T0 + 2 * DAY), 0);
	pk_mutes_keep(s, t, PK_MUTES_DUE, T0 + 2 * DAY + 1);
	pk_mutes_keep(s, t, PK_MUTES_DUE, T0 + 9 * DAY); /* it is over: retention may have it */
	assert_int_equal(m->kept_ms, T0 + 2 * DAY + 1);
	pk_store_free(s);
	pk_mutes_free(t);
	place_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_when),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
