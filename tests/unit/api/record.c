/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings over HTTP: the agent in a child process, packets and reports through the broker's
 * socket, which also sees what the agent asks the kernel for.
 */
#include "api/record.h"

#include "agent.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
#include "capture/pcapng.h"
#include "conf/conf.h"
#include "probe/msg.h"

#include <picket/api.h>

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#define NETNS 7

static struct {
	int broker;
	pid_t pid;
	char dir[64], path[96];
} agent;

static void send_record(const void *rec, size_t size)
{
	static char buf[PK_MSG_MAX];
	struct pk_msg_head head = { PK_MSG_RECORD, (uint32_t)(sizeof(head) + size) };

	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), rec, size);
	assert_int_equal(send(agent.broker, buf, head.size, 0), head.size);
}

/* The flow from 10.0.0.2 to 192.0.2.1; its id is its source port, too. */
static struct pk_flow_key key_of(uint64_t flow)
{
	struct pk_flow_key k = { .netns = NETNS, .ifindex = 2, .proto = 6 };

	assert_int_equal(pk_ip_parse("10.0.0.2", k.addr[0]), 0);
	assert_int_equal(pk_ip_parse("192.0.2.1", k.addr[1]), 0);
	k.port[0] = htons((uint16_t)flow);
	k.port[1] = htons(443);
	return k;
}

static void packet(uint64_t flow, bool whole)
{
	static _Alignas(8) char mem[sizeof(struct pk_sample) + 1000];
	struct pk_sample *s = (void *)mem;

	*s = (struct pk_sample){ .flow = flow,
				 .slot = (uint32_t)flow + 1,
				 .key = key_of(flow),
				 .frame_len = 1000,
				 .data_len = whole ? 1000 : 54,
				 .l3_off = 14,
				 .payload_off = 54,
				 .payload_len = 946,
				 .where = PK_AT_EGRESS,
				 .why = whole ? PK_SAMPLE_RECORD : PK_SAMPLE_KEEP };
	s->hdr = (struct pk_hdr){ .ts = pk_clock_boot_ns(), .type = PK_EV_SAMPLE };
	memcpy(s + 1, &flow, sizeof(flow)); /* frames of two flows are not the same */
	s->hdr.size = (sizeof(*s) + s->data_len + 7) & ~7u;
	send_record(s, s->hdr.size);
}

static void report(uint64_t flow, uint64_t packets, bool final)
{
	uint64_t now = pk_clock_boot_ns();
	struct pk_flow_report r = { .hdr = { .ts = now, .size = sizeof(r), .type = PK_EV_FLOW },
				    .why = PK_REPORT_START,
				    .final = final };

	r.flow.key = key_of(flow);
	r.flow.meta = (struct pk_flow_meta){ .id = flow, .start_ns = now };
	r.flow.dir[0] = (struct pk_flow_dir){
		.packets = packets, .bytes = 1000 * packets, .where = PK_AT_EGRESS, .last_ns = now
	};
	r.flow.own[0] = (struct pk_owner){ .user = { .tgid = 4242, .start_ns = 5, .uid = 0 },
					   .cookie = flow,
					   .gen = 1,
					   .comm_len = 4,
					   .comm = "curl" };
	send_record(&r, sizeof(r));
}

/* The next mark that the agent asks the broker for; others are passed over. */
static struct pk_msg_mark next_mark(void)
{
	struct pollfd p = { .fd = agent.broker, .events = POLLIN };
	union {
		struct pk_msg_head head;
		struct pk_msg_mark mark;
		char bytes[PK_MSG_MAX];
	} m = { 0 };

	do {
		assert_int_equal(poll(&p, 1, 5000), 1);
		assert_true(recv(agent.broker, &m, sizeof(m), 0) >= (ssize_t)sizeof(m.head));
	} while (m.head.type != PK_MSG_MARK);
	return m.mark;
}

