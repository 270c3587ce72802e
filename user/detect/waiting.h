/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings that do not know yet whose they are. A name or a hello is seen before the kernel tells
 * of the flow and its owner: such a finding waits until the flow is reported, a moment at most, and
 * is then said with its process. A fixed number waits; beyond it the one that waits longest is said
 * as it is. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_finding;
struct pk_waiting;
struct pk_world;

#define PK_WAITING_MAX 256
#define PK_WAITING_NS  1500000000ull /* the kernel reports a new flow within a second */

/* found: as of pk_detect_new(). w is borrowed. NULL: out of memory. */
struct pk_waiting *pk_waiting_new(const struct pk_world *w,
				  void (*found)(void *arg, struct pk_finding *f), void *arg);
void pk_waiting_free(struct pk_waiting *q); /* what still waits is not said */

/* Says it now, or as soon as there is nothing more to wait for. now_ns: boottime. */
void pk_waiting_take(struct pk_waiting *q, struct pk_finding *f, uint64_t now_ns);
/* This flow was reported. */
void pk_waiting_flow(struct pk_waiting *q, uint64_t flow);
/* Says what waited long enough; UINT64_MAX: all, as before texts of rules go. */
void pk_waiting_tick(struct pk_waiting *q, uint64_t now_ns);

/* Findings that were said before their time, for too many waited. */
uint64_t pk_waiting_hurried(const struct pk_waiting *q);
