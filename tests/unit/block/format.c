/* SPDX-License-Identifier: Apache-2.0 */
#include "block/format.h"

#include "list.h"

#include <stdlib.h>

struct sample {
	const char *text;
	enum pk_list_format format; /* found by content */
	const char *shown;
};

static void check_one(const struct sample *s)
{
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);
	_cleanup_free_ char *shown = NULL;
	struct pk_list_data d;

	(void)pk_list_read(s->text, strlen(s->text), &o, &d);
	shown = list_shown(&d);
	if (strcmp(shown, s->shown) != 0 || d.format != s->format)
		fail_msg("\"%s\"\nas %s gave\n%s\nexpected %s\n%s", s->text,
			 pk_list_format_name(d.format), shown, pk_list_format_name(s->format),
			 s->shown);
	pk_list_data_done(&d);
}

static void test_plain(void **state)
{
	static const struct sample samples[] = {
		{ "", PK_LIST_PLAIN, "" },
		{ "\n\n# nothing\n; nothing\n", PK_LIST_PLAIN, "" },
		{ "192.0.2.1", PK_LIST_PLAIN, "192.0.2.1\n" },
		{ "\xef\xbb\xbf  192.0.2.1\t\r\n\r\n2001:db8::/32 \r\n", PK_LIST_PLAIN,
		  "192.0.2.1\n2001:db8::/32\n" },
		{ "10.0.0.9/8 # why; not\n10.2.3.4;SBL\n", PK_LIST_PLAIN,
		  "10.0.0.0/8 reason=\"why; not\"\n10.2.3.4 reason=\"SBL\"\n" },
		{ "10.0.0.0-10.0.0.5\n2001:db8::-2001:db8::2\n", PK_LIST_PLAIN,
		  "10.0.0.0/30\n10.0.0.4/31\n2001:db8::/127\n2001:db8::2\n" },
		{ "::ffff:10.0.0.0/104\n::ffff:1.2.3.4\n", PK_LIST_PLAIN, "1.2.3.4\n10.0.0.0/8\n" },
		{ "9.9.9.9\n1.1.1.1 # first\n9.9.9.9 # later\n1.1.1.1\n", PK_LIST_PLAIN,
		  "1.1.1.1 reason=\"first\"\n9.9.9.9\n" },
		{ "192.0.2.1:443\n[2001:db8::1]:53\nEvil.Example\n*.bad.example # x\n",
		  PK_LIST_PLAIN,
		  "192.0.2.1 port=443\n2001:db8::1 port=53\nname bad.example\nname "
		  "evil.example\n" },
		{ "0.0.0.0/0\n::/0\n", PK_LIST_PLAIN, "0.0.0.0/0\n::/0\n" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(samples); i++)
		check_one(&samples[i]);
}

static void test_other_texts(void **state)
{
	static const struct sample samples[] = {
		{ "; Spamhaus DROP\n192.0.2.0/24 ; SBL123\n198.51.100.0/24 ; SBL9\n",
		  PK_LIST_SPAMHAUS,
		  "192.0.2.0/24 reason=\"SBL123\"\n198.51.100.0/24 reason=\"SBL9\"\n" },
		{ "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"x\"}\n"
		  "{\"cidr\":\"2001:db8::/32\",\"sblid\":\"SBL2\"}\n"
		  "{\"type\":\"metadata\",\"timestamp\":1,\"size\":1,\"records\":2}\n",
		  PK_LIST_SPAMHAUS,
		  "192.0.2.0/24 reason=\"SBL1\"\n2001:db8::/32 reason=\"SBL2\"\n" },
		{ "# hosts\n127.0.0.1 localhost\n0.0.0.0 ads.example bad.example # x\n::1 ip6-lo\n",
		  PK_LIST_HOSTS, "name ads.example\nname bad.example\n" },
		{ "0.0.0.0\tads.example\n", PK_LIST_HOSTS, "name ads.example\n" },
		{ "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\n"
		  "192.0.2.1\tIntel::ADDR\tSRC\tC2\n192.0.2.0/24\tIntel::SUBNET\tSRC\t-\n"
		  "evil.example\tIntel::DOMAIN\tSRC\tx\nabc\tIntel::FILE_HASH\tSRC\tx\n",
		  PK_LIST_ZEEK,
		  "192.0.2.0/24 reason=\"SRC\"\n192.0.2.1 reason=\"C2\"\nname evil.example\n" },
		{ "create a hash:net family inet hashsize 1024 maxelem 65536\n"
		  "add a 192.0.2.0/24\nadd a 198.51.100.1 timeout 10 comment \"two words\"\n"
		  "add a 10.0.0.0-10.0.0.3 packets 0 bytes 0\n",
		  PK_LIST_IPSET,
		  "10.0.0.0/30\n192.0.2.0/24\n"
		  "198.51.100.1 expires=1700000010000 reason=\"two words\"\n" },
		{ "create p hash:ip,port family inet6 timeout 60\nadd p 2001:db8::1,tcp:80\n"
		  "add p 2001:db8::2,udp:1000-2000 timeout 0\nadd p 2001:db8::3,53\n",
		  PK_LIST_IPSET,
		  "2001:db8::1 proto=tcp port=80 expires=1700000060000\n"
		  "2001:db8::2 proto=udp port=1000-2000\n"
		  "2001:db8::3 proto=tcp port=53 expires=1700000060000\n" },
		{ "-N n iphash\n-A n 192.0.2.1\n", PK_LIST_IPSET, "192.0.2.1\n" },
		{ "create m hash:ip netmask 24\nadd m 192.0.2.0\n", PK_LIST_IPSET,
		  "192.0.2.0/24\n" },
		{ "create i hash:net,iface\nadd i 10.0.0.0/8,eth0\n", PK_LIST_IPSET,
		  "10.0.0.0/8 iface=\"eth0\"\n" },
		{ "ip,country\n192.0.2.1,DE\n\"198.51.100.0/24\",\"U,S\"\n", PK_LIST_CSV,
		  "192.0.2.1\n198.51.100.0/24\n" },
		{ "n;address\n1;192.0.2.1\n2;192.0.2.2:80\n", PK_LIST_CSV,
		  "192.0.2.1\n192.0.2.2 port=80\n" },
		{ "192.0.2.1\t7\n192.0.2.2\t3\n", PK_LIST_CSV, "192.0.2.1\n192.0.2.2\n" },
		{ "# x\n# \"seen\",\"dst\"\n\"2024\",\"192.0.2.1\"\n", PK_LIST_CSV, "192.0.2.1\n" },
		{ "picket-list 1\n192.0.2.1 iface=\"\" reason=\"\"\n", PK_LIST_PICKET,
		  "192.0.2.1\n" },
		{ "picket-list 1\n{\"name\":\"x\"}\n192.0.2.0/24 dir=in proto=tcp port=1-2 id=7 "
		  "reason=\"a\\x22b\\n\"\n",
		  PK_LIST_PICKET,
		  "192.0.2.0/24 dir=in proto=tcp port=1-2 id=7 reason=\"a\\x22b\\n\"\n" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(samples); i++)
		check_one(&samples[i]);
}

/* Lines that must not be loaded, what the complaint must speak of, and the format if not told by
 * the content. */
struct malformed {
	const char *text;
	uint64_t line;
	const char *reason;
	enum pk_list_format format;
	const char *column;
};

#define IPSET PK_LIST_IPSET
#define ZEEK  "#fields\tindicator\tindicator_type\n"

static const struct malformed malformed[] = {
	{ .text = "192.0.2.1\n256.1.1.1\n", .line = 2, .reason = "above 255" },
	{ .text = "192.0.2.1\n\n010.0.0.1\n", .line = 3, .reason = "leading zero" },
	{ .text = "192.0.2.0/33\n", .line = 1, .reason = "above 32" },
	{ .text = "192.0.2.0/-1\n", .line = 1, .reason = "not a prefix length" },
	{ .text = "192.0.2.0/024\n", .line = 1, .reason = "not a prefix length" },
	{ .text = "192.0.2.0/255.255.255.0\n", .line = 1, .reason = "netmask" },
	{ .text = "2001:db8::/129\n", .line = 1, .reason = "above 128" },
	{ .text = "2001:db8:::1\n", .line = 1, .reason = "too many groups" },
	{ .text = "2001:db8::1%eth0\n", .line = 1, .reason = "zone" },
	{ .text = "::ffff:10.0.0.0/8\n", .line = 1, .reason = "below 96" },
	{ .text = "192.0.2\n", .line = 1, .reason = "fewer than four" },
	{ .text = "192.0.2.1.5\n", .line = 1, .reason = "more than four" },
	{ .text = "192.0.2.9-192.0.2.1\n", .line = 1, .reason = "ends before" },
	{ .text = "192.0.2.9-2001:db8::\n", .line = 1, .reason = "family" },
	{ .text = "192.0.2.1 192.0.2.2\n", .line = 1, .reason = "text after" },
	{ .text = "192.0.2.1!\n", .line = 1, .reason = "other characters" },
	{ .text = "!192.0.2.1\n", .line = 1, .reason = "not an address" },
	{ .text = "localhost\n", .line = 1, .reason = "single label" },
	{ .text = "http://192.0.2.1/\n", .line = 1, .reason = "URL" },
	{ .text = "||evil.example^\n", .line = 1, .reason = "not a" },
	{ .text = "192.0.2.1:99999\n", .line = 1, .reason = "not a port" },
	{ .text = "192.0.2.x\n", .line = 1, .reason = "not an address" },
	{ .text = "192.0.2.1\nb\xc3\xbc-.example\n", .line = 2, .reason = "begins or ends with -" },
	{ .text = "\xff\xfe"
		  "1\n",
	  .line = 0,
	  .reason = "UTF-16" },
	{ .text = "\x1f\x8bxx", .line = 0, .reason = "gzip" },
	{ .text = "\x28\xb5\x2f\xfdxx", .line = 0, .reason = "zstd" },
	{ .text = "create a hash:mac\nadd a 00:11:22:33:44:55\n",
	  .line = 1,
	  .reason = "kind of set" },
	{ .text = "create a hash:ip bitmask 255.0.0.0\n", .line = 1, .reason = "bitmask" },
	{ .text = "create a hash:ip timeout x\n", .line = 1, .reason = "timeout" },
	{ .text = "add a 192.0.2.0/24 nomatch\n", .line = 1, .reason = "allow list" },
	{ .text = "add a 192.0.2.0/24 timeout x\n", .line = 1, .reason = "seconds" },
	{ .text = "add a 192.0.2.0/24 colour red\n", .line = 1, .reason = "not known" },
	{ .text = "add a 192.0.2.1,icmp:8/0\n", .line = 1, .reason = "port expected" },
	{ .text = "add a\n", .line = 1, .reason = "not an address" },
	{ .text = "add a 192.0.2.1\ndel a 192.0.2.1\n",
	  .line = 2,
	  .reason = "not a line of ipset" },
	{ .text = "create m hash:ip netmask 24\nadd m 192.0.2.1-192.0.2.9\n",
	  .line = 2,
	  .reason = "range" },
	{ .text = "ip,x\n192.0.2.1,1\n300.0.2.1,1\n", .line = 3, .reason = "above 255" },
	{ .text = "ip,x\n192.0.2.1,1\n,1\n", .line = 3, .reason = "empty" },
	{ .text = "x,ip\n1,192.0.2.1\n1\n", .line = 3, .reason = "1 fields" },
	{ .text = "x,ip\n1,192.0.2.1\n1,\"192.0.2.2\n", .line = 3, .reason = "quote" },
	{ .text = "x,y\n1,2\n", .line = 2, .reason = "1 x, 2 y" },
	{ .text = "from,to\n192.0.2.1,192.0.2.9\n", .line = 2, .reason = "several columns" },
	{ .text = "ip,net\n192.0.2.1,192.0.2.9\n",
	  .line = 2,
	  .column = "addr",
	  .reason = "no column with this name; the columns are: 1 ip, 2 net" },
	{ .text = "ip,net\n", .line = 1, .column = "addr", .reason = "1 ip, 2 net" },
	{ .text = "192.0.2.1,x\n",
	  .line = 1,
	  .column = "3",
	  .reason = "no column with this number" },
	{ .text = "192.0.2.1,x\n", .line = 1, .column = "ip", .reason = "no header" },
	{ .text = "0.0.0.0 a.example\n0.0.0.0\n", .line = 2, .reason = "no name" },
	{ .text = "0.0.0.0 a.example\nx b.example\n", .line = 2, .reason = "hosts file" },
	{ .text = "0.0.0.0 a.example\n0.0.0.0 b..example\n", .line = 2, .reason = "empty label" },
	{ .text = "#fields\ta\tb\nx\ty\n", .line = 1, .reason = "#fields without" },
	{ .text = ZEEK "192.0.2.1 Intel::ADDR\n", .line = 2, .reason = "single tabs" },
	{ .text = ZEEK "192.0.2.256\tIntel::ADDR\n", .line = 2, .reason = "above 255" },
	{ .text = ZEEK "192.0.2.1\tADDR\n", .line = 2, .reason = "type of indicator" },
	{ .text = "192.0.2.1\tIntel::ADDR\n",
	  .line = 1,
	  .reason = "#fields",
	  .format = PK_LIST_ZEEK },
	{ .text = "picket-list 2\n", .line = 1, .reason = "version" },
	{ .text = "picket-list 1\n192.0.2.1 port=9-1\n", .line = 2, .reason = "range" },
	{ .text = "picket-list 1\n192.0.2.1 dir=up\n", .line = 2, .reason = "range" },
	{ .text = "picket-list 1\n192.0.2.1 colour=red\n", .line = 2, .reason = "not known" },
	{ .text = "picket-list 1\n192.0.2.1 reason=\"a\n", .line = 2, .reason = "quoted" },
	{ .text = "picket-list 1\n192.0.2.1 reason=\"\\q\"\n", .line = 2, .reason = "quoted" },
	{ .text = "picket-list 1\n192.0.2.1 x\n", .line = 2, .reason = "key=value" },
	{ .text = "picket-list 1\nevil.example how=x\n", .line = 2, .reason = "out of its range" },
	{ .text = "picket-list 1\nevil.example dir=in\n", .line = 2, .reason = "not known" },
	{ .text = "{\"cidr\":\"192.0.2.0/24\"}\n{\"cidr\":\n", .line = 2, .reason = "not JSON" },
	{ .text = "{\"cidr\":\"192.0.2.0/24\"}\n{\"net\":\"192.0.2.0/24\"}\n",
	  .line = 2,
	  .reason = "no member cidr" },
	{ .text = "{\"cidr\":\"192.0.2.0/24\"}\n{\"type\":\"metadata\",\"records\":2}\n",
	  .line = 2,
	  .reason = "1 records" },
	{ .text = "{\n\"a\": 1,\n}\n", .line = 3, .reason = "line 3, column 1" },
	{ .text = "{\"a\":1,\"a\":2}\n", .line = 1, .reason = "duplicate" },
	{ .text = "{\"a\":1}\n", .line = 1, .reason = "unknown kind" },
	{ .text = "{\"type\":\"bundle\",\"id\":\"b--1\",\"objects\":1}",
	  .line = 1,
	  .reason = "no array" },
	{ .text = "{\"Event\":{}}",
	  .line = 1,
	  .reason = "not of format stix",
	  .format = PK_LIST_STIX },
};

static void test_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(malformed); i++) {
		const struct malformed *m = &malformed[i];
		struct pk_list_opts o = list_opts(m->format);
		struct pk_list_data d;
		int r;

		o.column = m->column;
		r = pk_list_read(m->text, strlen(m->text), &o, &d);
		if (r != -EBADMSG || !d.n_bad || d.bad[0].line != m->line ||
		    !strstr(d.bad[0].reason, m->reason))
			fail_msg("\"%s\": %d, line %d: %s", m->text, r,
				 d.n_bad ? (int)d.bad[0].line : -1,
				 d.n_bad ? d.bad[0].reason : "no complaint");
		assert_true(strlen(d.bad[0].text) <= 80);
		assert_int_equal(d.n, 0);
		assert_int_equal(d.n_names, 0);
		pk_list_data_done(&d);
	}
}

