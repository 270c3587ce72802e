/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What netlink tells about one net namespace, by libnl's cache manager: its interfaces, addresses,
 * default gateways and neighbours. What is done about them is the caller's business.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct nl_cache;
struct nl_cache_mngr;
struct pk_msg_addr;
struct rtnl_link;

enum { PK_WATCH_LINKS, PK_WATCH_ADDRS, PK_WATCH_ROUTES, PK_WATCH_NEIGHS, PK_WATCH_MAX };

struct pk_watch {
	struct nl_cache_mngr *mngr; /* NULL: not open */
	struct nl_cache *cache[PK_WATCH_MAX];
	void (*link)(void *arg, struct rtnl_link *l, bool gone);
	/* Everything but head and netns is filled in. */
	void (*addr)(void *arg, struct pk_msg_addr *m, bool gone);
	void *arg;
};

/* Listens, anew when it did before. Called inside the namespace; tells nothing by itself. */
int pk_watch_open(struct pk_watch *w);
void pk_watch_close(struct pk_watch *w);

int pk_watch_fd(const struct pk_watch *w);

/* Takes what has come. False with *ret_why: messages were lost, open it anew. */
bool pk_watch_read(struct pk_watch *w, const char **ret_why);

bool pk_watch_has_link(const struct pk_watch *w, uint32_t ifindex);

/* Calls back for all that there is. */
void pk_watch_each_link(struct pk_watch *w);
void pk_watch_each_addr(struct pk_watch *w);
