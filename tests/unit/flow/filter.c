/* SPDX-License-Identifier: Apache-2.0 */
/* The filter language: what matches, what does not, and where a wrong filter is wrong. */
#include "flow/filter.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ip.h"
#include "flow/local.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MS 1000000ull

enum { CURL, DNS6, PING, ARP, SUBJECTS };

static struct pk_flow flows[SUBJECTS];
static struct pk_filter_subject subjects[SUBJECTS];

static void ends(struct pk_flow *f, const char *a, int ap, const char *b, int bp, int proto)
{
	assert_int_equal(pk_ip_parse(a, f->key.addr[0]), 0);
	assert_int_equal(pk_ip_parse(b, f->key.addr[1]), 0);
	f->key.port[0] = htons(ap);
	f->key.port[1] = htons(bp);
	f->key.proto = proto;
}

static int setup(void **state)
{
	struct pk_filter_subject *s = subjects;

	(void)state;
	/* curl from 10.0.0.2 to 192.0.2.1:443 */
	ends(&flows[CURL], "10.0.0.2", 40000, "192.0.2.1", 443, IPPROTO_TCP);
	flows[CURL].dir[0].bytes = 1500000;
	flows[CURL].dir[1].bytes = 500000;
	flows[CURL].dir[0].packets = flows[CURL].dir[1].packets = 1000;
	flows[CURL].dir[0].tcp_flags = 0x1a;
	flows[CURL].dir[1].retransmits = 3;
	flows[CURL].meta.rtt_us = 25000;
	flows[CURL].meta.start_ns = 1000 * MS;
	flows[CURL].key.vlan[0] = 10;
	flows[CURL].key.vlan[1] = 20;
	s[CURL] = (struct pk_filter_subject){ .now_ns = 61000 * MS,
					      .rate = 12000,
					      .direction = PK_DIR_OUT,
					      .iface = "eth0",
					      .netns = "blue",
					      .procs = 2 };
	s[CURL].proc[0] = (struct pk_filter_proc){
		4242,       33,      "curl",        "/usr/bin/curl", "curl https://x y",
		"www-data", "web-1", "3f2a99aabbcc"
	};
	s[CURL].proc[1] =
		(struct pk_filter_proc){ 1,    0,      "systemd", "/usr/lib/systemd/systemd",
					 NULL, "root", NULL,      NULL };
	s[CURL].name[0] = s[CURL].sni = "www.example.org";
	s[CURL].name[3] = "cdn.example.net";
	s[CURL].ja4 = "t13d1516h2_8daaf6152771_e5627efa2ab1";
	s[CURL].alpn = "h2,http/1.1";
	s[CURL].app = "tls";
	s[CURL].asn[1] = 64500;
	s[CURL].as_name[1] = "EXAMPLE-NET";
	s[CURL].country[0] = "";
	s[CURL].country[1] = "DE";
	/* a resolver answers fd00::1 from fd00::5, initiator is end 1 */
	ends(&flows[DNS6], "fd00::1", 53, "fd00::5", 5353, IPPROTO_UDP);
	flows[DNS6].meta.initiator = 1;
	flows[DNS6].dir[0].bytes = 100;
	s[DNS6] = (struct pk_filter_subject){ .direction = PK_DIR_IN,
					      .ended = true,
					      .iface = "wlan0" };
	ends(&flows[PING], "10.0.0.2", 77, "10.9.9.9", 77, IPPROTO_ICMP);
	s[PING] = (struct pk_filter_subject){ .direction = PK_DIR_LOCAL };
	ends(&flows[ARP], "10.0.0.2", 0, "10.0.0.9", 0, 0x0806);
	s[ARP] = (struct pk_filter_subject){ .direction = PK_DIR_FORWARD };
	for (int i = 0; i < SUBJECTS; i++)
		subjects[i].flow = &flows[i];
	return 0;
}

