/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole unprivileged agent in a child process, fed through the broker's socket, asked over
 * HTTP: every endpoint, every refusal, and each record against OCSF's required members.
 */
#include "api/server.h"

#include "agent.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
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
	uint64_t t0;
} agent;

static void send_msg(uint32_t type, const void *body, size_t size)
{
	char buf[PK_MSG_MAX];
	struct pk_msg_head head = { type, sizeof(head) + size };

	memcpy(buf, &head, sizeof(head));
	memcpy(buf + sizeof(head), body, size);
	assert_int_equal(send(agent.broker, buf, sizeof(head) + size, 0), sizeof(head) + size);
}

static struct pk_flow_report report(uint64_t id, const char *a, int ap, const char *b, int bp)
{
	struct pk_flow_report r = {
		.hdr = { .ts = agent.t0, .size = sizeof(r), .type = PK_EV_FLOW },
		.why = PK_REPORT_START
	};
	struct pk_flow *f = &r.flow;

	assert_int_equal(pk_ip_parse(a, f->key.addr[0]), 0);
	assert_int_equal(pk_ip_parse(b, f->key.addr[1]), 0);
	f->key.port[0] = htons(ap);
	f->key.port[1] = htons(bp);
	f->key.proto = 6;
	f->key.netns = NETNS;
	f->key.ifindex = 2;
	f->meta = (struct pk_flow_meta){ .id = id,
					 .start_ns = agent.t0 - 1000000000ull,
					 .rtt_us = 1200 };
	f->dir[0] = (struct pk_flow_dir){ .packets = 8,
					  .bytes = 1200,
					  .first_ns = f->meta.start_ns,
					  .last_ns = agent.t0,
					  .tcp_flags = 0x1a,
					  .where = PK_AT_EGRESS,
					  .started = 1,
					  .ttl = 64 };
	f->dir[1] = (struct pk_flow_dir){ .packets = 6,
					  .bytes = 4000,
					  .first_ns = f->meta.start_ns,
					  .last_ns = agent.t0,
					  .tcp_flags = 0x12,
					  .where = PK_AT_INGRESS,
					  .started = 1,
					  .ttl = 52 };
	return r;
}

static struct pk_owner owner(uint32_t tgid, uint64_t start, uint64_t cookie)
{
	struct pk_owner o = { .cookie = cookie, .gen = 1 };

	o.creator = o.user = (struct pk_proc_id){ .tgid = tgid, .start_ns = start, .uid = 0 };
	return o;
}

static void send_exec(uint32_t tgid, uint64_t start, uint32_t parent, const char *path,
		      size_t path_len, const char *argv, size_t argv_len)
{
	static struct pk_exec e;

	memset(&e, 0, sizeof(e));
	e.hdr = (struct pk_hdr){ .ts = agent.t0, .size = sizeof(e), .type = PK_EV_EXEC };
	e.task.id = (struct pk_proc_id){ .tgid = tgid, .start_ns = start };
	e.task.tid = tgid;
	memcpy(e.task.comm, "comm", 5);
	e.parent = (struct pk_proc_id){ .tgid = parent, .start_ns = parent };
	e.loginuid = e.sessionid = UINT32_MAX;
	memcpy(e.path, path, path_len);
	e.path_len = path_len;
	memcpy(e.argv, argv, argv_len);
	e.argv_len = e.argv_total = argv_len;
	send_msg(PK_MSG_RECORD, &e, sizeof(e));
}

