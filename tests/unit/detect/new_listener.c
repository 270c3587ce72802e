/* SPDX-License-Identifier: Apache-2.0 */
/* A port that is new after learning; not one that is known, found running, or only for this host.
 */
#include "see.h"

#include "flows.h"
#include "hidden.h"

#include "decode/record.h"

#define DAY (86400 * SEC)

static void listen_on(const char *program, uint32_t addr, uint16_t port, uint64_t at_ns,
		      uint16_t flags)
{
	struct pk_sock sock = {
		.hdr.flags = flags, .op = PK_SOCK_LISTEN, .l4 = IPPROTO_TCP, .lport = htons(port)
	};
	struct pk_event ev = { .type = PK_EV_SOCK, .sock = &sock };

	put_addr(sock.laddr, addr);
	sock.owner.user = (struct pk_proc_id){ .tgid = 7, .start_ns = 1 };
	sock.owner.comm_len = (uint8_t)strlen(program);
	memcpy(sock.owner.comm, program, sock.owner.comm_len);
	pk_detect_see(seen.detect,
		      &(struct pk_see){ .kind = PK_SEE_SOCK, .now_ns = at_ns, .ev = &ev });
}

static void test_new(void **state)
{
	(void)state;
	see_begin("new_listener");
	listen_on("nginx", 0, 80, SEC, PK_EVF_SNAPSHOT);
	listen_on("nginx", 0, 80, 2 * DAY, 0);
	assert_int_equal(seen.n, 0);
	listen_on("nginx", 0, 4444, 2 * DAY, 0);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.finding[0].proc[0].tgid, 7);
	check_words(&seen.finding[0]);
	listen_on("nginx", 0, 4444, 3 * DAY, 0);
	assert_int_equal(seen.n, 1);
	listen_on("nc", 0, 80, 3 * DAY, 0); /* the port is not the program's */
	assert_int_equal(seen.n, 2);
	see_end();
}

static void test_benign(void **state)
{
	(void)state;
	see_begin("new_listener");
	for (unsigned i = 0; i < 100; i++)
		listen_on("node", 0, (uint16_t)(3000 + i), SEC + i * SEC, 0); /* learning */
	listen_on("node", IP(127, 0, 0, 1), 4000, 2 * DAY, 0);
	listen_on("sshd", 0, 22, 2 * DAY, PK_EVF_SNAPSHOT);
	listen_on("rpc", 0, 40000, SEC, 0);
	listen_on("rpc", 0, 50000, 2 * DAY, 0);
	assert_int_equal(seen.n, 0);
	see_end();
}

static void test_bytes(void **state)
{
	char name[12];

	(void)state;
	see_begin("new_listener");
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		listen_on(name, 0, 80, SEC, 0);
	}
	check_bytes("new_listener");
	see_end();
}

/* Programs made up listen on any port. */
static void noise(uint64_t now_ns)
{
	char name[16];

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "p%08x", hidden_random());
		listen_on(name, 0, (uint16_t)hidden_random(), now_ns, 0);
	}
}

/* A server begins anew each ten seconds; in the eighth minute also on another port. */
static void play(uint64_t now_ns, unsigned second)
{
	if (second % 10 == 0)
		listen_on("nginx", 0, 80, now_ns, 0);
	if (second == 480)
		listen_on("nginx", 0, 4444, now_ns, 0);
}

static bool is_nginx(const struct pk_finding *f, const char *port)
{
	return strcmp(f->field[0].value, "nginx") == 0 && strcmp(f->field[2].value, port) == 0;
}

static bool is_new(const struct pk_finding *f)
{
	return is_nginx(f, "4444");
}

static bool is_known(const struct pk_finding *f)
{
	return is_nginx(f, "80");
}

static void test_hidden_in_flood(void **state)
{
	static const struct hidden flood = { "new_listener", noise, play, is_new, is_known };

	(void)state;
	see_begin("new_listener");
	set("detect.learning_time", "3m");
	hidden_judge(&flood);
	see_end();
}

RUN(cmocka_unit_test(test_new), cmocka_unit_test(test_benign), cmocka_unit_test(test_bytes),
    cmocka_unit_test(test_hidden_in_flood))
