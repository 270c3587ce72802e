/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about processes: their keys, chains, what follows a new file, restarts, ends, refusals. */
#include "world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static struct pk_block_done last;

static int add(struct world *w, enum pk_block_proc_kind kind, const char *name, const char *to,
	       bool wide)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1, .wide = wide };
	struct pk_block_entry e = { .dir = PK_BLK_IN | PK_BLK_OUT };
	struct pk_block_proc p = { kind, name };

	if (to)
		e = world_entry(to);
	pk_block_done_done(&last);
	return pk_block_add_proc(w->block, &ask, &p, &e, "because", &last);
}

static int drop(struct world *w, enum pk_block_proc_kind kind, const char *name, const char *to)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	struct pk_block_entry e = { .dir = PK_BLK_IN | PK_BLK_OUT };
	struct pk_block_proc p = { kind, name };

	if (to)
		e = world_entry(to);
	pk_block_done_done(&last);
	return pk_block_remove_proc(w->block, &ask, &p, &e, &last);
}

static uint32_t line_of(const struct world *w, enum pk_blk_who_kind kind, uint64_t id)
{
	for (int i = 0; i < WORLD_KEYS; i++)
		if (w->map->who[i].line && w->map->who[i].key.kind == kind &&
		    w->map->who[i].key.id == id)
			return w->map->who[i].line;
	return 0;
}

static struct pk_blk_rule *rule(const struct world *w, uint32_t line)
{
	return &w->map->chunk[line >> PK_BLK_CHUNK_SHIFT][line & (PK_BLK_CHUNK_LINES - 1)].rule;
}

static int chain(const struct world *w, uint32_t line, uint8_t bits[8])
{
	int n = 0;

	for (; line && n < 8; line = rule(w, line)->next)
		bits[n++] = rule(w, line)->bits;
	return n;
}

static void make_file(const char *path, char text[64])
{
	int fd;

	(void)snprintf(text, 64, "%s.new", path);
	fd = open(text, O_CREAT | O_WRONLY | O_TRUNC, 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(rename(text, path), 0);
}

static void test_keys(void **st)
{
	char path[32] = "/tmp/picket-who-XXXXXX", text[64];
	struct stat a, z;
	uint8_t bits[8];
	struct world w;
	int fd = mkstemp(path);

	(void)st;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &a), 0);
	world_open(&w);
	world_start(&w);
	world_settle(&w);
	assert_false(w.held);
	assert_int_equal(add(&w, PK_BLOCK_EXE, path, NULL, false), 0);
	assert_true(w.held);
	assert_true(w.map->ctl.have & PK_BLK_HAVE_EXE);
	assert_true(line_of(&w, PK_BLK_WHO_EXE, a.st_ino));
	assert_int_equal(add(&w, PK_BLOCK_EXE, path, "192.0.2.0/24", false), 0);
	assert_int_equal(add(&w, PK_BLOCK_EXE, path, "192.0.2.7/32", false), 0);
	assert_int_equal(add(&w, PK_BLOCK_EXE, path, "192.0.0.0/16", false), 0);
	assert_int_equal(chain(&w, line_of(&w, PK_BLK_WHO_EXE, a.st_ino), bits), 4);
	assert_int_equal(bits[0], 128); /* the most specific first */
	assert_int_equal(bits[1], 120);
	assert_int_equal(bits[2], 112);
	assert_int_equal(bits[3], 0);
	rule(&w, line_of(&w, PK_BLK_WHO_EXE, a.st_ino))->packets = 11;
	/* a package is upgraded */
	make_file(path, text);
	assert_int_equal(stat(path, &z), 0);
	world_pass(&w, 1000);
	if (z.st_ino != a.st_ino)
		assert_int_equal(line_of(&w, PK_BLK_WHO_EXE, a.st_ino), 0);
	assert_int_equal(chain(&w, line_of(&w, PK_BLK_WHO_EXE, z.st_ino), bits), 4);
	rule(&w, line_of(&w, PK_BLK_WHO_EXE, z.st_ino))->packets = 12;
	/* another agent takes over: same chain, and its counters */
	world_settle(&w);
	world_restart(&w);
	world_settle(&w);
	assert_int_equal(chain(&w, line_of(&w, PK_BLK_WHO_EXE, z.st_ino), bits), 4);
	assert_int_equal(bits[0], 128);
	assert_int_equal(rule(&w, line_of(&w, PK_BLK_WHO_EXE, z.st_ino))->packets, 12);
	assert_int_equal(drop(&w, PK_BLOCK_EXE, path, "192.0.2.7/32"), 0);
	assert_int_equal(chain(&w, line_of(&w, PK_BLK_WHO_EXE, z.st_ino), bits), 3);
	assert_int_equal(drop(&w, PK_BLOCK_EXE, path, "192.0.2.7/32"), -ENOENT);
	assert_int_equal(drop(&w, PK_BLOCK_EXE, path, NULL), 0);
	assert_int_equal(drop(&w, PK_BLOCK_EXE, path, "192.0.2.0/24"), 0);
	assert_int_equal(drop(&w, PK_BLOCK_EXE, path, "192.0.0.0/16"), 0);
	assert_int_equal(line_of(&w, PK_BLK_WHO_EXE, z.st_ino), 0);
	assert_false(w.map->ctl.have & PK_BLK_HAVE_EXE);
	assert_false(w.held);
	close(fd);
	(void)unlink(path);
	world_close(&w);
}

