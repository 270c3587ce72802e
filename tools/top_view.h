/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of `picket top`: which columns, how they sort, how a row is told from the others. */
#pragma once

#include "table.h"

/* What a cell's colour says. */
enum pk_top_role {
	PK_ROLE_PLAIN,
	PK_ROLE_NAME, /* who, and with whom */
	PK_ROLE_WAY,  /* by the flow's direction */
	PK_ROLE_OUT,
	PK_ROLE_IN,
	PK_ROLE_FAINT,
};

struct pk_top_column {
	struct pk_column c; /* width: least; wide: takes what is left, up to max */
	unsigned want, max; /* widths it would like to have; 0: the least */
	unsigned rank;    /* what matters most is 0; below PK_TOP_RANK it comes before all wishes */
	const char *sort; /* member to sort by; NULL: not offered */
	bool text;        /* it sorts as text */
	enum pk_top_role role;
};
#define PK_TOP_RANK        10
#define PK_TOP_COLUMNS_MAX 24

enum pk_top_kind {
	PK_VIEW_FLOWS,
	PK_VIEW_TREE,
	PK_VIEW_PROCESSES,
	PK_VIEW_NAMES,
	PK_VIEW_REMOTES,
	PK_VIEW_CONTAINERS,
	PK_VIEW_APPS,
	PK_VIEW_PORTS,
	PK_VIEW_LISTS,
	PK_TOP_VIEWS
};

struct pk_top_view {
	const char *name;   /* of the tab; in lower case of the option and of saved views */
	const char *member; /* of the snapshot */
	const struct pk_top_column *col;
	size_t n;
	size_t sort; /* column by default */
};

extern const struct pk_top_view pk_top_views[PK_TOP_VIEWS];
/* By its name in any case; -ENOENT. */
int pk_top_view_find(const char *name, size_t *ret_view);
/* Column by its title in any case; -ENOENT. */
int pk_top_column_find(const struct pk_top_view *v, const char *title, size_t *ret_column);

/* What names the row for good: id of a flow, uid of a process, address, port. */
void pk_top_row_id(size_t view, json_t *row, struct pk_buf *out);

/* Orders rows by the column, largest (or first in the alphabet) first; reverse turns it round. */
int pk_top_compare(const struct pk_top_column *c, bool reverse, json_t *a, json_t *b);

/* What is to be noticed about a row, most urgent first. */
enum pk_top_mark {
	PK_MARK_NONE,
	PK_MARK_BLOCKED,    /* a list drops it */
	PK_MARK_OBSERVED,   /* a list would */
	PK_MARK_ODD,        /* its names contradict each other */
	PK_MARK_UNANSWERED, /* nobody answers for more than three seconds */
	PK_MARK_ENDED,
	PK_MARK_NEW, /* began in the last five seconds */
	PK_MARKS
};
enum pk_top_mark pk_top_mark(json_t *row);
extern const char pk_top_mark_letter[PK_MARKS];

/* Which columns fit on a screen so wide: their widths, 0 for those that are left out. */
void pk_top_layout(const struct pk_top_view *v, unsigned cols, unsigned ret[PK_TOP_COLUMNS_MAX]);
/* Text whose lines are longer than the screen is wide: goes on below, behind the line's label. */
void pk_top_wrap(struct pk_buf *out, const char *text, unsigned cols);
#define PK_TOP_LABEL 13 /* columns that a label takes: "  since      " */
