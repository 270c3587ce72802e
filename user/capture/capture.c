/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides which recording a packet belongs to, and which flows the kernel side sends whole.
 *
 * While anything is recorded, all flows come whole until it is known whether somebody wants them: a
 * filter may ask for the process, which is learned after the first packets. Until then their frames
 * wait in memory, so that a recording has the beginning of its flows; then the kernel is told of
 * those that nobody wants. A packet may come twice: its head as a sample, and its frame, in no
 * order. From the first whole frame of a flow on, frames are written and heads are not; a flow that
 * has none yet is held back for a moment.
 */
#include "capture/capture.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

#define HOLD_NS   100000000ull  /* for the frame of a head */
#define SETTLE_NS 2000000000ull /* after the last report: its last frames have come by then */
#define GRACE_NS  200000000ull  /* after its first report: what it shares with others is told too */
#define TELL_NS   1000000000ull /* again that a flow is refused, while its frames go on coming */
#define JUMP_NS   1000000       /* of the wall clock: somebody set it */

struct pk_capture {
	struct pk_packet_ring *memory;
	struct pk_capture_flows *flows;
	size_t flows_max;
	struct pk_pcapng_section section;
	char *text[3]; /* of it */
	struct pk_capture_ops ops;
	void *arg;
	struct pk_recording *rec[PK_RECORDINGS_MAX];
	uint8_t active;  /* 1 << number of those that have not ended */
	bool all_marked; /* the kernel was told that all flows are to come whole */
	uint64_t recordings_ever, recorded;
	struct pk_capture_flow *wanted;
	uint32_t walk;
	int64_t offset_ns;
	struct pk_buf positions; /* of the flow being written, kept for its memory */
};

static void iface_name(void *arg, uint64_t netns, uint32_t ifindex,
		       struct pk_capture_iface *ret_iface)
{
	const struct pk_capture *c = arg;

	c->ops.iface(c->arg, netns, ifindex, ret_iface);
}

static const char *comment_of(struct pk_capture *c, struct pk_capture_flow *f,
			      const struct pk_sample *s)
{
	struct pk_buf text = { 0 };

	if (f->comment && f->comment_stays)
		return f->comment;
	f->comment_stays = c->ops.comment(c->arg, f->id, s, &text) || f->total;
	if (text.error)
		pk_buf_done(&text);
	free(f->comment);
	f->comment = text.data; /* NULL: none, or no memory for it */
	return f->comment;
}

static void forget_comment(struct pk_capture_flow *f)
{
	free(PK_TAKE(f->comment));
}

static void mark_all(struct pk_capture *c)
{
	bool on = c->active;

	if (on != c->all_marked && c->ops.mark_all(c->arg, on))
		c->all_marked = on; /* else at the next tick */
}

/* Nobody records it. */
static void refuse(struct pk_capture *c, struct pk_capture_flow *f, uint64_t now_ns)
{
	if (f->refused || f->wanted)
		return;
	f->refused = true;
	f->frames_ns = 0;
	f->told_ns = 0;
	if (f->has_slot && !f->final_ns && c->ops.mark(c->arg, f->id, f->slot, false))
		f->told_ns = now_ns;
}

/* A frame of one that was refused: it was under way, or the kernel does not know yet. */
static void turn_away(struct pk_capture *c, struct pk_capture_flow *f, uint64_t now_ns)
{
	if (c->active && now_ns >= f->told_ns + TELL_NS &&
	    c->ops.mark(c->arg, f->id, f->slot, false))
		f->told_ns = now_ns;
}

/* Somebody records it after all. */
static void take_back(struct pk_capture *c, struct pk_capture_flow *f)
{
	f->unsaid = !f->final_ns && !(f->has_slot && c->ops.mark(c->arg, f->id, f->slot, true));
	f->refused = false;
}

/* What of the flow is not in the recording, though it was there when the flow began. */
static void settle(const struct pk_capture *c, const struct pk_capture_flow *f, unsigned k)
{
	struct pk_recording *r = c->rec[k];

	if (f->start_ns >= r->begun_ns && f->total > f->written[k])
		pk_writer_missed(&r->w, f->netns, f->ifindex, f->total - f->written[k]);
}

static void unwant(struct pk_capture *c, struct pk_capture_flow *f, unsigned k)
{
	settle(c, f, k);
	f->wanted &= ~(1u << k);
	f->held[k] = 0;
	if (f->wanted)
		return;
	if (f->want_next)
		f->want_next->want_prev = f->want_prev;
	if (f->want_prev)
		f->want_prev->want_next = f->want_next;
	else
		c->wanted = f->want_next;
	c->recorded--;
	f->unsaid = false;
	f->frames_ns = 0;
	forget_comment(f);
}

