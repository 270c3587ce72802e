/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was learned judges after a restart as it would have without: at once, after a week, after a
 * boot. What is cut, garbled or can not be is refused, and nothing of it taken.
 */
#include "detect/kept.h"

#include "sample.h"
#include "see.h"

#include "flows.h"

#include "base/buf.h"
#include "decode/arp.h"
#include "decode/record.h"
#include "detect/memo.h"
#include "flow/local.h"

#include <errno.h>
#include <openssl/evp.h>

#define DAY    (86400 * SEC)
#define MB     1000000ull
#define HERE   IP(10, 0, 0, 5)
#define OUT    IP(203, 0, 113, 9)
#define MIDDLE (2 * DAY + 800 * SEC) /* of each story */

/* As kept.c lays it out. */
#define HEAD      96
#define AT_DIGEST 64
#define TABLE     120
#define VALUE     (HEAD + TABLE + 56) /* of the first row */

struct story {
	const char *detector;
	void (*before)(void);
	void (*after)(uint64_t at_ns);
	size_t found;     /* by after */
	size_t found_new; /* the same, with nothing learned */
	bool of_a_boot;   /* after another boot it is as if nothing was learned */
};

static struct pk_local *local;

static void begin(const char *detector)
{
	uint8_t own[16];

	memset(&frame_record, 0, sizeof(frame_record));
	local = pk_local_new(16, false);
	put_addr(own, HERE);
	pk_local_add(local, 1, own, 128);
	seen.world.local = local;
	see_begin(detector);
}

static void end(void)
{
	see_end();
	pk_local_free(local);
}

static void upload(const char *program, uint64_t at_ns, uint64_t sent)
{
	see_flow((struct talk){ .how = SESSION,
				.src = HERE,
				.dst = OUT,
				.dport = 443,
				.pid = 7,
				.program = program,
				.at_ns = at_ns,
				.sent = sent,
				.received = 1000 });
}

/* What a backup may send a server of the web may not; a program that is new is not yet judged by
 * itself. */
static void uploads_before(void)
{
	for (unsigned i = 0; i < 288; i++) {
		upload("backup", SEC + i * 600 * SEC, 100 * MB);
		upload("web", SEC + i * 600 * SEC, MB);
	}
}

static void uploads_after(uint64_t at_ns)
{
	upload("backup", at_ns + SEC, 300 * MB);
	upload("web", at_ns + 700 * SEC, 200 * MB);
	upload("curl", at_ns + 2000 * SEC, 90 * MB);
}

static void serve(uint64_t at_ns)
{
	see_flow((struct talk){ .how = SESSION,
				.src = IP(198, 51, 100, 1),
				.dst = HERE,
				.dport = 80,
				.pid = 7,
				.program = "web",
				.accepted = true,
				.at_ns = at_ns });
}

static void call(uint32_t dst, uint16_t port, uint64_t at_ns)
{
	see_flow((struct talk){ .how = SESSION,
				.src = HERE,
				.dst = dst,
				.dport = port,
				.pid = 7,
				.program = "web",
				.at_ns = at_ns });
}

static void calls_before(void)
{
	serve(SEC);
	call(IP(203, 0, 113, 1), 443, 2 * SEC);
	call(IP(10, 1, 2, 3), 5432, 3 * SEC);
}

static void calls_after(uint64_t at_ns)
{
	serve(at_ns + SEC);
	call(IP(203, 0, 113, 1), 443, at_ns + 2 * SEC);
	call(IP(10, 1, 2, 3), 5432, at_ns + 2 * SEC);
	call(IP(192, 0, 2, 1), 443, at_ns + 3 * SEC); /* told */
}

static void listen_on(const char *program, uint16_t port, uint64_t at_ns)
{
	struct pk_sock sock = { .op = PK_SOCK_LISTEN, .l4 = IPPROTO_TCP, .lport = htons(port) };
	struct pk_event ev = { .type = PK_EV_SOCK, .sock = &sock };

	put_addr(sock.laddr, HERE);
	sock.owner.user = (struct pk_proc_id){ .tgid = 7, .start_ns = 1 };
	sock.owner.comm_len = (uint8_t)strlen(program);
	memcpy(sock.owner.comm, program, sock.owner.comm_len);
	pk_detect_see(seen.detect,
		      &(struct pk_see){ .kind = PK_SEE_SOCK, .now_ns = at_ns, .ev = &ev });
}

static void listeners_before(void)
{
	listen_on("nginx", 80, SEC);
	listen_on("sshd", 22, 2 * SEC);
}

static void listeners_after(uint64_t at_ns)
{
	listen_on("nginx", 80, at_ns + SEC);
	listen_on("sshd", 22, at_ns + 2 * SEC);
	listen_on("nginx", 4444, at_ns + 3 * SEC); /* told */
}

