/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the buckets. Only who has a certificate of ours gets one, so a plain search does. */
#include "gate/rate.h"

#include <string.h>

static struct pk_rate_client *find(struct pk_rate *r, const uint8_t who[32])
{
	struct pk_rate_client *oldest = &r->client[0];

	for (size_t i = 0; i < PK_RATE_CLIENTS; i++) {
		struct pk_rate_client *c = &r->client[i];

		if (c->at_ns && memcmp(c->who, who, sizeof(c->who)) == 0)
			return c;
		if (c->at_ns < oldest->at_ns)
			oldest = c;
	}
	r->evicted += oldest->at_ns != 0;
	*oldest = (struct pk_rate_client){ 0 };
	memcpy(oldest->who, who, sizeof(oldest->who));
	return oldest;
}

bool pk_rate_take(struct pk_rate *r, const uint8_t who[32], uint64_t a_second, uint64_t now_ns)
{
	struct pk_rate_client *c = find(r, who);
	double max = (double)a_second;

	if (!c->at_ns)
		c->tokens = max;
	else if (now_ns > c->at_ns)
		c->tokens += (double)(now_ns - c->at_ns) / 1e9 * max;
	if (c->tokens > max)
		c->tokens = max;
	c->at_ns = now_ns ? now_ns : 1;
	if (c->tokens < 1) {
		r->refused++;
		return false;
	}
	c->tokens--;
	return true;
}
