/* SPDX-License-Identifier: Apache-2.0 */
/* A directory for a test, and records to put there. */
#pragma once

#include "sink/kind.h"

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
	strcpy(p->path, "/tmp/picket-sink-XXXXXX");
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

/* What a shell says in that place; the output's first line as a number. */
static inline long place_ask(const struct place *p, const char *what)
{
	char command[512], line[64] = "";
	FILE *f;

	snprintf(command, sizeof(command), "cd %s && %s", p->path, what);
	f = popen(command, "r");
	assert_non_null(f);
	(void)!fgets(line, sizeof(line), f);
	pclose(f);
	return atol(line);
}

/* Record n; its text has so many bytes, or a few more. */
static inline struct pk_sink_record record(unsigned n, size_t bytes, char text[], char uid[16])
{
	size_t len = (size_t)sprintf(text, "{\"n\":%u,\"x\":\"", n);

	while (len < bytes)
		text[len++] = (char)('a' + n % 26);
	len += (size_t)sprintf(text + len, "\"}");
	sprintf(uid, "u-%u", n);
	return (struct pk_sink_record){
		.time_ns = n, .severity = (uint8_t)(1 + n % 5), .uid = uid, .json = text, .len = len
	};
}
