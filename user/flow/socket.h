/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets as the socket hooks reported them: owner, address, whether they listen. Used to name the
 * owner of flows whose packets were counted where no socket was at hand. Bounded: the sockets that
 * were not heard of longest leave first, closed ones before open ones.
 */
#pragma once

#include "flow/table.h"

#include <picket/event.h>

struct pk_sock_table;

struct pk_sock_entry {
	struct pk_owner owner;
	uint64_t netns;
	uint64_t seen_ns; /* time of the last record */
	uint8_t laddr[16], raddr[16];
	uint16_t lport, rport; /* as on the wire */
	uint8_t l4;
	bool listening, closed;
	bool established; /* the kernel completed its handshake: raddr is no forgery */
	uint32_t next_cookie, next_tuple, next_port; /* hash chains */
	uint32_t older, newer;
};

struct pk_sock_table *pk_sock_table_new(size_t max);
void pk_sock_table_free(struct pk_sock_table *t);

/* NULL only for a record without a cookie. */
struct pk_sock_entry *pk_sock_table_update(struct pk_sock_table *t, const struct pk_sock *ev);
struct pk_sock_entry *pk_sock_table_find(struct pk_sock_table *t, uint64_t cookie);

/*
 * The owner of end d of this flow: the connected socket with exactly these ends (of this namespace,
 * or else of any), else, in this namespace, the one bound to the port. NULL: unknown.
 */
const struct pk_sock_entry *pk_sock_table_owner(struct pk_sock_table *t,
						const struct pk_flow_key *key, unsigned d);

/* Open sockets, the one last heard of first; start with NULL. */
const struct pk_sock_entry *pk_sock_table_next(struct pk_sock_table *t,
					       const struct pk_sock_entry *after);
void pk_sock_table_counts(const struct pk_sock_table *t, struct pk_table_use_count *ret_use,
			  uint64_t *ret_listening);
