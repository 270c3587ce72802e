/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks without a person: only with an end, at a bounded rate and number, and only for sources
 * that can't be forged, or an attacker could have us block whom he likes.
 */
#include "block/lists.h"

#include "conf/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_NS 60000000000ull

/* A bucket that holds a minute's worth. */
static bool take_credit(struct pk_block *b)
{
	uint64_t each = MINUTE_NS / b->conf->block_auto_rate;

	b->rate.credit_ns += b->boot_ns - b->rate.at_ns;
	if (!b->rate.at_ns || b->rate.credit_ns > MINUTE_NS)
		b->rate.credit_ns = MINUTE_NS;
	b->rate.at_ns = b->boot_ns;
	if (b->rate.credit_ns < each)
		return false;
	b->rate.credit_ns -= each;
	return true;
}

static int check(struct pk_block *b, const struct pk_block_auto_ask *ask,
		 const struct pk_block_list *l, const struct pk_block_entry *e,
		 struct pk_block_done *ret)
{
	int64_t longest = (int64_t)(b->conf->block_auto_ttl_ns / 1000000);

	if (!ask->alert || !*ask->alert)
		return pk_done_set(ret, -EINVAL, "an automatic block names its alert");
	if (!e->expires_ms || e->expires_ms > b->now_ms + longest)
		return pk_done_set(ret, -EINVAL,
				   "an automatic block ends within block.auto_ttl_max");
	if (ask->evidence != PK_BLOCK_ESTABLISHED && !b->conf->block_auto_spoofable)
		return pk_done_set(ret, -EPERM,
				   "the source may be forged: no handshake was completed "
				   "(block.auto_spoofable)");
	if (l && l->now.entries.n >= b->conf->block_auto_max)
		return pk_done_set(ret, -ENOSPC,
				   "there are %" PRIu64
				   " automatic blocks already (block.auto_max)",
				   b->conf->block_auto_max);
	if (!b->conf->block_auto_max || !take_credit(b))
		return pk_done_set(ret, -EAGAIN, "more automatic blocks than block.auto_rate");
	return 0;
}

int pk_block_auto(struct pk_block *b, const struct pk_block_auto_ask *ask,
		  const struct pk_block_entry *e, struct pk_block_done *ret)
{
	struct pk_block_ask plain = { .list = ask->list ? ask->list : "auto",
				      .mode = -1,
				      .who = "automatic" };
	const struct pk_block_list *l = pk_list_find(b, plain.list);
	char reason[256];
	int r = check(b, ask, l, e, ret);

	if (r == 0) {
		(void)snprintf(reason, sizeof(reason), "alert %s%s%s", ask->alert,
			       ask->reason ? ": " : "", ask->reason ? ask->reason : "");
		r = pk_block_add(b, &plain, e, NULL, reason, ret);
	}
	if (r < 0)
		b->rate.refused++;
	return r;
}
