/* SPDX-License-Identifier: Apache-2.0 */
/* Rows as bytes of the queue between the two threads. */
#pragma once

#include "store/store.h"

struct pk_queue;

/* What the chain calls each kind; "" those that are not in it. */
extern const char *const pk_row_kind_name[PK_STORE_KINDS];

/* -EINVAL: not a row that can be kept; -EMSGSIZE: too long; -ENOBUFS: no room. */
int pk_row_put(struct pk_queue *q, const struct pk_store_row *row);
int pk_row_put_flow(struct pk_queue *q, const struct pk_store_flow *flow);

struct pk_row_taken {
	struct pk_store_row row; /* kind FLOW: flow counts and nothing else */
	struct pk_store_flow flow;
};

/* Texts are borrowed from the record. */
void pk_row_take(const void *rec, size_t len, struct pk_row_taken *ret_taken);
