/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of JSON formats share. Only files of this room include it. */
#pragma once

#include "block/reader.h"

#include <jansson.h>

struct pk_document {
	struct pk_reader *r;
	struct pk_piece bytes;
	const json_t *root;
};

/* A member's text, NULL: there is none. */
const char *pk_member_text(const json_t *obj, const char *key);
/* Complaints from number `since` on are about the line where this text, quoted, is first found.
 * The search goes through all bytes: it is done for complaints that are kept, and no others. */
void pk_document_place(struct pk_document *d, size_t since, const char *text);

/* Everything of one kind of document to d->r. */
void pk_list_read_stix(struct pk_document *d);
void pk_list_read_misp(struct pk_document *d);
void pk_list_read_warnings(struct pk_document *d);

bool pk_stix_is(const json_t *root);
bool pk_misp_is(const json_t *root);
bool pk_warnings_is(const json_t *root);
