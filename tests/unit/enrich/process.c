/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/process.h"

#include "base/cleanup.h"
#include "decode/record.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define S 1000000000ull

static uint64_t now = 100 * S;

static struct pk_process *feed(struct pk_processes *t, const void *rec)
{
	struct pk_event ev;

	assert_int_equal(pk_record_decode(&ev, rec, ((const struct pk_hdr *)rec)->size), 0);
	return pk_processes_event(t, &ev);
}

static struct pk_hdr head(uint16_t type, uint32_t size)
{
	return (struct pk_hdr){ .ts = now += 1000, .size = size, .type = type };
}

static struct pk_task task(uint32_t pid, uint64_t start, const char *comm)
{
	struct pk_task t = { .id = { .tgid = pid, .start_ns = start, .uid = 1000 }, .tid = pid };

	strcpy(t.comm, comm);
	return t;
}

static struct pk_process *fork_(struct pk_processes *t, uint32_t pid, uint64_t start,
				uint32_t child, uint64_t child_start)
{
	struct pk_fork e = { .hdr = head(PK_EV_FORK, sizeof(e)),
			     .task = task(pid, start, "parent"),
			     .child = { .tgid = child, .start_ns = child_start, .uid = 1000 } };

	return feed(t, &e);
}

/* path with its components turned round and '/' as NUL, as the kernel sends it */
static struct pk_process *exec_(struct pk_processes *t, uint32_t pid, uint64_t start,
				const char *parts, const char *args)
{
	static struct pk_exec e;

	e = (struct pk_exec){ .hdr = head(PK_EV_EXEC, sizeof(e)), .task = task(pid, start, "x") };
	e.uid = 1000;
	strcpy(e.path, parts);
	e.path_len = strlen(parts);
	strcpy(e.argv, args);
	e.argv_len = e.argv_total = strlen(args);
	for (uint32_t i = 0; i < e.path_len; i++)
		if (e.path[i] == '/')
			e.path[i] = '\0';
	return feed(t, &e);
}

static struct pk_process *exit_(struct pk_processes *t, uint32_t pid, uint64_t start, int code)
{
	struct pk_exit e = { .hdr = head(PK_EV_EXIT, sizeof(e)),
			     .task = task(pid, start, "x"),
			     .code = code };

	return feed(t, &e);
}

static void test_life(void **state)
{
	struct pk_processes t;
	struct pk_process *p, *sh;

	(void)state;
	assert_int_equal(pk_processes_init(&t, 100), 0);
	sh = exec_(&t, 10, 1 * S, "bash/bin/usr/", "-bash");
	assert_int_equal(fork_(&t, 10, 1 * S, 11, 2 * S)->id.tgid, 10);
	p = pk_process_get(&t, 11, 2 * S);
	assert_non_null(p);
	assert_string_equal(pk_process_path(p), "/usr/bin/bash");
	assert_string_equal(p->comm, "parent");
	assert_ptr_equal(p->image[0], sh->image[0]);
	assert_int_equal(p->execs, 0);
	assert_ptr_equal(exec_(&t, 11, 2 * S, "curl/bin/usr/", "curl -s x"), p);
	assert_string_equal(pk_process_path(p), "/usr/bin/curl");
	assert_string_equal(pk_process_name(p), "curl");
	assert_string_equal(pk_process_cmd_line(p), "curl -s x");
	assert_string_equal(p->image[1]->path, "/usr/bin/bash");
	assert_int_equal(p->execs, 1);
	assert_int_equal(p->end_ns, 0);
	assert_ptr_equal(pk_process_parent(&t, p), sh);
	assert_ptr_equal(exit_(&t, 11, 2 * S, 0x100), p);
	assert_int_equal(p->exit_code, 0x100);
	assert_int_equal(p->end_ns, now);
	assert_ptr_equal(pk_process_get(&t, 11, 2 * S), p);
	assert_int_equal(t.used, 2);
	assert_int_equal(t.running, 1);
	pk_processes_done(&t);
}

