/* SPDX-License-Identifier: Apache-2.0 */
/* Columns that several tables have, as struct pk_column wants them. */
#pragma once

#include "base/buf.h"

#include <jansson.h>
#include <stdbool.h>

/* "time" of the record, with milliseconds; not human: ms since 1970. */
void pk_column_time(struct pk_buf *out, json_t *record, bool human);
/* dst_endpoint with its port, "[::1]:53". */
void pk_column_server(struct pk_buf *out, json_t *record, bool human);
/* The process behind the record ("-": unknown), its number, its program. */
void pk_column_pid(struct pk_buf *out, json_t *record, bool human);
void pk_column_program(struct pk_buf *out, json_t *record, bool human);
/* Commas between the strings of an array at a path, in the order they have. */
void pk_column_strings(struct pk_buf *out, json_t *record, const char *path);

/* A name or data of DNS, printable as it is: with its single backslashes, which records double. */
void pk_column_dns_text(struct pk_buf *out, json_t *text);
