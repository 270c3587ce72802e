/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web request as its receiver reads it: percent encoding taken off twice, letters small, blanks,
 * slashes and comments of SQL told once, lookups of Log4j (${lower:x}, ${a:-x}) put in. In one
 * piece of memory of a fixed size; what does not fit is left out.
 */
#pragma once

#include "base/cursor.h"

#include <stddef.h>

#define PK_WEB_TEXT_MAX 4096
#define PK_WEB_TEXT_PAD 64 /* zeros behind the text, which vectorscan wants (sigma/match.c) */

enum pk_web_part { PK_WEB_TARGET, PK_WEB_FIELDS, PK_WEB_BODY, PK_WEB_PARTS };

struct pk_web_text {
	size_t len;
	size_t end[PK_WEB_PARTS]; /* of each part in s; one '\n' lies between two */
	char s[PK_WEB_TEXT_MAX + PK_WEB_TEXT_PAD];
};

/* part: as on the wire, each may be empty. Reads and writes nothing beyond its bounds. */
void pk_web_text_make(struct pk_web_text *t, const struct pk_slice part[PK_WEB_PARTS]);
enum pk_web_part pk_web_text_part(const struct pk_web_text *t, size_t at);
