/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acts that came over the API, for the record: who did what to what, and what became of it. Each is
 * a line of the log and a row of the store, which enters it into the hash chain.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_api_request;
struct pk_view;

/* Who asks, taken while the request is there: it may be answered before the act is over. */
struct pk_audit_who {
	char name[320];       /* a certificate's subject and role, or the user of the unix socket */
	char fingerprint[65]; /* of the certificate, hex; "": the unix socket */
};

struct pk_audit {
	const struct pk_audit_who *who;
	const char *act;    /* "list push" */
	const char *object; /* "drop version 7, keys 0123456789abcdef" */
	bool done;          /* false: refused, nothing has changed */
	const char *code;   /* of the refusal, or "ok" */
	const char *detail; /* NULL none */
	const char *why;    /* as whoever asks says; NULL: he does not */
	/* All that it was done to, where object names a part; NULL: object is all. */
	const char *const *resource;
	size_t resources;
};

void pk_audit_who(const struct pk_api_request *q, struct pk_audit_who *ret);
/* Writes it down. ret_ticket (may be NULL) as of pk_store_put(). -errno: it is only in the log. */
int pk_audit_note(struct pk_view *v, const struct pk_audit *a, uint64_t *ret_ticket);