static const uint8_t macs[][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

static void arp(uint64_t now_ns, const uint8_t mac[6])
{
	uint8_t p[28] = { 0, 1, 8, 0, 6, 4, 0, PK_ARP_REPLY };
	const uint32_t sender = htonl(0x0a000001), target = htonl(0x0a000005);

	memcpy(p + 8, mac, 6);
	memcpy(p + 14, &sender, 4);
	memcpy(p + 24, &target, 4);
	see_frame(now_ns, mac, PK_APP_ARP, 0x0806, 0, p, sizeof(p));
}

static void arp_before(void)
{
	arp(MIDDLE - 2 * SEC, macs[0]);
}

static void arp_after(uint64_t at_ns)
{
	arp(at_ns + SEC, macs[1]); /* told */
}

static void offer(uint64_t now_ns, unsigned who)
{
	uint8_t p[300] = { 2, 1, 6, 0, 9 };
	const uint8_t options[] = {
		0x63, 0x82, 0x53, 0x63, 53, 1, 2, 54, 4, 10, 0, 0, (uint8_t)(who + 1), 255
	};

	memcpy(p + 236, options, sizeof(options));
	frame_record.s.key.port[0] = htons(67);
	frame_record.s.key.port[1] = htons(68);
	see_frame(now_ns, macs[who], PK_APP_DHCP, IPPROTO_UDP, 28, p, sizeof(p));
}

static void dhcp_before(void)
{
	offer(MIDDLE - 2 * SEC, 0);
}

static void dhcp_after(uint64_t at_ns)
{
	offer(at_ns + SEC, 1); /* told */
}

static const struct story stories[] = {
	{ "exfiltration", uploads_before, uploads_after, 1, 0, false },
	{ "new_destination", calls_before, calls_after, 1, 0, false },
	{ "new_listener", listeners_before, listeners_after, 1, 0, false },
	{ "arp_spoof", arp_before, arp_after, 1, 0, true },
	{ "rogue_dhcp", dhcp_before, dhcp_after, 1, 0, true },
};

static struct pk_kept_at moment(uint64_t now_ns, const char *boot, uint64_t host_netns)
{
	struct pk_kept_at at = { .now_ns = (int64_t)now_ns,
				 .wall_ms = 1767225600000,
				 .host_netns = host_netns };

	snprintf(at.boot, sizeof(at.boot), "%s", boot);
	return at;
}

static void save(struct pk_buf *out)
{
	struct pk_kept_at at = moment(MIDDLE, "aaaaaaaa", 1);
	struct pk_kept_sum sum;

	pk_buf_reset(out);
	assert_int_equal(pk_kept_save(seen.detect, &at, out, &sum), 0);
	assert_int_equal(sum.left_out, 0);
	assert_true(sum.rows > 0 && sum.tables > 0);
}

/* Another agent takes over. */
static void renew(void)
{
	pk_detect_free(seen.detect);
	assert_int_equal(pk_detect_new(&seen.world, seen_found, NULL, &seen.detect), 0);
	seen.n = 0;
}

static void check_found(size_t n, const struct pk_finding *like, const char *of)
{
	if (seen.n != n)
		fail_msg("%s: %zu findings, not %zu", of, seen.n, n);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(seen.finding[i].detail, like[i].detail);
		assert_string_equal(seen.finding[i].plain, like[i].plain);
		assert_int_equal(seen.finding[i].fields, like[i].fields);
		assert_int_equal(seen.finding[i].fold, like[i].fold);
	}
}

static void play(const struct story *s)
{
	static struct pk_finding like[FOUND_MAX];
	struct pk_buf bytes = { 0 };
	struct pk_kept_sum sum;
	const struct {
		struct pk_kept_at at;
		bool same_boot, long_away;
	} starts[] = {
		{ moment(MIDDLE + SEC, "aaaaaaaa", 1), true, false },
		{ moment(MIDDLE + 7 * DAY, "aaaaaaaa", 1), true, true },
		{ moment(20 * SEC, "bbbbbbbb", 1), false, false },
		{ moment(3 * DAY, "bbbbbbbb", 1), false, true },
	};

	begin(s->detector);
	s->before();
	assert_int_equal(seen.n, 0);
	save(&bytes);
	s->after(MIDDLE); /* as without a restart */
	assert_int_equal(seen.n, s->found);
	memcpy(like, seen.finding, sizeof(like));
	for (size_t i = 0; i < PK_ARRAY_SIZE(starts); i++) {
		bool forgot = s->of_a_boot && (!starts[i].same_boot || starts[i].long_away);

		renew();
		assert_int_equal(
			pk_kept_load(seen.detect, &starts[i].at, bytes.data, bytes.len, &sum), 0);
		assert_int_equal(sum.rows > 0, !s->of_a_boot || starts[i].same_boot);
		assert_int_equal(sum.left_out > 0, s->of_a_boot && !starts[i].same_boot);
		s->after((uint64_t)starts[i].at.now_ns);
		check_found(forgot ? s->found_new : s->found, like, s->detector);
	}
	renew(); /* nothing kept: it judges otherwise */
	s->after(MIDDLE);
	assert_int_equal(seen.n, s->found_new);
	pk_buf_done(&bytes);
	end();
}