static int dial(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, agent.path);
	for (int i = 0; connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0; i++) {
		assert_true(i < 500);
		usleep(10000);
	}
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

static int request(const char *method, const char *path)
{
	char text[512];
	int fd = dial(), n;

	n = snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		     method, path);
	assert_int_equal(write(fd, text, (size_t)n), n);
	return fd;
}

struct answer {
	char *data; /* heads and body, chunks put together */
	size_t len;
	int status;
	unsigned long id; /* of the recording */
};

static void free_answer(struct answer *a)
{
	free(a->data);
	*a = (struct answer){ 0 };
}

/* Takes the lengths out of a chunked body. */
static void dechunk(struct answer *a)
{
	char *body = memmem(a->data, a->len, "\r\n\r\n", 4), *to, *at;

	if (!body || !memmem(a->data, (size_t)(body - a->data), "chunked", 7))
		return;
	to = at = body + 4;
	while (at < a->data + a->len) {
		size_t n = strtoul(at, &at, 16);

		at += 2;
		if (n > (size_t)(a->data + a->len - at))
			n = (size_t)(a->data + a->len - at);
		memmove(to, at, n);
		to += n;
		at += n + 2;
	}
	a->len = (size_t)(to - a->data);
}

static struct answer read_all(int fd)
{
	struct answer a = { .data = calloc(1, 64 << 20) };
	const char *head;
	ssize_t got;

	while ((got = read(fd, a.data + a.len, (64 << 20) - 1 - a.len)) > 0)
		a.len += (size_t)got;
	close(fd);
	assert_int_equal(sscanf(a.data, "HTTP/1.1 %d", &a.status), 1);
	head = strstr(a.data, PK_API_RECORDING ": ");
	a.id = head ? strtoul(head + strlen(PK_API_RECORDING ": "), NULL, 10) : 0;
	dechunk(&a);
	return a;
}

static struct answer ask(const char *method, const char *path)
{
	return read_all(request(method, path));
}

/* Packets of a body, and that it is a whole section with what is said at its end. */
static unsigned count(const struct answer *a, const char *end)
{
	const char *body = memmem(a->data, a->len, "\r\n\r\n", 4);
	size_t at = (size_t)(body - a->data) + 4, n = 0;
	uint32_t type = 0, len = 0;

	assert_int_equal(a->status, 200);
	assert_non_null(memmem(a->data, a->len, PK_API_TYPE_PCAPNG, strlen(PK_API_TYPE_PCAPNG)));
	for (; at < a->len; at += len) {
		assert_true(pk_pcapng_block(a->data + at, a->len - at, &type, &len));
		assert_true(len <= a->len - at);
		n += type == PK_PCAPNG_PACKET;
	}
	if (end)
		assert_non_null(memmem(a->data, a->len, end, strlen(end)));
	return (unsigned)n;
}

static bool has(const struct answer *a, const char *text)
{
	return memmem(a->data, a->len, text, strlen(text));
}

static json_int_t number(const char *name)
{
	struct answer a = ask("GET", "/v1/status");
	json_t *j = json_loads(strstr(a.data, "\r\n\r\n") + 4, 0, NULL);
	json_t *v = json_object_get(j, "capture");
	char copy[64], *word, *save = NULL;
	json_int_t n;

	assert_int_equal(a.status, 200);
	snprintf(copy, sizeof(copy), "%s", name);
	for (word = strtok_r(copy, ".", &save); word; word = strtok_r(NULL, ".", &save))
		v = json_object_get(v, word);
	assert_non_null(v);
	n = json_is_array(v) ? (json_int_t)json_array_size(v) : json_integer_value(v);
	json_decref(j);
	free_answer(&a);
	return n;
}

static void wait_for(const char *name, json_int_t want)
{
	for (int i = 0; number(name) != want; i++) {
		if (i == 500)
			fail_msg("%s is %lld, not %lld", name, (long long)number(name),
				 (long long)want);
		usleep(10000);
	}
}

