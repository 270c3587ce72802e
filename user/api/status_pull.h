/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that are fetched: what is said of them, and what their carrier may do. */
#pragma once

#include <stdbool.h>

struct pk_api;
struct pk_api_request;
struct pk_json;
struct pk_route;
struct pk_view;

/* Members of the status; nothing when no list is fetched. */
void pk_status_pull(struct pk_json *j, const struct pk_view *v, const struct pk_api *api);
void pk_status_pull_degraded(struct pk_json *j, const struct pk_view *v, const struct pk_api *api);
/* Member "pull" of the open object: of this list; nothing when it is not fetched. */
void pk_status_pull_list(struct pk_json *j, const struct pk_view *v, const char *list);
/* The carrier asks: may it? It may put lists that the configuration gives it, and say no more of
 * them than where they are from; that they are signed is upload.c's to see. */
bool pk_pull_may(const struct pk_api_request *q, const struct pk_route *route);
