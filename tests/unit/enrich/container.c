/* SPDX-License-Identifier: Apache-2.0 */
/* A directory tree of our own stands for the cgroup tree: there too an id is a directory's inode.
 */
#include "enrich/container.h"

#include "base/cleanup.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define A "3f2a9c0d7b1e4f5a8c6d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b"
#define S 1000000000ull

static char dir[] = "/tmp/pkcgroup.XXXXXX";

static uint64_t make(const char *path)
{
	char full[512];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", dir, path);
	assert_int_equal(mkdir(full, 0700), 0);
	assert_int_equal(stat(full, &st), 0);
	return st.st_ino;
}

static void make_proc(const char *pid, const char *text)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[512];

	snprintf(path, sizeof(path), "proc/%s", pid);
	make(path);
	snprintf(path, sizeof(path), "%s/proc/%s/cgroup", dir, pid);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void start(struct pk_containers *c, uint32_t max)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/cg", dir);
	assert_int_equal(pk_containers_init(c, path, max), 0);
	snprintf(path, sizeof(path), "%s/proc", dir);
	free(c->proc);
	c->proc = strdup(path);
}

static void test_by_walk(void **state)
{
	const struct pk_container *e;
	struct pk_containers c;
	uint64_t id;

	(void)state;
	start(&c, 16);
	make("cg/system.slice");
	id = make("cg/system.slice/docker-" A ".scope");
	e = pk_container_get(&c, id, 0, S);
	assert_string_equal(e->path, "/system.slice/docker-" A ".scope");
	assert_int_equal(e->cgroup.runtime, PK_RUNTIME_DOCKER);
	assert_ptr_equal(pk_container_get(&c, id, 0, S), e);
	assert_int_equal(c.walks, 1);
	assert_null(pk_container_get(&c, 0, 0, S));
	pk_containers_done(&c);
}

static void test_walks_are_rare(void **state)
{
	const struct pk_container *e;
	struct pk_containers c;
	uint64_t id;

	(void)state;
	start(&c, 16);
	for (uint64_t i = 0; i < 1000; i++)
		assert_null(pk_container_get(&c, 0xffffffff00 + i % 5, 0, S + i)->path);
	assert_int_equal(c.walks, 1);
	id = make("cg/lxc.payload.web");
	e = pk_container_get(&c, id, 0, S + 2000);
	assert_null(e->path); /* too soon */
	e = pk_container_get(&c, id, 0, 3 * S);
	assert_string_equal(e->path, "/lxc.payload.web");
	assert_int_equal(c.walks, 2);
	/* An id that nobody knows is given up, and older times do not walk again. */
	for (uint64_t i = 0; i < 100; i++)
		(void)pk_container_get(&c, 0xfffffffff0, 0, (10 + 2 * i) * S);
	assert_int_equal(c.walks, 7);
	assert_int_equal(c.unknown, 1);
	(void)pk_container_get(&c, 0xfffffffff1, 0, S);
	assert_int_equal(c.walks, 7);
	pk_containers_done(&c);
}

static void test_by_process(void **state)
{
	const struct pk_container *e;
	struct pk_containers c;
	uint64_t id, other;

	(void)state;
	start(&c, 16);
	id = make("cg/machine.slice");
	other = make("cg/machine.slice/libpod-" A ".scope");
	make_proc("100", "0::/machine.slice\n");
	make_proc("101", "1:name=systemd:/x\n0::/machine.slice/libpod-" A ".scope\n");
	c.walk_ns = UINT64_MAX; /* no walks here */
	e = pk_container_get(&c, id, 100, S);
	assert_string_equal(e->path, "/machine.slice");
	/* The process is elsewhere by now: its path is not that of the event. */
	e = pk_container_get(&c, other, 100, S);
	assert_null(e->path);
	e = pk_container_get(&c, other, 101, 2 * S);
	assert_int_equal(e->cgroup.runtime, PK_RUNTIME_PODMAN);
	assert_int_equal(c.walks, 0);
	pk_containers_done(&c);
}

static void test_v1_only(void **state)
{
	char name[PK_CONTAINER_ID_LEN];
	const struct pk_container *e;
	struct pk_containers c;
	uint64_t key;

	(void)state;
	start(&c, 16);
	make_proc("200", "12:memory:/docker/" A "\n1:name=systemd:/docker/" A "\n0::/\n");
	make_proc("201", "12:memory:/user.slice\n0::/docker/" A "\n");
	c.has_v1 = false;
	assert_int_equal(pk_container_find_v1(&c, 200, S), 0);
	c.has_v1 = true;
	key = pk_container_find_v1(&c, 200, S);
	assert_true(key & PK_CONTAINER_V1);
	assert_int_equal(pk_container_find_v1(&c, 200, S), key);
	e = pk_container_get(&c, key, 0, S);
	assert_string_equal(e->path, "/docker/" A);
	assert_int_equal(e->cgroup.runtime, PK_RUNTIME_DOCKER);
	assert_string_equal(pk_container_name(e, name), "3f2a9c0d7b1e");
	assert_int_equal(pk_container_find_v1(&c, 201, S), 0); /* v2 is not asked here */
	assert_int_equal(pk_container_find_v1(&c, 999, S), 0);
	assert_null(pk_container_get(&c, PK_CONTAINER_V1 | 5, 0, S));
	assert_int_equal(c.used, 1);
	pk_containers_done(&c);
}

static void test_bounded(void **state)
{
	struct pk_containers c;

	(void)state;
	start(&c, 4);
	for (uint64_t i = 1; i <= 100; i++) {
		assert_non_null(pk_container_get(&c, 0xffffff0000 + i, 0, i * S));
		/* The first one is asked for all the time and stays. */
		assert_int_equal(pk_container_get(&c, 0xffffff0001, 0, i * S + 1)->key,
				 0xffffff0001);
	}
	assert_int_equal(c.used, 4);
	assert_int_equal(c.evicted, 96);
	pk_containers_done(&c);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	make("cg");
	make("proc");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_walk),    cmocka_unit_test(test_walks_are_rare),
		cmocka_unit_test(test_by_process), cmocka_unit_test(test_v1_only),
		cmocka_unit_test(test_bounded),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
