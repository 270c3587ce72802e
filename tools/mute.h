/* SPDX-License-Identifier: Apache-2.0 */
/* Suppressions on the terminal. All text is escaped. */
#pragma once

#include "command.h"
#include "table.h"

extern const struct pk_command pk_cmd_mute_add;

extern const struct pk_column pk_mute_columns[];
extern const size_t pk_mute_columns_n;

/* "suppression 3 of beacon is active until 2026-12-01 12:00:00: time service\n" */
void pk_mute_line(struct pk_buf *out, json_t *m);
/* All about one. */
void pk_mute_page(struct pk_buf *out, json_t *m);
/* The record as one line. */
void pk_mute_print_json(struct pk_buf *out, json_t *m);
