/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns nothing but a table of flow ids; what is told about them is the detectors'. A flood may wash
 * a flow out of it: then it is told again, into the same alert, and nothing is hidden. So the table
 * need not hold on (memo.h), which would refuse newcomers.
 */
#include "detect/once.h"

#include "detect/recent.h"

#include <errno.h>

#define FLOWS_MAX 8192

int pk_once_init(const struct pk_world *w, void **ret_state)
{
	(void)w; /* nothing to look up */
	*ret_state = pk_recent_new(FLOWS_MAX, sizeof(uint64_t), 0);
	return *ret_state ? 0 : -ENOMEM;
}

void pk_once_done(void *state)
{
	pk_recent_free(state);
}

void pk_once_memory(const void *state, struct pk_memory *sum)
{
	pk_recent_memory(state, sum);
}

size_t pk_once_bytes_max(const struct pk_conf *conf)
{
	(void)conf; /* a fixed size */
	return pk_recent_bytes_max(FLOWS_MAX, sizeof(uint64_t), 0);
}

bool pk_once_is_first(void *state, uint64_t flow)
{
	return pk_recent_is_first(state, &flow);
}
