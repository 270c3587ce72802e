/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a directory of its own, and rows to put into it. */
#pragma once

#include "store/query.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	char path[64];
	int fd;
};

static inline void place_make(struct place *p)
{
	strcpy(p->path, "/tmp/picket-store-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->fd >= 0);
}

static inline void place_done(struct place *p)
{
	char command[96];

	close(p->fd);
	snprintf(command, sizeof(command), "rm -rf %s", p->path);
	assert_int_equal(system(command), 0);
}

static inline const char *place_file(const struct place *p, const char *name, char out[160])
{
	snprintf(out, 160, "%s/%s", p->path, name);
	return out;
}

static inline struct pk_store *store_open(const struct place *p)
{
	struct pk_store_opts o = { .dir_fd = p->fd,
				   .checkpoints_fd = -1,
				   .queue_bytes = 1 << 20,
				   .checkpoint_ns = 60000000000ull };
	struct pk_store *s;

	assert_int_equal(pk_store_new(&o, &s), 0);
	return s;
}

/* Until the ticket is done, for ten seconds at most. */
static inline bool store_wait(const struct pk_store *s, uint64_t ticket)
{
	for (int ms = 0; pk_store_done(s) < ticket; ms++) {
		if (ms == 10000)
			return false;
		usleep(1000);
	}
	return true;
}

/* Alert number n, of version v; returns its ticket. */
static inline uint64_t put_alert(struct pk_store *s, unsigned n, unsigned v)
{
	char uid[32], json[128];
	uint8_t remote[16] = { [15] = (uint8_t)n };
	struct pk_store_row row = { .kind = PK_STORE_ALERT,
				    .time_ns = 1000000000ull * n,
				    .uid = uid,
				    .incident_uid = n % 2 ? "odd" : NULL,
				    .technique = "T1046",
				    .severity = (uint8_t)(n % 6),
				    .remote = remote,
				    .pid = n,
				    .json = json };
	uint64_t ticket = 0;

	snprintf(uid, sizeof(uid), "a-%u", n);
	snprintf(json, sizeof(json), "{\"n\":%u,\"v\":%u}", n, v);
	row.len = strlen(json);
	while (pk_store_put(s, &row, &ticket) < 0)
		usleep(1000);
	return ticket;
}
