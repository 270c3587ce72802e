/* SPDX-License-Identifier: Apache-2.0 */
/* Depth first without recursion; a row whose parent is not there, or leads back to it, is a root.
 */
#include "top_tree.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "table.h"

#include <stdint.h>

#define NONE      SIZE_MAX
#define DEPTH_MAX 64 /* lines are not drawn beyond */

struct node {
	size_t parent, child, last, next; /* child, last: its first and last */
	unsigned below;
};

static void find_parents(struct node *node, json_t *rows, size_t n)
{
	json_t *index = json_object();

	for (size_t i = 0; i < n; i++)
		json_object_set_new(index, pk_json_text(json_array_get(rows, i), "process"),
				    json_integer((json_int_t)i));
	for (size_t i = 0; i < n; i++) {
		json_t *at =
			json_object_get(index, pk_json_text(json_array_get(rows, i), "parent"));

		node[i].parent = at ? (size_t)json_integer_value(at) : NONE;
		node[i].child = node[i].last = node[i].next = NONE;
	}
	json_decref(index);
}

/* A ring of parents is cut where it closes. */
static void cut_rings(struct node *node, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = node[i].parent, steps = 0;

		while (at != NONE && at != i && steps++ < n)
			at = node[at].parent;
		if (at == i)
			node[i].parent = NONE;
	}
}

static void link_children(struct node *node, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t p = node[i].parent;

		if (p == NONE)
			continue;
		if (node[p].child == NONE)
			node[p].child = i;
		else
			node[node[p].last].next = i;
		node[p].last = i;
		for (; p != NONE; p = node[p].parent)
			node[p].below++;
	}
}

/* What stands before the name: a line for each ancestor that has more to come. */
static void set_branch(json_t *row, const struct node *node, size_t at, json_int_t depth, bool utf8)
{
	const char *const *part;
	static const char *const line[] = { "│ ", "  ", "├─", "└─" };
	static const char *const ascii[] = { "| ", "  ", "|-", "`-" };
	_cleanup_(pk_buf_done) struct pk_buf b = {};
	bool more[DEPTH_MAX];
	json_int_t d = depth < DEPTH_MAX ? depth : DEPTH_MAX;

	part = utf8 ? line : ascii;
	for (json_int_t i = d; i-- > 0; at = node[at].parent)
		more[i] = node[at].next != NONE;
	for (json_int_t i = 0; i < d; i++)
		pk_buf_str(&b, part[i < d - 1 ? !more[i] : 2 + !more[i]]);
	json_object_set_new(row, "branch", json_string(b.data ? b.data : ""));
}

static bool is_folded(json_t *folded, json_t *row)
{
	return json_object_get(folded, pk_json_text(row, "process"));
}

static void visit(const struct node *node, size_t at, json_t *row, json_int_t depth, json_t *folded,
		  bool utf8)
{
	json_object_set_new(row, "depth", json_integer(depth));
	json_object_set_new(row, "below", json_integer(node[at].below));
	json_object_set_new(row, "folded", json_boolean(node[at].below && is_folded(folded, row)));
	set_branch(row, node, at, depth, utf8);
}

static void walk(struct node *node, size_t root, json_t *rows, json_t *folded, bool utf8,
		 json_t *out)
{
	json_int_t depth = 0;
	size_t at = root;

	for (;;) {
		json_t *row = json_array_get(rows, at);

		visit(node, at, row, depth, folded, utf8);
		json_array_append(out, row);
		if (node[at].child != NONE && !is_folded(folded, row)) {
			at = node[at].child;
			depth++;
			continue;
		}
		for (; at != root && node[at].next == NONE; at = node[at].parent)
			depth--;
		if (at == root)
			return;
		at = node[at].next;
	}
}

json_t *pk_top_tree(json_t *rows, json_t *folded, bool utf8)
{
	size_t n = json_array_size(rows);
	_cleanup_free_ struct node *node = calloc(n ? n : 1, sizeof(*node));
	json_t *out = json_array();

	if (!node || !out)
		return out;
	find_parents(node, rows, n);
	cut_rings(node, n);
	link_children(node, n);
	for (size_t i = 0; i < n; i++)
		if (node[i].parent == NONE)
			walk(node, i, rows, folded, utf8, out);
	return out;
}
