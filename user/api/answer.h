/* SPDX-License-Identifier: Apache-2.0 */
/* Answers about block lists: what they are made of, and what became of a change. */
#pragma once

#include "block/change.h"
#include "block/show.h"

struct pk_api_request;

/* NULL: there are no block lists here, or not yet; a problem was answered. */
struct pk_block *pk_answer_block(struct pk_api_request *q);

/* Is the list being replaced at this moment, so that a change can wait for it? */
bool pk_answer_is_loading(struct pk_block *b, const char *list);

/* Members of the object that is open. */
void pk_answer_row(struct pk_json *j, const struct pk_block_row *row);
void pk_answer_who(struct pk_json *j, const struct pk_block_proc *p); /* "who": the process */
void pk_answer_how(struct pk_json *j, uint8_t how); /* "how": what is done about a name */
void pk_answer_info(struct pk_json *j, const struct pk_api_request *q,
		    const struct pk_block_info *info);
void pk_answer_safe(struct pk_json *j, const char *key, uint32_t kinds); /* an array of words */

/* The status for what pk_block_done.result says. */
int pk_answer_status(int result);
/* A change that failed, with what is bad and what is refused. */
int pk_answer_failed(struct pk_api_request *q, const struct pk_block_done *d);
/* Members "refused_total" and "refused". */
void pk_answer_refused(struct pk_json *j, const struct pk_block_done *d);
/* Counts and complaints of what was read: members "read" and "bad". */
void pk_answer_read(struct pk_json *j, const struct pk_list_data *data);
