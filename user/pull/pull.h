/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that fetches signed lists from servers that know nothing of this host. It judges
 * none: what came it offers to the core, as a push does. It has no rights of its own.
 */
#pragma once

struct pk_conf;

struct pk_pull_opts {
	const struct pk_conf *conf;
	int core_fd;  /* stream socket to the core */
	int files_fd; /* packet socket: PK_MSG_WARD_FILES, at first and at each reload */
};

/* Gives up what rights are left (pull/sandbox.h) and runs until the core or the broker goes (0).
 * User and capabilities are the caller's to drop. */
int pk_pull_run(const struct pk_pull_opts *o);
