/* SPDX-License-Identifier: Apache-2.0 */
/* Signed lists over HTTP: each refusal with its own code, and nothing changed by it. */
#include "served.h"

#include "../sign/place.h"
#include "agent_sign.h"
#include "base/hex.h"
#include "sign/delta.h"

static struct {
	struct place keys, state;
	struct pk_key a, b, stranger, retired;
} at_hand;

/* In the agent. */
static void sign_lists(struct pk_pipeline *p)
{
	struct pk_conf *conf = (struct pk_conf *)pk_pipeline_view(p)->conf;
	struct pk_agent_sign *sign;

	assert_int_equal(pk_conf_set(conf, "sign.keys", at_hand.keys.dir, NULL), 0);
	assert_int_equal(pk_conf_set(conf, "sign.lists", "two=2", NULL), 0);
	assert_int_equal(pk_agent_sign_new(conf, at_hand.state.fd, p, &sign), 0);
}

static int begin(void **state)
{
	place_make(&at_hand.keys);
	place_make(&at_hand.state);
	make_key(&at_hand.keys, "a", &at_hand.a);
	make_key(&at_hand.keys, "b", &at_hand.b);
	make_key(&at_hand.keys, "r", &at_hand.retired);
	make_key(&at_hand.keys, "s", &at_hand.stranger);
	assert_int_equal(renameat(at_hand.keys.fd, "r.pub", at_hand.keys.fd, "r.retired"), 0);
	assert_int_equal(unlinkat(at_hand.keys.fd, "s.pub", 0), 0);
	feed_more = sign_lists;
	return setup(state);
}

static int end(void **state)
{
	pk_key_done(&at_hand.a);
	pk_key_done(&at_hand.b);
	pk_key_done(&at_hand.retired);
	pk_key_done(&at_hand.stranger);
	place_clean(&at_hand.keys);
	place_clean(&at_hand.state);
	return teardown(state);
}

static struct pk_statement fresh(const char *list, uint64_t version, const char *content)
{
	struct pk_statement s = statement_of(list, version, content);

	s.created_s = pk_clock_wall_ms(pk_clock_boot_ns()) / 1000 - 10;
	s.expires_s = s.created_s + 3600;
	for (const char *p = content; (p = strchr(p, '\n')); p++)
		s.count += p[1] != '\0';
	return s;
}

/* Sends body behind an envelope of s by one or two keys; the answer's code, "" when it was taken.
 */
static void push(const struct pk_statement *s, const struct pk_key *one, const struct pk_key *two,
		 const char *query, const void *body, size_t len, const char *want)
{
	_cleanup_(pk_buf_done) struct pk_buf all = { 0 };
	_cleanup_free_ char *text = NULL;
	struct pk_envelope e;
	const char *code;
	char path[256];
	json_t *j;

	sign(s, one, &e);
	if (two)
		assert_int_equal(pk_envelope_sign(&e, two), 0);
	assert_int_equal(pk_envelope_write(&e, &all), 0);
	pk_envelope_done(&e);
	pk_buf_char(&all, '\n');
	pk_buf_add(&all, body, len);
	snprintf(path, sizeof(path), "/v1/lists/%s?signed=1%s",
		 query[0] == '/' ? query + 1 : s->list, query[0] == '/' ? "" : query);
	(void)ask_text("PUT", path, "", all.data, all.len, &text);
	j = json_loads(text, 0, NULL);
	assert_non_null(j);
	code = json_string_value(at(j, "code"));
	if (strcmp(code ? code : "", want) != 0)
		fail_msg("not %s: %s", *want ? want : "taken", text);
	json_decref(j);
}

static void push_text(const struct pk_statement *s, const struct pk_key *one,
		      const struct pk_key *two, const char *query, const char *body,
		      const char *want)
{
	push(s, one, two, query, body, strlen(body), want);
}

#define ONE "198.51.100.7\n"
#define TWO "198.51.100.7\n198.51.100.8\n"

static void what_is_signed_is_taken(void **state)
{
	struct pk_statement s = fresh("drop", 5, ONE);
	json_t *j;

	(void)state;
	push_text(&s, &at_hand.a, NULL, "", ONE, "");
	verdict_is("ip=198.51.100.7", "drop");
	j = ask("GET", "/v1/lists/drop", "", 200);
	assert_int_equal(num(j, "list.signed.version"), 5);
	assert_string_equal(text_at(j, "list.signed.keys.0"), at_hand.a.id);
	assert_true(json_is_true(at(j, "list.signed.in_force")));
	json_decref(j);
	push_text(&s, &at_hand.a, NULL, "", ONE, ""); /* once more is fine */
}

