/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a snapshot as JSON: user/api/README.md shows them. */
#pragma once

#include <stddef.h>

struct pk_json;
struct pk_live_rows;
struct pk_view;

/* Each list with at most n rows. */
void pk_live_write(struct pk_json *j, struct pk_view *v, struct pk_live_rows *rows, size_t n);
