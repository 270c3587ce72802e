/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who touches how many different things: ports of a host, hosts, sessions. Counted twice, for a
 * short and a long time, each over one to two of its windows. The table holds on (memo.h): somebody
 * slow is not lost in a flood.
 */
#pragma once

#include "detect/count.h"
#include "detect/detect.h"
#include "detect/memo.h"

struct pk_spread;

struct pk_spread_row {
	uint64_t first_ns, last_ns;
	uint64_t begin_ns[2];       /* of the present windows, short and long */
	struct pk_count seen[2][2]; /* of those: present, before */
	uint32_t events;            /* things touched, also the same ones again */
	uint32_t good;              /* for the detector: touched in a way that excuses */
	uint32_t firm;              /* the same: that can't have been forged */
	uint32_t kinds;             /* the same: a set */
	uint64_t sum_bytes, sum_ns; /* the same */
	bool fresh[2];              /* was what was touched last new, in the short and long time */
	uint32_t told;              /* count when told last */
	uint64_t told_ns;
};

enum { PK_SPREAD_SHORT, PK_SPREAD_LONG };

/* who touched a thing (len bytes, at most 64). NULL: no room, see pk_memo_take(). */
struct pk_spread_row *pk_spread_add(struct pk_spread *s, const struct pk_memo_key *who,
				    const void *thing, size_t len, uint64_t now_ns);
struct pk_spread_row *pk_spread_find(struct pk_spread *s, const struct pk_memo_key *who);
/* How many different things; which: PK_SPREAD_SHORT, PK_SPREAD_LONG. */
unsigned pk_spread_count(const struct pk_spread_row *r, int which);
/*
 * Should it be told now that the count is n: first, when it doubled, and when a minute went by. A
 * yes is noted. Whoever names the one that touched the last thing asks for that to be fresh: what
 * others did is not told in the name of a program that only goes where they were.
 */
bool pk_spread_tell(struct pk_spread_row *r, unsigned n, uint64_t now_ns);
/* A detector whose state is one of these: the members of its descriptor. */
int pk_spread_begin(const struct pk_conf *c, uint64_t short_ns, uint64_t long_ns, void **ret_state);
void pk_spread_done(void *state);
void pk_spread_tick(struct pk_detect *d, void *state, uint64_t now_ns);
void pk_spread_memory(const void *state, struct pk_memory *sum); /* adds */
size_t pk_spread_bytes_max(const struct pk_conf *c);
