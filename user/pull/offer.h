/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists that came, offered to the core one after the other: as the requests that a push makes, in
 * the gate's messages (gate/msg.h).
 */
#pragma once

#include "pull/news.h"

struct event_base;
struct evbuffer;
struct pk_offers;

/* The core's answer. code: the refusal's, or what else it says; of HTTP below 300 it was taken. */
typedef void (*pk_offer_done)(void *arg, int status, const char *code);

/* fd: a stream socket to the core, taken. gone: the core has ended. */
int pk_offers_new(struct event_base *base, int fd, void (*gone)(void *arg), void *arg,
		  struct pk_offers **ret_offers);
/* The bytes of a signed list: envelope, line feed, content; taken. source is told to who looks at
 * the list. done is called once, never from within. -ENOMEM: it is not. */
int pk_offer(struct pk_offers *o, const char *list, const char *source, struct evbuffer *body,
	     pk_offer_done done, void *arg);
void pk_offers_tell(struct pk_offers *o, const struct pk_pull_news *n);
