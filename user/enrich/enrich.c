/* SPDX-License-Identifier: Apache-2.0 */
/* Ties the tables of this room together; each keeps its own rules. */
#include "enrich/enrich.h"

#include "base/cleanup.h"
#include "conf/conf.h"
#include "decode/record.h"

#include <errno.h>
#include <string.h>

#define REFRESH_NS     10000000000ull
#define INITIAL_PID_NS "pid:[4026531836]"

/* Pids in events are those of the initial namespace; only there may kill(2) be asked. */
static bool in_initial_pidns(void)
{
	char link[64];
	ssize_t n = readlink("/proc/self/ns/pid", link, sizeof(link) - 1);

	link[n > 0 ? n : 0] = '\0';
	return strcmp(link, INITIAL_PID_NS) == 0;
}

int pk_enrich_new(const struct pk_conf *conf, bool live, struct pk_enrich **ret)
{
	struct pk_enrich *e = calloc(1, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->live = live;
	pk_netns_init(&e->netns);
	r = pk_processes_init(&e->processes, conf->keep_processes);
	if (r == 0)
		r = pk_containers_init(&e->containers, conf->cgroup, PK_CONTAINERS_MAX);
	if (r < 0) {
		pk_enrich_free(e);
		return r;
	}
	if (live && in_initial_pidns())
		e->processes.is_alive = pk_process_is_alive;
	if (live)
		(void)pk_users_init(&e->users, "/etc/passwd"); /* without it uids stay numbers */
	*ret = e;
	return 0;
}

void pk_enrich_free(struct pk_enrich *e)
{
	if (!e)
		return;
	pk_processes_done(&e->processes);
	pk_containers_done(&e->containers);
	pk_users_done(&e->users);
	pk_netns_done(&e->netns);
	free(e);
}

/* Asks while the process is there: a moment later nobody could tell any more. */
static void learn_container(struct pk_enrich *e, struct pk_process *p, const struct pk_event *ev)
{
	uint64_t now_ns = ev->hdr->ts;
	const struct pk_container *c =
		pk_container_get(&e->containers, p->cgroup, p->id.tgid, now_ns);

	if (c && c->cgroup.runtime) {
		p->container = p->cgroup;
		return;
	}
	/* In v1 hierarchies membership is the process' own: asked at exec, kept by forks. */
	if (e->containers.has_v1 && (ev->type == PK_EV_EXEC || !p->container)) {
		uint64_t key = pk_container_find_v1(&e->containers, p->id.tgid, now_ns);

		p->container = key ? key : p->cgroup;
	} else if (!(p->container & PK_CONTAINER_V1)) {
		p->container = p->cgroup;
	}
}

static void inherit_container(struct pk_enrich *e, const struct pk_process *parent,
			      const struct pk_proc_id *id)
{
	struct pk_process *child = pk_process_get(&e->processes, id->tgid, id->start_ns);

	if (child && !child->container)
		child->container = parent->container;
}

struct pk_process *pk_enrich_event(struct pk_enrich *e, const struct pk_event *ev)
{
	struct pk_process *p = pk_processes_event(&e->processes, ev);

	if (!p || !e->live)
		return p;
	learn_container(e, p, ev);
	if (ev->type == PK_EV_FORK)
		inherit_container(e, p, &ev->fork->child);
	return p;
}

void pk_enrich_tick(struct pk_enrich *e, uint64_t now_ns)
{
	if (!e->live || now_ns - e->refreshed_ns < REFRESH_NS)
		return;
	e->refreshed_ns = now_ns;
	(void)pk_users_refresh(&e->users); /* the names of before stay good */
}

struct pk_process *pk_enrich_owner(const struct pk_enrich *e, const struct pk_proc_id *id)
{
	return id->tgid ? pk_process_get(&e->processes, id->tgid, id->start_ns) : NULL;
}

const struct pk_container *pk_enrich_container(struct pk_enrich *e, const struct pk_process *p)
{
	uint64_t key = p->container ? p->container : p->cgroup;

	return e->live ? pk_container_get(&e->containers, key, 0, p->seen_ns) : NULL;
}
