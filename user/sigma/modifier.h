/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FIELD|MODIFIER|...: what the values of an item become. The order that modifiers may stand in is
 * Sigma's (appendix of modifiers 2.1), by a table.
 */
#pragma once

#include "sigma/load.h"
#include "sigma/value.h"

#define PK_SIGMA_ALTS_MAX 4096 /* of one item, all values together */

enum pk_sigma_how {
	PK_SIGMA_EQUAL, /* a pattern */
	PK_SIGMA_RE,
	PK_SIGMA_CIDR,
	PK_SIGMA_LT,
	PK_SIGMA_LTE,
	PK_SIGMA_GT,
	PK_SIGMA_GTE,
	PK_SIGMA_EXISTS,
	PK_SIGMA_FIELDREF,
};

#define PK_SIGMA_RE_I 1u
#define PK_SIGMA_RE_M 2u
#define PK_SIGMA_RE_S 4u

/* One value: any of its alternatives. */
struct pk_sigma_want {
	const struct pk_sigma_value *from; /* as written */
	const char **text;                 /* not EQUAL: the alternatives, NUL ended */
	struct pk_sigma_pattern *alt;      /* EQUAL */
	size_t n;                          /* 0: null */
};

struct pk_sigma_wants {
	enum pk_sigma_how how;
	bool all; /* values are linked by and */
	bool neq; /* none of them */
	bool cased;
	bool before, behind; /* `*` there: of contains, startswith, endswith */
	unsigned re_flags;
	struct pk_sigma_want *v;
	size_t n;
};

/*
 * Reads the chain of an item and applies it. -EINVAL, -ENOTSUP: complained at the rule; -ENOMEM.
 * Patterns are in lower case unless cased.
 */
int pk_sigma_modify(struct pk_arena *a, struct pk_sigma_rule *rule,
		    const struct pk_sigma_item *item, const struct pk_sigma_rules *places,
		    struct pk_sigma_wants *ret);
