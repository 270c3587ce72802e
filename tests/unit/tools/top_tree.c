/* SPDX-License-Identifier: Apache-2.0 */
/* Children below parents with the lines that lead to them; folding; rings and strangers. */
#include "../../../tools/top_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void add(json_t *rows, const char *id, const char *parent)
{
	json_array_append_new(rows, json_pack("{s:s, s:s}", "process", id, "parent", parent));
}

/* The rows as "branch|id|below|folded" lines. */
static void tree_is(json_t *rows, json_t *folded, bool utf8, const char *want)
{
	json_t *out = pk_top_tree(rows, folded, utf8), *row;
	char text[1024] = "";
	size_t i, n = 0;

	json_array_foreach(out, i, row) n +=
		(size_t)snprintf(text + n, sizeof(text) - n, "%s%s %d%s\n",
				 json_string_value(json_object_get(row, "branch")),
				 json_string_value(json_object_get(row, "process")),
				 (int)json_integer_value(json_object_get(row, "below")),
				 json_is_true(json_object_get(row, "folded")) ? " folded" : "");
	assert_string_equal(text, want);
	json_decref(out);
}

static json_t *family(void)
{
	json_t *rows = json_array();

	add(rows, "curl", "shell");
	add(rows, "init", "");
	add(rows, "shell", "init");
	add(rows, "web", "init");
	add(rows, "dig", "shell");
	add(rows, "stray", "gone");
	return rows;
}

static void branches(void **state)
{
	json_t *rows = family(), *none = json_object();

	(void)state;
	tree_is(rows, none, true, "init 4\n├─shell 2\n│ ├─curl 0\n│ └─dig 0\n└─web 0\nstray 0\n");
	tree_is(rows, none, false, "init 4\n|-shell 2\n| |-curl 0\n| `-dig 0\n`-web 0\nstray 0\n");
	json_decref(rows);
	json_decref(none);
}

static void folding(void **state)
{
	json_t *rows = family(), *folded = json_pack("{s:b, s:b}", "shell", 1, "web", 1);

	(void)state;
	tree_is(rows, folded, true, "init 4\n├─shell 2 folded\n└─web 0\nstray 0\n");
	json_object_set_new(folded, "init", json_true());
	tree_is(rows, folded, true, "init 4 folded\nstray 0\n");
	json_decref(rows);
	json_decref(folded);
}

static void rings(void **state)
{
	json_t *rows = json_array(), *none = json_object();

	(void)state;
	add(rows, "a", "b");
	add(rows, "b", "a");
	add(rows, "self", "self");
	add(rows, "c", "a");
	tree_is(rows, none, true, "a 2\n├─b 0\n└─c 0\nself 0\n");
	json_array_clear(rows);
	tree_is(rows, none, true, "");
	json_decref(rows);
	json_decref(none);
}

static void deep(void **state)
{
	json_t *rows = json_array(), *none = json_object(), *out;
	char id[16], parent[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "%d", i);
		snprintf(parent, sizeof(parent), "%d", i - 1);
		add(rows, id, parent);
	}
	out = pk_top_tree(rows, none, true);
	assert_int_equal(json_array_size(out), 1000);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(out, 999), "depth")),
			 999);
	json_decref(out);
	json_decref(rows);
	json_decref(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(branches),
		cmocka_unit_test(folding),
		cmocka_unit_test(rings),
		cmocka_unit_test(deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