static void each_refusal_has_its_code_and_changes_nothing(void **state)
{
	struct pk_statement s = fresh("drop", 6, TWO), t;

	(void)state;
	push_text(&s, &at_hand.stranger, NULL, "", TWO, "unknown-key");
	push_text(&s, &at_hand.retired, NULL, "", TWO, "retired-key");
	push_text(&s, &at_hand.a, NULL, "/other", TWO, "wrong-name");
	push_text(&s, &at_hand.a, NULL, "", "198.51.100.7\n198.51.100.9\n", "wrong-digest");
	push_text(&s, &at_hand.a, NULL, "", TWO "\n", "wrong-digest");
	t = fresh("two", 1, TWO);
	push_text(&t, &at_hand.a, NULL, "", TWO, "threshold-not-met");
	push_text(&t, &at_hand.a, &at_hand.stranger, "", TWO, "threshold-not-met");
	t = s;
	t.created_s += 3000;
	push_text(&t, &at_hand.a, NULL, "", TWO, "from-the-future");
	t = s;
	t.created_s -= 7200;
	t.expires_s -= 7200;
	push_text(&t, &at_hand.a, NULL, "", TWO, "expired");
	t = fresh("drop", 4, TWO);
	push_text(&t, &at_hand.a, NULL, "", TWO, "replayed");
	t = fresh("drop", 5, TWO);
	push_text(&t, &at_hand.a, NULL, "", TWO, "version-reused");
	t = s;
	t.count = 3;
	push_text(&t, &at_hand.a, NULL, "", TWO, "wrong-count");
	t = s;
	t.size = 1ull << 40;
	push_text(&t, &at_hand.a, NULL, "", TWO, "too-large");
	t = s;
	assert_int_equal(pk_statement_set_option(&t, "mode", "sometimes"), 0);
	push_text(&t, &at_hand.a, NULL, "", TWO, "unknown-option");
	detail_has(ask("PUT", "/v1/lists/drop?signed=1", TWO, 400), "not an envelope");
	detail_has(ask("PUT", "/v1/lists/drop?base=00", TWO, 400), "base is");
	verdict_is("ip=198.51.100.8", "pass");
	detail_has(ask("GET", "/v1/lists/two", "", 404), "no list");
	/* none of it counted as seen */
	push_text(&s, &at_hand.a, NULL, "", TWO, "");
	verdict_is("ip=198.51.100.8", "drop");
	t = fresh("two", 1, TWO);
	push_text(&t, &at_hand.a, &at_hand.b, "", TWO, "");
	ask_ok("DELETE", "/v1/lists/two", "");
}

/* Who carries it can't change what it means. */
static void how_it_is_treated_is_signed(void **state)
{
	struct pk_statement s = fresh("drop", 7, TWO);
	json_t *j;

	(void)state;
	push_text(&s, &at_hand.a, NULL, "&mode=off", TWO, "");
	verdict_is("ip=198.51.100.8", "drop"); /* 400, nothing has changed */
	assert_int_equal(pk_statement_set_option(&s, "mode", "observe"), 0);
	push_text(&s, &at_hand.a, NULL, "&source=feed.txt", TWO, "");
	j = ask("GET", "/v1/lists/drop", "", 200);
	assert_string_equal(text_at(j, "list.mode"), "observe");
	assert_string_equal(text_at(j, "list.source"), "feed.txt");
	json_decref(j);
}

static void a_delta_makes_the_signed_content(void **state)
{
	struct pk_statement before = fresh("delta", 1, TWO), s = fresh("delta", 2, ONE);
	char query[80] = "&base=";
	void *delta;
	size_t len;

	(void)state;
	push_text(&before, &at_hand.a, NULL, "", TWO, "");
	pk_hex(before.sha256, sizeof(before.sha256), query + strlen(query));
	assert_int_equal(pk_delta_make(TWO, strlen(TWO), ONE, strlen(ONE), &delta, &len), 0);
	push(&s, &at_hand.a, NULL, query, delta, len - 1, "wrong-digest");
	push(&s, &at_hand.a, NULL,
	     "&base=0000000000000000000000000000000000000000000000000000000000"
	     "000000",
	     delta, len, "no-base");
	push(&s, &at_hand.a, NULL, query, delta, len, "");
	free(delta);
	verdict_is("ip=198.51.100.8", "observe"); /* by drop alone */
	/* by hand it is another list */
	ask_ok("PUT", "/v1/lists/delta", TWO);
	s = fresh("delta", 3, ONE);
	assert_int_equal(pk_delta_make(ONE, strlen(ONE), ONE, strlen(ONE), &delta, &len), 0);
	pk_hex(s.sha256, sizeof(s.sha256), query + strlen("&base="));
	push(&s, &at_hand.a, NULL, query, delta, len, "no-base");
	free(delta);
	push_text(&s, &at_hand.a, NULL, "", ONE, "");
}

static void a_list_that_is_removed_is_not_forgotten(void **state)
{
	struct pk_statement s = fresh("gone", 9, ONE), old = fresh("gone", 8, ONE);

	(void)state;
	push_text(&s, &at_hand.a, NULL, "", ONE, "");
	ask_ok("DELETE", "/v1/lists/gone", "");
	push_text(&old, &at_hand.a, NULL, "", ONE, "replayed");
	push_text(&s, &at_hand.a, NULL, "", ONE, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_taken),
		cmocka_unit_test(each_refusal_has_its_code_and_changes_nothing),
		cmocka_unit_test(how_it_is_treated_is_signed),
		cmocka_unit_test(a_delta_makes_the_signed_content),
		cmocka_unit_test(a_list_that_is_removed_is_not_forgotten),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
