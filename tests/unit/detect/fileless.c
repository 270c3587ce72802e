/* SPDX-License-Identifier: Apache-2.0 */
/* Memory, deleted and /dev/shm are told; a file, another tmpfs and what ran before are not. */
#include "decode/record.h"
#include "enrich/process.h"
#include "see.h"

#include <stdio.h>

static void start(uint32_t exec_flags, uint32_t hdr_flags, const char *path)
{
	static struct pk_exec exec;
	static struct pk_image image;
	struct pk_process proc = { .id = { .tgid = 7, .start_ns = 1 }, .image = { &image } };
	struct pk_event ev = { .type = PK_EV_EXEC, .exec = &exec };
	struct pk_see s = { .kind = PK_SEE_EXEC, .now_ns = 1, .ev = &ev, .proc = &proc };

	exec = (struct pk_exec){ .hdr.flags = (uint16_t)hdr_flags, .exec_flags = exec_flags };
	image = (struct pk_image){ .path = path, .cwd = "", .cmd_line = "x y" };
	pk_detect_see(seen.detect, &s);
}

static void test_kinds(void **state)
{
	static const struct {
		uint32_t flags, hdr;
		const char *path;
		size_t found;
	} cases[] = {
		{ PK_EXEC_MEMFD, 0, "/memfd:x", 1 },
		{ PK_EXEC_DELETED, 0, "/tmp/x", 1 },
		{ PK_EXEC_SHM, 0, "/dev/shm/x", 1 },
		{ PK_EXEC_SHM, 0, "/run/x", 0 },
		{ 0, 0, "/usr/bin/x", 0 },
		{ PK_EXEC_MEMFD, PK_EVF_SNAPSHOT, "/memfd:x", 0 },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		see_begin("fileless");
		start(cases[i].flags, cases[i].hdr, cases[i].path);
		assert_int_equal(seen.n, cases[i].found);
		if (seen.n) {
			assert_string_equal(seen.finding[0].technique[0], "T1620");
			assert_int_equal(seen.finding[0].proc[0].tgid, 7);
			assert_true(strlen(seen.finding[0].plain) > 10);
		}
		see_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
