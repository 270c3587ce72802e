/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The two hooks between parse and account (verdict) and after it (sample). Both let everything pass
 * and cost nothing: the sensor only watches.
 */
#ifndef PICKET_VERDICT_H
#define PICKET_VERDICT_H

#include "packet.h"

/* True: the packet may go on. */
static __always_inline bool pk_verdict(const struct pk_pkt *p)
{
	(void)p;
	return true;
}

/* True: the packet's bytes are wanted as evidence. */
static __always_inline bool pk_sample(const struct pk_pkt *p, const struct pk_flow *flow)
{
	(void)p;
	(void)flow;
	return false;
}

#endif
