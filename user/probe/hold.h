/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether enforcement outlives the agent: pins maps and links while there is something to enforce,
 * unpins them when there is not, and settles what was taken over from an earlier process.
 */
#pragma once

#include <stdbool.h>

struct pk_attachments;
struct pk_object;
struct pk_pins;
struct pk_spaces;

/* All borrowed. */
struct pk_hold {
	struct pk_pins *pins;
	struct pk_object *obj;
	struct pk_attachments *hooks;
	struct pk_spaces *spaces;
};

/*
 * The lists are in force (on), or there is nothing to enforce. -errno: enforcement ends with the
 * agent, and pk_pins_trouble() says why.
 */
int pk_hold_set(const struct pk_hold *h, bool on);

/* Once a second: pins again what somebody unpinned. False when something was. */
bool pk_hold_check(const struct pk_hold *h);
