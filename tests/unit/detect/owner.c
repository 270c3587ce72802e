/* SPDX-License-Identifier: Apache-2.0 */
/* From the flow, else from a socket of this host; of nobody else's. */
#include "detect/owner.h"

#include "flow/local.h"
#include "flow/socket.h"
#include "flow/table.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct pk_flow_key key = {
	.addr = { { 10, 1 }, { 10, 2 } },
	.port = { 0x1111, 0x3500 },
	.netns = 3,
	.proto = IPPROTO_UDP,
};

static void test_flow(void **state)
{
	struct pk_world w = { .flows = pk_flow_table_new(16, 16) };
	struct pk_flow_report r = { .flow = { .key = key, .meta = { .id = 5 } } };
	struct pk_finding f = { 0 };

	(void)state;
	r.flow.own[0].user = (struct pk_proc_id){ .tgid = 7, .start_ns = 1 };
	r.flow.own[0].creator = (struct pk_proc_id){ .tgid = 6, .start_ns = 1 };
	assert_non_null(pk_flow_table_update(w.flows, &r));
	pk_finding_owner(&f, &w, &key, 5, 1);
	assert_int_equal(f.procs, 0);
	pk_finding_owners(&f, &w, &key, 5, 1);
	assert_int_equal(f.procs, 2);
	assert_int_equal(f.proc[0].tgid, 7);
	assert_int_equal(f.proc[1].tgid, 6);
	pk_flow_table_free(w.flows);
}

static void test_socket(void **state)
{
	struct pk_world w = { .socks = pk_sock_table_new(16), .local = pk_local_new(16, true) };
	struct pk_sock s = { .op = PK_SOCK_CONNECT, .l4 = IPPROTO_UDP, .netns = 3 };
	struct pk_finding f = { 0 };

	(void)state;
	s.owner.cookie = 1;
	s.owner.user = (struct pk_proc_id){ .tgid = 9, .start_ns = 1 };
	memcpy(s.laddr, key.addr[0], 16);
	memcpy(s.raddr, key.addr[1], 16);
	s.lport = key.port[0];
	s.rport = key.port[1];
	assert_non_null(pk_sock_table_update(w.socks, &s));
	pk_finding_owner(&f, &w, &key, 0, 0);
	assert_int_equal(f.procs, 0); /* the address is not known to be ours */
	pk_local_add(w.local, 3, key.addr[0], 128);
	pk_finding_owner(&f, &w, &key, 0, 0);
	assert_int_equal(f.procs, 1);
	assert_int_equal(f.proc[0].tgid, 9);
	pk_sock_table_free(w.socks);
	pk_local_free(w.local);
}

/* The server's namespace and the client's, in both orders: who asked comes first. */
static void test_other_view(void **state)
{
	const struct pk_proc_id server = { .tgid = 9, .start_ns = 1 }, client = { .tgid = 7 };
	struct pk_world w = { .local = pk_local_new(16, true) };

	(void)state;
	pk_local_add(w.local, 3, key.addr[0], 128);
	pk_local_add(w.local, 4, key.addr[1], 128);
	for (int order = 0; order < 2; order++) {
		struct pk_finding a = { 0 }, f;

		pk_finding_flow(&a, &key, 5, 0, 1);
		f = a;
		a.key.netns = order ? 3 : 4;
		f.key.netns = a.key.netns;
		pk_finding_proc(&a, order ? &client : &server);
		pk_finding_proc(&f, order ? &server : &client);
		assert_false(pk_finding_other_view(&a, &w, &f)); /* the same: another time, maybe */
		f.key.netns = order ? 4 : 3;
		assert_true(pk_finding_other_view(&a, &w, &f));
		assert_int_equal(a.procs, 2);
		assert_int_equal(a.proc[0].tgid, 7);
		assert_int_equal(a.proc[1].tgid, 9);
		assert_false(pk_finding_other_view(&a, &w, &f)); /* known now */
		f.key.port[0] = 1;
		f.proc[0].tgid = 8;
		assert_false(pk_finding_other_view(&a, &w, &f)); /* another conversation */
		assert_int_equal(a.procs, 2);
	}
	pk_local_free(w.local);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_view),
		cmocka_unit_test(test_flow),
		cmocka_unit_test(test_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