static void on_evict(void *arg, struct pk_capture_flow *f)
{
	struct pk_capture *c = arg;

	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++)
		if (f->wanted & 1u << k)
			unwant(c, f, k);
	if (c->active)
		refuse(c, f, 0);
}

/* from: what lies in memory from this position on belongs to the recording too. */
static void want(struct pk_capture *c, struct pk_capture_flow *f, unsigned k, uint64_t from)
{
	struct pk_recording *r = c->rec[k];

	if (!f->wanted) {
		f->want_prev = NULL;
		f->want_next = c->wanted;
		if (c->wanted)
			c->wanted->want_prev = f;
		c->wanted = f;
		c->recorded++;
	}
	f->wanted |= 1u << k;
	f->written[k] = 0;
	f->held[k] = from;
	r->flows++;
	if (f->refused)
		take_back(c, f);
}

static void write_one(struct pk_capture *c, struct pk_capture_flow *f, unsigned k,
		      const struct pk_sample *s)
{
	pk_recording_packet(c->rec[k], s, comment_of(c, f, s));
	f->written[k] += pk_sample_packets(s);
}

/* The head of a packet whose frame is in memory too. */
static bool is_copy(const struct pk_capture_flow *f, const struct pk_sample *s)
{
	return !(s->why & PK_SAMPLE_RECORD) && f->kept_ns[0] && s->hdr.ts >= f->kept_ns[0] &&
	       s->hdr.ts <= f->kept_ns[1];
}

/* The head of a packet whose frame has come, or will. */
static bool comes_whole(const struct pk_capture_flow *f, const struct pk_sample *s)
{
	return is_copy(f, s) ||
	       (!(s->why & PK_SAMPLE_RECORD) && f->frames_ns && s->hdr.ts >= f->frames_ns);
}

struct placed {
	uint64_t ts, position;
};

static int by_time(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->position < y->position ? -1 : x->position > y->position;
}

/* What memory has of a flow that was held, in the order of time, up to until_ns. Returns the
 * position from which on the rest lies. */
static uint64_t write_held(struct pk_capture *c, struct pk_capture_flow *f, unsigned k,
			   uint64_t until_ns)
{
	const struct pk_recording *r = c->rec[k];
	uint64_t rest = pk_packet_ring_top(c->memory);
	struct placed *list;
	size_t n;

	pk_buf_reset(&c->positions);
	for (uint64_t at = f->last; at >= f->held[k]; at = pk_packet_ring_before(c->memory, at)) {
		const struct pk_sample *s = pk_packet_ring_at(c->memory, at);
		struct placed p = { .position = at };

		if (!s)
			break;
		p.ts = s->hdr.ts;
		if (p.ts > until_ns)
			rest = at;
		else if (!comes_whole(f, s) &&
			 (!r->conf.before_ns || p.ts + r->conf.before_ns >= r->begun_ns))
			pk_buf_add(&c->positions, &p, sizeof(p));
	}
	list = (void *)c->positions.data;
	n = c->positions.error ? 0 : c->positions.len / sizeof(*list);
	if (n)
		qsort(list, n, sizeof(*list), by_time);
	for (size_t i = 0; i < n; i++)
		write_one(c, f, k, pk_packet_ring_at(c->memory, list[i].position));
	return rest;
}

/* It waits no more. */
static void write_all_held(struct pk_capture *c, struct pk_capture_flow *f)
{
	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++)
		if (f->held[k]) {
			(void)write_held(c, f, k, UINT64_MAX); /* nothing is left */
			f->held[k] = 0;
		}
}

/* Asks each recording that does not take the flow yet. */
static void ask(struct pk_capture *c, struct pk_capture_flow *f, const struct pk_sample *s)
{
	f->asked = true;
	f->open = false;
	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++) {
		int yes;

		if (!(c->active & ~f->wanted & 1u << k))
			continue;
		yes = c->ops.match(c->arg, c->rec[k]->conf.filter, f->id, s);
		if (yes == 1)
			want(c, f, k, PK_PACKET_NONE + 1);
		else if (yes < 0)
			f->open = true;
	}
}

/* By reports, not by one packet: its own first one, and some time for those of its other views. */
static void decide(struct pk_capture *c, struct pk_capture_flow *f, uint64_t now_ns)
{
	ask(c, f, NULL);
	if (!f->undecided_ns)
		f->undecided_ns = now_ns;
	f->open = !f->refused && (c->active & ~f->wanted) && now_ns < f->undecided_ns + GRACE_NS;
	if (!f->open && !f->wanted)
		refuse(c, f, now_ns);
}

