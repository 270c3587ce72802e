/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The safe set in real maps: each question is asked as the packet programs ask it, by the bit first
 * and then by the longest prefix.
 */
#include "probe/safe.h"

#include "load.h"

#include "base/ip.h"
#include "conf/conf.h"

#include <errno.h>
#include <stdbool.h>

#define S   1000000000ULL
#define OWN PK_BLK_SAFE_OWN
#define GW  PK_BLK_SAFE_GATEWAY

static struct pk_object *obj;
static struct pk_safe *safe;
static int told, told_gone, noticed;
static uint32_t last_kinds;

static void on_tell(void *arg, const struct pk_blk_safe_key *key, uint32_t kinds, bool gone)
{
	(void)arg, (void)key;
	told += !gone;
	told_gone += gone;
	last_kinds = kinds;
}

static void on_notice(void *arg, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void on_notice(void *arg, int level, const char *fmt, ...)
{
	(void)arg, (void)level, (void)fmt;
	noticed++;
}

/* An agent starts on the maps as they are. */
static void open_safe(uint64_t now)
{
	safe = calloc(1, sizeof(*safe));
	assert_non_null(safe);
	safe->set.set_fd = pk_object_map_fd(obj, "pk_blk_safe");
	safe->set.map_fd = pk_object_map_fd(obj, "pk_blk_safe_map");
	safe->set.tell = on_tell;
	safe->notice = on_notice;
	told = told_gone = noticed = 0;
	assert_int_equal(pk_safe_open(safe, now), 0);
}

static void close_safe(void)
{
	pk_safe_close(safe);
	free(safe);
}

static int load(void **state)
{
	static const char *const progs[] = { PK_PROG_SWEEP, NULL };
	struct pk_object_opts opts = { .slots = 1024, .progs = progs };

	(void)state;
	if (pk_object_open(&opts, &obj) || pk_object_load(obj))
		return -1;
	open_safe(0);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	close_safe();
	pk_object_free(obj);
	return 0;
}

static uint64_t be64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static bool bit(const uint8_t addr[16])
{
	uint64_t w0 = be64(addr), w1 = be64(addr + 8);
	bool v4 = !w0 && w1 >> 32 == 0xffff;
	uint32_t zero = 0, g = v4 ? w1 >> 20 & 0xfff : pk_blk_safe_group(w0);
	struct pk_blk_safe_map map;

	assert_int_equal(bpf_map_lookup_elem(safe->set.map_fd, &zero, &map), 0);
	return (v4 ? map.v4 : map.v6)[g >> 6] >> (g & 63) & 1;
}

/* As pk_blk_is_safe(): 0 when it can be blocked. */
static uint32_t kinds(const char *ip)
{
	struct pk_blk_safe_key k = { .bits = 128 };
	struct pk_blk_safe v = {};

	assert_int_equal(pk_ip_parse(ip, k.addr), 0);
	if (!bit(k.addr) || bpf_map_lookup_elem(safe->set.set_fd, &k, &v))
		return 0;
	return v.kinds;
}

static struct pk_safe_source of(uint64_t netns, uint32_t kind, const char *ip)
{
	struct pk_safe_source s = { .netns = netns, .ifindex = 3, .kind = kind };
	unsigned bits;

	assert_int_equal(pk_ip_parse_cidr(ip, s.key.addr, &bits), 0);
	s.key.bits = bits;
	return s;
}

static void add(uint64_t netns, uint32_t kind, const char *ip)
{
	struct pk_safe_source s = of(netns, kind, ip);

	pk_safe_add(safe, &s);
}

static void drop(uint64_t netns, uint32_t kind, const char *ip)
{
	struct pk_safe_source s = of(netns, kind, ip);

	pk_safe_remove(safe, &s);
}

static int except(const char *ip, bool on)
{
	uint8_t a[16];

	assert_int_equal(pk_ip_parse(ip, a), 0);
	return pk_safe_except(safe, a, on);
}

static void management(const char *a, const char *b)
{
	const char *v[] = { a, b };
	struct pk_conf_list l = { (char **)v, !!a + !!b };

	pk_safe_management(safe, &l);
}

static void what_ip_needs_is_safe(void **state)
{
	static const char *const yes[] = { "127.0.0.1", "127.255.255.255", "::1",
					   "fe80::1",   "ff02::1",         "ff02::1:ff00:1",
					   "0.0.0.0",   "255.255.255.255" };
	static const char *const no[] = { "128.0.0.1",       "10.0.0.1",    "0.0.0.1",
					  "255.255.255.254", "::2",         "2001:db8::1",
					  "ff05::1",         "fec0::1",     "8.8.8.8",
					  "ff0e::1",         "fe80:0:0:1::" };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_int_equal(kinds(yes[i]), PK_BLK_SAFE_PROTOCOL);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_int_equal(kinds(no[i]), 0);
}

static void an_address_is_safe_until_the_last_lets_go(void **state)
{
	(void)state;
	add(1, OWN, "10.1.2.3");
	add(1, OWN, "10.1.2.3"); /* told again: counts once */
	add(2, OWN, "10.1.2.3");
	add(1, GW, "10.1.2.3");
	assert_int_equal(kinds("10.1.2.3"), OWN | GW);
	assert_int_equal(kinds("10.1.2.4"), 0);
	drop(1, OWN, "10.1.2.3");
	drop(1, OWN, "10.1.2.3");
	assert_int_equal(kinds("10.1.2.3"), OWN | GW);
	drop(2, OWN, "10.1.2.3");
	assert_int_equal(kinds("10.1.2.3"), GW);
	drop(1, GW, "10.1.2.3");
	assert_int_equal(kinds("10.1.2.3"), 0);
	assert_int_equal(told_gone, 1);
}

static void a_longer_prefix_does_not_hide_a_shorter(void **state)
{
	(void)state;
	add(1, GW, "10.1.2.3");
	management("10.0.0.0/8", "2001:db8::/32");
	assert_int_equal(kinds("10.1.2.3"), GW | PK_BLK_SAFE_MANAGEMENT);
	assert_int_equal(kinds("10.200.2.3"), PK_BLK_SAFE_MANAGEMENT);
	assert_int_equal(kinds("11.0.0.1"), 0);
	assert_int_equal(kinds("2001:db8:1::1"), PK_BLK_SAFE_MANAGEMENT);
	add(1, OWN, "10.9.9.9");
	assert_int_equal(kinds("10.9.9.9"), OWN | PK_BLK_SAFE_MANAGEMENT);
	management("10.9.0.0/16", NULL);
	assert_int_equal(kinds("10.1.2.3"), GW);
	assert_int_equal(kinds("10.9.9.9"), OWN | PK_BLK_SAFE_MANAGEMENT);
	assert_int_equal(kinds("10.200.2.3"), 0);
	assert_int_equal(kinds("2001:db8:1::1"), 0);
	management(NULL, NULL);
	assert_int_equal(kinds("10.9.9.9"), OWN);
	drop(1, OWN, "10.9.9.9");
	assert_int_equal(kinds("10.9.9.9"), 0);
	assert_int_equal(noticed, 0);
	management("10.0.0.0/33", NULL);
	assert_int_equal(noticed, 1);
}

static void bits_go_with_the_last_of_their_group(void **state)
{
	uint8_t a[16], b[16];

	(void)state;
	pk_ip_parse("10.1.2.3", a);
	pk_ip_parse("2001:db8::1", b);
	assert_false(bit(a));
	assert_false(bit(b));
	add(1, OWN, "10.1.2.3");
	add(1, OWN, "10.2.2.3");
	add(1, OWN, "2001:db8::1");
	assert_true(bit(a) && bit(b));
	drop(1, OWN, "10.1.2.3");
	drop(1, OWN, "2001:db8::1");
	assert_true(bit(a)); /* 10.2.2.3 is in the group */
	assert_false(bit(b));
	drop(1, OWN, "10.2.2.3");
	assert_false(bit(a));
	management("2001::/16", NULL); /* shorter than a group */
	pk_ip_parse("2607::1", b);
	assert_true(bit(b));
	assert_int_equal(kinds("2607::1"), 0);
	assert_int_equal(kinds("2001:ff::1"), PK_BLK_SAFE_MANAGEMENT);
}

static void exceptions_are_not_for_ourselves(void **state)
{
	(void)state;
	add(1, OWN, "10.1.2.3");
	add(1, GW, "10.1.2.1");
	add(1, GW, "fe80::1");
	management("10.0.0.0/8", NULL);
	assert_int_equal(except("10.1.2.3", true), -EPERM);
	assert_int_equal(except("127.0.0.1", true), -EPERM);
	assert_int_equal(except("127.9.0.1", true), -EPERM);
	assert_int_equal(except("::1", true), -EPERM);
	assert_int_equal(except("10.1.2.1", true), 0);
	assert_int_equal(kinds("10.1.2.1"), 0);
	assert_int_equal(except("10.5.5.5", true), 0); /* only management names it */
	assert_int_equal(kinds("10.5.5.5"), 0);
	assert_int_equal(kinds("10.5.5.6"), PK_BLK_SAFE_MANAGEMENT);
	assert_int_equal(except("fe80::1", true), 0);
	assert_int_equal(kinds("fe80::1"), PK_BLK_SAFE_PROTOCOL);
	add(1, OWN, "10.5.5.5"); /* becomes ours: safe, whatever was said */
	assert_int_equal(kinds("10.5.5.5"), OWN);
	drop(1, OWN, "10.5.5.5");
	assert_int_equal(kinds("10.5.5.5"), 0);
	assert_int_equal(except("10.5.5.5", false), 0);
	assert_int_equal(kinds("10.5.5.5"), PK_BLK_SAFE_MANAGEMENT);
	assert_int_equal(except("10.1.2.1", false), 0);
	assert_int_equal(kinds("10.1.2.1"), GW | PK_BLK_SAFE_MANAGEMENT);
}

static int admin(uint32_t n, uint64_t now)
{
	uint8_t a[16] = { [10] = 0xff, [11] = 0xff, [12] = 192, [15] = (uint8_t)n };

	return pk_safe_admin(safe, a, now);
}

static void administrators_stay_for_ten_minutes(void **state)
{
	const uint8_t nobody[16] = {};

	(void)state;
	assert_int_equal(admin(1, 0), 0);
	assert_int_equal(admin(2, 0), 0);
	assert_int_equal(kinds("192.0.0.1"), PK_BLK_SAFE_ADMIN);
	assert_int_equal(admin(1, 500 * S), 0);
	pk_safe_tick(safe, 601 * S);
	assert_int_equal(kinds("192.0.0.1"), PK_BLK_SAFE_ADMIN);
	assert_int_equal(kinds("192.0.0.2"), 0);
	pk_safe_tick(safe, 1101 * S);
	assert_int_equal(kinds("192.0.0.1"), 0);
	for (uint32_t i = 0; i < PK_SAFE_ADMINS; i++)
		assert_int_equal(admin(i + 1, 2000 * S), 0);
	assert_int_equal(admin(100, 2000 * S), -ENOSPC);
	assert_int_equal(admin(1, 2001 * S), 0); /* those who are there stay */
	assert_int_equal(pk_safe_admin(safe, nobody, 0), -EINVAL);
}

static void what_a_round_does_not_name_is_gone(void **state)
{
	(void)state;
	add(1, GW, "10.0.0.1");
	add(1, GW, "10.0.0.2");
	add(1, OWN, "10.0.0.9");
	add(2, GW, "10.0.0.3");
	pk_safe_begin(safe);
	add(1, GW, "10.0.0.2");
	add(1, GW, "10.0.0.4");
	pk_safe_end(safe, 1, GW);
	assert_int_equal(kinds("10.0.0.1"), 0);
	assert_int_equal(kinds("10.0.0.2"), GW);
	assert_int_equal(kinds("10.0.0.3"), GW);
	assert_int_equal(kinds("10.0.0.4"), GW);
	assert_int_equal(kinds("10.0.0.9"), OWN);
	pk_safe_link_down(safe, 1, 3);
	assert_int_equal(kinds("10.0.0.2"), 0);
	assert_int_equal(kinds("10.0.0.3"), GW);
	assert_int_equal(kinds("10.0.0.9"), OWN);
}

static void a_later_agent_takes_over(void **state)
{
	(void)state;
	add(1, OWN, "10.0.0.1");
	add(1, GW, "2001:db8::1");
	assert_int_equal(admin(1, 0), 0);
	close_safe();
	open_safe(1000 * S);
	/* Nothing was unsafe for a moment: all of it is there before anybody named it. */
	assert_int_equal(kinds("10.0.0.1"), OWN);
	assert_int_equal(kinds("2001:db8::1"), GW);
	assert_int_equal(kinds("192.0.0.1"), PK_BLK_SAFE_ADMIN);
	add(7, OWN, "10.0.0.1");
	pk_safe_settle(safe);
	assert_int_equal(kinds("10.0.0.1"), OWN);
	assert_int_equal(kinds("2001:db8::1"), 0);
	assert_int_equal(kinds("127.0.0.1"), PK_BLK_SAFE_PROTOCOL);
	pk_safe_tick(safe, 1599 * S);
	assert_int_equal(kinds("192.0.0.1"), PK_BLK_SAFE_ADMIN);
	pk_safe_tick(safe, 1600 * S);
	assert_int_equal(kinds("192.0.0.1"), 0);
}

static void a_full_set_is_told_and_filled_later(void **state)
{
	struct pk_safe_source s = of(1, OWN, "10.0.0.0");
	int before = told;

	(void)state;
	for (uint32_t i = 0; i < 4100; i++) {
		s.key.addr[14] = (uint8_t)(i >> 8);
		s.key.addr[15] = (uint8_t)i;
		pk_safe_add(safe, &s);
	}
	assert_int_equal(told - before, 4100); /* input is guarded all the same */
	assert_int_equal(noticed, 1);
	assert_int_equal(safe->set.missing, 10); /* six are of the protocols */
	assert_int_equal(kinds("10.0.15.250"), 0);
	assert_int_equal(kinds("10.0.15.249"), OWN);
	for (int i = 0; i < 10; i++) {
		char ip[16];

		snprintf(ip, sizeof(ip), "10.0.0.%d", i);
		drop(1, OWN, ip);
	}
	pk_safe_tick(safe, 0);
	assert_int_equal(safe->set.missing, 0);
	assert_int_equal(kinds("10.0.16.3"), OWN);
	assert_int_equal(kinds("10.0.0.3"), 0);
}

static void a_new_reader_is_told_all(void **state)
{
	int before;

	(void)state;
	add(1, OWN, "10.0.0.1");
	before = told;
	pk_safeset_tell(&safe->set);
	assert_int_equal(told - before, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_ip_needs_is_safe, load, unload),
		cmocka_unit_test_setup_teardown(an_address_is_safe_until_the_last_lets_go, load,
						unload),
		cmocka_unit_test_setup_teardown(a_longer_prefix_does_not_hide_a_shorter, load,
						unload),
		cmocka_unit_test_setup_teardown(bits_go_with_the_last_of_their_group, load, unload),
		cmocka_unit_test_setup_teardown(exceptions_are_not_for_ourselves, load, unload),
		cmocka_unit_test_setup_teardown(administrators_stay_for_ten_minutes, load, unload),
		cmocka_unit_test_setup_teardown(what_a_round_does_not_name_is_gone, load, unload),
		cmocka_unit_test_setup_teardown(a_later_agent_takes_over, load, unload),
		cmocka_unit_test_setup_teardown(a_full_set_is_told_and_filled_later, load, unload),
		cmocka_unit_test_setup_teardown(a_new_reader_is_told_all, load, unload),
	};

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
