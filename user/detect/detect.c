/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns the detectors' states and who wants to see what. It knows no detector by name; the table is
 * registry.c's.
 */
#include "detect/detect.h"

#include "base/cleanup.h"
#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct slot {
	const struct pk_detector *detector;
	void *state;
	bool on;
	uint64_t seen, found;
};

struct pk_detect {
	struct pk_world world;
	void (*found)(void *arg, struct pk_finding *f);
	void *arg;
	unsigned wanted;
	uint16_t *by_kind[PK_SEE_KINDS]; /* indices of slots that want it */
	size_t n_by_kind[PK_SEE_KINDS];
	struct slot *slot; /* as pk_detectors */
};

static bool is_off(const struct pk_conf *c, const char *name)
{
	for (size_t i = 0; i < c->detect_off.n; i++)
		if (strcmp(c->detect_off.v[i], name) == 0 || strcmp(c->detect_off.v[i], "all") == 0)
			return true;
	return false;
}

static int begin(struct pk_detect *d, size_t i)
{
	struct slot *s = &d->slot[i];
	int r;

	s->detector = pk_detectors[i];
	if (is_off(d->world.conf, s->detector->name))
		return 0;
	r = s->detector->init ? s->detector->init(&d->world, &s->state) : 0;
	if (r < 0)
		return r;
	s->on = true;
	d->wanted |= s->detector->wants;
	for (unsigned k = 0; k < PK_SEE_KINDS; k++)
		if (pk_detect_wants(s->detector->wants, k))
			d->by_kind[k][d->n_by_kind[k]++] = (uint16_t)i;
	return 0;
}

static void detect_freep(struct pk_detect **d)
{
	pk_detect_free(*d);
}

int pk_detect_new(const struct pk_world *w, void (*found)(void *arg, struct pk_finding *f),
		  void *arg, struct pk_detect **ret_detect)
{
	_cleanup_(detect_freep) struct pk_detect *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->world = *w;
	d->found = found;
	d->arg = arg;
	d->slot = calloc(pk_detectors_n, sizeof(*d->slot));
	if (!d->slot)
		return -ENOMEM;
	for (unsigned k = 0; k < PK_SEE_KINDS; k++) {
		d->by_kind[k] = calloc(pk_detectors_n, sizeof(**d->by_kind));
		if (!d->by_kind[k])
			return -ENOMEM;
	}
	for (size_t i = 0; i < pk_detectors_n; i++) {
		r = begin(d, i);
		if (r < 0)
			return r;
	}
	*ret_detect = PK_TAKE(d);
	return 0;
}

void pk_detect_free(struct pk_detect *d)
{
	if (!d)
		return;
	for (size_t i = 0; d->slot && i < pk_detectors_n; i++)
		if (d->slot[i].on && d->slot[i].detector->done)
			d->slot[i].detector->done(d->slot[i].state);
	for (unsigned k = 0; k < PK_SEE_KINDS; k++)
		free(d->by_kind[k]);
	free(d->slot);
	free(d);
}

unsigned pk_detect_wanted(const struct pk_detect *d)
{
	return d->wanted;
}

void pk_detect_see(struct pk_detect *d, const struct pk_see *s)
{
	for (size_t i = 0; i < d->n_by_kind[s->kind]; i++) {
		struct slot *slot = &d->slot[d->by_kind[s->kind][i]];

		slot->seen++;
		slot->detector->see(d, slot->state, s);
	}
}

void pk_detect_tick(struct pk_detect *d, uint64_t now_ns)
{
	for (size_t i = 0; i < pk_detectors_n; i++)
		if (d->slot[i].on && d->slot[i].detector->tick)
			d->slot[i].detector->tick(d, d->slot[i].state, now_ns);
}

const struct pk_world *pk_detect_world(const struct pk_detect *d)
{
	return &d->world;
}

void pk_detect_found(struct pk_detect *d, const struct pk_detector *self, struct pk_finding *f)
{
	for (size_t i = 0; i < pk_detectors_n; i++)
		d->slot[i].found += d->slot[i].detector == self;
	f->rule = f->rule ? f->rule : self->name;
	f->title = f->title ? f->title : self->title;
	f->doubt = f->doubt ? f->doubt : self->doubt;
	f->next = f->next ? f->next : self->next;
	f->severity = f->severity ? f->severity : self->severity;
	f->confidence = f->confidence ? f->confidence : self->confidence;
	f->first_ns = f->first_ns ? f->first_ns : f->ts_ns;
	if (!f->technique[0])
		memcpy(f->technique, self->technique, sizeof(f->technique));
	d->found(d->arg, f);
}

void pk_detect_use(const struct pk_detect *d, size_t i, struct pk_detector_use *ret_use)
{
	const struct slot *s = &d->slot[i];
	struct pk_memory m = { 0 };

	if (s->on && s->detector->memory)
		s->detector->memory(s->state, &m);
	*ret_use = (struct pk_detector_use){
		.detector = s->detector,
		.on = s->on,
		.seen = s->seen,
		.found = s->found,
		.bytes = m.bytes,
		.evicted = m.evicted,
		.refused = m.refused,
		.bytes_max = s->detector->bytes_max ? s->detector->bytes_max(d->world.conf) : 0,
	};
}

const void *pk_detect_state(const struct pk_detect *d, const struct pk_detector *detector)
{
	for (size_t i = 0; i < pk_detectors_n; i++)
		if (d->slot[i].detector == detector)
			return d->slot[i].state;
	return NULL;
}

void *pk_detect_state_at(struct pk_detect *d, size_t i)
{
	return d->slot[i].on ? d->slot[i].state : NULL;
}
