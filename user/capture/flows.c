/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the table of flows by id, with its order of age. It does not know what the members mean. */
#include "capture/flows.h"

#include "base/cleanup.h"

#define NONE UINT32_MAX

struct pk_capture_flows {
	struct pk_capture_flow *f;
	uint32_t *bucket;
	uint32_t max, mask, used, oldest, newest;
	uint64_t evicted;
	void (*evict)(void *arg, struct pk_capture_flow *f);
	void *arg;
};

struct pk_capture_flows *
pk_capture_flows_new(size_t max, void (*evict)(void *arg, struct pk_capture_flow *f), void *arg)
{
	_cleanup_free_ struct pk_capture_flows *t = calloc(1, sizeof(*t));
	size_t buckets = 1;

	if (!t || !max || max >= NONE)
		return NULL;
	while (buckets < max)
		buckets *= 2;
	t->f = calloc(max, sizeof(*t->f));
	t->bucket = calloc(buckets, sizeof(*t->bucket)); /* index + 1: 0 is none */
	if (!t->f || !t->bucket) {
		free(t->f);
		free(t->bucket);
		return NULL;
	}
	t->max = (uint32_t)max;
	t->mask = (uint32_t)(buckets - 1);
	t->oldest = t->newest = NONE;
	t->evict = evict;
	t->arg = arg;
	return PK_TAKE(t);
}

void pk_capture_flows_free(struct pk_capture_flows *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->used; i++)
		free(t->f[i].comment);
	free(t->f);
	free(t->bucket);
	free(t);
}

/* Ids are made by the kernel side, one after another per CPU: nobody picks them to collide. */
static uint32_t bucket_of(const struct pk_capture_flows *t, uint64_t id)
{
	return (uint32_t)(id * 0x9e3779b97f4a7c15ull >> 32) & t->mask;
}

static void unlink_age(struct pk_capture_flows *t, struct pk_capture_flow *f)
{
	if (f->older != NONE)
		t->f[f->older].newer = f->newer;
	else
		t->oldest = f->newer;
	if (f->newer != NONE)
		t->f[f->newer].older = f->older;
	else
		t->newest = f->older;
}

static void link_newest(struct pk_capture_flows *t, struct pk_capture_flow *f)
{
	uint32_t i = (uint32_t)(f - t->f);

	f->newer = NONE;
	f->older = t->newest;
	if (t->newest != NONE)
		t->f[t->newest].newer = i;
	else
		t->oldest = i;
	t->newest = i;
}

static void unlink_hash(struct pk_capture_flows *t, const struct pk_capture_flow *f)
{
	uint32_t *p = &t->bucket[bucket_of(t, f->id)];

	while (&t->f[*p - 1] != f)
		p = &t->f[*p - 1].hash_next;
	*p = f->hash_next;
}

static struct pk_capture_flow *make(struct pk_capture_flows *t, uint64_t id)
{
	struct pk_capture_flow *f;
	uint32_t *p = &t->bucket[bucket_of(t, id)];

	if (t->used < t->max) {
		f = &t->f[t->used++];
	} else {
		f = &t->f[t->oldest];
		if (t->evict)
			t->evict(t->arg, f);
		t->evicted++;
		unlink_age(t, f);
		unlink_hash(t, f);
		free(f->comment);
	}
	*f = (struct pk_capture_flow){ .id = id, .hash_next = *p };
	*p = (uint32_t)(f - t->f) + 1;
	link_newest(t, f);
	return f;
}

struct pk_capture_flow *pk_capture_flows_find(const struct pk_capture_flows *t, uint64_t id)
{
	for (uint32_t i = t->bucket[bucket_of(t, id)]; i; i = t->f[i - 1].hash_next)
		if (t->f[i - 1].id == id)
			return &t->f[i - 1];
	return NULL;
}

struct pk_capture_flow *pk_capture_flows_get(struct pk_capture_flows *t, uint64_t id)
{
	struct pk_capture_flow *f = pk_capture_flows_find(t, id);

	if (!f)
		return make(t, id);
	if (f->newer != NONE) {
		unlink_age(t, f);
		link_newest(t, f);
	}
	return f;
}

struct pk_capture_flow *pk_capture_flows_next(const struct pk_capture_flows *t,
					      const struct pk_capture_flow *f)
{
	uint32_t i = f ? f->older : t->newest;

	return i == NONE ? NULL : &t->f[i];
}

size_t pk_capture_flows_used(const struct pk_capture_flows *t, uint64_t *ret_evicted)
{
	*ret_evicted = t->evicted;
	return t->used;
}
