/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/versions.h"

#include "place.h"

#include <errno.h>

struct world {
	struct place p;
	struct pk_key key;
	struct pk_versions *v;
};

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	place_make(&w->p);
	make_key(&w->p, "a", &w->key);
	assert_int_equal(pk_versions_new(w->p.fd, &w->v), 0);
	*state = w;
	return 0;
}

static int clean_world(void **state)
{
	struct world *w = *state;

	pk_versions_free(w->v);
	pk_key_done(&w->key);
	place_clean(&w->p);
	free(w);
	return 0;
}

static void restart(struct world *w)
{
	pk_versions_free(w->v);
	assert_int_equal(pk_versions_new(w->p.fd, &w->v), 0);
}

static enum pk_refusal accept(struct world *w, const char *list, uint64_t version,
			      const char *content)
{
	struct pk_statement s = statement_of(list, version, content);
	struct pk_envelope e;
	enum pk_refusal r, looked;

	sign(&s, &w->key, &e);
	looked = pk_versions_check(w->v, &e, &s);
	r = pk_versions_accept(w->v, &e, &s, content, strlen(content));
	assert_int_equal(looked, r);
	pk_envelope_done(&e);
	return r;
}

static void versions_only_go_up_also_after_a_restart(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 2; i++) {
		if (i == 0) {
			assert_int_equal(accept(w, "drop", 3, "a"), PK_SIGNED_OK);
			assert_int_equal(accept(w, "drop", 7, "abc"), PK_SIGNED_OK);
		}
		assert_int_equal(accept(w, "drop", 6, "a"), PK_REFUSED_REPLAYED);
		assert_int_equal(accept(w, "drop", 7, "abd"), PK_REFUSED_FORKED);
		assert_int_equal(accept(w, "drop", 7, "abc"), PK_SIGNED_OK);
		restart(w);
	}
	assert_int_equal(accept(w, "other", 1, "x"), PK_SIGNED_OK);
	assert_int_equal(accept(w, "drop", 8, "a"), PK_SIGNED_OK);
}

static void what_is_replaced_or_removed_is_not_forgotten(void **state)
{
	struct world *w = *state;
	struct pk_accepted a;

	assert_int_equal(accept(w, "drop", 7, "abc"), PK_SIGNED_OK);
	pk_versions_replaced(w->v, "drop");
	restart(w);
	assert_true(pk_versions_get(w->v, "drop", &a));
	assert_true(a.replaced);
	assert_string_equal(a.key[0], w->key.id);
	assert_int_equal(accept(w, "drop", 6, "abc"), PK_REFUSED_REPLAYED);
	assert_int_equal(accept(w, "drop", 7, "abc"), PK_SIGNED_OK);
	assert_true(pk_versions_get(w->v, "drop", &a));
	assert_false(a.replaced);
	restart(w);
	assert_true(pk_versions_at(w->v, 0, &a));
	assert_false(a.replaced);
	assert_false(pk_versions_at(w->v, 1, &a));
	assert_true(pk_versions_is_last(w->v, &a.statement));
	a.statement.version--;
	assert_false(pk_versions_is_last(w->v, &a.statement));
}

static void the_mode_before_it_expired_is_remembered(void **state)
{
	struct world *w = *state;
	struct pk_accepted a;

	assert_int_equal(accept(w, "drop", 7, "abc"), PK_SIGNED_OK);
	assert_true(pk_versions_get(w->v, "drop", &a));
	assert_int_equal(a.was, 0);
	pk_versions_dropped(w->v, "drop", 2);
	restart(w);
	assert_true(pk_versions_get(w->v, "drop", &a));
	assert_int_equal(a.was, 2);
	assert_int_equal(accept(w, "drop", 8, "abc"), PK_SIGNED_OK);
	restart(w);
	assert_true(pk_versions_get(w->v, "drop", &a));
	assert_int_equal(a.was, 0);
}

static void content_is_kept_for_deltas(void **state)
{
	struct world *w = *state;
	struct pk_statement s = statement_of("drop", 7, "abc"), other = statement_of("x", 1, "xyz");
	void *data = NULL;
	size_t len = 0;
	int fd;

	assert_int_equal(accept(w, "drop", 7, "abc"), PK_SIGNED_OK);
	restart(w);
	assert_int_equal(pk_versions_content(w->v, "drop", s.sha256, &data, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "abc", 3);
	free(data);
	assert_int_equal(pk_versions_content(w->v, "drop", other.sha256, &data, &len), -ENOENT);
	assert_int_equal(pk_versions_content(w->v, "none", s.sha256, &data, &len), -ENOENT);
	fd = openat(w->p.fd, "drop.content", O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "abd", 3), 3);
	close(fd);
	assert_int_equal(pk_versions_content(w->v, "drop", s.sha256, &data, &len), -ENOENT);
}

static void without_its_memory_nothing_is_accepted(void **state)
{
	struct world *w = *state;
	struct pk_accepted a;
	int fd;

	assert_int_equal(accept(w, "drop", 7, "abc"), PK_SIGNED_OK);
	fd = openat(w->p.fd, "drop.accepted", O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "{", 1), 1);
	close(fd);
	restart(w);
	assert_true(pk_versions_get(w->v, "drop", &a));
	assert_true(a.damaged);
	assert_int_equal(accept(w, "drop", 100, "abc"), PK_REFUSED_STATE);
	assert_int_equal(accept(w, "other", 1, "abc"), PK_SIGNED_OK);
	pk_versions_free(w->v);
	assert_int_equal(pk_versions_new(-1, &w->v), 0);
	assert_int_equal(accept(w, "other", 2, "abc"), PK_REFUSED_STATE);
}

/* A copy of one envelope under another list's name. */
static void a_file_of_another_list_is_damage(void **state)
{
	struct world *w = *state;

	assert_int_equal(accept(w, "drop", 7, "abc"), PK_SIGNED_OK);
	assert_int_equal(linkat(w->p.fd, "drop.accepted", w->p.fd, "web.accepted", 0), 0);
	restart(w);
	assert_int_equal(accept(w, "web", 8, "abc"), PK_REFUSED_STATE);
	assert_int_equal(accept(w, "drop", 8, "abc"), PK_SIGNED_OK);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_world, clean_world)
	const struct CMUnitTest tests[] = {
		TEST(versions_only_go_up_also_after_a_restart),
		TEST(what_is_replaced_or_removed_is_not_forgotten),
		TEST(the_mode_before_it_expired_is_remembered),
		TEST(content_is_kept_for_deltas),
		TEST(without_its_memory_nothing_is_accepted),
		TEST(a_file_of_another_list_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
