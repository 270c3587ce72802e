/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core's end of who fetches lists: what it may offer, by the real sender (pull/offer.h), and
 * all that it may not, by frames as somebody would send them who took it over.
 */
#include "served.h"

#include "../sign/place.h"
#include "agent_pull.h"
#include "agent_sign.h"
#include "gate/msg.h"
#include "pull/offer.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <poll.h>

#define LINKS  8
#define ONE    "198.51.100.7\n"
#define SOURCE "https://mirror.example/drop"

static struct {
	struct place keys, state;
	struct pk_key a;
	int link[LINKS][2]; /* core's end, the other one */
	int used;           /* in the core: links; in the test: the one it speaks over */
} at_hand;

static void sign_and_pull(struct pk_pipeline *p)
{
	struct pk_conf *conf = (struct pk_conf *)pk_pipeline_view(p)->conf;
	struct pk_agent_sign *sign;
	struct pk_agent_pull *pull;

	assert_int_equal(pk_conf_set(conf, "sign.keys", at_hand.keys.dir, NULL), 0);
	assert_int_equal(pk_conf_set(conf, "sign.require", "false", NULL), 0);
	assert_int_equal(pk_conf_set(conf, "pull.lists",
				     "drop=" SOURCE ",web=https://mirror.example/web", NULL),
			 0);
	assert_int_equal(pk_agent_sign_new(conf, at_hand.state.fd, p, &sign), 0);
	assert_int_equal(pk_agent_pull_new(conf, p, &pull), 0);
}

/* One link after the other: when one was ended, the next one begins. */
static void keep_linked(evutil_socket_t fd, short what, void *arg)
{
	struct pk_api *api = arg;

	(void)fd, (void)what;
	if (!pk_api_pull_runs(api) && at_hand.used < LINKS)
		assert_int_equal(pk_api_pull(api, at_hand.link[at_hand.used++][0]), 0);
}

static void serve_links(struct pk_api *api)
{
	struct timeval often = { .tv_usec = 5000 };

	event_add(event_new(host.base, -1, EV_PERSIST, keep_linked, api), &often);
	for (int i = 0; i < LINKS; i++)
		close(at_hand.link[i][1]);
}

static int begin(void **state)
{
	place_make(&at_hand.keys);
	place_make(&at_hand.state);
	make_key(&at_hand.keys, "a", &at_hand.a);
	for (int i = 0; i < LINKS; i++)
		assert_int_equal(
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, at_hand.link[i]), 0);
	feed_more = sign_and_pull;
	serve_more = serve_links;
	(void)setup(state);
	for (int i = 0; i < LINKS; i++)
		close(at_hand.link[i][0]);
	return 0;
}

static int end(void **state)
{
	pk_key_done(&at_hand.a);
	place_clean(&at_hand.keys);
	place_clean(&at_hand.state);
	return teardown(state);
}

static int peer(void)
{
	return at_hand.link[at_hand.used][1];
}

static void send_frames(struct evbuffer *b)
{
	while (evbuffer_get_length(b))
		assert_true(evbuffer_write(b, peer()) > 0);
	evbuffer_free(b);
}

/* The status of the answer; 0: the core ended the link. */
static int receive(uint64_t id)
{
	struct evbuffer *in = evbuffer_new();
	struct pollfd p = { .fd = peer(), .events = POLLIN };
	struct pk_gate_msg m;
	int status = 0, n;

	for (;;) {
		n = pk_gate_msg_peek(in, 0, &m);
		assert_true(n >= 0);
		if (n && m.type == PK_GATE_END)
			break;
		if (n) {
			assert_int_equal(m.id, id);
			if (m.type == PK_GATE_ANSWER)
				status = (int)m.answer.status;
			evbuffer_drain(in, (size_t)n);
			continue;
		}
		assert_int_equal(poll(&p, 1, 10000), 1);
		if (evbuffer_read(in, peer(), -1) <= 0) {
			at_hand.used++;
			break;
		}
	}
	evbuffer_free(in);
	return status;
}

