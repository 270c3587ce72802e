/* SPDX-License-Identifier: Apache-2.0 */
/* `picket rule test --since`: rules against what the store keeps. */
#pragma once

#include "table.h"

/*
 * Prints the alerts that the rules of a file or directory would have raised of the flows that ended
 * in the last since_s seconds, as the daemon's store has them. Returns the exit status: 0, 1
 * failed, 2 wrong usage, 3 some of the rules ask for what is not kept, and were not tested.
 */
int pk_rule_test_kept(const char *path, uint64_t since_s, enum pk_format format);
