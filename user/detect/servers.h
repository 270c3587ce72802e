/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who offers a service that each network has from one place: DHCP servers, IPv6 routers. Remembers
 * the last few of each network, of a fixed number of networks. One thread.
 */
#pragma once

#include "detect/frame.h"
#include "detect/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_memo;
struct pk_servers;

struct pk_server {
	uint8_t addr[16]; /* what it says to be */
	uint8_t mac[6];   /* that the offer came from; all 0: unknown */
	uint64_t terms;   /* what it offers, as a number: the same is the same */
	uint64_t first_ns, seen_ns;
};

#define PK_SERVERS_EACH                                                                            \
	8 /* of one network; a stranger who makes up more pushes out the silent ones */

/* A network's servers, as the table holds them; the first is the one known longest. */
struct pk_servers_row {
	struct pk_server server[PK_SERVERS_EACH];
	unsigned n;
};

struct pk_servers *pk_servers_new(void); /* NULL: out of memory */
void pk_servers_free(struct pk_servers *t);
void pk_servers_memory(const struct pk_servers *t, struct pk_memory *sum); /* adds */
size_t pk_servers_bytes_max(void);

/* For what is kept over a restart (kept.h): the table, and can a row from a file be? */
struct pk_memo *pk_servers_memo(struct pk_servers *t);
bool pk_servers_is_sane(const void *row, int64_t now_ns);

/*
 * An offer was seen. True: it is the first of this server while another one was heard of within
 * within_ns; *ret_other is the one known longest. A network that finds no room is counted.
 */
bool pk_servers_take(struct pk_servers *t, const struct pk_segment *where,
		     const struct pk_server *offer, uint64_t now_ns, uint64_t within_ns,
		     struct pk_server *ret_other);
