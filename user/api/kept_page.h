/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of what the store keeps: parameters since, order, after and limit, and the answer
 * {"MEMBER":[...],"last":ID,"more":B}. With more, after=LAST goes on, also where a page has none
 * that fits: an answer takes 200 ms at most.
 */
#pragma once

#include "base/buf.h"
#include "base/json.h"
#include "store/query.h"

struct pk_api_request;

struct pk_kept_page {
	struct pk_store_query query;
	struct pk_buf body;
	struct pk_json j;
	uint64_t last; /* row that was looked at last */
	size_t n, limit;
};

/* Its array is open then. -EINVAL: a problem was answered: parameters, or there is no store. */
int pk_kept_page_begin(struct pk_api_request *q, const char *member, struct pk_kept_page *p);
/* A row was looked at; added: it is in the array. True: that is enough. */
bool pk_kept_page_took(struct pk_kept_page *p, uint64_t id, bool added);
/* Answers. r: of pk_store_list() or pk_store_flows(). */
void pk_kept_page_end(struct pk_api_request *q, struct pk_kept_page *p, int r);
