/* SPDX-License-Identifier: Apache-2.0 */
/* The resolvers of the host, from resolv.conf(5). */
#pragma once

#include "probe/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_RESOLVERS_MAX 16

struct pk_resolv {
	uint8_t addr[PK_RESOLVERS_MAX][16];
	size_t n;
	uint64_t stamp; /* of the file as last read */
};

/* Reads the lines of a resolv.conf; what is not a nameserver line is skipped. */
void pk_resolv_parse(struct pk_resolv *r, const char *text, size_t len);

/* Reads the file again if it changed (or for the first time). */
bool pk_resolv_changed(struct pk_resolv *r);

void pk_resolv_tell(const struct pk_resolv *r, uint64_t netns,
		    void (*send)(void *arg, const struct pk_msg_head *msg), void *arg);
