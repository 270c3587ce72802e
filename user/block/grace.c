/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One system call, what to do without it, and a thread that makes it for who has other things to
 * do. The thread knows nothing but two numbers.
 */
#include "block/grace.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct pk_grace {
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	uint64_t asked, over;
	bool end;
};

bool pk_grace_wait(void *arg)
{
	struct timespec second = { .tv_sec = 1 };

	(void)arg;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
		(void)nanosleep(&second,
				NULL); /* cut short by a signal: still longer than any run */
	return true;
}

static void *work(void *arg)
{
	struct pk_grace *g = arg;
	uint64_t moment;

	(void)pthread_mutex_lock(&g->lock);
	while (!g->end) {
		if (g->asked == g->over) {
			(void)pthread_cond_wait(&g->more, &g->lock);
			continue;
		}
		moment = g->asked;
		(void)pthread_mutex_unlock(&g->lock);
		(void)pk_grace_wait(NULL); /* always true */
		(void)pthread_mutex_lock(&g->lock);
		g->over = moment;
	}
	(void)pthread_mutex_unlock(&g->lock);
	return NULL;
}

int pk_grace_new(struct pk_grace **ret)
{
	struct pk_grace *g = calloc(1, sizeof(*g));
	sigset_t all, before;
	int r;

	if (!g)
		return -ENOMEM;
	(void)pthread_mutex_init(&g->lock, NULL);
	(void)pthread_cond_init(&g->more, NULL);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the loop's */
	r = -pthread_create(&g->thread, NULL, work, g);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0) {
		free(g);
		return r;
	}
	*ret = g;
	return 0;
}

void pk_grace_free(struct pk_grace *g)
{
	if (!g)
		return;
	(void)pthread_mutex_lock(&g->lock);
	g->end = true;
	(void)pthread_cond_signal(&g->more);
	(void)pthread_mutex_unlock(&g->lock);
	(void)pthread_join(g->thread, NULL);
	(void)pthread_cond_destroy(&g->more);
	(void)pthread_mutex_destroy(&g->lock);
	free(g);
}

uint64_t pk_grace_begin(void *grace)
{
	struct pk_grace *g = grace;
	uint64_t moment;

	(void)pthread_mutex_lock(&g->lock);
	moment = ++g->asked;
	(void)pthread_cond_signal(&g->more);
	(void)pthread_mutex_unlock(&g->lock);
	return moment;
}

bool pk_grace_is_over(void *grace, uint64_t moment)
{
	struct pk_grace *g = grace;
	bool over;

	(void)pthread_mutex_lock(&g->lock);
	over = g->over >= moment;
	(void)pthread_mutex_unlock(&g->lock);
	return over;
}