static int raw(int method, enum pk_role role, const char *path, const char *query, const char *body)
{
	static const char *const none[PK_GATE_SAIDS];
	static uint64_t id = 1000; /* above what the sender uses */
	struct evbuffer *b = evbuffer_new(), *data = evbuffer_new();
	struct pk_gate_ask a = { .body_bytes = strlen(body),
				 .method = (uint32_t)method,
				 .role = role,
				 .path_len = (uint16_t)strlen(path),
				 .query_len = (uint16_t)strlen(query),
				 .has_query = *query != '\0' };

	id++;
	assert_int_equal(pk_gate_msg_ask(b, id, &a, path, query, "", none), 0);
	evbuffer_add(data, body, strlen(body));
	assert_int_equal(pk_gate_msg_data(b, PK_GATE_BODY, id, data), 0);
	evbuffer_free(data);
	send_frames(b);
	return receive(id);
}

static struct pk_pull_news news_of(const char *list, enum pk_pull_outcome o)
{
	struct pk_pull_news n = { .outcome = o, .next_ms = 60000, .source = SOURCE };

	snprintf(n.list, sizeof(n.list), "%s", list);
	return n;
}

static void tell(uint32_t type, const void *what, size_t len)
{
	struct evbuffer *b = evbuffer_new();

	assert_int_equal(pk_gate_msg_put(b, type, 0, what, len), 0);
	send_frames(b);
}

static bool is_told(void)
{
	json_t *j = ask("GET", "/v1/status", "", 200);
	json_t *first = json_incref(at(j, "pull.lists.0"));
	bool told;

	json_decref(j);
	assert_non_null(first);
	told = strcmp(text_at(first, "outcome"), "pending") != 0;
	json_decref(first);
	return told;
}

static struct {
	int status;
	char code[64];
	struct event_base *base;
} answered;

static void on_answer(void *arg, int status, const char *code)
{
	(void)arg;
	answered.status = status;
	snprintf(answered.code, sizeof(answered.code), "%s", code);
	event_base_loopbreak(answered.base);
}

static void on_gone(void *arg)
{
	(void)arg;
	fail_msg("the core ended the link");
}

static struct evbuffer *signed_list(const char *list, uint64_t version, const char *content,
				    const char *sent)
{
	_cleanup_(pk_buf_done) struct pk_buf text = { 0 };
	struct evbuffer *b = evbuffer_new();
	struct pk_statement s = statement_of(list, version, content);
	struct pk_envelope e;

	s.created_s = pk_clock_wall_ms(pk_clock_boot_ns()) / 1000 - 10;
	s.expires_s = s.created_s + 3600;
	s.count = 1;
	sign(&s, &at_hand.a, &e);
	assert_int_equal(pk_envelope_write(&e, &text), 0);
	pk_envelope_done(&e);
	evbuffer_add(b, text.data, text.len);
	evbuffer_add_printf(b, "\n%s", sent);
	return b;
}

static void offer(struct pk_offers *o, const char *list, struct evbuffer *body, int status,
		  const char *code)
{
	assert_int_equal(pk_offer(o, list, SOURCE, body, on_answer, NULL), 0);
	assert_int_equal(event_base_dispatch(answered.base), 0);
	assert_int_equal(answered.status, status);
	assert_string_equal(answered.code, code);
}

