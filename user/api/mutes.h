/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what is asked for about suppressions; apart from the answers to be tested alone. */
#pragma once

#include "mute/mute.h"

#include <stdint.h>

struct pk_buf;
struct pk_conf;

struct pk_mute_ask {
	struct pk_mute mute; /* of a new one; also the owner, "" when nothing was said */
	uint64_t ttl_ns;     /* 0: nothing was said */
	char reason[PK_MUTE_TEXT];
	bool wide;
};

/* What members there may be. */
enum pk_mute_asked { PK_MUTE_ASK_NEW, PK_MUTE_ASK_EXTEND, PK_MUTE_ASK_REMOVE };

/* A body as text. -EINVAL: what is wrong is in error. */
int pk_mute_ask_read(enum pk_mute_asked what, const struct pk_conf *conf, const char *bytes,
		     size_t len, struct pk_mute_ask *ret, struct pk_buf *error);
