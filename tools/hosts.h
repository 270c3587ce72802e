/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts of a fleet: HOST[:PORT], or a YAML file of groups of them. */
#pragma once

#include <stddef.h>

struct pk_buf;

#define PK_HOSTS_MAX  10000
#define PK_HOSTS_PORT "7443"

struct pk_hosts {
	char **v; /* "web1:7443", "[::1]:7443"; each once, in the order they were told */
	size_t n;
};

/*
 * word: a host, or a file that ends in .yaml or .yml: "groups:", below it names with lists of
 * hosts. group NULL: all of them. -EINVAL, -ENOENT (no such group), -errno: error says why.
 */
int pk_hosts_add(struct pk_hosts *h, const char *word, const char *group, struct pk_buf *error);
void pk_hosts_done(struct pk_hosts *h);
