/* SPDX-License-Identifier: Apache-2.0 */
/* What comes with its signature: answers for what is refused, and its line in the record. */
#pragma once

#include "sign/envelope.h"

#include <stdbool.h>

struct pk_api_request;
struct pk_audit_who;
struct pk_json;
struct pk_view;

/* The status of HTTP for it. */
int pk_signed_status(enum pk_refusal r);
/* A problem with the member "code". detail NULL: the refusal's own words. Always 0. */
int pk_signed_refuse(struct pk_api_request *q, enum pk_refusal r, const char *detail);
/* Into the record: the push of this list (s NULL: unsigned, or it could not be opened). With
 * PK_SIGNED_OK detail says why it was not put in force all the same; NULL: it was. */
void pk_signed_note(struct pk_view *v, const struct pk_audit_who *who, const char *list,
		    const struct pk_signed *s, enum pk_refusal r, const char *detail);
/*
 * A list that was signed is not to be changed over the network but by signed versions of it, unless
 * an admin asks or sign.require is off. True: it was answered.
 */
bool pk_signed_guards(struct pk_api_request *q, const char *list);
/* What is in force is not what was signed any more. */
void pk_signed_left(struct pk_view *v, const char *list);
/* Member "signed" of the open object: what was accepted of this list last; nothing if nothing. */
void pk_signed_write(struct pk_json *j, struct pk_view *v, const char *list);
