/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a list: "picket-list 1", a head in JSON, an entry a line, "#sha256 HEX" of it all. */
#pragma once

#include "block/lists.h"

struct json_t;
struct pk_json;
struct pk_who_rule;

struct pk_saved {
	char name[PK_LIST_NAME];
	bool allow;
	enum pk_blk_mode mode;
	int64_t created_ms, changed_ms;
	uint64_t serial; /* of the last change that is in it, all lists counted; 0 not known */
	char *source, *who;
	uint8_t force[PK_LIST_FORCE][16];
	size_t n_force;
	struct pk_list_data data;
	struct json_t *processes; /* array, may be NULL */
};

/* -EBADMSG: *ret_why says what is wrong with it (a constant). */
int pk_saved_read(const char *name, const void *bytes, size_t len, struct pk_saved **ret,
		  const char **ret_why);
void pk_saved_free(struct pk_saved *s);
void pk_saved_write_process(struct pk_json *j, const struct pk_who_rule *w);
/* Rules about processes come back into the list. */
void pk_saved_restore_processes(struct pk_block *b, struct pk_block_list *l,
				const struct pk_saved *s);
