/* SPDX-License-Identifier: Apache-2.0 */
/* Parents are found by uid, which names a process for good; who has none in the rows is a root. */
#include "tree.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX

struct node {
	size_t parent, child, next; /* child: the first; next: of the same parent */
	bool keep, done;
};

static const char *uid_of(json_t *process)
{
	const char *uid = json_string_value(json_object_get(process, "uid"));

	return uid ? uid : "";
}

static bool uses_network(json_t *row)
{
	static const char *const counts[] = { "flows", "flows_ended", "bytes_out", "bytes_in" };

	for (size_t i = 0; i < PK_ARRAY_SIZE(counts); i++)
		if (json_number_value(json_object_get(row, counts[i])) > 0)
			return true;
	return json_array_size(json_object_get(row, "listening")) > 0;
}

static void find_parents(struct node *node, json_t *rows, size_t n)
{
	json_t *index = json_object();

	for (size_t i = 0; i < n; i++)
		json_object_set_new_nocheck(
			index, uid_of(json_object_get(json_array_get(rows, i), "process")),
			json_integer((json_int_t)i));
	for (size_t i = 0; i < n; i++) {
		json_t *process = json_object_get(json_array_get(rows, i), "process");
		json_t *at =
			json_object_get(index, uid_of(json_object_get(process, "parent_process")));

		node[i].parent = at ? (size_t)json_integer_value(at) : NONE;
		if (node[i].parent == i)
			node[i].parent = NONE;
	}
	json_decref(index);
}

/* Backwards, so that siblings stay in the order of the rows. */
static void link_children(struct node *node, size_t n)
{
	for (size_t i = 0; i < n; i++)
		node[i].child = node[i].next = NONE;
	for (size_t i = n; i-- > 0;) {
		size_t p = node[i].parent;

		if (p == NONE)
			continue;
		node[i].next = node[p].child;
		node[p].child = i;
	}
}

/* One tree, depth first, without recursion: the way back is the parent. */
static void walk(struct node *node, size_t root, json_t *rows, json_t *out)
{
	json_int_t depth = 0;
	size_t at = root;

	while (!node[at].done) {
		node[at].done = true;
		if (node[at].keep) {
			json_t *row = json_array_get(rows, at);

			json_object_set_new(row, "depth", json_integer(depth));
			json_array_append(out, row);
		}
		if (node[at].child != NONE) {
			at = node[at].child;
			depth++;
			continue;
		}
		while (at != root && node[at].next == NONE) {
			at = node[at].parent;
			depth--;
		}
		if (at != root)
			at = node[at].next;
	}
}

json_t *pk_tree_arrange(json_t *rows, bool all)
{
	size_t n = json_array_size(rows);
	_cleanup_free_ struct node *node = calloc(n ? n : 1, sizeof(*node));
	json_t *out = json_array();

	if (!node || !out)
		return out;
	find_parents(node, rows, n);
	link_children(node, n);
	for (size_t i = 0; i < n; i++)
		if (all || uses_network(json_array_get(rows, i)))
			for (size_t k = i; k != NONE && !node[k].keep; k = node[k].parent)
				node[k].keep = true;
	for (size_t i = 0; i < n; i++)
		if (node[i].parent == NONE)
			walk(node, i, rows, out);
	/* A ring of parents has no root; nothing is left out for that. */
	for (size_t i = 0; i < n; i++)
		walk(node, i, rows, out);
	return out;
}
