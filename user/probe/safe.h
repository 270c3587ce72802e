/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may never be blocked, and who says so: own addresses and default gateways of each namespace,
 * resolvers, management networks, administrators who are connected, what IP itself needs. The same
 * address may be named by many; it is safe until the last of them lets go.
 */
#pragma once

#include "probe/safeset.h"

struct pk_conf_list;

#define PK_SAFE_ADMINS   64
#define PK_SAFE_ADMIN_NS (600ULL * 1000000000) /* after it was told last */
#define PK_SAFE_EXCEPTS  256
#define PK_SAFE_SOURCES  65536
#define PK_SAFE_BUCKETS  1024

/* One who names an address. */
struct pk_safe_source {
	uint64_t netns;
	uint32_t ifindex;
	uint32_t kind; /* one bit of enum pk_blk_safe_kind */
	struct pk_blk_safe_key key;
};

struct pk_safe {
	struct pk_safeset set; /* descriptors, tell and arg are the caller's to set */
	void (*notice)(void *arg, int level, const char *fmt, ...)
		__attribute__((format(printf, 3, 4)));
	void *arg; /* of notice */
	/* The file's own. */
	struct pk_safe_node *bucket[PK_SAFE_BUCKETS];
	size_t sources;
	uint32_t round;
	struct {
		uint8_t addr[16];
		uint64_t until_ns;
	} admin[PK_SAFE_ADMINS];
	size_t admins;
	bool full_told, sources_told, admins_told;
};

/*
 * What IP needs is safe from here on, and what an earlier process left in the set until
 * pk_safe_settle(). -ENOMEM.
 */
int pk_safe_open(struct pk_safe *s, uint64_t now_ns);
void pk_safe_settle(struct pk_safe *s);
void pk_safe_close(struct pk_safe *s);

void pk_safe_add(struct pk_safe *s, const struct pk_safe_source *src);
void pk_safe_remove(struct pk_safe *s, const struct pk_safe_source *src);

/*
 * Between the two all is named again that there is of these kinds in a namespace; what was not, is
 * no more.
 */
void pk_safe_begin(struct pk_safe *s);
void pk_safe_end(struct pk_safe *s, uint64_t netns, uint32_t kinds);

/* An interface went down: routes over it are gone, of which the kernel tells nobody. */
void pk_safe_link_down(struct pk_safe *s, uint64_t netns, uint32_t ifindex);

/* Networks as text; what is not one is left out. */
void pk_safe_management(struct pk_safe *s, const struct pk_conf_list *nets);

/* -ENOSPC: too many; -EINVAL: nobody has this address. */
int pk_safe_admin(struct pk_safe *s, const uint8_t addr[16], uint64_t now_ns);

/* As pk_safeset_except(), and -ENOSPC. */
int pk_safe_except(struct pk_safe *s, const uint8_t addr[16], bool on);

/* Once a second. */
void pk_safe_tick(struct pk_safe *s, uint64_t now_ns);
