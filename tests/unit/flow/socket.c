/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets by cookie, and the owner of a flow's end by connection or by bound port. */
#include "flow/socket.h"

#include "base/ip.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct pk_sock sock(uint64_t cookie, int op, const char *l, int lport, const char *r,
			   int rport)
{
	struct pk_sock s = { .hdr = { .ts = cookie, .size = sizeof(s), .type = PK_EV_SOCK } };

	s.owner.cookie = cookie;
	s.owner.user.tgid = cookie;
	s.netns = 1;
	s.l4 = 6;
	s.op = op;
	s.lport = htons(lport);
	s.rport = htons(rport);
	if (l)
		assert_int_equal(pk_ip_parse(l, s.laddr), 0);
	if (r)
		assert_int_equal(pk_ip_parse(r, s.raddr), 0);
	return s;
}

static struct pk_flow_key key(const char *a, int ap, const char *b, int bp, uint64_t netns)
{
	struct pk_flow_key k = { .port = { htons(ap), htons(bp) }, .proto = 6, .netns = netns };

	assert_int_equal(pk_ip_parse(a, k.addr[0]), 0);
	assert_int_equal(pk_ip_parse(b, k.addr[1]), 0);
	return k;
}

static void test_owner(void **state)
{
	struct pk_sock_table *t = pk_sock_table_new(16);
	struct pk_sock listen = sock(10, PK_SOCK_LISTEN, "::", 80, NULL, 0);
	struct pk_sock conn = sock(11, PK_SOCK_ACCEPT, "10.0.0.1", 80, "10.0.0.9", 5000);
	struct pk_flow_key k = key("10.0.0.1", 80, "10.0.0.9", 5000, 1);
	struct pk_flow_key other = key("10.0.0.1", 80, "10.0.0.9", 5001, 1);
	struct pk_table_use_count use;
	uint64_t listening;

	(void)state;
	pk_sock_table_update(t, &listen);
	pk_sock_table_update(t, &conn);
	assert_int_equal(pk_sock_table_owner(t, &k, 0)->owner.cookie, 11);
	assert_int_equal(pk_sock_table_owner(t, &other, 0)->owner.cookie, 10); /* the listener */
	assert_null(pk_sock_table_owner(t, &k, 1)); /* the remote end is nobody of ours */
	k.netns = other.netns = 2;
	assert_int_equal(pk_sock_table_owner(t, &k, 0)->owner.cookie, 11); /* seen from elsewhere */
	assert_null(pk_sock_table_owner(t, &other, 0)); /* but a port there is another port */
	pk_sock_table_counts(t, &use, &listening);
	assert_int_equal(listening, 1);
	listen.op = PK_SOCK_CLOSE;
	listen.lport = 0; /* the kernel may have forgotten it */
	pk_sock_table_update(t, &listen);
	other.netns = 1;
	assert_true(pk_sock_table_owner(t, &other, 0)->closed); /* its last flows still find it */
	pk_sock_table_counts(t, &use, &listening);
	assert_int_equal(listening, 0);
	assert_int_equal(use.used, 2);
	pk_sock_table_free(t);
}

static void test_user_changes(void **state)
{
	struct pk_sock_table *t = pk_sock_table_new(16);
	struct pk_sock s = sock(5, PK_SOCK_CONNECT, NULL, 0, "10.0.0.9", 443);
	struct pk_flow_key k = key("10.0.0.1", 40000, "10.0.0.9", 443, 1);

	(void)state;
	pk_sock_table_update(t, &s);
	assert_null(pk_sock_table_owner(t, &k, 0)); /* the local port is not known yet */
	s = sock(5, PK_SOCK_ESTABLISHED, "10.0.0.1", 40000, "10.0.0.9", 443);
	pk_sock_table_update(t, &s);
	assert_int_equal(pk_sock_table_owner(t, &k, 0)->owner.user.tgid, 5);
	s = sock(5, PK_SOCK_USER, NULL, 0, NULL, 0);
	s.owner.user.tgid = 77;
	pk_sock_table_update(t, &s); /* ends stay as they were */
	assert_int_equal(pk_sock_table_owner(t, &k, 0)->owner.user.tgid, 77);
	pk_sock_table_free(t);
}

static void test_bounds(void **state)
{
	struct pk_sock_table *t = pk_sock_table_new(8);
	struct pk_table_use_count use;
	uint64_t listening;
	struct pk_sock s;

	(void)state;
	for (int c = 1; c <= 8; c++) {
		s = sock(c, PK_SOCK_LISTEN, "::", c, NULL, 0);
		pk_sock_table_update(t, &s);
	}
	s = sock(5, PK_SOCK_CLOSE, NULL, 0, NULL, 0);
	pk_sock_table_update(t, &s);
	s = sock(9, PK_SOCK_LISTEN, "::", 9, NULL, 0);
	pk_sock_table_update(t, &s);
	assert_null(pk_sock_table_find(t, 5)); /* closed ones first */
	assert_non_null(pk_sock_table_find(t, 1));
	s = sock(10, PK_SOCK_LISTEN, "::", 10, NULL, 0);
	pk_sock_table_update(t, &s);
	assert_null(pk_sock_table_find(t, 1)); /* then the one not heard of longest */
	pk_sock_table_counts(t, &use, &listening);
	assert_int_equal(use.used, 8);
	assert_int_equal(use.evicted, 1);
	assert_int_equal(listening, 8);
	s.owner.cookie = 0;
	assert_null(pk_sock_table_update(t, &s));
	for (int c = 100; c < 1000; c++) {
		s = sock(c, c % 3 ? PK_SOCK_CREATE : PK_SOCK_CLOSE, NULL, 0, NULL, 0);
		pk_sock_table_update(t, &s);
	}
	pk_sock_table_counts(t, &use, &listening);
	assert_int_equal(use.used, 8);
	assert_int_equal(listening, 0);
	pk_sock_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_user_changes),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests_name("flow/socket", tests, NULL, NULL);
}
