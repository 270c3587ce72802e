/* SPDX-License-Identifier: Apache-2.0 */
/* DNS transactions as OCSF 1.8.0 DNS Activity (4003). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pk_filter_subject;
struct pk_flow;
struct pk_flow_key;
struct pk_json;
struct pk_news_dns;
struct pk_ocsf;
struct pk_side;

/* A transaction and where it was seen; everything is borrowed. */
struct pk_ocsf_dns {
	const struct pk_news_dns *dns;
	const struct pk_flow_key *key;
	uint64_t flow;  /* 0: in none */
	uint8_t client; /* end of key that asked */
};

/* Who asked, by the flow if it was reported, else by its socket. False: not known (yet). */
bool pk_ocsf_dns_side(const struct pk_ocsf *o, const struct pk_ocsf_dns *d,
		      struct pk_side *ret_side);
/* activity 6: question and answer; 1: nobody answered; 2: an answer to no question. sequence 0:
 * left out. */
void pk_ocsf_dns(struct pk_json *j, const struct pk_ocsf *o, const struct pk_ocsf_dns *d,
		 uint64_t sequence);
/* For a filter: the ends and counters of *flow (filled here), who asked, the name asked for. */
void pk_ocsf_dns_subject(const struct pk_ocsf *o, const struct pk_ocsf_dns *d, struct pk_flow *flow,
			 struct pk_filter_subject *ret_subject);