static void test_skip_bad(void **state)
{
	static const char text[] = "192.0.2.1\nx y\n192.0.2.300\n198.51.100.0/24\n";
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);
	struct pk_list_data d;

	(void)state;
	o.skip_bad = true;
	assert_int_equal(pk_list_read(text, strlen(text), &o, &d), 0);
	assert_int_equal(d.n, 2);
	assert_int_equal(d.bad_total, 2);
	assert_int_equal(d.bad[0].line, 2);
	assert_string_equal(d.bad[0].text, "x y");
	assert_int_equal(d.bad[1].line, 3);
	assert_int_equal(d.lines, 4);
	pk_list_data_done(&d);
	/* A file that makes no sense as a whole is not half loaded. */
	assert_int_equal(pk_list_read("{\"a\":1", 6, &o, &d), -EBADMSG);
	assert_int_equal(d.n, 0);
	pk_list_data_done(&d);
}

static void test_bounds(void **state)
{
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);
	struct pk_buf b = { 0 };
	struct pk_list_data d;

	(void)state;
	for (int i = 0; i < 1000; i++)
		pk_buf_str(&b, "bad line\n");
	o.max_complaints = 3;
	assert_int_equal(pk_list_read(b.data, b.len, &o, &d), -EBADMSG);
	assert_int_equal(d.n_bad, 3);
	assert_int_equal(d.bad_total, 1000);
	pk_list_data_done(&d);
	o.max_bytes = b.len - 1;
	assert_int_equal(pk_list_read(b.data, b.len, &o, &d), -EFBIG);
	pk_list_data_done(&d);
	o = list_opts(PK_LIST_AUTO);
	o.max_entries = 2;
	assert_int_equal(pk_list_read("1.1.1.1\n2.2.2.2", 15, &o, &d), 0);
	pk_list_data_done(&d);
	assert_int_equal(pk_list_read("1.1.1.1\n2.2.2.2\n3.3.3.3", 23, &o, &d), -EFBIG);
	assert_int_equal(d.n, 0);
	pk_list_data_done(&d);
	assert_int_equal(pk_list_read("a.example\nb.example\nc.example", 29, &o, &d), -EFBIG);
	pk_list_data_done(&d);
	assert_int_equal(pk_list_read("::-ffff::1", 10, &o, &d), -EFBIG);
	pk_list_data_done(&d);
	/* Small objects cost forty times their text: refused before they are made. */
	pk_buf_reset(&b);
	pk_buf_char(&b, '[');
	for (int i = 0; i < 100000; i++)
		pk_buf_str(&b, "{},");
	pk_buf_str(&b, "{}]");
	o = list_opts(PK_LIST_AUTO);
	o.max_bytes = 1 << 20;
	assert_int_equal(pk_list_read(b.data, b.len, &o, &d), -EFBIG);
	pk_list_data_done(&d);
	pk_buf_done(&b);
}

