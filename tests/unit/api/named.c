/* SPDX-License-Identifier: Apache-2.0 */
/* DNS transactions, hellos and names of flows, as whoever asks the agent sees them. */
#include "served.h"

#include "../name/samples.h"
#include "flow/table.h"

static void feed_names(struct pk_pipeline *p)
{
	struct pk_view *v = pk_pipeline_view(p);
	struct pk_names *n = v->ocsf.names;
	struct talk t = talk_of(1, PK_APP_TLS, IPPROTO_TCP, "10.0.0.2", 40000, "198.51.100.7", 443);
	struct talk d = talk_of(50, PK_APP_DNS, IPPROTO_UDP, "10.0.0.2", 5555, "192.0.2.53", 53);
	const struct record rr[] = { { "www.example.org", 5, 60, "cdn.example" },
				     { "cdn.example", 1, 60, "198.51.100.7" } };
	static const char get[] =
		"GET /x HTTP/1.1\r\nHost: Other.example\r\nUser-Agent: u/\x1b\r\n\r\n";
	uint8_t hello[4096];

	d.ts = v->now_ns - S;
	t.ts = v->now_ns;
	assert_int_equal(ask_dns(n, &d, 77, "www.example.org"), 0);
	assert_int_equal(answer_dns(n, &d, 77, "www.example.org", rr, 2), 0);
	assert_int_equal(ask_dns(n, &d, 78, "lost.example.org"), 0);
	assert_int_equal(say(n, &t, 0, hello, client_hello("www.example.org", hello, 4096)), 0);
	t = talk_of(2, PK_APP_HTTP, IPPROTO_TCP, "10.0.0.2", 40001, "198.51.100.8", 80);
	t.ts = v->now_ns;
	(void)say(n, &t, 0, get, sizeof(get) - 1);
	pk_pipeline_tick(p, v->now_ns + 10 * S);
}

static void test_dns(void **state)
{
	json_t *j = ask("GET", "/v1/dns", "", 200), *r;

	(void)state;
	assert_int_equal(json_array_size(at(j, "dns")), 2);
	assert_int_equal(num(j, "lost"), 0);
	r = json_array_get(at(j, "dns"), 0);
	assert_int_equal(num(r, "class_uid"), 4003);
	assert_int_equal(num(r, "type_uid"), 400306);
	assert_string_equal(text_at(r, "class_name"), "DNS Activity");
	assert_string_equal(text_at(r, "query.hostname"), "www.example.org");
	assert_string_equal(text_at(r, "query.type"), "A");
	assert_string_equal(text_at(r, "rcode"), "NoError");
	assert_string_equal(text_at(r, "src_endpoint.ip"), "10.0.0.2");
	assert_int_equal(num(r, "dst_endpoint.port"), 53);
	assert_int_equal(json_array_size(at(r, "answers")), 2);
	assert_string_equal(text_at(json_array_get(at(r, "answers"), 1), "rdata"), "198.51.100.7");
	assert_int_equal(num(json_array_get(at(r, "answers"), 1), "ttl"), 60);
	assert_true(json_is_true(at(r, "unmapped.picket.believed")));
	r = json_array_get(at(j, "dns"), 1);
	assert_int_equal(num(r, "activity_id"), 1); /* nobody answered */
	assert_null(at(r, "rcode_id"));
	assert_string_equal(text_at(r, "query.hostname"), "lost.example.org");
	json_decref(j);
	j = ask("GET", "/v1/dns?filter=name%20lost.*", "", 200);
	assert_int_equal(json_array_size(at(j, "dns")), 1);
	assert_int_equal(num(j, "last"), 2);
	json_decref(j);
	j = ask("GET", "/v1/dns?after=1&limit=5", "", 200);
	assert_int_equal(json_array_size(at(j, "dns")), 1);
	json_decref(j);
	j = ask("GET", "/v1/dns?filter=name%20none.example%20or%20tcp", "", 200);
	assert_int_equal(json_array_size(at(j, "dns")), 0);
	json_decref(j);
	json_decref(ask("GET", "/v1/dns?filter=((", "", 400));
}