static void test_history_keeps_the_newest(void **state)
{
	struct pk_processes t;
	struct pk_process *p = NULL;
	char name[8];

	(void)state;
	assert_int_equal(pk_processes_init(&t, 100), 0);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "p%d/", i);
		p = exec_(&t, 5, 1, name, "");
	}
	assert_int_equal(p->execs, 10);
	assert_string_equal(p->image[0]->path, "/p9");
	assert_string_equal(p->image[PK_EXEC_HISTORY - 1]->path, "/p6");
	assert_int_equal(t.image_bytes, 4 * (sizeof(struct pk_image) + strlen("/p9") + 5));
	pk_processes_done(&t);
}

static void test_same_pid_again(void **state)
{
	struct pk_processes t;
	struct pk_process *a, *b;

	(void)state;
	assert_int_equal(pk_processes_init(&t, 100), 0);
	a = exec_(&t, 7, 1 * S, "a/", "");
	b = exec_(&t, 7, 2 * S, "b/", "");
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(pk_process_get(&t, 7, 1 * S), a);
	assert_ptr_equal(pk_process_get(&t, 7, 2 * S), b);
	assert_ptr_equal(pk_process_by_pid(&t, 7), b);
	/* Its end was never reported, but the pid is someone else's now. */
	assert_int_not_equal(a->end_ns, 0);
	assert_int_equal(a->exit_code, -1);
	assert_int_equal(b->end_ns, 0);
	assert_int_equal(t.inferred, 1);
	assert_null(pk_process_get(&t, 7, 3 * S));
	assert_null(pk_process_by_pid(&t, 8));
	pk_processes_done(&t);
}

/* Records of one process through two rings: the fork may come last. */
static void test_late_fork(void **state)
{
	struct pk_processes t;
	struct pk_process *p;
	struct pk_act act = { .task = task(21, 2 * S, "nc"), .kind = PK_ACT_MEMFD };
	struct pk_fork e = { .hdr = head(PK_EV_FORK, sizeof(e)),
			     .task = task(20, 1 * S, "bash"),
			     .child = { .tgid = 21, .start_ns = 2 * S, .uid = 0 } };

	(void)state;
	assert_int_equal(pk_processes_init(&t, 100), 0);
	exec_(&t, 20, 1 * S, "bash/", "");
	act.hdr = head(PK_EV_ACT, sizeof(act));
	p = feed(&t, &act);
	assert_int_equal(p->parent.tgid, 0);
	assert_int_equal(p->acts, 1u << PK_ACT_MEMFD);
	feed(&t, &e);
	assert_int_equal(p->parent.tgid, 20);
	assert_string_equal(p->comm, "nc");
	assert_int_equal(p->id.uid, 1000);
	assert_string_equal(pk_process_path(p), "/bash");
	pk_processes_done(&t);
}

static void test_older_record_changes_nothing(void **state)
{
	struct pk_processes t;
	struct pk_process *p;
	struct pk_sock s = { .task = task(9, S, "old"), .family = AF_INET, .op = PK_SOCK_CREATE };

	(void)state;
	assert_int_equal(pk_processes_init(&t, 100), 0);
	s.hdr = head(PK_EV_SOCK, sizeof(s));
	p = exec_(&t, 9, S, "new/", "");
	s.task.id.uid = 55;
	assert_ptr_equal(feed(&t, &s), p);
	assert_string_equal(p->comm, "x");
	assert_int_equal(p->id.uid, 1000);
	s.hdr.ts = now + 1;
	feed(&t, &s);
	assert_int_equal(p->id.uid, 55);
	s.task.id.tgid = 0;
	assert_null(feed(&t, &s));
	assert_int_equal(t.used, 1);
	pk_processes_done(&t);
}

