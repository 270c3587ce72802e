/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter asks about, kept beside a record in a journal: so that records can be picked by it
 * later, when their flow and process are long gone. A journal's item is then JSON, a NUL (which
 * JSON never holds), and this.
 */
#pragma once

#include "flow/filter.h"

#include <picket/event.h>

#include <stddef.h>

struct pk_buf;

/* Appends a NUL and the subject; s->flow may be NULL. */
void pk_subject_pack(struct pk_buf *out, const struct pk_filter_subject *s);
/*
 * Length of the JSON in an item; *ret_flow and *ret_subject are what was packed (texts stay in the
 * item). An item without a subject is all JSON, its subject empty.
 */
size_t pk_subject_unpack(const char *item, size_t len, struct pk_flow *ret_flow,
			 struct pk_filter_subject *ret_subject);
