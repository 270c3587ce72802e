/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State of the live view. The loop and the stream are top.c; what it does on a key top_keys.c, on
 * the mouse top_mouse.c; the rows top_rows.c; the screen top_draw.c and top_paint.c.
 */
#pragma once

#include "base/buf.h"
#include "top_view.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_top_history;
struct pk_top_saved;

enum pk_top_mode {
	PK_TOP_LIST,
	PK_TOP_HELP,
	PK_TOP_DETAIL, /* the whole screen */
	PK_TOP_FILTER, /* a line is typed: */
	PK_TOP_FIND,
	PK_TOP_SAVE,
	PK_TOP_MENU,  /* of saved views */
	PK_TOP_BLOCK, /* what it would cut; y does it */
};

/* Where things are on the screen; drawing says, the mouse asks. */
struct pk_top_place {
	int plot_lines, tabs, titles, list, page; /* lines; page: rows of the list */
	int pane;                                 /* first line of the details, 0: none */
	unsigned width[PK_TOP_COLUMNS_MAX];
	int tab_at[PK_TOP_VIEWS + 1]; /* columns */
};

struct pk_top {
	const char *socket;
	json_t *snap; /* the latest snapshot, NULL: none yet */
	json_t *tree; /* its processes as a tree; own reference */
	json_t **row; /* of the present view, in order; borrowed from snap */
	size_t rows, cap;
	size_t view, sort[PK_TOP_VIEWS];
	bool reverse[PK_TOP_VIEWS];
	size_t at, top;         /* selected row, first row on the screen */
	struct pk_buf selected; /* id of the selected row: it stays selected when rows move */
	json_t *folded;         /* ids of processes whose children are left out */
	bool paused, mouse;
	enum pk_top_mode mode;

	char filter[256], typed[256], find[256];
	struct pk_buf error; /* of what is typed */
	long error_at;       /* byte of the filter that it is about, -1 none */
	long matched;        /* flows that the typed filter takes, -1: not asked */
	bool changed;        /* typed since it was asked */
	bool renew;          /* the filter changed: ask for another stream */

	struct pk_buf trouble; /* no daemon: why */
	struct pk_buf note;    /* what just happened, for a few seconds */
	uint64_t note_until;
	double started; /* of the daemon, ms */
	bool lost;      /* the daemon went away */

	bool pane;            /* details below the list */
	struct pk_buf detail; /* lines */
	json_t *detail_row;   /* what the details are of; own reference */
	size_t detail_view, detail_top;
	json_t *usual; /* what the history says about the flow */

	struct pk_top_history *history;
	uint64_t snapshots;
	struct pk_top_saved *saved;
	size_t menu_at;

	json_t *block; /* {"command","body","text"} of what b would do */
	struct pk_top_place place;
	bool utf8, color;
	int colors;
};

/* top_rows.c */
void pk_top_arrange(struct pk_top *t); /* rows of the view in order */
void pk_top_select(struct pk_top *t, size_t at);
void pk_top_set_view(struct pk_top *t, size_t view);
void pk_top_sort_by(struct pk_top *t, size_t column); /* again: turns it round */
void pk_top_next_sort(struct pk_top *t, int step);
void pk_top_fold(struct pk_top *t, bool fold); /* the selected process */
void pk_top_fold_all(struct pk_top *t);        /* or unfolds, when something is folded */
void pk_top_find_row(struct pk_top *t, int step);
void pk_top_take(struct pk_top *t, json_t *snap); /* a new snapshot, consumed */

/* top_detail.c: asks the daemon, writes lines into t->detail. */
void pk_top_detail_open(struct pk_top *t);   /* of the selected row; again: the whole screen */
void pk_top_detail_follow(struct pk_top *t); /* where they are shown: of what is selected now */
void pk_top_detail_fetch(struct pk_top *t);

/* top_block.c */
void pk_top_block_ask(struct pk_top *t); /* what would it cut? */
void pk_top_block_do(struct pk_top *t);

/* top_keys.c: false: the user wants to leave. */
bool pk_top_key(struct pk_top *t, int key);
void pk_top_say(struct pk_top *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* What is typed as a filter is tried out, once typing rests. */
void pk_top_try_filter(struct pk_top *t);

/* top_mouse.c */
void pk_top_mouse_set(struct pk_top *t, bool on);
bool pk_top_mouse_key(struct pk_top *t);

/* top_draw.c */
void pk_top_draw_init(struct pk_top *t);
void pk_top_draw(struct pk_top *t);
