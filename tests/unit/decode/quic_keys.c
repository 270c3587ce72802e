/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors of RFC 9001 and RFC 9369, appendix A of both. */
#include "decode/quic_keys.h"

#include "base/cleanup.h"
#include "seal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct pk_quic *quic;
static const uint8_t dcid[] = { 0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08 };

static size_t from_hex(const char *text, uint8_t *out)
{
	size_t n = strlen(text) / 2;
	unsigned int v;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(sscanf(text + 2 * i, "%2x", &v), 1);
		out[i] = (uint8_t)v;
	}
	return n;
}

#define assert_hex(data, text)                                                                     \
	do {                                                                                       \
		uint8_t want_[256];                                                                \
		size_t n_ = from_hex(text, want_);                                                 \
		assert_memory_equal(data, want_, n_);                                              \
	} while (0)

/* A.1 */
static void test_keys(void **state)
{
	static const struct {
		uint32_t version;
		bool server;
		const char *key, *iv, *hp;
	} rows[] = {
		{ PK_QUIC_V1, false, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c",
		  "9f50449e04a0e810283a1e9933adedd2" },
		{ PK_QUIC_V1, true, "cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e",
		  "c206b8d9b9f0f37644430b490eeaa314" },
		{ PK_QUIC_V2, false, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f",
		  "45b95e15235d6f45a6b19cbcb0294ba9" },
		{ PK_QUIC_V2, true, "82db637861d55e1d011f19ea71d5d2a7", "dd13c276499c0249d3310652",
		  "edf6d05c83121201b436e16877593c3a" },
	};
	struct pk_quic_keys k;

	(void)state;
	for (int round = 0; round < 2; round++) /* nothing may be left of the one before */
		for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
			assert_int_equal(pk_quic_keys_derive(quic, rows[i].version, dcid,
							     sizeof(dcid), rows[i].server, &k),
					 0);
			assert_hex(k.key, rows[i].key);
			assert_hex(k.iv, rows[i].iv);
			assert_hex(k.hp, rows[i].hp);
		}
	assert_int_equal(pk_quic_keys_derive(quic, 0xff00001d, dcid, 8, false, &k), -ENOTSUP);
	assert_int_equal(pk_quic_keys_derive(quic, PK_QUIC_V1, dcid, 0, false, &k), 0);
}

static const char client_frames[] =
	"060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c"
	"00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006"
	"001d0017001800100007000504616c706e000500050100000000003300260024001d00209370b2c9caa4"
	"7fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e040305"
	"0306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ff"
	"ff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff";

/*
 * A.2: the client's Initial, 1200 bytes, made here from its frames. That it begins and ends as in
 * the RFC, its tag last, says that all of it is the same.
 */
static void check_client(uint32_t version, const char *header, const char *begins, const char *ends)
{
	struct pk_quic_header h;
	struct pk_quic_keys k;
	uint8_t p[1200] = { 0 }, frames[245];
	uint64_t number = 0;
	size_t len = 0;

	assert_int_equal(from_hex(header, p), 22);
	assert_int_equal(from_hex(client_frames, frames), sizeof(frames));
	memcpy(p + 22, frames, sizeof(frames));
	assert_int_equal(pk_quic_keys_derive(quic, version, dcid, sizeof(dcid), false, &k), 0);
	seal_protect(&k, p, 18, 4, 2, 1162);
	assert_hex(p, begins);
	assert_hex(p + sizeof(p) - 16, ends);

	assert_int_equal(pk_quic_header_parse(p, sizeof(p), &h), 0);
	assert_int_equal(h.type, PK_QUIC_INITIAL);
	assert_int_equal(h.len, sizeof(p));
	assert_int_equal(pk_quic_open(quic, &k, p, &h, 0, &number, &len), 0);
	assert_int_equal(number, 2);
	assert_int_equal(len, 1162);
	assert_memory_equal(quic->plain, frames, sizeof(frames));
	for (size_t i = sizeof(frames); i < len; i++)
		assert_int_equal(quic->plain[i], 0);
}

static void test_client_packets(void **state)
{
	(void)state;
	check_client(PK_QUIC_V1, "c300000001088394c8f03e5157080000449e00000002",
		     "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b"
		     "d8bab936b47d92ec356c0bab7df5976d27cd449f63300099f3991c260ec4c60d17b31f842915",
		     "e221af44860018ab0856972e194cd934");
	check_client(PK_QUIC_V2, "d36b3343cf088394c8f03e5157080000449e00000002",
		     "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071"
		     "bf03dceebfa162e75d6c96058bdbfb127cdfcbf903388e99ad049f9a3dd4425ae4d0992cfff1",
		     "a18b2faa745b6fe189cf772a9f84cbfc");
}

