/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attaches packet programs to an interface: XDP native, else generic, else tc ingress; tc egress
 * by tcx where the kernel has it (6.6), else clsact. Another tool's program is never replaced.
 * Links that an earlier process pinned are taken over: they get our programs without a moment
 * between.
 */
#include "probe/device.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "probe/msg.h"
#include "probe/object.h"
#include "probe/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/netlink.h>
#include <netlink/route/classifier.h>
#include <string.h>
#include <unistd.h>

/* linux/bpf.h of Debian 12 does not have them: BPF_TCX_INGRESS and BPF_TCX_EGRESS (kernel 6.6). */
#define TCX_INGRESS 46
#define TCX_EGRESS  47

/* Where our filter sits in clsact: fixed, so that leftovers of a killed agent are found again. */
#define OUR_HANDLE   0x504b
#define OUR_PRIORITY 50

enum hook { HOOK_XDP, HOOK_IN, HOOK_OUT };

static void pin_name(char name[PK_PIN_NAME_MAX], const struct pk_device *d, enum hook hook)
{
	static const char *const names[] = { "in-xdp", "in", "out" };

	pk_pins_name(name, d->netns, d->ifindex, names[hook]);
}

/* Unpinned and closed; the kernel would detach an unpinned one only later. */
static void drop_link(const struct pk_device *d, int *fd, enum hook hook)
{
	char name[PK_PIN_NAME_MAX];

	if (*fd < 0)
		return;
	pin_name(name, d, hook);
	pk_pins_drop(d->pins, name);
	(void)bpf_link_detach(*fd); /* somebody did already, or the interface went */
	close(*fd);
	*fd = -1;
}

/* A link that an earlier process pinned, with our program in it; -ENOENT: none. */
static int take_over(const struct pk_device *d, struct pk_pin_want *want, enum hook hook, int prog)
{
	char name[PK_PIN_NAME_MAX];
	int fd, r;

	want->ifindex = d->ifindex;
	pin_name(name, d, hook);
	fd = pk_pins_claim(d->pins, name, want);
	if (fd < 0)
		return fd;
	r = pk_pins_renew(d->pins, fd, prog);
	if (!r)
		return fd;
	drop_link(d, &fd, hook);
	return -ENOENT;
}

void pk_device_init(struct pk_device *d)
{
	*d = (struct pk_device){ .xdp_fd = -1, .in_fd = -1, .out_fd = -1 };
}

static bool has_ethernet(const struct pk_device *d)
{
	return d->arptype == ARPHRD_ETHER || d->arptype == ARPHRD_LOOPBACK;
}

/* Devices that carry bare IP packets: tun, WireGuard, IPIP, SIT, GRE, PPP, raw IP modems. */
static bool is_bare_ip(const struct pk_device *d)
{
	switch (d->arptype) {
	case ARPHRD_NONE:
	case ARPHRD_PPP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case 823: /* ARPHRD_IP6GRE */
	case 519: /* ARPHRD_RAWIP */
		return true;
	default:
		return false;
	}
}

static int xdp_link(const struct pk_device *d, const struct pk_progs *progs, uint32_t mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = mode);
	int prog = progs->fd(progs->arg, PK_PROG_XDP), fd;

	if (prog < 0)
		return prog;
	fd = bpf_link_create(prog, (int)d->ifindex, BPF_XDP, &opts);
	return fd == -1 ? -errno : fd;
}

static bool take_over_xdp(struct pk_device *d, const struct pk_progs *progs, uint64_t xdp)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, now);
	int prog = progs->fd(progs->arg, PK_PROG_XDP);
	struct pk_pin_want want = { .type = PK_LINK_XDP, .n_progs = 1 };
	bool native;

	if (!pk_pins_is_held(d->pins) || prog < 0 || bpf_xdp_query((int)d->ifindex, 0, &now) < 0)
		return false;
	native = now.drv_prog_id;
	want.progs = native ? &now.drv_prog_id : &now.skb_prog_id;
	d->xdp_fd = take_over(d, &want, HOOK_XDP, prog);
	if (d->xdp_fd < 0)
		return false;
	d->ingress = native ? PK_COVER_XDP_NATIVE : PK_COVER_XDP_GENERIC;
	if (xdp == PK_XDP_AUTO || xdp == (native ? PK_XDP_NATIVE : PK_XDP_GENERIC) ||
	    pk_pins_is_waiting(d->pins))
		return true;
	drop_link(d, &d->xdp_fd, HOOK_XDP); /* the configuration changed */
	return false;
}

