/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DNS queries that leave: which packets may be one, while there are names to look for. */
#ifndef PICKET_BPF_DNS_H
#define PICKET_BPF_DNS_H

#include "../maps.h"
#include "packet.h"

enum pk_dns_act {
	PK_DNS_PASS = 0,
	PK_DNS_DROP = 1,
	PK_DNS_TURN = 2, /* it has become its own answer: back to where it came from */
};

/* Of an outer UDP packet to port 53, accounted (so that p is normalised). enum pk_dns_act. */
int pk_dns_query(struct __sk_buff *skb, struct pk_pkt *p);

static __always_inline bool pk_dns_is_query(const struct pk_pkt *p)
{
	struct pk_dns_ctl *ctl;
	__u32 a = p->key.port[0], b = p->key.port[1], zero = 0;

	if (p->key.proto != PK_PROTO_UDP || p->frag != PK_FRAG_NO)
		return false;
	barrier_var(a); /* for the verifier: no index into the stack that clang adds by "or" */
	barrier_var(b);
	if ((p->dir ? a : b) != PK_BE16(53))
		return false;
	ctl = bpf_map_lookup_elem(&pk_dns_ctl, &zero);
	return ctl && ctl->names;
}

#endif
