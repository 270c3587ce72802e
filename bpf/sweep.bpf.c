/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Looks through the flow table when the agent asks: reports, times out, frees. The only reader of
 * whole flows and the only one that frees; the packet path itself never reports.
 */
#include "maps.h"

#include "lib/emit.h"
#include "lib/flow.h"

/* After this long, no program that found a flow while it was live can still be running. */
#define PK_GRACE_NS (200ull * 1000000)

/* As long as TCP may try again with what was cut (RFC 9293, 3.8.3 and Linux' tcp_retries2). */
#define PK_CUT_NS (15ull * 60 * 1000000000)

struct pk_sweep {
	struct pk_knobs knobs;
	__u64 now;          /* on the clock of the packets */
	__u64 mono;         /* on the real clock */
	__u64 half_open_ns; /* in force now */
	__u64 live, dying, reported, freed;
	__u32 ring_full;
	bool flush;
	bool at_once; /* no packet program runs beside us: no grace */
};

static __always_inline __u64 pk_last(const struct pk_flow *f)
{
	return f->dir[0].last_ns > f->dir[1].last_ns ? f->dir[0].last_ns : f->dir[1].last_ns;
}

static __always_inline bool pk_is_closed(const struct pk_flow *f)
{
	__u32 state = f->meta.state, fins = PK_FLOW_FIN0 | PK_FLOW_FIN1;

	return (state & PK_FLOW_RST) || (state & fins) == fins;
}

/* Sends one report; false when the ring is full: the caller tries again at the next sweep. */
static __always_inline bool pk_report(struct pk_sweep *s, struct pk_flow *f, __u32 why, bool final)
{
	struct pk_flow_report *r;

	pk_event_add(PK_EH_FLOW_REPORT, seen);
	r = bpf_ringbuf_reserve(&pk_rb_flow, sizeof(*r), 0);
	if (!r) {
		pk_event_add(PK_EH_FLOW_REPORT, ring_full);
		s->ring_full++;
		return false;
	}
	f->meta.reports++;
	f->meta.reported_ns = s->now;
	f->meta.reported_packets = f->dir[0].packets + f->dir[1].packets;
	__builtin_memcpy(&r->flow, f, sizeof(r->flow));
	r->hdr.ts = s->now;
	r->hdr.size = sizeof(*r);
	r->hdr.type = PK_EV_FLOW;
	r->hdr.flags = 0;
	r->hdr.cpu = bpf_get_smp_processor_id();
	r->hdr.seq = pk_next_seq(PK_RING_FLOW);
	r->why = f->meta.reports == 1 ? PK_REPORT_START : why;
	r->final = final;
	pk_submit(pk_rb_flow, PK_EH_FLOW_REPORT, r);
	s->reported++;
	return true;
}

/* Why a live flow is to end now; 0: it goes on. */
static __always_inline __u32 pk_why_end(const struct pk_sweep *s, const struct pk_flow *f)
{
	__u64 last = pk_last(f), silent = s->now > last ? s->now - last : 0;

	if (s->flush)
		return PK_REPORT_STOP;
	if ((f->dir[0].started | f->dir[1].started) & PK_DIR_CUT)
		return silent >= PK_CUT_NS ? PK_REPORT_IDLE : 0;
	if (pk_is_closed(f) && silent >= s->knobs.linger_ns)
		return PK_REPORT_END;
	if (silent >= (f->meta.state & PK_FLOW_HALF_OPEN ? s->half_open_ns : s->knobs.idle_ns))
		return PK_REPORT_IDLE;
	return 0;
}

static __always_inline void pk_sweep_live(struct pk_sweep *s, struct pk_flow *f)
{
	if (!f->meta.reports) {
		(void)pk_report(s, f, PK_REPORT_START, false);
		return;
	}
	if (f->dir[0].packets + f->dir[1].packets != f->meta.reported_packets &&
	    s->now - f->meta.reported_ns >= s->knobs.active_ns)
		(void)pk_report(s, f, PK_REPORT_ACTIVE, false);
}

