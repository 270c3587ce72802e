/* SPDX-License-Identifier: Apache-2.0 */
/* What was put is there afterwards, in its newest version, also after a restart. */
#include "store/store.h"

#include "base/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "make.h"

struct seen {
	unsigned n;
	uint64_t last_id;
	char json[128];
};

static int note(void *arg, const struct pk_store_item *i)
{
	struct seen *s = arg;

	s->n++;
	s->last_id = i->id;
	snprintf(s->json, sizeof(s->json), "%.*s", (int)i->len, i->json);
	return 0;
}

static void test_rows(void **state)
{
	struct pk_store_query q = { .kind = PK_STORE_ALERT };
	struct pk_store_counts c;
	struct seen seen = { 0 };
	struct pk_store *s;
	struct place p;
	uint64_t t = 0;

	(void)state;
	place_make(&p);
	s = store_open(&p);
	for (unsigned n = 1; n <= 100; n++)
		t = put_alert(s, n, 1);
	t = put_alert(s, 7, 2);
	assert_true(store_wait(s, t));
	pk_store_free(s);

	s = store_open(&p);
	t = put_alert(s, 101, 1);
	assert_true(store_wait(s, t));
	assert_int_equal(pk_store_get(s, PK_STORE_ALERT, "a-7", note, &seen), 0);
	assert_string_equal(seen.json, "{\"n\":7,\"v\":2}");
	assert_int_equal(pk_store_get(s, PK_STORE_INCIDENT, "a-7", note, &seen), -ENOENT);
	seen.n = 0;
	assert_int_equal(pk_store_list(s, &q, note, &seen), 0);
	assert_int_equal(seen.n, 101);
	pk_store_counts(s, &c);
	assert_int_equal(c.chain, 103); /* with the one that begins it */
	assert_int_equal(c.lost_full + c.lost_bad + c.failed, 0);
	pk_store_free(s);
	place_done(&p);
}

static void test_refused(void **state)
{
	static char big[PK_STORE_JSON_MAX + 1], name[PK_STORE_UID_MAX + 2];
	struct pk_store_row row = { .kind = PK_STORE_ALERT, .uid = "a", .json = "{}", .len = 2 };
	struct pk_store_counts c;
	struct pk_store *s;
	struct place p;

	(void)state;
	place_make(&p);
	s = store_open(&p);
	row.uid = "";
	assert_int_equal(pk_store_put(s, &row, NULL), -EINVAL);
	row.uid = memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(pk_store_put(s, &row, NULL), -EMSGSIZE);
	row.uid = "a";
	row.json = memset(big, ' ', sizeof(big));
	row.len = sizeof(big);
	assert_int_equal(pk_store_put(s, &row, NULL), -EMSGSIZE);
	row.kind = PK_STORE_FLOW;
	row.len = 2;
	assert_int_equal(pk_store_put(s, &row, NULL), -EINVAL);
	pk_store_counts(s, &c);
	assert_int_equal(c.lost_bad, 4);
	pk_store_free(s);
	place_done(&p);
}

/* Each way to break a file: it is kept, another one begins and says so, nothing queued is lost. */
static void break_and_check(const char *how)
{
	char file[160], command[400];
	struct pk_store_counts c;
	struct seen seen = { 0 };
	struct pk_store *s;
	struct place p;
	uint64_t t = 0;

	place_make(&p);
	s = store_open(&p);
	for (unsigned n = 1; n <= 50; n++)
		t = put_alert(s, n, 1);
	assert_true(store_wait(s, t));
	pk_store_free(s);
	place_file(&p, PK_STORE_FILE, file);
	snprintf(command, sizeof(command), "f=%s; %s", file, how);
	assert_int_equal(system(command), 0);

	s = store_open(&p);
	t = put_alert(s, 1, 9);
	assert_true(store_wait(s, t));
	pk_store_counts(s, &c);
	assert_int_equal(c.broken, 1);
	assert_int_equal(c.chain, 2);
	assert_string_equal(c.trouble, "");
	assert_int_equal(access(place_file(&p, c.kept, file), F_OK), 0);
	assert_int_equal(
		pk_store_list(s, &(struct pk_store_query){ .kind = PK_STORE_ACT }, note, &seen), 0);
	assert_int_equal(seen.n, 1);
	assert_non_null(strstr(seen.json, c.kept));
	pk_store_free(s);
	place_done(&p);
}

