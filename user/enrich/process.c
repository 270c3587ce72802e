/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the table of processes: its slots, their order and what events change in them. It knows
 * neither containers nor user names, and never reads /proc: the kernel's records are enough, and
 * /proc is gone for short processes.
 */
#include "enrich/process.h"

#include "decode/record.h"
#include "enrich/image.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define NONE         UINT32_MAX
#define IMAGE_BYTES  1024 /* per slot, on average */
#define SPARE_TRIES  64   /* ended processes with live flows that are passed over */
#define PROBE_TRIES  256  /* running ones asked whether they are */
#define PROBE_AGE_NS 5000000000ull

enum { SLOT_FREE, SLOT_RUNNING, SLOT_ENDED };

int pk_processes_init(struct pk_processes *t, uint32_t max)
{
	uint32_t buckets = 1;

	while (buckets < max)
		buckets <<= 1;
	*t = (struct pk_processes){
		.slot = calloc(max, sizeof(*t->slot)),
		.bucket = malloc(buckets * sizeof(*t->bucket)),
		.mask = buckets - 1,
		.max = max,
		.free_head = NONE,
		.ended_head = NONE,
		.ended_tail = NONE,
		.image_bytes_max = (size_t)max * IMAGE_BYTES,
	};
	if (!t->slot || !t->bucket || getrandom(&t->seed, sizeof(t->seed), 0) < 0) {
		pk_processes_done(t);
		return -ENOMEM;
	}
	memset(t->bucket, 0xff, buckets * sizeof(*t->bucket));
	return 0;
}

static void drop_images(struct pk_processes *t, struct pk_process *p)
{
	for (size_t i = 0; i < PK_EXEC_HISTORY; i++)
		t->image_bytes -= pk_image_unref(p->image[i]);
	memset(p->image, 0, sizeof(p->image));
}

void pk_processes_done(struct pk_processes *t)
{
	for (uint32_t i = 0; i < t->top; i++)
		drop_images(t, &t->slot[i]);
	free(t->slot);
	free(t->bucket);
	*t = (struct pk_processes){ 0 };
}

/* By tgid alone, so that earlier users of a pid are met on the way. */
static uint32_t *bucket_of(const struct pk_processes *t, uint32_t tgid)
{
	return &t->bucket[XXH3_64bits_withSeed(&tgid, sizeof(tgid), t->seed) & t->mask];
}

struct pk_process *pk_process_get(const struct pk_processes *t, uint32_t tgid, uint64_t start_ns)
{
	for (uint32_t i = *bucket_of(t, tgid); i != NONE; i = t->slot[i].hash_next)
		if (t->slot[i].id.tgid == tgid && t->slot[i].id.start_ns == start_ns)
			return &t->slot[i];
	return NULL;
}

struct pk_process *pk_process_by_pid(const struct pk_processes *t, uint32_t tgid)
{
	struct pk_process *best = NULL;

	for (uint32_t i = *bucket_of(t, tgid); i != NONE; i = t->slot[i].hash_next)
		if (t->slot[i].id.tgid == tgid &&
		    (!best || t->slot[i].id.start_ns > best->id.start_ns))
			best = &t->slot[i];
	return best;
}

static void ended_add(struct pk_processes *t, uint32_t i)
{
	t->slot[i].prev = t->ended_tail;
	t->slot[i].next = NONE;
	if (t->ended_tail == NONE)
		t->ended_head = i;
	else
		t->slot[t->ended_tail].next = i;
	t->ended_tail = i;
}

static void ended_remove(struct pk_processes *t, uint32_t i)
{
	const struct pk_process *p = &t->slot[i];

	if (p->prev == NONE)
		t->ended_head = p->next;
	else
		t->slot[p->prev].next = p->next;
	if (p->next == NONE)
		t->ended_tail = p->prev;
	else
		t->slot[p->next].prev = p->prev;
}

static void set_ended(struct pk_processes *t, struct pk_process *p, uint64_t ts, int32_t code)
{
	if (p->slot_state != SLOT_RUNNING)
		return;
	p->slot_state = SLOT_ENDED;
	p->end_ns = ts;
	p->exit_code = code;
	t->running--;
	ended_add(t, p - t->slot);
}

