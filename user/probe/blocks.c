/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the pipeline about pool, safe set and saved lists, and passes its wishes on to them. */
#include "probe/blocks.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "probe/child.h"
#include "probe/object.h"

#include <errno.h>
#include <linux/if.h>
#include <stdio.h>
#include <string.h>

#define GREET_WAIT_MS 5000 /* a new pipeline reads as fast as it can */
#define SEND_WAIT_MS  200  /* as the broker's */

static int tell_chunk(void *arg, uint32_t index, bool fresh, int fd)
{
	const struct pk_blocks *b = arg;
	struct pk_msg_chunk m = { { PK_MSG_CHUNK, sizeof(m) }, index, fresh };

	return pk_child_send_fds(b->child, &m.head, &fd, 1, GREET_WAIT_MS);
}

static void tell_safe(void *arg, const struct pk_blk_safe_key *key, uint32_t kinds, bool gone)
{
	struct pk_blocks *b = arg;
	struct pk_msg_safe m = { { gone ? PK_MSG_SAFE_GONE : PK_MSG_SAFE, sizeof(m) },
				 *key,
				 kinds };

	if (pk_child_send(b->child, &m.head, SEND_WAIT_MS) == -EAGAIN)
		b->untold = true;
}

static void tell_saved(void *arg, const char *name, uint64_t serial, int result)
{
	const struct pk_blocks *b = arg;
	struct pk_msg_saved m = { .head = { PK_MSG_SAVED, sizeof(m) },
				  .serial = serial,
				  .result = result };

	snprintf(m.name, sizeof(m.name), "%s", name);
	if (pk_child_send(b->child, &m.head, SEND_WAIT_MS) < 0 && result < 0)
		pk_error("list %s is not saved: %s", name, strerror(-result));
}

static void open_keep(struct pk_blocks *b)
{
	int r;

	b->keep = (struct pk_keep){ .done = tell_saved, .arg = b };
	r = pk_keep_open(&b->keep, b->conf->state_dir);
	if (r < 0)
		b->notice(b->arg, PK_LOG_WARN,
			  "%s/lists: %s; lists are lost when the host restarts", b->conf->state_dir,
			  r == -EPERM ? "belongs to somebody else, or others may write there"
				      : strerror(-r));
}

int pk_blocks_open(struct pk_blocks *b)
{
	int r;

	open_keep(b);

	b->pool = (struct pk_pool){ .map = pk_object_map_fd(b->obj, "pk_blk_pool"),
				    .tell = tell_chunk,
				    .arg = b };
	r = pk_pool_open(&b->pool, b->conf->block_memory);
	if (r < 0)
		return r;
	b->safe = (struct pk_safe){
		.set = { .set_fd = pk_object_map_fd(b->obj, "pk_blk_safe"),
			 .map_fd = pk_object_map_fd(b->obj, "pk_blk_safe_map"),
			 .tell = tell_safe,
			 .arg = b },
		.notice = b->notice,
		.arg = b->arg,
	};
	r = pk_safe_open(&b->safe, pk_clock_boot_ns());
	if (!r)
		pk_safe_management(&b->safe, &b->conf->management);
	return r;
}

void pk_blocks_close(struct pk_blocks *b)
{
	if (!b->obj)
		return; /* was never open */
	pk_keep_close(&b->keep);
	pk_safe_close(&b->safe);
}

void pk_blocks_reaped(void *blocks, pid_t pid, int status)
{
	struct pk_blocks *b = blocks;

	(void)pk_keep_reaped(&b->keep, pid, status);
}

void pk_blocks_settle(struct pk_blocks *b)
{
	pk_safe_settle(&b->safe);
}

void pk_blocks_reload(struct pk_blocks *b, const struct pk_conf *conf)
{
	b->conf = conf;
	pk_safe_management(&b->safe, &conf->management);
}

static void hear_addr(struct pk_blocks *b, const struct pk_msg_addr *m)
{
	static const uint32_t kinds[] = { [PK_ADDR_OWN] = PK_BLK_SAFE_OWN,
					  [PK_ADDR_GATEWAY] = PK_BLK_SAFE_GATEWAY,
					  [PK_ADDR_RESOLVER] = PK_BLK_SAFE_RESOLVER,
					  [PK_ADDR_NEIGHBOUR] = 0 };
	struct pk_safe_source src = { m->netns, m->ifindex, kinds[m->kind], { .bits = 128 } };

	if (!src.kind)
		return;
	memcpy(src.key.addr, m->addr, 16);
	if (m->head.type == PK_MSG_ADDR)
		pk_safe_add(&b->safe, &src);
	else
		pk_safe_remove(&b->safe, &src);
	if (m->kind == PK_ADDR_GATEWAY && !b->in_round)
		b->routes_changed = true;
}

void pk_blocks_hear(struct pk_blocks *b, const struct pk_msg_head *msg)
{
	const struct pk_msg_link *link = (const void *)msg;

	if (msg->type == PK_MSG_ADDR || msg->type == PK_MSG_ADDR_GONE)
		hear_addr(b, (const void *)msg);
	else if (msg->type == PK_MSG_LINK_GONE ||
		 (msg->type == PK_MSG_LINK && !(link->flags & IFF_UP)))
		pk_safe_link_down(&b->safe, link->netns, link->ifindex);
}

void pk_blocks_round(struct pk_blocks *b, uint64_t netns, bool end)
{
	b->in_round = !end;
	if (end)
		pk_safe_end(&b->safe, netns, PK_BLK_SAFE_OWN | PK_BLK_SAFE_GATEWAY);
	else
		pk_safe_begin(&b->safe);
}

