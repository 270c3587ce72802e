/* SPDX-License-Identifier: Apache-2.0 */
/* State of the live view, between its loop (top.c) and its drawing (top_draw.c). */
#pragma once

#include "base/buf.h"
#include "top_view.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define PK_TOP_HISTORY 400 /* snapshots: enough for a screen of 400 columns */

enum pk_top_mode { PK_TOP_LIST, PK_TOP_HELP, PK_TOP_DETAIL, PK_TOP_FILTER };

struct pk_top {
	const char *socket;
	json_t *snap; /* the latest snapshot, NULL: none yet */
	json_t **row; /* of the present view, in order; borrowed from snap */
	size_t rows, cap;
	size_t view, sort[PK_TOP_VIEWS];
	bool reverse[PK_TOP_VIEWS];
	size_t at, top;         /* selected row, first row on the screen */
	struct pk_buf selected; /* id of the selected row: it stays selected when rows move */
	bool paused;
	enum pk_top_mode mode;
	char filter[256], typed[256];
	size_t cursor;
	struct pk_buf error;   /* of the filter */
	struct pk_buf trouble; /* no daemon: why */
	struct pk_buf detail;  /* lines */
	json_t *detail_row;    /* what the details are of; own reference */
	size_t detail_top;
	json_t *out, *in; /* its rates, one a snapshot since the details were opened */
	bool utf8, color;
};

void pk_top_draw_init(struct pk_top *t);
void pk_top_draw(struct pk_top *t);

/* Rows that fit between heading and foot. */
size_t pk_top_page(void);
