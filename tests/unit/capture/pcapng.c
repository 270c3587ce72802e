/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/pcapng.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <jansson.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TS 1700000000123456789ull

static const uint8_t frame[60] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45 };

static const struct pk_pcapng_section section = { .hardware = "x86_64",
						  .os = "Linux 6.1",
						  .application = "picket" };
static const struct pk_pcapng_iface eth0 = { .name = "eth0",
					     .description = "in netns web",
					     .filter = "proc curl",
					     .linktype = PK_LINKTYPE_ETHERNET };

static uint32_t u32(const struct pk_buf *b, size_t at)
{
	uint32_t v;

	assert_true(at + 4 <= b->len);
	memcpy(&v, b->data + at, 4);
	return v;
}

static uint16_t u16(const struct pk_buf *b, size_t at)
{
	uint16_t v;

	assert_true(at + 2 <= b->len);
	memcpy(&v, b->data + at, 2);
	return v;
}

/* Every block ends with the length it began with, and they fill the buffer. */
static size_t count_blocks(const struct pk_buf *b, uint32_t type)
{
	size_t n = 0;

	assert_int_equal(b->error, 0);
	for (size_t at = 0; at < b->len;) {
		uint32_t t, len;

		assert_true(pk_pcapng_block(b->data + at, b->len - at, &t, &len));
		assert_true(len <= b->len - at);
		assert_int_equal(u32(b, at + len - 4), len);
		n += t == type;
		at += len;
	}
	return n;
}

/* Offset and length of the first option with this code, from at on. */
static size_t find_option(const struct pk_buf *b, size_t at, uint16_t code, uint16_t *ret_len)
{
	while (u16(b, at) != code) {
		assert_int_not_equal(u16(b, at), 0);
		at += 4 + ((u16(b, at + 2) + 3u) & ~3u);
	}
	*ret_len = u16(b, at + 2);
	return at + 4;
}

static void test_section(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
	uint16_t len;
	size_t at;

	(void)state;
	pk_pcapng_section(&b, &section);
	assert_int_equal(count_blocks(&b, PK_PCAPNG_SECTION), 1);
	assert_int_equal(u32(&b, 8), PK_PCAPNG_MAGIC);
	assert_int_equal(u16(&b, 12), 1);
	assert_int_equal(u16(&b, 14), 0);
	assert_int_equal(u32(&b, 16), UINT32_MAX);
	assert_int_equal(u32(&b, 20), UINT32_MAX);
	at = find_option(&b, 24, 4, &len);
	assert_int_equal(len, 6);
	assert_memory_equal(b.data + at, "picket", 6);
}

static void test_iface(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
	uint16_t len;
	size_t at;

	(void)state;
	pk_pcapng_iface(&b, &eth0);
	assert_int_equal(count_blocks(&b, PK_PCAPNG_INTERFACE), 1);
	assert_int_equal(u16(&b, 8), 1);
	at = find_option(&b, 16, 2, &len);
	assert_int_equal(len, 4);
	assert_memory_equal(b.data + at, "eth0", 4);
	at = find_option(&b, 16, 9, &len);
	assert_int_equal(len, 1);
	assert_int_equal(b.data[at], 9);
	at = find_option(&b, 16, 11, &len);
	assert_int_equal(len, 10);
	assert_memory_equal(b.data + at, "\0proc curl", 10);
}

/* Each length of data, so each padding. */
static void test_packet(void **state)
{
	(void)state;
	for (uint32_t n = 0; n <= sizeof(frame); n++) {
		_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
		struct pk_pcapng_packet p = { .iface = 3,
					      .ts_ns = TS,
					      .data = frame,
					      .len = n,
					      .wire_len = 1500,
					      .way = PK_PCAPNG_OUTBOUND,
					      .comment = "pid 1 curl",
					      .dropped = 7 };
		struct pk_pcapng_seen s;
		uint16_t len;
		size_t at, opt = 28 + ((n + 3) & ~3u);

		pk_pcapng_packet(&b, &p);
		assert_int_equal(count_blocks(&b, PK_PCAPNG_PACKET), 1);
		assert_int_equal(u32(&b, 12), TS >> 32);
		assert_int_equal(u32(&b, 16), (uint32_t)TS);
		assert_memory_equal(b.data + 28, frame, n);
		at = find_option(&b, opt, 1, &len);
		assert_int_equal(len, 10);
		assert_memory_equal(b.data + at, "pid 1 curl", 10);
		at = find_option(&b, opt, 2, &len);
		assert_int_equal(len, 4);
		assert_int_equal(u32(&b, at), 2);
		assert_true(pk_pcapng_read_packet(b.data, b.len, &s));
		assert_int_equal(s.iface, 3);
		assert_int_equal(s.len, n);
		assert_int_equal(s.wire_len, 1500);
		assert_int_equal(s.ts_ns, TS);
		assert_int_equal(s.dropped, 7);
	}
}

