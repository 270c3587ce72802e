/* SPDX-License-Identifier: Apache-2.0 */
/* Who wants it sees it, who is off does not; what a finding leaves open its detector says. */
#include "detect/detect.h"

#include "decode/record.h"
#include "detect/registry.h"
#include "enrich/process.h"
#include "see.h"

#include <picket/event.h>

static void show(uint32_t flags, enum pk_see_kind kind)
{
	static struct pk_image image = { .path = "/memfd:x", .cwd = "", .cmd_line = "" };
	static struct pk_process proc = { .id = { .tgid = 7, .start_ns = 1 }, .image = { &image } };
	struct pk_exec exec = { .exec_flags = flags };
	struct pk_event ev = { .type = PK_EV_EXEC, .exec = &exec };
	struct pk_see s = { .kind = kind, .now_ns = 5, .ev = &ev, .proc = &proc };

	pk_detect_see(seen.detect, &s);
}

static struct pk_detector_use use_of(const struct pk_detector *d)
{
	struct pk_detector_use u = { 0 };

	for (size_t i = 0; i < pk_detectors_n; i++)
		if (pk_detectors[i] == d)
			pk_detect_use(seen.detect, i, &u);
	return u;
}

static void test_shown(void **state)
{
	const struct pk_detector *d = &pk_detect_fileless;
	const struct pk_finding *f = &seen.finding[0];

	(void)state;
	see_begin("fileless");
	assert_int_equal(pk_detect_wanted(seen.detect), d->wants);
	show(PK_EXEC_MEMFD, PK_SEE_EXEC);
	show(PK_EXEC_MEMFD, PK_SEE_EXIT);
	show(0, PK_SEE_EXEC);
	assert_int_equal(seen.n, 1);
	assert_int_equal(use_of(d).seen, 2);
	assert_int_equal(use_of(d).found, 1);
	assert_string_equal(f->rule, d->name);
	assert_string_equal(f->title, d->title);
	assert_string_equal(f->doubt, d->doubt);
	assert_string_equal(f->next, d->next);
	assert_string_equal(f->technique[1], d->technique[1]);
	assert_int_equal(f->severity, d->severity);
	assert_int_equal(f->confidence, d->confidence);
	assert_int_equal(f->first_ns, 5);
	see_end();
}

static void test_off(void **state)
{
	(void)state;
	see_begin("no such detector");
	assert_int_equal(pk_detect_wanted(seen.detect), 0);
	show(PK_EXEC_MEMFD, PK_SEE_EXEC);
	assert_int_equal(seen.n, 0);
	assert_false(use_of(&pk_detect_fileless).on);
	see_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
