/* SPDX-License-Identifier: Apache-2.0 */
/* What detectors of a local network ask of a sample besides its payload. */
#pragma once

#include "detect/memo.h"

#include <picket/event.h>

#include <stdbool.h>
#include <stdint.h>

#define PK_MAC_TEXT 18

/* One network: where its packets were seen. Pad bytes are 0: it is a key. */
struct pk_segment {
	uint64_t netns;
	uint32_t ifindex;
	uint16_t vlan[2];
};

struct pk_segment pk_sample_segment(const struct pk_sample *s);
struct pk_memo_key pk_segment_key(const struct pk_segment *where);
/* Who sent the frame. False: it has no Ethernet header, or this is the inside of a tunnel. */
bool pk_sample_mac(const struct pk_sample *s, uint8_t ret_mac[6]);
/* Of one machine: not all 0, not a group. */
bool pk_mac_is_host(const uint8_t mac[6]);
/* One that redundant routers hand to each other: VRRP and CARP (RFC 9568 7.3), HSRP, GLBP. */
bool pk_mac_is_virtual(const uint8_t mac[6]);
const char *pk_mac_format(const uint8_t mac[6], char out[PK_MAC_TEXT]);
