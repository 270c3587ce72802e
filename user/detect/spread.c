/* SPDX-License-Identifier: Apache-2.0 */
/* Owns counts of different things per key and window. What is too many is the detector's to say. */
#include "detect/spread.h"

#include "base/cleanup.h"
#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>

#define SEC 1000000000ull

struct pk_spread {
	struct pk_memo *keep;
	uint64_t window_ns[2];
};

static void spread_freep(struct pk_spread **s)
{
	pk_spread_done(*s);
}

int pk_spread_begin(const struct pk_conf *c, uint64_t short_ns, uint64_t long_ns, void **ret_state)
{
	_cleanup_(spread_freep) struct pk_spread *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->window_ns[PK_SPREAD_SHORT] = short_ns;
	s->window_ns[PK_SPREAD_LONG] = long_ns;
	s->keep = pk_memo_new(c->detect_remember, sizeof(struct pk_spread_row), true);
	if (!s->keep)
		return -ENOMEM;
	*ret_state = PK_TAKE(s);
	return 0;
}

void pk_spread_done(void *state)
{
	struct pk_spread *s = state;

	if (!s)
		return;
	pk_memo_free(s->keep);
	free(s);
}

/* Moves windows on. Records may come a little out of order: an older one counts as now. */
static void turn(const struct pk_spread *s, struct pk_spread_row *r, uint64_t now_ns)
{
	for (int w = 0; w < 2; w++) {
		uint64_t len = s->window_ns[w];
		uint64_t past = now_ns > r->begin_ns[w] ? (now_ns - r->begin_ns[w]) / len : 0;

		if (!past)
			continue;
		r->seen[w][1] = past == 1 ? r->seen[w][0] : (struct pk_count){ 0 };
		r->seen[w][0] = (struct pk_count){ 0 };
		r->begin_ns[w] += past * len;
	}
}

struct pk_spread_row *pk_spread_add(struct pk_spread *s, const struct pk_memo_key *who,
				    const void *thing, size_t len, uint64_t now_ns)
{
	uint64_t hash = pk_memo_hash(s->keep, thing, len);
	struct pk_spread_row *r;
	bool is_new;

	r = pk_memo_take(s->keep, who, &is_new);
	if (!r)
		return NULL;
	if (is_new || now_ns > r->last_ns + 2 * s->window_ns[PK_SPREAD_LONG])
		*r = (struct pk_spread_row){ .first_ns = now_ns, .begin_ns = { now_ns, now_ns } };
	turn(s, r, now_ns);
	for (int w = 0; w < 2; w++) {
		r->fresh[w] =
			!pk_count_has(&r->seen[w][0], hash) && !pk_count_has(&r->seen[w][1], hash);
		pk_count_add(&r->seen[w][0], hash);
	}
	r->last_ns = now_ns > r->last_ns ? now_ns : r->last_ns;
	r->events++;
	return r;
}

struct pk_spread_row *pk_spread_find(struct pk_spread *s, const struct pk_memo_key *who)
{
	return pk_memo_find(s->keep, who);
}

unsigned pk_spread_count(const struct pk_spread_row *r, int which)
{
	return pk_count_get(&r->seen[which][0], &r->seen[which][1]);
}

bool pk_spread_tell(struct pk_spread_row *r, unsigned n, uint64_t now_ns)
{
	if (r->told && n < 2 * r->told && now_ns < r->told_ns + 60 * SEC)
		return false;
	r->told = n;
	r->told_ns = now_ns;
	return true;
}

/* What was often long ago fades. */
void pk_spread_tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	struct pk_spread *s = state;

	(void)d;
	pk_memo_age(s->keep, now_ns, s->window_ns[PK_SPREAD_LONG] / 2);
}

void pk_spread_memory(const void *state, struct pk_memory *sum)
{
	const struct pk_spread *s = state;

	sum->bytes += sizeof(*s);
	pk_memo_memory(s->keep, sum);
}

size_t pk_spread_bytes_max(const struct pk_conf *c)
{
	return sizeof(struct pk_spread) +
	       pk_memo_bytes_max(c->detect_remember, sizeof(struct pk_spread_row), true);
}
