/* SPDX-License-Identifier: Apache-2.0 */
/* What runs and which sockets are open already when the sensor starts. */
#pragma once

#include <stddef.h>

struct pk_object;

/* Called with each record (PK_EVF_SNAPSHOT); a negative result ends the walk and is returned. */
typedef int (*pk_snapshot_fn)(void *arg, const void *rec, size_t size);

/*
 * Walks processes, then sockets, with the kernel's iterators. The walk over sockets also stores
 * the owner with each. Both are tried; the first error is returned.
 */
int pk_snapshot_take(const struct pk_object *obj, pk_snapshot_fn fn, void *arg);
