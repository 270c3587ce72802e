/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/http.h"

#include "exact.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct pk_http h;
static char *input;

static int decode(const void *data, size_t len)
{
	free(input);
	input = exact(data, len);
	return pk_http_decode(&h, input, len);
}

#define HTTP(s)            decode(BYTES(s))
#define assert_slice(a, s) assert_true(pk_slice_is(a, s))

static const char request[] = "POST /a/b?c=d HTTP/1.1\r\n"
			      "Host: www.example.org:8080\r\n"
			      "user-agent:  curl/8.5.0 \r\n"
			      "Referer: http://other.example/\r\n"
			      "Content-Type: text/plain\r\n"
			      "Content-Length: 12\r\n"
			      "Cookie: a=b\r\n"
			      "Upgrade: h2c\r\n"
			      "Connection: Upgrade, HTTP2-Settings\r\n"
			      "\r\n"
			      "twelve bytes";

static void test_request(void **state)
{
	(void)state;
	assert_int_equal(HTTP(request), 0);
	assert_int_equal(h.kind, PK_HTTP_REQUEST);
	assert_int_equal(h.end, PK_HTTP_WHOLE);
	assert_int_equal(h.odd, 0);
	assert_int_equal(h.head_len, sizeof(request) - 1 - 12);
	assert_int_equal(h.fields, 8);
	assert_slice(h.method, "POST");
	assert_slice(h.target, "/a/b?c=d");
	assert_int_equal(h.major * 10 + h.minor, 11);
	assert_slice(h.host, "www.example.org:8080");
	assert_slice(h.user_agent, "curl/8.5.0");
	assert_slice(h.referer, "http://other.example/");
	assert_slice(h.content_type, "text/plain");
	assert_int_equal(h.content_length, 12);
	assert_true(h.cookie);
	assert_false(h.authorization || h.basic || h.connect || h.absolute || h.chunked);
	assert_slice(h.upgrade, "h2c");
	assert_slice(h.connection, "Upgrade, HTTP2-Settings");
}

static void test_response(void **state)
{
	(void)state;
	assert_int_equal(HTTP("HTTP/1.0 404 Not Found\r\nServer: nginx\r\nHost: no\r\n"
			      "Transfer-Encoding: gzip, chunked\r\nSet-Cookie: x\r\n"
			      "Location: https://u:p@a.example/x\r\n\r\n"),
			 0);
	assert_int_equal(h.kind, PK_HTTP_RESPONSE);
	assert_int_equal(h.status, 404);
	assert_slice(h.reason, "Not Found");
	assert_slice(h.server, "nginx");
	assert_slice(h.location, "a.example/x");
	assert_int_equal(h.host.len, 0);
	assert_int_equal(h.content_length, -1);
	assert_true(h.chunked && h.cookie);
	assert_int_equal(HTTP("HTTP/1.1 200\r\n\r\n"), 0);
	assert_int_equal(h.reason.len, 0);
	assert_int_equal(HTTP("HTTP/1.1 2000 x\r\n\r\n"), -EBADMSG);
	assert_int_equal(HTTP("HTTP/1.1 2x0 x\r\n\r\n"), -EBADMSG);
	assert_int_equal(HTTP("HTTP/2.0 200 x\r\n\r\n"), -EBADMSG);
	assert_int_equal(HTTP("HTTP/1.1-200 x\r\n\r\n"), -EBADMSG);
}

/* At each length: no read beyond it, and never more than what lines have ended. */
static void test_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(request) - 1 - 12; n++) {
		int r = decode(request, n);

		assert_int_equal(r, n < 5 ? -ENODATA : 0);
		if (r < 0)
			continue;
		assert_int_equal(h.end, PK_HTTP_PARTIAL);
		assert_int_equal(h.target_cut, n < 22);
		assert_int_equal(h.host.len, n >= 52 ? 20 : 0);
		assert_int_equal(h.odd, 0);
	}
	for (size_t n = 0; n < 24; n++)
		assert_int_equal(decode("HTTP/1.1 404 Not Found\r\n", n), n < 13 ? -ENODATA : 0);
}

static void test_bare_lf_and_folding(void **state)
{
	(void)state;
	assert_int_equal(HTTP("GET / HTTP/1.1\nHost: a\n\tb\n  c\nUser-Agent: x\n\n"), 0);
	assert_int_equal(h.end, PK_HTTP_WHOLE);
	assert_int_equal(h.odd, PK_HTTP_BARE_LF | PK_HTTP_FOLDED);
	assert_slice(h.host, "a\n\tb\n  c");
	assert_slice(h.user_agent, "x");
	assert_int_equal(HTTP("GET / HTTP/1.1\r\nHost: a\r\n b"), 0);
	assert_int_equal(h.end, PK_HTTP_PARTIAL);
	assert_int_equal(h.host.len, 0); /* its last line is not ended */
	assert_int_equal(HTTP("\r\n\r\nGET / HTTP/1.0\r\n\r\n"), 0);
	assert_slice(h.method, "GET");
	assert_int_equal(HTTP("\r\n\r\n\r\nGET / HTTP/1.0\r\n\r\n"), -EBADMSG);
}