static int setup(void **state)
{
	struct pk_agent_opts o = { .listen_fd = -1, .group = (gid_t)-1 };
	struct pk_msg_link link = { .netns = NETNS,
				    .netns_inum = 99,
				    .ifindex = 2,
				    .ingress = PK_COVER_XDP_GENERIC,
				    .egress = PK_COVER_TCX,
				    .name = "eth7" };
	struct pk_conf *conf = pk_conf_new();
	int pair[2];

	(void)state;
	strcpy(agent.dir, "/tmp/pkrec-XXXXXX");
	assert_non_null(mkdtemp(agent.dir));
	snprintf(agent.path, sizeof(agent.path), "%s/s", agent.dir);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	fflush(NULL);
	agent.pid = fork();
	if (agent.pid == 0) {
		close(pair[0]);
		free(conf->socket_path);
		conf->socket_path = strdup(agent.path);
		o.conf = conf;
		o.broker_fd = pair[1];
		_exit(pk_agent_run(&o) < 0);
	}
	close(pair[1]);
	pk_conf_free(conf);
	agent.broker = pair[0];
	link.head = (struct pk_msg_head){ PK_MSG_LINK, sizeof(link) };
	assert_int_equal(send(agent.broker, &link, sizeof(link), 0), sizeof(link));
	return 0;
}

static int teardown(void **state)
{
	int status;

	(void)state;
	close(agent.broker); /* and so the agent ends */
	assert_int_equal(waitpid(agent.pid, &status, 0), agent.pid);
	unlink(agent.path);
	rmdir(agent.dir);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return 0;
}

/* From the first packet on, with the process that the report names; ended from outside. */
static void test_record(void **state)
{
	int fd = request("GET", "/v1/record?filter=pid%204242%20and%20port%205001");
	struct pk_msg_mark m = next_mark();
	struct answer a, gone;
	char path[64];

	(void)state;
	assert_int_equal(m.flow, 0);
	assert_int_equal(m.set, PK_DIR_RECORD);
	wait_for("recordings", 1);
	packet(5001, false);
	packet(5002, false);
	for (int i = 0; i < 5; i++) {
		packet(5001, true);
		packet(5002, true);
	}
	report(5001, 5, false);
	report(5002, 5, false);
	packet(5001, true);
	wait_for("flows.recorded", 1);
	wait_for("memory.taken", 12);
	snprintf(path, sizeof(path), "/v1/record/%d", 1);
	gone = ask("DELETE", path);
	assert_int_equal(gone.status, 200);
	free_answer(&gone);
	a = read_all(fd);
	assert_int_equal(a.id, 1);
	/* the head came before all frames: it is one packet more */
	assert_int_equal(count(&a, "ended=user flows=1 packets=7 cut=1 "), 7);
	assert_true(has(&a, "pid 4242 curl (root) flow 0000000000001389"));
	assert_true(has(&a, "eth7"));
	assert_true(has(&a, "net namespace 99"));
	assert_true(has(&a, "pid 4242 and port 5001"));
	free_answer(&a);
	do
		m = next_mark();
	while (m.flow);
	assert_int_equal(m.clear, PK_DIR_RECORD);
	gone = ask("DELETE", path);
	assert_int_equal(gone.status, 404);
	free_answer(&gone);
}

static void test_limit(void **state)
{
	int fd = request("GET", "/v1/record?filter=port%206001&packets=3&snaplen=100");
	struct answer a;

	(void)state;
	wait_for("recordings", 1);
	for (int i = 0; i < 6; i++)
		packet(6001, true);
	a = read_all(fd);
	assert_int_equal(count(&a, "ended=packets flows=1 packets=3 cut=3"), 3);
	free_answer(&a);
	fd = request("GET", "/v1/record?duration=1s");
	a = read_all(fd);
	(void)count(&a, NULL);
	free_answer(&a);
	wait_for("recordings", 0);
}