static void check_names(json_t *r)
{
	json_t *ja4 = json_array_get(at(r, "ja4_fingerprint_list"), 0);

	assert_int_equal(num(r, "class_uid"), 4001);
	assert_string_equal(text_at(r, "app_name"), "tls");
	assert_string_equal(text_at(r, "tls.sni"), "www.example.org");
	assert_string_equal(text_at(r, "tls.version"), "TLS 1.3");
	assert_int_equal(strlen(text_at(r, "tls.ja3_hash.value")), 32);
	assert_int_equal(strlen(text_at(ja4, "value")), 36);
	assert_int_equal(num(ja4, "type_id"), 1);
	assert_int_equal(strlen(text_at(ja4, "section_c")), 12);
	assert_string_equal(text_at(r, "dst_endpoint.hostname"), "www.example.org");
	assert_string_equal(text_at(r, "unmapped.picket.name"), "www.example.org");
	assert_string_equal(text_at(r, "unmapped.picket.name_source"), "sni");
	assert_null(at(r, "unmapped.picket.name_conflict"));
	assert_int_equal(json_array_size(at(r, "unmapped.picket.tls.alpn")), 2);
}

static void test_tls(void **state)
{
	json_t *j = ask("GET", "/v1/tls", "", 200);

	(void)state;
	assert_int_equal(json_array_size(at(j, "tls")), 1);
	check_names(json_array_get(at(j, "tls"), 0));
	json_decref(j);
	j = ask("GET", "/v1/tls?filter=sni%20.example.org%20and%20ja4%20t13d*", "", 200);
	assert_int_equal(json_array_size(at(j, "tls")), 1);
	json_decref(j);
	j = ask("GET", "/v1/tls?filter=not%20alpn%20h2", "", 200);
	assert_int_equal(json_array_size(at(j, "tls")), 0);
	json_decref(j);
}

static void test_flows(void **state)
{
	json_t *j = ask("GET", "/v1/flows?state=all&filter=name%20www.example.org", "", 200), *r;

	(void)state;
	assert_int_equal(json_array_size(at(j, "flows")), 1);
	check_names(json_array_get(at(j, "flows"), 0));
	json_decref(j);
	j = ask("GET", "/v1/flows?state=all&filter=app%20http", "", 200);
	r = json_array_get(at(j, "flows"), 0);
	assert_string_equal(text_at(r, "http_request.http_method"), "GET");
	assert_string_equal(text_at(r, "http_request.url.hostname"), "other.example");
	assert_string_equal(text_at(r, "http_request.url.path"), "/x");
	assert_string_equal(text_at(r, "unmapped.picket.name_source"), "http");
	json_decref(j);
}

static bool has_table(json_t *status, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach(at(status, "tables"), i,
			   one) if (!strcmp(text_at(one, "name"), name)) return num(one, "max") > 0;
	return false;
}

static void test_status(void **state)
{
	json_t *j = ask("GET", "/v1/status", "", 200);
	static const char *const tables[] = {
		"facts",           "fact_text_bytes", "addresses", "tcp_streams",
		"quic_handshakes", "dns_questions",   "dns",       "tls"
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(tables); i++)
		assert_true(has_table(j, tables[i]));
	assert_int_equal(json_array_size(at(j, "names.samples")), 3);
	assert_int_equal(num(json_array_get(at(j, "names.samples"), 0), "taken"), 3);
	assert_int_equal(num(j, "names.dns_answers.missing"), 1);
	assert_int_equal(num(j, "names.dns_answers.names_learned"), 1);
	assert_int_equal(num(j, "names.records.lost"), 0);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_dns), cmocka_unit_test(test_tls),
					    cmocka_unit_test(test_flows),
					    cmocka_unit_test(test_status) };

	feed_more = feed_names;
	return cmocka_run_group_tests_name("api/named", tests, setup, teardown);
}
