/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's server with the real lists on heap memory in a child process, woken as the agent is,
 * where chunks and saved files come a little later, as from the broker; and how a test asks it over
 * HTTP. One a program.
 */
#pragma once

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
#define STEP_NS    4000000 /* as the agent */
#define LATER_US   1000
#ifndef SERVED_BODY
#define SERVED_BODY (1 << 20)
#endif

static struct {
	pid_t pid;
	char dir[64], path[96];
} agent;

/* The child. */
static struct {
	struct event_base *base;
	struct event *step;
	struct pk_api *api;
	struct pk_pipeline *pipeline;
	struct pk_view *view;
	struct pk_block *block;
	struct pk_blk_list lists[PK_BLK_LISTS];
	struct pk_blk_ctl ctl;
	void *memory[CHUNKS_MAX];
	uint32_t chunks, wanted, chunks_max; /* max 0: what there is room for */
	bool waiting;                        /* for the step */
	struct {
		char list[64];
		uint64_t serial;
	} save[32];
	unsigned saves;
	bool detached;
	unsigned left;
} host;

/* There is work, or something of the broker's will have arrived. */
static inline void wake_in(suseconds_t us)
{
	struct timeval tv = { .tv_usec = us };

	if (!host.waiting)
		(void)event_add(host.step, &tv);
	host.waiting = true;
}

static inline int op_grow(void *arg, uint32_t n)
{
	(void)arg;
	host.wanted += n;
	wake_in(LATER_US);
	return 0;
}

static inline int op_save(void *arg, const char *list, uint64_t serial, int fd)
{
	(void)arg, (void)fd;
	if (host.saves == PK_ARRAY_SIZE(host.save))
		return -EAGAIN;
	snprintf(host.save[host.saves].list, sizeof(host.save[0].list), "%s", list);
	host.save[host.saves++].serial = serial;
	wake_in(LATER_US);
	return 0;
}

static inline void op_hold(void *arg, bool on)
{
	(void)arg, (void)on;
}

static inline int op_except(void *arg, const uint8_t addr[16], bool on)
{
	struct pk_blk_safe_key key = { .bits = 128 };

	(void)arg;
	memcpy(key.addr, addr, 16);
	return pk_block_safe(host.block, &key, on ? 0 : PK_BLK_SAFE_GATEWAY);
}

static inline uint32_t op_ifindex(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "eth0") == 0 ? 2 : 0;
}

static inline int op_who(void *arg, const struct pk_blk_who_key *key, uint32_t line)
{
	(void)arg, (void)key, (void)line;
	return 0;
}

static inline void op_drain(void *arg)
{
	(void)arg;
}

static inline int op_count(void *arg, unsigned list, bool reset, struct pk_blk_count *ret)
{
	(void)arg, (void)list, (void)reset;
	*ret = (struct pk_blk_count){ .in_packets = 7, .in_bytes = 700, .calls = 3 };
	return 0;
}

static inline int op_container(void *arg, const char *name, uint64_t *ret, size_t max)
{
	(void)arg, (void)name, (void)ret, (void)max;
	return -ENOENT;
}

static inline int op_id(void *arg, const char *name, uint64_t *ret)
{
	(void)arg;
	*ret = strlen(name);
	return 0;
}

static inline void op_notice(void *arg, const char *text)
{
	(void)arg, (void)text;
}

static inline void op_work(void *arg)
{
	(void)arg;
	wake_in(0);
}

static inline bool no_wait(void *arg)
{
	(void)arg;
	return true;
}

static inline void on_admin(void *arg, const uint8_t addr[16])
{
	struct pk_blk_safe_key key = { .bits = 128 };

	(void)arg;
	memcpy(key.addr, addr, 16);
	(void)pk_block_safe(host.block, &key, PK_BLK_SAFE_ADMIN);
}

static inline int on_detach(void *arg)
{
	(void)arg;
	host.detached = true;
	wake_in(LATER_US);
	return 0;
}

