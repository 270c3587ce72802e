/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the socket and the process; what is said over it is the broker's. */
#include "probe/child.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define RESPAWN_MAX_S 30
#define HEALTHY_NS    (60ULL * 1000000000) /* one that lived that long was no failure */

static void drop(struct pk_child *c)
{
	if (c->chan)
		event_free(PK_TAKE(c->chan));
	if (c->fd >= 0)
		close(PK_TAKE_FD(c->fd));
}

static void on_chan(evutil_socket_t fd, short what, void *arg)
{
	struct pk_child *c = arg;
	union pk_msg msg;
	int fds[PK_FD_MAX], r;

	(void)what;
	while ((r = pk_chan_recv((int)fd, &msg, fds)) > 0 || r == -EBADMSG) {
		/* Only what is to be written brings one from there. */
		if (r > 0 && (fds[0] < 0 || msg.head.type == PK_MSG_SAVE ||
			      msg.head.type == PK_MSG_EVIDENCE))
			c->message(c->arg, &msg, &fds[0]);
		else
			pk_warn("the pipeline sent a message that is not valid, ignored");
		for (int i = 0; i < PK_FD_MAX; i++)
			pk_closep(&fds[i]);
	}
	if (r != -EAGAIN)
		drop(c); /* it ended: SIGCHLD follows */
}

static void respawn_later(struct pk_child *c)
{
	struct timeval tv = {};

	if (pk_clock_boot_ns() - c->born_ns > HEALTHY_NS)
		c->fails = 0;
	tv.tv_sec = c->fails < 5 ? 1 << c->fails : RESPAWN_MAX_S;
	c->fails++;
	pk_error("the pipeline ended; hooks stay, starting it again in %ld s", (long)tv.tv_sec);
	evtimer_add(c->respawn, &tv);
}

void pk_child_start(struct pk_child *c)
{
	int pair[2], r, size = 4 << 20;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		pk_error("socketpair: %m");
		respawn_later(c);
		return;
	}
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	c->born_ns = pk_clock_boot_ns();
	c->pid = c->spawn(c->arg, pair[1]);
	close(pair[1]);
	c->fd = pair[0];
	if (c->pid < 0) {
		pk_error("the pipeline can not be started: %s", strerror(-c->pid));
		c->pid = 0;
		drop(c);
		respawn_later(c);
		return;
	}
	c->chan = event_new(c->base, c->fd, EV_READ | EV_PERSIST, on_chan, c);
	if (c->chan)
		event_add(c->chan, NULL);
	r = c->greet(c->arg);
	if (r < 0)
		pk_error("the pipeline can not be told what there is: %s", strerror(-r));
}

static void on_respawn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	pk_child_start(arg);
}

int pk_child_init(struct pk_child *c, struct event_base *base)
{
	c->base = base;
	c->pid = 0;
	c->fd = -1;
	c->respawn = evtimer_new(base, on_respawn, c);
	return c->respawn ? 0 : -ENOMEM;
}

void pk_child_reap(struct pk_child *c, bool again)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != c->pid) {
			if (c->other)
				c->other(c->arg, pid, status);
			continue;
		}
		c->pid = 0;
		drop(c);
		if (WIFSIGNALED(status))
			pk_error("the pipeline was ended by signal %d", WTERMSIG(status));
		if (again)
			respawn_later(c);
	}
}

int pk_child_send(const struct pk_child *c, const struct pk_msg_head *msg, int wait_ms)
{
	return c->fd < 0 ? -EPIPE : pk_chan_send(c->fd, msg, wait_ms);
}

int pk_child_send_fds(const struct pk_child *c, const struct pk_msg_head *msg, const int *fds,
		      size_t n, int wait_ms)
{
	return c->fd < 0 ? -EPIPE : pk_chan_send_fds(c->fd, msg, fds, n, wait_ms);
}

void pk_child_stop(struct pk_child *c)
{
	int status;

	drop(c);
	if (c->respawn)
		event_free(PK_TAKE(c->respawn));
	for (int i = 0; c->pid > 0 && i < 300; i++) {
		pid_t pid = waitpid(c->pid, &status, WNOHANG);

		if (pid == c->pid || (pid < 0 && errno == ECHILD))
			return;
		usleep(10000);
	}
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		(void)waitpid(c->pid, &status, 0);
	}
}
