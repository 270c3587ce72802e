/* SPDX-License-Identifier: Apache-2.0 */
/* Limits to text and back; what is not exactly right is refused. */
#include "block/limits.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "base/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void directions(void **state)
{
	uint8_t dir = 0;

	(void)state;
	for (uint8_t d = 1; d <= 3; d++) {
		assert_int_equal(pk_limits_dir(pk_limits_dir_name(d), &dir), 0);
		assert_int_equal(dir, d);
	}
	assert_int_equal(pk_limits_dir("", &dir), -EINVAL);
	assert_int_equal(pk_limits_dir("In", &dir), -EINVAL);
	assert_int_equal(dir, 3); /* untouched */
}

static void protocols(void **state)
{
	static const char *const bad[] = { "", "0", "256", "tcp ", "-1", "6x", "000006" };
	uint8_t p;

	(void)state;
	assert_int_equal(pk_limits_proto("tcp", &p), 0);
	assert_int_equal(p, 6);
	assert_int_equal(pk_limits_proto("253", &p), 0);
	assert_int_equal(p, 253);
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_int_equal(pk_limits_proto(bad[i], &p), -EINVAL);
}

static void ports(void **state)
{
	static const char *const bad[] = { "",    "0",     "65536", "-1",     "1-",
					   "2-1", "1-2-3", "1 - 2", "1-65536" };
	uint16_t lo, hi;

	(void)state;
	assert_int_equal(pk_limits_ports("22", &lo, &hi), 0);
	assert_int_equal(lo, 22);
	assert_int_equal(hi, 22);
	assert_int_equal(pk_limits_ports("1000-65535", &lo, &hi), 0);
	assert_int_equal(lo, 1000);
	assert_int_equal(hi, 65535);
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++)
		assert_int_equal(pk_limits_ports(bad[i], &lo, &hi), -EINVAL);
}

static struct pk_block_entry entry(const char *cidr)
{
	struct pk_block_entry e = { .dir = PK_BLK_IN | PK_BLK_OUT };
	unsigned bits;

	assert_int_equal(pk_ip_parse_cidr(cidr, e.prefix, &bits), 0);
	e.bits = (uint8_t)bits;
	e.v4 = !strchr(cidr, ':');
	return e;
}

static void prefixes(void **state)
{
	static const char *const same[] = { "10.0.0.0/8", "192.0.2.1",     "0.0.0.0/0",
					    "::/0",       "2001:db8::/32", "2001:db8::1" };
	char text[PK_PREFIX_TEXT];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(same); i++) {
		struct pk_block_entry e = entry(same[i]);

		assert_string_equal(pk_limits_prefix(&e, text), same[i]);
	}
}

static void members(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf out = { 0 };
	struct pk_block_entry e = entry("10.0.0.0/8");
	struct pk_json j;

	(void)state;
	pk_json_init(&j, &out);
	pk_json_arr(&j, NULL);
	pk_json_obj(&j, NULL);
	pk_limits_write(&j, &e, NULL);
	pk_json_end(&j);
	e.dir = PK_BLK_OUT;
	e.proto = 6;
	e.port_lo = 80;
	e.port_hi = 81;
	e.expires_ms = 5;
	pk_json_obj(&j, NULL);
	pk_limits_write(&j, &e, "eth0");
	pk_json_end(&j);
	pk_json_end(&j);
	assert_string_equal(out.data, "[{},{\"dir\":\"out\",\"proto\":\"tcp\",\"port\":\"80-81\","
				      "\"iface\":\"eth0\",\"expires\":5}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(directions), cmocka_unit_test(protocols), cmocka_unit_test(ports),
		cmocka_unit_test(prefixes),   cmocka_unit_test(members),
	};

	return cmocka_run_group_tests_name("api/limits", tests, NULL, NULL);
}