/* hits: bit i set when subject i shall match */
static const struct {
	const char *text;
	unsigned hits;
} good[] = {
	{ "", 0xf },
	{ "  ", 0xf },
	{ "tcp", 1 << CURL },
	{ "udp", 1 << DNS6 },
	{ "icmp", 1 << PING },
	{ "arp", 1 << ARP },
	{ "ip", 1 << CURL | 1 << PING },
	{ "ip6", 1 << DNS6 },
	{ "not ip6", 0xf & ~(1 << DNS6) },
	{ "! tcp", 0xf & ~(1 << CURL) },
	{ "port 443", 1 << CURL },
	{ "port https", 1 << CURL },
	{ "dst port 443", 1 << CURL },
	{ "src port 443", 0 },
	{ "dst port 53", 1 << DNS6 }, /* the initiator's way, whichever end it is */
	{ "src port 53", 0 },
	{ "port 443 or 53", 1 << CURL | 1 << DNS6 },
	{ "tcp port 53 or 443", 1 << CURL },
	{ "portrange 400-500", 1 << CURL },
	{ "host 10.0.0.2", 1 << CURL | 1 << PING },
	{ "10.9.9.9", 1 << PING },
	{ "src host 10.0.0.2 and dst host 192.0.2.1", 1 << CURL },
	{ "host 192.0.2.1 or 10.9.9.9", 1 << CURL | 1 << PING },
	{ "dst (192.0.2.1 or 10.9.9.9)", 1 << CURL | 1 << PING },
	{ "net 10.0.0.0/8", 1 << CURL | 1 << PING },
	{ "dst net 192.0.2", 1 << CURL },
	{ "src net fd00::/16", 1 << DNS6 },
	{ "host fd00::5", 1 << DNS6 },
	{ "proto 17", 1 << DNS6 },
	{ "ip proto tcp", 1 << CURL },
	{ "tcp[tcpflags] & tcp-syn != 0", 1 << CURL },
	{ "tcp[13] & (tcp-rst|tcp-fin) != 0", 0 },
	{ "proc curl", 1 << CURL },
	{ "proc cu*", 1 << CURL },
	{ "proc 'c?rl'", 1 << CURL },
	{ "proc system?", 1 << CURL },
	{ "proc curlx", 0 },
	{ "exe curl", 1 << CURL },
	{ "exe /usr/bin/*", 1 << CURL },
	{ "exe /bin/*", 0 },
	{ "cmd *https*", 1 << CURL },
	{ "pid 4242", 1 << CURL },
	{ "pid 424", 0 },
	{ "user www-data", 1 << CURL },
	{ "user 33", 1 << CURL },
	{ "user 3", 0 },
	{ "container web*", 1 << CURL },
	{ "container 3f2a99", 1 << CURL },
	{ "container 3f2", 0 },
	{ "iface eth*", 1 << CURL },
	{ "iface ?lan0", 1 << DNS6 },
	{ "netns blue", 1 << CURL },
	{ "dir out", 1 << CURL },
	{ "dir in", 1 << DNS6 },
	{ "dir local or dir forward", 1 << PING | 1 << ARP },
	{ "state ended", 1 << DNS6 },
	{ "state live and ip6", 0 },
	{ "bytes > 1M", 1 << CURL },
	{ "bytes>1.9M and bytes<=2000k", 1 << CURL },
	{ "bytes > 2M", 0 },
	{ "bytes >= 1Mi", 1 << CURL },
	{ "bytes = 100", 1 << DNS6 },
	{ "packets == 2000", 1 << CURL },
	{ "packets != 0", 1 << CURL },
	{ "rate > 10K/s", 1 << CURL },
	{ "rate > 12000", 0 },
	{ "age >= 1m and age < 61s", 1 << CURL },
	{ "age > 2h", 0 },
	{ "rtt > 20ms", 1 << CURL },
	{ "rtt < 20ms", 0 },
	{ "name www.example.org", 1 << CURL },
	{ "name WWW.Example.ORG", 1 << CURL },
	{ "name .example.org", 1 << CURL },
	{ "name .www.example.org", 1 << CURL }, /* itself too */
	{ "name example.org", 0 },
	{ "name .ample.org", 0 }, /* whole labels */
	{ "name *.net", 1 << CURL },
	{ "sni .example.org", 1 << CURL },
	{ "sni cdn.example.net", 0 },
	{ "ja4 t13d*", 1 << CURL },
	{ "ja4 q13d*", 0 },
	{ "alpn h2", 1 << CURL },
	{ "alpn http/1.1", 1 << CURL },
	{ "alpn h3 or alpn h2,http/1.1", 0 },
	{ "app tls", 1 << CURL },
	{ "not app tls", 0xf & ~(1 << CURL) },
	{ "asn 64500", 1 << CURL },
	{ "asn AS64500", 1 << CURL },
	{ "asn example-*", 1 << CURL },
	{ "asn 0", 0 },
	{ "country de", 1 << CURL },
	{ "country *", 1 << CURL },
	{ "retrans", 1 << CURL },
	{ "retrans > 2", 1 << CURL },
	{ "retrans > 3", 0 },
	{ "not retrans", 0xf & ~(1 << CURL) },
	{ "vlan", 1 << CURL },
	{ "vlan 10", 1 << CURL },
	{ "vlan 20 and tcp", 1 << CURL },
	{ "vlan 30", 0 },
	{ "proc curl and dst port 443 and net 10.0.0.0/8", 1 << CURL },
	{ "(proc curl or dir in) and not port 53", 1 << CURL },
	{ "udp or tcp and dir in", 1 << DNS6 }, /* left to right, as tcpdump */
	{ "udp or (tcp and dir in)", 1 << DNS6 },
	{ "tcp or udp && dir out", 1 << CURL },
	{ "!(tcp || udp)", 1 << PING | 1 << ARP },
	{ "((((tcp))))", 1 << CURL },
	{ "port 443 and proc curl or 53", 1 << CURL | 1 << DNS6 },
	{ "not not tcp", 1 << CURL },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(good); i++) {
		_cleanup_(pk_filter_freep) struct pk_filter *f = NULL;
		struct pk_filter_error e;
		unsigned hits = 0;

		if (pk_filter_new(good[i].text, &f, &e) < 0)
			fail_msg("\"%s\" refused at %zu: %s", good[i].text, e.offset, e.text);
		for (int s = 0; s < SUBJECTS; s++)
			hits |= pk_filter_match(f, &subjects[s]) << s;
		if (hits != good[i].hits)
			fail_msg("\"%s\" hits 0x%x, not 0x%x", good[i].text, hits, good[i].hits);
	}
}

