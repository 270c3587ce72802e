/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of text that incident and alert have in common. All of it is escaped. */
#pragma once

#include "base/buf.h"

#include <jansson.h>

void pk_show_text(struct pk_buf *out, const char *s);
/* A text in lines of at most 78 columns, each behind `indent` blanks. */
void pk_show_wrapped(struct pk_buf *out, unsigned indent, const char *s);
/* "12:00:01", with the date when it is not today. */
void pk_show_clock(struct pk_buf *out, json_int_t ms);
/* "  name       value\n"; nothing when the value is empty. */
void pk_show_line(struct pk_buf *out, const char *name, const char *value);
