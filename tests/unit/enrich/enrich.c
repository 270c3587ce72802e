/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/enrich.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "decode/record.h"

#include <setjmp.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct pk_enrich *make(bool live)
{
	_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();
	struct pk_enrich *e = NULL;

	assert_non_null(c);
	assert_int_equal(pk_enrich_new(c, live, &e), 0);
	return e;
}

static struct pk_process *feed(struct pk_enrich *e, const void *rec)
{
	struct pk_event ev;

	assert_int_equal(pk_record_decode(&ev, rec, ((const struct pk_hdr *)rec)->size), 0);
	return pk_enrich_event(e, &ev);
}

/* Our own cgroup, from the line of /proc that every process may read. */
static uint64_t own_cgroup(const struct pk_enrich *e, char *path, size_t cap)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "r");
	char line[512], full[1024];
	struct stat st;

	path[0] = '\0';
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "0::", 3) == 0)
			snprintf(path, cap, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
	if (!path[0] || !e->containers.root)
		return 0;
	snprintf(full, sizeof(full), "%s%s", e->containers.root, path);
	return stat(full, &st) == 0 ? st.st_ino : 0;
}

static void test_live(void **state)
{
	struct pk_enrich *e = make(true);
	struct pk_act a = {
		.hdr = { .ts = pk_clock_boot_ns(), .size = sizeof(a), .type = PK_EV_ACT },
		.kind = PK_ACT_BPF
	};
	const struct pk_container *c;
	struct pk_process *p;
	char path[512];

	(void)state;
	assert_string_equal(pk_user_name(&e->users, 0), "root");
	a.task.id = (struct pk_proc_id){ .tgid = getpid(), .start_ns = 5 };
	a.task.cgroup = own_cgroup(e, path, sizeof(path));
	if (!a.task.cgroup) {
		pk_enrich_free(e);
		print_message("# SKIP no cgroup v2 tree here\n");
		skip();
	}
	p = feed(e, &a);
	assert_int_equal(p->id.tgid, getpid());
	c = pk_enrich_container(e, p);
	assert_non_null(c);
	if (!(c->key & PK_CONTAINER_V1))
		assert_string_equal(c->path, path);
	assert_ptr_equal(pk_enrich_owner(e, &a.task.id), p);
	pk_enrich_tick(e, a.hdr.ts);
	pk_enrich_free(e);
}

static void test_replay_looks_at_nothing(void **state)
{
	struct pk_enrich *e = make(false);
	struct pk_act a = { .hdr = { .ts = 1, .size = sizeof(a), .type = PK_EV_ACT },
			    .kind = PK_ACT_BPF };
	struct pk_process *p;

	(void)state;
	a.task.id = (struct pk_proc_id){ .tgid = getpid(), .start_ns = 5 };
	a.task.cgroup = 1;
	p = feed(e, &a);
	assert_non_null(p);
	assert_null(pk_enrich_container(e, p));
	assert_int_equal(e->containers.walks, 0);
	assert_null(pk_user_name(&e->users, 0));
	a.task.id.tgid = 0;
	assert_null(pk_enrich_owner(e, &a.task.id));
	pk_enrich_tick(e, UINT64_MAX);
	assert_null(pk_user_name(&e->users, 0));
	pk_enrich_free(e);
	pk_enrich_free(NULL);
}

/* A child is in its parent's container from the first moment. */
static void test_fork_inherits_container(void **state)
{
	struct pk_enrich *e = make(true);
	struct pk_fork f = { .hdr = { .ts = 1, .size = sizeof(f), .type = PK_EV_FORK },
			     .task = { .id = { .tgid = 0x3ffffff0, .start_ns = 5 }, .cgroup = 77 },
			     .child = { .tgid = 0x3ffffff1, .start_ns = 6 } };

	(void)state;
	e->containers.walk_ns = UINT64_MAX;
	feed(e, &f)->container = PK_CONTAINER_V1 | 4;
	f.hdr.ts = 2;
	f.child.tgid++;
	assert_int_equal(feed(e, &f)->container, PK_CONTAINER_V1 | 4);
	assert_int_equal(pk_enrich_owner(e, &f.child)->container, PK_CONTAINER_V1 | 4);
	pk_enrich_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live),
		cmocka_unit_test(test_replay_looks_at_nothing),
		cmocka_unit_test(test_fork_inherits_container),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
