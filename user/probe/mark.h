/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker's side of marks on flows: the pipeline says which flow is to be recorded or cut, and
 * this checks that it may. A flow whose remote end is safe for good is never cut.
 */
#pragma once

#include "probe/msg.h"

#include <stdint.h>

struct pk_object;

#define PK_MARKS_A_SECOND 20000

struct pk_marks {
	const struct pk_object *obj; /* borrowed, as knobs; the caller's to set */
	struct pk_knobs *knobs;      /* in force; its mark is written here */
	/* The file's own. */
	uint64_t second;
	uint32_t done;
	uint64_t refused; /* beyond the rate */
};

/*
 * 0: done, also where the flow is over. -EINVAL: it asks for what nobody may; -EPERM: the remote
 * end is not to be cut off; -EAGAIN: too many in this second. now_ns is boottime.
 */
int pk_marks_apply(struct pk_marks *m, const struct pk_msg_mark *msg, uint64_t now_ns);

/* Nobody records any more: of all flows, and of those to come. */
int pk_marks_reset(struct pk_marks *m);
