/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent needs to judge signed lists: its keys, its rules, and what it accepted before. */
#pragma once

#include "sign/versions.h"

struct pk_conf;

struct pk_signing {
	const struct pk_conf *conf; /* borrowed */
	struct pk_keys keys;        /* the loop's alone */
	struct pk_versions *versions;
};

/* dir_fd: of versions, borrowed; -1 none. errors: lines about keys that were left out. */
int pk_signing_new(const struct pk_conf *conf, int dir_fd, struct pk_buf *errors,
		   struct pk_signing **ret_signing);
void pk_signing_free(struct pk_signing *s);
/* Reads the keys again; the old ones stay on failure. */
int pk_signing_reload(struct pk_signing *s, struct pk_buf *errors);

/*
 * Everything that can be told without the content: form, signatures, name (list NULL: any), times,
 * versions. e and ret are filled in when it returns PK_SIGNED_OK; e is owned by the caller.
 */
enum pk_refusal pk_signing_open(struct pk_signing *s, const void *envelope, size_t len,
				const char *list, int64_t now_s, struct pk_envelope *ret_envelope,
				struct pk_signed *ret);
