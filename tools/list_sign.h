/* SPDX-License-Identifier: Apache-2.0 */
/* A list and its envelope as files. Complaints go to standard error. */
#pragma once

#include "sign/envelope.h"

#define PK_LIST_SIGNATURE ".dsse" /* behind the file's name */

struct pk_list_bytes {
	const char *bytes;
	size_t len;
};

/* 0, or 1 after a complaint. The bytes are mapped. */
int pk_list_map(const char *file, struct pk_list_bytes *ret);
void pk_list_unmap(struct pk_list_bytes *b);
int pk_list_read_envelope(const char *file, struct pk_envelope *ret);
char *pk_list_signature_path(const char *file); /* malloc'd; NULL: no memory */
