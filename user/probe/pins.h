/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What outlives the process while there is something to enforce: maps and links, pinned in a
 * directory of bpffs; and the taking over of what an earlier process left there.
 *
 *   DIR/meta          a map that says of which ABI the others are, and the flow table's hash key
 *   DIR/maps/NAME
 *   DIR/links/NAME    pk_pins_name() for interfaces, "cgroup-PROGRAM" for the root cgroup
 *
 * meta is pinned after the maps and removed before them. Where it is missing or of another ABI
 * the maps are not taken over, but links are: they keep their programs, and so enforce, until
 * pk_pins_settle(). NULL is a valid struct pk_pins where nothing is ever pinned.
 */
#pragma once

#include "probe/pindir.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct pk_pins;

struct pk_pins_meta {
	uint32_t abi;         /* PK_ABI: stays first for good */
	uint32_t bucket_mask; /* of the flow table */
	uint64_t hash_key[8];
};

/* How to know a link: by what the kernel says about it, never by its name. */
struct pk_pin_want {
	uint32_t type;         /* enum bpf_link_type */
	uint32_t attach;       /* tcx, cgroup: enum bpf_attach_type */
	uint32_t ifindex;      /* xdp, tcx */
	uint64_t cgroup;       /* cgroup: id */
	const uint32_t *progs; /* xdp, tcx: ids of the programs that the interface runs */
	size_t n_progs;
};
#define PK_LINK_CGROUP 3
#define PK_LINK_XDP    6
#define PK_LINK_TCX    11 /* linux/bpf.h of Debian 12 does not have it */

/* Looks for what an earlier process left; makes nothing. -ENOMEM is the only error. */
int pk_pins_open(const char *dir, struct pk_pins **ret);

/* Leaves pinned what is pinned. */
void pk_pins_free(struct pk_pins *p);

const char *pk_pins_trouble(const struct pk_pins *p); /* why nothing can be pinned, or "" */
bool pk_pins_is_held(const struct pk_pins *p);
bool pk_pins_is_adopted(const struct pk_pins *p); /* the maps were taken over */
bool pk_pins_is_waiting(const struct pk_pins *p); /* links of an earlier process are as they were */

/*
 * Between open and load of the object: its maps become the pinned ones. -ENOENT: there are none;
 * -ESTALE: they are of another kind, and nothing was changed.
 */
int pk_pins_reuse(struct pk_pins *p, struct bpf_object *obj, struct pk_pins_meta *ret_meta);

/* From now on renewed links run the new programs. */
void pk_pins_settle(struct pk_pins *p);

/* Pins the maps, where they are not yet; links are pinned as they are put. */
int pk_pins_hold(struct pk_pins *p, const struct bpf_object *obj, const struct pk_pins_meta *meta);

/* Is every map pinned? */
bool pk_pins_are_whole(const struct pk_pins *p, const struct bpf_object *obj);

/* Unpins everything: what is attached is of this process only. */
void pk_pins_release(struct pk_pins *p);

/* Name of the link of one hook: "in-xdp", "in" or "out". */
void pk_pins_name(char name[PK_PIN_NAME_MAX], uint64_t netns, uint32_t ifindex, const char *hook);

/* A pinned link that is what is wanted, now under this name: its descriptor, or -ENOENT. */
int pk_pins_claim(struct pk_pins *p, const char *name, const struct pk_pin_want *want);

/* Gives a claimed link its new program, in one step; while waiting it keeps the old one. */
int pk_pins_renew(const struct pk_pins *p, int link, int prog);

/* Pins a link, unless that name is pinned or nothing is held. 1: it was pinned now. */
int pk_pins_put(struct pk_pins *p, const char *name, int link);
void pk_pins_drop(struct pk_pins *p, const char *name);

/* Detaches what an earlier process left and nobody claimed. Returns how many. */
size_t pk_pins_prune(struct pk_pins *p);

/* Counts of what is pinned and was not claimed, for a report. */
struct pk_pins_left {
	size_t maps, xdp, tcx, cgroup;
	uint32_t map_ids[64]; /* of the maps; programs that use none of them are not ours */
};
void pk_pins_left(const struct pk_pins *p, struct pk_pins_left *ret);
