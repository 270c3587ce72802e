/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to one port are begun and left, faster than anybody would by mistake: from flows that
 * are half-open and from sums by destination when there are too many of them. It says whether the
 * destination still completes handshakes.
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

static void see(struct pk_detect *d, void *state, const struct pk_see *see)
{
	struct pk_flood_row *r;
	bool is_half;
	struct pk_talk t;

	if (see->flow->flow.key.proto != IPPROTO_TCP || !see->flow->is_new)
		return;
	pk_talk_of(pk_detect_world(d), see->flow, &t);
	is_half = t.probe == PK_PROBE_SYN && (see->flow->flow.meta.state & PK_FLOW_HALF_OPEN);
	r = pk_flood_row(state, &t, t.dport, is_half, see->now_ns);
	if (!r)
		return;
	if (is_half)
		pk_flood_try(state, r, &t, 1);
	r->answered += is_half && see->flow->flow.meta.synack_ns;
	r->completed += t.firm;
}

/* A port that completes most handshakes is busy: of those under way some look left. */
static void judge(struct pk_detect *d, const struct pk_memo_key *dst, struct pk_flood_row *r,
		  uint64_t now_ns)
{
	uint64_t n = r->tried + r->summed, rate = pk_detect_world(d)->conf->syn_flood_rate;
	bool absorbed = r->completed || 2 * r->answered > r->tried;
	struct pk_finding f = { .ts_ns = now_ns };
	char addr[PK_IP_TEXT];

	if (r->told || n < rate * (PK_FLOOD_WINDOW_NS / 1000000000) || 2 * n < r->completed)
		return;
	r->told = true;
	pk_ip_format(dst->b, addr);
	pk_flood_finding(dst, r, &f);
	f.severity = absorbed ? PK_MEDIUM : PK_HIGH;
	pk_finding_plain(
		&f,
		"%s is flooded with calls that nobody follows up, to keep it from answering "
		"others; it %s.",
		addr, absorbed ? "still answers" : "does not answer any more");
	pk_finding_detail(
		&f,
		"SYN flood of %s port %u: %ju handshakes begun and left within 10 s (%ju of "
		"them only summed up by the kernel), %ju answered with SYN-ACK, %ju "
		"completed meanwhile: %s.",
		addr, dst->port, (uintmax_t)n, (uintmax_t)r->summed, (uintmax_t)r->answered,
		(uintmax_t)r->completed, absorbed ? "absorbed" : "not absorbed");
	pk_finding_field(&f, "half_open", "%ju", (uintmax_t)r->tried);
	pk_finding_field(&f, "summed_packets", "%ju", (uintmax_t)r->summed);
	pk_finding_field(&f, "synack", "%ju", (uintmax_t)r->answered);
	pk_finding_field(&f, "completed", "%ju", (uintmax_t)r->completed);
	pk_finding_field(&f, "sources", "%u", pk_count_get(&r->sources, &r->sources));
	pk_finding_field(&f, "rate_threshold", "%ju", (uintmax_t)rate);
	pk_finding_field(&f, "absorbed", "%s", absorbed ? "yes" : "no");
	pk_detect_found(d, &pk_detect_syn_flood, &f);
}

static void tick(struct pk_detect *d, void *state, uint64_t now_ns)
{
	pk_flood_tick(d, state, IPPROTO_TCP, true, judge, now_ns);
}

const struct pk_detector pk_detect_syn_flood = {
	.name = "syn_flood",
	.title = "SYN flood",
	.technique = { "T1499.001", "T1498.001" },
	.severity = PK_HIGH,
	.confidence = 75,
	.doubt = "A service that just went down, with many clients that try again, looks similar.",
	.next = "Check that SYN cookies are on (net.ipv4.tcp_syncookies); the sources are probably "
		"forged, so ask your provider rather than block them.",
	.wants = 1u << PK_SEE_FLOW,
	.bytes_max = pk_flood_bytes_max,
	.init = init,
	.done = pk_flood_done,
	.see = see,
	.tick = tick,
	.memory = pk_flood_memory,
};
