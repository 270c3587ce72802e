/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block lists over HTTP, as the tool asks: the server with the real lists on heap memory in a child
 * process, where chunks and saved files come a little later, as from the broker.
 */
#include "api/server.h"

#include "api/routes.h"
#include "api/state.h"
#include "api/view.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ip.h"
#include "block/block.h"
#include "conf/conf.h"
#include "pipeline.h"

#include <picket/api.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#define CHUNKS_MAX 16

static struct {
	pid_t pid;
	char dir[64], path[96];
} agent;

/* The child. */
static struct {
	struct event_base *base;
	struct pk_api *api;
	struct pk_pipeline *pipeline;
	struct pk_view *view;
	struct pk_block *block;
	struct pk_blk_list lists[PK_BLK_LISTS];
	struct pk_blk_ctl ctl;
	void *memory[CHUNKS_MAX];
	uint32_t chunks, wanted;
	struct {
		char list[64];
		uint64_t serial;
	} save[32];
	unsigned saves;
	bool detached;
} host;

static int op_grow(void *arg, uint32_t n)
{
	(void)arg;
	host.wanted += n;
	return 0;
}

static int op_save(void *arg, const char *list, uint64_t serial, int fd)
{
	(void)arg, (void)fd;
	if (host.saves == PK_ARRAY_SIZE(host.save))
		return -EAGAIN;
	snprintf(host.save[host.saves].list, sizeof(host.save[0].list), "%s", list);
	host.save[host.saves++].serial = serial;
	return 0;
}

static void op_hold(void *arg, bool on)
{
	(void)arg, (void)on;
}

static int op_except(void *arg, const uint8_t addr[16], bool on)
{
	struct pk_blk_safe_key key = { .bits = 128 };

	(void)arg;
	memcpy(key.addr, addr, 16);
	return pk_block_safe(host.block, &key, on ? 0 : PK_BLK_SAFE_GATEWAY);
}

static uint32_t op_ifindex(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "eth0") == 0 ? 2 : 0;
}

static int op_who(void *arg, const struct pk_blk_who_key *key, uint32_t line)
{
	(void)arg, (void)key, (void)line;
	return 0;
}

static int op_count(void *arg, unsigned list, bool reset, struct pk_blk_count *ret)
{
	(void)arg, (void)list, (void)reset;
	*ret = (struct pk_blk_count){ .in_packets = 7, .in_bytes = 700, .calls = 3 };
	return 0;
}

static int op_container(void *arg, const char *name, uint64_t *ret, size_t max)
{
	(void)arg, (void)name, (void)ret, (void)max;
	return -ENOENT;
}

static int op_id(void *arg, const char *name, uint64_t *ret)
{
	(void)arg;
	*ret = strlen(name);
	return 0;
}

static void op_notice(void *arg, const char *text)
{
	(void)arg, (void)text;
}

static void no_wait(void *arg)
{
	(void)arg;
}

static void on_admin(void *arg, const uint8_t addr[16])
{
	struct pk_blk_safe_key key = { .bits = 128 };

	(void)arg;
	memcpy(key.addr, addr, 16);
	(void)pk_block_safe(host.block, &key, PK_BLK_SAFE_ADMIN);
}

static int on_detach(void *arg)
{
	(void)arg;
	host.detached = true;
	return 0;
}

