/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the requests that wait for the store's thread, and looks at them each time it has committed.
 * What is put, and what is answered, is the routes'.
 */
#include "api/kept.h"

#include "api/server.h"
#include "base/cleanup.h"
#include "store/store.h"

#include <errno.h>
#include <event2/event.h>
#include <unistd.h>

struct pk_kept {
	struct event_base *base;
	struct pk_store *store;
	struct event *committed;
	struct waiting *first;
};

struct waiting {
	struct pk_kept *all;
	struct waiting *next;
	struct pk_api_later *later;
	struct event *late;
	uint64_t ticket;
	union pk_kept_what what;
	void (*answer)(struct pk_api_request *q, union pk_kept_what what);
};

static void waiting_free(struct waiting *w)
{
	struct waiting **p = &w->all->first;

	while (*p && *p != w)
		p = &(*p)->next;
	if (*p)
		*p = w->next;
	if (w->late)
		event_free(w->late);
	pk_api_later_free(w->later);
	free(w);
}

static void gone(void *arg)
{
	waiting_free(arg);
}

static void answer(struct waiting *w)
{
	w->answer(&w->later->q, w->what);
	waiting_free(w);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	answer(arg);
}

static void on_committed(evutil_socket_t fd, short what, void *arg)
{
	struct pk_kept *k = arg;
	struct waiting *next;
	uint64_t n, done;

	(void)what;
	(void)!read(fd, &n, sizeof(n)); /* only a wake */
	done = pk_store_done(k->store);
	for (struct waiting *w = k->first; w; w = next) {
		next = w->next;
		if (w->ticket <= done)
			answer(w);
	}
}

int pk_kept_wait(struct pk_api_request *q, uint64_t ticket,
		 void (*answer_it)(struct pk_api_request *q, union pk_kept_what what),
		 union pk_kept_what what)
{
	struct pk_kept *k = pk_api_kept(q->api);
	struct timeval at_most = { .tv_sec = PK_KEPT_MS / 1000 };
	struct waiting *w;

	if (!k->store)
		return -ENODATA;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct waiting){ .all = k, .ticket = ticket, .what = what, .answer = answer_it };
	w->late = event_new(k->base, -1, 0, on_late, w);
	w->later = w->late && event_add(w->late, &at_most) == 0 ? pk_api_later_new(q) : NULL;
	if (!w->later) {
		waiting_free(w);
		return -ENOMEM;
	}
	w->later->gone = gone;
	w->later->arg = w;
	w->next = k->first;
	k->first = w;
	return 0;
}

struct pk_kept *pk_kept_new(struct pk_api *api, struct pk_store *s)
{
	struct pk_kept *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->base = pk_api_base(api);
	k->store = s;
	if (!s)
		return k;
	k->committed = event_new(k->base, pk_store_fd(s), EV_READ | EV_PERSIST, on_committed, k);
	if (k->committed && event_add(k->committed, NULL) == 0)
		return k;
	pk_kept_free(k);
	return NULL;
}

void pk_kept_free(struct pk_kept *k)
{
	if (!k)
		return;
	if (k->committed)
		event_free(k->committed);
	free(k);
}
