/* SPDX-License-Identifier: Apache-2.0 */
/* What limits an entry of a block list, as requests say it and answers show it. */
#pragma once

#include "block/entry.h"

struct pk_json;

/* "in", "out", "both". -EINVAL. */
int pk_limits_dir(const char *s, uint8_t *ret_dir);
const char *pk_limits_dir_name(uint8_t dir);
/* "tcp", "udp", ... or a number from 1 to 255. -EINVAL. */
int pk_limits_proto(const char *s, uint8_t *ret_proto);
/* "22" or "1000-2000". -EINVAL. */
int pk_limits_ports(const char *s, uint16_t *ret_lo, uint16_t *ret_hi);

/* "10.0.0.0/8", "192.0.2.1", "any" for what has no prefix (processes). */
#define PK_PREFIX_TEXT 56
const char *pk_limits_prefix(const struct pk_block_entry *e, char out[PK_PREFIX_TEXT]);
/* Members dir, proto, port, iface, expires; those that limit nothing are left out. */
void pk_limits_write(struct pk_json *j, const struct pk_block_entry *e, const char *iface);