/* A packet of one that not everybody takes. */
static void see(struct pk_capture *c, struct pk_capture_flow *f, const struct pk_sample *s)
{
	bool head = !(s->why & PK_SAMPLE_RECORD);

	if (!f->asked || (f->open && head && !f->undecided_ns))
		ask(c, f, s);
	else if (f->open && f->undecided_ns && s->hdr.ts >= f->undecided_ns + GRACE_NS)
		decide(c, f, s->hdr.ts);
	if (!f->open && !f->wanted)
		refuse(c, f, s->hdr.ts);
}

static void end_over(struct pk_capture *c, uint64_t now_ns)
{
	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++)
		if ((c->active & 1u << k) && c->rec[k]->over)
			pk_capture_record_end(c, c->rec[k], now_ns, c->rec[k]->over);
}

static void keep(struct pk_capture *c, struct pk_capture_flow *f, const struct pk_sample *s)
{
	uint64_t at = pk_packet_ring_add(c->memory, s, f->last);

	if (at == PK_PACKET_NONE)
		return; /* it counts those */
	f->last = at;
	if (!(s->why & PK_SAMPLE_RECORD))
		return;
	if (!f->kept_ns[0] || s->hdr.ts < f->kept_ns[0])
		f->kept_ns[0] = s->hdr.ts;
	if (s->hdr.ts > f->kept_ns[1])
		f->kept_ns[1] = s->hdr.ts;
}

/* A whole frame of a flow that is recorded. */
static void take_frame(struct pk_capture *c, struct pk_capture_flow *f, const struct pk_sample *s)
{
	if (!f->frames_ns)
		f->frames_ns = s->hdr.ts;
	write_all_held(c, f);
	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++)
		if (f->wanted & 1u << k)
			write_one(c, f, k, s);
}

/* A head of one: it is in memory, for those who are still held. */
static void take_head(struct pk_capture *c, struct pk_capture_flow *f, const struct pk_sample *s)
{
	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++)
		if ((f->wanted & 1u << k) && !f->held[k] && !comes_whole(f, s))
			write_one(c, f, k, s);
}

void pk_capture_packet(struct pk_capture *c, const struct pk_sample *s)
{
	struct pk_capture_flow *f = pk_capture_flows_get(c->flows, s->flow);
	bool whole = s->why & PK_SAMPLE_RECORD;

	f->netns = s->key.netns;
	f->ifindex = s->key.ifindex;
	f->slot = s->slot;
	f->has_slot = true;
	if ((c->active & ~f->wanted) && !f->refused)
		see(c, f, s);
	if (whole && f->wanted) {
		take_frame(c, f, s);
		if (f->open) /* for those who may take it too */
			keep(c, f, s);
		end_over(c, s->hdr.ts);
		return;
	}
	if (whole && (f->refused || !c->active)) {
		turn_away(c, f, s->hdr.ts);
		return;
	}
	keep(c, f, s);
	if (whole && !f->frames_ns)
		f->frames_ns = s->hdr.ts;
	if (f->wanted) {
		take_head(c, f, s);
		end_over(c, s->hdr.ts);
	}
}

void pk_capture_flow(struct pk_capture *c, const struct pk_flow_report *r)
{
	struct pk_capture_flow *f = pk_capture_flows_find(c->flows, r->flow.meta.id);

	if (!f && !c->active)
		return;
	if (!f) /* its packets never came */
		f = pk_capture_flows_get(c->flows, r->flow.meta.id);
	f->netns = r->flow.key.netns;
	f->ifindex = r->flow.key.ifindex;
	f->start_ns = r->flow.meta.start_ns;
	f->total = r->flow.dir[0].packets + r->flow.dir[1].packets;
	if (r->final && !f->final_ns)
		f->final_ns = r->hdr.ts;
	forget_comment(f);
	if (!(c->active & ~f->wanted))
		return;
	decide(c, f, r->hdr.ts);
	if (f->wanted && (f->frames_ns || f->final_ns))
		write_all_held(c, f);
	end_over(c, r->hdr.ts);
}

static void tick_flow(struct pk_capture *c, struct pk_capture_flow *f, uint64_t now_ns)
{
	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++)
		if (f->held[k]) /* no frame came so soon; another one may */
			f->held[k] = write_held(c, f, k, now_ns - HOLD_NS);
	if (f->unsaid)
		take_back(c, f);
	if (!f->final_ns || f->final_ns + SETTLE_NS > now_ns)
		return;
	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++)
		if (f->wanted & 1u << k)
			unwant(c, f, k);
}