static int attach_xdp(struct pk_device *d, const struct pk_progs *progs, uint64_t xdp)
{
	int r = -EOPNOTSUPP;

	if (take_over_xdp(d, progs, xdp))
		return 0;
	if (xdp == PK_XDP_AUTO || xdp == PK_XDP_NATIVE) {
		r = xdp_link(d, progs, XDP_FLAGS_DRV_MODE);
		if (r >= 0) {
			d->ingress = PK_COVER_XDP_NATIVE;
			d->xdp_fd = r;
			return 0;
		}
	}
	/* Somebody's program, native or generic: whichever mode we try is refused with one of
	 * these. */
	if (r == -EBUSY || r == -EEXIST || xdp == PK_XDP_NATIVE)
		return r;
	r = xdp_link(d, progs, XDP_FLAGS_SKB_MODE);
	if (r < 0)
		return r;
	d->ingress = PK_COVER_XDP_GENERIC;
	d->xdp_fd = r;
	return 0;
}

static int clsact_attach(struct pk_device *d, int prog, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)d->ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = OUR_HANDLE, .priority = OUR_PRIORITY,
		    .prog_fd = prog, .flags = BPF_TC_F_REPLACE);
	LIBBPF_OPTS(bpf_tc_opts, left, .handle = OUR_HANDLE, .priority = OUR_PRIORITY);
	int r = bpf_tc_hook_create(&hook);
	bool there;

	if (r < 0 && r != -EEXIST)
		return r;
	/* With our filter in it, it is what an agent that was killed left. */
	there = !bpf_tc_query(&hook, &left);
	if (!r || there)
		d->made_clsact = true;
	if (there && pk_pins_is_waiting(d->pins))
		return 0;
	return bpf_tc_attach(&hook, &opts); /* replaces the program in one step */
}

static void clsact_detach(const struct pk_device *d, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)d->ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = OUR_HANDLE, .priority = OUR_PRIORITY);

	(void)bpf_tc_detach(&hook, &opts); /* gone already is what we want */
}

/* More programs than that beside ours: ours is not found and another one attached. */
#define TCX_PROGS 64

static int take_over_tcx(struct pk_device *d, int prog, bool ingress)
{
	uint32_t ids[TCX_PROGS], n = TCX_PROGS;
	int type = ingress ? TCX_INGRESS : TCX_EGRESS;
	struct pk_pin_want want = { .type = PK_LINK_TCX, .attach = (uint32_t)type, .progs = ids };

	if (!pk_pins_is_held(d->pins) ||
	    bpf_prog_query((int)d->ifindex, (enum bpf_attach_type)type, 0, NULL, ids, &n) < 0)
		return -ENOENT;
	want.n_progs = n;
	return take_over(d, &want, ingress ? HOOK_IN : HOOK_OUT, prog);
}

static int attach_tcx(struct pk_device *d, int prog, bool ingress)
{
	int fd = take_over_tcx(d, prog, ingress);

	if (fd < 0)
		fd = bpf_link_create(prog, (int)d->ifindex, ingress ? TCX_INGRESS : TCX_EGRESS,
				     NULL);
	return fd == -1 ? -errno : fd;
}

static const char *tc_prog(const struct pk_device *d, bool ingress)
{
	bool l3 = !has_ethernet(d);

	return ingress ? (l3 ? PK_PROG_TC_IN_L3 : PK_PROG_TC_IN)
		       : (l3 ? PK_PROG_TC_OUT_L3 : PK_PROG_TC_OUT);
}

