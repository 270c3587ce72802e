/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Queries for listed names, refused where they leave: the question becomes its own answer and goes
 * back up, so that a program fails at once instead of waiting in vain. Where that is not possible
 * the query is dropped.
 *
 * A name is looked up by hashes of itself and of all that is above it, which one pass from its end
 * makes. What a resolver could read and we can't (a compressed name, one without an end) is refused
 * as well: programs do not ask so, and who does wants to get past us.
 */
#include "lib/dns.h"

#include "lib/emit.h"
#include "lib/parse.h"
#include "lib/time.h"

#define PK_NEWS_NS     1000000000ull /* a name is reported at most this often */
#define PK_DNS_HEAD    12u
#define PK_DNS_QR      0x8000
#define PK_DNS_KEEP    0x7910 /* opcode, RD, CD */
#define PK_DNS_ANSWER  0x8080 /* QR, RA */
#define PK_DNS_NAME    255u   /* with its length bytes */
#define PK_DNS_UNKNOWN 0xffff /* instead of a list: the name can't be read */

static __always_inline struct pk_dns_scratch *pk_dns_scratch_of(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pk_dns_scratch, &zero);
}

/*
 * The name in text, in lower case, a dot before each label: ".www.evil.example". False: there is no
 * name that ends. For the verifier: what changes from one round to the next lies in the map, so
 * that the rounds are all the same to it; global, so that it looks at them once.
 */
__noinline int pk_dns_read(struct pk_dns_scratch *s, __u32 have)
{
	__u32 i;
	__u8 c;

	if (!s)
		return false;
	s->next = 0;
	s->n = 0;
	for (i = 0; i < PK_DNS_NAME; i++) {
		if (i >= have)
			return false;
		c = s->wire[i];
		if (i == *(volatile __u32 *)&s->next) {
			if (!c) {
				s->n = i;
				return true;
			}
			if (c > 63)
				return false;
			s->next = i + 1 + c;
			c = '.';
		} else if (c >= 'A' && c <= 'Z') {
			c |= 0x20;
		} else if (c == '.') {
			c = 0; /* within a label: no listed name has one */
		}
		s->text[i] = c;
	}
	return false;
}

static __always_inline __u32 pk_dns_mode(__u32 list)
{
	struct pk_blk_list *l = bpf_map_lookup_elem(&pk_blk_lists, &list);
	__u32 word = l ? *(volatile __u32 *)&l->word : 0;

	return word & PK_BLK_LIST_USED ? (word & PK_BLK_LIST_MODE) >> PK_BLK_MODE_SHIFT : 0;
}

/* One name: what its lists want. The nearest one is looked at last, and counts. */
__noinline int pk_dns_visit(struct pk_dns_scratch *s, __u32 at)
{
	struct pk_dns_key key;
	struct pk_dns_name *v;
	__u32 mode;

	if (!s)
		return 0;
	key = s->hash;
	v = bpf_map_lookup_elem(&pk_dns_names, &key);
	if (!v)
		return 0;
	if (v->allow && pk_dns_mode(v->allow) == PK_BLK_ENFORCE)
		s->allowed = 1;
	mode = v->block ? pk_dns_mode(v->block) : PK_BLK_OFF;
	if (mode == PK_BLK_OFF || mode < s->mode)
		return 0;
	s->mode = mode;
	s->found = key;
	s->list = v->block;
	s->below = at;
	return 0;
}

/* One byte more of the names that cover this one. */
__noinline int pk_dns_hash(struct pk_dns_scratch *s, __u32 at)
{
	__u8 c;

	if (!s || at >= PK_DNS_NAME)
		return 0;
	c = s->text[at];
	if (c == '.')
		(void)pk_dns_visit(s, at + 1);
	s->hash = pk_dns_step(s->hash, c);
	return 0;
}

/*
 * All names that cover this one, from the last label on. For the verifier: a round is a global
 * function, which it looks at once, and not 255 times with all ways through it.
 */
__noinline int pk_dns_match(struct pk_dns_scratch *s)
{
	struct pk_dns_ctl *ctl;
	__u32 i, n, zero = 0;

	ctl = bpf_map_lookup_elem(&pk_dns_ctl, &zero);
	if (!s || !ctl)
		return 0;
	s->hash = ctl->seed;
	s->mode = s->allowed = s->list = s->below = 0;
	n = s->n;
	for (i = 0; i < PK_DNS_NAME && i < n; i++)
		(void)pk_dns_hash(s, n - 1 - i);
	return 0;
}

