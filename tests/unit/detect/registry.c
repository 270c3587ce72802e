/* SPDX-License-Identifier: Apache-2.0 */
/* The table is sorted, complete and known to the configuration; each detector says what it must. */
#include "detect/registry.h"

#include "base/cleanup.h"
#include "conf/conf.h"
#include "conf/schema.h"
#include "detect/detect.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool is_sentence(const char *s)
{
	return s && isupper((unsigned char)s[0]) && s[strlen(s) - 1] == '.';
}

static void test_table(void **state)
{
	_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();

	(void)state;
	for (size_t i = 0; i < pk_detectors_n; i++) {
		const struct pk_detector *d = pk_detectors[i];

		if (i && strcmp(pk_detectors[i - 1]->name, d->name) >= 0)
			fail_msg("%s is out of order", d->name);
		assert_non_null(pk_conf_detectors[i]);
		assert_string_equal(pk_conf_detectors[i], d->name);
		if (!is_sentence(d->doubt) || !is_sentence(d->next))
			fail_msg("%s: doubt and next are sentences", d->name);
		assert_true(isupper((unsigned char)d->title[0]));
		assert_true(d->wants > 0 && d->wants < 1u << PK_SEE_KINDS);
		assert_in_range(d->severity, PK_INFORMATIONAL, PK_CRITICAL);
		assert_in_range(d->confidence, 1, 100);
		assert_int_equal(d->init != NULL, d->done != NULL);
		if (d->init) {
			assert_non_null(d->bytes_max);
			assert_non_null(d->memory);
			assert_true(d->bytes_max(c) > 0);
		}
		for (size_t k = 0; k < PK_TECHNIQUES_MAX && d->technique[k]; k++)
			assert_int_equal(d->technique[k][0], 'T');
	}
	assert_string_equal(pk_conf_detectors[pk_detectors_n], "all");
}

static void on_found(void *arg, struct pk_finding *f)
{
	(void)arg;
	(void)f;
}

static void test_off(void **state)
{
	_cleanup_(pk_conf_freep) struct pk_conf *c = pk_conf_new();
	struct pk_world w = { .conf = c };
	struct pk_detector_use u;
	struct pk_detect *d;

	(void)state;
	assert_int_equal(pk_detect_new(&w, on_found, NULL, &d), 0);
	pk_detect_use(d, 0, &u);
	assert_true(u.on);
	assert_true(u.bytes <= u.bytes_max);
	pk_detect_free(d);
	assert_int_equal(pk_conf_set(c, "detect.off", "all", NULL), 0);
	assert_int_equal(pk_detect_new(&w, on_found, NULL, &d), 0);
	pk_detect_use(d, 0, &u);
	assert_false(u.on);
	assert_int_equal(pk_detect_wanted(d), 0);
	pk_detect_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
