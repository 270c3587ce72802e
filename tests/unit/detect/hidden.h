/* SPDX-License-Identifier: Apache-2.0 */
/* Something slow in ten minutes of somebody else's noise; include after see.h. */
#pragma once

#include "see.h"

#define HIDDEN_SEC     1000000000ull
#define HIDDEN_SECONDS 600

static inline uint32_t hidden_random(void)
{
	static uint64_t s = 88172645463325252ull;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return (uint32_t)(s >> 16);
}

/* Memory is in its bound, and the bound is what the table row states. */
static inline void hidden_bounded(const char *name)
{
	struct pk_detector_use u;

	for (size_t i = 0; i < pk_detectors_n; i++) {
		if (strcmp(pk_detectors[i]->name, name) != 0)
			continue;
		pk_detect_use(seen.detect, i, &u);
		assert_true(u.on && u.bytes > 0);
		assert_in_range(u.bytes, 1, u.bytes_max);
	}
}

/* What the detector, the only one that is on, had to let go or to refuse. */
static inline uint64_t hidden_lost(const char *name)
{
	struct pk_detector_use u;

	for (size_t i = 0; i < pk_detectors_n; i++)
		if (strcmp(pk_detectors[i]->name, name) == 0) {
			pk_detect_use(seen.detect, i, &u);
			return u.evicted + u.refused;
		}
	return 0;
}

/* Noise and then the hidden one, each second; memory is looked at in each. */
static inline void hidden_run(const char *name, void (*noise)(uint64_t now_ns),
			      void (*hidden)(uint64_t now_ns, unsigned second))
{
	for (unsigned second = 1; second <= HIDDEN_SECONDS; second++) {
		uint64_t now_ns = second * HIDDEN_SEC;

		noise(now_ns);
		hidden(now_ns, second);
		pk_detect_tick(seen.detect, now_ns);
		hidden_bounded(name);
	}
	assert_true(hidden_lost(name) > 0); /* else nothing was put to the test */
}

/* A flood with an attack in it, and what only looks like one. */
struct hidden {
	const char *name; /* of the detector, which is on */
	void (*noise)(uint64_t now_ns);
	void (*play)(uint64_t now_ns, unsigned second); /* attack and twin */
	bool (*is_attack)(const struct pk_finding *f);
	bool (*is_twin)(const struct pk_finding *f);
};

static struct {
	const struct hidden *of;
	size_t attack, twin;
} hidden_told;

static inline void hidden_watch(const struct pk_finding *f)
{
	hidden_told.attack += hidden_told.of->is_attack(f);
	hidden_told.twin += hidden_told.of->is_twin(f);
}

/* The attack is told, its twin is not, and memory stays in its bound. */
static inline void hidden_judge(const struct hidden *h)
{
	hidden_told.of = h;
	hidden_told.attack = hidden_told.twin = 0;
	if (!seen.watch)
		seen.watch = hidden_watch; /* else the test's, which calls it */
	hidden_run(h->name, h->noise, h->play);
	if (!hidden_told.attack || hidden_told.twin)
		fail_msg("%zu findings, the attack in %zu, its twin in %zu", seen.n,
			 hidden_told.attack, hidden_told.twin);
}
