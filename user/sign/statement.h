/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is signed about a list: one JSON object of fixed members, without the list itself. It also
 * says how the list is to be read and treated, so that who carries it can't change its meaning.
 */
#pragma once

#include "sign/refusal.h"

#include <stddef.h>
#include <stdint.h>

struct pk_buf;

#define PK_STATEMENT_SCHEMA 1
#define PK_STATEMENT_MAX    16384 /* bytes */
#define PK_SIGNED_NAME      64
#define PK_SIGNED_OPTIONS   16
#define PK_SIGNED_VALUE     256

/* Named and spelt like the parameters of PUT /v1/lists/NAME. */
struct pk_signed_option {
	char name[24];
	char value[PK_SIGNED_VALUE];
};

struct pk_statement {
	char list[PK_SIGNED_NAME];    /* 1 to 63 of A-Z a-z 0-9 . _ -, not beginning with a dot */
	uint64_t version;             /* 1 to 2^53 - 1; only ever up */
	int64_t created_s, expires_s; /* since 1970; expires after created */
	uint64_t count;               /* of entries and names as pk_list_read() gives them */
	uint64_t size;                /* bytes of the content */
	uint8_t sha256[32];           /* of the content, as it comes (maybe compressed) */
	struct pk_signed_option option[PK_SIGNED_OPTIONS];
	size_t options;
};

/* Appends the text: members sorted by name, no blanks. -EINVAL: it would not be read back. */
int pk_statement_write(const struct pk_statement *s, struct pk_buf *out);
/* Only what is exactly such an object: PK_REFUSED_MALFORMED, _OPTION, _TOO_LARGE. */
enum pk_refusal pk_statement_read(const void *text, size_t len, struct pk_statement *ret);

/* NULL: it does not say. */
const char *pk_statement_option(const struct pk_statement *s, const char *name);
/* -EINVAL: no such option, or a value that can not be; -E2BIG. */
int pk_statement_set_option(struct pk_statement *s, const char *name, const char *value);
/* Fills size and sha256. */
void pk_statement_set_content(struct pk_statement *s, const void *content, size_t len);
/* Is this the content? PK_REFUSED_DIGEST. */
enum pk_refusal pk_statement_fits(const struct pk_statement *s, const void *content, size_t len);
