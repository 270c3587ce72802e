/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's counters and aggregates, read through the broker's descriptors into the view. */
#pragma once

#include "probe/msg.h"

#include <stdbool.h>
#include <stdint.h>

struct pk_view;

struct pk_kernel {
	int fd[PK_FD_MAX];   /* -1 until the broker sent them */
	unsigned cpus;       /* possible ones */
	uint64_t aggregated; /* packets, at the last look */
	bool settled;        /* nothing new at the last look */
};

/* Reads all counters, and the aggregates if there are new ones. view->now_ns is the time. */
void pk_kernel_read(struct pk_kernel *k, struct pk_view *view);
