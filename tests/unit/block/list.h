/* SPDX-License-Identifier: Apache-2.0 */
/* Reading lists in tests: from text or a file, and what came out as one text. */
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"
#include "block/format.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LIST_NOW 1700000000000 /* 2023-11-14T22:13:20Z */

static inline struct pk_list_opts list_opts(enum pk_list_format format)
{
	return (struct pk_list_opts){
		.format = format, .now_ms = LIST_NOW, .max_bytes = 64 << 20, .max_entries = 10000000
	};
}

/* Entries as the export writes them, then "name" lines, complaints as "!line: reason". */
static inline char *list_shown(const struct pk_list_data *d)
{
	struct pk_buf b = { 0 };

	pk_buf_str(&b, "");
	for (size_t i = 0; i < d->n; i++)
		pk_list_write_entry(&b, &d->v[i], &d->texts);
	for (size_t i = 0; i < d->n_names; i++)
		pk_buf_fmt(&b, "name %s\n", pk_block_text_at(&d->texts, d->names[i].text));
	for (size_t i = 0; i < d->n_bad; i++)
		pk_buf_fmt(&b, "!%llu: %s\n", (unsigned long long)d->bad[i].line, d->bad[i].reason);
	assert_int_equal(b.error, 0);
	return b.data;
}

/* The whole of a file below PICKET_CORPORA, NULL: it is not there. */
static inline char *corpus_file(const char *path, size_t *ret_len)
{
	const char *root = getenv("PICKET_CORPORA");
	_cleanup_free_ char *name = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	struct pk_buf b = { 0 };
	char piece[65536];
	size_t n;

	assert_true(asprintf(&name, "%s/%s", root ? root : "../shared/corpora", path) > 0);
	f = fopen(name, "re");
	if (!f)
		return NULL;
	pk_buf_str(&b, "");
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		pk_buf_add(&b, piece, n);
	assert_int_equal(b.error, 0);
	*ret_len = b.len;
	return b.data;
}
