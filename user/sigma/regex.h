/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of `re`: compiled, and what they can't match without. */
#pragma once

#include "sigma/test.h"

/*
 * -EINVAL: what is wrong is in ret_error (of size bytes), at *ret_at. -ENOMEM. Without JIT where
 * the system forbids it; the result is the same.
 */
int pk_sigma_re_compile(const char *s, unsigned re_flags, pcre2_code **ret, char *ret_error,
			size_t size, size_t *ret_at);

#define PK_SIGMA_RE_ALTS 8

/* Texts of which every match holds at least one; n 0: none were found, which says nothing. */
struct pk_sigma_re_alts {
	size_t n;
	struct {
		char s[48];
		size_t len;
	} v[PK_SIGMA_RE_ALTS];
	bool cased; /* in just this case */
};

void pk_sigma_re_literals(const char *s, unsigned re_flags, struct pk_sigma_re_alts *ret);
