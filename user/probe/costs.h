/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs cost, by the kernel's own run-time statistics: a sample of one second in
 * thirty, since counting itself costs every run about 90 ns.
 */
#pragma once

#include "probe/msg.h"

#include <stdbool.h>
#include <stdint.h>

struct pk_object;

struct pk_costs {
	bool on;
	int fd; /* statistics are on while it is open; -1: off */
	uint64_t began_ns;
};

void pk_costs_open(struct pk_costs *c, bool on);
void pk_costs_close(struct pk_costs *c);

/* Once a second: begins and ends samples; true when one has just ended. */
bool pk_costs_tick(struct pk_costs *c, uint64_t now_ns);

/* Fills id, run time and count of a program. */
void pk_costs_read(const struct pk_costs *c, int prog_fd, struct pk_msg_prog *m);

/* One PROG message for each packet program and the sweep. */
void pk_costs_tell_packet(const struct pk_costs *c, const struct pk_object *obj, uint64_t netns,
			  void (*send)(void *arg, const struct pk_msg_head *msg), void *arg);