static void test_same_after_restart(void **state)
{
	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(stories); i++)
		play(&stories[i]);
}

/* A host that is off learns nothing: a day of learning is a day of watching. */
static void test_away_is_no_learning(void **state)
{
	struct pk_kept_at at = moment(30 * DAY, "aaaaaaaa", 1);
	struct pk_buf bytes = { 0 };
	struct pk_kept_sum sum;

	(void)state;
	begin("new_listener");
	listen_on("nginx", 80, MIDDLE - 3600 * SEC); /* it watched for an hour */
	save(&bytes);
	renew();
	assert_int_equal(pk_kept_load(seen.detect, &at, bytes.data, bytes.len, &sum), 0);
	listen_on("nginx", 8080, 30 * DAY + 22 * 3600 * SEC);
	assert_int_equal(seen.n, 0);
	listen_on("nginx", 8081, 30 * DAY + 24 * 3600 * SEC);
	assert_int_equal(seen.n, 1);
	pk_buf_done(&bytes);
	end();
}

/* Over a boot the host's own namespace is known again, by another number; others are not. */
static void test_namespaces(void **state)
{
	struct pk_kept_at at = moment(20 * SEC, "bbbbbbbb", 77);
	struct pk_buf bytes = { 0 }, again = { 0 };
	struct pk_kept_sum sum;

	(void)state;
	begin("exfiltration");
	uploads_before();
	for (unsigned i = 0; i < 3; i++) {
		struct talk t = { .how = SESSION,
				  .src = IP(172, 17, 0, 2) + i,
				  .dst = OUT,
				  .dport = 443,
				  .at_ns = MIDDLE,
				  .sent = MB };
		struct pk_flow_entry e = entry_of(&t);

		e.flow.key.netns = 2;
		pk_detect_see(
			seen.detect,
			&(struct pk_see){ .kind = PK_SEE_FLOW, .now_ns = MIDDLE, .flow = &e });
	}
	save(&bytes);
	renew();
	assert_int_equal(pk_kept_load(seen.detect, &at, bytes.data, bytes.len, &sum), 0);
	assert_int_equal(sum.left_out, 3);
	assert_int_equal(sum.rows, 3); /* the host, backup, web */
	assert_int_equal(pk_kept_save(seen.detect, &at, &again, &sum), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct pk_memo_key key;

		memcpy(&key, again.data + HEAD + TABLE + i * ((again.len - HEAD - TABLE) / 3),
		       sizeof(key));
		assert_int_equal(key.scope, 77);
	}
	pk_buf_done(&again);
	pk_buf_done(&bytes);
	end();
}

static int load(const void *data, size_t len, struct pk_kept_sum *sum)
{
	struct pk_kept_at at = moment(MIDDLE, "aaaaaaaa", 1);

	return pk_kept_load(seen.detect, &at, data, len, sum);
}

static size_t rows_now(void)
{
	struct pk_kept_at at = moment(MIDDLE, "aaaaaaaa", 1);
	struct pk_buf b = { 0 };
	struct pk_kept_sum sum;

	assert_int_equal(pk_kept_save(seen.detect, &at, &b, &sum), 0);
	pk_buf_done(&b);
	return sum.rows;
}

static void test_damaged(void **state)
{
	struct pk_buf bytes = { 0 };
	struct pk_kept_sum sum;

	(void)state;
	begin("new_destination");
	calls_before();
	save(&bytes);
	renew();
	for (size_t n = 0; n < bytes.len; n++)
		assert_int_equal(load(bytes.data, n, &sum), -EBADMSG);
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.data[i] ^= 0x10;
		assert_int_equal(load(bytes.data, bytes.len, &sum), -EBADMSG);
		bytes.data[i] ^= 0x10;
	}
	assert_int_equal(rows_now(), 0);
	assert_int_equal(load(bytes.data, bytes.len, &sum), 0);
	assert_int_equal(rows_now(), 1);
	pk_buf_done(&bytes);
	end();
}

static void sign(struct pk_buf *b)
{
	memset(b->data + AT_DIGEST, 0, 32);
	assert_int_equal(EVP_Digest(b->data, b->len, (uint8_t *)b->data + AT_DIGEST, NULL,
				    EVP_sha256(), NULL),
			 1);
}

