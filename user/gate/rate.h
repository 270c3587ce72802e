/* SPDX-License-Identifier: Apache-2.0 */
/* Requests a second of each client, known by its certificate: a bucket of tokens each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_RATE_CLIENTS 1024 /* remembered; the one that asked longest ago goes first */

struct pk_rate {
	struct pk_rate_client {
		uint8_t who[32];
		uint64_t at_ns; /* 0: free */
		double tokens;
	} client[PK_RATE_CLIENTS];
	uint64_t evicted, refused;
};

/* May this client ask now? a_second is also how many may come at once. */
bool pk_rate_take(struct pk_rate *r, const uint8_t who[32], uint64_t a_second, uint64_t now_ns);
