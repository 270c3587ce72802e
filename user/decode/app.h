/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which protocol a payload is, by its content; which protocols a port stands for; and whether the
 * one may be met on the other. The names are those that records carry.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pk_proto {
	PK_PROTO_UNKNOWN,
	PK_PROTO_DNS,
	PK_PROTO_MDNS,
	PK_PROTO_LLMNR,
	PK_PROTO_TLS,
	PK_PROTO_QUIC,
	PK_PROTO_HTTP,
	PK_PROTO_SSH,
	PK_PROTO_SMTP,
	PK_PROTO_FTP,
	PK_PROTO_POP3,
	PK_PROTO_IMAP,
	PK_PROTO_IRC,
	PK_PROTO_STRATUM,
	PK_PROTO_DHCP,
	PK_PROTO_ARP,
	PK_PROTO_ICMP,
	PK_PROTO_MAX
};

/*
 * The protocol of a payload from the start of a direction of a flow on. l4: IPPROTO_TCP, _UDP,
 * _ICMP, _ICMPV6. sport, dport: host order, as in this packet; they decide only between protocols
 * that look the same (DNS and its relatives, "220 ready"). PK_PROTO_UNKNOWN: not told by this.
 */
enum pk_proto pk_app_detect(uint8_t l4, uint16_t sport, uint16_t dport, const void *data,
			    size_t len);
const char *pk_app_name(enum pk_proto p);  /* "dns"; NULL for unknown and what is none */
enum pk_proto pk_app_parse(const char *s); /* PK_PROTO_UNKNOWN: no such name */

/* Service name that IANA gives this port ("https", "ssh"), for usual ports; NULL: none here. */
const char *pk_app_port_name(uint8_t l4, uint16_t port);
/* What this (server's) port is for, if that is one of ours; else PK_PROTO_UNKNOWN. */
enum pk_proto pk_app_port(uint8_t l4, uint16_t port);
/*
 * True if port (the server's) stands for something and p is not it, nor what is usual beside it:
 * SSH on 443 is odd; HTTP on 8443, TLS on 587 (STARTTLS) are not. False for ports that stand for
 * nothing.
 */
bool pk_app_is_odd(enum pk_proto p, uint8_t l4, uint16_t port);
