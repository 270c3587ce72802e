/* SPDX-License-Identifier: Apache-2.0 */
/* ARP packets for IPv4 over Ethernet. */
#include "decode/arp.h"

#include "base/cursor.h"

#include <errno.h>

#define HARDWARE_ETHERNET 1
#define PROTOCOL_IPV4     0x0800

static void put_v4(uint8_t out[16], const uint8_t *v4)
{
	memset(out, 0, 10);
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, v4, 4);
}

int pk_arp_decode(struct pk_arp *ret, const void *data, size_t len)
{
	static const uint8_t none[4];
	struct pk_cursor c = pk_cursor_of(data, len);
	uint16_t hardware = pk_cursor_u16(&c), protocol = pk_cursor_u16(&c);
	uint8_t hardware_len = pk_cursor_u8(&c), protocol_len = pk_cursor_u8(&c);
	uint16_t op = pk_cursor_u16(&c);
	const uint8_t *sender_mac, *sender, *target_mac, *target;

	if (c.short_)
		return -ENODATA;
	if (hardware != HARDWARE_ETHERNET || protocol != PROTOCOL_IPV4 || hardware_len != 6 ||
	    protocol_len != 4 || !pk_arp_op_name(op))
		return -ENOTSUP;
	sender_mac = pk_cursor_take(&c, 6);
	sender = pk_cursor_take(&c, 4);
	target_mac = pk_cursor_take(&c, 6);
	target = pk_cursor_take(&c, 4);
	if (c.short_)
		return -ENODATA;
	*ret = (struct pk_arp){ .op = op };
	memcpy(ret->sender_mac, sender_mac, 6);
	memcpy(ret->target_mac, target_mac, 6);
	put_v4(ret->sender, sender);
	put_v4(ret->target, target);
	ret->probe = op == PK_ARP_REQUEST && !memcmp(sender, none, 4);
	ret->gratuitous = !ret->probe && op <= PK_ARP_REPLY && !memcmp(sender, target, 4);
	return 0;
}

const char *pk_arp_op_name(uint16_t op)
{
	switch (op) {
	case PK_ARP_REQUEST:
		return "request";
	case PK_ARP_REPLY:
		return "reply";
	case PK_ARP_RREQUEST:
		return "reverse request";
	case PK_ARP_RREPLY:
		return "reverse reply";
	default:
		return NULL;
	}
}
