/* SPDX-License-Identifier: Apache-2.0 */
/* Processes in the order of their tree. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/*
 * Rows of /v1/processes, children below their parent, each with its "depth". Without `all` only
 * those that use the network (flows, bytes, listening sockets) and their ancestors. A new
 * reference; the rows are shared with the old array.
 */
json_t *pk_tree_arrange(json_t *rows, bool all);