/* tcx where the kernel knows it, else a clsact filter. Returns the cover or -errno. */
static int attach_tc(struct pk_device *d, const struct pk_progs *progs, bool ingress)
{
	int prog = progs->fd(progs->arg, tc_prog(d, ingress)), r;

	if (prog < 0)
		return prog;
	r = attach_tcx(d, prog, ingress);
	if (r >= 0) {
		*(ingress ? &d->in_fd : &d->out_fd) = r;
		return PK_COVER_TCX;
	}
	if (r != -EINVAL && r != -EOPNOTSUPP)
		return r;
	r = clsact_attach(d, prog, ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
	if (r < 0)
		return r;
	*(ingress ? &d->tc_in : &d->tc_out) = true;
	return PK_COVER_CLSACT;
}

static void attach_ingress(struct pk_device *d, const struct pk_progs *progs, uint64_t xdp)
{
	int why = -EOPNOTSUPP, r;

	if (has_ethernet(d) && xdp != PK_XDP_OFF) {
		why = attach_xdp(d, progs, xdp);
		if (!why)
			return;
	}
	r = attach_tc(d, progs, true);
	if (r < 0) {
		d->ingress = PK_COVER_NONE;
		snprintf(d->reason, sizeof(d->reason), "ingress: %s", strerror(-r));
		return;
	}
	d->ingress = (uint8_t)r;
	if (why == -EBUSY || why == -EEXIST)
		snprintf(d->reason, sizeof(d->reason),
			 "another tool's XDP program is attached and left alone; tc ingress used");
	else if (has_ethernet(d) && xdp != PK_XDP_OFF)
		snprintf(d->reason, sizeof(d->reason), "no XDP here (%s); tc ingress used",
			 strerror(-why));
}

void pk_device_attach(struct pk_device *d, const struct pk_progs *progs, uint64_t xdp)
{
	int r;

	d->reason[0] = 0;
	d->ingress = d->egress = PK_COVER_NONE;
	if (!has_ethernet(d) && !is_bare_ip(d)) {
		snprintf(d->reason, sizeof(d->reason), "link type %u is not understood",
			 d->arptype);
		return;
	}
	if (d->flags & IFF_LOOPBACK)
		d->ingress = PK_COVER_NOT_NEEDED;
	else
		attach_ingress(d, progs, xdp);
	r = attach_tc(d, progs, false);
	if (r < 0)
		snprintf(d->reason, sizeof(d->reason), "egress: %s", strerror(-r));
	else
		d->egress = (uint8_t)r;
	(void)pk_device_pin(d);
	d->since_ns = pk_clock_boot_ns();
}

size_t pk_device_pin(const struct pk_device *d)
{
	const int fd[] = { d->xdp_fd, d->in_fd, d->out_fd };
	char name[PK_PIN_NAME_MAX];
	size_t n = 0;

	for (enum hook h = HOOK_XDP; h <= HOOK_OUT; h++) {
		pin_name(name, d, h);
		n += fd[h] >= 0 && pk_pins_put(d->pins, name, fd[h]) > 0;
	}
	return n;
}

static int renew(const struct pk_device *d, const struct pk_progs *progs, int link,
		 const char *name)
{
	int prog = link < 0 ? 0 : progs->fd(progs->arg, name);

	return link < 0 || prog < 0 ? prog : pk_pins_renew(d->pins, link, prog);
}

static int renew_filter(struct pk_device *d, const struct pk_progs *progs, bool ingress)
{
	int prog = progs->fd(progs->arg, tc_prog(d, ingress));

	return prog < 0 ? prog : clsact_attach(d, prog, ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
}

void pk_device_renew(struct pk_device *d, const struct pk_progs *progs, uint64_t xdp)
{
	int r = renew(d, progs, d->xdp_fd, PK_PROG_XDP);

	if (!r)
		r = renew(d, progs, d->in_fd, tc_prog(d, true));
	if (!r)
		r = renew(d, progs, d->out_fd, tc_prog(d, false));
	if (!r && d->tc_in)
		r = renew_filter(d, progs, true);
	if (!r && d->tc_out)
		r = renew_filter(d, progs, false);
	if (!r)
		return;
	pk_warn("hooks of %s: %s; attaching them anew", d->name, strerror(-r));
	pk_device_detach(d);
	pk_device_attach(d, progs, xdp);
}

void pk_device_let_go(struct pk_device *d)
{
	pk_closep(&d->xdp_fd);
	pk_closep(&d->in_fd);
	pk_closep(&d->out_fd);
	d->xdp_fd = d->in_fd = d->out_fd = -1;
}

void pk_device_forget(struct pk_device *d)
{
	drop_link(d, &d->xdp_fd, HOOK_XDP);
	drop_link(d, &d->in_fd, HOOK_IN);
	drop_link(d, &d->out_fd, HOOK_OUT);
	d->tc_in = d->tc_out = d->made_clsact = false;
	d->ingress = d->egress = PK_COVER_NONE;
	d->since_ns = 0;
}

/* Has this side of clsact any filter, whosever? Unknown counts as yes. */
static bool has_filters(struct nl_sock *sk, const struct pk_device *d, uint32_t parent)
{
	struct nl_cache *cache;
	bool any;

	if (rtnl_cls_alloc_cache(sk, (int)d->ifindex, parent, &cache) < 0)
		return true;
	any = !nl_cache_is_empty(cache);
	nl_cache_free(cache);
	return any;
}

/* Asked only before removing a qdisc that we made: others may have put filters into it since. */
static bool clsact_is_empty(const struct pk_device *d)
{
	struct nl_sock *sk = nl_socket_alloc();
	bool empty = sk && nl_connect(sk, NETLINK_ROUTE) >= 0 &&
		     !has_filters(sk, d, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)) &&
		     !has_filters(sk, d, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));

	nl_socket_free(sk);
	return empty;
}

