/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pk_api_request;
struct pk_buf;

/* Root, the own user, or a member of the group; (gid_t)-1: of none. */
bool pk_api_peer_may_ask(const struct pk_api_request *q, gid_t group);
/* Where the person sits who asks, by the word of those who may ask. False: not told. */
bool pk_api_peer_session(const struct pk_api_request *q, uint8_t ret_addr[16]);
/* "alice (uid 1000, pid 4242)" with " from 192.0.2.1" where it is known: who acts, for the record.
 */
void pk_api_peer_actor(const struct pk_api_request *q, struct pk_buf *out);
/* "alice" or "root from 192.0.2.1"; nothing when the connection is gone. */
void pk_api_peer_name(const struct pk_api_request *q, struct pk_buf *out);
