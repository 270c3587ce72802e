/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request from its head to the JSON of its body: evhttp reads any bytes as they would come over
 * the network, in pieces; of what it lets through the query and the headers are read, the body is
 * opened as Content-Encoding says, and goes to the reader of /v1/blocks. Pages that evhttp writes
 * are problems.
 *
 * fuzz-links: user/api/blocks_read.c user/api/said.c
 * fuzz-links: user/block/limits.c user/base/page.c user/base/json.c
 * fuzz-links: user/block/address.c user/block/domain.c user/block/entry.c user/block/format.c
 * fuzz-links: user/block/format_csv.c user/block/format_ipset.c user/block/format_json.c
 * fuzz-links: user/block/format_merge.c user/block/format_misp.c user/block/format_open.c
 * fuzz-links: user/block/format_picket.c user/block/format_stix.c user/block/format_text.c
 * fuzz-links: user/block/pattern.c user/block/pattern_lex.c user/block/reader.c
 * fuzz-links: user/base/hex.c user/base/buf.c user/base/escape.c user/base/ip.c user/base/unpack.c
 */
#include "api/blocks.h"

#include "api/said.h"
#include "base/buf.h"
#include "base/page.h"
#include "base/unpack.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct event_base *base;
	struct evhttp *http;
	struct bufferevent *next;
	struct pk_page page;
	int pages;
} s;

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void on_page(void *arg, const struct evbuffer *out, int status)
{
	(void)arg, (void)out;
	require(status >= 400 && status < 600);
	s.pages++;
}

/* Any JSON, or none: an error for people, or entries that are all within their bounds. */
static void read_body(const char *bytes, size_t len)
{
	struct pk_blocks b;
	int r = pk_blocks_read(bytes, len, 1000, &b);

	require(r == 0 || (b.error[0] && memchr(b.error, 0, sizeof(b.error))));
	require(b.n <= PK_BLOCKS_TARGETS);
	for (size_t i = 0; i < b.n && r == 0; i++)
		require(b.name[i] || b.v[i].bits <= 128);
	pk_blocks_done(&b);
}

/* Whatever it was packed with: no more comes out than may. */
static void open_body(enum pk_packed how, struct evbuffer *in)
{
	size_t len = evbuffer_get_length(in);
	const char *bytes = len ? (char *)evbuffer_pullup(in, -1) : "", *why = NULL;
	struct pk_buf out = { .max = BODY_MAX };
	int r;

	if (how == PK_PACKED_NOT || !len) {
		read_body(bytes, len);
		return;
	}
	r = pk_unpack(how, bytes, len, PK_UNPACK_WINDOW_HTTP, &out, &why);
	require(r == 0 || r == -EFBIG || (r == -EBADMSG && why));
	require(out.len <= BODY_MAX);
	if (r == 0)
		read_body(out.data, out.len);
	pk_buf_done(&out);
}

static const char *said(struct evhttp_request *req, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(req), name);
}

static void read_id(const char *value)
{
	struct pk_said_id id = { 0 };

	if (value && pk_said_event_id(value, &id) == 0)
		require(memchr(id.run, 0, sizeof(id.run)));
}

static void read_query(struct evhttp_request *req)
{
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req));
	struct evkeyvalq pairs = TAILQ_HEAD_INITIALIZER(pairs);

	if (query && evhttp_parse_query_str(query, &pairs) == 0)
		read_id(evhttp_find_header(&pairs, "after"));
	evhttp_clear_headers(&pairs);
}

static void on_request(struct evhttp_request *req, void *arg)
{
	static const char tag[] = "\"0a1b2c3d4e5f6071-2a\"";
	const char *match = said(req, "If-Match"), *none = said(req, "If-None-Match");
	enum pk_packed how = PK_PACKED_NOT;

	(void)arg;
	read_query(req);
	read_id(said(req, "Last-Event-ID"));
	(void)pk_said_accepts(said(req, "Accept"), "text/event-stream");
	/* what is in strongly is in weakly; without a list only nothing is */
	if (match && pk_said_tag(match, tag, false) == 1)
		require(pk_said_tag(match, tag, true) == 1);
	if (none)
		require(pk_said_tag(none, NULL, true) <= 0);
	if (pk_said_coding(said(req, "Content-Encoding"), &how) == 0)
		open_body(how, evhttp_request_get_input_buffer(req));
	evhttp_send_reply(req, 200, "OK", NULL);
}

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);

	(void)arg;
	require(bev && pk_page_watch(bev, &s.page) == 0);
	return bev;
}

static void start(void)
{
	struct evhttp_bound_socket *bound;

	(void)signal(SIGPIPE, SIG_IGN);
	s.base = event_base_new();
	s.http = evhttp_new(s.base);
	s.page.told = on_page;
	evhttp_set_bevcb(s.http, on_connection, NULL);
	evhttp_set_gencb(s.http, on_request, NULL);
	evhttp_set_max_headers_size(s.http, 8192);
	evhttp_set_max_body_size(s.http, BODY_MAX);
	evhttp_set_timeout(s.http, 1);
	bound = evhttp_bind_socket_with_handle(s.http, "127.0.0.1", 0);
	require(bound != NULL);
}

/* Whatever was answered is a problem unless it is 200: no HTML leaves. */
static void read_answer(int fd)
{
	char text[65536];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return;
	text[n] = '\0';
	require(strncmp(text, "HTTP/", 5) == 0);
	require(!strstr(text, "<HTML>"));
}

static int dial(void)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	static int listening = -1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	for (int i = 3; listening < 0 && i < 64; i++) {
		int on = 0;
		socklen_t size = sizeof(on);

		if (getsockopt(i, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on)
			listening = i;
	}
	require(getsockname(listening, (struct sockaddr *)&addr, &len) == 0);
	require(fd >= 0 && connect(fd, (struct sockaddr *)&addr, len) == 0);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct linger now = { 1, 0 };
	size_t piece;
	int fd;

	if (!s.base)
		start();
	if (size < 2)
		return 0;
	piece = 1 + data[0] * 4u;
	fd = dial();
	for (size_t at = 1; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		if (send(fd, data + at, n, MSG_NOSIGNAL) <= 0)
			break;
		if (at == 1 || at + piece >= size)
			event_base_loop(s.base, EVLOOP_NONBLOCK);
	}
	for (int i = 0; i < 4; i++)
		event_base_loop(s.base, EVLOOP_NONBLOCK);
	read_answer(fd);
	/* no connection waits in the kernel: there are many a second */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	event_base_loop(s.base, EVLOOP_NONBLOCK);
	return 0;
}