/* With a right digest: what can not be is not believed. */
static void test_insane(void **state)
{
	static const struct {
		const char *detector;
		void (*before)(void);
		size_t at; /* byte that is changed */
		uint8_t to;
	} wrong[] = {
		{ "new_destination", calls_before, VALUE + 8, 66 },        /* too many known */
		{ "new_destination", calls_before, VALUE + 7, 0x7f },      /* of the future */
		{ "new_destination", calls_before, VALUE + 7, 0x80 },      /* too old */
		{ "new_destination", calls_before, HEAD + 32 + 15, 0xff }, /* rows */
		{ "new_destination", calls_before, HEAD + 31, 'x' },       /* name without end */
		{ "new_destination", calls_before, 12, 2 },                /* tables */
		{ "new_destination", calls_before, 24 + 7, 0x7f },         /* its own time */
		{ "exfiltration", uploads_before, VALUE + 32, 2 },         /* told */
		{ "exfiltration", uploads_before, VALUE + 31, 0xff },      /* usual: negative */
		{ "exfiltration", uploads_before, HEAD + 48 + 7, 0x7f },   /* learning began */
		{ "arp_spoof", arp_before, VALUE + 16 + 7, 0x7f },         /* seen in the future */
		{ "rogue_dhcp", dhcp_before, VALUE + 8 * 48 + 8 * 0, 9 },  /* servers */
	};
	struct pk_kept_sum sum;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(wrong); i++) {
		struct pk_buf bytes = { 0 };

		begin(wrong[i].detector);
		wrong[i].before();
		save(&bytes);
		renew();
		bytes.data[wrong[i].at] = (char)wrong[i].to;
		sign(&bytes);
		if (load(bytes.data, bytes.len, &sum) != -EBADMSG)
			fail_msg("%s: byte %zu is believed", wrong[i].detector, wrong[i].at);
		assert_int_equal(rows_now(), 0);
		pk_buf_done(&bytes);
		end();
	}
}

/* Of another version: that table goes by, and is counted. */
static void test_version(void **state)
{
	struct pk_buf bytes = { 0 };
	struct pk_kept_sum sum;

	(void)state;
	begin("new_destination");
	calls_before();
	save(&bytes);
	renew();
	bytes.data[HEAD + 32]++;
	sign(&bytes);
	assert_int_equal(load(bytes.data, bytes.len, &sum), 0);
	assert_int_equal(sum.unread, 1);
	assert_int_equal(sum.rows, 0);
	assert_int_equal(rows_now(), 0);
	pk_buf_done(&bytes);
	end();
}

/* What comes often is held on to as before, and a table that is smaller now keeps its bound. */
static void test_held_on(void **state)
{
	struct pk_buf bytes = { 0 };
	struct pk_kept_sum sum;
	char name[16];

	(void)state;
	begin("new_listener");
	for (unsigned i = 0; i < 100; i++)
		listen_on("nginx", 80, SEC + i);
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		listen_on(name, 80, 2 * SEC);
	}
	save(&bytes);
	set("detect.remember", "64");
	renew();
	assert_int_equal(load(bytes.data, bytes.len, &sum), 0);
	assert_int_equal(sum.rows, 3001);
	assert_int_equal(rows_now(), 64);
	check_bytes("new_listener");
	for (unsigned i = 0; i < 3000; i++) { /* each twice: more often than what came once */
		snprintf(name, sizeof(name), "q%u", i % 1500);
		listen_on(name, 80, 3 * SEC);
	}
	listen_on("nginx", 80, MIDDLE);
	assert_int_equal(seen.n, 0);
	pk_buf_done(&bytes);
	end();
}

/* Each row of the table of detectors is one that can be kept. */
static void test_rows(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < pk_detectors_n; i++) {
		const struct pk_kept *k = pk_detectors[i]->kept;

		if (!k)
			continue;
		n++;
		assert_true(strlen(pk_detectors[i]->name) < 32);
		assert_true(k->version > 0 && k->memo && k->value_bytes <= 4096);
		assert_true(k->stamps <= PK_KEPT_STAMPS);
		for (unsigned s = 0; s < k->stamps; s++)
			assert_true(k->stamp[s] + sizeof(int64_t) <= k->value_bytes);
		if (k->lasts == PK_KEPT_BOOT)
			assert_int_equal(k->stamps, 0);
	}
	assert_int_equal(n, 6);
}

RUN(cmocka_unit_test(test_same_after_restart), cmocka_unit_test(test_away_is_no_learning),
    cmocka_unit_test(test_namespaces), cmocka_unit_test(test_damaged),
    cmocka_unit_test(test_insane), cmocka_unit_test(test_version), cmocka_unit_test(test_held_on),
    cmocka_unit_test(test_rows))
