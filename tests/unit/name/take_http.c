/* SPDX-License-Identifier: Apache-2.0 */
/* Every request and answer that was sampled is news, also those behind the first and what follows a
 * head; the fact stays that of the first. */
#include "samples.h"

#include "decode/app.h"
#include "decode/http.h"

static struct {
	enum pk_news_kind kind;
	bool head;
	uint16_t status;
	char bytes[512];
} told[32];
static size_t n_told;

static void on_http(void *arg, const struct pk_news *n)
{
	(void)arg;
	if (n->kind != PK_NEWS_REQUEST && n->kind != PK_NEWS_RESPONSE)
		return;
	assert_in_range(n_told, 0, 31);
	assert_int_equal(n->client, 0);
	told[n_told].kind = n->kind;
	told[n_told].head = n->http->head;
	told[n_told].status = n->http->head ? n->http->head->status : 0;
	snprintf(told[n_told].bytes, sizeof(told[0].bytes), "%.*s", (int)n->http->len,
		 (const char *)n->http->bytes);
	n_told++;
}

static struct pk_names *begin(void)
{
	struct pk_names_opts o = { .facts_max = 1000,
				   .addresses_max = 1000,
				   .text_bytes = 1 << 20,
				   .is_own = is_own,
				   .news = on_http };
	struct pk_names *n = NULL;

	n_told = 0;
	assert_int_equal(pk_names_new(&o, &n), 0);
	return n;
}

static int say_text(struct pk_names *n, struct talk *t, unsigned dir, const char *text)
{
	return say(n, t, dir, text, strlen(text));
}

static struct talk http(void)
{
	return talk_of(1, PK_APP_HTTP, IPPROTO_TCP, "10.0.0.2", 40000, "192.0.2.1", 80);
}

static void test_body(void **state)
{
	static const char first[] = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nq=1";
	struct pk_names *n = begin();
	struct talk t = http();

	(void)state;
	assert_int_equal(say_text(n, &t, 0, first), 0);
	assert_int_equal(say_text(n, &t, 0, "&r=2&s"), 0);
	assert_int_equal(n_told, 2);
	assert_true(told[0].head);
	assert_string_equal(told[0].bytes, first);
	assert_false(told[1].head);
	assert_string_equal(told[1].bytes, "&r=2&s");
	pk_names_free(n);
}

static void test_more(void **state)
{
	static const char one[] = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n";
	static const char two[] =
		"GET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n";
	struct pk_names *n = begin();
	struct talk t = http();

	(void)state;
	assert_int_equal(say_text(n, &t, 0, one), 0);
	assert_int_equal(say_text(n, &t, 1, "HTTP/1.1 200 OK\r\n\r\n"), 0);
	assert_int_equal(say_text(n, &t, 0, two), 0);
	assert_int_equal(say_text(n, &t, 1, "HTTP/1.1 404 No\r\n\r\n"), 0);
	assert_int_equal(say_text(n, &t, 1, "<html>"), 0);
	assert_int_equal(n_told, 5);
	assert_int_equal(told[1].status, 200);
	assert_string_equal(told[2].bytes, "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_string_equal(told[3].bytes, "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(told[4].status, 404);
	assert_string_equal(pk_names_fact(n, 1)->http_path, "/1");
	assert_int_equal(pk_names_fact(n, 1)->http_status, 200);
	pk_names_free(n);
}

/* A head that never ends is looked at all the same; its answer is told once. */
static void test_partial(void **state)
{
	struct pk_names *n = begin();
	struct talk t = http();

	(void)state;
	assert_int_equal(say_text(n, &t, 0, "GET /evil HTTP/1.1\r\nA: b\r\nC"), 0);
	assert_int_equal(n_told, 1);
	assert_int_equal(say_text(n, &t, 0, "C: d\r\n"), 0);
	assert_int_equal(n_told, 2);
	assert_int_equal(say_text(n, &t, 1, "HTTP/1.1 400 No\r\nA"), 0);
	assert_int_equal(say_text(n, &t, 1, ": b\r\n\r\n"), 0);
	assert_int_equal(n_told, 3);
	assert_int_equal(told[2].kind, PK_NEWS_RESPONSE);
	pk_names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_more),
		cmocka_unit_test(test_partial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
