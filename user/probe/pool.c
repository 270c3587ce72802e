/* SPDX-License-Identifier: Apache-2.0 */
/* The map of maps knows ids; descriptors are only open while one is handed over. */
#include "probe/pool.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <errno.h>

#define CHUNK_BYTES ((uint64_t)PK_BLK_CHUNK_LINES * sizeof(union pk_blk_line))

int pk_pool_open(struct pk_pool *p, uint64_t bytes)
{
	uint64_t max = bytes / CHUNK_BYTES;

	p->max = max < PK_BLK_CHUNKS_MAX ? (uint32_t)max : PK_BLK_CHUNKS_MAX;
	p->n = 0;
	for (uint32_t i = 0; i < PK_BLK_CHUNKS_MAX; i++) {
		uint32_t id;
		int r = bpf_map_lookup_elem(p->map, &i, &id);

		if (r < 0 && r != -ENOENT)
			return r;
		p->there[i] = !r;
		p->n += !r;
	}
	return 0;
}

static int tell_one(struct pk_pool *p, uint32_t index)
{
	_cleanup_close_ int fd = -1;
	uint32_t id;
	int r = bpf_map_lookup_elem(p->map, &index, &id);

	if (r < 0)
		return r;
	fd = bpf_map_get_fd_by_id(id);
	return fd < 0 ? fd : p->tell(p->arg, index, false, fd);
}

int pk_pool_tell(struct pk_pool *p)
{
	for (uint32_t i = 0; i < PK_BLK_CHUNKS_MAX; i++) {
		int r = p->there[i] ? tell_one(p, i) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static int add(struct pk_pool *p, uint32_t index)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	_cleanup_close_ int fd =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "pk_blk_chunk", sizeof(uint32_t),
			       sizeof(union pk_blk_line), PK_BLK_CHUNK_LINES, &opts);
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
	p->there[index] = true;
	p->n++;
	return 0;
}

int pk_pool_grow(struct pk_pool *p, uint32_t n)
{
	if (!n)
		return -EINVAL;
	if (p->n >= p->max || n > p->max - p->n)
		return -ENOSPC;
	for (uint32_t i = 0; n && i < PK_BLK_CHUNKS_MAX; i++) {
		int r;

		if (p->there[i])
			continue;
		r = add(p, i);
		if (r < 0)
			return r;
		n--;
	}
	return n ? -ENOSPC : 0;
}
