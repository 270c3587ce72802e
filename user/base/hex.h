/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as lower-case hex digits, and back. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ret_hex: 2 * n digits and NUL. */
void pk_hex(const void *bytes, size_t n, char *ret_hex);
/* Exactly 2 * n lower-case digits, nothing behind. -EINVAL: it is not (NULL neither). */
int pk_hex_parse(const char *hex, void *ret_bytes, size_t n);
/* Nothing but hex digits, of any case. */
bool pk_hex_is(const char *s, size_t len);
