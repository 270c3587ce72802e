/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists that come as the body of a request. They are read (unpacked, parsed, sorted) by threads of
 * their own, so that the loop goes on meanwhile; everything else happens in the loop.
 */
#pragma once

#include "api/audit.h"
#include "api/server.h"
#include "api/work.h"
#include "block/treat.h"
#include "sign/envelope.h"

struct pk_upload;
struct pk_uploads;

#define PK_UPLOADS_MAX 4 /* at once */

struct pk_upload {
	struct pk_work work;
	struct pk_api_later *later; /* to be answered */
	struct pk_list_opts opts;
	struct pk_block_ask ask;
	uint64_t against_s; /* 0: not told */
	bool is_signed;     /* statement and keys are in opened */
	struct pk_signed opened;
	struct pk_audit_who asker;
	/* once it was read */
	struct pk_list_data data;
	int result;              /* of pk_list_read() */
	enum pk_refusal refusal; /* of what was signed; then result counts for nothing */
	uint64_t read_ns;
	unsigned tries; /* of who waits with it */
	/* the rest is upload.c's */
	struct pk_uploads *all;
	struct pk_upload *next;
	struct evbuffer *body;
	struct pk_envelope envelope;
	uint8_t base[32]; /* digest of what the body is a delta from; has_base */
	bool has_base, changes;
	struct pk_versions *versions;
	void (*done)(struct pk_upload *u);
	char *column, *list, *source, *who;
};

struct pk_uploads *pk_uploads_new(struct event_base *base);
/* Waits for what is being read. Uploads that others still hold are freed: call it before what they
 * hand their answers to. */
void pk_uploads_free(struct pk_uploads *s);

/* The parameters that pk_upload_start() knows, for the table of routes. */
#define PK_UPLOAD_PARAMS PK_LIST_TREATS " confirm source signed base"

/*
 * Takes the body and the parameters; done is called in the loop when the list was read, and frees
 * the upload in the end. Wrong parameters were answered when this returns, and so were signatures.
 * changes: it is to be put in force, so what is signed is accepted for good before done is called,
 * and what is not signed must be allowed to come this way.
 */
int pk_upload_start(struct pk_api_request *q, bool changes, void (*done)(struct pk_upload *u));
void pk_upload_free(struct pk_upload *u);
/* Members of the open object: what the list that was read would have cut. list_test.c; -ENOMEM. */
int pk_list_test_write(struct pk_json *j, struct pk_upload *u);
/* Could the list be read, and is it what was signed? If not, a problem was answered. */
bool pk_upload_was_read(struct pk_upload *u);
