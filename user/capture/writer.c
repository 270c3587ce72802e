/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the interfaces of one section and their counters. How blocks look is pcapng.c's, who wants
 * which packet is record.c's.
 */
#include "capture/writer.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

#define SEEN_LEN 128    /* bytes of a frame that tell whether it is the same again, */
#define SEEN_NS  100000 /* this soon */

struct pk_writer_iface {
	uint64_t netns;
	uint32_t ifindex;
	uint32_t number; /* of its block; interfaces are found by what is above and raw */
	bool raw;
	uint64_t delivered, dropped, missed;
	uint64_t dropped_since; /* the last packet that was written */
	/* the last frame */
	uint64_t seen_ns, seen_flow;
	uint32_t seen_wire, seen_len;
	uint8_t seen[SEEN_LEN];
};

int pk_writer_init(struct pk_writer *w)
{
	w->iface = calloc(PK_WRITER_IFACES, sizeof(*w->iface));
	return w->iface ? 0 : -ENOMEM;
}

void pk_writer_done(struct pk_writer *w)
{
	pk_buf_done(&w->out);
	free(PK_TAKE(w->iface));
}

static uint64_t wall_ns(const struct pk_writer *w, uint64_t boot_ns)
{
	return (uint64_t)(w->offset_ns + (int64_t)boot_ns);
}

static void write_iface(struct pk_writer *w, const struct pk_writer_iface *i)
{
	struct pk_capture_iface text = { 0 };
	struct pk_pcapng_iface block = { .name = text.name,
					 .description = text.description,
					 .filter = w->filter,
					 .snaplen = w->snaplen };

	w->name(w->arg, i->netns, i->ifindex, &text);
	block.linktype = i->raw ? PK_LINKTYPE_RAW : PK_LINKTYPE_ETHERNET;
	if (!w->begun)
		pk_pcapng_section(&w->out, &w->section);
	w->begun = true;
	pk_pcapng_iface(&w->out, &block);
}

/* NULL: there are too many. */
static struct pk_writer_iface *iface_of(struct pk_writer *w, uint64_t netns, uint32_t ifindex,
					bool raw)
{
	struct pk_writer_iface *i;
	size_t before = w->out.len;

	for (size_t k = 0; k < w->ifaces; k++) {
		i = &w->iface[k];
		if (i->ifindex == ifindex && i->netns == netns && i->raw == raw)
			return i;
	}
	if (w->ifaces >= PK_WRITER_IFACES)
		return NULL;
	i = &w->iface[w->ifaces];
	*i = (struct pk_writer_iface){
		.netns = netns, .ifindex = ifindex, .raw = raw, .number = (uint32_t)w->ifaces
	};
	write_iface(w, i);
	if (w->out.error)
		return NULL;
	w->bytes += w->out.len - before;
	w->ifaces++;
	return i;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What the headers before the payload, repeated, add up to. */
static uint32_t repeated(const struct pk_sample *s)
{
	uint64_t own = (uint64_t)s->payload_off + s->payload_len;

	return s->payload_len && s->payload_off && s->frame_len > own &&
			       s->frame_len - own >= s->payload_off
		       ? s->frame_len - (uint32_t)own
		       : 0;
}

uint32_t pk_sample_len(const struct pk_sample *s)
{
	uint32_t len = s->frame_len - repeated(s);

	return len > s->data_len ? len : s->data_len;
}

uint32_t pk_sample_packets(const struct pk_sample *s)
{
	uint32_t r = repeated(s);

	return r ? 1 + r / s->payload_off : 1;
}

/* A tunnel's packet comes for the outer flow and for the inner one: it is one frame. */
static bool is_again(const struct pk_writer_iface *i, const struct pk_sample *s)
{
	uint32_t len = least(least(s->data_len, i->seen_len), SEEN_LEN);

	return s->hdr.ts - i->seen_ns < SEEN_NS && i->seen_wire == s->frame_len &&
	       i->seen_flow != s->flow && memcmp(i->seen, s + 1, len) == 0;
}

static void note_seen(struct pk_writer_iface *i, const struct pk_sample *s)
{
	i->seen_ns = s->hdr.ts;
	i->seen_flow = s->flow;
	i->seen_wire = s->frame_len;
	i->seen_len = least(s->data_len, SEEN_LEN);
	memcpy(i->seen, s + 1, i->seen_len);
}

bool pk_writer_packet(struct pk_writer *w, const struct pk_sample *s, const char *comment)
{
	struct pk_writer_iface *i = iface_of(w, s->key.netns, s->key.ifindex, s->raw);
	struct pk_pcapng_packet p = { .data = s + 1, .len = s->data_len, .comment = comment };
	size_t before = w->out.len;

	if (!i) {
		w->refused++;
		return false;
	}
	if (is_again(i, s)) {
		w->twice++;
		return true;
	}
	if (w->snaplen)
		p.len = least(p.len, w->snaplen);
	p.iface = i->number;
	p.ts_ns = wall_ns(w, s->hdr.ts);
	p.wire_len = pk_sample_len(s);
	p.way = s->where == PK_AT_INGRESS  ? PK_PCAPNG_INBOUND
		: s->where == PK_AT_EGRESS ? PK_PCAPNG_OUTBOUND
					   : PK_PCAPNG_WAY_UNKNOWN;
	p.dropped = i->dropped_since;
	pk_pcapng_packet(&w->out, &p);
	if (w->out.error) {
		w->refused++;
		return false;
	}
	i->dropped_since = 0;
	i->delivered++;
	w->packets++;
	w->cut += p.len < p.wire_len;
	w->bytes += w->out.len - before;
	note_seen(i, s);
	return true;
}

void pk_writer_drop(struct pk_writer *w, const struct pk_sample *s)
{
	struct pk_writer_iface *i = iface_of(w, s->key.netns, s->key.ifindex, s->raw);

	w->dropped++;
	if (!i)
		return;
	i->dropped++;
	i->dropped_since++;
}

/* To an interface that has a block already: its packets may be of either link type. */
void pk_writer_missed(struct pk_writer *w, uint64_t netns, uint32_t ifindex, uint64_t n)
{
	w->missed += n;
	for (size_t k = 0; k < w->ifaces; k++)
		if (w->iface[k].ifindex == ifindex && w->iface[k].netns == netns) {
			w->iface[k].missed += n;
			return;
		}
}

void pk_writer_end(struct pk_writer *w, uint64_t now_ns, const char *comment)
{
	size_t before = w->out.len;

	if (!w->begun)
		pk_pcapng_section(&w->out, &w->section);
	w->begun = true;
	for (size_t k = 0; k < w->ifaces; k++) {
		const struct pk_writer_iface *i = &w->iface[k];
		struct pk_pcapng_stats s = { .iface = i->number,
					     .ts_ns = wall_ns(w, now_ns),
					     .start_ns = wall_ns(w, w->start_ns),
					     .end_ns = wall_ns(w, now_ns),
					     .received = i->delivered + i->dropped + i->missed,
					     .dropped = i->dropped + i->missed,
					     .os_dropped = i->missed,
					     .delivered = i->delivered,
					     .comment = k ? NULL : comment };

		pk_pcapng_stats(&w->out, &s);
	}
	w->bytes += w->out.len - before;
}
