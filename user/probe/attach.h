/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hooks that serve the whole host: tracepoints and the root cgroup. All are links: they end
 * with us, but for those that refuse calls, while they are pinned.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pk_conf;
struct pk_object;
struct pk_pins;

struct pk_attachment {
	const char *name; /* of the program, borrowed from the object */
	int prog_fd;
	int link_fd;  /* -1: not attached */
	uint8_t kind; /* enum pk_attach_kind */
	char why[64]; /* not attached: the reason */
};

enum pk_attach_kind { PK_ATTACH_OTHER, PK_ATTACH_TRACE, PK_ATTACH_CGROUP };

#define PK_ATTACH_MAX 64

struct pk_attachments {
	struct pk_attachment v[PK_ATTACH_MAX];
	size_t n;
	int cgroup_fd;
	struct pk_pins *pins; /* borrowed */
};

/*
 * Loads the object for the host: all programs, and without those that this kernel refuses, which
 * are then listed in ret_hooks with the reason. Fails when a packet program does not load. Works
 * with the pinned maps where there are any.
 */
int pk_attach_load(const struct pk_conf *conf, uint64_t netns, struct pk_pins *pins,
		   struct pk_object **ret_obj, struct pk_attachments *ret_hooks);

/* Attaches tracepoint and cgroup programs, or takes over; what fails keeps its reason. */
void pk_attach_all(struct pk_attachments *h, struct pk_object *obj, const char *cgroup);

/* Attaches again what somebody detached; calls back for each. */
void pk_attach_check(struct pk_attachments *h, struct pk_object *obj,
		     void (*again)(void *arg, const struct pk_attachment *hook, int r), void *arg);

/* Pins the links that refuse calls, where they are not yet. Returns how many. */
size_t pk_attach_pin(const struct pk_attachments *h);

/* Hooks that were taken over run our programs from now on. */
void pk_attach_renew(struct pk_attachments *h, struct pk_object *obj);

void pk_attach_done(struct pk_attachments *h);
