/* SPDX-License-Identifier: Apache-2.0 */
/* One block list for people. */
#pragma once

#include "base/buf.h"
#include "table.h"

#include <jansson.h>
#include <stdint.h>

/* A few lines about a list of the API; escaped. */
void pk_list_about(struct pk_buf *out, json_t *list);
/* Its tag, or that in an answer about it, without quotes; nothing if there is none. */
void pk_list_tag(struct pk_buf *out, json_t *of);
/* The list at path with at most n_max entries, 0: all. Exit status. */
int pk_list_show(const char *path, enum pk_format format, uint64_t n_max);
