/* SPDX-License-Identifier: Apache-2.0 */
/* Literals that are the whole of a value: found by a hash of it, without a search. */
#pragma once

#include "sigma/scan.h"

/* Adds a literal, which is borrowed; room was made for n at first. -ENOMEM. */
int pk_sigma_exact_init(struct pk_sigma_exact *e, size_t n);
void pk_sigma_exact_add(struct pk_sigma_exact *e, const struct pk_sigma_literal *l);
void pk_sigma_exact_done(struct pk_sigma_exact *e);

/* Calls found with each literal that is this value, by its own case or any. */
void pk_sigma_exact_find(const struct pk_sigma_exact *e, const char *s, size_t len,
			 void (*found)(void *arg, const struct pk_sigma_literal *l), void *arg);
