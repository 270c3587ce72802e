/* SPDX-License-Identifier: Apache-2.0 */
/* What the process that fetches may still do once it begins. */
#pragma once

#include <stdbool.h>

struct pk_conf;

/* Connections by TCP and UDP, threads, the files that names are resolved by, those of section nats;
 * see base/sandbox.h for the rest. -errno: it must not go on. */
int pk_pull_sandbox(const struct pk_conf *conf);

/* A file that it may read was replaced by another, which it may not: only a new process can. */
bool pk_pull_is_blind(void);