/* The last report, and the way is free again. A flow whose report did not fit stays. */
static __always_inline void pk_sweep_dying(struct pk_sweep *s, __u32 *tag, struct pk_flow *f,
					   __u32 why)
{
	struct pk_table_use *use;

	if (!f->dir[0].ending_ns)
		f->dir[0].ending_ns = s->mono;
	if ((!s->at_once && s->mono - f->dir[0].ending_ns < PK_GRACE_NS) ||
	    !pk_report(s, f, why, true)) {
		s->dying++;
		return;
	}
	__sync_lock_test_and_set(tag, PK_TAG_FREE);
	s->freed++;
	use = pk_table_use();
	if (use) {
		__sync_fetch_and_add(&use->used, -1);
		__sync_fetch_and_add(&use->freed, 1);
	}
}

/*
 * One way of one bucket. A function of its own for the verifier, which looks at it once instead of
 * once a way: inlined, 6.1 gives up at a million instructions.
 */
__noinline int pk_sweep_way(__u32 index, __u32 way, struct pk_sweep *s)
{
	struct pk_bucket *b = bpf_map_lookup_elem(&pk_buckets, &index);
	struct pk_ways *ways = bpf_map_lookup_elem(&pk_flows, &index);
	struct pk_flow *f;
	__u32 *tag, t, why;

	if (!b || !ways || !s || way >= PK_WAYS)
		return 0;
	f = &ways->way[way];
	tag = &b->tag[way];
	t = pk_tag_read(tag);
	if ((t & PK_TAG_STATE) == PK_TAG_LIVE) {
		why = pk_why_end(s, f);
		if (!why) {
			s->live++;
			pk_sweep_live(s, f);
			return 0;
		}
		if (!pk_flow_kill(tag, t, f))
			return 0; /* a packet ended it just now: seen at the next sweep */
		pk_sweep_dying(s, tag, f, why);
	} else if ((t & PK_TAG_STATE) == PK_TAG_DYING) {
		why = s->flush ? PK_REPORT_STOP : PK_REPORT_IDLE;
		pk_sweep_dying(s, tag, f, pk_is_closed(f) ? PK_REPORT_END : why);
	}
	return 0;
}

static long pk_sweep_bucket(void *map, __u32 *index, struct pk_bucket *b, struct pk_sweep *s)
{
	const __u64 *pair = (const __u64 *)b->tag;
	__u32 i;

	(void)map;
	if (!(pair[0] | pair[1] | pair[2] | pair[3]))
		return 0;
	for (i = 0; i < PK_WAYS; i++)
		if (b->tag[i])
			pk_sweep_way(*index, i, s);
	return 0;
}
PK_ASSERT(PK_WAYS == 8, "four pairs of tags");

SEC("syscall")
int pk_sweep(struct pk_sweep_ctx *ctx)
{
	struct pk_table_use *use = pk_table_use();
	__u64 slots = ((__u64)pk_bucket_mask + 1) * PK_WAYS;
	struct pk_sweep s = {};
	struct pk_knobs *knobs;
	__u32 zero = 0;

	knobs = bpf_map_lookup_elem(&pk_knobs, &zero);
	if (!use || !knobs)
		return -1;
	s.knobs = *knobs;
	s.flush = ctx->flush;
	s.at_once = pk_replaying || ctx->flush;
	s.mono = bpf_ktime_get_ns();
	s.now = ctx->now_ns ? ctx->now_ns : pk_now();
	s.half_open_ns = use->used > slots / 4 * 3 ? s.knobs.emergency_ns : s.knobs.half_open_ns;
	(void)bpf_for_each_map_elem(&pk_buckets, pk_sweep_bucket, &s, 0);
	ctx->ring_full = s.ring_full;
	ctx->live = s.live;
	ctx->dying = s.dying;
	ctx->reported = s.reported;
	ctx->freed = s.freed;
	return 0;
}
