/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the memory of a growing buffer and its sticky error. Knows nothing about what is in it:
 * escaping is escape.c's, JSON is json.c's.
 */
#include "base/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PK_BUF_MIN 256

void pk_buf_done(struct pk_buf *b)
{
	free(b->data);
	*b = (struct pk_buf){ .max = b->max };
}

void pk_buf_reset(struct pk_buf *b)
{
	b->len = 0;
	b->error = 0;
	if (b->data)
		b->data[0] = '\0';
}

/* Makes room for len more bytes and the NUL; false once the buffer has failed. */
static bool buf_room(struct pk_buf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : PK_BUF_MIN;
	char *data;

	if (b->error)
		return false;
	if (len >= SIZE_MAX / 4 - b->len || (b->max && len > b->max - b->len)) {
		b->error = -EFBIG;
		return false;
	}
	if (b->len + len < b->cap)
		return true;
	while (cap <= b->len + len)
		cap *= 2;
	data = realloc(b->data, cap);
	if (!data) {
		b->error = -ENOMEM;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void pk_buf_add(struct pk_buf *b, const void *data, size_t len)
{
	if (!buf_room(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void pk_buf_str(struct pk_buf *b, const char *s)
{
	pk_buf_add(b, s, strlen(s));
}

void pk_buf_char(struct pk_buf *b, char c)
{
	pk_buf_add(b, &c, 1);
}

void pk_buf_fmt(struct pk_buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->len;
	va_list ap;
	int n;

	if (b->error)
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->data ? b->data + b->len : NULL, b->data ? room : 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !buf_room(b, n)) {
		if (n < 0)
			b->error = -EINVAL;
		if (b->data)
			b->data[b->len] = '\0';
		return;
	}
	if ((size_t)n >= room) {
		va_start(ap, fmt);
		(void)vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap); /* measured above */
		va_end(ap);
	}
	b->len += n;
}
