/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/msg.h"

#include "base/cleanup.h"

#include <errno.h>
#include <event2/buffer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct pk_gate_ask ask = {
	.body_bytes = 5,
	.method = 1,
	.role = PK_ROLE_READER,
	.path_len = 4,
	.query_len = 3,
	.name_len = 2,
	.has_query = 1,
	.said_len = { [PK_GATE_ACCEPT] = 3 },
};

static const char *const said[PK_GATE_SAIDS] = { [PK_GATE_ACCEPT] = "*/*" };

static struct evbuffer *frame_of(const struct pk_gate_ask *a, const char *path, const char *query,
				 const char *name)
{
	struct evbuffer *b = evbuffer_new();

	assert_int_equal(pk_gate_msg_ask(b, 7, a, path, query, name, said), 0);
	return b;
}

static int read_frame(struct evbuffer *b, int from_gate, struct pk_gate_msg *m)
{
	int n = pk_gate_msg_peek(b, from_gate, m);

	evbuffer_free(b);
	return n;
}

static void what_was_put_is_read(void **state)
{
	struct evbuffer *b = frame_of(&ask, "/v1/", "a=b", "me");
	struct evbuffer *data = evbuffer_new();
	struct pk_gate_msg m;
	size_t sum = 0;
	int n;

	(void)state;
	n = pk_gate_msg_peek(b, 1, &m);
	assert_int_equal(n, sizeof(struct pk_gate_head) + sizeof(ask) + 12);
	assert_int_equal(m.type, PK_GATE_ASK);
	assert_int_equal(m.id, 7);
	assert_memory_equal(m.path, "/v1/", 4);
	assert_memory_equal(m.query, "a=b", 3);
	assert_memory_equal(m.name, "me", 2);
	assert_memory_equal(m.said[PK_GATE_ACCEPT], "*/*", 3);
	assert_int_equal(m.ask.said_len[PK_GATE_IF_MATCH], 0);
	evbuffer_drain(b, (size_t)n);
	for (int i = 0; i < 200000; i++)
		evbuffer_add(data, "x", 1);
	assert_int_equal(pk_gate_msg_data(b, PK_GATE_BODY, 7, data), 0);
	while ((n = pk_gate_msg_peek(b, 1, &m)) > 0) {
		assert_in_range(n, 1, PK_GATE_FRAME_MAX);
		sum += m.len;
		evbuffer_drain(b, (size_t)n);
	}
	assert_int_equal(n, 0);
	assert_int_equal(sum, 200000);
	evbuffer_free(data);
	evbuffer_free(b);
}

/* Cut anywhere, it waits for more and reads nothing behind the end. */
static void half_frames_wait(void **state)
{
	struct evbuffer *b = frame_of(&ask, "/v1/", "a=b", "me");
	size_t len = evbuffer_get_length(b);
	struct pk_gate_msg m;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		char *part = malloc(i + 1); /* exact, for the sanitizer's sake */

		assert_int_equal(evbuffer_copyout(b, part, i), i);
		part = realloc(part, i ? i : 1);
		assert_int_equal(pk_gate_msg_read(part, i, 1, &m), 0);
		free(part);
	}
	evbuffer_free(b);
}

static void wrong_requests_are_refused(void **state)
{
	struct pk_gate_ask a;
	struct pk_gate_msg m;

	(void)state;
#define REFUSED(path, query, name)                                                                 \
	assert_int_equal(read_frame(frame_of(&a, path, query, name), 1, &m), -EBADMSG)
	a = ask;
	REFUSED("v1//", "a=b", "me");    /* no / */
	REFUSED("/v1\n", "a=b", "me");   /* a line of its own */
	REFUSED("/v1/", "a\0b", "me");   /* NUL */
	REFUSED("/v1/", "a=b", "m\x80"); /* not ASCII */
	a.role = PK_ROLE_NONE;
	REFUSED("/v1/", "a=b", "me");
	a.role = PK_ROLES;
	REFUSED("/v1/", "a=b", "me");
	a = ask;
	a.has_query = 0;
	REFUSED("/v1/", "a=b", "me");
	a = ask;
	a.has_query = 2;
	REFUSED("/v1/", "a=b", "me");
	a = ask;
	a.body_bytes = UINT64_MAX;
	REFUSED("/v1/", "a=b", "me");
	a = ask;
	a.said_len[PK_GATE_IF_MATCH] = 1; /* which does not come */
	REFUSED("/v1/", "a=b", "me");
	a = ask;
	a.said_len[PK_GATE_ACCEPT] = PK_GATE_HEAD_MAX + 1;
	REFUSED("/v1/", "a=b", "me");
#undef REFUSED
}

