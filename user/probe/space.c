/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows one net namespace and keeps its interfaces covered. Entering a namespace is done around
 * each piece of work; the process always returns to its own.
 */
#include "probe/space.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "conf/conf.h"
#include "probe/msg.h"
#include "probe/object.h"
#include "probe/pins.h"
#include "probe/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <netlink/route/link.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* kernel 5.14 */
#endif

#define LINKS_MAX 16384 /* beyond it interfaces are reported and not covered */

struct pk_space {
	uint64_t cookie;
	uint32_t inum;
	char name[64];
	bool is_host;
	int ns_fd, home_fd; /* home: the broker's own namespace */
	const struct pk_space_env *env;
	struct pk_object *usual;  /* XDP and tc egress; NULL: the host's */
	struct pk_object *seldom; /* the others, once an interface needed one */
	struct pk_watch watch;
	struct pk_device **dev;
	size_t n_dev, cap_dev;
};

static int enter(const struct pk_space *s)
{
	return s->is_host || !setns(s->ns_fd, CLONE_NEWNET) ? 0 : -errno;
}

static void leave(const struct pk_space *s)
{
	if (!s->is_host && setns(s->home_fd, CLONE_NEWNET) < 0) {
		pk_error("can not return to the own network namespace: %m; ending");
		abort(); /* whatever is done next would be done to the wrong namespace */
	}
}

static int load(const struct pk_space *s, const char *const *names, struct pk_object **ret)
{
	struct pk_object_opts opts = { .netns = s->cookie, .progs = names, .share = s->env->host };
	struct pk_object *o;
	int r = pk_object_open(&opts, &o);

	if (r < 0)
		return r;
	r = pk_object_load(o);
	if (r < 0)
		pk_object_free(o);
	else
		*ret = o;
	return r;
}

/*
 * Loading takes the verifier about 200 ms a program: a namespace is covered sooner when what its
 * interfaces seldom need waits until one does.
 */
static int program(void *arg, const char *name)
{
	static const char *const seldom[] = { PK_PROG_TC_IN, PK_PROG_TC_IN_L3, PK_PROG_TC_OUT_L3,
					      NULL };
	struct pk_space *s = arg;
	int fd = pk_object_prog_fd(s->usual ? s->usual : s->env->host, name), r;

	if (fd >= 0)
		return fd;
	if (!s->seldom) {
		r = load(s, seldom, &s->seldom);
		if (r < 0)
			return r;
	}
	return pk_object_prog_fd(s->seldom, name);
}

static struct pk_progs progs_of(struct pk_space *s)
{
	return (struct pk_progs){ program, s };
}

int pk_space_self_cookie(uint64_t *ret_cookie)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret_cookie);

	if (fd < 0)
		return -errno;
	return getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_cookie, &len) < 0 ? -errno : 0;
}

static void tell_link(const struct pk_space *s, const struct pk_device *d, uint32_t type)
{
	struct pk_msg_link m = {
		.head = { type, sizeof(m) },
		.netns = s->cookie,
		.netns_inum = s->inum,
		.ifindex = d->ifindex,
		.flags = d->flags,
		.mtu = d->mtu,
		.ingress = d->ingress,
		.egress = d->egress,
		.since_ns = d->since_ns,
	};

	memcpy(m.name, d->name, sizeof(m.name));
	memcpy(m.kind, d->kind, sizeof(m.kind));
	memcpy(m.netns_name, s->name, sizeof(m.netns_name));
	memcpy(m.reason, d->reason, sizeof(m.reason));
	s->env->ops.send(s->env->ops.arg, &m.head);
}

static struct pk_device *find_device(const struct pk_space *s, uint32_t ifindex)
{
	for (size_t i = 0; i < s->n_dev; i++)
		if (s->dev[i]->ifindex == ifindex)
			return s->dev[i];
	return NULL;
}

static struct pk_device *add_device(struct pk_space *s, uint32_t ifindex)
{
	struct pk_device *d;

	if (s->n_dev == LINKS_MAX)
		return NULL;
	if (s->n_dev == s->cap_dev) {
		size_t cap = s->cap_dev ? s->cap_dev * 2 : 16;
		struct pk_device **v = realloc(s->dev, cap * sizeof(struct pk_device *));

		if (!v)
			return NULL;
		s->dev = v;
		s->cap_dev = cap;
	}
	d = malloc(sizeof(*d));
	if (!d)
		return NULL;
	pk_device_init(d);
	d->pins = s->env->pins;
	d->netns = s->cookie;
	d->ifindex = ifindex;
	s->dev[s->n_dev++] = d;
	return d;
}

static void drop_device(struct pk_space *s, const struct pk_device *d)
{
	for (size_t i = 0; i < s->n_dev; i++)
		if (s->dev[i] == d) {
			free(s->dev[i]);
			s->dev[i] = s->dev[--s->n_dev];
			return;
		}
}

