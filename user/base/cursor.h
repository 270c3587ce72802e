/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded reading of bytes that others wrote: integers in network order, and slices that stay in
 * the input. The error sticks: read freely, check once. After it every integer is 0, every slice
 * empty.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of somebody else, not NUL ended and not clean: escape on output. s may be NULL if !len. */
struct pk_slice {
	const char *s;
	uint32_t len;
};

struct pk_cursor {
	const uint8_t *data;
	size_t len;
	size_t at;   /* of the next byte; never above len */
	bool short_; /* something was read that is not there */
};

static inline struct pk_cursor pk_cursor_of(const void *data, size_t len)
{
	return (struct pk_cursor){ .data = data, .len = len };
}

static inline size_t pk_cursor_left(const struct pk_cursor *c)
{
	return c->len - c->at;
}

/* The next n bytes, which are then read; NULL when there are fewer. */
static inline const uint8_t *pk_cursor_take(struct pk_cursor *c, size_t n)
{
	const uint8_t *p =
		c->at ? c->data + c->at : c->data; /* data may be NULL if there is none */

	if (c->short_ || n > c->len - c->at) {
		c->short_ = true;
		return NULL;
	}
	c->at += n;
	return p;
}

static inline uint8_t pk_cursor_u8(struct pk_cursor *c)
{
	const uint8_t *p = pk_cursor_take(c, 1);

	return p ? p[0] : 0;
}

static inline uint16_t pk_cursor_u16(struct pk_cursor *c)
{
	const uint8_t *p = pk_cursor_take(c, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t pk_cursor_u24(struct pk_cursor *c)
{
	const uint8_t *p = pk_cursor_take(c, 3);

	return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t pk_cursor_u32(struct pk_cursor *c)
{
	const uint8_t *p = pk_cursor_take(c, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline struct pk_slice pk_cursor_slice(struct pk_cursor *c, size_t n)
{
	const uint8_t *p = pk_cursor_take(c, n);

	return p ? (struct pk_slice){ .s = (const char *)p, .len = (uint32_t)n }
		 : (struct pk_slice){ 0 };
}

/* A cursor on the next n bytes alone, which are then read. short_ in both if there are fewer. */
static inline struct pk_cursor pk_cursor_sub(struct pk_cursor *c, size_t n)
{
	const uint8_t *p = pk_cursor_take(c, n);

	return (struct pk_cursor){ .data = p, .len = p ? n : 0, .short_ = !p };
}

static inline bool pk_slice_is(struct pk_slice a, const char *s)
{
	return a.len == strlen(s) && !memcmp(a.s ? a.s : "", s, a.len);
}