static void set_offset(struct pk_capture *c, int64_t offset_ns)
{
	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++) {
		struct pk_recording *r = c->rec[k];

		if (r && llabs(r->w.offset_ns - offset_ns) > JUMP_NS)
			r->w.offset_ns = offset_ns;
	}
	c->offset_ns = offset_ns;
}

void pk_capture_tick(struct pk_capture *c, uint64_t now_ns, int64_t offset_ns)
{
	struct pk_capture_flow *next;

	set_offset(c, offset_ns);
	for (struct pk_capture_flow *f = c->wanted; f; f = next) {
		next = f->want_next;
		tick_flow(c, f, now_ns);
	}
	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++)
		if (c->active & 1u << k)
			pk_recording_tick(c->rec[k], now_ns);
	end_over(c, now_ns);
	mark_all(c);
}

static struct pk_writer new_writer(struct pk_capture *c)
{
	return (struct pk_writer){
		.section = c->section, .offset_ns = c->offset_ns, .name = iface_name, .arg = c
	};
}

/* Asked once a walk about each flow that is known. */
static bool takes(struct pk_capture *c, const struct pk_filter *filter, struct pk_capture_flow *f,
		  const struct pk_sample *s)
{
	if (f->walk != c->walk) {
		f->walk = c->walk;
		f->walk_yes = c->ops.match(c->arg, filter, f->id, s) == 1;
	}
	return f->walk_yes;
}

/* What memory holds comes first, in the order it came. */
static void begin_with_memory(struct pk_capture *c, struct pk_recording *r)
{
	uint64_t since = r->conf.before_ns && r->conf.before_ns < r->begun_ns
				 ? r->begun_ns - r->conf.before_ns
				 : 0;

	for (uint64_t at = PK_PACKET_NONE; (at = pk_packet_ring_next(c->memory, at));) {
		const struct pk_sample *s = pk_packet_ring_at(c->memory, at);
		struct pk_capture_flow *f = pk_capture_flows_find(c->flows, s->flow);

		if (!f || s->hdr.ts < since || (f->final_ns && !r->conf.before_ns) ||
		    is_copy(f, s) || !takes(c, r->conf.filter, f, s))
			continue;
		write_one(c, f, r->number, s);
	}
}

/* Flows that go on, from here on. */
static void want_all(struct pk_capture *c, struct pk_recording *r)
{
	uint64_t top = pk_packet_ring_top(c->memory);

	for (struct pk_capture_flow *f = NULL; (f = pk_capture_flows_next(c->flows, f));)
		if (!f->final_ns && takes(c, r->conf.filter, f, NULL)) {
			uint64_t written = f->written[r->number];

			want(c, f, r->number, top);
			f->written[r->number] = written;
		}
}

/* Nothing is left of an earlier one of this number; if it is the only one, all flows come whole
 * again. */
static void prepare(struct pk_capture *c, unsigned k)
{
	for (struct pk_capture_flow *f = NULL; (f = pk_capture_flows_next(c->flows, f));) {
		f->written[k] = 0;
		f->asked = false;
		if (c->active)
			continue;
		f->refused = false;
		forget_comment(f);
	}
	c->active |= 1u << k;
	mark_all(c);
}

int pk_capture_record(struct pk_capture *c, const struct pk_recording_conf *conf, uint64_t now_ns,
		      struct pk_recording **ret_recording)
{
	struct pk_writer w = new_writer(c);
	struct pk_recording *r;
	unsigned k = 0;
	int e;

	while (k < PK_RECORDINGS_MAX && c->rec[k])
		k++;
	if (k == PK_RECORDINGS_MAX)
		return -EBUSY;
	r = malloc(sizeof(*r));
	if (!r)
		return -ENOMEM;
	e = pk_recording_init(r, conf, &w, now_ns);
	if (e < 0) {
		free(r);
		return e;
	}
	prepare(c, k);
	r->number = k;
	r->id = ++c->recordings_ever;
	c->rec[k] = r;
	c->walk++;
	r->room = SIZE_MAX;
	begin_with_memory(c, r);
	r->room = PK_RECORDING_BACKLOG + r->w.out.len;
	want_all(c, r);
	end_over(c, now_ns);
	*ret_recording = r;
	return 0;
}

void pk_capture_record_end(struct pk_capture *c, struct pk_recording *r, uint64_t now_ns,
			   const char *why)
{
	struct pk_capture_flow *next;
	unsigned k = r->number;

	if (r->ended)
		return;
	c->active &= ~(1u << k);
	for (struct pk_capture_flow *f = c->wanted; f; f = next) {
		next = f->want_next;
		if (f->held[k])
			(void)write_held(c, f, k, UINT64_MAX); /* nothing is left */
		if (f->wanted & 1u << k)
			unwant(c, f, k);
		if (c->active)
			refuse(c, f, now_ns);
	}
	pk_recording_end(r, now_ns, why);
	mark_all(c);
}