static inline void give_chunks(void)
{
	while (host.wanted && host.chunks < (host.chunks_max ? host.chunks_max : CHUNKS_MAX)) {
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

/* Until the next thing that has its time: an entry ends, a list is to be saved. */
static inline void wait_for_next(void)
{
	uint64_t next = pk_block_next_ns(host.block), now = pk_clock_boot_ns();
	struct timeval tv;

	if (!next || host.waiting)
		return;
	next = next > now + STEP_NS ? next - now : STEP_NS;
	tv = (struct timeval){ (time_t)(next / 1000000000), (suseconds_t)(next / 1000 % 1000000) };
	(void)event_add(host.step, &tv);
}

static inline void on_step(evutil_socket_t fd, short what, void *arg)
{
	uint64_t now = pk_clock_boot_ns();
	unsigned saves = host.saves;

	(void)fd, (void)what, (void)arg;
	host.waiting = false;
	give_chunks();
	host.view->now_ns = now;
	pk_block_tick(host.block, pk_clock_wall_ms(now), now);
	if (pk_block_step(host.block, STEP_NS))
		wake_in(0);
	for (unsigned i = 0; i < saves; i++)
		pk_block_saved(host.block, host.save[i].list, host.save[i].serial, 0);
	host.saves -= saves;
	memmove(host.save, host.save + saves, host.saves * sizeof(host.save[0]));
	/* the answer has a turn of the loop to leave */
	if (host.detached && host.left++)
		event_base_loopbreak(host.base);
	if (host.detached || host.saves)
		wake_in(LATER_US);
	wait_for_next();
}

static inline void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	wake_in(0);
}

static inline void make_block(const struct pk_conf *conf, uint64_t *roots)
{
	struct pk_block_ops ops = {
		.grow = op_grow,
		.save = op_save,
		.hold = op_hold,
		.except = op_except,
		.ifindex = op_ifindex,
		.who = op_who,
		.count = op_count,
		.drain = op_drain,
		.container = op_container,
		.cgroup = op_id,
		.user = op_id,
		.notice = op_notice,
		.work = op_work,
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
static inline void feed_flow(uint64_t id, const char *from, int from_port, const char *to,
			     int to_port)
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

/* What a test wants to be there besides. */
static void (*feed_more)(struct pk_pipeline *p);
static void (*serve_more)(struct pk_api *api);

static inline void serve(int fd)
{
	uint64_t *roots = calloc(PK_BLK_ROOT_WORDS, sizeof(uint64_t));
	struct timeval second = { .tv_sec = 1 };
	struct pk_conf *conf = pk_conf_new();
	struct event *tick;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	host.base = event_base_new();
	host.step = event_new(host.base, -1, 0, on_step, NULL);
	tick = event_new(host.base, -1, EV_PERSIST, on_tick, NULL);
	assert_int_equal(pk_pipeline_new(conf, true, &host.pipeline), 0);
	host.view = pk_pipeline_view(host.pipeline);
	host.view->now_ns = host.view->state->started_ns = pk_clock_boot_ns();
	make_block(conf, roots);
	feed_flow(1, "10.0.0.2", 40000, "198.51.100.7", 443);
	feed_flow(2, "10.0.0.2", 40001, "198.51.100.8", 80);
	feed_flow(3, "10.0.0.2", 40002, "192.168.1.1", 53);
	feed_flow(4, "10.0.0.2", 40003, "203.0.113.1", 80);
	if (feed_more)
		feed_more(host.pipeline);
	host.view->block = host.block;
	host.view->admin = on_admin;
	host.view->detach = on_detach;
	assert_int_equal(pk_api_new(host.base, host.view, fd, (gid_t)-1, SERVED_BODY, &host.api),
			 0);
	if (serve_more)
		serve_more(host.api);
	event_add(tick, &second);
	event_base_dispatch(host.base);
	event_free(tick);
	pk_api_free(host.api);
	pk_block_free(host.block);
	event_free(host.step);
	pk_pipeline_free(host.pipeline);
	event_base_free(host.base);
	pk_conf_free(conf);
	for (uint32_t i = 0; i < host.chunks; i++)
		free(host.memory[i]);
	free(roots);
	exit(0); /* leaks are looked for where it is built for that */
}

static inline int setup(void **state)
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

static inline int dial(void)
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

static inline void send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* refused before all of it was sent: the answer tells */
		data += n;
		len -= (size_t)n;
	}
}

static inline void send_request(int fd, const char *method, const char *path, const char *heads,
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
static inline int ask_text(const char *method, const char *path, const char *heads,
			   const char *body, size_t len, char **ret)
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

static inline json_t *ask(const char *method, const char *path, const char *body, int want)
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
static inline json_t *at(json_t *j, const char *path)
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

static inline const char *text_at(json_t *j, const char *path)
{
	const char *s = json_string_value(at(j, path));

	if (!s)
		fail_msg("no text at %s in %s", path, json_dumps(j, 0));
	return s;
}

static inline long long num(json_t *j, const char *path)
{
	json_t *v = at(j, path);

	if (!json_is_integer(v))
		fail_msg("no number at %s in %s", path, json_dumps(j, 0));
	return json_integer_value(v);
}

static inline bool has_verdict(const char *query, const char *want)
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

static inline void verdict_is(const char *query, const char *want)
{
	if (!has_verdict(query, want))
		fail_msg("%s: not %s", query, want);
}

static inline void detail_has(json_t *j, const char *says)
{
	if (!strstr(text_at(j, "detail"), says))
		fail_msg("%s: %s", says, json_dumps(j, 0));
	json_decref(j);
}

/* Asks, and only the status matters. */
static inline void ask_ok(const char *method, const char *path, const char *body)
{
	json_decref(ask(method, path, body, 200));
}

static inline int teardown(void **state)
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
