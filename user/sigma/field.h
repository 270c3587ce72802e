/* SPDX-License-Identifier: Apache-2.0 */
/* Log sources of Sigma's taxonomy, and the fields that Picket can supply for each. */
#pragma once

#include "sigma/sigma.h"

#include <stdbool.h>

struct pk_sigma_rule;

/*
 * The row of the log source. -1: there are no such events here, *ret_reason says why. Names are
 * compared without case.
 */
int pk_sigma_logsource(const struct pk_sigma_rule *rule, const char **ret_reason);
enum pk_sigma_source pk_sigma_row_source(int row);

/*
 * The field that a rule of this row calls so (case counts, as in the specification), -1: unknown.
 */
int pk_sigma_field_find(int row, const char *name);
/* What the row calls a field; NULL: it has none of that kind. The first of several names. */
const char *pk_sigma_field_name(int row, enum pk_sigma_field field);
/* Names that a row knows, one after the other from i = 0 on; NULL: no more. */
const char *pk_sigma_field_at(int row, size_t i);

/*
 * The values that the field can ever have, separated by blanks; NULL: any. What a rule asks for
 * besides would silently never match.
 */
const char *pk_sigma_field_only(enum pk_sigma_field field);

/* All fields that events of this source can have, 1 << field each: what keywords search. */
uint64_t pk_sigma_source_fields(enum pk_sigma_source source);
const char *pk_sigma_source_name(enum pk_sigma_source source); /* "process", ... */