static const char server_frames[] =
	"02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc543"
	"0b9a045a1200130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c83"
	"4d5311bcf32bb9da1a002b00020304";

/* A.3: the server's Initial, whole. */
static void check_server(uint32_t version, const char *packet)
{
	struct pk_quic_header h;
	struct pk_quic_keys k;
	uint8_t p[256], was;
	uint64_t number = 0;
	size_t len = 0, n;

	n = from_hex(packet, p);
	assert_int_equal(n, 135);
	assert_int_equal(pk_quic_keys_derive(quic, version, dcid, sizeof(dcid), true, &k), 0);
	assert_int_equal(pk_quic_header_parse(p, n, &h), 0);
	assert_int_equal(pk_quic_open(quic, &k, p, &h, 0, &number, &len), 0);
	assert_int_equal(number, 1);
	assert_int_equal(len, 99);
	assert_hex(quic->plain, server_frames);

	/* Any bit of it is authenticated: header, number, content, tag. */
	for (size_t i = 0; i < n; i++) {
		was = p[i];
		p[i] ^= 1u << i % 8;
		if (pk_quic_header_parse(p, n, &h) == 0 && h.number_off)
			assert_int_equal(pk_quic_open(quic, &k, p, &h, 0, &number, &len), -EBADMSG);
		p[i] = was;
	}
	assert_int_equal(pk_quic_header_parse(p, n, &h), 0);
	assert_int_equal(pk_quic_keys_derive(quic, version, dcid, sizeof(dcid), false, &k), 0);
	assert_int_equal(pk_quic_open(quic, &k, p, &h, 0, &number, &len), -EBADMSG);
}

static void test_server_packets(void **state)
{
	(void)state;
	check_server(PK_QUIC_V1,
		     "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100"
		     "f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df354"
		     "8e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f5889"
		     "1850abbdca3d20398c276456cbc42158407dd074ee");
	check_server(PK_QUIC_V2,
		     "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb"
		     "761d9b89237bbf87263017915358230035f7fd3945d88965cf17f9af6e16886c61bfc703106f"
		     "baf3cb4cfa52382dd16a393e42757507698075b2c984c707f0a0812d8cd5a6881eaf21ceda98"
		     "f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140");
}

/* RFC 9000, A.3: few bytes of a number are sent, the rest follows from the one that should come. */
static void test_numbers(void **state)
{
	static const struct {
		uint64_t expected, number;
		unsigned int bytes;
	} rows[] = {
		{ 0, 0, 1 },
		{ 0xa82f30eb, 0xa82f9b32, 2 }, /* the RFC's example */
		{ 255, 256, 1 },
		{ 256, 255, 1 },
		{ 0x1234, 0x12b3, 1 },
		{ 0x1234, 0x11b5, 1 },
		{ 0x10000, 0xffff, 2 },
		{ 0xffffffff, 0x100000000, 4 },
		{ (1ull << 62) - 1, (1ull << 62) - 2, 1 },
	};
	struct bytes b;
	struct pk_quic_header h;
	struct pk_quic_keys k;
	uint64_t number;
	size_t len;

	(void)state;
	assert_int_equal(
		pk_quic_keys_derive(quic, PK_QUIC_V1, (const uint8_t *)"cid", 3, false, &k), 0);
	for (size_t i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		struct seal s = { .version = PK_QUIC_V1,
				  .key_cid = "cid",
				  .number = rows[i].number,
				  .number_len = rows[i].bytes };

		b.len = 0;
		seal(quic, &b, &s, "\1\1\1\1", 4);
		assert_int_equal(pk_quic_header_parse(b.data, b.len, &h), 0);
		assert_int_equal(
			pk_quic_open(quic, &k, b.data, &h, rows[i].expected, &number, &len), 0);
		assert_int_equal(number, rows[i].number);
		assert_int_equal(len, 4);
	}
}

static int setup(void **state)
{
	(void)state;
	return pk_quic_new(&quic);
}

static int teardown(void **state)
{
	(void)state;
	pk_quic_free(quic);
	pk_quic_free(NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_client_packets),
		cmocka_unit_test(test_server_packets),
		cmocka_unit_test(test_numbers),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
