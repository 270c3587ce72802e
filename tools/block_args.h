/* SPDX-License-Identifier: Apache-2.0 */
/* The words of `picket block` and `picket unblock` as the body of a request. */
#pragma once

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct pk_buf;

/* "90", "90s", "30m", "1h", "7d", "2w" to seconds, at least one. -EINVAL. */
int pk_args_seconds(const char *s, uint64_t *ret_s);

struct pk_block_args {
	json_t *body; /* of the request */
	bool help, json, csv;
};
extern const struct option pk_block_options[];
extern const struct option pk_unblock_options[];

/* 0, or -EINVAL with the complaint in error ("" when getopt has complained). The body is the
 * caller's in every case. */
int pk_block_args(int argc, char **argv, bool unblock, struct pk_block_args *ret,
		  struct pk_buf *error);
