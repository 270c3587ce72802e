/* SPDX-License-Identifier: Apache-2.0 */
/* A real evhttp server in this process, and what it says to those who send it no request. */
#include "base/page.h"

#include "base/cleanup.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
	struct event_base *base;
	struct evhttp *http;
	struct pk_page page;
	evutil_socket_t port_fd;
	int told, calls;
	char got[65536];
	size_t n;
} s;

static void on_told(void *arg, const struct evbuffer *out, int status)
{
	(void)arg;
	assert_non_null(out);
	s.told = status;
	s.calls++;
}

static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);

	(void)arg;
	assert_int_equal(pk_page_watch(bev, &s.page), 0);
	return bev;
}

/* Answers that look like pages and are none: they pass as they are. */
static void on_request(struct evhttp_request *req, void *arg)
{
	struct evkeyvalq *heads = evhttp_request_get_output_headers(req);
	bool problem = strstr(evhttp_request_get_uri(req), "problem") != NULL;

	(void)arg;
	evhttp_add_header(heads, "Content-Type", problem ? "text/plain" : "text/html");
	evbuffer_add_printf(evhttp_request_get_output_buffer(req), "<HTML>mine</HTML>");
	evhttp_send_reply(req, problem ? 404 : 200, NULL, NULL);
}

static int setup(void **state)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct evhttp_bound_socket *bound;

	(void)state;
	s.base = event_base_new();
	s.http = evhttp_new(s.base);
	s.page.told = on_told;
	evhttp_set_bevcb(s.http, on_connection, NULL);
	evhttp_set_gencb(s.http, on_request, NULL);
	evhttp_set_max_headers_size(s.http, 2000);
	evhttp_set_max_body_size(s.http, 1000);
	bound = evhttp_bind_socket_with_handle(s.http, "127.0.0.1", 0);
	assert_non_null(bound);
	s.port_fd = evhttp_bound_socket_get_fd(bound);
	return getsockname(s.port_fd, (struct sockaddr *)&addr, &len);
}

static int teardown(void **state)
{
	(void)state;
	evhttp_free(s.http);
	event_base_free(s.base);
	return 0;
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
	ssize_t n = read(fd, s.got + s.n, sizeof(s.got) - 1 - s.n);

	(void)what, (void)arg;
	if (n <= 0)
		event_base_loopbreak(s.base);
	else
		s.n += (size_t)n;
}

static void ask(const char *bytes, size_t len)
{
	struct sockaddr_storage addr;
	socklen_t alen = sizeof(addr);
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct event *ev;

	s.n = 0;
	s.told = s.calls = 0;
	assert_int_equal(getsockname(s.port_fd, (struct sockaddr *)&addr, &alen), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, alen), 0);
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
	evutil_make_socket_nonblocking(fd);
	ev = event_new(s.base, fd, EV_READ | EV_PERSIST, on_read, NULL);
	event_add(ev, &patience);
	event_base_loopexit(s.base, &patience);
	event_base_dispatch(s.base);
	event_free(ev);
	close(fd);
	s.got[s.n] = '\0';
}

static void pages_become_problems(void **state)
{
	static char long_head[4000], large[2000];
	const struct {
		const char *bytes;
		int status;
	} cases[] = {
		{ "GET\r\n\r\n", 400 },
		{ "GET /x HTTP/9.9\r\n\r\n", 400 },
		{ "PUT /x HTTP/0.1\r\n\xe0 : x\r\nno head\r\n\r\n", 400 },
		{ "PUT /x HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400 },
		{ "PUT /x HTTP/1.1\r\nContent-Length: 10737418240\r\n\r\n", 413 },
		{ "BREW /x HTTP/1.1\r\n\r\n", 501 },
		{ long_head, 400 },
		{ large, 413 },
	};

	(void)state;
	snprintf(long_head, sizeof(long_head), "GET /x HTTP/1.1\r\nX: %03000d\r\n\r\n", 0);
	snprintf(large, sizeof(large), "PUT /x HTTP/1.1\r\nContent-Length: 1500\r\n\r\n%01500d", 0);
	for (size_t i = 0; i < PK_ARRAY_SIZE(cases); i++) {
		int status = 0;
		char *body;
		json_t *j;

		ask(cases[i].bytes, strlen(cases[i].bytes));
		(void)sscanf(s.got, "HTTP/%*d.%*d %d", &status);
		if (status != cases[i].status || s.told != status || s.calls != 1)
			fail_msg("%.40s: told %d, %d times: %s", cases[i].bytes, s.told, s.calls,
				 s.got);
		assert_non_null(strstr(s.got, "\r\nContent-Type: application/problem+json\r\n"));
		assert_null(strstr(s.got, "HTML"));
		body = strstr(s.got, "\r\n\r\n");
		j = json_loads(body + 4, JSON_REJECT_DUPLICATES, NULL);
		assert_int_equal(json_integer_value(json_object_get(j, "status")), status);
		assert_true(json_string_length(json_object_get(j, "detail")) > 10);
		json_decref(j);
	}
}

/* The second request of a connection: its output was written to before. */
static void the_second_is_one_too(void **state)
{
	static const char bytes[] = "GET /one HTTP/1.1\r\n\r\n2b\r\n\r\n";

	(void)state;
	ask(bytes, strlen(bytes));
	assert_non_null(strstr(s.got, "HTTP/1.1 200 "));
	assert_non_null(strstr(s.got, "HTTP/1.1 400 "));
	assert_non_null(strstr(s.got, "application/problem+json"));
	assert_null(strstr(s.got, "</BODY>"));
	assert_int_equal(s.calls, 1);
}

static void answers_stay_as_they_are(void **state)
{
	static const char page[] = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
	static const char problem[] = "GET /problem HTTP/1.1\r\nConnection: close\r\n\r\n";

	(void)state;
	ask(page, strlen(page));
	assert_non_null(strstr(s.got, "<HTML>mine</HTML>"));
	ask(problem, strlen(problem));
	assert_non_null(strstr(s.got, "<HTML>mine</HTML>"));
	assert_int_equal(s.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_become_problems),
		cmocka_unit_test(the_second_is_one_too),
		cmocka_unit_test(answers_stay_as_they_are),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
