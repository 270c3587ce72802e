/* SPDX-License-Identifier: Apache-2.0 */
/* Owners that the kernel's record did not have, and whom a flow is put down to. */
#include "output/ocsf.h"

#include "base/ip.h"
#include "flow/socket.h"
#include "flow/table.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S 1000000000ull

static struct pk_ocsf o;

static int setup(void **state)
{
	(void)state;
	o = (struct pk_ocsf){ .flows = pk_flow_table_new(16, 16),
			      .socks = pk_sock_table_new(16),
			      .local = pk_local_new(16, true),
			      .stale_ns = 5 * S };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pk_flow_table_free(o.flows);
	pk_sock_table_free(o.socks);
	pk_local_free(o.local);
	return 0;
}

/* 10.0.0.1:4000 to 10.0.0.2:80 as seen in a namespace. */
static struct pk_flow_report view(uint64_t id, uint64_t netns, uint64_t start)
{
	struct pk_flow_report r = { .hdr.ts = start + S, .why = PK_REPORT_ACTIVE };

	assert_int_equal(pk_ip_parse("10.0.0.1", r.flow.key.addr[0]), 0);
	assert_int_equal(pk_ip_parse("10.0.0.2", r.flow.key.addr[1]), 0);
	r.flow.key.port[0] = htons(4000);
	r.flow.key.port[1] = htons(80);
	r.flow.key.proto = 6;
	r.flow.key.netns = netns;
	r.flow.meta.id = id;
	r.flow.meta.start_ns = start;
	return r;
}

static void test_views(void **state)
{
	struct pk_flow_report client = view(1, 1, S), server = view(2, 2, S),
			      later = view(3, 3, 90 * S);
	struct pk_flow_entry *c, *s, *l;

	(void)state;
	client.flow.own[0] = (struct pk_owner){ .cookie = 5, .user.tgid = 50 };
	server.flow.own[1] = (struct pk_owner){ .cookie = 6, .user.tgid = 60 };
	c = pk_flow_table_update(o.flows, &client);
	s = pk_flow_table_update(o.flows, &server);
	l = pk_flow_table_update(o.flows, &later);
	assert_int_equal(pk_ocsf_actor(c), 0);
	assert_int_equal(pk_ocsf_actor(l), -1);
	pk_ocsf_join(&o, c);
	pk_ocsf_join(&o, s);
	pk_ocsf_join(&o, l);
	assert_int_equal(c->flow.own[1].user.tgid, 60);
	assert_int_equal(s->flow.own[0].user.tgid, 50);
	assert_int_equal(c->joined, PK_FLOW_JOINED(1) | PK_FLOW_VIEWED(1));
	assert_int_equal(pk_ocsf_actor(c), 0); /* each view by its own side */
	assert_int_equal(pk_ocsf_actor(s), 1);
	assert_int_equal(l->flow.own[0].user.tgid, 0); /* the same ends, much later: others */
	assert_int_equal(pk_local_direction(o.local, &c->flow, c->joined), PK_DIR_OUT);
	assert_int_equal(pk_local_direction(o.local, &s->flow, s->joined), PK_DIR_IN);
}

static void test_socket(void **state)
{
	struct pk_flow_report r = view(1, 1, S);
	struct pk_sock sk = { .op = PK_SOCK_LISTEN, .l4 = 6, .netns = 1, .lport = htons(80) };
	struct pk_flow_entry *e = pk_flow_table_update(o.flows, &r);

	(void)state;
	sk.owner = (struct pk_owner){ .cookie = 9, .user.tgid = 90 };
	pk_sock_table_update(o.socks, &sk);
	pk_ocsf_join(&o, e);
	assert_int_equal(e->joined, 0); /* an end that is not here has no socket here */
	pk_local_add(o.local, 1, r.flow.key.addr[1], 128);
	pk_ocsf_join(&o, e);
	assert_int_equal(e->flow.own[1].user.tgid, 90);
	assert_int_equal(e->joined, PK_FLOW_JOINED(1));
	assert_int_equal(pk_ocsf_actor(e), 1);
}

static void test_host(void **state)
{
	struct pk_proc_id id = { .tgid = 42, .start_ns = 77 };
	char uid[PK_PROCESS_UID], want[PK_PROCESS_UID];

	(void)state;
	pk_ocsf_init_host(&o);
	assert_int_equal(strlen(o.device), 32);
	assert_int_equal(strlen(o.boot), 8);
	assert_true(o.hostname[0] && o.kernel[0]);
	snprintf(want, sizeof(want), "%s-42-77", o.boot);
	assert_string_equal(pk_process_uid(&o, &id, uid), want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_views, setup, teardown),
		cmocka_unit_test_setup_teardown(test_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host, setup, teardown),
	};

	return cmocka_run_group_tests_name("output/ocsf", tests, NULL, NULL);
}
