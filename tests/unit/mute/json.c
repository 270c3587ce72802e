/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read back the same, whatever the texts hold; what is damaged is refused. */
#include "mute/json.h"

#include "base/buf.h"
#include "base/json.h"
#include "mute/mutes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct pk_mute make(void)
{
	struct pk_mute m = { .uid = "mute-20260115T090000-3",
			     .number = 3,
			     .state = PK_MUTE_ACTIVE,
			     .owner = "alice \\ \xff",
			     .created_ms = 1768467600000,
			     .expires_ms = 1768467700000,
			     .hits = 7,
			     .last_hit_ms = 1768467650000 };
	const char *why;

	memset(m.reason, '\\', sizeof(m.reason) - 1); /* the longest there is */
	assert_int_equal(pk_mute_add_rule(&m, "beacon"), 0);
	assert_int_equal(pk_mute_add_rule(&m, "id-\x01"), 0);
	assert_int_equal(pk_mute_want(&m, PK_MUTE_EXE, "/opt/a \"b\"/c\\d", &why), 0);
	assert_int_equal(pk_mute_want(&m, PK_MUTE_REMOTE, "2001:db8::/32", &why), 0);
	pk_mute_note(&m, "alice (uid 1)", "created", "known", 1768467600000);
	pk_mute_note(&m, "bob", "extended until then", NULL, 1768467600001);
	m.acts_kept = m.acts_ever;
	m.hits_kept = m.hits;
	return m;
}

static void test_back(void **state)
{
	struct pk_buf b = { 0 };
	struct pk_mute m = make(), r;
	struct pk_json j;

	(void)state;
	pk_json_init(&j, &b);
	pk_mute_write(&j, &m, NULL);
	assert_int_equal(b.error, 0);
	assert_int_equal(pk_mute_read(b.data, b.len, &r), 0);
	assert_memory_equal(&r, &m, sizeof(m));
	/* every cut of it is refused */
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(pk_mute_read(b.data, n, &r), -EBADMSG);
	pk_buf_done(&b);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"null",
		/* nobody owns it */
		"{\"uid\":\"mute-1\",\"number\":1,\"state\":\"active\",\"rules\":[\"beacon\"],"
		"\"match\":{},"
		"\"owner\":\"\",\"reason\":\"r\",\"created\":1,\"expires\":2}",
		/* what guards the sensor, made wide by hand */
		"{\"uid\":\"mute-1\",\"number\":1,\"state\":\"active\",\"rules\":[\"tamper\"],"
		"\"match\":{},"
		"\"owner\":\"a\",\"reason\":\"r\",\"created\":1,\"expires\":2}",
		/* no end */
		"{\"uid\":\"mute-1\",\"number\":1,\"state\":\"active\",\"rules\":[\"beacon\"],"
		"\"match\":{},"
		"\"owner\":\"a\",\"reason\":\"r\",\"created\":1}",
		"{\"uid\":\"mute-1\",\"number\":1,\"state\":\"odd\",\"rules\":[\"beacon\"],"
		"\"match\":{},"
		"\"owner\":\"a\",\"reason\":\"r\",\"created\":1,\"expires\":2}",
		"{\"uid\":\"mute-1\",\"number\":1,\"state\":\"active\",\"rules\":[\"beacon\"],"
		"\"match\":{\"remote\":\"0.0.0.0/"
		"0\"},\"owner\":\"a\",\"reason\":\"r\",\"created\":1,\"expires\":2}",
	};
	static const char right[] = "{\"uid\":\"mute-1\",\"number\":1,\"state\":\"active\","
				    "\"rules\":[\"beacon\"],\"match\":{},"
				    "\"owner\":\"a\",\"reason\":\"r\",\"created\":1,\"expires\":2}";
	struct pk_mute m;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (pk_mute_read(texts[i], strlen(texts[i]), &m) != -EBADMSG)
			fail_msg("%s", texts[i]);
	assert_int_equal(pk_mute_read(right, strlen(right), &m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
