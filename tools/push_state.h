/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered of pushes, in $XDG_STATE_HOME/picket/push or ~/.local/state/picket/push (root:
 * /var/lib/picket/push): the outcome of each host, and the lists that deltas start from.
 */
#pragma once

#include "list_sign.h"

#include <jansson.h>
#include <stdbool.h>

struct pk_buf;
struct pk_hosts;

struct pk_push_state {
	int dir_fd;
	char list[PK_SIGNED_NAME];
	json_t *o;      /* {"version":N,"sha256":"...","hosts":{"web1:7443":"ok"}} */
	bool is_of_now; /* o was of this very version */
};

/* Of the list; what was remembered of another version of it is left behind at the first set. */
int pk_push_state_open(struct pk_push_state *s, const struct pk_statement *of);
void pk_push_state_done(struct pk_push_state *s);
void pk_push_state_set(struct pk_push_state *s, const char *host, const char *outcome);
void pk_push_state_save(struct pk_push_state *s); /* complains by itself */
/* Hosts that have not got this version yet. -ENOENT: nothing is remembered of it; error. */
int pk_push_state_rest(struct pk_push_state *s, struct pk_hosts *h, struct pk_buf *error);
/* Every list that was pushed from here, with what is remembered of its last version: o above. */
void pk_push_state_each(void (*each)(void *arg, const char *list, json_t *state), void *arg);
/* The content with this digest; false: it is not here. */
bool pk_push_state_base(const struct pk_push_state *s, const char *sha256,
			struct pk_list_bytes *ret);
/* Keeps this content for deltas, and of the list at most four. */
void pk_push_state_keep(const struct pk_push_state *s, const struct pk_statement *of,
			const struct pk_list_bytes *b);