static void give_chunks(void)
{
	while (host.wanted && host.chunks < CHUNKS_MAX) {
		union pk_blk_line *lines = calloc(PK_BLK_CHUNK_LINES, sizeof(*lines));

		host.memory[host.chunks] = lines;
		(void)pk_block_add_chunk(host.block, host.chunks++, lines);
		host.wanted--;
	}
	if (host.wanted) {
		host.wanted = 0;
		pk_block_grow_failed(host.block, -ENOSPC);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	uint64_t now = pk_clock_boot_ns();

	(void)fd, (void)what, (void)arg;
	give_chunks();
	host.view->now_ns = now;
	pk_block_tick(host.block, pk_clock_wall_ms(now), now);
	(void)pk_block_step(host.block, 5000000);
	for (unsigned i = 0, n = host.saves; i < n; i++)
		pk_block_saved(host.block, host.save[i].list, host.save[i].serial, 0);
	host.saves = 0;
	if (host.detached)
		event_base_loopbreak(host.base);
}

static void make_block(const struct pk_conf *conf, uint64_t *roots)
{
	struct pk_block_ops ops = {
		.grow = op_grow,
		.save = op_save,
		.hold = op_hold,
		.except = op_except,
		.ifindex = op_ifindex,
		.who = op_who,
		.count = op_count,
		.container = op_container,
		.cgroup = op_id,
		.user = op_id,
		.notice = op_notice,
		.work = no_wait,
	};
	struct pk_trie_memory m = { .roots = roots, .ctl = &host.ctl, .wait = no_wait };
	struct pk_blk_safe_key gateway = { .bits = 128 };
	uint64_t now = pk_clock_boot_ns();

	assert_int_equal(pk_block_new(conf, &ops, &m, host.lists, &host.block), 0);
	assert_int_equal(pk_ip_parse("192.168.1.1", gateway.addr), 0);
	assert_int_equal(pk_block_safe(host.block, &gateway, PK_BLK_SAFE_GATEWAY), 0);
	assert_int_equal(pk_block_start(host.block, pk_clock_wall_ms(now), now), 0);
}

/* A flow of the past, for lists to be tested against: 5000 bytes. */
static void feed_flow(uint64_t id, const char *from, int from_port, const char *to, int to_port)
{
	uint64_t now = pk_clock_boot_ns();
	struct pk_flow_report r = {
		.hdr = { .ts = now, .size = sizeof(r), .type = PK_EV_FLOW },
		.why = PK_REPORT_END,
		.final = 1,
	};
	struct pk_flow *f = &r.flow;

	assert_int_equal(pk_ip_parse(from, f->key.addr[0]), 0);
	assert_int_equal(pk_ip_parse(to, f->key.addr[1]), 0);
	f->key.port[0] = htons((uint16_t)from_port);
	f->key.port[1] = htons((uint16_t)to_port);
	f->key.proto = 6;
	f->key.netns = 7;
	f->key.ifindex = 2;
	f->meta = (struct pk_flow_meta){ .id = id, .start_ns = now - 1000000000ull };
	f->dir[0] = (struct pk_flow_dir){
		.packets = 8, .bytes = 1000, .where = PK_AT_EGRESS, .started = 1, .last_ns = now
	};
	f->dir[1] = (struct pk_flow_dir){
		.packets = 6, .bytes = 4000, .where = PK_AT_INGRESS, .started = 1, .last_ns = now
	};
	assert_int_equal(pk_pipeline_feed(host.pipeline, &r, sizeof(r)), 0);
}

static void serve(int fd)
{
	uint64_t *roots = calloc(2 * PK_BLK_ROOTS, sizeof(uint64_t));
	struct timeval often = { .tv_usec = 5000 };
	struct pk_conf *conf = pk_conf_new();
	struct event *timer;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	host.base = event_base_new();
	assert_int_equal(pk_pipeline_new(conf, true, &host.pipeline), 0);
	host.view = pk_pipeline_view(host.pipeline);
	host.view->now_ns = host.view->state->started_ns = pk_clock_boot_ns();
	make_block(conf, roots);
	feed_flow(1, "10.0.0.2", 40000, "198.51.100.7", 443);
	feed_flow(2, "10.0.0.2", 40001, "198.51.100.8", 80);
	feed_flow(3, "10.0.0.2", 40002, "192.168.1.1", 53);
	feed_flow(4, "10.0.0.2", 40003, "203.0.113.1", 80);
	host.view->block = host.block;
	host.view->admin = on_admin;
	host.view->detach = on_detach;
	assert_int_equal(pk_api_new(host.base, host.view, fd, (gid_t)-1, 1 << 20, &host.api), 0);
	timer = event_new(host.base, -1, EV_PERSIST, on_timer, NULL);
	event_add(timer, &often);
	event_base_dispatch(host.base);
	event_free(timer);
	pk_api_free(host.api);
	pk_block_free(host.block);
	pk_pipeline_free(host.pipeline);
	event_base_free(host.base);
	pk_conf_free(conf);
	for (uint32_t i = 0; i < host.chunks; i++)
		free(host.memory[i]);
	free(roots);
	exit(0); /* leaks are looked for where it is built for that */
}

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(agent.dir, "/tmp/pklist-XXXXXX");
	assert_non_null(mkdtemp(agent.dir));
	snprintf(agent.path, sizeof(agent.path), "%s/s", agent.dir);
	assert_int_equal(pk_api_listen(agent.path, (gid_t)-1, &fd), 0);
	fflush(NULL);
	agent.pid = fork();
	if (agent.pid == 0)
		serve(fd);
	close(fd);
	return 0;
}

