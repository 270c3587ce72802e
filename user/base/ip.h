/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PK_IP_TEXT 46

bool pk_ip_is_v4(const uint8_t addr[16]);
/* Writes the shortest usual form ("10.0.0.1", "2001:db8::1"); out holds PK_IP_TEXT bytes. */
const char *pk_ip_format(const uint8_t addr[16], char out[PK_IP_TEXT]);
int pk_ip_parse(const char *s, uint8_t ret_addr[16]); /* -EINVAL: not an address */
/* "10.0.0.0/8" or a bare address; *ret_bits counts in the 16-byte form (v4 /8 is 104). */
int pk_ip_parse_cidr(const char *s, uint8_t ret_addr[16], unsigned *ret_bits);
bool pk_ip_in(const uint8_t addr[16], const uint8_t net[16], unsigned bits);
const char *pk_ip_proto_name(unsigned proto); /* "tcp", ...; NULL when it has no usual name */
