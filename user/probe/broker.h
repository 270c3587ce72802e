/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged process: loads and attaches, follows links and namespaces, sweeps the flow table,
 * and serves one pipeline at a time, which it starts again when it dies.
 */
#pragma once

#include "probe/ward.h"

#include <sys/types.h>

struct pk_conf;

struct pk_broker_opts {
	struct pk_conf *conf;  /* taken: a reload replaces it */
	const char *conf_file; /* read again on SIGHUP; NULL: the default place */
	const char *log_level; /* of the command line: wins over the file; NULL: none */
	/* Starts a pipeline on the other end of the pair, returns its pid or -errno. The broker's
	 * descriptors are close-on-exec only: the child closes what it does not want. */
	pid_t (*spawn)(void *arg, const struct pk_conf *conf, int fd);
	/* The same for each ward; NULL: there is none. */
	pk_ward_spawn spawn_ward[PK_WARDS];
	void *arg;
};

/*
 * Runs until SIGTERM or SIGINT (0) or until it can not go on (-errno). The caller blocks these
 * signals and SIGHUP before it makes anything that must be taken away; here they are let in.
 */
int pk_broker_run(const struct pk_broker_opts *opts);