static void test_defaults(void **state)
{
	struct pk_list_opts o = list_opts(PK_LIST_AUTO);
	static const char text[] = "192.0.2.1\n192.0.2.2:53\n";
	_cleanup_free_ char *shown = NULL;
	struct pk_list_data d;

	(void)state;
	o.defaults = (struct pk_block_entry){ .dir = PK_BLK_IN,
					      .proto = 17,
					      .port_lo = 1,
					      .port_hi = 9,
					      .expires_ms = LIST_NOW + 1 };
	assert_int_equal(pk_list_read(text, strlen(text), &o, &d), 0);
	shown = list_shown(&d);
	assert_string_equal(shown, "192.0.2.1 dir=in proto=udp port=1-9 expires=1700000000001\n"
				   "192.0.2.2 dir=in proto=udp port=53 expires=1700000000001\n");
	pk_list_data_done(&d);
	o.defaults.expires_ms = LIST_NOW; /* over */
	assert_int_equal(pk_list_read(text, strlen(text), &o, &d), 0);
	assert_int_equal(d.n, 0);
	assert_int_equal(d.ignored, 2);
	pk_list_data_done(&d);
}

static void test_format_names(void **state)
{
	enum pk_list_format f;

	(void)state;
	for (int i = 0; i < PK_LIST_FORMATS; i++) {
		assert_int_equal(pk_list_format_parse(pk_list_format_name(i), &f), 0);
		assert_int_equal(f, i);
	}
	assert_int_equal(pk_list_format_parse("xml", &f), -EINVAL);
}

