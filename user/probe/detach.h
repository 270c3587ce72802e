/* SPDX-License-Identifier: Apache-2.0 */
/* Takes down what an agent that does not run any more left to enforce. */
#pragma once

#include <stddef.h>

struct pk_detached {
	size_t maps, xdp, tcx, cgroup, filters;
	char trouble[200]; /* why not, in words */
};

/* Detaches and unpins everything below dir. Nothing there is no error: all counts are 0. */
int pk_detach_offline(const char *dir, struct pk_detached *ret);