static void evict(struct pk_processes *t, uint32_t i)
{
	struct pk_process *p = &t->slot[i];
	uint32_t *at = bucket_of(t, p->id.tgid);

	while (*at != i)
		at = &t->slot[*at].hash_next;
	*at = p->hash_next;
	ended_remove(t, i);
	drop_images(t, p);
	p->slot_state = SLOT_FREE;
	p->hash_next = t->free_head;
	t->free_head = i;
	t->used--;
	t->evicted++;
}

/* The one that ended first, but rather one without live flows. */
static void evict_ended(struct pk_processes *t)
{
	for (int tries = 0; tries < SPARE_TRIES; tries++) {
		uint32_t i = t->ended_head;

		if (i == NONE || t->slot[i].net.flows == 0)
			break;
		ended_remove(t, i);
		ended_add(t, i);
	}
	if (t->ended_head != NONE)
		evict(t, t->ended_head);
}

/* Looks for processes that ended unseen (their record was lost), a few at a time. */
static void probe_running(struct pk_processes *t, uint64_t now_ns)
{
	for (int tries = 0; t->is_alive && t->top && tries < PROBE_TRIES; tries++) {
		struct pk_process *p = &t->slot[t->hand++ % t->top];

		if (p->slot_state != SLOT_RUNNING || p->seen_ns + PROBE_AGE_NS > now_ns ||
		    t->is_alive(p))
			continue;
		t->inferred++;
		set_ended(t, p, now_ns, -1);
	}
}

static uint32_t take_slot(struct pk_processes *t, uint64_t now_ns)
{
	uint32_t i;

	if (t->free_head == NONE && t->top < t->max)
		return t->top++;
	if (t->free_head == NONE && t->ended_head == NONE)
		probe_running(t, now_ns);
	if (t->free_head == NONE)
		evict_ended(t);
	i = t->free_head;
	if (i != NONE)
		t->free_head = t->slot[i].hash_next;
	return i;
}

/* A pid that is given out again tells that its last owner has ended. */
static void end_earlier(struct pk_processes *t, const struct pk_proc_id *id, uint64_t ts)
{
	for (uint32_t i = *bucket_of(t, id->tgid); i != NONE; i = t->slot[i].hash_next) {
		struct pk_process *p = &t->slot[i];

		if (p->id.tgid != id->tgid || p->id.start_ns >= id->start_ns ||
		    p->slot_state != SLOT_RUNNING)
			continue;
		t->inferred++;
		set_ended(t, p, ts, -1);
	}
}

static struct pk_process *find_or_add(struct pk_processes *t, const struct pk_proc_id *id,
				      uint64_t ts)
{
	struct pk_process *p;
	uint32_t i, *head;

	if (!id->tgid)
		return NULL;
	p = pk_process_get(t, id->tgid, id->start_ns);
	if (p)
		return p;
	i = take_slot(t, ts);
	if (i == NONE) {
		t->refused++;
		return NULL;
	}
	end_earlier(t, id, ts);
	p = &t->slot[i];
	head = bucket_of(t, id->tgid);
	*p = (struct pk_process){ .id = *id,
				  .uid = id->uid,
				  .seen_ns = ts,
				  .slot_state = SLOT_RUNNING,
				  .hash_next = *head };
	*head = i;
	t->used++;
	t->running++;
	return p;
}

/* Rings are read one after another: an older record must not undo what a newer one said. */
static void learn_task(struct pk_process *p, const struct pk_task *task, uint64_t ts)
{
	if (ts < p->seen_ns)
		return;
	p->seen_ns = ts;
	p->id.uid = task->id.uid;
	p->cgroup = task->cgroup;
	p->netns = task->netns;
	p->netns_inum = task->netns_inum;
	p->mntns_inum = task->mntns_inum;
	p->pidns_inum = task->pidns_inum;
	p->pid_in_ns = task->pid_in_ns;
	p->flags |= task->flags & PK_TASK_KTHREAD;
	memcpy(p->comm, task->comm, sizeof(p->comm));
}

/* Returns the parent, which may have had to make room for its child. */
static struct pk_process *learn_fork(struct pk_processes *t, const struct pk_fork *e)
{
	struct pk_process *p = find_or_add(t, &e->child, e->hdr.ts);
	struct pk_process *parent = pk_process_get(t, e->task.id.tgid, e->task.id.start_ns);