static void test_targets(void **state)
{
	(void)state;
	assert_int_equal(HTTP("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n"), 0);
	assert_true(h.connect);
	assert_slice(h.target_host, "a.example:443");
	assert_int_equal(h.odd, 0);
	assert_int_equal(HTTP("GET http://A.example/x HTTP/1.1\r\nHost: a.example:80\r\n\r\n"), 0);
	assert_true(h.absolute);
	assert_slice(h.target, "http://A.example/x");
	assert_slice(h.target_host, "A.example");
	assert_int_equal(h.odd, 0);
	assert_int_equal(HTTP("GET http://a.example/x HTTP/1.1\r\nHost: b.example\r\n\r\n"), 0);
	assert_int_equal(h.odd, PK_HTTP_HOST_DIFFER);
	assert_int_equal(HTTP("OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n"), 0);
	assert_slice(h.target, "*");
	assert_int_equal(HTTP("GET /u?x=http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n"), 0);
	assert_false(h.absolute || h.userinfo);
	assert_int_equal(HTTP("GET /a b c HTTP/1.1\r\nHost: b\r\n\r\n"), 0);
	assert_slice(h.target, "/a b c");
	/* HTTP/0.9, and a method that is not known but for its version. */
	assert_int_equal(HTTP("GET /old\r\n"), 0);
	assert_int_equal(h.major * 10 + h.minor, 0);
	assert_int_equal(HTTP("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	assert_slice(h.method, "BREW");
	assert_int_equal(HTTP("BREW /pot\r\n"), -EBADMSG);
	assert_int_equal(HTTP("BREW /pot"), -ENODATA);
	assert_int_equal(HTTP("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0);
	assert_int_equal(h.major, 2);
	assert_int_equal(HTTP("GET / HTTP/2.0\r\n\r\n"), -EBADMSG);
}

/* No password comes out, wherever it stood, cut or not. */
static void test_no_credentials(void **state)
{
	static const char url[] = "GET http://user:secret@a.example/x HTTP/1.1\r\n";

	(void)state;
	assert_int_equal(
		HTTP("GET http://user:secret@a.example/x HTTP/1.1\r\nHost: a.example\r\n"
		     "Authorization: Basic c2VjcmV0\r\nReferer: http://u:secret@b/\r\n\r\n"),
		0);
	assert_slice(h.target, "a.example/x");
	assert_slice(h.target_host, "a.example");
	assert_true(h.userinfo && h.basic && h.authorization);
	assert_slice(h.auth, "Basic");
	assert_slice(h.referer, "b/");
	assert_int_equal(h.odd, 0);
	for (size_t n = 6; n < sizeof(url) - 1; n++) {
		if (decode(url, n) < 0)
			continue;
		assert_true(!h.target.len || !memmem(h.target.s, h.target.len, "s", 1));
		assert_true(!h.target_host.len ||
			    !memmem(h.target_host.s, h.target_host.len, "s", 1));
	}
	assert_int_equal(HTTP("GET / HTTP/1.0\r\nAuthorization: secret-without-scheme\r\n\r\n"), 0);
	assert_true(h.authorization);
	assert_int_equal(h.auth.len, 0);
	assert_int_equal(HTTP("GET / HTTP/1.0\r\nAuthorization: negotiate\r\n\r\n"), 0);
	assert_slice(h.auth, "negotiate");
	assert_int_equal(HTTP("GET / HTTP/1.0\r\nProxy-Authorization: bAsIc eA==\r\n\r\n"), 0);
	assert_true(h.basic);
	assert_int_equal(HTTP("GET / HTTP/1.0\r\nAuthorization: Bearer x.y.z\r\n\r\n"), 0);
	assert_slice(h.auth, "Bearer");
	assert_false(h.basic);
}

static void test_odd(void **state)
{
	static const struct {
		const char *fields;
		uint32_t odd;
	} rows[] = {
		{ "Host: a\r\nHost: a\r\n", PK_HTTP_HOST_TWICE },
		{ "Host: a\r\nHost: b\r\n", PK_HTTP_HOST_TWICE | PK_HTTP_HOST_DIFFER },
		{ "Accept: a\r\n", PK_HTTP_NO_HOST },
		{ "Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n", PK_HTTP_LENGTHS },
		{ "Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", 0 },
		{ "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
		  PK_HTTP_LENGTHS },
		{ "Host: a\x1b[2J\r\n", PK_HTTP_CONTROLS },
		{ "Host: a\rb\r\n", PK_HTTP_CONTROLS },
		{ "Host : a\r\n", PK_HTTP_SPACE },
		{ "Host: a\r\nno field\r\n", PK_HTTP_NO_FIELD },
		{ "Host: a\r\n: x\r\n", PK_HTTP_NO_FIELD },
		{ "Host: a\r\nb\x01: x\r\n", PK_HTTP_NO_FIELD },
		{ "Host: \xc3\xa4\r\n", 0 },
	};

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		char text[200];
		int n = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s\r\n", rows[i].fields);

		assert_int_equal(decode(text, (size_t)n), 0);
		assert_int_equal(h.odd, rows[i].odd);
	}
}

static void test_lengths(void **state)
{
	(void)state;
	HTTP("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n");
	assert_int_equal(h.content_length, -1); /* nothing is that long */
	HTTP("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n");
	assert_int_equal(h.content_length, -1);
	HTTP("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n");
	assert_int_equal(h.content_length, -1);
	HTTP("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n");
	assert_int_equal(h.content_length, -1);
	HTTP("HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n");
	assert_int_equal(h.content_length, 5000000000);
}

static void test_limits(void **state)
{
	static char big[40000];
	size_t n = 0;

	(void)state;
	n += (size_t)snprintf(big, sizeof(big), "GET / HTTP/1.1\r\nHost: a\r\n");
	for (unsigned i = 0; i < 200; i++)
		n += (size_t)snprintf(big + n, sizeof(big) - n, "X-%u: y\r\n", i);
	assert_int_equal(decode(big, n), 0);
	assert_int_equal(h.end, PK_HTTP_MANY);
	assert_int_equal(h.fields, PK_HTTP_FIELDS_MAX);
	memset(big, 'a', sizeof(big));
	memcpy(big, "GET /", 5);
	assert_int_equal(decode(big, sizeof(big)), 0);
	assert_int_equal(h.end, PK_HTTP_MANY);
	assert_true(h.target_cut);
	assert_int_equal(h.target.len, PK_HTTP_HEAD_MAX - 4);
}

static void test_not_http(void **state)
{
	(void)state;
	assert_int_equal(HTTP(""), -ENODATA);
	assert_int_equal(HTTP("SSH-2.0-x\r\n"), -EBADMSG);
	assert_int_equal(HTTP("220 mail ESMTP\r\n"), -EBADMSG);
	assert_int_equal(HTTP("\x16\3\1\2\0\1\0\1\xfc\3\3"), -EBADMSG);
	assert_int_equal(HTTP("\0\0\0\0"), -EBADMSG);
	assert_int_equal(HTTP("OPTIONS sip:a@b SIP/2.0\r\n\r\n"), -EBADMSG);
	assert_int_equal(HTTP("OPTIONS sip:a@b"), -EBADMSG);
	assert_int_equal(HTTP("DESCRIBE rtsp://a/b RTSP/1.0\r\n"), -EBADMSG);
	assert_int_equal(HTTP("GET a b c\r\n"), -EBADMSG);
	assert_false(pk_http_is(BYTES("EHLO a\r\n")));
	assert_false(pk_http_is(BYTES("USER a b c d\r\n")));
	assert_true(pk_http_is(BYTES("GET /x")));
	assert_true(pk_http_is(BYTES("HTTP/1.1 200 OK\r\n")));
	assert_true(pk_http_is(BYTES("BREW / HTTP/1.1\r\n")));
	assert_false(pk_http_is(BYTES("GETX/x")));
}

static void test_host_name(void **state)
{
	static const char *const rows[][2] = {
		{ "a.example", "a.example" },
		{ "a.example:80", "a.example" },
		{ "a.example.", "a.example" },
		{ "[::1]:80", "::1" },
		{ "[::1]", "::1" },
		{ "::1", "::1" },
		{ "", "" },
		{ "[", "" },
		{ ":80", "" },
		{ ".", "" },
	};

	(void)state;
	for (unsigned i = 0; i < PK_ARRAY_SIZE(rows); i++) {
		struct pk_slice s = { rows[i][0], (uint32_t)strlen(rows[i][0]) };

		assert_true(pk_slice_is(pk_http_host_name(s), rows[i][1]));
	}
}

static int done(void **state)
{
	(void)state;
	free(input);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_bare_lf_and_folding),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_no_credentials),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_not_http),
		cmocka_unit_test(test_host_name),
	};

	return cmocka_run_group_tests(tests, NULL, done);
}
