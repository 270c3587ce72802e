/* SPDX-License-Identifier: Apache-2.0 */
/* The Sigma rules that the detector "rules" has loaded, for those who want to see them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_detect;
struct pk_sigma_rule;

struct pk_rules_row {
	const struct pk_sigma_rule *rule; /* borrowed until rules are read again */
	uint64_t hits;    /* told or counted, since the start or since it was there */
	uint64_t last_ns; /* boottime; 0: never */
};

/* By index from 0 on; false: no more. Also those that do not run. */
bool pk_rules_at(const struct pk_detect *d, size_t i, struct pk_rules_row *ret_row);
/* What findings and suppressions call it. */
const char *pk_rules_name(const struct pk_sigma_rule *rule);
/* Is there a rule of this name? */
bool pk_rules_has(const struct pk_detect *d, const char *name);
