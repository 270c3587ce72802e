/* SPDX-License-Identifier: Apache-2.0 */
/* Owns threads, and the pipe on which they say that they are done. */
#include "api/work.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct pk_works {
	int pipe[2];
	struct event *ev;
	struct pk_work *first;
	unsigned n, max;
};

static void *run(void *arg)
{
	struct pk_work *w = arg;

	w->run(w);
	/* less than PIPE_BUF: whole or not at all, and there is room for all there can be */
	while (write(w->all->pipe[1], &w, sizeof(w)) < 0)
		usleep(10000);
	return NULL;
}

static void join(struct pk_work *w)
{
	struct pk_work **p = &w->all->first;

	(void)pthread_join(w->thread, NULL); /* it ends right after it told */
	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	w->all->n--;
}

static void on_told(evutil_socket_t fd, short what, void *arg)
{
	struct pk_work *w;

	(void)what;
	(void)arg; /* w->all */
	while (read(fd, &w, sizeof(w)) == sizeof(w)) {
		join(w);
		w->done(w);
	}
}

struct pk_works *pk_works_new(struct event_base *base, unsigned max)
{
	struct pk_works *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->max = max;
	if (pipe2(s->pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
		free(s);
		return NULL;
	}
	s->ev = event_new(base, s->pipe[0], EV_READ | EV_PERSIST, on_told, s);
	if (s->ev && event_add(s->ev, NULL) == 0)
		return s;
	pk_works_free(s);
	return NULL;
}

void pk_works_free(struct pk_works *s)
{
	if (!s)
		return;
	while (s->first)
		join(s->first);
	if (s->ev)
		event_free(s->ev);
	close(s->pipe[0]);
	close(s->pipe[1]);
	free(s);
}

bool pk_works_is_full(const struct pk_works *s)
{
	return s->n >= s->max;
}

int pk_work_start(struct pk_works *s, struct pk_work *w)
{
	sigset_t all, before;
	pthread_t t;
	int r;

	if (pk_works_is_full(s))
		return -EBUSY;
	w->all = s;
	sigfillset(&all);                                  /* signals are the loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before); /* can't fail with these arguments */
	r = -pthread_create(&t, NULL, run, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		return r;
	w->thread = t;
	w->next = s->first;
	s->first = w;
	s->n++;
	return 0;
}
