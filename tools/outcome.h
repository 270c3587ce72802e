/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a change, in words: done, bad lines with their places, refused and why. */
#pragma once

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>

/* "picket: TEXT", escaped, on standard error. */
void pk_outcome_say(const char *text);
/* The same of "WHAT: WHY". Always 1, which is how the tool ends then. */
int pk_outcome_complain(const char *what, const char *why);
/* The complaint, then bad lines ("file:12: text: reason") and refused entries of the problem. */
void pk_outcome_problem(const char *complaint, const char *file, json_t *problem);
/* The same of an answer: what was skipped. */
void pk_outcome_skipped(const char *file, json_t *answer);
/* "blocked 192.0.2.7 in list manual, ends in 59m59s". */
void pk_outcome_entry(struct pk_buf *out, json_t *entry, bool removed);
/* To standard output; empty afterwards. */
void pk_outcome_flush(struct pk_buf *out);
