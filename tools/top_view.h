/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of `picket top`: which columns, how they sort, how a row is told from the others. */
#pragma once

#include "table.h"

struct pk_top_column {
	struct pk_column c;
	unsigned from;    /* shown on screens at least this wide */
	const char *sort; /* member to sort by; NULL: not offered */
	bool text;        /* it sorts as text */
};

struct pk_top_view {
	const char *name;   /* of the tab */
	const char *member; /* of the snapshot */
	const char *detail; /* API path of a row's details, "" none */
	const struct pk_top_column *col;
	size_t n;
	size_t sort; /* column by default */
};

extern const struct pk_top_view pk_top_views[];
#define PK_TOP_VIEWS 4

/* What names the row for good: id of a flow, uid of a process, address, port. */
void pk_top_row_id(const struct pk_top_view *v, json_t *row, struct pk_buf *out);

/* Orders rows by the column, largest (or first in the alphabet) first; reverse turns it round. */
int pk_top_compare(const struct pk_top_column *c, bool reverse, json_t *a, json_t *b);

/* Details of a flow or process as lines of text, escaped. */
void pk_top_detail_flow(struct pk_buf *out, json_t *flow, json_t *process);
void pk_top_detail_process(struct pk_buf *out, json_t *process);
