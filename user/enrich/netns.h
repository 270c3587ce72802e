/* SPDX-License-Identifier: Apache-2.0 */
/* Names of net namespaces by cookie, as the part that follows links tells them. */
#pragma once

#include <stdint.h>

#define PK_NETNS_MAX      1024
#define PK_NETNS_NAME_LEN 64

struct pk_netns_name {
	uint64_t cookie;
	uint32_t inum;                /* what /proc/PID/ns/net shows */
	char name[PK_NETNS_NAME_LEN]; /* "host", the name under /run/netns, or "" */
};

struct pk_netns_table {
	struct pk_netns_name *ns; /* sorted by cookie */
	uint32_t n, max;
	uint64_t refused; /* not kept: the table is full */
};

void pk_netns_init(struct pk_netns_table *t);
void pk_netns_done(struct pk_netns_table *t);
int pk_netns_set(struct pk_netns_table *t, uint64_t cookie, uint32_t inum, const char *name);
void pk_netns_remove(struct pk_netns_table *t, uint64_t cookie);
const struct pk_netns_name *pk_netns_get(const struct pk_netns_table *t, uint64_t cookie);
