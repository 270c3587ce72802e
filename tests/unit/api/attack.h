/* SPDX-License-Identifier: Apache-2.0 */
/* Something for the detectors, as the kernel would report it. */
#pragma once

#include "base/clock.h"
#include "pipeline.h"

#include <picket/event.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A program called x runs from this file; flags: PK_EXEC_*. Alerts are one for each file. */
static inline void feed_exec_of(struct pk_pipeline *p, uint32_t pid, uint32_t flags,
				const char *file)
{
	static struct pk_exec e;
	char path[64] = "x";
	size_t len = 2 + (size_t)snprintf(path + 2, sizeof(path) - 2, "%s", file) + 1;

	e = (struct pk_exec){
		.hdr = { .ts = pk_clock_boot_ns(), .size = sizeof(e), .type = PK_EV_EXEC },
		.exec_flags = flags
	};
	e.task.id = (struct pk_proc_id){ .tgid = pid, .start_ns = pid };
	e.task.tid = pid;
	e.parent = (struct pk_proc_id){ .tgid = 1, .start_ns = 1 };
	e.loginuid = e.sessionid = UINT32_MAX;
	memcpy(e.path, path, len);
	e.path_len = (uint32_t)len;
	strcpy(e.argv, "x");
	e.argv_len = e.argv_total = 2;
	assert_int_equal(pk_pipeline_feed(p, &e, sizeof(e)), 0);
}

static inline void feed_exec(struct pk_pipeline *p, uint32_t pid, uint32_t flags)
{
	feed_exec_of(p, pid, flags, "memfd:");
}
