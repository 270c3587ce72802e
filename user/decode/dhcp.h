/* SPDX-License-Identifier: Apache-2.0 */
/* DHCP messages: version 4 (RFC 2131, options of RFC 2132) and, in little, version 6 (RFC 8415). */
#pragma once

#include "base/cursor.h"

#define PK_DHCP_LIST_MAX 4

enum pk_dhcp_why {
	PK_DHCP_OK,
	PK_DHCP_SHORT,      /* an option that the input does not hold */
	PK_DHCP_NO_END,     /* version 4: options without an end */
	PK_DHCP_BAD_OPTION, /* one whose length is not what its code asks for */
	PK_DHCP_WHYS
};

struct pk_dhcp {
	uint8_t version; /* 4 or 6 */
	uint8_t type;    /* message type of that version; version 4: 0 is BOOTP */
	uint8_t why;     /* enum pk_dhcp_why */
	bool reply;      /* a server's (or relay's) message */
	bool relayed;    /* by giaddr, or inside RELAY-FORW, RELAY-REPL */
	uint32_t xid;
	uint8_t mac_len; /* of mac; version 6: from the client's DUID, if it holds one */
	uint8_t mac[16];
	struct pk_slice hostname;  /* option 12, or the first label of a client FQDN (81; v6: 39) */
	struct pk_slice vendor;    /* option 60; v6: 16, its first text */
	struct pk_slice params;    /* option 55: codes asked for, in order (a fingerprint); v6: 6 */
	struct pk_slice client_id; /* option 61; v6: DUID */
	/* Addresses in 16-byte form, all 0: not there. */
	uint8_t client[16];       /* ciaddr */
	uint8_t offered[16];      /* yiaddr; v6: first IAADDR of a reply */
	uint8_t requested[16];    /* option 50; v6: first IAADDR of a request */
	uint8_t server[16];       /* option 54 */
	uint8_t relay[16];        /* giaddr */
	uint8_t n_routers, n_dns; /* kept */
	uint8_t routers[PK_DHCP_LIST_MAX][16];
	uint8_t dns[PK_DHCP_LIST_MAX][16];
	struct pk_slice domain; /* option 15 */
	uint32_t lease;         /* seconds; 0: not there */
};

/* UDP payload. 0: see why for how far; -ENODATA: no header; -EBADMSG: not DHCP. */
int pk_dhcp_decode(struct pk_dhcp *ret, uint8_t version, const void *data, size_t len);
bool pk_dhcp_is(const void *data, size_t len);                /* version 4, by its magic cookie */
const char *pk_dhcp_type_name(uint8_t version, uint8_t type); /* "DISCOVER", ...; NULL */
const char *pk_dhcp_why_name(uint8_t why);
