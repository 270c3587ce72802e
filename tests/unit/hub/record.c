/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of a record, and what a hostile host can not make us read. */
#include "hub/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                       \
	"\"metadata\":{\"uid\":\"u-1\",\"sequence\":7},\"class_uid\":2004,\"severity_id\":4,"      \
	"\"time\":1700000000000,\"message\":\"m\",\"finding_info\":{\"analytic\":{\"uid\":\"r\"}}"

static enum pk_hub_refusal read_text(const char *json, struct pk_hub_record *r)
{
	return pk_hub_record_read(json, strlen(json), r);
}

static bool has(const struct pk_hub_record *r, enum pk_hub_kind kind, const char *text)
{
	for (size_t i = 0; i < r->values; i++)
		if (r->value[i].kind == kind && strcmp(r->value[i].text, text) == 0)
			return true;
	return false;
}

static void test_inbound(void **state)
{
	struct pk_hub_record r;

	(void)state;
	assert_int_equal(
		read_text("{" HEAD ",\"evidences\":[{\"process\":{\"pid\":1}},"
			  "{\"src_endpoint\":{\"ip\":\"::ffff:192.0.2.1\"},"
			  "\"dst_endpoint\":{\"ip\":\"10.0.0.1\",\"hostname\":\"mine\"},"
			  "\"tls\":{\"sni\":\"mine.example\"}}],"
			  "\"unmapped\":{\"picket\":{\"remote\":\"192.0.2.1\",\"spoofable\":true,"
			  "\"name\":\"mine.example\"}}}",
			  &r),
		PK_HUB_TAKEN);
	assert_string_equal(r.uid, "u-1");
	assert_string_equal(r.rule, "r");
	assert_int_equal(r.sequence, 7);
	assert_true(r.inbound && r.spoofable);
	assert_string_equal(r.own, "10.0.0.1");
	assert_int_equal(r.values, 1); /* names of the host itself are no news */
	assert_true(has(&r, PK_HUB_SOURCE, "192.0.2.1"));
}

static void test_outbound(void **state)
{
	struct pk_hub_record r;

	(void)state;
	assert_int_equal(
		read_text("{" HEAD ",\"evidences\":[{\"src_endpoint\":{\"ip\":\"fd00::1\"},"
			  "\"dst_endpoint\":{\"ip\":\"2001:db8:0::7\",\"hostname\":\"c2.Example\"},"
			  "\"ja4_fingerprint_list\":[{\"value\":\"t13d_a_b\"},{\"value\":\"bad "
			  "ja4\"}]}],"
			  "\"unmapped\":{\"picket\":{\"remote\":\"2001:db8::7\"}}}",
			  &r),
		PK_HUB_TAKEN);
	assert_false(r.inbound);
	assert_string_equal(r.own, "fd00::1");
	assert_true(has(&r, PK_HUB_NAME, "c2.example"));
	assert_true(has(&r, PK_HUB_JA4, "t13d_a_b"));
	assert_int_equal(r.values, 2);
	assert_int_equal(r.values_lost, 1);
	/* no name: the address itself */
	assert_int_equal(read_text("{" HEAD
				   ",\"evidences\":[{\"src_endpoint\":{\"ip\":\"10.0.0.1\"},"
				   "\"dst_endpoint\":{\"ip\":\"192.0.2.7\"}}],"
				   "\"unmapped\":{\"picket\":{\"remote\":\"192.0.2.7\"}}}",
				   &r),
			 PK_HUB_TAKEN);
	assert_true(has(&r, PK_HUB_ADDRESS, "192.0.2.7"));
}

