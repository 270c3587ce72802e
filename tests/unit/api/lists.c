/* SPDX-License-Identifier: Apache-2.0 */
/* Block lists over HTTP, as the tool asks. */
#include "served.h"

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
	j = ask("POST", "/v1/blocks", body, 200);
	assert_string_equal(text_at(j, "added.0.who.user"), "nobody");
	json_decref(j);
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

/* The first snapshot of the live view. */
static json_t *snapshot(void)
{
	static char buf[1 << 16];
	size_t n = 0;
	ssize_t got;
	int fd = dial();
	char *line;
	json_t *j;

	send_request(fd, "GET", "/v1/live", "", "", 0);
	while (!memmem(buf, n, "}\n", 2) && (got = read(fd, buf + n, sizeof(buf) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	buf[n] = '\0';
	line = strstr(buf, "\r\n\r\n");
	assert_non_null(line);
	line = strchr(line, '{'); /* behind the chunk's length */
	assert_non_null(line);
	j = json_loadb(line, strcspn(line, "\n"), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	return j;
}

static void the_live_view(void **state)
{
	json_t *j, *row;
	size_t i;
	bool found = false;

	(void)state;
	ask_ok("PUT", "/v1/lists/seen?mode=observe", "192.0.2.77\n192.0.2.78\n");
	j = snapshot();
	json_array_foreach(json_object_get(j, "lists"), i, row)
	{
		if (strcmp(text_at(row, "list"), "seen") != 0)
			continue;
		found = true;
		assert_string_equal(text_at(row, "mode"), "observe");
		assert_string_equal(text_at(row, "kind"), "block");
		assert_int_equal(num(row, "entries"), 2);
		assert_null(json_object_get(row, "last_hit")); /* nothing was hit */
	}
	assert_true(found);
	assert_true(json_is_integer(at(j, "drops.calls")));
	json_decref(j);
	ask_ok("DELETE", "/v1/lists/seen", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_blocks),      cmocka_unit_test(limits_count),
		cmocka_unit_test(all_or_nothing),     cmocka_unit_test(guards),
		cmocka_unit_test(a_list_replaced),    cmocka_unit_test(what_is_shown),
		cmocka_unit_test(bad_lines),          cmocka_unit_test(parameters),
		cmocka_unit_test(bodies_are_bounded), cmocka_unit_test(an_export_is_read_back),
		cmocka_unit_test(confirmation),       cmocka_unit_test(processes),
		cmocka_unit_test(automatic),          cmocka_unit_test(flows_against_a_list),
		cmocka_unit_test(the_live_view),      cmocka_unit_test(a_connection_that_vanishes),
	};

	return cmocka_run_group_tests_name("api/lists", tests, setup, teardown);
}
