/* SPDX-License-Identifier: Apache-2.0 */
/* JSON writer: appends to a pk_buf, knows commas and nesting, escapes every string. Nesting too
 * deep or an end too many is the buffer's error -EOVERFLOW. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_buf;

#define PK_JSON_DEPTH 32

struct pk_json {
	struct pk_buf *out;
	int depth;
	bool first[PK_JSON_DEPTH];
	bool arr[PK_JSON_DEPTH];
};

void pk_json_init(struct pk_json *j, struct pk_buf *out);
void pk_json_obj(struct pk_json *j, const char *key); /* key NULL: array member or root */
void pk_json_arr(struct pk_json *j, const char *key);
void pk_json_end(struct pk_json *j); /* closes the innermost object or array */
void pk_json_str(struct pk_json *j, const char *key, const char *s); /* NULL: nothing is written */
void pk_json_strn(struct pk_json *j, const char *key, const char *s, size_t len);
void pk_json_u64(struct pk_json *j, const char *key, uint64_t v);
void pk_json_i64(struct pk_json *j, const char *key, int64_t v);
void pk_json_dbl(struct pk_json *j, const char *key, double v); /* not finite: null */
void pk_json_bool(struct pk_json *j, const char *key, bool v);
/* A whole value that is JSON already. */
void pk_json_raw(struct pk_json *j, const char *key, const char *json, size_t len);
void pk_json_null(struct pk_json *j, const char *key);
