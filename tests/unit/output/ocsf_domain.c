/* SPDX-License-Identifier: Apache-2.0 */
#include "output/ocsf_domain.h"

#include "base/buf.h"
#include "base/json.h"
#include "decode/record.h"
#include "flow/link.h"
#include "flow/table.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static struct pk_ocsf ocsf = { .boot = "b" };

static const char *text(json_t *o, const char *path)
{
	char key[64];
	const char *dot;

	while ((dot = strchr(path, '.'))) {
		(void)snprintf(key, sizeof(key), "%.*s", (int)(dot - path), path);
		o = json_object_get(o, key);
		path = dot + 1;
	}
	o = json_object_get(o, path);
	return json_string_value(o) ? json_string_value(o) : "";
}

static void set_v4(uint8_t a[16], uint8_t last)
{
	memset(a, 0, 16);
	a[10] = a[11] = 0xff;
	a[12] = 192, a[14] = 2, a[15] = last;
}

static void test_query(void **state)
{
	struct pk_query q = { .hdr = { .ts = 5, .type = PK_EV_QUERY, .size = sizeof(q) },
			      .list = 1,
			      .qtype = 28,
			      .act = PK_VERDICT_DROP,
			      .answered = 1,
			      .name_len = 16,
			      .below = 4,
			      .text = "www.evil.example" };
	struct pk_ocsf_listed l = {
		.list = "ads", .name = "evil.example", .reason = "C2", .entry = 7, .drop = true
	};
	struct pk_event ev;
	struct pk_buf out = { 0 };
	struct pk_json j;
	json_t *o;

	(void)state;
	set_v4(q.src, 1);
	set_v4(q.dst, 53);
	q.dport = htons(53);
	assert_int_equal(pk_record_decode(&ev, &q, sizeof(q)), 0);
	pk_json_init(&j, &out);
	pk_ocsf_query(&j, &ocsf, &ev, &l, 1);
	o = json_loadb(out.data, out.len, 0, NULL);
	assert_non_null(o);
	assert_int_equal(json_integer_value(json_object_get(o, "class_uid")), 4003);
	assert_string_equal(text(o, "query.hostname"), "www.evil.example");
	assert_string_equal(text(o, "query.type"), "AAAA");
	assert_string_equal(text(o, "action"), "Denied");
	assert_string_equal(text(o, "unmapped.picket.name"), "evil.example");
	assert_string_equal(text(o, "unmapped.picket.list"), "ads");
	assert_string_equal(text(o, "unmapped.picket.reason"), "C2");
	assert_string_equal(text(o, "unmapped.picket.where"), "query");
	json_decref(o);
	pk_buf_done(&out);
	/* what a record may not be */
	q.below = 17;
	assert_true(pk_record_decode(&ev, &q, sizeof(q)) < 0);
	q.below = 4;
	q.name_len = 10;
	assert_true(pk_record_decode(&ev, &q, sizeof(q)) < 0);
	q.name_len = 16;
	q.list = PK_BLK_LISTS;
	assert_true(pk_record_decode(&ev, &q, sizeof(q)) < 0);
	q.list = UINT16_MAX;
	assert_int_equal(pk_record_decode(&ev, &q, sizeof(q)), 0);
	q.act = 0;
	assert_true(pk_record_decode(&ev, &q, sizeof(q)) < 0);
}

static void test_cut(void **state)
{
	struct pk_ocsf_listed l = { .list = "ads", .name = "evil.example", .drop = false };
	struct pk_flow_entry e = { 0 };
	struct pk_buf out = { 0 };
	struct pk_json j;
	json_t *o;

	(void)state;
	set_v4(e.flow.key.addr[0], 1);
	set_v4(e.flow.key.addr[1], 2);
	e.flow.key.port[0] = htons(443);
	e.flow.key.proto = 17;
	e.flow.meta.id = 99;
	e.flow.meta.initiator = 1;
	pk_json_init(&j, &out);
	pk_ocsf_cut(&j, &ocsf, &e, 5, "sni", "x.evil.example", &l, 1);
	o = json_loadb(out.data, out.len, 0, NULL);
	assert_non_null(o);
	assert_int_equal(json_integer_value(json_object_get(o, "class_uid")), 4001);
	assert_string_equal(text(o, "dst_endpoint.ip"), "192.0.2.1");
	assert_string_equal(text(o, "tls.sni"), "x.evil.example");
	assert_string_equal(text(o, "action"), "Observed");
	assert_string_equal(text(o, "unmapped.picket.name"), "evil.example");
	assert_string_equal(text(o, "unmapped.picket.carried"), "x.evil.example");
	json_decref(o);
	pk_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_cut),
	};
	int r;

	ocsf.links = pk_links_new(4);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	pk_links_free(ocsf.links);
	return r;
}