	if (!p)
		return parent;
	p->parent = e->task.id;
	/* Its own records may have come first, through another ring. */
	if (!p->comm[0]) {
		learn_task(p, &e->task, e->hdr.ts);
		p->id.uid = e->child.uid;
		p->pid_in_ns = 0;
	}
	if (parent && !p->image[0] && parent->image[0]) {
		p->image[0] = pk_image_ref(parent->image[0]);
		p->uid = parent->uid;
		p->gid = parent->gid;
		p->egid = parent->egid;
	}
	return parent;
}

static void learn_exec(struct pk_processes *t, struct pk_process *p, const struct pk_exec *e)
{
	bool room = t->image_bytes < t->image_bytes_max;
	struct pk_image *image = pk_image_new(e, room);

	if (e->parent.tgid && !p->parent.tgid)
		p->parent = e->parent;
	p->uid = e->uid;
	p->gid = e->gid;
	p->egid = e->egid;
	if (!(e->hdr.flags & PK_EVF_SNAPSHOT))
		p->execs++;
	if (!room || !image)
		t->cut++;
	if (!image)
		return;
	t->image_bytes += image->bytes;
	/* A process found running may have been seen to exec just before: one image of it is
	 * enough. */
	if (image->snapshot && p->image[0] && p->image[0]->ts >= image->ts) {
		t->image_bytes -= pk_image_unref(image);
		return;
	}
	t->image_bytes -= pk_image_unref(p->image[PK_EXEC_HISTORY - 1]);
	memmove(&p->image[1], &p->image[0], (PK_EXEC_HISTORY - 1) * sizeof(p->image[0]));
	p->image[0] = image;
}

/* A socket that was accepted counts as such for whoever uses it. */
static void learn_sock(struct pk_processes *t, const struct pk_sock *s)
{
	const struct pk_owner *o = &s->owner;
	const struct pk_proc_id *id = o->user.tgid ? &o->user : &o->creator;
	struct pk_process *p = pk_process_get(t, id->tgid, id->start_ns);

	if (!p)
		return;
	p->socks |= 1u << s->op;
	if (o->flags & PK_OWNER_ACCEPTED)
		p->socks |= 1u << PK_SOCK_ACCEPT;
}

struct pk_process *pk_processes_event(struct pk_processes *t, const struct pk_event *ev)
{
	struct pk_process *p;

	if (ev->type == PK_EV_SOCK && !ev->task)
		learn_sock(t, ev->sock);
	if (!ev->task)
		return NULL;
	p = find_or_add(t, &ev->task->id, ev->hdr->ts);
	if (p)
		learn_task(p, ev->task, ev->hdr->ts);
	if (ev->type == PK_EV_FORK)
		return learn_fork(t, ev->fork);
	if (!p)
		return NULL;
	if (ev->type == PK_EV_EXEC)
		learn_exec(t, p, ev->exec);
	else if (ev->type == PK_EV_EXIT)
		set_ended(t, p, ev->hdr->ts, ev->exit->code);
	else if (ev->type == PK_EV_ACT)
		p->acts |= 1u << ev->act->kind;
	else if (ev->type == PK_EV_SOCK)
		learn_sock(t, ev->sock);
	return p;
}

struct pk_process *pk_process_parent(const struct pk_processes *t, const struct pk_process *p)
{
	return p->parent.tgid ? pk_process_get(t, p->parent.tgid, p->parent.start_ns) : NULL;
}

size_t pk_process_ancestors(const struct pk_processes *t, const struct pk_process *p,
			    const struct pk_process *ret[PK_ANCESTORS_MAX])
{
	size_t n = 0;

	while (n < PK_ANCESTORS_MAX && (p = pk_process_parent(t, p)))
		ret[n++] = p;
	return n;
}

struct pk_process *pk_process_next(const struct pk_processes *t, const struct pk_process *p)
{
	for (uint32_t i = p ? p - t->slot + 1 : 0; i < t->top; i++)
		if (t->slot[i].slot_state != SLOT_FREE)
			return &t->slot[i];
	return NULL;
}

const char *pk_process_path(const struct pk_process *p)
{
	return p->image[0] ? p->image[0]->path : "";
}

const char *pk_process_cmd_line(const struct pk_process *p)
{
	return p->image[0] ? p->image[0]->cmd_line : "";
}

const char *pk_process_name(const struct pk_process *p)
{
	const char *slash = strrchr(pk_process_path(p), '/');

	return slash && slash[1] ? slash + 1 : p->comm;
}

bool pk_process_is_alive(const struct pk_process *p)
{
	return kill(p->id.tgid, 0) == 0 || errno != ESRCH;
}
