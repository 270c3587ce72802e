/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams arrive at one host, whatever the port, that it does not answer: from flows that go one
 * way and from sums by destination. A flow that goes on is reported every 10 s or so and its
 * packets are counted then, so a single stream may look up to twice as fast as it is.
 */
#include "base/ip.h"
#include "conf/conf.h"
#include "detect/detect.h"
#include "detect/flood.h"
#include "detect/registry.h"
#include "detect/talk.h"
#include "flow/table.h"

#include <netinet/in.h>

static int init(const struct pk_world *w, void **ret_state)
{
	return pk_flood_begin(w->conf, ret_state);
}

/* Packets since the last report: of bytes it is known how many are new. */
static uint64_t new_packets(const struct pk_flow_entry *e, unsigned dir)
{
	const struct pk_flow_dir *d = &e->flow.dir[dir];

	return d->bytes ? (uint64_t)((double)e->new_bytes[dir] * (double)d->packets /
				     (double)d->bytes)
			: 0;
}

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	struct pk_flood_row *r;
	struct pk_talk t;

	if (see->flow->flow.key.proto != IPPROTO_UDP)
		return;
	pk_talk_of(pk_detect_world(d), see->flow, &t);
	if (pk_addr_is_group(t.dst))
		return;
	r = pk_flood_row(state, &t, 0, !t.answered, see->now_ns);
	if (r && !t.answered)
		pk_flood_try(state, r, &t, new_packets(see->flow, t.from));
	else if (r)
		r->completed += new_packets(see->flow, t.from);
}

static void judge(struct pk_detect *d, const struct pk_memo_key *dst, struct pk_flood_row *r,
		  uint64_t now_ns)
{
	uint64_t n = r->tried + r->summed, rate = pk_detect_world(d)->conf->udp_flood_rate;
	struct pk_finding f = { .ts_ns = now_ns };
	char addr[PK_IP_TEXT];
	bool absorbed = r->completed;

	if (r->told || n < rate * (PK_FLOOD_WINDOW_NS / 1000000000) || n < r->completed)
		return;
	r->told = true;
	pk_ip_format(dst->b, addr);
	pk_flood_finding(dst, r, &f);
	f.severity = absorbed ? PK_MEDIUM : PK_HIGH;
	pk_finding_plain(&f, "%s is flooded with packets that it has no use for; it %s meanwhile.",
			 addr, absorbed ? "still answers others" : "answered nobody");
	pk_finding_detail(
		&f,
		"UDP flood of %s: %ju datagrams without an answer within 10 s (%ju of them "
		"only summed up by the kernel), %ju in flows that are answered: %s.",
		addr, (uintmax_t)n, (uintmax_t)r->summed, (uintmax_t)r->completed,
		absorbed ? "absorbed" : "not absorbed");
	pk_finding_field(&f, "packets", "%ju", (uintmax_t)n);
	pk_finding_field(&f, "summed_packets", "%ju", (uintmax_t)r->summed);
	pk_finding_field(&f, "answered_packets", "%ju", (uintmax_t)r->completed);
	pk_finding_field(&f, "sources", "%u", pk_count_get(&r->sources, &r->sources));
	pk_finding_field(&f, "rate_threshold", "%ju", (uintmax_t)rate);
	pk_finding_field(&f, "absorbed", "%s", absorbed ? "yes" : "no");
	pk_detect_found(d, &pk_detect_udp_flood, &f);
}

static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	pk_flood_tick(d, state, IPPROTO_UDP, false, judge, now_ns);
}

const struct pk_detector pk_detect_udp_flood = {
	.name = "udp_flood",
	.title = "UDP flood",
	.technique = { "T1498.001" },
	.severity = PK_HIGH,
	.confidence = 65,
	.doubt = "Streams that nobody answers (video, logs, counters sent to a collector) look the "
		 "same when they are that fast.",
	.next = "See which port they go to and whether something listens there; the sources are "
		"probably forged, so ask your provider rather than block them.",
	.wants = 1u << PK_SEE_FLOW,
	.bytes_max = pk_flood_bytes_max,
	.init = init,
	.done = pk_flood_done,
	.see = see,
	.tick = tick,
	.memory = pk_flood_memory,
};