static void what_is_offered_is_judged_as_what_is_pushed(void **state)
{
	struct pk_pull_news n = news_of("drop", PK_PULL_ACCEPTED);
	struct pk_offers *o;
	json_t *j;

	(void)state;
	answered.base = event_base_new();
	assert_int_equal(pk_offers_new(answered.base, dup(peer()), on_gone, NULL, &o), 0);
	offer(o, "drop", signed_list("drop", 5, ONE, ONE), 200, "");
	verdict_is("ip=198.51.100.7", "drop");
	offer(o, "drop", signed_list("drop", 4, ONE, ONE), 409, "replayed");
	offer(o, "drop", signed_list("drop", 6, ONE, "198.51.100.8\n"), 422, "wrong-digest");
	offer(o, "web", signed_list("drop", 6, ONE, ONE), 422, "wrong-name");
	offer(o, "drop", evbuffer_new(), 400, "malformed-envelope");
	offer(o, "other", signed_list("other", 1, ONE, ONE), 403,
	      "this certificate's role may not do this");
	pk_offers_tell(o, &n);
	(void)event_base_loop(answered.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	for (int i = 0; i < 100 && !is_told(); i++)
		(void)usleep(10000); /* the answer tells */
	j = ask("GET", "/v1/lists/drop", "", 200);
	assert_int_equal(num(j, "list.signed.version"), 5);
	assert_string_equal(text_at(j, "list.pull.outcome"), "accepted");
	assert_string_equal(text_at(j, "list.pull.mirror"), SOURCE);
	assert_int_equal(num(j, "list.pull.tries.accepted"), 1);
	assert_string_equal(text_at(j, "list.source"), SOURCE);
	json_decref(j);
}

static void nothing_else_may_be_asked(void **state)
{
	static const struct {
		int method;
		const char *path, *query;
	} tries[] = {
		{ EVHTTP_REQ_GET, "/v1/status", "" },
		{ EVHTTP_REQ_GET, "/v1/lists", "" },
		{ EVHTTP_REQ_GET, "/v1/lists/drop", "" },
		{ EVHTTP_REQ_DELETE, "/v1/lists/drop", "" },
		{ EVHTTP_REQ_POST, "/v1/lists/drop/mode", "mode=off" },
		{ EVHTTP_REQ_POST, "/v1/lists/drop/confirm", "" },
		{ EVHTTP_REQ_POST, "/v1/lists/drop/plan", "signed=1" },
		{ EVHTTP_REQ_POST, "/v1/blocks", "" },
		{ EVHTTP_REQ_POST, "/v1/detach", "" },
		{ EVHTTP_REQ_PUT, "/v1/lists/drop", "signed=1&confirm=1" },
		{ EVHTTP_REQ_PUT, "/v1/lists/drop", "signed=1&base=00" },
		{ EVHTTP_REQ_PUT, "/v1/lists/other", "" },
		{ EVHTTP_REQ_PUT, "/v1/lists/DROP", "signed=1" },
		/* unsigned: refused by upload.c, also where others may (sign.require is off) */
		{ EVHTTP_REQ_PUT, "/v1/lists/drop", "" },
		{ EVHTTP_REQ_PUT, "/v1/lists/web", "signed=0" },
	};

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(tries); i++)
		assert_int_equal(raw(tries[i].method, PK_ROLE_CARRIER, tries[i].path,
				     tries[i].query, "198.51.100.9\n"),
				 403);
	verdict_is("ip=198.51.100.7", "drop");
	verdict_is("ip=198.51.100.9", "pass");
}

static void who_claims_to_be_more_is_cut_off(void **state)
{
	struct pk_gate_counts counts = { 0 };
	struct pk_pull_news n = news_of("other", PK_PULL_UNCHANGED);
	json_t *j;

	(void)state;
	for (int role = PK_ROLE_READER; role <= PK_ROLE_ADMIN; role += 3)
		assert_int_equal(raw(EVHTTP_REQ_GET, role, "/v1/status", "", ""), 0);
	tell(PK_GATE_COUNTS, &counts, sizeof(counts));
	assert_int_equal(receive(0), 0);
	tell(PK_GATE_PULL, &n, sizeof(n));
	assert_int_equal(receive(0), 0);
	n = news_of("drop", PK_PULL_OUTCOMES);
	tell(PK_GATE_PULL, &n, sizeof(n));
	assert_int_equal(receive(0), 0);
	assert_int_equal(at_hand.used, 5);
	j = ask("GET", "/v1/status", "", 200);
	assert_int_equal(num(j, "pull.lists.0.tries.accepted"), 1);
	assert_int_equal(num(j, "pull.lists.0.tries.unchanged"), 0);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_offered_is_judged_as_what_is_pushed),
		cmocka_unit_test(nothing_else_may_be_asked),
		cmocka_unit_test(who_claims_to_be_more_is_cut_off),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
