/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a flow, read and shown again. */
#include "../../../tools/replay_flow.h"

#include "base/ip.h"
#include "conf/conf.h"
#include "detect/rules_event.h"
#include "enrich/enrich.h"
#include "flow/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char record[] =
	"{\"start_time\":1700000000000,\"end_time\":1700000005000,"
	"\"connection_info\":{\"protocol_num\":6},"
	"\"src_endpoint\":{\"ip\":\"10.0.0.1\",\"port\":40000},"
	"\"dst_endpoint\":{\"ip\":\"192.0.2.7\",\"port\":443,\"hostname\":\"a.example\"},"
	"\"traffic\":{\"bytes_out\":10,\"bytes_in\":20,\"packets_out\":1,\"packets_in\":2},"
	"\"actor\":{\"process\":{\"pid\":77,\"file\":{\"path\":\"/usr/bin/curl\"},"
	"\"user\":{\"uid\":\"123456\"}}},"
	"\"unmapped\":{\"picket\":{\"row\":3,\"name\":\"a.example\",\"process_at\":\"src\"}}}";

struct world {
	struct pk_conf *conf;
	struct pk_enrich *enrich;
	struct pk_flow_table *flows;
	struct pk_replay_flow seen;
	struct pk_rules_texts texts;
	struct pk_rules_event e[PK_RULES_EVENTS_MAX];
};

static void world_make(struct world *w)
{
	*w = (struct world){ .conf = pk_conf_new(), .flows = pk_flow_table_new(2, 2) };
	assert_non_null(w->conf);
	assert_non_null(w->flows);
	assert_int_equal(pk_enrich_new(w->conf, false, &w->enrich), 0);
	w->seen = (struct pk_replay_flow){ .enrich = w->enrich, .flows = w->flows };
}

static void world_done(struct world *w)
{
	pk_enrich_free(w->enrich);
	pk_flow_table_free(w->flows);
	pk_conf_free(w->conf);
}

static void field_is(const struct pk_rules_event *e, enum pk_sigma_field f, const char *text)
{
	struct pk_sigma_text t = e->event.field[f];

	if (!text) {
		assert_null(t.s);
		return;
	}
	assert_non_null(t.s);
	assert_int_equal(t.len, strlen(text));
	assert_memory_equal(t.s, text, t.len);
}

static size_t events(struct world *w, const struct pk_store_flow *f)
{
	const struct pk_world world = { .conf = w->conf, .enrich = w->enrich, .flows = w->flows };
	struct pk_see see;

	assert_int_equal(pk_replay_flow_see(&w->seen, f, &see), 0);
	return pk_rules_events(&world, &see, ~0ull, &w->texts, w->e);
}

static void test_read(void **state)
{
	json_t *o = json_loads(record, 0, NULL);
	struct pk_store_flow f;
	char ip[PK_IP_TEXT];

	(void)state;
	assert_true(pk_replay_flow_read(o, &f));
	assert_int_equal(f.start_ns, 1700000000000000000u);
	assert_int_equal(f.end_ns, 1700000005000000000u);
	assert_string_equal(pk_ip_format(f.addr[1], ip), "192.0.2.7");
	assert_int_equal(f.port[0], 40000);
	assert_int_equal(f.bytes[1], 20);
	assert_int_equal(f.packets[0], 1);
	assert_int_equal(f.uid, 123456);
	assert_int_equal(f.own, 0);
	json_object_del(json_object_get(o, "src_endpoint"), "ip");
	assert_false(pk_replay_flow_read(o, &f));
	json_decref(o);
}

/* As the rules of network_connection saw it when it began; what is not kept is absent. */
static void test_see(void **state)
{
	json_t *o = json_loads(record, 0, NULL);
	struct pk_store_flow f;
	struct world w;

	(void)state;
	world_make(&w);
	assert_true(pk_replay_flow_read(o, &f));
	assert_int_equal(events(&w, &f), 2);
	assert_int_equal(w.e[0].event.source, PK_SIGMA_NETWORK);
	assert_int_equal(w.e[0].event.ts_ns, pk_replay_flow_time(f.start_ns));
	field_is(&w.e[0], PK_SIGMA_F_IMAGE, "/usr/bin/curl");
	field_is(&w.e[0], PK_SIGMA_F_COMMAND_LINE, NULL);
	field_is(&w.e[0], PK_SIGMA_F_USER, "123456");
	field_is(&w.e[0], PK_SIGMA_F_PROCESS_ID, "77");
	field_is(&w.e[0], PK_SIGMA_F_INITIATED, "true");
	field_is(&w.e[0], PK_SIGMA_F_PROTOCOL, "tcp");
	field_is(&w.e[0], PK_SIGMA_F_SOURCE_IP, "10.0.0.1");
	field_is(&w.e[0], PK_SIGMA_F_DESTINATION_IP, "192.0.2.7");
	field_is(&w.e[0], PK_SIGMA_F_DESTINATION_PORT, "443");
	field_is(&w.e[0], PK_SIGMA_F_DESTINATION_HOSTNAME, "a.example");
	assert_int_equal(w.e[1].event.source, PK_SIGMA_FLOW);
	field_is(&w.e[1], PK_SIGMA_F_ACTION, "accept");

	/* the same pid with another program, on the other side: nothing of the first one stays */
	f.own = 1;
	f.exe = "/usr/sbin/sshd";
	f.name = NULL;
	assert_int_equal(events(&w, &f), 2);
	field_is(&w.e[0], PK_SIGMA_F_IMAGE, "/usr/sbin/sshd");
	field_is(&w.e[0], PK_SIGMA_F_INITIATED, "false");
	field_is(&w.e[0], PK_SIGMA_F_DESTINATION_HOSTNAME, NULL);
	world_done(&w);
	json_decref(o);
}

/* More flows and processes than the tables hold: each is seen with its own process. */
static void test_many(void **state)
{
	json_t *o = json_loads(record, 0, NULL);
	struct pk_store_flow f;
	struct world w;
	char exe[32];

	(void)state;
	world_make(&w);
	assert_true(pk_replay_flow_read(o, &f));
	f.exe = exe;
	for (unsigned i = 0; i < w.conf->keep_processes + 100; i++) {
		snprintf(exe, sizeof(exe), "/opt/tool%u", i);
		f.pid = 1000 + i;
		assert_int_equal(events(&w, &f), 2);
		field_is(&w.e[0], PK_SIGMA_F_IMAGE, exe);
	}
	world_done(&w);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_see),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
