/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the unprivileged process may write: directories and files that the privileged one makes and
 * opens before it gives up its rights, and hands over as descriptors. Nothing else is its own.
 */
#pragma once

#include <sys/types.h>

struct pk_conf;

struct pk_places {
	int store;       /* directory of the store, 0700 of that user; -1: none */
	int spool;       /* directory of what waits for sinks, 0700 of that user; -1: none */
	int accepted;    /* directory of which signed lists were accepted, the same; -1: none */
	int learned;     /* directory of what detectors learned, the same; -1: none */
	int sink_file;   /* directory of sink.file; -1: none */
	int checkpoints; /* store.checkpoints, to append; -1: a file in the store's directory */
};

#define PK_PLACES_NONE                                                                             \
	((struct pk_places){ .store = -1,                                                          \
			     .spool = -1,                                                          \
			     .accepted = -1,                                                       \
			     .learned = -1,                                                        \
			     .sink_file = -1,                                                      \
			     .checkpoints = -1 })

/* What can not be made or opened is told and left out: watching goes on without it. */
void pk_places_open(const struct pk_conf *conf, uid_t uid, gid_t gid, struct pk_places *ret_places);
void pk_places_close(struct pk_places *p);
