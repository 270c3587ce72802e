/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks come in order, are found again with few questions, are never more than allowed, and are
 * one with the kernel's. */
#include "probe/pool.h"

#include "load.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MiB (1ull << 20)

struct seen {
	uint32_t index[64], id[64];
	bool fresh[64];
	int n, refuse_after; /* tell fails from then on; -1 never */
};

static struct pk_object *obj;
static unsigned looks; /* into any map */

/* In place of libbpf's. Of a map of maps, kernels up to 6.7 wait for a grace period each time. */
int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	union bpf_attr attr = { .map_fd = (__u32)fd,
				.key = (__u64)(uintptr_t)key,
				.value = (__u64)(uintptr_t)value };

	looks++;
	return syscall(__NR_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

static uint32_t id_of(int fd)
{
	struct bpf_map_info info = {};
	uint32_t len = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &len), 0);
	assert_int_equal(info.type, BPF_MAP_TYPE_ARRAY);
	assert_int_equal(info.max_entries, PK_BLK_CHUNK_LINES);
	assert_true(info.map_flags & BPF_F_MMAPABLE);
	assert_string_equal(info.name, "pk_blk_chunk");
	return info.id;
}

static int on_chunk(void *arg, uint32_t index, bool fresh, int fd)
{
	struct seen *s = arg;

	if (s->refuse_after >= 0 && s->n >= s->refuse_after)
		return -EPIPE;
	s->index[s->n] = index;
	s->fresh[s->n] = fresh;
	s->id[s->n++] = id_of(fd);
	return 0;
}

static struct pk_pool pool_of(struct seen *s, uint64_t bytes)
{
	struct pk_pool p = { .map = pk_object_map_fd(obj, "pk_blk_pool"),
			     .tell = on_chunk,
			     .arg = s };

	assert_int_equal(pk_pool_open(&p, bytes), 0);
	return p;
}

static int load(void **state)
{
	static const char *const progs[] = { PK_PROG_SWEEP, NULL };
	struct pk_object_opts opts = { .slots = 1024, .progs = progs };

	(void)state;
	return pk_object_open(&opts, &obj) || pk_object_load(obj);
}

static int unload(void **state)
{
	(void)state;
	pk_object_free(obj);
	return 0;
}

static void chunks_come_in_order_and_are_found_again(void **state)
{
	struct seen a = { .refuse_after = -1 }, b = { .refuse_after = -1 };
	struct pk_pool p = pool_of(&a, 8 * MiB), again;
	uint32_t id;

	(void)state;
	assert_int_equal(p.n, 0);
	assert_int_equal(p.max, 8);
	assert_int_equal(pk_pool_grow(&p, 2), 0);
	assert_int_equal(pk_pool_grow(&p, 1), 0);
	assert_int_equal(a.n, 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(a.index[i], i);
		assert_true(a.fresh[i]);
		assert_int_equal(bpf_map_lookup_elem(p.map, &i, &id), 0);
		assert_int_equal(id, a.id[i]);
	}
	again = pool_of(&b, 8 * MiB);
	assert_int_equal(again.n, 3);
	assert_int_equal(pk_pool_tell(&again), 0);
	assert_int_equal(b.n, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(b.index[i], a.index[i]);
		assert_int_equal(b.id[i], a.id[i]);
		assert_false(b.fresh[i]);
	}
}

/* However many there are, the start of an agent does not wait for thousands of answers. */
static void few_questions_find_them(void **state)
{
	struct seen a = { .refuse_after = -1 }, b = { .refuse_after = -1 };
	struct pk_pool p, again;

	(void)state;
	for (uint32_t n = 0; n <= 12; n++) {
		looks = 0;
		p = pool_of(&a, 64 * MiB);
		assert_in_range(looks, 1, 13); /* 4096, by halves */
		assert_int_equal(p.n, n);
		assert_int_equal(pk_pool_grow(&p, 1), 0);
	}
	again = pool_of(&b, 64 * MiB);
	looks = 0;
	assert_int_equal(pk_pool_tell(&again), 0);
	assert_in_range(looks, 1, 13);
	looks = 0;
	b.n = 0; /* another pipeline */
	assert_int_equal(pk_pool_tell(&again), 0);
	assert_int_equal(looks, 0);
	assert_int_equal(b.n, 13);
	assert_memory_equal(b.id, a.id, 13 * sizeof(a.id[0]));
}

/* One that grew the pool itself need not ask at all. */
static void what_was_made_is_not_asked_for(void **state)
{
	struct seen s = { .refuse_after = -1 };
	struct pk_pool p = pool_of(&s, 8 * MiB);

	(void)state;
	assert_int_equal(pk_pool_grow(&p, 3), 0);
	looks = 0;
	assert_int_equal(pk_pool_tell(&p), 0);
	assert_int_equal(looks, 0);
	assert_int_equal(s.n, 6);
	assert_memory_equal(s.id, s.id + 3, 3 * sizeof(s.id[0]));
}

static void no_more_than_allowed(void **state)
{
	struct seen s = { .refuse_after = -1 };
	struct pk_pool p = pool_of(&s, 8 * MiB), less;

	(void)state;
	assert_int_equal(pk_pool_grow(&p, 0), -EINVAL);
	assert_int_equal(pk_pool_grow(&p, 9), -ENOSPC);
	assert_int_equal(pk_pool_grow(&p, UINT32_MAX), -ENOSPC);
	assert_int_equal(s.n, 0); /* none of them was made */
	assert_int_equal(pk_pool_grow(&p, 8), 0);
	assert_int_equal(pk_pool_grow(&p, 1), -ENOSPC);
	assert_int_equal(s.n, 8);
	less = pool_of(&s, 4 * MiB); /* of an earlier process that was allowed more */
	assert_int_equal(pk_pool_grow(&less, 1), -ENOSPC);
}

static void what_nobody_took_is_not_there(void **state)
{
	struct seen s = { .refuse_after = 1 };
	struct pk_pool p = pool_of(&s, 8 * MiB);
	uint32_t one = 1, id;

	(void)state;
	assert_int_equal(pk_pool_grow(&p, 3), -EPIPE);
	assert_int_equal(p.n, 1);
	assert_int_equal(bpf_map_lookup_elem(p.map, &one, &id), -ENOENT);
	s.refuse_after = -1;
	assert_int_equal(pk_pool_grow(&p, 1), 0);
	assert_int_equal(s.index[1], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(chunks_come_in_order_and_are_found_again, load,
						unload),
		cmocka_unit_test_setup_teardown(few_questions_find_them, load, unload),
		cmocka_unit_test_setup_teardown(what_was_made_is_not_asked_for, load, unload),
		cmocka_unit_test_setup_teardown(no_more_than_allowed, load, unload),
		cmocka_unit_test_setup_teardown(what_nobody_took_is_not_there, load, unload),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
