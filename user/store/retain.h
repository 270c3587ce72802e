/* SPDX-License-Identifier: Apache-2.0 */
/* Old rows go: by age, then the oldest until the database is below its size. */
#pragma once

#include "store/checkpoint.h"
#include "store/write.h"

struct pk_retain {
	uint64_t retain_ns, bytes_max; /* 0: no bound */
	uint64_t rows, flows;          /* removed so far */
};

/*
 * One step of bounded work, in transactions of its own: 1 when there is more to do, 0 when all is
 * as it should be. What is removed from the chain is its beginning, up to a signed checkpoint that
 * takes its place.
 */
int pk_retain_step(struct pk_retain *t, struct pk_writer *w, const struct pk_key *key);
