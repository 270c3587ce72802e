/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its answer, whoever carries them: what routes see instead of a connection. Made
 * by the carrier, who frees it once it was answered whole or its asker has gone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;
struct evhttp_request;
struct pk_exchange;

struct pk_exchange_ops {
	const char *(*said)(const struct pk_exchange *x, const char *name);
	void (*head)(struct pk_exchange *x, const char *name, const char *value);
	void (*reply)(struct pk_exchange *x, int status, const char *title, const void *data,
		      size_t len);
	void (*begin)(struct pk_exchange *x, int status, const char *title);
	void (*send)(struct pk_exchange *x, struct evbuffer *data, void (*sent)(void *arg));
	void (*end)(struct pk_exchange *x);
	void (*cut)(struct pk_exchange *x);
	size_t (*behind)(const struct pk_exchange *x);
	int (*fd)(const struct pk_exchange *x);
};

struct pk_exchange {
	const struct pk_exchange_ops *ops;
	int method;              /* EVHTTP_REQ_* */
	const char *path;        /* as asked for; NULL: it was not well formed */
	const char *query;       /* still escaped; NULL none */
	struct evbuffer *body;   /* what came with it */
	bool plain;              /* body is what Content-Encoding was about, opened */
	void (*gone)(void *arg); /* the asker of an answer that was begun has gone; NULL nothing */
	void *arg;
};

/* A header of the request; NULL: it has none. */
const char *pk_exchange_said(const struct pk_exchange *x, const char *name);
/* The unix socket it came through; -1: none, or it is closed. */
int pk_exchange_fd(const struct pk_exchange *x);

/* A header of the answer, before reply or begin. */
void pk_exchange_head(struct pk_exchange *x, const char *name, const char *value);
/* The whole answer; x is gone after it. title: the status in words. */
void pk_exchange_reply(struct pk_exchange *x, int status, const char *title, const void *data,
		       size_t len);

/* An answer in pieces: begin, send, end or cut. gone: the asker has gone, and x with it. */
void pk_exchange_begin(struct pk_exchange *x, void (*gone)(void *arg), void *arg);
void pk_exchange_send(struct pk_exchange *x, struct evbuffer *data); /* data is empty afterwards */
/* The same; sent is called, with gone's arg, when the asker's side has taken it. */
void pk_exchange_send_then(struct pk_exchange *x, struct evbuffer *data, void (*sent)(void *arg));
void pk_exchange_end(struct pk_exchange *x); /* x is gone after it */
/* Breaks off, so that the asker sees an error and nothing that looks whole: calls gone. */
void pk_exchange_cut(struct pk_exchange *x);
size_t pk_exchange_behind(const struct pk_exchange *x); /* bytes sent that are still with us */

/* Of HTTP on the unix socket. NULL: no memory, nothing was answered. */
struct pk_exchange *pk_exchange_http(struct evhttp_request *http);
