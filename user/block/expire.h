/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When entries end: a heap, the earliest first. An element is a hint: whoever takes it looks
 * whether the entry still is and ends then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_EXPIRY_NAME 0x8000u /* in list: a name, line is its place */

struct pk_expiry_item {
	int64_t expires_ms; /* wall clock */
	uint32_t line;      /* of the entry's rule */
	uint32_t list;
};

struct pk_expiry {
	struct pk_expiry_item *v;
	size_t n, cap;
};

void pk_expiry_done(struct pk_expiry *x);
void pk_expiry_clear(struct pk_expiry *x);
int pk_expiry_push(struct pk_expiry *x, const struct pk_expiry_item *item);
/* The earliest that is due, and takes it out. */
bool pk_expiry_pop(struct pk_expiry *x, int64_t now_ms, struct pk_expiry_item *ret);
int64_t pk_expiry_next_ms(const struct pk_expiry *x); /* 0: none */