void pk_device_detach(struct pk_device *d)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)d->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	if (d->tc_in)
		clsact_detach(d, BPF_TC_INGRESS);
	if (d->tc_out)
		clsact_detach(d, BPF_TC_EGRESS);
	if (d->made_clsact && clsact_is_empty(d))
		(void)bpf_tc_hook_destroy(&hook); /* left behind: an empty qdisc does no harm */
	pk_device_forget(d);
}

size_t pk_device_drop_filters(uint32_t ifindex, bool (*is_ours)(void *arg, uint32_t prog_id),
			      void *arg)
{
	static const enum bpf_tc_attach_point sides[] = { BPF_TC_INGRESS, BPF_TC_EGRESS };
	struct pk_device d;
	size_t n = 0;

	pk_device_init(&d);
	d.ifindex = ifindex;
	for (int i = 0; i < 2; i++) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = sides[i]);
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = OUR_HANDLE, .priority = OUR_PRIORITY);

		if (bpf_tc_query(&hook, &opts) < 0 || !is_ours(arg, opts.prog_id))
			continue;
		*(i ? &d.tc_out : &d.tc_in) = true;
		n++;
	}
	d.made_clsact = n > 0;
	pk_device_detach(&d);
	return n;
}

/* A link that was detached by somebody, or whose device is gone, has no interface any more. */
static bool link_holds(int fd, uint32_t ifindex)
{
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info);

	/* tcx keeps its ifindex in the same place; Debian 12's header only names xdp. */
	return bpf_obj_get_info_by_fd(fd, &info, &len) < 0 || info.xdp.ifindex == ifindex;
}

static bool filter_holds(const struct pk_device *d, enum bpf_tc_attach_point point)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)d->ifindex, .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = OUR_HANDLE, .priority = OUR_PRIORITY);

	return !bpf_tc_query(&hook, &opts);
}

bool pk_device_is_intact(const struct pk_device *d)
{
	return (d->xdp_fd < 0 || link_holds(d->xdp_fd, d->ifindex)) &&
	       (d->in_fd < 0 || link_holds(d->in_fd, d->ifindex)) &&
	       (d->out_fd < 0 || link_holds(d->out_fd, d->ifindex)) &&
	       (!d->tc_in || filter_holds(d, BPF_TC_INGRESS)) &&
	       (!d->tc_out || filter_holds(d, BPF_TC_EGRESS));
}