void pk_blocks_resolvers(struct pk_blocks *b, uint64_t netns, bool end)
{
	if (end)
		pk_safe_end(&b->safe, netns, PK_BLK_SAFE_RESOLVER);
	else
		pk_safe_begin(&b->safe);
}

bool pk_blocks_tick(struct pk_blocks *b, uint64_t now_ns)
{
	bool again = b->routes_changed;

	b->routes_changed = false;
	pk_safe_tick(&b->safe, now_ns);
	if (b->untold) {
		b->untold = false;
		pk_safeset_tell(&b->safe.set);
	}
	return again;
}

static int tell_maps(const struct pk_blocks *b)
{
	static const char *const maps[PK_BLK_FD_MAX] = {
		[PK_BLK_FD_ROOTS] = "pk_blk_roots", [PK_BLK_FD_CTL] = "pk_blk_ctl",
		[PK_BLK_FD_LISTS] = "pk_blk_lists", [PK_BLK_FD_CNT] = "pk_blk_cnt",
		[PK_BLK_FD_WHO] = "pk_blk_who",     [PK_BLK_FD_SAFE] = "pk_blk_safe",
		[PK_BLK_FD_RB] = "pk_rb_block",     [PK_BLK_FD_DNS_NAMES] = "pk_dns_names",
		[PK_BLK_FD_DNS_CTL] = "pk_dns_ctl",
	};
	struct pk_msg_block m = { { PK_MSG_BLOCK, sizeof(m) }, b->adopted, b->pool.max };
	int fds[PK_BLK_FD_MAX];

	for (int i = 0; i < PK_BLK_FD_MAX; i++) {
		fds[i] = i == PK_BLK_FD_DRAIN ? pk_object_prog_fd(b->obj, PK_PROG_DRAIN)
					      : pk_object_map_fd(b->obj, maps[i]);
		if (fds[i] < 0)
			return fds[i];
	}
	return pk_child_send_fds(b->child, &m.head, fds, PK_BLK_FD_MAX, GREET_WAIT_MS);
}

static void tell_list(void *arg, const char *name, bool previous, int fd)
{
	const struct pk_blocks *b = arg;
	struct pk_msg_saved_list m = { .head = { PK_MSG_SAVED_LIST, sizeof(m) },
				       .previous = previous };
	int r = fd;

	snprintf(m.name, sizeof(m.name), "%s", name);
	if (fd >= 0)
		r = pk_child_send_fds(b->child, &m.head, &fd, 1, GREET_WAIT_MS);
	if (r < 0)
		b->notice(b->arg, PK_LOG_ERROR, "%s/lists/%s.list%s can not be read: %s",
			  b->conf->state_dir, name, previous ? ".prev" : "",
			  r == -EBADF ? "not a file" : strerror(-r));
}

/* Without: a change may be lost when we are killed before its list is saved. */
static void tell_journal(const struct pk_blocks *b)
{
	struct pk_msg_head m = { PK_MSG_JOURNAL, sizeof(m) };
	int fds[2] = { -1, -1 }, r = pk_keep_journal(&b->keep, fds);

	if (r == 0)
		r = pk_child_send_fds(b->child, &m, fds, 2, GREET_WAIT_MS);
	if (r < 0 && b->keep.dir >= 0)
		b->notice(b->arg, PK_LOG_WARN, "%s/lists/changes.*: %s", b->conf->state_dir,
			  r == -EBADF ? "not files" : strerror(-r));
	pk_closep(&fds[0]);
	pk_closep(&fds[1]);
}

int pk_blocks_greet(struct pk_blocks *b)
{
	struct pk_msg_head start = { PK_MSG_BLOCK_START, sizeof(start) };
	int r = tell_maps(b);

	if (!r)
		r = pk_pool_tell(&b->pool);
	if (r < 0)
		return r;
	pk_keep_each(&b->keep, tell_list, b);
	tell_journal(b);
	pk_safeset_tell(&b->safe.set);
	return pk_child_send(b->child, &start, GREET_WAIT_MS);
}

static void grow(struct pk_blocks *b, uint32_t n)
{
	struct pk_msg_result m = { .head = { PK_MSG_GROW_FAILED, sizeof(m) } };

	m.result = pk_pool_grow(&b->pool, n);
	if (m.result < 0)
		(void)pk_child_send(b->child, &m.head, GREET_WAIT_MS);
}

static void except(struct pk_blocks *b, const struct pk_msg_safe_addr *m)
{
	int r = pk_safe_except(&b->safe, m->addr, m->on);

	if (r < 0)
		b->notice(b->arg, PK_LOG_WARN, "an exception from the safe set is refused: %s",
			  r == -EPERM ? "the address is our own" : strerror(-r));
}

bool pk_blocks_message(struct pk_blocks *b, const union pk_msg *msg, int *fd)
{
	switch (msg->head.type) {
	case PK_MSG_GROW:
		grow(b, msg->grow.n);
		return true;
	case PK_MSG_SAVE:
		pk_keep_save(&b->keep, msg->save.name, msg->save.serial, fd);
		return true;
	case PK_MSG_SAFE_ADMIN:
		/* No room: noticed by the safe set. */
		(void)pk_safe_admin(&b->safe, msg->safe_addr.addr, pk_clock_boot_ns());
		return true;
	case PK_MSG_SAFE_EXCEPT:
		except(b, &msg->safe_addr);
		return true;
	default:
		return false;
	}
}
