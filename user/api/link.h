/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that the gate lets through, and lists that were fetched: the core's end of their
 * messages (gate/msg.h). Each becomes an exchange that the same routes answer as on the unix
 * socket, if its role may use them.
 */
#pragma once

#include "gate/counts.h"
#include "gate/role.h"

#include <stdbool.h>
#include <stdint.h>

struct pk_api;
struct pk_exchange;
struct pk_json;
struct pk_link;
struct pk_pull_news;

#define PK_LINK_REQUESTS_MAX 512

/* Who asks over the network. */
struct pk_link_client {
	enum pk_role role;
	char fingerprint[65]; /* of the certificate, hex; "": of a carrier */
	char name[257]; /* its subject, printable ASCII; of a carrier: where the list is from */
};

/* What a link has to do with the server that owns it. */
struct pk_link_opts {
	struct pk_api *api;
	void (*serve)(struct pk_api *api, struct pk_exchange *x);
	/* Set: what is on the other end carries signed lists, its clients have PK_ROLE_CARRIER, and
	 * it tells of them. -errno: this is not for it to tell. */
	int (*news)(struct pk_api *api, const struct pk_pull_news *n);
	uint64_t body_max; /* bytes of a request's body: more is answered 413. As long as others of
			    * all requests are on their way, twice of it in all: else 503 */
};

/* fd is taken, also on failure. It ends by itself when the gate goes. */
int pk_link_new(const struct pk_link_opts *o, int fd, struct pk_link **ret_link);
void pk_link_free(struct pk_link *l);
/* NULL: not from the gate. */
const struct pk_link_client *pk_link_client(const struct pk_exchange *x);
bool pk_link_is_there(const struct pk_link *l); /* false: what was on the other end has gone */
/* What the gate told last of itself, zeros when it has told nothing yet. false: it has gone. */
bool pk_link_counts(const struct pk_link *l, struct pk_gate_counts *ret_counts);