static void lengths_must_add_up(void **state)
{
	struct evbuffer *b = frame_of(&ask, "/v1/", "a=b", "me");
	char *bytes = (char *)evbuffer_pullup(b, -1);
	struct pk_gate_ask a = ask;
	struct pk_gate_msg m;

	(void)state;
	a.name_len = 3; /* one more than there is */
	memcpy(bytes + sizeof(struct pk_gate_head), &a, sizeof(a));
	assert_int_equal(pk_gate_msg_read(bytes, evbuffer_get_length(b), 1, &m), -EBADMSG);
	a.name_len = 1;
	memcpy(bytes + sizeof(struct pk_gate_head), &a, sizeof(a));
	assert_int_equal(pk_gate_msg_read(bytes, evbuffer_get_length(b), 1, &m), -EBADMSG);
	evbuffer_free(b);
}

static void each_side_says_its_own(void **state)
{
	static const struct pk_gate_answer good = { .status = 200, .told = { "text/plain" } };
	static const struct pk_gate_head heads[] = {
		{ sizeof(struct pk_gate_head), PK_GATE_DATA, 1 }, /* empty */
		{ sizeof(struct pk_gate_head), PK_GATE_END, 0 },  /* of no request */
		{ sizeof(struct pk_gate_head) - 1, PK_GATE_END, 1 },
		{ sizeof(struct pk_gate_head) + 1, PK_GATE_END, 1 },
		{ PK_GATE_FRAME_MAX + 1, PK_GATE_DATA, 1 },
		{ UINT32_MAX, PK_GATE_DATA, 1 },
		{ sizeof(struct pk_gate_head), 9, 1 }, /* a hole in the numbers */
		{ sizeof(struct pk_gate_head), 0, 1 },
		{ sizeof(struct pk_gate_head), 1000, 1 },
	};
	struct pk_gate_answer bad = good;
	struct evbuffer *b;
	struct pk_gate_msg m;

	(void)state;
	for (size_t i = 0; i < PK_ARRAY_SIZE(heads); i++) {
		assert_int_equal(pk_gate_msg_read(&heads[i], sizeof(heads[i]), 0, &m), -EBADMSG);
		assert_int_equal(pk_gate_msg_read(&heads[i], sizeof(heads[i]), 1, &m), -EBADMSG);
	}
	b = evbuffer_new();
	assert_int_equal(pk_gate_msg_put(b, PK_GATE_ANSWER, 1, &good, sizeof(good)), 0);
	assert_int_equal(pk_gate_msg_peek(b, 1, &m), -EBADMSG); /* the gate answers nothing */
	assert_int_equal(read_frame(b, 0, &m), sizeof(struct pk_gate_head) + sizeof(good));
	assert_string_equal(m.answer.told[PK_GATE_CONTENT_TYPE], "text/plain");
	memset(bad.told[1], 'a', sizeof(bad.told[1])); /* no end */
	b = evbuffer_new();
	assert_int_equal(pk_gate_msg_put(b, PK_GATE_ANSWER, 1, &bad, sizeof(bad)), 0);
	assert_int_equal(read_frame(b, 0, &m), -EBADMSG);
	bad = good;
	strcpy(bad.told[PK_GATE_ETAG], "a\r\nX: y"); /* no header of its own */
	b = evbuffer_new();
	assert_int_equal(pk_gate_msg_put(b, PK_GATE_ANSWER, 1, &bad, sizeof(bad)), 0);
	assert_int_equal(read_frame(b, 0, &m), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_read),       cmocka_unit_test(half_frames_wait),
		cmocka_unit_test(wrong_requests_are_refused), cmocka_unit_test(lengths_must_add_up),
		cmocka_unit_test(each_side_says_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