void pk_capture_record_free(struct pk_capture *c, struct pk_recording *r)
{
	if (!r)
		return;
	pk_capture_record_end(c, r, r->begun_ns, "gone");
	c->rec[r->number] = NULL;
	pk_recording_done(r);
	free(r);
}

struct pk_recording *pk_capture_record_next(const struct pk_capture *c,
					    const struct pk_recording *r)
{
	for (unsigned k = r ? r->number + 1 : 0; k < PK_RECORDINGS_MAX; k++)
		if (c->rec[k])
			return c->rec[k];
	return NULL;
}

int pk_capture_freeze(struct pk_capture *c, const struct pk_filter *filter, const char *filter_text,
		      uint64_t since_ns, uint64_t now_ns, struct pk_buf *out, uint64_t *ret_packets)
{
	struct pk_writer w = new_writer(c);
	int r = pk_writer_init(&w);

	if (r < 0)
		return r;
	w.filter = filter_text && *filter_text ? filter_text : NULL;
	w.start_ns = since_ns;
	w.out = *out;
	c->walk++;
	for (uint64_t at = PK_PACKET_NONE; (at = pk_packet_ring_next(c->memory, at));) {
		const struct pk_sample *s = pk_packet_ring_at(c->memory, at);
		struct pk_capture_flow *f = pk_capture_flows_find(c->flows, s->flow);

		if (f && s->hdr.ts >= since_ns && !is_copy(f, s) && takes(c, filter, f, s))
			(void)pk_writer_packet(&w, s, comment_of(c, f, s)); /* w.out tells */
	}
	pk_writer_end(&w, now_ns, NULL);
	*out = w.out;
	w.out = (struct pk_buf){ 0 };
	*ret_packets = w.packets;
	pk_writer_done(&w);
	for (struct pk_capture_flow *f = NULL; (f = pk_capture_flows_next(c->flows, f));)
		if (!f->wanted)
			forget_comment(f);
	return out->error;
}

bool pk_capture_slot(const struct pk_capture *c, uint64_t flow, uint32_t *ret_slot)
{
	const struct pk_capture_flow *f = pk_capture_flows_find(c->flows, flow);

	if (!f || !f->has_slot)
		return false;
	*ret_slot = f->slot;
	return true;
}

void pk_capture_counts(const struct pk_capture *c, struct pk_capture_counts *ret_counts)
{
	struct pk_capture_counts n = { .flows_max = c->flows_max,
				       .recordings_ever = c->recordings_ever,
				       .recorded = c->recorded };

	pk_packet_ring_counts(c->memory, &n.memory);
	n.flows = pk_capture_flows_used(c->flows, &n.flows_evicted);
	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++)
		n.recordings += c->active >> k & 1;
	*ret_counts = n;
}

/* The texts are copied; one that there is no memory for is left out. */
static void set_section(struct pk_capture *c, const struct pk_pcapng_section *s)
{
	const char *from[] = { s->hardware, s->os, s->application };

	for (size_t i = 0; i < PK_ARRAY_SIZE(from); i++)
		c->text[i] = from[i] ? strdup(from[i]) : NULL;
	c->section = (struct pk_pcapng_section){ .hardware = c->text[0],
						 .os = c->text[1],
						 .application = c->text[2] };
}

int pk_capture_new(size_t memory, size_t flows_max, const struct pk_pcapng_section *section,
		   const struct pk_capture_ops *ops, void *arg, struct pk_capture **ret_capture)
{
	struct pk_capture *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	set_section(c, section);
	c->ops = *ops;
	c->arg = arg;
	c->flows_max = flows_max;
	c->memory = pk_packet_ring_new(memory);
	c->flows = pk_capture_flows_new(flows_max, on_evict, c);
	if (!c->memory || !c->flows) {
		pk_capture_free(c);
		return -ENOMEM;
	}
	*ret_capture = c;
	return 0;
}

void pk_capture_free(struct pk_capture *c)
{
	if (!c)
		return;
	for (unsigned k = 0; k < PK_RECORDINGS_MAX; k++)
		if (c->rec[k])
			pk_capture_record_free(c, c->rec[k]);
	if (c->flows)
		pk_capture_flows_free(c->flows);
	pk_packet_ring_free(c->memory);
	pk_buf_done(&c->positions);
	for (size_t i = 0; i < PK_ARRAY_SIZE(c->text); i++)
		free(c->text[i]);
	free(c);
}
