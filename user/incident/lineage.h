/* SPDX-License-Identifier: Apache-2.0 */
/* Which processes belong together: those of one session, of one service, of one job. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pk_process;
struct pk_processes;

/*
 * The process and its ancestors, up to the one that a hub started: init, the SSH server, cron and
 * the like start things for many, so what is above says nothing. Empty when p is a hub itself.
 * Returns how many, p first.
 */
size_t pk_lineage(const struct pk_processes *t, const struct pk_process *p,
		  const struct pk_process **ret, size_t max);

/* Does it start things for many? Its own children by fork that serve one of them do not. */
bool pk_lineage_is_hub(const struct pk_processes *t, const struct pk_process *p);