static const struct {
	const char *text;
	size_t at;
	const char *says; /* part of the message */
} bad[] = {
	{ "tcp and", 7, "too early" },
	{ "and tcp", 0, "before and" },
	{ "tcp tcpx", 4, "unknown word" },
	{ "foo", 0, "unknown word" },
	{ "proc", 4, "proc wants a name" },
	{ "proc curl tcp", 10, "expected and" },
	{ "(tcp", 0, "never closed" },
	{ "tcp)", 3, "no parenthesis" },
	{ "()", 1, "before )" },
	{ "proc \"curl", 5, "never closed" },
	{ "dir sideways", 4, "in out local forward" },
	{ "state dead", 6, "live ended" },
	{ "bytes 5", 6, "bytes wants >" },
	{ "bytes > lots", 8, "wants a number" },
	{ "bytes > 5s", 8, "wants a number" },
	{ "rtt > 5", 6, "20ms" },
	{ "pid curl", 4, "wants a number" },
	{ "pid 4294967296", 4, "wants a number" },
	{ "vlan 5000", 5, "0 to 4095" },
	{ "host example.org", 5, "not looked up" },
	{ "host cafe1", 5, "not looked up" },
	{ "port nosuch", 5, "write its number" },
	{ "tcp and len > 5", 8, "write bytes" },
	{ "ether host 1:2:3:4:5:6", 0, "no link addresses" },
	{ "ip[8] < 5", 2, "tcp[tcpflags]" },
	{ "port 99999", 0, "" },
	{ "net 10.0.0.0/33", 0, "" },
	{ "tcp \x01", 4, "control" },
	{ "tcp 'x'", 4, "quoted" },
	{ "proc curl and (tcp or", 21, "too early" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++) {
		struct pk_filter_error e = { .offset = 999 };
		struct pk_filter *f = NULL;

		if (pk_filter_new(bad[i].text, &f, &e) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i].text);
		assert_null(f);
		if (e.offset != bad[i].at || !strstr(e.text, bad[i].says))
			fail_msg("\"%s\": at %zu \"%s\", not at %zu \"%s\"", bad[i].text, e.offset,
				 e.text, bad[i].at, bad[i].says);
		assert_true(e.text[0] != '\0');
	}
}

static void test_limits(void **state)
{
	char text[PK_FILTER_MAX + 8];
	struct pk_filter_error e;
	struct pk_filter *f = NULL;

	(void)state;
	memset(text, '(', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(pk_filter_new(text, &f, &e), -EINVAL);
	text[400] = '\0';
	assert_int_equal(pk_filter_new(text, &f, &e), -EINVAL);
	assert_string_equal(e.text, "nested too deep");
	memset(text, '!', 400);
	assert_int_equal(pk_filter_new(text, &f, &e), -EINVAL);
	memset(text, 'a', 400);
	assert_int_equal(pk_filter_new(text, &f, &e), -EINVAL);
	for (int i = 0; i < 200; i++)
		memcpy(text + i * 8, "arp and ", 9);
	strcpy(text + 1600, "tcp");
	assert_int_equal(pk_filter_new(text, &f, &e), 0);
	assert_false(pk_filter_match(f, &subjects[CURL]));
	pk_filter_free(f);
}

static void test_process_alone(void **state)
{
	struct pk_filter_subject s = subjects[CURL];
	struct pk_filter_error e;
	struct pk_filter *f = NULL;

	(void)state;
	s.flow = NULL;
	assert_int_equal(pk_filter_new("proc curl and not tcp", &f, &e), 0);
	assert_true(pk_filter_match(f, &s));
	assert_int_equal(pk_filter_needs(f), PK_FILTER_NEEDS_PROC);
	pk_filter_free(f);
	assert_int_equal(pk_filter_new("bytes >= 0 or arp or tcp or vlan or dir out", &f, &e), 0);
	assert_false(pk_filter_match(f, &s));
	pk_filter_free(f);
}

static void test_explain(void **state)
{
	const char *text = "proc \xc3\xa9t\xc3\xa9 foo";
	struct pk_buf out = { 0 };
	struct pk_filter_error e;
	struct pk_filter *f = NULL;

	(void)state;
	assert_int_equal(pk_filter_new(text, &f, &e), -EINVAL);
	assert_int_equal(e.offset, 11);
	pk_filter_explain(&out, text, &e);
	assert_string_equal(out.data, "proc \xc3\xa9t\xc3\xa9 foo\n         ^");
	pk_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),    cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),  cmocka_unit_test(test_process_alone),
		cmocka_unit_test(test_explain),
	};

	return cmocka_run_group_tests_name("flow/filter", tests, setup, NULL);
}
