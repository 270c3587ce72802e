/* SPDX-License-Identifier: Apache-2.0 */
/* What the process that fetches may still do once it begins. */
#pragma once

#include <stdbool.h>

/* Connections by TCP and UDP, threads, and the files that names are resolved by; see
 * base/sandbox.h for the rest. -errno: it must not go on. */
int pk_pull_sandbox(void);

/* The file that says who resolves names was replaced by another, which may not be read: only a new
 * process can. */
bool pk_pull_is_blind(void);
