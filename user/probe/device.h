/* SPDX-License-Identifier: Apache-2.0 */
/* The packet hooks of one interface. Every call is made inside the interface's net namespace. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_pins;

/*
 * Gives the descriptor of a packet program (names in object.h) that serves the interface's
 * namespace, loading it when it is wanted for the first time; -errno.
 */
struct pk_progs {
	int (*fd)(void *arg, const char *name);
	void *arg;
};

struct pk_device {
	struct pk_pins *pins; /* borrowed; NULL: its hooks always end with us */
	uint64_t netns;       /* cookie, for the names of pins */
	uint32_t ifindex;
	uint32_t flags, mtu, arptype;
	char name[16], kind[16];
	uint8_t ingress, egress; /* enum pk_cover */
	uint64_t since_ns;
	char reason[128];
	int xdp_fd, in_fd, out_fd; /* links; -1: none */
	bool tc_in, tc_out;        /* clsact filters of ours */
	bool made_clsact;
};

void pk_device_init(struct pk_device *d);

/*
 * Attaches what xdp (enum pk_conf_xdp) allows, or takes over what an earlier process left; the
 * outcome is in ingress, egress and reason.
 */
void pk_device_attach(struct pk_device *d, const struct pk_progs *progs, uint64_t xdp);

/* Takes everything of ours away; nothing of anybody else. */
void pk_device_detach(struct pk_device *d);

/* Forgets an interface that is gone: the kernel already removed its hooks. */
void pk_device_forget(struct pk_device *d);

/* Leaves its pinned hooks where they are; the interface is not ours any more. */
void pk_device_let_go(struct pk_device *d);

/* Pins the links, where they are not yet. Returns how many. */
size_t pk_device_pin(const struct pk_device *d);

/* Hooks that were taken over run our programs from now on. */
void pk_device_renew(struct pk_device *d, const struct pk_progs *progs, uint64_t xdp);

/*
 * The filters at our place in clsact of any interface, of agents that were killed, whose programs
 * is_ours says yes to; and the qdisc when nothing else is in it. Returns how many.
 */
size_t pk_device_drop_filters(uint32_t ifindex, bool (*is_ours)(void *arg, uint32_t prog_id),
			      void *arg);

/* False when a hook of ours is not in place any more. */
bool pk_device_is_intact(const struct pk_device *d);