static void send_world(void)
{
	struct pk_msg_link link = { .netns = NETNS,
				    .netns_inum = 99,
				    .ifindex = 2,
				    .flags = 1,
				    .mtu = 1500,
				    .ingress = PK_COVER_XDP_GENERIC,
				    .egress = PK_COVER_TCX,
				    .since_ns = 1,
				    .name = "eth7" };
	struct pk_msg_addr addr = { .netns = NETNS, .kind = PK_ADDR_OWN, .prefix_bits = 120 };
	struct pk_msg_notice notice = { .ts = 1, .level = 5, .text = "hello \x1b[31m" };
	struct pk_flow_report r;
	struct pk_exit exit = {
		.hdr = { .ts = agent.t0, .size = sizeof(exit), .type = PK_EV_EXIT }
	};
	struct pk_sock listen = {
		.hdr = { .ts = agent.t0, .size = sizeof(listen), .type = PK_EV_SOCK },
		.op = PK_SOCK_LISTEN,
		.l4 = 6,
		.family = AF_INET6,
		.netns = NETNS,
		.lport = htons(8080)
	};
	struct pk_hdr strange = { .ts = agent.t0, .type = 99 };
	struct pk_act act = { .hdr = { .ts = agent.t0, .size = sizeof(act), .type = PK_EV_ACT },
			      .kind = PK_ACT_PTRACE };

	send_msg(PK_MSG_LINK, (char *)&link + sizeof(link.head), sizeof(link) - sizeof(link.head));
	assert_int_equal(pk_ip_parse("10.0.0.2", addr.addr), 0);
	send_msg(PK_MSG_ADDR, (char *)&addr + sizeof(addr.head), sizeof(addr) - sizeof(addr.head));
	send_msg(PK_MSG_NOTICE, (char *)&notice + sizeof(notice.head),
		 sizeof(notice) - sizeof(notice.head));
	send_exec(100, 100, 1, "sh\0bin", 7, "sh\0-c\0x", 8);
	send_exec(200, 200, 100, "cu\x1brl\0bin\0usr", 14, "curl\0https://\xff\xfe x", 18);
	act.task.id = (struct pk_proc_id){ .tgid = 100, .start_ns = 100 };
	act.target = (struct pk_proc_id){ .tgid = 200, .start_ns = 200 };
	send_msg(PK_MSG_RECORD, &act, sizeof(act));
	listen.owner = owner(200, 200, 78);
	send_msg(PK_MSG_RECORD, &listen, sizeof(listen));
	r = report(1, "10.0.0.2", 40000, "192.0.2.1", 443);
	r.flow.own[0] = owner(200, 200, 77);
	send_msg(PK_MSG_RECORD, &r, sizeof(r));
	r = report(2, "10.0.0.2", 50000, "192.0.2.9", 80); /* no owner anywhere */
	send_msg(PK_MSG_RECORD, &r, sizeof(r));
	r = report(3, "10.0.0.2", 50001, "192.0.2.9", 22); /* ended */
	r.why = PK_REPORT_END;
	r.final = 1;
	send_msg(PK_MSG_RECORD, &r, sizeof(r));
	exit.task.id = (struct pk_proc_id){ .tgid = 100, .start_ns = 100 };
	exit.code = 3 << 8;
	send_msg(PK_MSG_RECORD, &exit, sizeof(exit));
	strange.size = sizeof(strange);
	send_msg(PK_MSG_RECORD, &strange, sizeof(strange)); /* of a newer kernel side */
	send_msg(PK_MSG_RECORD, "garbage", 7);              /* no record at all */
}

static int dial(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 5 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, agent.path);
	for (int i = 0; connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0; i++) {
		assert_true(i < 500);
		usleep(10000);
	}
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

