/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the API as rows: one description of the columns serves the aligned table, CSV and
 * (as the record itself) JSON. All text passes the escaper here.
 */
#pragma once

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pk_format { PK_FORMAT_TABLE, PK_FORMAT_JSON, PK_FORMAT_CSV };

struct pk_column {
	const char *title; /* of the table; also the CSV name, in lower case with _ */
	unsigned width;    /* least in the table */
	bool right;
	bool wide; /* takes what is left of the line; one a table */
	/* Appends the raw value; human: units and short forms, else plain numbers for CSV. */
	void (*value)(struct pk_buf *out, json_t *record, bool human);
};

struct pk_table {
	const struct pk_column *col;
	size_t n;
	enum pk_format format;
	unsigned line; /* width of the terminal, 0: no limit */
	bool headed;
	/* Bit i: text of column i has escapes of its own (DNS names): if all of it is printable
	 * ASCII, its backslashes stay single. */
	uint32_t escaped;
};

/* format: "table", "json" or "csv". -EINVAL when it is none of them. */
int pk_format_parse(const char *s, enum pk_format *ret_format);

/* Width from the terminal on stdout, no limit when it is none. */
void pk_table_init(struct pk_table *t, const struct pk_column *col, size_t n,
		   enum pk_format format);

/* Appends the record as one line, after the heading if it is the first. Text that is too long for
 * its column loses its middle, but not where there is no limit. */
void pk_table_row(struct pk_table *t, struct pk_buf *out, json_t *record);

/* Appends at most `width` terminal columns of UTF-8 text, padded; longer text loses its middle. */
void pk_table_cell(struct pk_buf *out, const char *text, unsigned width, bool right);

/* Terminal columns of UTF-8 text. */
unsigned pk_text_width(const char *s);

/* Bytes of the first `width` columns of it. */
size_t pk_text_prefix(const char *s, unsigned width);

/* A member by a path of names: "actor.process.pid"; NULL when there is none. */
json_t *pk_json_at(json_t *o, const char *path);
const char *pk_json_text(json_t *o, const char *path); /* "" when there is none */
double pk_json_num(json_t *o, const char *path);       /* 0 when there is none */

void pk_human_bytes(struct pk_buf *out, double n); /* "1.2M", at most 5 columns */
void pk_human_ms(struct pk_buf *out, double ms);   /* "12s", "3m10s", "4h" */
