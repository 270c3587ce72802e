/* SPDX-License-Identifier: Apache-2.0 */
/* Children below parents, idle processes only where they lead to others, nothing shown twice. */
#include "../../../tools/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void add(json_t *rows, const char *uid, const char *parent, int flows)
{
	json_array_append_new(rows, json_pack("{s:{s:s,s:{s:s}},s:i}", "process", "uid", uid,
					      "parent_process", "uid", parent, "flows", flows));
}

/* The rows as "uid.depth uid.depth ..." */
static void arranged_is(json_t *rows, bool all, const char *want)
{
	json_t *out = pk_tree_arrange(rows, all), *row;
	char text[256] = "";
	size_t i, n = 0;

	json_array_foreach(out, i, row) n += (size_t)snprintf(
		text + n, sizeof(text) - n, "%s%s.%d", i ? " " : "",
		json_string_value(json_object_get(json_object_get(row, "process"), "uid")),
		(int)json_integer_value(json_object_get(row, "depth")));
	assert_string_equal(text, want);
	json_decref(out);
	json_decref(rows);
}

static json_t *family(void)
{
	json_t *rows = json_array();

	add(rows, "curl", "shell", 1);
	add(rows, "init", "", 0);
	add(rows, "idle", "init", 0);
	add(rows, "shell", "init", 0);
	add(rows, "web", "init", 3);
	add(rows, "dig", "shell", 1);
	add(rows, "stray", "gone", 0);
	return rows;
}

static void idle_ones_only_as_ancestors(void **state)
{
	(void)state;
	arranged_is(family(), false, "init.0 shell.1 curl.2 dig.2 web.1");
}

static void all_shows_every_one(void **state)
{
	(void)state;
	arranged_is(family(), true, "init.0 idle.1 shell.1 curl.2 dig.2 web.1 stray.0");
}

static void listening_is_use(void **state)
{
	json_t *rows = json_array();

	(void)state;
	add(rows, "sshd", "", 0);
	json_object_set_new(json_array_get(rows, 0), "listening",
			    json_pack("[s]", "tcp 0.0.0.0:22"));
	arranged_is(rows, false, "sshd.0");
}

/* What a broken daemon may say must not hang the tool. */
static void rings_end(void **state)
{
	json_t *rows = json_array();

	(void)state;
	add(rows, "a", "b", 1);
	add(rows, "b", "a", 0);
	add(rows, "own", "own", 1);
	arranged_is(rows, false, "own.0 a.0 b.1");
	arranged_is(json_array(), false, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_ones_only_as_ancestors),
		cmocka_unit_test(all_shows_every_one),
		cmocka_unit_test(listening_is_use),
		cmocka_unit_test(rings_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