static int dial(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, agent.path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

static void send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* refused before all of it was sent: the answer tells */
		data += n;
		len -= (size_t)n;
	}
}

static void send_request(int fd, const char *method, const char *path, const char *heads,
			 const char *body, size_t len)
{
	char head[1024];
	int n = snprintf(head, sizeof(head),
			 "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%sContent-Length: "
			 "%zu\r\n\r\n",
			 method, path, heads, len);

	send_all(fd, head, (size_t)n);
	send_all(fd, body, len);
}

/* Status and body (to be freed). */
static int ask_text(const char *method, const char *path, const char *heads, const char *body,
		    size_t len, char **ret)
{
	static char buf[4 << 20];
	int fd = dial(), status = 0;
	size_t n = 0;
	ssize_t got;
	char *text;

	send_request(fd, method, path, heads, body, len);
	while (n < sizeof(buf) - 1 && (got = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	buf[n] = '\0';
	if (sscanf(buf, "HTTP/1.1 %d", &status) != 1)
		fail_msg("%s %s: no answer: %s", method, path, buf);
	text = strstr(buf, "\r\n\r\n");
	assert_non_null(text);
	*ret = strdup(text + 4);
	return status;
}

static json_t *ask(const char *method, const char *path, const char *body, int want)
{
	_cleanup_free_ char *text = NULL;
	json_error_t e;
	json_t *j;
	int status = ask_text(method, path, "", body, strlen(body), &text);

	if (status != want)
		fail_msg("%s %s: %d %s", method, path, status, text);
	j = json_loads(text, JSON_REJECT_DUPLICATES, &e);
	if (!j)
		fail_msg("%s %s: %s: %s", method, path, e.text, text);
	return j;
}

/* "a.b.0.c" */
static json_t *at(json_t *j, const char *path)
{
	char key[64];

	while (j && *path) {
		size_t n = strcspn(path, ".");

		memcpy(key, path, n);
		key[n] = '\0';
		j = json_is_array(j) ? json_array_get(j, strtoul(key, NULL, 10))
				     : json_object_get(j, key);
		path += n + (path[n] == '.');
	}
	return j;
}

static const char *text_at(json_t *j, const char *path)
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

static bool has_verdict(const char *query, const char *want)
{
	char path[128];
	json_t *j;
	bool same;

	snprintf(path, sizeof(path), "/v1/check?%s", query);
	j = ask("GET", path, "", 200);
	same = strcmp(text_at(j, "verdict"), want) == 0;
	json_decref(j);
	return same;
}

static void verdict_is(const char *query, const char *want)
{
	if (!has_verdict(query, want))
		fail_msg("%s: not %s", query, want);
}

static void detail_has(json_t *j, const char *says)
{
	if (!strstr(text_at(j, "detail"), says))
		fail_msg("%s: %s", says, json_dumps(j, 0));
	json_decref(j);
}

/* Asks, and only the status matters. */
static void ask_ok(const char *method, const char *path, const char *body)
{
	json_decref(ask(method, path, body, 200));
}

static void single_blocks(void **state)
{
	json_t *j = ask("POST", "/v1/blocks",
			"{\"targets\":[\"198.51.100.7\",\"203.0.113.0/24\"],\"reason\":\"scan\","
			"\"ttl\":3600}",
			200);

	(void)state;
	assert_int_equal(json_array_size(at(j, "added")), 2);
	assert_string_equal(text_at(j, "added.0.prefix"), "198.51.100.7");
	assert_string_equal(text_at(j, "added.0.list"), "manual");
	assert_true(json_is_true(at(j, "added.0.new")));
	assert_true(num(j, "added.0.id") > 0);
	json_decref(j);
	verdict_is("ip=198.51.100.7", "drop");
	verdict_is("ip=198.51.100.9", "pass");
	j = ask("GET", "/v1/check?ip=203.0.113.99", "", 200);
	assert_string_equal(text_at(j, "verdict"), "drop");
	assert_string_equal(text_at(j, "entry.list"), "manual");
	assert_string_equal(text_at(j, "entry.prefix"), "203.0.113.0/24");
	assert_string_equal(text_at(j, "entry.reason"), "scan");
	assert_true(num(j, "entry.expires") > 0);
	json_decref(j);
	j = ask("POST", "/v1/blocks", "{\"targets\":[\"198.51.100.7\"]}", 200);
	assert_true(json_is_false(at(j, "added.0.new")));
	json_decref(j);
	j = ask("DELETE", "/v1/blocks",
		"{\"targets\":[\"198.51.100.7\",\"203.0.113.0/24\",\"192.0.2.99\"]}", 200);
	assert_int_equal(json_array_size(at(j, "removed")), 2);
	assert_string_equal(text_at(j, "missing.0.prefix"), "192.0.2.99");
	json_decref(j);
	verdict_is("ip=198.51.100.7", "pass");
	detail_has(ask("DELETE", "/v1/blocks", "{\"targets\":[\"198.51.100.7\"]}", 404),
		   "no entry of list manual");
}

static void limits_count(void **state)
{
	(void)state;
	ask_ok("POST", "/v1/blocks",
	       "{\"targets\":[\"198.51.100.7\"],\"dir\":\"in\",\"proto\":\"tcp\",\"port\":\"22\","
	       "\"list\":\"ssh\"}");
	verdict_is("ip=198.51.100.7&dir=in&proto=tcp&port=22", "drop");
	verdict_is("ip=198.51.100.7&dir=in&proto=tcp&port=23", "pass");
	verdict_is("ip=198.51.100.7&dir=out&proto=tcp&port=22", "pass");
	detail_has(ask("DELETE", "/v1/blocks", "{\"targets\":[\"198.51.100.7\"]}", 404),
		   "198.51.100.7 of list ssh");
	ask_ok("DELETE", "/v1/lists/ssh", "");
	verdict_is("ip=198.51.100.7&dir=in&proto=tcp&port=22", "pass");
	detail_has(ask("DELETE", "/v1/lists/ssh", "", 404), "no list");
}

/* All targets or none. */
static void all_or_nothing(void **state)
{
	json_t *j =
		ask("POST", "/v1/blocks", "{\"targets\":[\"198.51.100.7\",\"192.168.1.1\"]}", 409);

	(void)state;
	assert_string_equal(text_at(j, "refused.0.prefix"), "192.168.1.1");
	assert_non_null(strstr(text_at(j, "refused.0.why"), "gateway"));
	json_decref(j);
	verdict_is("ip=198.51.100.7", "pass");
}

static void guards(void **state)
{
	static const char *const bodies[] = {
		"{\"targets\":[\"0.0.0.0/0\"]}",
		"{\"targets\":[\"::/0\"]}",
		"{\"targets\":[\"192.168.0.0/16\"]}",
		"{\"targets\":[\"2000::/18\"]}",
	};
	static const char session[] = "{\"targets\":[\"192.0.2.192/26\"]}";
	_cleanup_free_ char *text = NULL;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(bodies); i++)
		json_decref(ask("POST", "/v1/blocks", bodies[i], 409));
	assert_int_equal(ask_text("POST", "/v1/blocks", "Picket-Session: 192.0.2.200\r\n", session,
				  strlen(session), &text),
			 409);
	assert_non_null(strstr(text, "192.0.2.200"));
	assert_non_null(strstr(text, "admin session"));
	ask_ok("POST", "/v1/blocks",
	       "{\"targets\":[\"192.168.1.1\"],\"force_cover\":[\"192.168.1.1\"]}");
	verdict_is("ip=192.168.1.1", "drop");
	ask_ok("DELETE", "/v1/blocks", "{\"targets\":[\"192.168.1.1\"]}");
	/* it was meant for that entry only */
	json_decref(ask("POST", "/v1/blocks", "{\"targets\":[\"192.168.1.1\"]}", 409));
}

static void a_list_replaced(void **state)
{
	json_t *j = ask("PUT", "/v1/lists/feed?source=feed.txt",
			"# mine\n198.51.100.0/24 ; a\n203.0.113.9\n203.0.113.9\n", 200);

	(void)state;
	assert_int_equal(num(j, "entries"), 2);
	assert_int_equal(num(j, "added"), 2);
	assert_int_equal(num(j, "read.doubles"), 1);
	assert_string_equal(text_at(j, "mode"), "enforce");
	assert_true(json_is_true(at(j, "saved")));
	json_decref(j);
	verdict_is("ip=198.51.100.200", "drop");
	j = ask("POST", "/v1/lists/feed/diff", "203.0.113.9\n192.0.2.0/25\n", 200);
	assert_int_equal(num(j, "added"), 1);
	assert_int_equal(num(j, "removed"), 1);
	assert_int_equal(num(j, "kept"), 1);
	json_decref(j);
	verdict_is("ip=198.51.100.200", "drop"); /* nothing has changed */
	j = ask("PUT", "/v1/lists/feed?mode=observe", "203.0.113.9\n192.0.2.0/25\n", 200);
	assert_int_equal(num(j, "kept"), 1);
	assert_string_equal(text_at(j, "mode"), "observe");
	json_decref(j);
	verdict_is("ip=198.51.100.200", "pass");
	verdict_is("ip=192.0.2.1", "observe");
	ask_ok("POST", "/v1/lists/feed/mode?mode=off", "");
	verdict_is("ip=192.0.2.1", "pass");
	ask_ok("POST", "/v1/lists/feed/mode?mode=enforce", "");
	verdict_is("ip=192.0.2.1", "drop");
	detail_has(ask("POST", "/v1/lists/feed/mode?mode=on", "", 400), "enforce, observe or off");
	detail_has(ask("POST", "/v1/lists/none/mode?mode=off", "", 404), "none");
}

static void what_is_shown(void **state)
{
	json_t *j = ask("GET", "/v1/lists", "", 200), *l = NULL, *v;
	char path[64];
	size_t i;

	(void)state;
	json_array_foreach(at(j, "lists"), i, v) if (strcmp(text_at(v, "name"), "feed") == 0) l = v;
	assert_non_null(l);
	assert_int_equal(num(l, "entries"), 2);
	assert_int_equal(num(l, "in.packets"), 7);
	assert_int_equal(num(l, "calls"), 3);
	assert_true(num(j, "memory.bytes") > 0);
	assert_true(json_array_size(at(j, "safe")) >= 1);
	json_decref(j);
	j = ask("GET", "/v1/lists/feed?limit=1", "", 200);
	assert_int_equal(json_array_size(at(j, "entries")), 1);
	assert_true(json_is_true(at(j, "more")));
	snprintf(path, sizeof(path), "/v1/lists/feed?limit=1&after=%lld", num(j, "entries.0.id"));
	json_decref(j);
	j = ask("GET", path, "", 200);
	assert_int_equal(json_array_size(at(j, "entries")), 1);
	assert_true(json_is_false(at(j, "more")));
	assert_string_equal(text_at(j, "entries.0.prefix"), "203.0.113.9");
	json_decref(j);
	json_decref(ask("GET", "/v1/lists/none", "", 404));
}

/* Bad lines change nothing and are told; skipped only when asked for. */
static void bad_lines(void **state)
{
	json_t *j = ask("PUT", "/v1/lists/feed", "192.0.2.0/25\n10.0.0.300\n", 422);

	(void)state;
	assert_int_equal(num(j, "bad.0.line"), 2);
	assert_non_null(strstr(text_at(j, "bad.0.text"), "10.0.0.300"));
	assert_true(*text_at(j, "bad.0.reason"));
	detail_has(j, "nothing was changed");
	verdict_is("ip=203.0.113.9", "drop");
	j = ask("PUT", "/v1/lists/feed?skip_bad=1", "192.0.2.0/25\n10.0.0.300\n203.0.113.9\n", 200);
	assert_int_equal(num(j, "read.bad"), 1);
	assert_int_equal(num(j, "bad.0.line"), 2);
	json_decref(j);
	json_decref(ask("PUT", "/v1/lists/feed", "192.0.2.0/25\n192.168.1.0/24\n", 409));
	verdict_is("ip=203.0.113.9", "drop");
}

static void parameters(void **state)
{
	static const struct {
		const char *method, *path, *says;
	} cases[] = {
		{ "PUT", "/v1/lists/x?format=pdf", "format must be" },
		{ "PUT", "/v1/lists/x?kind=grey", "kind must be" },
		{ "PUT", "/v1/lists/x?mode=on", "mode must be" },
		{ "PUT", "/v1/lists/x?ttl=0", "one second or more" },
		{ "PUT", "/v1/lists/x?ttl=1h", "ttl must be a number" },
		{ "PUT", "/v1/lists/x?confirm=100000", "confirm must be" },
		{ "PUT", "/v1/lists/x?wide=maybe", "wide must be 0 or 1" },
		{ "PUT", "/v1/lists/x?force_cover=10.0.0.1,x", "force_cover takes addresses" },
		{ "PUT", "/v1/lists/x?dir=up", "dir must be" },
		{ "PUT", "/v1/lists/x?port=0", "port must be" },
		{ "PUT", "/v1/lists/x?colour=red", "no parameter \"colour\"" },
		{ "PUT", "/v1/lists/.x", "name" },
		{ "GET", "/v1/check", "ip must be" },
		{ "GET", "/v1/check?ip=10.0.0.0/8", "ip must be" },
		{ "GET", "/v1/check?ip=10.0.0.1&port=99999", "port must be" },
		{ "POST", "/v1/blocks", "not JSON" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++)
		detail_has(ask(cases[i].method, cases[i].path, "", 400), cases[i].says);
	detail_has(ask("PUT", "/v1/lists", "", 405), "GET, HEAD only");
	detail_has(ask("GET", "/v1/blocks", "", 405), "POST, DELETE only");
	detail_has(ask("POST", "/v1/lists/x", "", 405), "PUT");
}

static void bodies_are_bounded(void **state)
{
	_cleanup_free_ char *large = malloc(2 << 20), *text = NULL, *text2 = NULL;

	(void)state;
	memset(large, '\n', 2 << 20);
	assert_int_equal(ask_text("POST", "/v1/blocks", "", large, PK_API_BODY_MAX + 1, &text),
			 413);
	assert_int_equal(ask_text("PUT", "/v1/lists/x", "", large, 2 << 20, &text2), 413);
}

/* Takes the lengths of the pieces out. */
static char *unchunk(const char *text)
{
	char *out = calloc(1, strlen(text) + 1), *to = out;
	unsigned long n;
	char *end;

	while ((n = strtoul(text, &end, 16)) > 0) {
		assert_memory_equal(end, "\r\n", 2);
		memcpy(to, end + 2, n);
		to += n;
		text = end + 2 + n + 2;
	}
	return out;
}

static void an_export_is_read_back(void **state)
{
	_cleanup_free_ char *text = NULL, *clean = NULL;
	json_t *j;

	(void)state;
	ask_ok("POST", "/v1/blocks",
	       "{\"targets\":[\"192.0.2.77\"],\"list\":\"out\",\"dir\":\"out\",\"proto\":\"udp\","
	       "\"port\":\"53\",\"iface\":\"eth0\",\"reason\":\"a \\\"b\\\" \\u001b\","
	       "\"ttl\":1000}");
	ask_ok("POST", "/v1/blocks", "{\"targets\":[\"2001:db8::/32\"],\"list\":\"out\"}");
	assert_int_equal(ask_text("GET", "/v1/lists/out/export", "", "", 0, &text), 200);
	clean = unchunk(text);
	j = ask("POST", "/v1/lists/out/diff", clean, 200);
	if (num(j, "kept") != 2 || num(j, "added") || num(j, "removed"))
		fail_msg("%s\n%s", clean, json_dumps(j, 0));
	json_decref(j);
	json_decref(ask("GET", "/v1/lists/none/export", "", 404));
}

static void confirmation(void **state)
{
	json_t *j = ask("PUT", "/v1/lists/c?confirm=1", "192.0.2.150\n", 200);

	(void)state;
	assert_true(num(j, "confirm_by") > 0);
	json_decref(j);
	verdict_is("ip=192.0.2.150", "drop");
	for (int i = 0; !has_verdict("ip=192.0.2.150", "pass"); i++) {
		assert_true(i < 50);
		usleep(100000);
	}
	ask_ok("PUT", "/v1/lists/c?confirm=60", "192.0.2.150\n");
	ask_ok("POST", "/v1/lists/c/confirm", "");
	verdict_is("ip=192.0.2.150", "drop");
	ask_ok("PUT", "/v1/lists/c?confirm=60", "192.0.2.151\n");
	ask_ok("POST", "/v1/lists/c/confirm?back=1", "");
	verdict_is("ip=192.0.2.150", "drop");
	verdict_is("ip=192.0.2.151", "pass");
}

static void processes(void **state)
{
	static const char body[] =
		"{\"who\":{\"user\":\"nobody\"},\"to\":\"198.51.100.0/24\",\"list\":\"p\"}";
	json_t *j;

	(void)state;
	ask_ok("POST", "/v1/blocks", body);
	j = ask("GET", "/v1/lists/p", "", 200);
	assert_int_equal(num(j, "list.processes"), 1);
	assert_string_equal(text_at(j, "entries.0.who.user"), "nobody");
	assert_string_equal(text_at(j, "entries.0.prefix"), "198.51.100.0/24");
	json_decref(j);
	ask_ok("DELETE", "/v1/blocks", body);
	json_decref(ask("DELETE", "/v1/blocks", body, 404));
}

static void automatic(void **state)
{
	static const char body[] = "{\"targets\":[\"192.0.2.60\"],\"ttl\":60,"
				   "\"auto\":{\"alert\":\"A-1\",\"evidence\":\"%s\"}}";
	char text[256];
	json_t *j;

	(void)state;
	snprintf(text, sizeof(text), body, "established");
	j = ask("POST", "/v1/blocks", text, 200);
	assert_string_equal(text_at(j, "added.0.list"), "auto");
	json_decref(j);
	verdict_is("ip=192.0.2.60", "drop");
	snprintf(text, sizeof(text), body, "udp");
	json_decref(ask("POST", "/v1/blocks", text, 409));
}

/* Flows that are remembered against a list that is not loaded. */
static void flows_against_a_list(void **state)
{
	json_t *j = ask("POST", "/v1/lists/test?against=3600",
			"198.51.100.0/24\n198.51.100.7\n192.168.1.1\n", 200);

	(void)state;
	assert_int_equal(num(j, "span.flows"), 4);
	assert_true(json_is_false(at(j, "span.whole"))); /* an hour: it began just now */
	assert_int_equal(num(j, "flows_cut"), 2);
	assert_int_equal(num(j, "bytes_cut"), 10000);
	assert_int_equal(num(j, "spared.safe"), 1);
	assert_int_equal(json_array_size(at(j, "cut")), 2);
	assert_int_equal(num(j, "cut.0.flows"), 1);
	assert_int_equal(num(j, "cut.0.examples.0.bytes"), 5000);
	json_decref(j);
	j = ask("POST", "/v1/lists/test?port=443", "198.51.100.0/24\n", 200);
	assert_int_equal(num(j, "flows_cut"), 1);
	assert_string_equal(text_at(j, "cut.0.examples.0.dst"), "198.51.100.7");
	json_decref(j);
	json_decref(ask("POST", "/v1/lists/test", "nonsense here\n", 422));
}

/* Who asks goes away before the answer is there: the load is done, the agent lives. */
static void a_connection_that_vanishes(void **state)
{
	_cleanup_free_ char *body = malloc(900000);
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i < 50000; i++)
		n += (size_t)sprintf(body + n, "100.%u.%u.%u\n", i >> 16, i >> 8 & 255, i & 255);
	for (unsigned i = 0; i < 5; i++) {
		int fd = dial();

		send_request(fd, "PUT", "/v1/lists/gone", "", body, n);
		usleep(i * 10000);
		close(fd);
	}
	for (int i = 0; !has_verdict("ip=100.0.0.9", "drop"); i++) {
		assert_true(i < 100);
		usleep(50000);
	}
	/* and one that leaves in the middle of an export */
	for (int i = 0; i < 5; i++) {
		int fd = dial();
		char some[100];

		send_request(fd, "GET", "/v1/lists/gone/export", "", "", 0);
		assert_true(read(fd, some, sizeof(some)) > 0);
		close(fd);
	}
	verdict_is("ip=100.0.0.9", "drop");
}

static int teardown(void **state)
{
	int status;

	(void)state;
	/* lists are being read and nobody waits: it ends all the same */
	for (int i = 0; i < 3; i++) {
		int fd = dial();

		send_request(fd, "PUT", "/v1/lists/late", "", "10.9.9.9\n", 9);
		close(fd);
	}
	json_decref(ask("POST", "/v1/detach", "", 202));
	assert_int_equal(waitpid(agent.pid, &status, 0), agent.pid);
	unlink(agent.path);
	rmdir(agent.dir);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_blocks),
		cmocka_unit_test(limits_count),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(guards),
		cmocka_unit_test(a_list_replaced),
		cmocka_unit_test(what_is_shown),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(parameters),
		cmocka_unit_test(bodies_are_bounded),
		cmocka_unit_test(an_export_is_read_back),
		cmocka_unit_test(confirmation),
		cmocka_unit_test(processes),
		cmocka_unit_test(automatic),
		cmocka_unit_test(flows_against_a_list),
		cmocka_unit_test(a_connection_that_vanishes),
	};

	return cmocka_run_group_tests_name("api/lists", tests, setup, teardown);
}
