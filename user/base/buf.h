/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer with a sticky error: append freely, check once. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct pk_buf {
	char *data; /* NUL ended whenever data is not NULL */
	size_t len;
	size_t cap;
	size_t max; /* 0: no limit; beyond it error is -EFBIG */
	int error;  /* 0 or -errno of the first failure; later appends do nothing */
};

void pk_buf_done(struct pk_buf *b);
void pk_buf_reset(struct pk_buf *b); /* empty, keeps the memory, clears the error */
void pk_buf_add(struct pk_buf *b, const void *data, size_t len);
void pk_buf_str(struct pk_buf *b, const char *s);
void pk_buf_char(struct pk_buf *b, char c);
void pk_buf_fmt(struct pk_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
