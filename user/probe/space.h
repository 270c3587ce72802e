/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One net namespace under watch: its netlink caches (libnl), its interfaces with their hooks, its
 * own instance of the packet programs (maps are the host's).
 */
#pragma once

#include "probe/device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pk_conf;
struct pk_msg_head;
struct pk_object;
struct pk_pins;
struct pk_space;

struct pk_space_ops {
	void (*send)(void *arg, const struct pk_msg_head *msg); /* LINK, ADDR and their GONE */
	/* Begins and ends a round: all addresses of the namespace there are were sent between. */
	void (*round)(void *arg, uint64_t netns, bool end);
	void (*notice)(void *arg, int level, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));
	void *arg;
};

/* What all namespaces share; borrowed for as long as they are open. */
struct pk_space_env {
	const struct pk_conf *conf;
	struct pk_object *host;
	struct pk_pins *pins;
	struct pk_space_ops ops;
};

/*
 * Opens the namespace behind ns_fd (borrowed, only for the call) and covers what conf names. name:
 * under /run/netns, or "". Its packet programs are instances of its own on the maps of host.
 */
int pk_space_open(int ns_fd, const char *name, bool is_host, const struct pk_space_env *env,
		  struct pk_space **ret);

/*
 * Detaches what is ours, unless it is to outlive us (pk_pins_is_held). gone: the namespace is
 * going, the kernel cleans up.
 */
void pk_space_close(struct pk_space *s, bool gone);

int pk_space_fd(const struct pk_space *s); /* readable: call pk_space_read */
void pk_space_read(struct pk_space *s);

/* Once a second: hooks that somebody removed are put back. */
void pk_space_check(struct pk_space *s);

/* After a change of env->conf: which interfaces are covered is decided anew. */
void pk_space_recover(struct pk_space *s);

/* As of the interfaces, see device.h. */
size_t pk_space_pin(const struct pk_space *s);
void pk_space_renew(struct pk_space *s);

/* Sends all links and addresses again (a new pipeline). */
void pk_space_tell(struct pk_space *s);
void pk_space_tell_addrs(struct pk_space *s);

uint64_t pk_space_cookie(const struct pk_space *s);
uint32_t pk_space_inum(const struct pk_space *s);
const char *pk_space_name(const struct pk_space *s);
bool pk_space_is_host(const struct pk_space *s);

/* The namespace of the calling process. */
int pk_space_self_cookie(uint64_t *ret_cookie);
