/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions: "selection and not 1 of filter_*" to a tree over the rule's search identifiers. */
#pragma once

#include "sigma/rule.h"

/*
 * All conditions of a rule, any of which may hold. The nodes of identifiers are shared, not copied.
 * -EINVAL, -ENOTSUP (aggregations): complained at the rule; -ENOMEM.
 */
int pk_sigma_condition_parse(struct pk_arena *a, struct pk_sigma_rule *rule,
			     struct pk_sigma_node **ret);