static void test_ancestors(void **state)
{
	const struct pk_process *up[PK_ANCESTORS_MAX];
	struct pk_processes t;

	(void)state;
	assert_int_equal(pk_processes_init(&t, 100), 0);
	for (uint32_t i = 1; i <= 50; i++)
		fork_(&t, i, i * S, i + 1, (i + 1) * S);
	assert_int_equal(pk_process_ancestors(&t, pk_process_get(&t, 4, 4 * S), up), 3);
	assert_int_equal(up[0]->id.tgid, 3);
	assert_int_equal(up[2]->id.tgid, 1);
	assert_int_equal(pk_process_ancestors(&t, pk_process_get(&t, 51, 51 * S), up),
			 PK_ANCESTORS_MAX);
	/* A circle, which no kernel makes, ends too. */
	pk_process_get(&t, 1, 1 * S)->parent = (struct pk_proc_id){ .tgid = 2, .start_ns = 2 * S };
	assert_int_equal(pk_process_ancestors(&t, pk_process_get(&t, 4, 4 * S), up),
			 PK_ANCESTORS_MAX);
	pk_processes_done(&t);
}

static void test_oldest_end_makes_room(void **state)
{
	struct pk_processes t;

	(void)state;
	assert_int_equal(pk_processes_init(&t, 300), 0);
	for (uint32_t i = 1; i <= 300; i++)
		exec_(&t, i, i, "x/", "");
	for (uint32_t i = 100; i < 200; i++)
		exit_(&t, i, i, 0);
	pk_process_get(&t, 100, 100)->net.flows = 1;
	for (uint32_t i = 1; i <= 50; i++)
		assert_non_null(exec_(&t, 1000 + i, i, "y/", ""));
	assert_int_equal(t.used, 300);
	assert_int_equal(t.evicted, 50);
	assert_int_equal(t.refused, 0);
	assert_non_null(pk_process_get(&t, 1, 1));
	assert_non_null(pk_process_get(&t, 100, 100)); /* it still has a flow */
	assert_null(pk_process_get(&t, 101, 101));
	assert_null(pk_process_get(&t, 150, 150));
	assert_non_null(pk_process_get(&t, 151, 151));
	pk_processes_done(&t);
}

static bool odd_is_alive(const struct pk_process *p)
{
	return p->id.tgid & 1;
}

static void test_full_of_running(void **state)
{
	struct pk_processes t;

	(void)state;
	assert_int_equal(pk_processes_init(&t, 256), 0);
	for (uint32_t i = 1; i <= 256; i++)
		assert_non_null(exec_(&t, i, i, "x/", ""));
	assert_null(exec_(&t, 999, 1, "y/", ""));
	assert_null(fork_(&t, 998, 1, 999, 1));
	assert_int_equal(t.refused, 3);
	assert_non_null(fork_(&t, 256, 256, 999, 1)); /* the parent is told even so */
	/* Ends that were missed are found when room is needed, if they are not too fresh. */
	t.is_alive = odd_is_alive;
	assert_null(exec_(&t, 999, 1, "y/", ""));
	now += 10 * S;
	assert_non_null(exec_(&t, 999, 1, "y/", ""));
	assert_int_equal(t.inferred, 128);
	assert_int_equal(t.used, 256);
	pk_processes_done(&t);
}

/* Every table operation at random against a plain array of what must be there. */
static void test_against_model(void **state)
{
	enum { PIDS = 64, MAX = 256 };
	uint64_t start[PIDS] = { 0 };
	struct pk_processes t;
	uint32_t x = 99, seen;

	(void)state;
	assert_int_equal(pk_processes_init(&t, MAX), 0);
	for (int round = 0; round < 50000; round++) {
		uint32_t pid;

		x = x * 1664525 + 1013904223;
		pid = 1 + (x >> 16) % (PIDS - 1);
		if (!start[pid] || (x >> 8) % 3 == 0) {
			start[pid] = now + 1;
			assert_non_null(exec_(&t, pid, start[pid], "p/q/", "p"));
		} else if ((x >> 8) % 3 == 1) {
			assert_non_null(exit_(&t, pid, start[pid], 0));
			start[pid] = 0; /* from now on it may go */
		} else {
			uint32_t child = 1 + (x >> 24) % (PIDS - 1);

			if (child == pid)
				continue;
			start[child] = now + 1;
			assert_non_null(fork_(&t, pid, start[pid], child, start[child]));
		}
		for (uint32_t i = 1; i < PIDS && round % 97 == 0; i++)
			if (start[i])
				assert_non_null(pk_process_get(&t, i, start[i]));
	}
	seen = 0;
	for (struct pk_process *p = NULL; (p = pk_process_next(&t, p));)
		seen++;
	assert_int_equal(seen, t.used);
	assert_true(t.used <= MAX && t.evicted > 1000);
	pk_processes_done(&t);
}

