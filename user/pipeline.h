/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The story of a record, stage after stage, without sockets, clocks or privileges: the agent feeds
 * it from rings, `picket replay` from a capture, tests from arrays. Time is the records'.
 */
#pragma once

#include "api/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_conf;
struct pk_link;
struct pk_pipeline;
struct pk_places;

/* live: records are of this host and of now; /proc and cgroups may be asked, events are kept for
 * the API. conf is borrowed. */
int pk_pipeline_new(const struct pk_conf *conf, bool live, struct pk_pipeline **ret_pipeline);
void pk_pipeline_free(struct pk_pipeline *p);
void pk_pipeline_freep(struct pk_pipeline **p);

/* From now on alerts and ended flows are kept, where there is a place; it is borrowed. */
int pk_pipeline_keep(struct pk_pipeline *p, const struct pk_places *places);

/* Once, before the first record: what detectors learned before counts, and is kept from now on.
 * host_netns: cookie of the host's own. */
void pk_pipeline_learn(struct pk_pipeline *p, const struct pk_places *places, uint64_t host_netns);

struct pk_intel_sum;
/* Threat intelligence is read anew, at start and on reload: all of it counts at once, or on failure
 * what was there before. now_ms: wall clock. 100,000 indicators take 8 MiB and up to 0.7 s, in
 * which nothing else is read. */
int pk_pipeline_intel(struct pk_pipeline *p, int64_t now_ms, struct pk_intel_sum *ret_sum);

/* One record. < 0: refused (counted by reason). */
int pk_pipeline_feed(struct pk_pipeline *p, const void *rec, size_t size);
/* The broker says something: kept for readers, and seen by detectors. */
void pk_pipeline_notice(struct pk_pipeline *p, uint64_t ts, unsigned level, const char *text);
/* Every second, and once at the end of a capture. */
void pk_pipeline_tick(struct pk_pipeline *p, uint64_t now_ns);

/* More often: goes on with responses and hashes that wait; costs nothing while none does. */
void pk_pipeline_soon(struct pk_pipeline *p, uint64_t now_ns);

/* Everything there is to read: flows are in ->ocsf.flows, records are written by pk_ocsf_*(). */
struct pk_view *pk_pipeline_view(struct pk_pipeline *p);

/* What is not an event: interfaces and own addresses. */
void pk_pipeline_link(struct pk_pipeline *p, const struct pk_link *link);
void pk_pipeline_link_gone(struct pk_pipeline *p, uint64_t netns, uint32_t ifindex);
void pk_pipeline_own_addr(struct pk_pipeline *p, uint64_t netns, const uint8_t addr[16],
			  unsigned bits, bool gone);