static void test_broken(void **state)
{
	(void)state;
	break_and_check("head -c 60000 /dev/urandom >$f");
	break_and_check("truncate -s 9000 $f");
	break_and_check("sqlite3 $f 'PRAGMA user_version = 99'");
	break_and_check("sqlite3 $f 'DROP TABLE object'");
}

static int note_flow(void *arg, const struct pk_store_flow *f)
{
	struct pk_store_flow *to = arg;

	*to = *f;
	assert_string_equal(f->exe, "/usr/bin/curl");
	assert_null(f->name);
	return 1;
}

static void test_flows(void **state)
{
	struct pk_store_flow in = { .start_ns = 5,
				    .end_ns = 6,
				    .bytes = { 7, 8 },
				    .packets = { 9, 10 },
				    .port = { 40000, 443 },
				    .proto = 6,
				    .pid = 11,
				    .uid = 12,
				    .own = 1,
				    .exe = "/usr/bin/curl",
				    .addr = { { 1 }, { 2 } } };
	struct pk_store_query q = { .since_ns = 6, .until_ns = 7, .remote = in.addr[1] };
	struct pk_store_flow out = { 0 };
	struct pk_store_counts c;
	struct pk_store *s;
	struct place p;

	(void)state;
	place_make(&p);
	s = store_open(&p);
	assert_int_equal(pk_store_put_flow(s, &in), 0);
	assert_true(store_wait(s, 1));
	assert_int_equal(pk_store_flows(s, &q, note_flow, &out), 0);
	assert_int_equal(out.id, 1);
	out.exe = in.exe;
	out.id = 0;
	assert_memory_equal(&in, &out, sizeof(in));
	pk_store_counts(s, &c);
	assert_int_equal(c.chain, 1); /* flows are not in it */
	pk_store_free(s);
	place_done(&p);
}

static int note_ends(void *arg, const struct pk_store_flow *f)
{
	((uint8_t *)arg)[f->id] = f->own;
	return 0;
}

/* A database of version 1 is taken over: what it has stays, what it did not keep is unknown. */
static void test_from_1(void **state)
{
	struct pk_store_flow f = { .end_ns = 6, .pid = 1, .own = 1, .addr = { { 1 }, { 2 } } };
	struct pk_store_query q = { .until_ns = 7 };
	uint8_t own[3] = { 9, 9, 9 };
	char file[160], command[400];
	struct pk_store_counts c;
	struct pk_store *s;
	struct place p;

	(void)state;
	place_make(&p);
	s = store_open(&p);
	assert_int_equal(pk_store_put_flow(s, &f), 0);
	assert_true(store_wait(s, put_alert(s, 1, 1)));
	pk_store_free(s);
	snprintf(command, sizeof(command),
		 "sqlite3 %s 'ALTER TABLE flow DROP COLUMN own; PRAGMA user_version = 1'",
		 place_file(&p, PK_STORE_FILE, file));
	assert_int_equal(system(command), 0);

	s = store_open(&p);
	f.own = 0;
	assert_int_equal(pk_store_put_flow(s, &f), 0);
	assert_true(store_wait(s, put_alert(s, 2, 1)));
	pk_store_counts(s, &c);
	assert_int_equal(c.broken, 0);
	assert_int_equal(pk_store_flows(s, &q, note_ends, own), 0);
	assert_int_equal(own[1], PK_STORE_NO_END);
	assert_int_equal(own[2], 0);
	pk_store_free(s);
	place_done(&p);
}

static int note_ids(void *arg, const struct pk_store_flow *f)
{
	uint64_t *ids = arg;

	while (*ids)
		ids++;
	*ids = f->id;
	return 0;
}

