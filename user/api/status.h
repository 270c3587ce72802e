/* SPDX-License-Identifier: Apache-2.0 */
/* What the status and the metrics both say about the agent's own process. */
#pragma once

#include <stdint.h>

uint64_t pk_status_rss_bytes(void); /* 0: can not be read */
double pk_status_cpu_s(void);       /* seconds, user and kernel */
