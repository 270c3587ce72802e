/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the process and the socket over which it gets its files. It ends with its pipeline, whose
 * end of their socket closes; the next one begins when it was reaped. The files are opened here,
 * as the broker may, and nothing in them is read.
 */
#include "probe/ward.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "conf/conf.h"
#include "probe/child.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define RESPAWN_S 1
#define WAIT_MS   200

/* What a ward is told from, and how a pipeline learns of it. */
static const struct {
	const char *name;
	enum pk_msg_type begun;
	size_t files[PK_WARD_FILES]; /* in struct pk_conf, in this order; "" ends them */
} wards[PK_WARDS] = {
	[PK_WARD_GATE] = { "gate",
			   PK_MSG_GATE,
			   { offsetof(struct pk_conf, gate_cert),
			     offsetof(struct pk_conf, gate_key), offsetof(struct pk_conf, gate_ca),
			     offsetof(struct pk_conf, gate_crl) } },
	[PK_WARD_PULL] = { "pull",
			   PK_MSG_PULL,
			   { offsetof(struct pk_conf, pull_ca), offsetof(struct pk_conf, pull_cert),
			     offsetof(struct pk_conf, pull_key) } },
};

static void on_respawn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	pk_ward_start(arg);
}

int pk_ward_init(struct pk_ward *w, struct event_base *base)
{
	w->pid = 0;
	w->files = -1;
	w->respawn = evtimer_new(base, on_respawn, w);
	return w->respawn ? 0 : -ENOMEM;
}

static const char *path_of(const struct pk_ward *w, size_t i)
{
	size_t at = i < PK_WARD_FILES ? wards[w->name].files[i] : 0;

	return at ? *(char *const *)((const char *)w->conf + at) : "";
}

/* All or none: a new key does not fit an old certificate. */
static void send_files(struct pk_ward *w)
{
	const struct pk_msg_head m = { PK_MSG_WARD_FILES, sizeof(m) };
	int fd[PK_WARD_FILES], r = 0;
	size_t n = 0;

	for (; !r && *path_of(w, n); n++) {
		/* not blocked by a pipe in its place */
		fd[n] = open(path_of(w, n), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd[n] < 0) {
			r = -errno;
			pk_error("%s: %s: %s; it does without until a reload", wards[w->name].name,
				 path_of(w, n), strerror(-r));
		}
	}
	if (!r)
		(void)pk_chan_send_fds(w->files, &m, fd, n, WAIT_MS); /* else it is about to end */
	while (n)
		pk_closep(&fd[--n]);
}

static void respawn_later(struct pk_ward *w)
{
	struct timeval tv = { .tv_sec = RESPAWN_S };

	(void)evtimer_add(w->respawn, &tv); /* it was added before: has its place */
}

static int spawn(struct pk_ward *w)
{
	const struct pk_msg_head m = { wards[w->name].begun, sizeof(m) };
	int core[2], files[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, core) < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, files) < 0) {
		r = -errno;
		close(core[0]);
		close(core[1]);
		return r;
	}
	r = w->spawn(w->arg, w->conf, core[1], files[1]);
	close(core[1]);
	close(files[1]);
	w->pid = r > 0 ? r : 0;
	w->files = files[0];
	if (r > 0)
		r = pk_child_send_fds(w->pipeline, &m, &core[0], 1, WAIT_MS);
	close(core[0]);
	if (r < 0)
		pk_closep(&w->files);
	return r;
}

void pk_ward_start(struct pk_ward *w)
{
	int r;

	if (!w->spawn || w->pid || !w->respawn)
		return;
	r = spawn(w);
	if (r >= 0) {
		send_files(w);
		return;
	}
	w->files = -1;
	pk_error("the %s can not be started: %s; trying again", wards[w->name].name, strerror(-r));
	if (!w->pid) /* else it ends, as nobody listens, and is reaped */
		respawn_later(w);
}

bool pk_ward_reaped(struct pk_ward *w, pid_t pid, int status)
{
	if (!w->pid || pid != w->pid)
		return false;
	w->pid = 0;
	if (w->files >= 0)
		close(PK_TAKE_FD(w->files));
	if (WIFSIGNALED(status))
		pk_error("the %s was ended by signal %d; starting it again", wards[w->name].name,
			 WTERMSIG(status));
	else
		pk_warn("the %s ended (%d); starting it again", wards[w->name].name,
			WEXITSTATUS(status));
	respawn_later(w);
	return true;
}

void pk_ward_reload(struct pk_ward *w, const struct pk_conf *conf)
{
	w->conf = conf;
	if (w->files >= 0)
		send_files(w);
}

void pk_ward_stop(struct pk_ward *w)
{
	int status;

	if (w->respawn)
		event_free(PK_TAKE(w->respawn));
	if (w->files >= 0)
		close(PK_TAKE_FD(w->files));
	if (w->pid <= 0)
		return;
	kill(w->pid, SIGKILL); /* it has nothing to finish */
	(void)waitpid(w->pid, &status, 0);
	w->pid = 0;
}
