/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies that come with a Content-Encoding (RFC 9110, 8.4): gzip or zstd, opened by a thread before
 * the request is looked at further. The bound on a body is one on what comes out of it. A list that
 * is itself a packed file has no coding: it is opened where lists are read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct pk_api;
struct pk_api_request;
struct pk_codings;
struct pk_exchange;

#define PK_CODINGS_MAX                                                                             \
	2 /* bodies that are opened at once; each may become as large as a body may */

struct pk_codings *pk_codings_new(struct event_base *base); /* NULL: no memory */
void pk_codings_free(struct pk_codings *c);                 /* waits for what is being opened */

/*
 * True: the body is being opened, then again() is called with its exchange, plain now; or it was
 * refused: 415 with what is taken, 413 when more than max bytes come out, 400, 503. q->x is gone.
 */
bool pk_coding_opens(struct pk_api_request *q, uint64_t max,
		     void (*again)(struct pk_api *api, struct pk_exchange *x));
