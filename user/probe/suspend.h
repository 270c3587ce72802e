/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops a process and lets it go on, for the pipeline, which may not. What it says is checked here
 * again: it reads what attackers write.
 */
#pragma once

#include "probe/msg.h"

#include <stdint.h>
#include <sys/types.h>

#define PK_SUSPENDS_A_MINUTE 60

struct pk_suspend {
	pid_t pipeline; /* never stopped, as this process; the caller's to set */
	/* The file's own. */
	uint64_t minute;
	uint32_t done;
};

/*
 * 0: the signal was sent. -ESRCH: that process is over, or its number is another's now; -EPERM: it
 * is never stopped (init, kernel threads, ourselves, what people log in by); -EAGAIN: too many in
 * this minute. now_ns is boottime.
 */
int pk_suspend_apply(struct pk_suspend *s, const struct pk_msg_signal *msg, uint64_t now_ns);

/* What /proc/PID/stat says; for evidence, too. -ESRCH: not that process. */
int pk_suspend_is_same(uint32_t tgid, uint64_t start_ns, unsigned long *ret_flags);