static void test_memory_of_images_is_bounded(void **state)
{
	struct pk_processes t;
	char args[1000];

	(void)state;
	memset(args, 'a', sizeof(args) - 1);
	args[sizeof(args) - 1] = '\0';
	assert_int_equal(pk_processes_init(&t, 256), 0);
	for (uint32_t i = 1; i <= 256; i++) {
		exec_(&t, i, i, "x/", args);
		exec_(&t, i, i, "x/", args);
	}
	assert_true(t.image_bytes < t.image_bytes_max + 512 * 200);
	assert_true(t.cut > 100);
	assert_true(pk_process_by_pid(&t, 256)->image[0]->truncated);
	assert_string_equal(pk_process_path(pk_process_by_pid(&t, 256)), "/x");
	assert_string_equal(pk_process_cmd_line(pk_process_by_pid(&t, 256)), "");
	pk_processes_done(&t);
}

/* What sockets did counts for who uses them, also when no task was there to see it. */
static void test_sockets(void **state)
{
	struct pk_sock s = { .task = task(9, S, "server"),
			     .family = AF_INET,
			     .op = PK_SOCK_LISTEN };
	struct pk_processes t;
	struct pk_process *p;

	(void)state;
	assert_int_equal(pk_processes_init(&t, 8), 0);
	s.hdr = head(PK_EV_SOCK, sizeof(s));
	s.owner.creator = s.task.id;
	p = feed(&t, &s);
	assert_non_null(p);
	assert_int_equal(p->socks, 1u << PK_SOCK_LISTEN);
	memset(&s.task, 0, sizeof(s.task));
	s.hdr = head(PK_EV_SOCK, sizeof(s));
	s.op = PK_SOCK_CLOSE;
	s.owner.flags = PK_OWNER_ACCEPTED;
	assert_null(feed(&t, &s));
	assert_int_equal(p->socks,
			 1u << PK_SOCK_LISTEN | 1u << PK_SOCK_CLOSE | 1u << PK_SOCK_ACCEPT);
	pk_processes_done(&t);
}

static void test_name_without_path(void **state)
{
	struct pk_processes t;
	struct pk_process *p;

	(void)state;
	assert_int_equal(pk_processes_init(&t, 256), 0);
	fork_(&t, 1, 1, 2, 2);
	p = pk_process_by_pid(&t, 2);
	assert_string_equal(pk_process_name(p), "parent");
	assert_string_equal(pk_process_path(p), "");
	assert_string_equal(pk_process_cmd_line(p), "");
	pk_processes_done(&t);
}

static void test_alive(void **state)
{
	struct pk_process p = { .id = { .tgid = getpid() } };

	(void)state;
	assert_true(pk_process_is_alive(&p));
	p.id.tgid = 0x3fffffff; /* beyond any pid_max */
	assert_false(pk_process_is_alive(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_history_keeps_the_newest),
		cmocka_unit_test(test_same_pid_again),
		cmocka_unit_test(test_late_fork),
		cmocka_unit_test(test_older_record_changes_nothing),
		cmocka_unit_test(test_ancestors),
		cmocka_unit_test(test_oldest_end_makes_room),
		cmocka_unit_test(test_full_of_running),
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_memory_of_images_is_bounded),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_name_without_path),
		cmocka_unit_test(test_alive),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
