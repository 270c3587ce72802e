/* SPDX-License-Identifier: Apache-2.0 */
/* What a flow says about intent: probes and conversations, forged or not, inside or outside. */
#include "see.h"

#include "flows.h"

#include "base/ip.h"
#include "detect/talk.h"
#include "flow/local.h"

static struct pk_talk read_talk(struct pk_flow_entry *e, struct talk t, const struct pk_world *w)
{
	struct pk_talk ret;

	*e = entry_of(&t);
	pk_talk_of(w, e, &ret);
	return ret;
}

static void test_probes(void **state)
{
	static const struct {
		struct talk talk;
		enum pk_probe probe;
		bool firm, said;
	} cases[] = {
		{ { .how = HALF, .dport = 22, .at_ns = 1 }, PK_PROBE_SYN, false, false },
		{ { .how = REFUSED, .dport = 22, .at_ns = 1 }, PK_PROBE_SYN, false, false },
		{ { .how = SESSION, .dport = 22, .at_ns = 1 }, PK_PROBE_NONE, true, true },
		{ { .how = FLAGS, .dport = 22, .flags = 0x29 }, PK_PROBE_XMAS, false, false },
		{ { .how = FLAGS, .dport = 0, .flags = 0 }, PK_PROBE_NONE, false, false },
		{ { .how = FLAGS, .dport = 22, .flags = 0x10 }, PK_PROBE_NONE, false, false },
		{ { .how = ONE_WAY, .dport = 161, .sport = 9999 }, PK_PROBE_UDP, false, false },
		{ { .how = ONE_WAY, .dport = 9999, .sport = 53 }, PK_PROBE_NONE, false, false },
		{ { .how = ONE_WAY, .dport = 33440, .sport = 9999 }, PK_PROBE_NONE, false, false },
		{ { .how = BOTH_WAYS, .dport = 161, .sport = 9999 }, PK_PROBE_NONE, false, true },
		{ { .how = PING }, PK_PROBE_PING, false, false },
		{ { .how = ARP }, PK_PROBE_NONE, false, false },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases) * 2; i++) { /* from either end */
		size_t c = i % PK_ARRAY_SIZE(cases);
		struct pk_flow_entry e;
		struct pk_talk t = read_talk(&e, cases[c].talk, &(struct pk_world){ 0 });

		assert_int_equal(t.probe, cases[c].probe);
		assert_int_equal(t.firm, cases[c].firm);
		assert_int_equal(t.said, cases[c].said);
		assert_int_equal(t.dport, cases[c].talk.dport);
	}
}

static void test_addresses(void **state)
{
	static const struct {
		const char *addr;
		bool inside, loopback, group;
	} cases[] = {
		{ "10.1.2.3", true, false, false },     { "172.31.0.1", true, false, false },
		{ "172.32.0.1", false, false, false },  { "192.168.1.1", true, false, false },
		{ "100.64.0.1", true, false, false },   { "127.0.0.2", true, true, false },
		{ "224.0.0.251", false, false, true },  { "255.255.255.255", false, false, true },
		{ "0.0.0.0", false, false, true },      { "203.0.113.1", false, false, false },
		{ "fd00::1", true, false, false },      { "fe80::1", true, false, false },
		{ "::1", true, true, false },           { "ff02::1", false, false, true },
		{ "2001:db8::1", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		uint8_t a[16];

		assert_int_equal(pk_ip_parse(cases[i].addr, a), 0);
		assert_int_equal(pk_addr_is_inside(a), cases[i].inside);
		assert_int_equal(pk_addr_is_loopback(a), cases[i].loopback);
		assert_int_equal(pk_addr_is_group(a), cases[i].group);
	}
}

/* Whom to act against is who opened it, but never this host. */
static void test_remote(void **state)
{
	struct pk_local *local = pk_local_new(16, false);
	struct pk_world w = { .local = local };
	struct talk out = {
		.how = HALF, .src = IP(10, 0, 0, 1), .dst = IP(10, 0, 0, 2), .dport = 1
	};
	struct talk in = {
		.how = HALF, .src = IP(10, 0, 0, 2), .dst = IP(10, 0, 0, 1), .dport = 1
	};
	struct pk_finding f = { 0 };
	struct pk_flow_entry e;
	struct pk_talk t;
	uint8_t own[16];

	(void)state;
	t = read_talk(&e, out, &w);
	pk_talk_finding(&t, &f); /* nothing known */
	assert_true(is_remote(&f, IP(10, 0, 0, 1)));
	assert_true(f.spoofable);
	put_addr(own, IP(10, 0, 0, 1));
	pk_local_add(local, 1, own, 128);
	t = read_talk(&e, out, &w);
	pk_talk_finding(&t, &f);
	assert_true(is_remote(&f, IP(10, 0, 0, 2)));
	assert_false(f.spoofable); /* this host does not forge */
	t = read_talk(&e, in, &w);
	pk_talk_finding(&t, &f);
	assert_true(is_remote(&f, IP(10, 0, 0, 2)));
	pk_local_free(local);
}

static void test_program(void **state)
{
	struct talk t = { .how = SESSION, .pid = 5, .program = "curl" };
	struct pk_caller g, other;
	struct pk_flow_entry e;
	struct pk_talk talk = read_talk(&e, t, &(struct pk_world){ 0 });

	(void)state;
	pk_talk_caller(&(struct pk_world){ 0 }, &talk, talk.from, &g);
	assert_string_equal(g.name, "curl");
	assert_int_equal(g.id->tgid, 5);
	pk_talk_caller(&(struct pk_world){ 0 }, &talk, talk.to, &other);
	assert_int_equal(other.hash, 0);
	assert_true(g.hash != 0);
}

RUN(cmocka_unit_test(test_probes), cmocka_unit_test(test_addresses), cmocka_unit_test(test_remote),
    cmocka_unit_test(test_program))
