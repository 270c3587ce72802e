/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the alerts of a tenant's hosts and finds what no single one of them sees: one source that
 * attacks many, something new that many have, and who goes from one to the next. All state is in a
 * database and bounded there; it knows nothing of how alerts come.
 */
#pragma once

#include "hub/record.h"

struct pk_conf;
struct pk_hub;

struct pk_hub_opts {
	const struct pk_conf *conf; /* section hub and nats.tenant; borrowed */
	const char *where;          /* of the database, as pk_hub_db_open() has it */
	int64_t now_ms;             /* since the epoch, as all times here */
	/* What was found, as JSON lines, once it is on the disk; again after a crash. */
	void (*found)(void *arg, const char *lines, size_t len);
	void *arg;
};

int pk_hub_open(const struct pk_hub_opts *opts, struct pk_hub **ret_hub);
void pk_hub_close(struct pk_hub *h);

/*
 * Opens the database if that was not done yet, or again if it went away. To be called before the
 * others, and after one of them failed; -errno as hub/db.h has it.
 */
int pk_hub_ready(struct pk_hub *h);
/* What the database said at the last failure. */
const char *pk_hub_why(const struct pk_hub *h);

/* What is taken between them is kept together. After a failure (-errno) take it all again. */
int pk_hub_begin(struct pk_hub *h);
int pk_hub_commit(struct pk_hub *h);
void pk_hub_rollback(struct pk_hub *h);

/*
 * One message of the stream, which came to it at arrived_ms: a host's own clock is not believed
 * beyond that. *ret_why says what became of it, counted for its host. -errno: the database.
 */
int pk_hub_take(struct pk_hub *h, const char *subject, const char *json, size_t len,
		int64_t arrived_ms, enum pk_hub_refusal *ret_why);

/* Removes what is too old or too much; in no transaction. */
int pk_hub_trim(struct pk_hub *h, int64_t now_ms);
