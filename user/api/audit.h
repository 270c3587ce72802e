/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acts that came over the API, for the record: who did what to what, and what became of it. Each is
 * a line of the log and a row of the store, which enters it into the hash chain.
 */
#pragma once

#include <stdbool.h>

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
};

void pk_audit_who(const struct pk_api_request *q, struct pk_audit_who *ret);
void pk_audit_note(struct pk_view *v, const struct pk_audit *a);
