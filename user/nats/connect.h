/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to one of nats.servers, over TLS with the server's certificate and name checked.
 * The library makes threads of its own and waits in its calls: not for the agent's loop.
 */
#pragma once

#include <nats/nats.h>
#include <stddef.h>

struct pk_conf;

struct pk_nats_opts {
	const struct pk_conf *conf; /* section nats; borrowed for the call, as host */
	const char *host;           /* if nats.host does not say */
	const char *name;           /* of the program, for the server's lists */
	natsErrHandler on_error; /* what the server says besides answers; any thread; NULL: none */
	void *arg;
};

/* The name of this host's subjects. */
const char *pk_nats_host(const struct pk_conf *conf, const char *hostname);

/*
 * Connects once, within 5 s for each server; one that ends is not made again by itself. Answers
 * come below "_INBOX.TENANT.HOST", where nobody else may listen. -EINVAL: the configuration or its
 * files; -EACCES: the server refuses this host; -EHOSTUNREACH: none could be reached. why (of size
 * bytes) says it in words.
 */
int pk_nats_connect(const struct pk_nats_opts *o, natsConnection **ret_conn, char *why,
		    size_t size);

/* What went wrong last in this thread, as words. */
void pk_nats_why(natsStatus s, const char *what, char *why, size_t size);