static bool is_covered(const struct pk_device *d)
{
	return d->xdp_fd >= 0 || d->in_fd >= 0 || d->out_fd >= 0 || d->tc_in || d->tc_out;
}

/* Attaches or detaches so that the interface is as the configuration wants it. */
static void settle(struct pk_space *s, struct pk_device *d)
{
	bool want = pk_conf_covers(s->env->conf, d->name);
	struct pk_progs progs = progs_of(s);
	int r;

	if (want == is_covered(d) && d->ingress != PK_COVER_NONE)
		return;
	r = enter(s);
	if (r < 0) {
		snprintf(d->reason, sizeof(d->reason), "network namespace: %s", strerror(-r));
		return;
	}
	pk_device_detach(d);
	if (want) {
		pk_device_attach(d, &progs, s->env->conf->xdp);
	} else {
		d->ingress = d->egress = PK_COVER_EXCLUDED;
		snprintf(d->reason, sizeof(d->reason), "excluded by the configuration");
	}
	leave(s);
}

static void copy_text(char *to, size_t size, const char *from)
{
	memset(to, 0, size);
	if (from)
		snprintf(to, size, "%s", from);
}

static bool read_link(struct pk_device *d, struct rtnl_link *l)
{
	struct pk_device old = *d;

	d->flags = rtnl_link_get_flags(l);
	d->mtu = rtnl_link_get_mtu(l);
	d->arptype = rtnl_link_get_arptype(l);
	copy_text(d->name, sizeof(d->name), rtnl_link_get_name(l));
	copy_text(d->kind, sizeof(d->kind), rtnl_link_get_type(l));
	return d->mtu != old.mtu || strcmp(d->name, old.name) != 0 ||
	       (d->flags ^ old.flags) & (IFF_UP | IFF_LOWER_UP | IFF_RUNNING);
}

static void link_new(struct pk_space *s, struct rtnl_link *l)
{
	uint32_t ifindex = (uint32_t)rtnl_link_get_ifindex(l);
	struct pk_device *d = find_device(s, ifindex);
	bool is_new = !d, changed;

	if (!d)
		d = add_device(s, ifindex);
	if (!d) {
		s->env->ops.notice(s->env->ops.arg, PK_LOG_WARN,
				   "interface %u of %s: no memory, not covered", ifindex,
				   s->is_host ? "the host" : s->name);
		return;
	}
	changed = read_link(d, l);
	if (!is_new && !changed)
		return;
	settle(s, d);
	tell_link(s, d, PK_MSG_LINK);
}

static void link_gone(struct pk_space *s, struct rtnl_link *l)
{
	struct pk_device *d = find_device(s, (uint32_t)rtnl_link_get_ifindex(l));

	if (!d)
		return;
	pk_device_forget(d);
	tell_link(s, d, PK_MSG_LINK_GONE);
	drop_device(s, d);
}

static void on_link(void *arg, struct rtnl_link *l, bool gone)
{
	if (gone)
		link_gone(arg, l);
	else
		link_new(arg, l);
}

static void on_addr(void *arg, struct pk_msg_addr *m, bool gone)
{
	const struct pk_space *s = arg;

	m->head.type = gone ? PK_MSG_ADDR_GONE : PK_MSG_ADDR;
	m->head.size = sizeof(*m);
	m->netns = s->cookie;
	s->env->ops.send(s->env->ops.arg, &m->head);
}

void pk_space_tell_addrs(struct pk_space *s)
{
	s->env->ops.round(s->env->ops.arg, s->cookie, false);
	pk_watch_each_addr(&s->watch);
	s->env->ops.round(s->env->ops.arg, s->cookie, true);
}

/* Interfaces that went while nobody listened. */
static void drop_vanished(struct pk_space *s)
{
	for (size_t i = s->n_dev; i-- > 0;) {
		if (pk_watch_has_link(&s->watch, s->dev[i]->ifindex))
			continue;
		pk_device_forget(s->dev[i]);
		tell_link(s, s->dev[i], PK_MSG_LINK_GONE);
		drop_device(s, s->dev[i]);
	}
}

static int listen_again(struct pk_space *s)
{
	int r = enter(s);

	if (r < 0)
		return r;
	r = pk_watch_open(&s->watch);
	leave(s);
	if (r < 0)
		return r;
	drop_vanished(s);
	pk_watch_each_link(&s->watch);
	pk_space_tell_addrs(s);
	return 0;
}

static void space_freep(struct pk_space **s)
{
	if (*s)
		pk_space_close(*s, false);
}

int pk_space_open(int ns_fd, const char *name, bool is_host, const struct pk_space_env *env,
		  struct pk_space **ret)
{
	static const char *const usual[] = { PK_PROG_XDP, PK_PROG_TC_OUT, NULL };
	_cleanup_(space_freep) struct pk_space *s = calloc(1, sizeof(*s));
	struct stat st;
	int r;

