/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entity tags of lists (RFC 9110, 8.8.3) and the conditions that requests make about them (13.1).
 * A tag stands for what a list is: its content, mode, and whether it waits to be confirmed.
 * Counters are not part of it, so that it is the same for as long as nobody changes the list.
 */
#pragma once

#include "block/show.h"

#include <stdbool.h>

struct pk_api_request;
struct pk_view;

#define PK_TAG_MAX 48 /* bytes of a tag with its quotes and NUL */

/* Of this run of the agent alone: after another start no tag of before fits. Returns out. */
const char *pk_tag_of(const struct pk_view *v, const struct pk_block_info *info,
		      char out[PK_TAG_MAX]);
/* The header ETag of the answer. */
void pk_tag_head(struct pk_api_request *q, const struct pk_block_info *info);
/*
 * Do If-Match and If-None-Match let this request pass? info NULL: there is no such list. False: it
 * was answered: 412, or 304 to a GET, with the tag of now, or 400.
 */
bool pk_tag_passes(struct pk_api_request *q, const struct pk_block_info *info);
/* The same for a change ("list mode"): one that is not let is written down with who wanted it. */
bool pk_tag_lets(struct pk_api_request *q, const struct pk_block_info *info, const char *act);
