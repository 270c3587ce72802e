/* SPDX-License-Identifier: Apache-2.0 */
/* The real parser, compiled for user space, against the reference: the first difference, or NULL.
 */
#pragma once

#include <stddef.h>

#include "../../bpf/lib/parse.h"
#include "reference.h"

static inline int compare_reason(enum ref_reason reason)
{
	static const int same[] = {
		[REF_OK] = 0,
		[REF_L2_CUT] = PK_PKT_TRUNCATED_L2,
		[REF_VLANS] = PK_PKT_VLAN_TOO_DEEP,
		[REF_L3_CUT] = PK_PKT_TRUNCATED_L3,
		[REF_L3_UNKNOWN] = PK_PKT_UNSUPPORTED_L3,
		[REF_VERSION] = PK_PKT_BAD_IP_VERSION,
		[REF_LENGTH] = PK_PKT_BAD_IP_LENGTH,
	};

	return same[reason];
}

static inline uint32_t compare_notes(const struct ref *r)
{
	return (uint32_t)r->cut << PK_PKT_TRUNCATED_L4 | (uint32_t)r->tiny << PK_PKT_TINY_FRAGMENT |
	       (uint32_t)r->too_deep << PK_PKT_EXT_TOO_DEEP |
	       (uint32_t)r->bad_tunnel << PK_PKT_TUNNEL_BAD |
	       (uint32_t)r->deep_tunnel << PK_PKT_TUNNEL_TOO_DEEP |
	       (uint32_t)(r->frag != 0) << PK_PKT_FRAGMENT;
}

static inline const char *compare_found(const struct pk_pkt *p, const struct ref *r)
{
	if (memcmp(p->key.addr[0], r->src, 16) || memcmp(p->key.addr[1], r->dst, 16))
		return "addresses";
	if (p->key.proto != r->proto)
		return "protocol";
	if (PK_BE16(p->key.port[0]) != r->sport || PK_BE16(p->key.port[1]) != r->dport)
		return "ports";
	if (p->key.vlan[0] != r->vlan[0] || p->key.vlan[1] != r->vlan[1])
		return "VLANs";
	if (p->notes != compare_notes(r))
		return "notes";
	if (p->frag != r->frag || (p->frag && p->frag_id != r->frag_id))
		return "fragment";
	if (p->tcp != r->tcp)
		return "TCP or not";
	if (p->tcp && (p->tcp_flags != r->flags || p->seq != r->seq || p->ack != r->ack ||
		       p->payload != r->payload))
		return "TCP fields";
	if (PK_BE16(p->in_type) != r->in_type)
		return "inner type";
	if (r->in_type && (p->in_off != r->in_at || p->in_vni != r->vni || p->in_encap != r->encap))
		return "inner layer";
	return NULL;
}

/* Parses both layers with both; p and r hold the last layer looked at. */
static inline const char *compare(const uint8_t *frame, uint32_t len, struct pk_pkt *p,
				  struct ref *r)
{
	struct pk_cur c = { .data = frame, .end = frame + len, .len = len, .kind = PK_CUR_MEM };
	uint16_t type = 0x6558;
	uint32_t at = 0;
	const char *diff;
	int depth;

	for (depth = 0; depth < 2; depth++) {
		*p = (struct pk_pkt){ .off = at, .type = PK_BE16(type), .depth = (uint8_t)depth };
		p->wire = len;
		*r = (struct ref){ .b = frame, .n = len, .at = at, .depth = depth };
		if (pk_parse(&c, p) != compare_reason(ref_parse(r, type)))
			return depth ? "inner reason" : "reason";
		diff = compare_found(p, r);
		if (diff || !r->in_type)
			return diff;
		type = r->in_type;
		at = r->in_at;
	}
	return NULL;
}
