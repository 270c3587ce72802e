/* SPDX-License-Identifier: Apache-2.0 */
/* Filters over an alert's record answer as they would have over the alert itself. */
#include "api/alert_json.h"

#include "flow/filter.h"

#include <picket/event.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char record[] =
	"{\"class_uid\":2004,\"finding_info\":{\"analytic\":{\"uid\":\"beacon\"}},\"evidences\":["
	"{\"process\":{\"pid\":10,\"name\":\"curl\",\"cmd_line\":\"curl "
	"C:\\\\\\\\x\",\"file\":{\"path\":\"/usr/bin/curl\"},"
	"\"user\":{\"name\":\"alice\",\"uid\":\"1000\"},\"container\":{\"uid\":\"0123456789ab\","
	"\"name\":\"web\"}}},"
	"{\"process\":{\"pid\":9,\"name\":\"bash\",\"user\":{\"uid\":\"0\"}}},"
	"{\"src_endpoint\":{\"ip\":\"10.0.0.2\",\"port\":40000},\"dst_endpoint\":{\"ip\":\"192.0.2."
	"7\",\"port\":443,"
	"\"hostname\":\"a.example.org\",\"location\":{\"country\":\"DE\"}},"
	"\"connection_info\":{\"protocol_num\":6},\"traffic\":{\"bytes_out\":1000,\"bytes_in\":"
	"4000},"
	"\"app_name\":\"tls\",\"tls\":{\"sni\":\"b.example.org\"}},"
	"{\"data\":{\"score\":\"90\"}}],"
	"\"unmapped\":{\"picket\":{\"name\":\"c.example.org\"}}}";

static void test_filters(void **state)
{
	static const struct {
		const char *text;
		bool takes;
	} cases[] = {
		{ "proc curl", true },
		{ "proc bash", true },
		{ "proc zsh", false },
		{ "pid 10", true },
		{ "exe /usr/bin/*", true },
		{ "user alice", true },
		{ "user 0", true },
		{ "user bob", false },
		{ "container web", true },
		{ "cmd 'curl C:\\\\x'", true },
		{ "host 192.0.2.7 and tcp", true },
		{ "dst port 443", true },
		{ "src port 443", false },
		{ "net 10.0.0.0/8", true },
		{ "udp", false },
		{ "bytes >= 5000", true },
		{ "bytes > 5000", false },
		{ "name a.example.org", true },
		{ "name c.example.org", true },
		{ "name .example.org and app tls", true },
		{ "sni b.example.org", true },
		{ "sni a.example.org", false },
		{ "country DE", true },
		{ "country FR", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *a = json_loads(record, 0, NULL);
		struct pk_filter_subject s;
		struct pk_filter_error e;
		struct pk_filter *f;
		struct pk_flow flow;

		assert_non_null(a);
		if (pk_filter_new(cases[i].text, &f, &e) < 0)
			fail_msg("%s: %s", cases[i].text, e.text);
		pk_alert_json_subject(a, &flow, &s);
		if (pk_filter_match(f, &s) != cases[i].takes)
			fail_msg("%s", cases[i].text);
		pk_filter_free(f);
		json_decref(a);
	}
}

/* A record of a file may hold anything. */
static void test_odd(void **state)
{
	static const char *const odd[] = {
		"{}",
		"{\"evidences\":3}",
		"{\"evidences\":[1,null,{\"process\":3},{\"src_endpoint\":[]}]}",
		"{\"evidences\":[{\"src_endpoint\":{\"ip\":\"x\",\"port\":\"y\"},\"traffic\":{"
		"\"bytes_in\":-1}}]}",
		"{\"evidences\":[{\"process\":{}},{\"process\":{}},{\"process\":{}},{\"process\":{}"
		"},{\"process\":{}}]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		json_t *a = json_loads(odd[i], 0, NULL);
		struct pk_filter_subject s;
		struct pk_flow flow;

		assert_non_null(a);
		pk_alert_json_subject(a, &flow, &s);
		assert_true(s.procs <= 4);
		assert_false(pk_alert_json_is_of(a, "beacon"));
		json_decref(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_odd),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