static __always_inline void pk_dns_owner(struct __sk_buff *skb, struct pk_owner *ret)
{
	struct bpf_sock *sk = skb->sk;
	struct pk_sk *s;

	if (!sk)
		return;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return;
	s = bpf_sk_storage_get(&pk_sk, sk, NULL, 0);
	if (s)
		*ret = s->owner;
}

static __always_inline void pk_dns_tell(struct __sk_buff *skb, const struct pk_pkt *p,
					struct pk_dns_scratch *s, bool answered)
{
	struct pk_query *q;
	__u32 dir = p->dir & 1, n = s->n;

	pk_event_add(PK_EH_VERDICT, seen);
	q = pk_reserve(pk_rb_block, PK_RING_BLOCK, PK_EH_VERDICT, PK_EV_QUERY, struct pk_query);
	if (!q)
		return;
	pk_dns_owner(skb, &q->owner);
	q->name = s->found;
	q->netns = p->key.netns;
	__builtin_memcpy(q->src, dir ? p->key.addr[1] : p->key.addr[0], 16);
	__builtin_memcpy(q->dst, dir ? p->key.addr[0] : p->key.addr[1], 16);
	q->sport = dir ? p->key.port[1] : p->key.port[0];
	q->dport = dir ? p->key.port[0] : p->key.port[1];
	q->ifindex = p->key.ifindex;
	q->list = s->list;
	q->qtype = s->qtype;
	q->act = s->mode == PK_BLK_OBSERVE ? PK_VERDICT_OBSERVE : PK_VERDICT_DROP;
	q->answered = answered;
	if (n > 1) { /* without the dot it begins with */
		q->name_len = n - 1;
		q->below = s->below - 1;
		__builtin_memcpy(q->text, s->text + 1, PK_DNS_NAME - 1);
		if (n - 1 < PK_DNS_NAME)
			q->text[n - 1] = '\0';
	}
	pk_submit(pk_rb_block, PK_EH_VERDICT, q);
}

/* True: it is to be told. */
static __always_inline bool pk_dns_count(struct pk_dns_scratch *s, const struct pk_pkt *p)
{
	__u64 now = pk_now_tick(), last;
	struct pk_blk_count *n;
	struct pk_dns_name *v;
	struct pk_dns_key key = s->found;
	__u32 list = s->list;

	n = bpf_map_lookup_elem(&pk_blk_cnt, &list);
	if (n && s->mode == PK_BLK_OBSERVE) {
		__sync_fetch_and_add(&n->seen_packets, p->packets);
		__sync_fetch_and_add(&n->seen_bytes, p->bytes);
	} else if (n) {
		__sync_fetch_and_add(&n->out_packets, p->packets);
		__sync_fetch_and_add(&n->out_bytes, p->bytes);
	}
	v = bpf_map_lookup_elem(&pk_dns_names, &key);
	if (!v) { /* it can't be read, or was taken out just now: one a second and CPU is told */
		last = s->told_ns;
		if (last && now - last < PK_NEWS_NS)
			return false;
		s->told_ns = now;
		return true;
	}
	last = *(volatile __u64 *)&v->last_ns;
	__sync_fetch_and_add(&v->queries, 1);
	if (last < now)
		v->last_ns = now;
	return !last || now - last >= PK_NEWS_NS;
}

/* Sender and receiver change places; sums stay right, as they add up the same words. */
static __always_inline int pk_dns_swap(struct __sk_buff *skb, __u32 l3, __u32 l4, bool v6, bool raw)
{
	__u8 mac[12], back[12];
	__be32 a[8], b[8];
	__be16 port[2], trop[2];
	__u32 i;
	int r;

	if (!raw) {
		r = bpf_skb_load_bytes(skb, 0, mac, sizeof(mac));
		if (r)
			return r;
		for (i = 0; i < 6; i++) {
			back[i] = mac[6 + i];
			back[6 + i] = mac[i];
		}
		r = bpf_skb_store_bytes(skb, 0, back, sizeof(back), 0);
		if (r)
			return r;
	}
	if (v6) {
		r = bpf_skb_load_bytes(skb, l3 + 8, a, 32);
		for (i = 0; i < 4; i++) {
			b[i] = a[4 + i];
			b[4 + i] = a[i];
		}
		if (!r)
			r = bpf_skb_store_bytes(skb, l3 + 8, b, 32, 0);
	} else {
		r = bpf_skb_load_bytes(skb, l3 + 12, a, 8);
		b[0] = a[1];
		b[1] = a[0];
		if (!r)
			r = bpf_skb_store_bytes(skb, l3 + 12, b, 8, 0);
	}
	if (r)
		return r;
	r = bpf_skb_load_bytes(skb, l4, port, sizeof(port));
	trop[0] = port[1];
	trop[1] = port[0];
	return r ? r : bpf_skb_store_bytes(skb, l4, trop, sizeof(trop), BPF_F_INVALIDATE_HASH);
}

