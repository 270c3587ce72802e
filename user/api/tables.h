/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's bounded tables by name, for whoever shows how full they are. */
#pragma once

#include <stdint.h>

struct pk_view;

struct pk_table {
	const char *name;
	uint64_t used, max, evicted, refused;
};

void pk_tables_each(const struct pk_view *v, void (*each)(void *arg, const struct pk_table *t),
		    void *arg);
