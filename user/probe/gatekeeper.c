/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the gate's process and the socket over which it gets its files. A gate ends with its
 * pipeline, whose end of their socket closes; the next one begins when it was reaped. It opens the
 * files, as it may, and reads nothing in them.
 */
#include "probe/gatekeeper.h"

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

enum { FILES = 4, CRL = 3 };

static void on_respawn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	pk_gatekeeper_start(arg);
}

int pk_gatekeeper_init(struct pk_gatekeeper *g, struct event_base *base)
{
	g->pid = 0;
	g->files = -1;
	g->respawn = evtimer_new(base, on_respawn, g);
	return g->respawn ? 0 : -ENOMEM;
}

/* All or none: a new key does not fit an old certificate. */
static void send_files(struct pk_gatekeeper *g)
{
	const char *const path[FILES] = { g->conf->gate_cert, g->conf->gate_key, g->conf->gate_ca,
					  g->conf->gate_crl };
	const struct pk_msg_head m = { PK_MSG_GATE_FILES, sizeof(m) };
	int fd[FILES] = { -1, -1, -1, -1 }, r = 0;
	int n = *g->conf->gate_crl ? FILES : CRL;

	for (int i = 0; !r && i < n; i++) {
		/* not blocked by a pipe in its place */
		fd[i] = open(path[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd[i] < 0) {
			r = -errno;
			pk_error("gate: %s: %s; nobody is let in by it until a reload", path[i],
				 strerror(-r));
		}
	}
	if (!r)
		r = pk_chan_send_fds(g->files, &m, fd, (size_t)n, WAIT_MS);
	for (int i = 0; i < FILES; i++)
		pk_closep(&fd[i]);
}

static void respawn_later(struct pk_gatekeeper *g)
{
	struct timeval tv = { .tv_sec = RESPAWN_S };

	(void)evtimer_add(g->respawn, &tv); /* it was added before: has its place */
}

static int spawn(struct pk_gatekeeper *g)
{
	const struct pk_msg_head m = { PK_MSG_GATE, sizeof(m) };
	int core[2], files[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, core) < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, files) < 0) {
		r = -errno;
		close(core[0]);
		close(core[1]);
		return r;
	}
	r = g->spawn(g->arg, g->conf, core[1], files[1]);
	close(core[1]);
	close(files[1]);
	g->pid = r > 0 ? r : 0;
	g->files = files[0];
	if (r > 0)
		r = pk_child_send_fds(g->pipeline, &m, &core[0], 1, WAIT_MS);
	close(core[0]);
	if (r < 0)
		pk_closep(&g->files);
	return r;
}

void pk_gatekeeper_start(struct pk_gatekeeper *g)
{
	int r;

	if (!g->spawn || g->pid || !g->respawn)
		return;
	r = spawn(g);
	if (r >= 0) {
		send_files(g);
		return;
	}
	g->files = -1;
	pk_error("the gate can not be started: %s; trying again", strerror(-r));
	if (!g->pid) /* else it ends, as nobody listens, and is reaped */
		respawn_later(g);
}

bool pk_gatekeeper_reaped(struct pk_gatekeeper *g, pid_t pid, int status)
{
	if (!g->pid || pid != g->pid)
		return false;
	g->pid = 0;
	if (g->files >= 0)
		close(PK_TAKE_FD(g->files));
	if (WIFSIGNALED(status))
		pk_error("the gate was ended by signal %d; starting it again", WTERMSIG(status));
	else
		pk_warn("the gate ended (%d); starting it again", WEXITSTATUS(status));
	respawn_later(g);
	return true;
}

void pk_gatekeeper_reload(struct pk_gatekeeper *g, const struct pk_conf *conf)
{
	g->conf = conf;
	if (g->files >= 0)
		send_files(g);
}

void pk_gatekeeper_stop(struct pk_gatekeeper *g)
{
	int status;

	if (g->respawn)
		event_free(PK_TAKE(g->respawn));
	if (g->files >= 0)
		close(PK_TAKE_FD(g->files));
	if (g->pid <= 0)
		return;
	kill(g->pid, SIGKILL); /* it has nothing to finish */
	(void)waitpid(g->pid, &status, 0);
	g->pid = 0;
}
