/* SPDX-License-Identifier: Apache-2.0 */
/* ARP for IPv4 over Ethernet (RFC 826; probes and announcements: RFC 5227). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pk_arp_op { PK_ARP_REQUEST = 1, PK_ARP_REPLY = 2, PK_ARP_RREQUEST = 3, PK_ARP_RREPLY = 4 };

struct pk_arp {
	uint16_t op;
	uint8_t sender_mac[6], target_mac[6];
	uint8_t sender[16], target[16]; /* 16-byte form */
	bool gratuitous; /* sender and target address are the same: an announcement */
	bool probe;      /* sender address 0.0.0.0: is this one free? */
};

/* From the ARP header on; bytes behind it are padding. -ENODATA: too short; -ENOTSUP: another pair
 * of hardware and protocol, or an operation that is none of the four. */
int pk_arp_decode(struct pk_arp *ret, const void *data, size_t len);
const char *pk_arp_op_name(uint16_t op); /* "request", ...; NULL */
