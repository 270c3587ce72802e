/* SPDX-License-Identifier: Apache-2.0 */
/* Scope cleanup: one exit path without goto. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

#define PK_TAKE(p)                                                                                 \
	({                                                                                         \
		__typeof__(p) t_ = (p);                                                            \
		(p) = NULL;                                                                        \
		t_;                                                                                \
	})

#define PK_TAKE_FD(fd)                                                                             \
	({                                                                                         \
		int t_ = (fd);                                                                     \
		(fd) = -1;                                                                         \
		t_;                                                                                \
	})

#define PK_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void pk_freep(void *p)
{
	free(*(void **)p);
}

static inline void pk_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void pk_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_   _cleanup_(pk_freep)
#define _cleanup_close_  _cleanup_(pk_closep)
#define _cleanup_fclose_ _cleanup_(pk_fclosep)
