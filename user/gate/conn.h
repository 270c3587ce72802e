/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections of the gate: how many, how long each may take for what, and which goes when there
 * are too many. What they ask is gate.c's.
 */
#pragma once

#include "base/page.h"
#include "gate/counts.h"
#include "gate/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct event_base;
struct pk_conn;

struct pk_conns {
	struct event_base *base;
	const struct pk_conf *conf;
	SSL_CTX *ctx;                 /* of new connections; owned */
	struct pk_conn *first, *last; /* oldest first */
	size_t n;
	struct pk_gate_counts counts;
	struct pk_gate_audit audit;
	struct pk_page page;
};

struct pk_conn {
	struct pk_conns *all;
	struct pk_conn *prev, *next;
	struct bufferevent *bev; /* owns the connection, and by it this */
	struct event *deadline;
	struct pk_tls_client client; /* once asked */
	bool known, closing;
	bool shaken, judged; /* judged: it was told why its handshake fails */
	int verify;          /* X509_V_ERR_* of its certificate */
	char address[48];    /* "": not known yet */
	unsigned answering;  /* requests whose answer is not whole */
};

int pk_conns_init(struct pk_conns *s, struct event_base *base, const struct pk_conf *conf);
/* From now on with this context, taken. Those that are there end: what was revoked goes at once. */
void pk_conns_use(struct pk_conns *s, SSL_CTX *ctx);
/* For a connection that evhttp is about to accept; NULL: it can not be. */
struct bufferevent *pk_conn_new(struct pk_conns *s);
struct pk_conn *pk_conn_of(struct bufferevent *bev);
/* A request came whole; its answer is whole. */
void pk_conn_asked(struct pk_conn *c);
void pk_conn_answered(struct pk_conn *c);
/* Counts and tells that it is refused. */
void pk_conn_refused(struct pk_conn *c, enum pk_gate_count why);
/* Ends it soon: its owner sees it closed by the other side. */
void pk_conn_shut(struct pk_conn *c);
