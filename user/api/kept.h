/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that wait for the disk: whoever is told that something was done finds it there after a
 * crash. The wait has an end; then the answer says that it is not kept yet.
 */
#pragma once

#include <stdint.h>

struct pk_api;
struct pk_api_request;
struct pk_kept;
struct pk_store;

#define PK_KEPT_MS 2000 /* at most */

/* s: borrowed; NULL: nothing is kept. */
struct pk_kept *pk_kept_new(struct pk_api *api, struct pk_store *s); /* NULL: no memory */
void pk_kept_free(struct pk_kept *k); /* after the answers that wait have ended */

/* What the answer is about, for whoever writes it: that may have gone, or he keeps it. */
union pk_kept_what {
	struct {
		uint64_t number, ticket;
	};
	void *own;
};

/*
 * Calls answer with what when the ticket (store/store.h) is done, or when it took too long: which
 * of both is for answer to see (pk_store_done()). -errno: nothing waits, answer is not called.
 */
int pk_kept_wait(struct pk_api_request *q, uint64_t ticket,
		 void (*answer)(struct pk_api_request *q, union pk_kept_what what),
		 union pk_kept_what what);