/* Its reader leaves without a word. */
static void test_leave(void **state)
{
	int fd = request("GET", "/v1/record?filter=port%207001");
	struct pk_msg_mark m;

	(void)state;
	wait_for("recordings", 1);
	packet(7001, true);
	wait_for("flows.recorded", 1);
	close(fd);
	wait_for("recordings", 0);
	assert_int_equal(number("flows.recorded"), 0);
	do
		m = next_mark();
	while (m.flow || !m.clear);
}

/* Does not read: what it loses is told to it, and the agent's memory stays bounded. */
static void test_slow(void **state)
{
	int fd = request("GET", "/v1/record?filter=port%207100");
	unsigned n = 30000, got, slow = 0;
	struct answer a;
	const char *text;

	(void)state;
	wait_for("recordings", 1);
	for (unsigned i = 0; i < n; i++)
		packet(7100, true);
	a = ask("DELETE", "/v1/record/5");
	assert_int_equal(a.status, 200);
	free_answer(&a);
	a = read_all(fd);
	assert_int_equal(a.id, 5);
	got = count(&a, "ended=user");
	text = memmem(a.data, a.len, " slow=", 6);
	assert_non_null(text);
	slow = (unsigned)strtoul(text + 6, NULL, 10);
	assert_true(slow > 0 && got > 10000);
	assert_int_equal(got + slow, n);
	free_answer(&a);
}

static void test_too_many(void **state)
{
	int fd[4];
	struct answer a;

	(void)state;
	for (int i = 0; i < 4; i++)
		fd[i] = request("GET", "/v1/record?filter=port%201");
	wait_for("recordings", 4);
	a = ask("GET", "/v1/record?filter=port%201");
	assert_int_equal(a.status, 503);
	free_answer(&a);
	for (int i = 0; i < 4; i++)
		close(fd[i]);
	wait_for("recordings", 0);
}

static void test_memory(void **state)
{
	struct answer a;

	(void)state;
	packet(8001, false);
	packet(8002, false);
	report(8001, 1, true);
	for (int i = 0;; i++) {
		a = ask("GET", "/v1/capture?filter=port%208001%20or%20port%208002&before=1m");
		if (count(&a, NULL) == 2)
			break;
		if (i == 500)
			fail_msg("%u packets, not 2", count(&a, NULL));
		free_answer(&a);
		usleep(10000);
	}
	assert_true(has(&a, "pid 4242 curl"));
	free_answer(&a);
	usleep(20000);
	a = ask("GET", "/v1/capture?filter=port%208001&before=1ms");
	assert_int_equal(count(&a, NULL), 0);
	free_answer(&a);
}

static void test_wrong(void **state)
{
	static const char *const path[] = {
		"/v1/record?filter=prot%201", "/v1/record?duration=soon", "/v1/record?packets=-1",
		"/v1/record?snaplen=70000",   "/v1/record?nothing=1",     "/v1/capture?before=0",
		"/v1/capture?filter=(",
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(path); i++) {
		struct answer a = ask("GET", path[i]);

		if (a.status != 400)
			fail_msg("%s: %d", path[i], a.status);
		free_answer(&a);
	}
	assert_int_equal(number("recordings"), 0);
}

/* Still going on when the agent ends: the file is whole. */
static void test_agent_ends(void **state)
{
	int fd = request("GET", "/v1/record?filter=port%209001");
	struct answer a;

	wait_for("recordings", 1);
	packet(9001, true);
	wait_for("flows.recorded", 1);
	assert_int_equal(teardown(state), 0);
	a = read_all(fd);
	assert_int_equal(a.status, 200);
	free_answer(&a);
	assert_int_equal(setup(state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_leave),  cmocka_unit_test(test_slow),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_wrong),  cmocka_unit_test(test_agent_ends),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
