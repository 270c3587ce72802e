/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines to standard output, whole lines at a time. Who reads slowly holds up only this sink.
 */
#include "base/buf.h"
#include "conf/conf.h"
#include "sink/kinds.h"
#include "sink/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 1000

struct out {
	struct pk_buf text;
	size_t at; /* of text: what was written of it */
	uint64_t number;
};

static bool wanted(const struct pk_conf *c)
{
	return c->sink_stdout;
}

static int open_out(const struct pk_sink_env *env, void **ret_state)
{
	(void)env;
	*ret_state = calloc(1, sizeof(struct out));
	return *ret_state ? 0 : -ENOMEM;
}

static void close_out(void *state)
{
	struct out *o = state;

	pk_buf_done(&o->text);
	free(o);
}

/* One record: a line that was begun is ended before another one. */
static int write_line(struct out *o)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	ssize_t n;

	while (o->at < o->text.len) {
		if (poll(&p, 1, WAIT_MS) == 0)
			return -EAGAIN;
		n = write(STDOUT_FILENO, o->text.data + o->at, o->text.len - o->at);
		if (n < 0)
			return -errno;
		o->at += (size_t)n;
	}
	return 0;
}

static int send_lines(void *state, const struct pk_sink_record *rec, size_t n, size_t *ret_done,
		      char *why)
{
	struct out *o = state;
	int r;

	for (size_t i = 0; i < n; i++) {
		if (o->number != rec[i].number) {
			pk_sink_lines(&o->text, &rec[i], 1);
			o->at = 0;
			o->number = rec[i].number;
		}
		r = o->text.error ? o->text.error : write_line(o);
		if (r < 0) {
			snprintf(why, PK_SINK_WHY, "standard output: %s", strerror(-r));
			return r;
		}
		*ret_done = i + 1;
	}
	return 0;
}

const struct pk_sink_kind pk_sink_stdout = {
	.name = "stdout", .wanted = wanted, .open = open_out, .send = send_lines, .close = close_out
};
