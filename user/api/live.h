/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot a second of what moves: rates, top flows, processes, remotes, ports. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pk_api_request;
struct pk_live;
struct pk_view;

#define PK_LIVE_HISTORY  120 /* seconds */
#define PK_LIVE_ROWS     100
#define PK_LIVE_ROWS_MAX 1000

struct pk_live *pk_live_new(void);
void pk_live_free(struct pk_live *l);

/* Once a second: moves the history on and sends readers their snapshot. */
void pk_live_tick(struct pk_live *l, struct pk_view *v);
int pk_live_get(struct pk_api_request *q); /* the route */