	if (!s)
		return -ENOMEM;
	s->is_host = is_host;
	s->env = env;
	s->watch = (struct pk_watch){ .link = on_link, .addr = on_addr, .arg = s };
	copy_text(s->name, sizeof(s->name), name);
	s->home_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	s->ns_fd = fcntl(ns_fd, F_DUPFD_CLOEXEC, 3);
	if (s->ns_fd < 0 || s->home_fd < 0 || fstat(s->ns_fd, &st) < 0)
		return -errno;
	s->inum = (uint32_t)st.st_ino;
	r = enter(s);
	if (r < 0)
		return r;
	r = pk_space_self_cookie(&s->cookie);
	leave(s);
	if (!r && !is_host)
		r = load(s, usual, &s->usual);
	if (!r)
		r = listen_again(s);
	if (r < 0)
		return r;
	*ret = PK_TAKE(s);
	return 0;
}

void pk_space_close(struct pk_space *s, bool gone)
{
	bool inside, stay;

	if (!s)
		return;
	stay = !gone && pk_pins_is_held(s->env->pins);
	inside = !gone && !stay && s->ns_fd >= 0 && !enter(s);
	for (size_t i = 0; i < s->n_dev; i++) {
		if (stay)
			pk_device_let_go(s->dev[i]);
		else if (inside)
			pk_device_detach(s->dev[i]);
		else
			pk_device_forget(s->dev[i]);
	}
	if (inside)
		leave(s);
	for (size_t i = 0; i < s->n_dev; i++) {
		if (gone)
			tell_link(s, s->dev[i], PK_MSG_LINK_GONE);
		free(s->dev[i]);
	}
	if (gone) { /* and its addresses with it */
		s->env->ops.round(s->env->ops.arg, s->cookie, false);
		s->env->ops.round(s->env->ops.arg, s->cookie, true);
	}
	free(s->dev);
	pk_watch_close(&s->watch);
	pk_object_free(s->usual);
	pk_object_free(s->seldom);
	pk_closep(&s->ns_fd);
	pk_closep(&s->home_fd);
	free(s);
}

int pk_space_fd(const struct pk_space *s)
{
	return pk_watch_fd(&s->watch);
}

void pk_space_read(struct pk_space *s)
{
	const char *why;
	int r;

	if (pk_watch_read(&s->watch, &why))
		return;
	/* Messages were lost (a storm of changes): what is there now is read whole. */
	s->env->ops.notice(s->env->ops.arg, PK_LOG_NOTICE,
			   "netlink: %s; reading all interfaces again", why);
	r = listen_again(s);
	if (r < 0)
		s->env->ops.notice(s->env->ops.arg, PK_LOG_ERROR,
				   "netlink: %s; interfaces are not followed", strerror(-r));
}

void pk_space_check(struct pk_space *s)
{
	struct pk_progs progs = progs_of(s);
	int r = enter(s);

	if (r < 0)
		return;
	for (size_t i = 0; i < s->n_dev; i++) {
		struct pk_device *d = s->dev[i];

		if (!is_covered(d))
			continue;
		if (pk_device_is_intact(d)) {
			if (pk_device_pin(d))
				s->env->ops.notice(
					s->env->ops.arg, PK_LOG_WARN,
					"a pin of %s was removed by somebody; pinned again",
					d->name);
			continue;
		}
		pk_device_detach(d);
		pk_device_attach(d, &progs, s->env->conf->xdp);
		s->env->ops.notice(
			s->env->ops.arg, PK_LOG_WARN, "a hook on %s was removed by somebody; %s",
			d->name, is_covered(d) ? "attached again" : "it can not be attached again");
		tell_link(s, d, PK_MSG_LINK);
	}
	leave(s);
}

size_t pk_space_pin(const struct pk_space *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_dev; i++)
		n += pk_device_pin(s->dev[i]);
	return n;
}

void pk_space_renew(struct pk_space *s)
{
	struct pk_progs progs = progs_of(s);
	int r = enter(s);

	if (r < 0) {
		pk_warn("network namespace %s: %s; its hooks keep their programs", s->name,
			strerror(-r));
		return;
	}
	for (size_t i = 0; i < s->n_dev; i++)
		if (is_covered(s->dev[i]))
			pk_device_renew(s->dev[i], &progs, s->env->conf->xdp);
	leave(s);
}

void pk_space_recover(struct pk_space *s)
{
	for (size_t i = 0; i < s->n_dev; i++) {
		settle(s, s->dev[i]);
		tell_link(s, s->dev[i], PK_MSG_LINK);
	}
}

void pk_space_tell(struct pk_space *s)
{
	for (size_t i = 0; i < s->n_dev; i++)
		tell_link(s, s->dev[i], PK_MSG_LINK);
	pk_space_tell_addrs(s);
}

uint64_t pk_space_cookie(const struct pk_space *s)
{
	return s->cookie;
}

uint32_t pk_space_inum(const struct pk_space *s)
{
	return s->inum;
}

const char *pk_space_name(const struct pk_space *s)
{
	return s->name;
}

bool pk_space_is_host(const struct pk_space *s)
{
	return s->is_host;
}
