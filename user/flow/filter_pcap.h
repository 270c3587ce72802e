/* SPDX-License-Identifier: Apache-2.0 */
/* tcpdump's words of the filter language: a run of tokens compiled by libpcap. */
#pragma once

#include "flow/filter_lex.h"

#define PK_PACKET_MAX 60 /* IPv6 header and TCP header */

struct pk_pcap; /* compiled */

/* What a bare value after and/or means: the words before the last value. */
struct pk_pcap_context {
	char before[PK_FILTER_MAX];
};

/*
 * Takes tokens from t[*at] up to an and/or, a closing parenthesis or one of the sensor's words,
 * compiles them and moves *at behind. Never resolves a name.
 */
int pk_pcap_parse(const struct pk_token *t, size_t *at, struct pk_pcap_context *c,
		  struct pk_pcap **ret_pcap, struct pk_filter_error *e);
void pk_pcap_free(struct pk_pcap *p);
bool pk_pcap_match(const struct pk_pcap *p, const uint8_t *packet, size_t len);

/* The header that stands for the flow; 0: it has none (ARP). */
size_t pk_pcap_packet(const struct pk_flow *f, uint8_t packet[PK_PACKET_MAX]);
