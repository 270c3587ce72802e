/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of one flow, process or list, told in words: lines of text, escaped. */
#pragma once

#include <jansson.h>

struct pk_buf;

/* What the daemon answered; any may be NULL. */
struct pk_top_story {
	json_t *row;     /* of the list */
	json_t *flow;    /* OCSF 4001 */
	json_t *process; /* of /v1/processes/UID */
	json_t *usual;   /* of /v1/flows/ID/usual */
	json_t *list;    /* of /v1/lists/NAME */
	double now;      /* ms */
};

void pk_top_story_flow(struct pk_buf *out, const struct pk_top_story *s);
void pk_top_story_process(struct pk_buf *out, const struct pk_top_story *s);
void pk_top_story_list(struct pk_buf *out, const struct pk_top_story *s);
/* A name, remote, container, application or port: its flows, of the snapshot's list. */
void pk_top_story_row(struct pk_buf *out, const struct pk_top_story *s, const char *title,
		      json_t *flows);