static void test_stats(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
	struct pk_pcapng_stats s = { .iface = 1,
				     .ts_ns = TS,
				     .start_ns = TS - 5,
				     .end_ns = TS,
				     .received = 10,
				     .dropped = 3,
				     .os_dropped = 1,
				     .delivered = 7,
				     .comment = "ended=user" };
	const char *text;
	uint16_t len;
	size_t at, n;

	(void)state;
	pk_pcapng_stats(&b, &s);
	assert_int_equal(count_blocks(&b, PK_PCAPNG_STATS), 1);
	assert_int_equal(u32(&b, 8), 1);
	at = find_option(&b, 20, 2, &len); /* a time is two halves, the upper one first */
	assert_int_equal(u32(&b, at), (TS - 5) >> 32);
	assert_int_equal(u32(&b, at + 4), (uint32_t)(TS - 5));
	at = find_option(&b, 20, 5, &len);
	assert_int_equal(len, 8);
	assert_int_equal(u32(&b, at), 3);
	assert_int_equal(u32(&b, at + 4), 0);
	text = pk_pcapng_read_comment(b.data, b.len, &n);
	assert_int_equal(n, 10);
	assert_memory_equal(text, "ended=user", 10);
	for (n = 0; n < b.len; n += 4)
		(void)pk_pcapng_read_comment(b.data, n, &at);
}

/* What others wrote stays one option: valid, printable, at most 2048 bytes, no cut character. */
static void test_hostile_text(void **state)
{
	static const char *const text[] = {
		"\x1b[31mred\n",
		"\xff\xfe\x80",
		"a\xe2\x80\xae"
		"b",
		"\xf0\x9f",
		"caf\xc3\xa9",
	};
	char large[5000];

	(void)state;
	for (size_t i = 0; i <= PK_ARRAY_SIZE(text); i++) {
		_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
		struct pk_pcapng_packet p = { .data = frame, .len = 60, .wire_len = 60 };
		uint16_t len;
		size_t at;
		json_t *v;

		for (size_t k = 0; k + 2 < sizeof(large); k += 2)
			memcpy(large + k, "\xc3\xa9", 2);
		large[0] = 'x'; /* so that the limit falls into a character */
		large[1] = 'y';
		memmove(large + 1, large + 2, sizeof(large) - 4);
		large[sizeof(large) - 4] = '\0';
		p.comment = i < PK_ARRAY_SIZE(text) ? text[i] : large;
		pk_pcapng_packet(&b, &p);
		assert_int_equal(count_blocks(&b, PK_PCAPNG_PACKET), 1);
		at = find_option(&b, 28 + 60, 1, &len);
		assert_in_range(len, 1, 2048);
		v = json_stringn(b.data + at, len); /* NULL: not UTF-8 */
		assert_non_null(v);
		json_decref(v);
		for (size_t k = 0; k < len; k++)
			assert_true((uint8_t)b.data[at + k] >= 0x20);
	}
}

static void write_file(struct pk_buf *b)
{
	struct pk_pcapng_iface tun = { .name = "tun0", .linktype = PK_LINKTYPE_RAW };
	struct pk_pcapng_packet p = { .ts_ns = TS,
				      .data = frame,
				      .len = sizeof(frame),
				      .wire_len = sizeof(frame),
				      .way = PK_PCAPNG_INBOUND,
				      .comment = "pid 42 curl (andr\xc3\xa9)" };
	struct pk_pcapng_stats s = { .ts_ns = TS,
				     .start_ns = TS,
				     .end_ns = TS,
				     .received = 2,
				     .dropped = 1,
				     .delivered = 1 };

	pk_pcapng_section(b, &section);
	pk_pcapng_iface(b, &eth0);
	pk_pcapng_packet(b, &p);
	pk_pcapng_iface(b, &tun);
	p.iface = 1;
	p.data = frame + 14;
	p.len = 20;
	p.wire_len = 20;
	p.comment = NULL;
	pk_pcapng_packet(b, &p);
	pk_pcapng_stats(b, &s);
	assert_int_equal(b->error, 0);
}

