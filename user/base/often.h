/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a key came, about: a count-min sketch (Cormode and Muthukrishnan 2005) whose smallest
 * counters alone grow, up to 255. Never too small, but for what pk_often_halve() took. Tables that
 * must not be washed out by keys that come once ask it who may stay (as TinyLFU does, Einziger
 * 2017).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PK_OFTEN_CELLS (1u << 18) /* a row; 6 million keys are 23 in each */
#define PK_OFTEN_BYTES ((size_t)4 * PK_OFTEN_CELLS)

struct pk_often;

struct pk_often *pk_often_new(void); /* NULL: out of memory */
void pk_often_free(struct pk_often *o);
/* hash: of the key, with a random key of the caller's. */
unsigned pk_often_get(const struct pk_often *o, uint64_t hash);
unsigned pk_often_add(struct pk_often *o, uint64_t hash); /* what it is now */
/* What was often seen long ago is not seen often. */
void pk_often_halve(struct pk_often *o);