static void test_files(void **state)
{
	static const char *const bad[] = {
		"\"ba78\"", "7", "[]",
		"\"zz7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
		"f20015ad\"",
		"\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
		"f20015ad0\""
	};
	struct pk_hub_record r;
	char json[1024];

	(void)state;
	assert_int_equal(
		read_text("{" HEAD ",\"evidences\":[{\"process\":{\"pid\":7}},{\"data\":"
			  "{\"indicator\":\"x\",\"sha256\":\"BA7816bf8f01cfea414140de5dae22"
			  "23b00361a396177a9cb410ff61f20015ad\"}}]}",
			  &r),
		PK_HUB_TAKEN);
	assert_int_equal(r.values, 1);
	assert_true(has(&r, PK_HUB_SHA256,
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(json, sizeof(json),
			 "{" HEAD ",\"evidences\":[{\"data\":{\"sha256\":%s}}]}", bad[i]);
		assert_int_equal(read_text(json, &r), PK_HUB_TAKEN);
		assert_int_equal(r.values, 0);
		assert_int_equal(r.values_lost, 1);
	}
}

static void test_refused(void **state)
{
	static const struct {
		enum pk_hub_refusal why;
		const char *json;
	} bad[] = {
		{ PK_HUB_NOT_JSON, "" },
		{ PK_HUB_NOT_JSON, "[]" },
		{ PK_HUB_NOT_JSON, "{" HEAD },
		{ PK_HUB_NOT_JSON, "{\"class_uid\":2004,\"class_uid\":2004}" },
		{ PK_HUB_NOT_OCSF, "{}" },
		{ PK_HUB_NOT_OCSF, "{\"class_uid\":\"2004\"}" },
		{ PK_HUB_NOT_OCSF, "{\"class_uid\":2004}" },
		{ PK_HUB_OTHER_CLASS, "{\"class_uid\":2005}" },
		{ PK_HUB_SUPPRESSED, "{" HEAD ",\"status_id\":3}" },
		{ PK_HUB_NOT_OCSF,
		  "{\"metadata\":{\"uid\":\"a b\"},\"class_uid\":2004,\"severity_id\":4,"
		  "\"time\":1,\"message\":\"m\",\"finding_info\":{\"analytic\":{\"uid\":\"r\"}}}" },
		{ PK_HUB_NOT_OCSF,
		  "{\"metadata\":{\"uid\":\"\"},\"class_uid\":2004,\"severity_id\":4,"
		  "\"time\":1,\"message\":\"m\",\"finding_info\":{\"analytic\":{\"uid\":\"r\"}}}" },
		{ PK_HUB_NOT_OCSF,
		  "{\"metadata\":{\"uid\":\"u\"},\"class_uid\":2004,\"severity_id\":400,"
		  "\"time\":1,\"message\":\"m\",\"finding_info\":{\"analytic\":{\"uid\":\"r\"}}}" },
		{ PK_HUB_NOT_OCSF,
		  "{\"metadata\":{\"uid\":\"u\"},\"class_uid\":2004,\"severity_id\":4,"
		  "\"time\":-1,\"message\":\"m\",\"finding_info\":{\"analytic\":{\"uid\":\"r\"}}"
		  "}" },
		{ PK_HUB_NOT_OCSF,
		  "{\"metadata\":{\"uid\":\"u\",\"sequence\":-1},\"class_uid\":2004,\"severity_"
		  "id\":4,"
		  "\"time\":1,\"message\":\"m\",\"finding_info\":{\"analytic\":{\"uid\":\"r\"}}}" },
	};
	struct pk_hub_record r;
	char *large;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(read_text(bad[i].json, &r), bad[i].why);
	assert_int_equal(read_text("{" HEAD "}", &r), PK_HUB_TAKEN);
	large = malloc(PK_HUB_RECORD_MAX + 1);
	assert_non_null(large);
	memset(large, '[', PK_HUB_RECORD_MAX + 1);
	assert_int_equal(pk_hub_record_read(large, PK_HUB_RECORD_MAX + 1, &r), PK_HUB_TOO_LARGE);
	assert_int_equal(pk_hub_record_read(large, PK_HUB_RECORD_MAX, &r), PK_HUB_NOT_JSON);
	free(large);
	for (unsigned i = 0; i < PK_HUB_REFUSALS; i++)
		assert_non_null(pk_hub_refusal_name(i));
	assert_null(pk_hub_refusal_name(PK_HUB_REFUSALS));
}

/* Types that are not what they should be, and more values than there is room for. */
static void test_hostile(void **state)
{
	char json[8192] = "{" HEAD ",\"evidences\":[";
	struct pk_hub_record r;

	(void)state;
	assert_int_equal(
		read_text("{" HEAD ",\"evidences\":{\"a\":1},\"unmapped\":{\"picket\":[]}}", &r),
		PK_HUB_TAKEN);
	assert_int_equal(r.values, 0);
	assert_int_equal(read_text("{" HEAD ",\"evidences\":[1,null,{\"src_endpoint\":7,"
				   "\"dst_endpoint\":{\"ip\":[]},\"ja4_fingerprint_list\":\"x\"}],"
				   "\"unmapped\":{\"picket\":{\"remote\":\"nowhere\",\"name\":7}}}",
				   &r),
			 PK_HUB_TAKEN);
	assert_int_equal(r.values, 0);
	assert_int_equal(r.values_lost, 2);
	for (int i = 0; i < 40; i++)
		sprintf(json + strlen(json),
			"%s{\"ja4_fingerprint_list\":[{\"value\":\"a%d\"},{\"value\":\"b%d\"}]}",
			i ? "," : "", i, i);
	strcat(json, "]}");
	assert_int_equal(read_text(json, &r), PK_HUB_TAKEN);
	assert_int_equal(r.values, PK_HUB_VALUES_MAX);
	assert_int_equal(r.values_lost, 16 + 24); /* values, evidences */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inbound), cmocka_unit_test(test_outbound),
		cmocka_unit_test(test_files),   cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
