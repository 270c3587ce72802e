/* SPDX-License-Identifier: Apache-2.0 */
/* The packet hooks of one interface. Every call is made inside the interface's net namespace. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Gives the descriptor of a packet program (names in object.h) that serves the interface's
 * namespace, loading it when it is wanted for the first time; -errno.
 */
struct pk_progs {
	int (*fd)(void *arg, const char *name);
	void *arg;
};

struct pk_device {
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

/* Attaches what xdp (enum pk_conf_xdp) allows; the outcome is in ingress, egress and reason. */
void pk_device_attach(struct pk_device *d, const struct pk_progs *progs, uint64_t xdp);

/* Takes everything of ours away; nothing of anybody else. */
void pk_device_detach(struct pk_device *d);

/* Forgets an interface that is gone: the kernel already removed its hooks. */
void pk_device_forget(struct pk_device *d);

/* False when a hook of ours is not in place any more. */
bool pk_device_is_intact(const struct pk_device *d);
