/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which packets are sampled and how much of them: by what the payload begins with or else by its
 * port, up to a bound for each direction of a flow, and so many a second. Global functions: the
 * verifier checks them once, not once per hook.
 */
#include "lib/sample.h"

#include "lib/flow.h"

#define PK_PATIENCE 8 /* packets with payload until a stream is given up */
#define PK_ECHOES   4 /* of a direction; then one a second */

/* True while this second's samples are not used up. */
static __always_inline bool pk_gate(__u32 row, __u32 rate)
{
	struct pk_gate *g = bpf_map_lookup_elem(&pk_gates, &row);
	__u64 second = pk_now_tick() / 1000000000;

	if (!g)
		return false;
	if (g->second != second) {
		g->second = second;
		g->n = 0;
	}
	return g->n++ < rate;
}

static __always_inline void pk_end_sampling(struct pk_flow_dir *d)
{
	pk_turn_clear(d, PK_DIR_SAMPLE);
}

/* Nothing is known of what this direction carries, and nobody looks at it any more. */
static __always_inline __u32 pk_is_unknown(struct pk_flow_dir *d)
{
	pk_row_add(PK_APP_NONE, seen, 1);
	pk_end_sampling(d);
	return PK_APP_NONE;
}

/* Of its own for the verifier: inlined, each way through the table is a way through all the rest.
 */
__noinline int pk_name_start(struct pk_peek *k)
{
	return k ? (int)pk_app_of_stream(k) : PK_APP_NONE;
}

/*
 * TLS may begin later in a stream (STARTTLS of LDAP, XMPP, PostgreSQL; RDP), but then a segment
 * begins with it. Of its own for the verifier, too.
 */
__noinline int pk_begins_tls(struct pk_peek *k)
{
	return k && k->to > 5 && pk_is_tls(k);
}

/* Words are answered in words; and a server may send lines before its SSH (RFC 4253, 4.2). */
static __always_inline __u32 pk_as_other(const struct pk_flow *f, const struct pk_pkt *p)
{
	__u32 other = f->meta.app[(p->dir ^ 1) & 1];

	return other == PK_APP_TEXT || other == PK_APP_SSH ? other : PK_APP_NONE;
}

/*
 * The application of a TCP stream, from a segment that lies `off` bytes behind its start, which
 * moves here if TLS begins only now. PK_APP_SHORT: more are to come, or this one came before the
 * first.
 */
static __always_inline __u32 pk_name_stream(struct pk_flow *f, struct pk_flow_dir *d,
					    const struct pk_pkt *p, struct pk_plan *t, __u32 *at)
{
	const struct pk_peek here = t->peek;
	__u32 off = t->seq - *at, was = f->meta.app[p->dir & 1], app = PK_APP_SHORT;

	if (was == PK_APP_NONE && off && d->looked_at > 1) {
		app = PK_APP_NONE; /* its beginning told nothing */
	} else if (off < 8) {
		pk_peek_set(&t->peek, here.w[0], here.w[1], here.to, off);
		app = pk_name_start(&t->peek);
		if (app == PK_APP_NONE)
			pk_row_add(PK_APP_NONE, seen, 1);
	}
	if (app == PK_APP_NONE)
		app = pk_as_other(f, p);
	if (app == PK_APP_NONE &&
	    (pk_is_dns_port(p->key.port[0]) || pk_is_dns_port(p->key.port[1])))
		app = PK_APP_DNS;
	if (app == PK_APP_NONE && off) {
		pk_peek_set(&t->peek, here.w[0], here.w[1], here.to, 0);
		if (pk_begins_tls(&t->peek)) {
			app = PK_APP_TLS;
			*at = t->seq;
		}
	}
	if (app == PK_APP_SHORT && d->looked_at > PK_PATIENCE)
		return pk_is_unknown(d);
	if (app == PK_APP_NONE && d->looked_at >= PK_PATIENCE)
		pk_end_sampling(d);
	return app;
}

