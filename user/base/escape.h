/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place where text that others wrote is made safe to show. Invalid UTF-8, C0 and C1
 * controls, DEL, bidi controls (U+061C, U+200E-F, U+202A-E, U+2066-9), zero-width and line
 * separators (U+200B-D, U+2028-9, U+2060-5, U+FEFF), soft hyphens, tag characters (U+E0000-E0FFF)
 * and noncharacters never pass raw.
 */
#pragma once

#include <stddef.h>

struct pk_buf;

/* For terminals and logs: a backslash is doubled; the rest becomes \n, \r, \t, \e, \xNN (other
 * controls and bytes that are not UTF-8) or \u{XXXX} (code points). It can be turned back. */
void pk_escape_text(struct pk_buf *out, const char *s, size_t len);

/* Inside a JSON string (without the quotes): always valid UTF-8. Unprintable code points are
 * written as JSON \uXXXX escapes; a byte that is not UTF-8 as the four characters \xNN (their
 * backslash escaped for JSON) and a literal backslash as two, so that a reader can tell. NUL, which
 * many readers refuse, is such a byte. */
void pk_escape_json(struct pk_buf *out, const char *s, size_t len);

/* What a JSON parser gives of such a text, turned back in place; a NUL stays escaped. */
void pk_unescape_json(char *s);

/* One CSV field, made safe as for terminals, quoted when needed; a leading = + - @ gets a ' in
 * front (formula injection). */
void pk_escape_csv(struct pk_buf *out, const char *s, size_t len);
