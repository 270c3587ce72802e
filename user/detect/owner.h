/* SPDX-License-Identifier: Apache-2.0 */
/* Whose end of a flow it is: what a finding says of processes. */
#pragma once

#include "detect/detect.h"

struct pk_flow_key;

/*
 * Adds the process that uses end d of this flow and the one that made its socket, as far as is
 * known: from the flow's record, else from the sockets of this host. In a capture nobody is.
 */
void pk_finding_owner(struct pk_finding *f, const struct pk_world *w, const struct pk_flow_key *key,
		      uint64_t flow, unsigned d);
/* Both ends, first d. */
void pk_finding_owners(struct pk_finding *f, const struct pk_world *w,
		       const struct pk_flow_key *key, uint64_t flow, unsigned d);

/*
 * from is of the same conversation as f, seen from another namespace: f takes the processes that it
 * does not have, those of who began first, whichever view was told first. True: there was one.
 */
bool pk_finding_other_view(struct pk_finding *f, const struct pk_world *w,
			   const struct pk_finding *from);

/*
 * The conversation of a socket of this host: its flow, if there is one already, and the other side.
 * False when the socket is not known or has no other side.
 */
bool pk_finding_socket(struct pk_finding *f, const struct pk_world *w, uint64_t cookie);