/* 0: it is an answer now. */
static __always_inline int pk_dns_turn(struct __sk_buff *skb, const struct pk_pkt *p, __be16 flags,
				       __u32 rcode)
{
	const pk_words *addr = (const pk_words *)p->key.addr[0];
	bool v6 = addr[0] || PK_BE64(addr[1]) >> 32 != 0xffff;
	__u32 l4 = p->off, l3 = p->l3_off;
	__be16 answer = PK_BE16((PK_BE16(flags) & PK_DNS_KEEP) | PK_DNS_ANSWER | (rcode & 15));
	int r;

	if (p->packets > 1 || l4 > PK_OFF_MAX || l3 > PK_OFF_MAX)
		return -1;
	r = bpf_l4_csum_replace(skb, l4 + 6, flags, answer, 2 | BPF_F_MARK_MANGLED_0);
	if (!r)
		r = bpf_skb_store_bytes(skb, l4 + 8 + 2, &answer, 2, 0);
	return r ? r : pk_dns_swap(skb, l3, l4, v6, p->raw);
}

int pk_dns_query(struct __sk_buff *skb, struct pk_pkt *p)
{
	struct pk_dns_scratch *s = pk_dns_scratch_of();
	struct pk_dns_ctl *ctl;
	__be16 head[6];
	__u32 zero = 0, at, len, rcode;
	bool whole, tell;
	int act = PK_DNS_DROP;

	ctl = bpf_map_lookup_elem(&pk_dns_ctl, &zero);
	if (!p || !s || !ctl)
		return PK_DNS_PASS;
	at = p->off + sizeof(struct pk_udp);
	if (p->off > PK_OFF_MAX || p->l3_end > skb->len || at + PK_DNS_HEAD + 1 > p->l3_end)
		return PK_DNS_PASS;
	if (bpf_skb_load_bytes(skb, at, head, sizeof(head)) || head[1] & PK_BE16(PK_DNS_QR) ||
	    !head[2])
		return PK_DNS_PASS;
	len = p->l3_end - at - PK_DNS_HEAD;
	if (len > sizeof(s->wire))
		len = sizeof(s->wire);
	len--;
	barrier_var(len); /* for the verifier: up to 6.12 "not 0" is no lower bound */
	if (len >= sizeof(s->wire) || bpf_skb_load_bytes(skb, at + PK_DNS_HEAD, s->wire, len + 1))
		return PK_DNS_PASS;
	len++;
	whole = pk_dns_read(s, len);
	if (whole) {
		(void)pk_dns_match(s);
		if (s->allowed || s->mode == PK_BLK_OFF)
			return PK_DNS_PASS;
	} else {
		s->found.a = s->found.b = 0;
		s->mode = PK_BLK_ENFORCE;
		s->list = PK_DNS_UNKNOWN;
		s->n = 0;
	}
	s->qtype = 0;
	zero = s->n + 1;
	barrier_var(zero); /* for the verifier: what is compared is what is used */
	if (whole && zero + 2 <= len && zero < PK_DNS_NAME + 1)
		s->qtype = (__u16)s->wire[zero] << 8 | s->wire[zero + 1];
	tell = pk_dns_count(s, p);
	if (s->mode == PK_BLK_OBSERVE) {
		if (tell)
			pk_dns_tell(skb, p, s, false);
		return PK_DNS_PASS;
	}
	rcode = ctl->rcode;
	if (tell)
		pk_dns_tell(skb, p, s, rcode <= 15 && p->packets <= 1);
	if (rcode <= 15 && !pk_dns_turn(skb, p, head[1], rcode))
		act = PK_DNS_TURN;
	return act;
}
