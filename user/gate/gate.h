/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process between the network and the core: TLS, HTTP, roles, limits. It has no rights of its
 * own; what it lets through is said to the core in messages (msg.h).
 */
#pragma once

struct pk_conf;

struct pk_gate_opts {
	const struct pk_conf *conf;
	int listen_fd; /* bound TCP socket; listens once there is a certificate */
	int core_fd;   /* stream socket to the core */
	int files_fd;  /* packet socket: PK_MSG_WARD_FILES, at first and at each reload */
};

/* A bound socket for "ADDRESS:PORT". -EINVAL: it is none; else of the socket. */
int pk_gate_listen(const char *address, int *ret_fd);

/* Gives up what rights are left (gate/sandbox.h) and runs until the core or the broker goes (0).
 * User and capabilities are the caller's to drop. */
int pk_gate_run(const struct pk_gate_opts *o);
