/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/frame.h"

#include "sample.h"

static void test_mac(void **state)
{
	static const uint8_t mac[6] = { 2, 1, 2, 3, 4, 5 }, group[6] = { 1 }, none[6];
	static const uint8_t hsrp[6] = { 0, 0, 0x0c, 7, 0xac, 1 };
	char text[PK_MAC_TEXT];
	uint8_t got[6];

	(void)state;
	see_begin("arp_spoof");
	see_frame(1, mac, PK_APP_ARP, 0x0806, 0, "", 0);
	assert_true(pk_sample_mac(&frame_record.s, got));
	assert_memory_equal(got, mac, 6);
	frame_record.s.raw = 1;
	assert_false(pk_sample_mac(&frame_record.s, got));
	assert_string_equal(pk_mac_format(mac, text), "02:01:02:03:04:05");
	assert_true(pk_mac_is_host(mac));
	assert_false(pk_mac_is_host(group));
	assert_false(pk_mac_is_host(none));
	assert_true(pk_mac_is_virtual(hsrp));
	assert_false(pk_mac_is_virtual(mac));
	see_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
