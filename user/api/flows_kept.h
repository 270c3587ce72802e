/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/flows of the store: ended ones, also of agents that ran before. */
#pragma once

struct pk_api_request;
struct pk_filter;

/* Answers /v1/flows?since=MS. */
int pk_flows_kept_get(struct pk_api_request *q, const struct pk_filter *filter);