/* Page by page, each flow once, also where several ended at once. */
static void test_flow_pages(void **state)
{
	static const uint64_t ends[] = { 30, 10, 20, 20, 20, 40 };
	static const uint64_t by_end[] = { 2, 3, 4, 5, 1, 6 };
	struct pk_store *s;
	struct place p;

	(void)state;
	place_make(&p);
	s = store_open(&p);
	for (size_t i = 0; i < PK_ARRAY_SIZE(ends); i++) {
		struct pk_store_flow f = { .end_ns = ends[i], .addr = { { 1 }, { 2 } } };

		assert_int_equal(pk_store_put_flow(s, &f), 0);
	}
	assert_true(store_wait(s, PK_ARRAY_SIZE(ends)));
	for (int oldest = 0; oldest < 2; oldest++) {
		struct pk_store_query q = { .oldest_first = oldest, .limit = 2 };
		uint64_t ids[16] = { 0 };

		for (size_t n = 0; n < 6; n += 2) {
			assert_int_equal(pk_store_flows(s, &q, note_ids, ids), 0);
			assert_true(ids[n + 1] && !ids[n + 2]);
			q.after = ids[n + 1];
		}
		for (size_t i = 0; i < 6; i++)
			assert_int_equal(ids[i], by_end[oldest ? i : 5 - i]);
		assert_int_equal(pk_store_flows(s, &q, note_ids, ids), 0);
		assert_int_equal(ids[6], 0);
	}
	pk_store_free(s);
	place_done(&p);
}

static int note_change(void *arg, const struct pk_store_item *i)
{
	char *names = arg;

	strcat(names, i->uid);
	return 0;
}

/* In the order of their last change, both ways, and on from one. */
static void test_by_change(void **state)
{
	static const char *const puts[] = { "a", "b", "c", "a" };
	struct pk_store_query q = { .kind = PK_STORE_ALERT, .by_change = true };
	char names[32] = "";
	struct pk_store *s;
	struct place p;

	(void)state;
	place_make(&p);
	s = store_open(&p);
	for (size_t i = 0; i < PK_ARRAY_SIZE(puts); i++) {
		struct pk_store_row row = {
			.kind = PK_STORE_ALERT, .uid = puts[i], .json = "{}", .len = 2
		};

		assert_int_equal(pk_store_put(s, &row, NULL), 0);
	}
	assert_true(store_wait(s, PK_ARRAY_SIZE(puts)));
	assert_int_equal(pk_store_list(s, &q, note_change, names), 0);
	assert_string_equal(names, "acb");
	q.oldest_first = true;
	names[0] = '\0';
	assert_int_equal(pk_store_list(s, &q, note_change, names), 0);
	assert_string_equal(names, "bca");
	q.after = 3; /* the chain's own first record is 1, so b is 3 */
	names[0] = '\0';
	assert_int_equal(pk_store_list(s, &q, note_change, names), 0);
	assert_string_equal(names, "ca");
	pk_store_free(s);
	place_done(&p);
}

/* A store that can not write: what is put beyond the queue is refused and counted, not waited for.
 */
static void test_no_room(void **state)
{
	struct pk_store_row row = { .kind = PK_STORE_ALERT, .uid = "a", .len = 60000 };
	struct pk_store_flow flow = { 0 };
	struct pk_store_opts o = { .dir_fd = -1, .checkpoints_fd = -1, .queue_bytes = 1 << 20 };
	static char json[60000];
	struct pk_store_counts c;
	struct pk_store *s;
	unsigned flows = 0, rows = 0;

	(void)state;
	assert_int_equal(pk_store_new(&o, &s), 0);
	row.json = memset(json, ' ', sizeof(json));
	while (pk_store_put_flow(s, &flow) == 0)
		flows++;
	while (pk_store_put(s, &row, NULL) == 0)
		rows++;
	assert_true(flows > 1000);
	assert_true(rows >= 7); /* the other half */
	pk_store_counts(s, &c);
	assert_int_equal(c.lost_flow_full, 1);
	assert_int_equal(c.lost_full, 1);
	usleep(300000);
	pk_store_counts(s, &c);
	assert_string_not_equal(c.trouble, "");
	pk_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),       cmocka_unit_test(test_refused),
		cmocka_unit_test(test_broken),     cmocka_unit_test(test_flows),
		cmocka_unit_test(test_flow_pages), cmocka_unit_test(test_by_change),
		cmocka_unit_test(test_no_room),    cmocka_unit_test(test_from_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