/* Another implementation reads it: libpcap (which wants one link type), */
static void test_libpcap(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
	struct pk_pcapng_packet p = {
		.ts_ns = TS, .data = frame, .len = 60, .wire_len = 99, .comment = "x"
	};
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *pcap;
	FILE *f;

	(void)state;
	pk_pcapng_section(&b, &section);
	pk_pcapng_iface(&b, &eth0);
	pk_pcapng_packet(&b, &p);
	f = fmemopen(b.data, b.len, "r");
	assert_non_null(f);
	pcap = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, error);
	assert_non_null(pcap);
	assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
	assert_int_equal(pcap_next_ex(pcap, &h, &data), 1);
	assert_int_equal(h->caplen, 60);
	assert_int_equal(h->len, 99);
	assert_int_equal(h->ts.tv_sec, TS / 1000000000);
	assert_int_equal(h->ts.tv_usec, TS % 1000000000);
	assert_memory_equal(data, frame, 60);
	assert_int_equal(pcap_next_ex(pcap, &h, &data), PCAP_ERROR_BREAK);
	pcap_close(pcap);
}

static bool have(const char *program)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "command -v %s >/dev/null 2>&1", program);
	return system(cmd) == 0;
}

static void expect_line(const char *cmd, const char *want)
{
	char line[1024] = "";
	bool found = false;
	FILE *f = popen(cmd, "re");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = found || strcmp(line, want) == 0;
	}
	assert_int_equal(pclose(f), 0);
	if (!found)
		print_error("no line \"%s\" in: %s\n", want, cmd);
	assert_true(found);
}

/* and Wireshark's, with everything in it. */
static void test_wireshark(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
	char path[] = "/tmp/picket-pcapng-XXXXXX", cmd[512];
	int fd;

	(void)state;
	if (!have("tshark") || !have("capinfos"))
		skip();
	write_file(&b);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, b.data, b.len), b.len);
	close(fd);
	snprintf(cmd, sizeof(cmd),
		 "LC_ALL=C.UTF-8 tshark -r %s -t e -T fields -e frame.time_epoch -e "
		 "frame.interface_name "
		 "-e frame.len -e frame.comment 2>/dev/null",
		 path);
	expect_line(cmd, "1700000000.123456789\teth0\t60\tpid 42 curl (andr\xc3\xa9)");
	expect_line(cmd, "1700000000.123456789\ttun0\t20\t");
	snprintf(cmd, sizeof(cmd), "capinfos -M -t -F -c -E -I -K %s 2>&1", path);
	expect_line(cmd, "Number of packets:   2");
	expect_line(cmd, "                     Name = eth0");
	expect_line(cmd, "                     Time precision = nanoseconds (9)");
	unlink(path);
}

/* Heads of blocks that can not be, and packets whose lengths lie. */
static void test_damaged(void **state)
{
	_cleanup_(pk_buf_done) struct pk_buf b = { 0 };
	struct pk_pcapng_packet p = { .data = frame, .len = 60, .wire_len = 60, .dropped = 1 };
	static const uint32_t bad[] = { 0, 4, 8, 13, 0xfffffffc, 1u << 21 };
	struct pk_pcapng_seen s;
	uint32_t type, len, v;

	(void)state;
	pk_pcapng_packet(&b, &p);
	for (size_t n = 0; n < 8; n++)
		assert_false(pk_pcapng_block(b.data, n, &type, &len));
	for (size_t n = 0; n < b.len; n += 4) /* cut anywhere: no read behind it */
		(void)pk_pcapng_read_packet(b.data, n, &s);
	v = 61 + 40;
	memcpy(b.data + 20, &v, 4);
	assert_false(pk_pcapng_read_packet(b.data, b.len, &s));
	v = UINT32_MAX;
	memcpy(b.data + 20, &v, 4);
	assert_false(pk_pcapng_read_packet(b.data, b.len, &s));
	for (size_t i = 0; i < PK_ARRAY_SIZE(bad); i++) {
		memcpy(b.data + 4, &bad[i], 4);
		assert_false(pk_pcapng_block(b.data, b.len, &type, &len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_section),      cmocka_unit_test(test_iface),
		cmocka_unit_test(test_packet),       cmocka_unit_test(test_stats),
		cmocka_unit_test(test_hostile_text), cmocka_unit_test(test_libpcap),
		cmocka_unit_test(test_wireshark),    cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
