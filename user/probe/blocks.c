/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the pipeline about pool, safe set and saved lists, and passes its wishes on to them. */
#include "probe/blocks.h"

#include "base/log.h"
#include "conf/conf.h"
#include "probe/child.h"
#include "probe/object.h"

#include <errno.h>
#include <string.h>

#define GREET_WAIT_MS 5000 /* a new pipeline reads as fast as it can */

static int tell_chunk(void *arg, uint32_t index, bool fresh, int fd)
{
	const struct pk_blocks *b = arg;
	struct pk_msg_chunk m = { { PK_MSG_CHUNK, sizeof(m) }, index, fresh };

	return pk_child_send_fds(b->child, &m.head, &fd, 1, GREET_WAIT_MS);
}

int pk_blocks_open(struct pk_blocks *b)
{
	b->pool = (struct pk_pool){ .map = pk_object_map_fd(b->obj, "pk_blk_pool"),
				    .tell = tell_chunk,
				    .arg = b };
	return pk_pool_open(&b->pool, b->conf->block_memory);
}

static int tell_maps(const struct pk_blocks *b)
{
	static const char *const maps[PK_BLK_FD_MAX] = {
		[PK_BLK_FD_ROOTS] = "pk_blk_roots", [PK_BLK_FD_CTL] = "pk_blk_ctl",
		[PK_BLK_FD_LISTS] = "pk_blk_lists", [PK_BLK_FD_CNT] = "pk_blk_cnt",
		[PK_BLK_FD_WHO] = "pk_blk_who",     [PK_BLK_FD_SAFE] = "pk_blk_safe",
		[PK_BLK_FD_RB] = "pk_rb_block",
	};
	struct pk_msg_block m = { { PK_MSG_BLOCK, sizeof(m) }, b->adopted, b->pool.max };
	int fds[PK_BLK_FD_MAX];

	for (int i = 0; i < PK_BLK_FD_MAX; i++) {
		fds[i] = pk_object_map_fd(b->obj, maps[i]);
		if (fds[i] < 0)
			return fds[i];
	}
	return pk_child_send_fds(b->child, &m.head, fds, PK_BLK_FD_MAX, GREET_WAIT_MS);
}

int pk_blocks_greet(struct pk_blocks *b)
{
	struct pk_msg_head start = { PK_MSG_BLOCK_START, sizeof(start) };
	int r = tell_maps(b);

	if (!r)
		r = pk_pool_tell(&b->pool);
	return r < 0 ? r : pk_child_send(b->child, &start, GREET_WAIT_MS);
}

static void grow(struct pk_blocks *b, uint32_t n)
{
	struct pk_msg_result m = { .head = { PK_MSG_GROW_FAILED, sizeof(m) } };

	m.result = pk_pool_grow(&b->pool, n);
	if (m.result < 0)
		(void)pk_child_send(b->child, &m.head, GREET_WAIT_MS);
}

bool pk_blocks_message(struct pk_blocks *b, const union pk_msg *msg, int *fd)
{
	(void)fd;
	switch (msg->head.type) {
	case PK_MSG_GROW:
		grow(b, msg->grow.n);
		return true;
	default:
		return false;
	}
}
