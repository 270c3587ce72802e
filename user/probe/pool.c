/* SPDX-License-Identifier: Apache-2.0 */
/* The map of maps knows ids, and so do we, since asking it may take long; descriptors are only open
 * while one is handed over. */
#include "probe/pool.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>

#define CHUNK_BYTES ((uint64_t)PK_BLK_CHUNK_LINES * sizeof(union pk_blk_line))

/* Whether there is a chunk of that number, and which map it is. */
static int look(const struct pk_pool *p, uint32_t index, uint32_t *ret_id)
{
	int r = bpf_map_lookup_elem(p->map, &index, ret_id);

	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int pk_pool_open(struct pk_pool *p, uint64_t bytes)
{
	uint64_t max = bytes / CHUNK_BYTES;
	uint32_t end = PK_BLK_CHUNKS_MAX;

	p->max = max < PK_BLK_CHUNKS_MAX ? (uint32_t)max : PK_BLK_CHUNKS_MAX;
	p->n = 0;
	/* They lie without a hole. Up to 6.7 each look waits for a grace period, so by halves. */
	while (p->n < end) {
		uint32_t mid = p->n + (end - p->n) / 2;
		int r = look(p, mid, &p->id[mid]);

		if (r < 0)
			return r;
		if (r)
			p->n = mid + 1;
		else
			end = mid;
	}
	return 0;
}

static int tell_one(struct pk_pool *p, uint32_t index)
{
	_cleanup_close_ int fd = -1;
	int r = p->id[index] ? 1 : look(p, index, &p->id[index]);

	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	fd = bpf_map_get_fd_by_id(p->id[index]);
	return fd < 0 ? fd : p->tell(p->arg, index, false, fd);
}

int pk_pool_tell(struct pk_pool *p)
{
	int r = 0;

	for (uint32_t i = 0; i < p->n && !r; i++)
		r = tell_one(p, i);
	return r;
}

static uint32_t id_of(int fd)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) < 0 ? 0 : info.id; /* 0: looked for later */
}

static int add(struct pk_pool *p)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	_cleanup_close_ int fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "pk_blk_chunk", sizeof(uint32_t),
			       sizeof(union pk_blk_line), PK_BLK_CHUNK_LINES, &opts);
	uint32_t index = p->n;
	int r;

	if (fd < 0)
		return fd;
	r = bpf_map_update_elem(p->map, &index, &fd, BPF_ANY);
	if (r < 0)
		return r;
	r = p->tell(p->arg, index, true, fd);
	if (r < 0) {
		/* Nobody would ever use it. */
		(void)bpf_map_delete_elem(p->map, &index);
		return r;
	}
	p->id[index] = id_of(fd);
	p->n++;
	return 0;
}

int pk_pool_grow(struct pk_pool *p, uint32_t n)
{
	int r = 0;

	if (!n)
		return -EINVAL;
	if (p->n >= p->max || n > p->max - p->n)
		return -ENOSPC;
	while (n-- && !r)
		r = add(p);
	return r;
}