static __always_inline __u32 pk_at_most(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

/* Bytes of this segment to take. */
static __always_inline __u32 pk_plan_stream(struct pk_flow *f, struct pk_flow_dir *d,
					    const struct pk_pkt *p, struct pk_plan *t)
{
	__u32 dir = p->dir & 1, app = f->meta.app[dir], *at = &f->dir[1].sample_at[dir], off, bytes;
	const struct pk_app_limit *l;

	if (app <= PK_APP_SHORT) {
		if (!(d->tcp_flags & PK_TCP_SYN) && d->looked_at == 1)
			*at = t->seq;
		off = t->seq - *at;
		if ((__s32)off < 0)
			return 0; /* a probe of what is alive, before the first byte */
		app = pk_name_stream(f, d, p, t, at);
		f->meta.app[dir] = app;
		if (app == PK_APP_NONE)
			return 0;
		bytes = pk_app_limits[app & (PK_APPS - 1)].stream;
		if (app == PK_APP_TLS)
			bytes = pk_tls_bytes(&t->peek, dir == f->meta.initiator);
		if (app != PK_APP_SHORT)
			*at += bytes;
	}
	t->app = app;
	l = &pk_app_limits[app & (PK_APPS - 1)];
	if (l->packets && d->looked_at >= l->packets && app != PK_APP_SHORT)
		pk_end_sampling(d);
	if (app == PK_APP_SHORT || app == PK_APP_DNS)
		return pk_at_most(t->payload_len, l->each);
	bytes = *at - t->seq;
	if ((__s32)bytes > 0)
		return pk_at_most(pk_at_most(t->payload_len, bytes), l->each);
	/* Behind the end. What was lost on the way may still come again: not at once. */
	if (d->looked_at >= PK_PATIENCE)
		pk_end_sampling(d);
	return 0;
}

/* The same of a datagram. A QUIC datagram that was merged with others has them behind it. */
static __always_inline __u32 pk_plan_datagram(struct pk_flow *f, struct pk_flow_dir *d,
					      const struct pk_pkt *p, struct pk_plan *t)
{
	__u32 dir = p->dir & 1, app = f->meta.app[dir];
	const struct pk_app_limit *l;

	if (d->looked_at == 1) {
		app = pk_app_of_datagram(&t->peek, &p->key);
		f->meta.app[dir] = app;
		if (app == PK_APP_NONE)
			(void)pk_is_unknown(d);
	}
	t->app = app;
	l = &pk_app_limits[app & (PK_APPS - 1)];
	if (l->packets && d->looked_at >= l->packets)
		pk_end_sampling(d);
	if (app == PK_APP_QUIC && !pk_is_quic(&t->peek))
		return 0;
	return pk_at_most(t->payload_len, app == PK_APP_QUIC && p->packets > 1 ? 4096 : l->each);
}

static __always_inline bool pk_is_echo(const struct pk_pkt *p)
{
	__u32 type = p->seq >> 8 & 0xff;

	return p->key.proto == PK_PROTO_ICMP ? type == 0 || type == 8 : type == 128 || type == 129;
}

/* A router's advertisement (RFC 4861 4.2): one from a stranger becomes everybody's way out. */
static __always_inline bool pk_is_advert(const struct pk_pkt *p)
{
	return p->key.proto == PK_PROTO_ICMP6 && (p->seq >> 8 & 0xff) == 134;
}

static __always_inline __u32 pk_plan_echo(struct pk_flow *f, struct pk_flow_dir *d,
					  const struct pk_pkt *p, struct pk_plan *t)
{
	__u32 *last = &f->dir[1].sample_at[p->dir & 1], now = pk_now_tick() / 1000000000;

	if (!pk_is_echo(p) && !pk_is_advert(p)) {
		/* ICMPv6: what is none of both comes in one flow with adverts */
		if (p->key.proto != PK_PROTO_ICMP6)
			(void)pk_is_unknown(d);
		return 0;
	}
	t->app = PK_APP_ICMP;
	if (pk_is_echo(p))
		f->meta.app[p->dir & 1] = PK_APP_ICMP;
	if (d->looked_at > PK_ECHOES && *last == now)
		return 0;
	*last = now;
	return pk_at_most(t->payload_len, pk_app_limits[PK_APP_ICMP].each);
}

static __always_inline __u32 pk_plan_payload(struct pk_flow *f, struct pk_flow_dir *d,
					     const struct pk_pkt *p, struct pk_plan *t)
{
	switch (p->key.proto) {
	case PK_PROTO_TCP:
		return pk_plan_stream(f, d, p, t);
	case PK_PROTO_UDP:
		return pk_plan_datagram(f, d, p, t);
	case PK_KEY_ARP:
		f->meta.app[p->dir & 1] = t->app = PK_APP_ARP;
		return t->payload_len;
	default:
		return pk_plan_echo(f, d, p, t);
	}
}

static __always_inline void pk_plan_keep(struct pk_flow_dir *d, const struct pk_knobs *k,
					 struct pk_plan *t)
{
	if (d->packets > k->keep_packets) {
		pk_turn_clear(d, PK_DIR_KEEP);
		return;
	}
	if (t->why) { /* its headers come with its payload */
		t->why |= PK_SAMPLE_KEEP;
		return;
	}
	pk_row_add(PK_ROW_KEEP, seen, 1);
	if (!pk_gate(PK_ROW_KEEP, k->keep_rate)) {
		pk_row_add(PK_ROW_KEEP, limited, 1);
		return;
	}
	t->why = PK_SAMPLE_KEEP;
	t->row = PK_ROW_KEEP;
	t->data_len = pk_at_most(t->payload_off, t->have);
}

/* See lib/sample.h. */
__noinline int pk_plan_sample(struct pk_pkt *p, struct pk_plan *t)
{
	struct pk_flow_dir *d;
	struct pk_knobs *k;
	struct pk_flow *f;
	__u32 zero = 0, take = 0;

	if (!p || !t)
		return 0;
	k = bpf_map_lookup_elem(&pk_knobs, &zero);
	f = pk_flow_at(p->slot);
	if (!k || !f)
		return 0;
	d = &f->dir[p->dir & 1];
	t->flow = f->meta.id;
	t->initiator = f->meta.initiator;
	if ((p->want & PK_DIR_SAMPLE) && t->payload_len) {
		if (d->looked_at < 255)
			d->looked_at++;
		take = pk_plan_payload(f, d, p, t);
	}
	t->number = d->looked_at;
	if (take) {
		t->row = t->app;
		pk_row_add(t->app, seen, 1);
		if (k->sample_off >> (t->app & 31) & 1) {
			pk_row_add(t->app, off, 1);
		} else if (!pk_gate(t->app, k->sample_rate)) {
			pk_row_add(t->app, limited, 1);
		} else {
			t->why = PK_SAMPLE_PAYLOAD;
			t->data_len = pk_at_most(t->payload_off + take, t->have);
		}
	}
	if (p->want & PK_DIR_KEEP)
		pk_plan_keep(d, k, t);
	return 0;
}
