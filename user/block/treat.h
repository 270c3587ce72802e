/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a list is to be read and treated, as options by name say it: the parameters of a request, or
 * what was signed with the list.
 */
#pragma once

#include "block/change.h"

struct pk_list_treat {
	struct pk_list_opts opts; /* now_ms, max_bytes and max_entries are the caller's */
	struct pk_block_ask ask;  /* list, source, who and confirm_ms are the caller's */
	uint64_t ttl_s;
	bool sni_only, refuse;
};

/* The names that pk_list_treat_set() knows, with blanks between. */
#define PK_LIST_TREATS                                                                             \
	"format column kind mode skip_bad wide force_cover ttl dir proto port sni_only "           \
	"refuse_query"

void pk_list_treat_init(struct pk_list_treat *t);
/* NULL, or what is wrong. The value is borrowed as long as t is used. */
const char *pk_list_treat_set(struct pk_list_treat *t, const char *name, const char *value);
/* After the last one, with opts.now_ms: the same. */
const char *pk_list_treat_end(struct pk_list_treat *t);

/* "enforce", "observe", "off". -EINVAL. */
int pk_list_mode_parse(const char *s, int *ret_mode);
const char *pk_list_mode_name(enum pk_blk_mode mode);
