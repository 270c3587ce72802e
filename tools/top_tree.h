/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of processes as the live view shows it. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/*
 * Rows with "process" and "parent", in the order that siblings shall have: returns them (shared, a
 * new reference) children below their parent, each with "depth", "below" (how many are below it),
 * "branch" (the lines that lead to it) and, where its children are left out because its id is a
 * member of folded, "folded".
 */
json_t *pk_top_tree(json_t *rows, json_t *folded, bool utf8);