static void test_containers(void **st)
{
	uint8_t bits[8];
	struct world w;

	(void)st;
	world_open(&w);
	world_start(&w);
	world_settle(&w);
	assert_int_equal(add(&w, PK_BLOCK_CONTAINER, "web", NULL, false), -ENOENT);
	assert_false(pk_block_list_get(w.block, "feed", &(struct pk_block_info){ 0 }));
	w.container[0] = 100;
	w.container[1] = 101;
	w.containers = 2;
	w.cgroup = 101;
	assert_int_equal(add(&w, PK_BLOCK_CONTAINER, "web", NULL, false), 0);
	assert_int_equal(add(&w, PK_BLOCK_CGROUP, "/a.slice", "192.0.2.0/24", false), 0);
	assert_int_equal(chain(&w, line_of(&w, PK_BLK_WHO_CGROUP, 100), bits), 1);
	assert_int_equal(chain(&w, line_of(&w, PK_BLK_WHO_CGROUP, 101), bits), 2);
	rule(&w, line_of(&w, PK_BLK_WHO_CGROUP, 100))->packets = 5;
	/* one of them is started anew, the other one goes on */
	w.container[1] = 102;
	world_pass(&w, 1000);
	assert_int_equal(chain(&w, line_of(&w, PK_BLK_WHO_CGROUP, 100), bits), 1);
	assert_int_equal(rule(&w, line_of(&w, PK_BLK_WHO_CGROUP, 100))->packets, 5);
	assert_int_equal(chain(&w, line_of(&w, PK_BLK_WHO_CGROUP, 101), bits), 1);
	assert_int_equal(bits[0], 120);
	assert_int_equal(chain(&w, line_of(&w, PK_BLK_WHO_CGROUP, 102), bits), 1);
	pk_block_remove_list(w.block, "feed", world_done, &w);
	assert_int_equal(line_of(&w, PK_BLK_WHO_CGROUP, 100), 0);
	assert_int_equal(line_of(&w, PK_BLK_WHO_CGROUP, 101), 0);
	assert_false(w.map->ctl.have & PK_BLK_HAVE_CGROUP);
	world_settle(&w);
	world_close(&w);
}

static void test_refused(void **st)
{
	char self[4096] = "";
	struct world w;

	(void)st;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	world_open(&w);
	w.user = 0;
	w.cgroup = 1;
	world_start(&w);
	world_settle(&w);
	assert_int_equal(add(&w, PK_BLOCK_USER, "root", NULL, false), -EPERM);
	assert_int_equal(add(&w, PK_BLOCK_USER, "root", "192.0.2.0/24", false), 0);
	assert_int_equal(add(&w, PK_BLOCK_USER, "root", NULL, true), 0);
	assert_int_equal(add(&w, PK_BLOCK_CGROUP, "/", NULL, false), -EPERM);
	assert_int_equal(add(&w, PK_BLOCK_EXE, self, NULL, true), -EPERM);
	assert_int_equal(add(&w, PK_BLOCK_EXE, "/nowhere/at/all", NULL, false), -ENOENT);
	world_close(&w);
}

static void test_ends(void **st)
{
	struct pk_block_ask ask = { .list = "feed", .mode = -1 };
	struct pk_block_entry e = { .dir = PK_BLK_IN | PK_BLK_OUT };
	struct pk_block_proc p = { PK_BLOCK_USER, "alice" };
	struct pk_block_info info;
	struct world w;

	(void)st;
	world_open(&w);
	world_start(&w);
	world_settle(&w);
	e.expires_ms = w.now_ms + 5000;
	assert_int_equal(pk_block_add_proc(w.block, &ask, &p, &e, NULL, &last), 0);
	assert_true(line_of(&w, PK_BLK_WHO_UID, 1000));
	world_pass(&w, 6000);
	assert_int_equal(line_of(&w, PK_BLK_WHO_UID, 1000), 0);
	assert_true(pk_block_list_get(w.block, "feed", &info));
	assert_int_equal(info.processes, 0);
	assert_false(w.held);
	world_close(&w);
}

/* No line for a chain: nothing has changed, and nothing breaks. */
static void test_no_memory(void **st)
{
	struct pk_block_ask ask = { .list = "other", .mode = -1 };
	struct pk_block_done d = { 0 };
	struct world w;
	uint32_t line;
	int r = 0;

	(void)st;
	world_open(&w);
	w.chunks_max = 1;
	world_start(&w);
	world_settle(&w);
	assert_int_equal(add(&w, PK_BLOCK_USER, "alice", "192.0.2.0/24", false), 0);
	line = line_of(&w, PK_BLK_WHO_UID, 1000);
	for (unsigned i = 0; r == 0; i++) {
		struct pk_block_entry e = world_entry("10.0.0.0/32");

		e.prefix[13] = (uint8_t)(i * 7 % 251);
		e.prefix[14] = (uint8_t)(i >> 8);
		e.prefix[15] = (uint8_t)i;
		r = pk_block_add(w.block, &ask, &e, NULL, NULL, &d);
		pk_block_done_done(&d);
		world_answer(&w);
	}
	assert_true(r == -EAGAIN || r == -ENOSPC);
	assert_int_equal(add(&w, PK_BLOCK_USER, "alice", NULL, false), -EAGAIN);
	assert_int_equal(line_of(&w, PK_BLK_WHO_UID, 1000), line);
	assert_int_equal(rule(&w, line)->next, 0);
	assert_int_equal(drop(&w, PK_BLOCK_USER, "alice", "192.0.2.0/24"), 0);
	assert_int_equal(line_of(&w, PK_BLK_WHO_UID, 1000), 0);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),      cmocka_unit_test(test_containers),
		cmocka_unit_test(test_refused),   cmocka_unit_test(test_ends),
		cmocka_unit_test(test_no_memory),
	};
	int r = cmocka_run_group_tests_name("block/who", tests, NULL, NULL);

	pk_block_done_done(&last);
	return r;
}