/* Sends a request and returns status and body (to be freed). */
static int ask_raw(const char *request, char **ret_body)
{
	static char buf[1 << 20];
	size_t n = 0;
	ssize_t got;
	int fd = dial(), status;
	char *body;

	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while (n < sizeof(buf) - 1 && (got = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0)
		n += got;
	close(fd);
	buf[n] = '\0';
	assert_int_equal(sscanf(buf, "HTTP/1.1 %d", &status), 1);
	body = strstr(buf, "\r\n\r\n");
	assert_non_null(body);
	*ret_body = strdup(body + 4);
	return status;
}

static json_t *ask(const char *path, int want)
{
	char request[512];
	_cleanup_free_ char *body = NULL;
	json_error_t e;
	json_t *j;

	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
	assert_int_equal(ask_raw(request, &body), want);
	j = json_loads(body, JSON_REJECT_DUPLICATES, &e);
	if (!j)
		fail_msg("%s: %s: %s", path, e.text, body);
	return j;
}

/* Walks "a.b.c". */
static json_t *at(json_t *j, const char *path)
{
	char key[64];

	while (j && *path) {
		size_t n = strcspn(path, ".");

		memcpy(key, path, n);
		key[n] = '\0';
		j = json_object_get(j, key);
		path += n + (path[n] == '.');
	}
	return j;
}

static const char *text(json_t *j, const char *path)
{
	const char *s = json_string_value(at(j, path));

	if (!s)
		fail_msg("no text at %s in %s", path, json_dumps(j, 0));
	return s;
}

static long long num(json_t *j, const char *path)
{
	json_t *v = at(j, path);

	if (!json_is_integer(v))
		fail_msg("no number at %s in %s", path, json_dumps(j, 0));
	return json_integer_value(v);
}

static void check_required(json_t *record)
{
	static const char *const all[] = { "activity_id",
					   "category_uid",
					   "class_uid",
					   "metadata.product.name",
					   "metadata.version",
					   "severity_id",
					   "time",
					   "type_uid",
					   "device.type_id",
					   "device.os.name",
					   "device.os.type_id",
					   "device.hostname" };
	static const char *const process[] = { "actor.process.pid", "process.pid" };

	for (size_t i = 0; i < PK_ARRAY_SIZE(all); i++)
		if (!at(record, all[i]))
			fail_msg("no %s in %s", all[i], json_dumps(record, 0));
	assert_int_equal(num(record, "type_uid"),
			 num(record, "class_uid") * 100 + num(record, "activity_id"));
	assert_string_equal(text(record, "metadata.version"), "1.8.0");
	if (num(record, "class_uid") == 1007) {
		assert_int_equal(num(record, "category_uid"), 1);
		for (size_t i = 0; i < PK_ARRAY_SIZE(process); i++)
			assert_non_null(at(record, process[i]));
	} else {
		assert_int_equal(num(record, "class_uid"), 4001);
		assert_int_equal(num(record, "category_uid"), 4);
		assert_true(at(record, "src_endpoint.ip") || at(record, "dst_endpoint.ip"));
		assert_non_null(at(record, "connection_info.direction_id"));
	}
}

static int setup(void **state)
{
	struct pk_agent_opts o = { .listen_fd = -1, .group = (gid_t)-1 };
	int pair[2];
	struct pk_conf *conf = pk_conf_new();

	(void)state;
	agent.t0 = pk_clock_boot_ns();
	strcpy(agent.dir, "/tmp/pkpipe-XXXXXX");
	assert_non_null(mkdtemp(agent.dir));
	snprintf(agent.path, sizeof(agent.path), "%s/s", agent.dir);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
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
	send_world();
	usleep(100000);
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

static void test_flows(void **state)
{
	json_t *j = ask("/v1/flows", 200), *f = NULL;
	size_t i;

	(void)state;
	assert_int_equal(num(j, "matched"), 2);
	json_array_foreach(at(j, "flows"), i, f) check_required(f);
	json_decref(j);
	j = ask("/v1/flows?filter=proc%20cu*%20and%20dst%20port%20443", 200);
	assert_int_equal(num(j, "matched"), 1);
	f = json_array_get(at(j, "flows"), 0);
	assert_string_equal(text(f, "src_endpoint.ip"), "10.0.0.2");
	assert_int_equal(num(f, "dst_endpoint.port"), 443);
	assert_int_equal(num(f, "connection_info.direction_id"), 2);
	assert_int_equal(num(f, "traffic.bytes_out"), 1200);
	assert_int_equal(num(f, "traffic.bytes_in"), 4000);
	assert_int_equal(num(f, "traffic.packets"), 14);
	assert_int_equal(num(f, "actor.process.pid"), 200);
	assert_string_equal(text(f, "actor.process.name"), "cu\x1brl"); /* escaped on the wire */
	assert_string_equal(text(f, "actor.process.user.name"), "root");
	assert_int_equal(num(f, "actor.process.parent_process.pid"), 100);
	assert_string_equal(text(f, "actor.process.parent_process.file.path"), "/bin/sh");
	assert_string_equal(text(f, "unmapped.picket.iface.name"), "eth7");
	assert_string_equal(text(f, "unmapped.picket.direction"), "out");
	assert_string_equal(text(f, "unmapped.picket.src.tcp_flags"), "SPA");
	assert_int_equal(num(f, "unmapped.picket.src.owner.socket"), 77);
	assert_int_equal(num(f, "unmapped.picket.rtt_us"), 1200);
	json_decref(j);
	j = ask("/v1/flows?state=ended", 200);
	assert_int_equal(num(j, "matched"), 1);
	json_decref(j);
	j = ask("/v1/flows?state=all&limit=1", 200);
	assert_int_equal(num(j, "matched"), 3);
	assert_int_equal(json_array_size(at(j, "flows")), 1);
	json_decref(j);
	j = ask("/v1/flows/0000000000000001", 200);
	check_required(j);
	json_decref(j);
}

static void test_events(void **state)
{
	json_t *j = ask("/v1/events", 200), *e;
	static const int activity[] = { 1, 1, 4, 7, 2 };
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(at(j, "events")), PK_ARRAY_SIZE(activity));
	json_array_foreach(at(j, "events"), i, e)
	{
		check_required(e);
		assert_int_equal(num(e, "activity_id"), activity[i]);
		assert_int_equal(num(e, "metadata.sequence"), i + 1);
	}
	e = json_array_get(at(j, "events"), 1);
	assert_string_equal(text(e, "process.cmd_line"), "curl https://\\xFF\\xFE x");
	assert_int_equal(num(e, "actor.process.pid"), 100);
	e = json_array_get(at(j, "events"), 2);
	assert_int_equal(num(e, "process.pid"), 200);
	assert_int_equal(num(e, "actor.process.pid"), 100);
	assert_string_equal(text(e, "unmapped.picket.act"), "ptrace");
	e = json_array_get(at(j, "events"), 3);
	assert_int_equal(num(e, "dst_endpoint.port"), 8080);
	e = json_array_get(at(j, "events"), 4);
	assert_int_equal(num(e, "exit_code"), 3);
	json_decref(j);
	j = ask("/v1/events?after=2&limit=1", 200);
	assert_int_equal(json_array_size(at(j, "events")), 1);
	assert_int_equal(num(j, "last"), 3);
	assert_int_equal(num(j, "lost"), 0);
	json_decref(j);
}

static void test_processes(void **state)
{
	json_t *j = ask("/v1/processes?filter=pid%20200", 200), *p;
	char path[128];

	(void)state;
	assert_int_equal(num(j, "matched"), 1);
	p = json_array_get(at(j, "processes"), 0);
	assert_string_equal(text(p, "status"), "running");
	assert_int_equal(num(p, "flows"), 1);
	assert_string_equal(json_string_value(json_array_get(at(p, "listening"), 0)),
			    "tcp [::]:8080");
	assert_int_equal(num(p, "bytes_out"), 1200);
	assert_int_equal(num(p, "bytes_in"), 4000);
	snprintf(path, sizeof(path), "/v1/processes/%s", text(p, "process.uid"));
	json_decref(j);
	j = ask(path, 200);
	assert_int_equal(num(json_array_get(at(j, "tree"), 1), "pid"), 100);
	assert_int_equal(json_array_size(at(j, "flow_list")), 1);
	json_decref(j);
	j = ask("/v1/processes/100", 200);
	assert_string_equal(text(j, "status"), "ended");
	assert_int_equal(num(j, "exit_code"), 3);
	assert_int_equal(num(json_array_get(at(j, "children"), 0), "pid"), 200);
	json_decref(j);
}

static void test_status(void **state)
{
	json_t *j = ask("/v1/status", 200), *link;

	(void)state;
	assert_string_equal(text(j, "version"), PK_VERSION);
	assert_int_equal(num(j, "records.decoded"), 8);
	assert_int_equal(num(j, "records.refused.type"), 1);
	assert_int_equal(json_array_size(at(j, "coverage")), 1);
	link = json_array_get(at(j, "coverage"), 0);
	assert_string_equal(text(link, "ingress"), "xdp-generic");
	assert_string_equal(text(link, "egress"), "tcx");
	assert_string_equal(text(json_array_get(at(j, "notices"), 0), "text"), "hello \x1b[31m");
	assert_true(num(j, "self.rss_bytes") > 0);
	assert_true(num(j, "self.rss_bytes") < 64 << 20);
	assert_int_equal(num(j, "broker.messages"), 12);
	assert_int_equal(num(j, "broker.refused"), 1);
	json_decref(j);
}

static json_t *row_with(json_t *j, const char *list, const char *key, const char *value)
{
	json_t *row;
	size_t i;

	json_array_foreach(at(j, list), i, row)
	{
		if (strcmp(text(row, key), value) == 0)
			return row;
	}
	fail_msg("no row with %s %s in %s", key, value, list);
	return NULL;
}

/* Each list in the words of user/api/README.md. */
static void check_live_rows(json_t *j)
{
	json_t *row = row_with(j, "flows", "remote", "192.0.2.1");

	assert_string_equal(text(row, "id"), "0000000000000001");
	assert_int_equal(num(row, "remote_port"), 443);
	assert_string_equal(text(row, "app"), "tcp");
	assert_string_equal(text(row, "direction"), "out");
	assert_string_equal(text(row, "state"), "open");
	assert_int_equal(num(row, "bytes_out"), 1200);
	assert_int_equal(num(row, "pid"), 200);
	row = row_with(j, "processes", "remote", "192.0.2.1");
	assert_int_equal(num(row, "sent"), 1200);
	assert_int_equal(num(row, "received"), 4000);
	assert_false(json_is_true(at(row, "more_remotes")));
	row = json_array_get(at(j, "tree"), 0);
	assert_int_equal(num(row, "pid"), 200);
	assert_int_equal(num(row, "bytes_out"), 1200); /* not twice: once as row, once as process */
	assert_int_equal(num(row, "flows"), 1);
	assert_null(at(row, "parent")); /* who began it is over */
	row = row_with(j, "names", "name", "192.0.2.9");
	assert_int_equal(num(row, "flows"), 2); /* one of them has just ended */
	assert_false(json_is_true(at(row, "named")));
	row = row_with(j, "remotes", "ip", "192.0.2.1");
	assert_int_equal(num(row, "by_pid"), 200);
	row = row_with(j, "apps", "app", "tcp");
	assert_int_equal(num(row, "flows"), 3);
	assert_true(json_is_true(at(row, "more_by")));
	assert_int_equal(num(row_with(j, "ports", "protocol", "tcp"), "flows"), 1);
	assert_int_equal(json_array_size(at(j, "lists")), 0);
	assert_int_equal(num(j, "drops.packets"), 0);
	assert_true(num(j, "started") > 0);
}

static void test_live(void **state)
{
	static const char request[] = "GET /v1/live?limit=5 HTTP/1.1\r\nHost: x\r\n\r\n";
	static char buf[1 << 16];
	struct pk_msg_head head;
	size_t n = 0;
	ssize_t got;
	int fd = dial(), snapshots = 0;
	char *body, *line;

	(void)state;
	(void)head;
	assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
	while (snapshots < 2 && (got = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0) {
		n += got;
		buf[n] = '\0';
		snapshots = 0;
		for (char *p = buf; (p = strstr(p, "\"sequence\":")); p++)
			snapshots++;
	}
	assert_true(snapshots >= 2);
	body = strstr(buf, "\r\n\r\n");
	assert_non_null(body);
	line = strchr(body + 4, '{'); /* behind the chunk's length */
	assert_non_null(line);
	*strchr(line, '\n') = '\0';
	json_t *j = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	assert_true(json_array_size(at(j, "flows")) >= 2);
	assert_int_equal(num(j, "totals.flows"), 2);
	assert_int_equal(num(j, "totals.listeners"), 1);
	assert_int_equal(num(j, "totals.bytes_out"), 3600);
	assert_int_equal(num(json_array_get(at(j, "processes"), 0), "pid"), 200);
	assert_string_equal(text(json_array_get(at(j, "remotes"), 0), "ip"), "192.0.2.9");
	check_live_rows(j);
	json_decref(j);
	close(fd);
}

static void test_usual(void **state)
{
	json_t *j = ask("/v1/flows/0000000000000002/usual", 200);

	(void)state;
	/* flow 3 ended and was with the same side; nobody knows a program of either */
	assert_string_equal(text(j, "with"), "192.0.2.9");
	assert_string_equal(text(j, "process"), "");
	assert_int_equal(num(j, "same.flows"), 1);
	assert_int_equal(num(j, "same.bytes"), 5200);
	assert_true(num(j, "same.first") > 0 && num(j, "since") > 0);
	assert_int_equal(num(j, "others.flows"), 0);
	json_decref(j);
	j = ask("/v1/flows/0000000000000001/usual", 200);
	assert_int_equal(num(j, "same.flows"), 0);
	assert_null(at(j, "same.first"));
	json_decref(j);
	json_decref(ask("/v1/flows/00000000000000ff/usual", 404));
	json_decref(ask("/v1/flows/1/usual", 404));
}

static void test_stream(void **state)
{
	static const char request[] =
		"GET /v1/flows/stream?filter=port%20443 HTTP/1.1\r\nHost: x\r\n\r\n";
	struct pk_flow_report r = report(1, "10.0.0.2", 40000, "192.0.2.1", 443);
	char buf[8192];
	size_t n = 0;
	ssize_t got;
	int fd = dial();

	(void)state;
	assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
	while (!memmem(buf, n, "\r\n\r\n", 4) && (got = read(fd, buf + n, sizeof(buf) - n)) > 0)
		n += got;
	r.hdr.ts += 1000000000ull;
	r.why = PK_REPORT_ACTIVE;
	r.flow.dir[0].packets++;
	r.flow.dir[0].bytes += 100;
	r.flow.own[0] = owner(200, 200, 77);
	send_msg(PK_MSG_RECORD, &r, sizeof(r));
	n = 0;
	while (!memchr(buf, '\n', n) || !memmem(buf, n, "}}}\n", 4)) {
		got = read(fd, buf + n, sizeof(buf) - 1 - n);
		assert_true(got > 0);
		n += got;
	}
	buf[n] = '\0';
	assert_non_null(strstr(buf, "\"bytes_out\":1300"));
	assert_non_null(strstr(buf, "\"activity_id\":6"));
	close(fd);
}

/* A reader that sleeps loses records and is told how many; the agent goes on. */
static void test_slow_reader(void **state)
{
	static const char request[] = "GET /v1/flows/stream HTTP/1.1\r\nHost: x\r\n\r\n";
	static char buf[8 << 20];
	const unsigned sent = 3000;
	unsigned records = 0;
	unsigned long lost = 0, more;
	size_t n = 0;
	ssize_t got;
	int fd = dial();

	(void)state;
	assert_int_equal(write(fd, request, sizeof(request) - 1), sizeof(request) - 1);
	while (!memmem(buf, n, "\r\n\r\n", 4) && (got = read(fd, buf + n, sizeof(buf) - n)) > 0)
		n += got;
	for (unsigned i = 0; i < sent; i++) {
		struct pk_flow_report r = report(5000 + i, "10.0.0.2", 1000, "192.0.2.7", i + 1);

		r.final = 1;
		send_msg(PK_MSG_RECORD, &r, sizeof(r));
	}
	json_decref(ask("/v1/status", 200)); /* it still answers others */
	n = 0;
	while (records + lost < sent && (got = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0) {
		n += got;
		buf[n] = '\0';
		records = lost = 0;
		for (char *p = buf; (p = strstr(p, "\"class_uid\":4001")); p++)
			records++;
		for (char *p = buf; (p = strstr(p, "{\"lost\":")); p++)
			lost += sscanf(p, "{\"lost\":%lu}", &more) == 1 ? more : 0;
	}
	close(fd);
	assert_int_equal(records + lost, sent);
	assert_true(lost > 0);
	assert_true(records > 100);
}

/* More silent connections than allowed: when they go, others are served again. */
static void test_connections(void **state)
{
	int fd[PK_API_CONNECTIONS_MAX + 10];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(fd); i++)
		fd[i] = dial();
	for (size_t i = 0; i < PK_ARRAY_SIZE(fd); i++)
		close(fd[i]);
	json_decref(ask(PK_API_HEALTH, 200));
}

static const struct {
	const char *request;
	int status;
	const char *says;
} refused[] = {
	{ "GET /v1/nothing HTTP/1.1\r\n", 404, "no such path" },
	{ "GET /v1/flows/ HTTP/1.1\r\n", 404, "no such path" },
	{ "GET /v1/flows/00 HTTP/1.1\r\n", 404, "no flow" },
	{ "GET /v1/processes/0 HTTP/1.1\r\n", 404, "no such process" },
	{ "POST /v1/flows HTTP/1.1\r\nContent-Length: 0\r\n", 405, "knows GET" },
	{ "DELETE /v1/live HTTP/1.1\r\n", 405, "knows GET" },
	{ "GET /v1/flows?x=1 HTTP/1.1\r\n", 400, "no parameter" },
	{ "GET /v1/flows?limit=x HTTP/1.1\r\n", 400, "number from 0 to 10000" },
	{ "GET /v1/flows?limit=10001 HTTP/1.1\r\n", 400, "number from 0 to 10000" },
	{ "GET /v1/flows?state=dead HTTP/1.1\r\n", 400, "live, ended or all" },
	{ "GET /v1/flows?filter=tcp%20and HTTP/1.1\r\n", 400, "\"offset\":7" },
	{ "GET /v1/live?filter=foo HTTP/1.1\r\n", 400, "unknown word" },
	{ "GET /v1/events/stream?filter=tcp&after=1 HTTP/1.1\r\n", 400, "do not go together" },
};

static void test_refused(void **state)
{
	char request[512];

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(refused); i++) {
		_cleanup_free_ char *body = NULL;
		int status;

		snprintf(request, sizeof(request), "%sHost: x\r\nConnection: close\r\n\r\n",
			 refused[i].request);
		status = ask_raw(request, &body);
		if (status != refused[i].status || !strstr(body, refused[i].says))
			fail_msg("%s: %d %s", refused[i].request, status, body);
		assert_non_null(strstr(body, "\"type\":\"about:blank\""));
	}
}

/* HEAD has heads and no body; a stream has no end, so no HEAD. */
static void test_head(void **state)
{
	_cleanup_free_ char *a = NULL, *b = NULL;

	(void)state;
	assert_int_equal(
		ask_raw("HEAD /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &a),
		200);
	assert_string_equal(a, "");
	assert_int_equal(
		ask_raw("HEAD /v1/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", &b), 405);
}

static void test_health(void **state)
{
	json_t *j = ask(PK_API_HEALTH, 200);

	(void)state;
	assert_string_equal(text(j, "status"), "ok");
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_health),      cmocka_unit_test(test_head),
		cmocka_unit_test(test_flows),       cmocka_unit_test(test_events),
		cmocka_unit_test(test_processes),   cmocka_unit_test(test_status),
		cmocka_unit_test(test_refused),     cmocka_unit_test(test_live),
		cmocka_unit_test(test_usual),       cmocka_unit_test(test_stream),
		cmocka_unit_test(test_slow_reader), cmocka_unit_test(test_connections),
	};

	return cmocka_run_group_tests_name("api/server", tests, setup, teardown);
}
