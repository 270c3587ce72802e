/* SPDX-License-Identifier: Apache-2.0 */
/* Places of well-known addresses, and what is no database. Skips where none is installed. */
#include "name/geo.h"

#include "base/ip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_NAME "/usr/share/libloc-location/location.db"

static void test_places(void **state)
{
	struct pk_geo_place p = { 0 };
	struct pk_geo *g = NULL;
	uint8_t addr[16];
	int r = pk_geo_open(FILE_NAME, &g);

	(void)state;
	if (r < 0) {
		print_message("no database: %s\n", strerror(-r));
		skip();
	}
	assert_true(pk_geo_created(g) > 1500000000);
	assert_non_null(pk_geo_vendor(g));
	pk_ip_parse("8.8.8.8", addr);
	assert_true(pk_geo_find(g, addr, &p));
	assert_int_equal(p.asn, 15169);
	assert_string_equal(p.country, "US");
	assert_string_equal(p.as_name, "GOOGLE");
	pk_ip_parse("2001:4860:4860::8888", addr);
	assert_true(pk_geo_find(g, addr, &p));
	assert_int_equal(p.asn, 15169);
	pk_ip_parse("10.0.0.1", addr);
	p.asn = 1;
	assert_false(pk_geo_find(g, addr, &p));
	assert_int_equal(p.asn, 1); /* untouched */
	pk_geo_close(g);
}

static void test_no_database(void **state)
{
	struct pk_geo *g = NULL;
	char name[] = "/tmp/picket-geo-XXXXXX";
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	assert_true(pk_geo_open("/nonexistent", &g) < 0);
	assert_int_equal(write(fd, "not a database", 14), 14);
	assert_true(pk_geo_open(name, &g) < 0);
	assert_null(g);
	close(fd);
	unlink(name);
	pk_geo_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_places),
					    cmocka_unit_test(test_no_database) };

	return cmocka_run_group_tests_name("name/geo", tests, NULL, NULL);
}
