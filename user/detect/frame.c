/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the Ethernet header of a sample. It keeps nothing. */
#include "detect/frame.h"

#include "base/cleanup.h"
#include "decode/record.h"

#include <stdio.h>
#include <string.h>

#define ETH_HEAD 14

struct pk_segment pk_sample_segment(const struct pk_sample *s)
{
	return (struct pk_segment){ .netns = s->key.netns,
				    .ifindex = s->key.ifindex,
				    .vlan = { s->key.vlan[0], s->key.vlan[1] } };
}

bool pk_sample_mac(const struct pk_sample *s, uint8_t ret_mac[6])
{
	if (s->raw || s->key.depth || s->data_len < ETH_HEAD || s->l3_off < ETH_HEAD)
		return false;
	memcpy(ret_mac, pk_sample_data(s) + 6, 6);
	return true;
}

bool pk_mac_is_host(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return !(mac[0] & 1) && memcmp(mac, none, 6) != 0;
}

bool pk_mac_is_virtual(const uint8_t mac[6])
{
	static const struct {
		uint8_t prefix[5], len;
	} blocks[] = {
		{ { 0x00, 0x00, 0x5e, 0x00, 0x01 }, 5 }, /* VRRP, CARP, IPv4 */
		{ { 0x00, 0x00, 0x5e, 0x00, 0x02 }, 5 }, /* the same, IPv6 */
		{ { 0x00, 0x00, 0x0c, 0x07, 0xac }, 5 }, /* HSRP */
		{ { 0x00, 0x00, 0x0c, 0x9f }, 4 },       /* HSRP version 2: f000 to ffff */
		{ { 0x00, 0x07, 0xb4, 0x00 }, 4 },       /* GLBP */
	};

	for (size_t i = 0; i < PK_ARRAY_SIZE(blocks); i++)
		if (!memcmp(mac, blocks[i].prefix, blocks[i].len))
			return true;
	return false;
}

const char *pk_mac_format(const uint8_t mac[6], char out[PK_MAC_TEXT])
{
	snprintf(out, PK_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	return out;
}

struct pk_memo_key pk_segment_key(const struct pk_segment *where)
{
	return (struct pk_memo_key){ .scope = where->netns,
				     .what = where->ifindex,
				     .port = where->vlan[0],
				     .proto = where->vlan[1] };
}
