/* SPDX-License-Identifier: Apache-2.0 */
/* Reads libnl's caches; owns them and their socket. Decides nothing. */
#include "probe/watch.h"

#include "base/cleanup.h"
#include "probe/msg.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <netlink/cache.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>
#include <sys/socket.h>

static void on_link(struct nl_cache *cache, struct nl_object *o, int action, void *arg)
{
	struct rtnl_link *l = (struct rtnl_link *)o;
	const struct pk_watch *w = arg;

	(void)cache;
	/* AF_BRIDGE messages are about a port leaving its bridge, not about the interface. */
	if (rtnl_link_get_family(l) == AF_UNSPEC)
		w->link(w->arg, l, action == NL_ACT_DEL);
}

/* An address in 16 bytes; false for families that are not IP. */
static bool to_16(struct nl_addr *a, uint8_t out[16], unsigned *ret_bits)
{
	unsigned len = a ? nl_addr_get_len(a) : 0;

	memset(out, 0, 16);
	if (len == 4) {
		out[10] = out[11] = 0xff;
		memcpy(out + 12, nl_addr_get_binary_addr(a), 4);
	} else if (len == 16) {
		memcpy(out, nl_addr_get_binary_addr(a), 16);
	} else {
		return false;
	}
	if (ret_bits)
		*ret_bits = nl_addr_get_prefixlen(a) + (len == 4 ? 96 : 0);
	return true;
}

static void tell(const struct pk_watch *w, struct pk_msg_addr *m, int action)
{
	w->addr(w->arg, m, action == NL_ACT_DEL);
}

static void on_addr(struct nl_cache *cache, struct nl_object *o, int action, void *arg)
{
	struct rtnl_addr *a = (struct rtnl_addr *)o;
	struct pk_msg_addr m = { .kind = PK_ADDR_OWN };
	unsigned bits = 0;

	(void)cache;
	if (!to_16(rtnl_addr_get_local(a), m.addr, &bits))
		return;
	m.prefix_bits = (uint8_t)bits;
	m.ifindex = (uint32_t)rtnl_addr_get_ifindex(a);
	tell(arg, &m, action);
}

static void on_route(struct nl_cache *cache, struct nl_object *o, int action, void *arg)
{
	struct rtnl_route *route = (struct rtnl_route *)o;
	struct nl_addr *dst = rtnl_route_get_dst(route);

	(void)cache;
	if (dst && nl_addr_get_prefixlen(dst))
		return; /* only default routes name a gateway that must stay reachable */
	for (int i = 0; i < rtnl_route_get_nnexthops(route); i++) {
		struct rtnl_nexthop *nh = rtnl_route_nexthop_n(route, i);
		struct pk_msg_addr m = { .kind = PK_ADDR_GATEWAY };

		if (!to_16(rtnl_route_nh_get_gateway(nh), m.addr, NULL))
			continue;
		m.ifindex = (uint32_t)rtnl_route_nh_get_ifindex(nh);
		tell(arg, &m, action);
	}
}

static void on_neigh(struct nl_cache *cache, struct nl_object *o, int action, void *arg)
{
	struct rtnl_neigh *n = (struct rtnl_neigh *)o;
	struct nl_addr *mac = rtnl_neigh_get_lladdr(n);
	struct pk_msg_addr m = { .kind = PK_ADDR_NEIGHBOUR };

	(void)cache;
	if (rtnl_neigh_get_state(n) & (NUD_NOARP | NUD_FAILED | NUD_INCOMPLETE))
		action = NL_ACT_DEL;
	if (!to_16(rtnl_neigh_get_dst(n), m.addr, NULL))
		return;
	if (mac && nl_addr_get_len(mac) == 6)
		memcpy(m.mac, nl_addr_get_binary_addr(mac), 6);
	m.ifindex = (uint32_t)rtnl_neigh_get_ifindex(n);
	tell(arg, &m, action);
}

static const struct {
	const char *name;
	change_func_t change;
} kinds[PK_WATCH_MAX] = {
	[PK_WATCH_LINKS] = { "route/link", on_link },
	[PK_WATCH_ADDRS] = { "route/addr", on_addr },
	[PK_WATCH_ROUTES] = { "route/route", on_route },
	[PK_WATCH_NEIGHS] = { "route/neigh", on_neigh },
};

struct each {
	struct pk_watch *w;
	change_func_t change;
};

static void each_object(struct nl_object *o, void *arg)
{
	struct each *e = arg;

	e->change(NULL, o, NL_ACT_NEW, e->w);
}

static void each_of(struct pk_watch *w, int kind)
{
	struct each e = { w, kinds[kind].change };

	nl_cache_foreach(w->cache[kind], each_object, &e);
}

void pk_watch_each_link(struct pk_watch *w)
{
	each_of(w, PK_WATCH_LINKS);
}

void pk_watch_each_addr(struct pk_watch *w)
{
	for (int i = PK_WATCH_ADDRS; i < PK_WATCH_MAX; i++)
		each_of(w, i);
}

bool pk_watch_has_link(const struct pk_watch *w, uint32_t ifindex)
{
	struct rtnl_link *l = rtnl_link_get(w->cache[PK_WATCH_LINKS], (int)ifindex);

	if (l)
		rtnl_link_put(l);
	return l != NULL;
}

void pk_watch_close(struct pk_watch *w)
{
	if (w->mngr)
		nl_cache_mngr_free(w->mngr);
	w->mngr = NULL;
}

int pk_watch_open(struct pk_watch *w)
{
	int r;

	pk_watch_close(w);
	r = nl_cache_mngr_alloc(NULL, NETLINK_ROUTE, 0, &w->mngr);
	for (int i = 0; !r && i < PK_WATCH_MAX; i++)
		r = nl_cache_mngr_add(w->mngr, kinds[i].name, kinds[i].change, w, &w->cache[i]);
	return r < 0 ? -EIO : 0;
}

int pk_watch_fd(const struct pk_watch *w)
{
	return nl_cache_mngr_get_fd(w->mngr);
}

bool pk_watch_read(struct pk_watch *w, const char **ret_why)
{
	int r = nl_cache_mngr_data_ready(w->mngr);

	if (r >= 0 || r == -NLE_AGAIN)
		return true;
	*ret_why = nl_geterror(r);
	return false;
}
