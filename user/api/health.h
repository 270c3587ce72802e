/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the agent does its work at this moment, and what speaks against it. */
#pragma once

#include <stddef.h>

struct pk_view;

#define PK_HEALTH_REASONS 8

/* How many reasons there are, 0: it is well. Texts are static. */
size_t pk_health_reasons(const struct pk_view *v, const char *ret_reasons[PK_HEALTH_REASONS]);
