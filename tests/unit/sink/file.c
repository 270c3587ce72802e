/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are whole, files rotate by size, and one that was moved away is begun anew. */
#include "conf/conf.h"
#include "sink/kinds.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "place.h"

static atomic_bool stop;

static void *open_sink(const struct place *p, struct pk_conf **c, const char *size)
{
	struct pk_sink_env env = { .file_fd = p->fd, .stop = &stop, .hostname = "h" };
	char file[128];
	void *state;

	snprintf(file, sizeof(file), "%s/out.jsonl", p->path);
	*c = pk_conf_new();
	assert_int_equal(pk_conf_set(*c, "sink.file", file, NULL), 0);
	assert_int_equal(pk_conf_set(*c, "sink.file_size", size, NULL), 0);
	assert_int_equal(pk_conf_set(*c, "sink.file_keep", "2", NULL), 0);
	env.conf = *c;
	assert_true(pk_sink_file.wanted(*c));
	assert_int_equal(pk_sink_file.open(&env, &state), 0);
	return state;
}

static void send_one(void *state, unsigned n, size_t bytes)
{
	char text[70000], uid[16], why[PK_SINK_WHY];
	struct pk_sink_record r = record(n, bytes, text, uid);
	size_t done = 0;

	assert_int_equal(pk_sink_file.send(state, &r, 1, &done, why), 0);
	assert_int_equal(done, 1);
}

static void test_rotate(void **state)
{
	struct pk_conf *c;
	struct place p;
	void *sink;

	(void)state;
	place_make(&p);
	sink = open_sink(&p, &c, "64K");
	for (unsigned n = 0; n < 40; n++)
		send_one(sink, n, 10000);
	assert_int_equal(place_ask(&p, "ls | wc -l"), 3);
	assert_int_equal(place_ask(&p, "stat -c %a out.jsonl"), 640);
	assert_true(place_ask(&p, "stat -c %s out.jsonl.1") <= 65536);
	/* the last ones, each line whole */
	assert_int_equal(place_ask(&p, "cat out.jsonl.2 out.jsonl.1 out.jsonl |"
				       " grep -c '^{\"n\":[0-9]*,\"x\":\"[a-z]*\"}$'"),
			 16);
	assert_int_equal(place_ask(&p, "tail -n 1 out.jsonl | tr -dc 0-9"), 39);
	pk_sink_file.close(sink);
	pk_conf_free(c);
	place_done(&p);
}

static void test_moved(void **state)
{
	struct pk_conf *c;
	struct place p;
	void *sink;

	(void)state;
	place_make(&p);
	sink = open_sink(&p, &c, "64M");
	send_one(sink, 1, 10);
	(void)place_ask(&p, "mv out.jsonl old.jsonl");
	send_one(sink, 2, 10);
	assert_int_equal(place_ask(&p, "tr -dc 0-9 <old.jsonl"), 1);
	assert_int_equal(place_ask(&p, "tr -dc 0-9 <out.jsonl"), 2);
	(void)place_ask(&p, ": >out.jsonl"); /* as copytruncate does */
	send_one(sink, 3, 10);
	assert_int_equal(place_ask(&p, "tr -dc 0-9 <out.jsonl"), 3);
	pk_sink_file.close(sink);
	pk_conf_free(c);
	sink = open_sink(&p, &c, "64M"); /* goes on where it ended */
	send_one(sink, 4, 10);
	assert_int_equal(place_ask(&p, "tr -dc 0-9 <out.jsonl"), 34);
	pk_sink_file.close(sink);
	pk_conf_free(c);
	place_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rotate),
		cmocka_unit_test(test_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
