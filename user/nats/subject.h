/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subjects of the fleet's message bus: "picket.TENANT.HOST.WHAT". A server's permissions are given
 * by subject, so a host's part of it is who it is.
 */
#pragma once

#include <stddef.h>

#define PK_NATS_TOKEN_MAX   256                         /* of a tenant or host, with NUL */
#define PK_NATS_SUBJECT_MAX (2 * 3 * PK_NATS_TOKEN_MAX) /* each byte may become three */

/* One part of a subject: what is not a letter, digit, - or _ becomes %XX. -ENAMETOOLONG, -EINVAL
 * (""). */
int pk_nats_token(const char *text, char *ret_token, size_t size);
/* -ENAMETOOLONG, -EINVAL: a tenant or host of no or too many bytes. */
int pk_nats_subject(const char *tenant, const char *host, const char *what,
		    char ret_subject[PK_NATS_SUBJECT_MAX]);
/* Back: whose "picket.TENANT.HOST.WHAT" is that? -EINVAL: it is not of this form. */
int pk_nats_subject_read(const char *subject, const char *what, char ret_tenant[PK_NATS_TOKEN_MAX],
			 char ret_host[PK_NATS_TOKEN_MAX]);
