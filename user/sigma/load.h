/* SPDX-License-Identifier: Apache-2.0 */
/* Text of a rule file to rules, as written: nothing is known yet of fields, modifiers, conditions.
 */
#pragma once

#include "sigma/rule.h"

/* What `expand` puts for %NAME%. */
struct pk_sigma_place {
	const char *name;
	struct pk_sigma_list values;
};

/* Grows; the rules themselves are in the arena. */
struct pk_sigma_rules {
	struct pk_sigma_rule **v;
	size_t n, cap;
	struct pk_sigma_place *place;
	size_t n_places, cap_places;
};

void pk_sigma_rules_done(struct pk_sigma_rules *r); /* not the arena */

/*
 * Adds a rule for each YAML document of the text, whatever is wrong with it: its problems say so. A
 * document with only `placeholders:` adds to those. -ENOMEM only.
 */
int pk_sigma_load_text(struct pk_arena *a, const char *file, const char *text, size_t len,
		       struct pk_sigma_rules *rules);

/* The rule to complain at where there is none: of a file that can't be read. NULL: no memory. */
struct pk_sigma_rule *pk_sigma_rules_add(struct pk_arena *a, struct pk_sigma_rules *rules,
					 const char *file, struct pk_sigma_mark at);