static void test_target(void **state)
{
	struct pk_block_entry v[256];
	const char *why = NULL;
	bool host = false;
	size_t n = 0;

	(void)state;
	assert_int_equal(pk_block_parse_target("10.1.2.3/8", v, 256, &n, &why, &host), 0);
	assert_int_equal(n, 1);
	assert_true(host);
	assert_int_equal(v[0].bits, 104);
	assert_int_equal(v[0].v4, 1);
	assert_int_equal(v[0].dir, PK_BLK_IN | PK_BLK_OUT);
	assert_int_equal(v[0].prefix[13], 0);
	assert_int_equal(pk_block_parse_target("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", v,
					       256, &n, &why, &host),
			 0);
	assert_int_equal(n, 254);
	assert_false(host);
	assert_int_equal(pk_block_parse_target("10.0.0.1-10.0.0.4", v, 2, &n, &why, &host),
			 -EINVAL);
	assert_non_null(strstr(why, "too many"));
	assert_int_equal(pk_block_parse_target("10.0.0.1:22", v, 2, &n, &why, &host), -EINVAL);
	assert_non_null(strstr(why, "port"));
	assert_int_equal(pk_block_parse_target("10.0.0.1 x", v, 2, &n, &why, &host), -EINVAL);
	assert_non_null(strstr(why, "text after"));
	assert_int_equal(pk_block_parse_target("evil.example", v, 2, &n, &why, &host), -EINVAL);
	assert_non_null(strstr(why, "not an address"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),        cmocka_unit_test(test_other_texts),
		cmocka_unit_test(test_malformed),    cmocka_unit_test(test_skip_bad),
		cmocka_unit_test(test_bounds),       cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_format_names), cmocka_unit_test(test_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
