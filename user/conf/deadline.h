/* SPDX-License-Identifier: Apache-2.0 */
/* One item of incident.deadlines: who must be told of a significant incident, in what time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pk_conf_list;

#define PK_CONF_DEADLINES     8
#define PK_CONF_DEADLINE_NAME 64

struct pk_conf_deadline {
	char name[PK_CONF_DEADLINE_NAME];
	unsigned months; /* of the calendar, or else ms */
	int64_t ms;
	/* counts from when that one was told; "": from when a person knew that it is significant */
	char after[PK_CONF_DEADLINE_NAME];
};

/* "NAME=72h", "NAME=30d", "NAME=1mo", each also with " after NAME". -EINVAL. */
int pk_conf_deadline_parse(const char *s, struct pk_conf_deadline *ret);
/* Is its name new in the list, and what it comes after there? */
bool pk_conf_deadline_fits(const struct pk_conf_list *list, const struct pk_conf_deadline *d);
/* When it is due, if it counts from then (both ms since the epoch, UTC). A month later is the same
 * day of the next one, or its last day. */
int64_t pk_conf_deadline_due(const struct pk_conf_deadline *d, int64_t from_ms);
