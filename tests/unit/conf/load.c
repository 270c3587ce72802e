/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/schema.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char dir[] = "/tmp/pkconf.XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

/* Each mistake is named with file, line and key, all of them in one go. */
static void test_each_mistake(void **state)
{
	static const struct {
		const char *yaml, *complaint;
	} t[] = {
		{ "api:\n  sokcet: /x\n", "f:2: api.sokcet: unknown key\n" },
		{ "# c\n\nnonsense:\n  a: 1\n", "f:3: nonsense: unknown section\n" },
		{ "api.socket: /x\n", "f:1: api.socket: unknown section\n" },
		{ "flow:\n  slots: 12\n", "f:2: flow.slots: \"12\" is out of range, expected a "
					  "number (rounded up to a power of "
					  "two), 1024 to 16777216 flows\n" },
		{ "flow: {linger: 1s,\n  linger: 2s}",
		  "f:2: flow.linger: given twice, expected once\n" },
		{ "flow:\n  linger: 1s\nflow:\n  slots: 1024",
		  "f:3: flow: given twice, expected once\n" },
		{ "flow: 4", "f:1: flow: wrong kind of value, expected keys\n" },
		{ "log:\n  level:\n",
		  "f:2: log.level: \"\" is not understood, expected one of error, "
		  "warning, notice, info, debug\n" },
		{ "log:\n  level: [info]", "f:2: log.level: wrong kind of value, expected one of "
					   "error, warning, notice, info, "
					   "debug\n" },
		{ "interfaces:\n  include: eth0", "f:2: interfaces.include: wrong kind of value, "
						  "expected a list of at most 256 names\n" },
		{ "interfaces:\n  include:\n  - a\n  - [b]",
		  "f:4: interfaces.include: \"\" is not understood, expected a list of at most 256 "
		  "names\n" },
		{ "netns:\n  containers: yes",
		  "f:2: netns.containers: \"yes\" is not understood, expected true or false\n" },
		{ "dirs:\n  run: \"/a\\0b\"",
		  "f:2: dirs.run: wrong kind of value, expected an absolute "
		  "path of at most 200 bytes\n" },
		{ "[1, 2]", "f:1: wrong kind of file, expected sections\n" },
		{ "text", "f:1: wrong kind of file, expected sections\n" },
		{ "? [a]\n: b\n", "f:1: a key must be plain text\n" },
		{ "log:\n  level: info\n---\nlog:\n", "f:4: a second document, expected one\n" },
		{ "\"a\\eb\": 1", "f:1: a\\eb: unknown section\n" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(t); i++) {
		_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();
		struct pk_buf e = { 0 };

		assert_int_equal(pk_conf_load_text(c, "f", t[i].yaml, strlen(t[i].yaml), &e),
				 -EINVAL);
		assert_string_equal(e.data, t[i].complaint);
		pk_buf_done(&e);
	}
}

static void test_not_yaml(void **state)
{
	static const char *const bad[] = { "a: [b\nc: d",  "\ta: b",        "a: *b", "a: b: c",
					   "\xff\xfe\xff", "a: !!binary '", "%" };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++) {
		_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();
		struct pk_buf e = { 0 };

		assert_int_equal(pk_conf_load_text(c, "f", bad[i], strlen(bad[i]), &e), -EINVAL);
		assert_int_equal(strncmp(e.data, "f:", 2), 0);
		pk_buf_done(&e);
	}
}

static void test_nothing_is_fine(void **state)
{
	static const char *const empty[] = { "", "# only\n", "---\n", "flow:\n  # slots: 1\n",
					     "flow: {}" };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(empty); i++) {
		_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();
		struct pk_buf e = { 0 };

		assert_int_equal(pk_conf_load_text(c, "f", empty[i], strlen(empty[i]), &e), 0);
		assert_int_equal(c->flow_slots, 65536);
		pk_buf_done(&e);
	}
}

static void test_later_files_win_by_key(void **state)
{
	_cleanup_(pk_conf_freep) struct pk_conf *c = NULL;
	struct pk_buf e = { 0 };

	(void)state;
	assert_int_equal(mkdir(in_dir("conf.d"), 0700), 0);
	put("picket.yaml", "flow:\n  slots: 2048\n  linger: 3s\ninterfaces:\n  include: [a, b]\n");
	put("conf.d/20-b.yaml", "flow:\n  slots: 8192\ninterfaces:\n  include: [c]\n");
	put("conf.d/10-a.yaml", "flow:\n  slots: 4096\n  idle_timeout: 30s\n");
	put("conf.d/30.yaml.bak", "nonsense");
	put("conf.d/.hidden.yaml", "nonsense");
	assert_int_equal(pk_conf_load(in_dir("picket.yaml"), &e, &c), 0);
	assert_int_equal(c->flow_slots, 8192);
	assert_int_equal(c->linger_ns, 3000000000);
	assert_int_equal(c->idle_ns, 30000000000);
	assert_int_equal(c->if_include.n, 1);
	assert_string_equal(c->if_include.v[0], "c");
	assert_int_equal(c->keep_flows, 10000);
	assert_null(e.data);
}

static void test_all_files_complain(void **state)
{
	struct pk_conf *c = NULL;
	struct pk_buf e = { 0 };
	char want[512];

	(void)state;
	put("picket.yaml", "flow:\n  slots: x\n");
	put("conf.d/20-b.yaml", "oops:\n");
	snprintf(want, sizeof(want),
		 "%s/picket.yaml:2: flow.slots: \"x\" is not understood, expected a number "
		 "(rounded up "
		 "to a power of two), 1024 to 16777216 flows\n%s/conf.d/20-b.yaml:1: oops: unknown "
		 "section\n",
		 dir, dir);
	assert_int_equal(pk_conf_load(in_dir("picket.yaml"), &e, &c), -EINVAL);
	assert_null(c);
	assert_string_equal(e.data, want);
	pk_buf_done(&e);
}

static void test_files_that_are_none(void **state)
{
	struct pk_conf *c = NULL;
	struct pk_buf e = { 0 };
	_cleanup_free_ char *big = malloc(2 << 20);

	(void)state;
	assert_int_equal(pk_conf_load(in_dir("absent.yaml"), &e, &c), -ENOENT);
	assert_non_null(strstr(e.data, "absent.yaml: No such file or directory\n"));
	put("conf.d/10-a.yaml", "");
	put("conf.d/20-b.yaml", "");
	assert_int_equal(pk_conf_load(in_dir("conf.d"), &e, &c), -EISDIR);
	memset(big, '#', (2 << 20) - 1);
	big[(2 << 20) - 1] = '\0';
	put("picket.yaml", big);
	assert_int_equal(pk_conf_load(in_dir("picket.yaml"), &e, &c), -EFBIG);
	assert_null(c);
	pk_buf_done(&e);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = { "conf.d/20-b.yaml", "conf.d/10-a.yaml",
					     "conf.d/30.yaml.bak", "conf.d/.hidden.yaml",
					     "picket.yaml" };

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(names); i++)
		(void)unlink(in_dir(names[i]));
	return rmdir(in_dir("conf.d")) || rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_mistake),
		cmocka_unit_test(test_not_yaml),
		cmocka_unit_test(test_nothing_is_fine),
		cmocka_unit_test(test_later_files_win_by_key),
		cmocka_unit_test(test_all_files_complain),
		cmocka_unit_test(test_files_that_are_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
