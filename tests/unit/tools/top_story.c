/* SPDX-License-Identifier: Apache-2.0 */
/* The story of a flow says who, with whom, since when, how much, how usual; nothing raw. */
#include "../../../tools/top_story.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char flow[] =
	"{\"start_time\":1000000,\"end_time\":1010000,"
	"\"connection_info\":{\"community_uid\":\"1:x\"},"
	"\"src_endpoint\":{\"ip\":\"10.0.0.2\",\"port\":40000},"
	"\"dst_endpoint\":{\"ip\":\"192.0.2.1\",\"port\":443},"
	"\"actor\":{\"process\":{\"pid\":42,\"name\":\"curl\",\"user\":{\"name\":\"alice\"},"
	"\"parent_process\":{\"name\":\"bash\"}}},"
	"\"unmapped\":{\"picket\":{\"flow\":\"12\",\"status\":\"live\",\"rtt_us\":12300,"
	"\"src\":{\"packets\":60,\"bytes\":6000,\"retransmits\":3},"
	"\"dst\":{\"packets\":40,\"bytes\":90000}}}}";
static const char row[] =
	"{\"name\":\"curl\",\"pid\":42,\"with\":\"example.org\",\"app\":\"tls\",\"dst_port\":443,"
	"\"direction\":\"out\",\"state\":\"open\",\"bytes_out\":6000,\"bytes_in\":90000,"
	"\"rate_out\":10,\"rate_in\":2048}";
static const char usual[] =
	"{\"process\":\"curl\",\"since\":500000,\"same\":{\"flows\":12,\"first\":600000},"
	"\"others\":{\"flows\":2}}";

static void has(const struct pk_buf *out, const char *text)
{
	if (!out->data || !strstr(out->data, text))
		fail_msg("no \"%s\" in: %s", text, out->data ? out->data : "");
}

static struct pk_top_story story(const char *r, const char *f, const char *u)
{
	return (struct pk_top_story){ .row = json_loads(r, 0, NULL),
				      .flow = json_loads(f, 0, NULL),
				      .usual = u ? json_loads(u, 0, NULL) : NULL,
				      .now = 1012000 };
}

static void end(struct pk_top_story *s)
{
	json_decref(s->row);
	json_decref(s->flow);
	json_decref(s->usual);
	json_decref(s->process);
	json_decref(s->list);
}

static void of_a_flow(void **state)
{
	struct pk_top_story s = story(row, flow, usual);
	struct pk_buf out = {};

	(void)state;
	setenv("TZ", "UTC", 1);
	pk_top_story_flow(&out, &s);
	has(&out, "curl (42) talks to example.org, tls on port 443\n");
	has(&out, "curl, pid 42, user alice, begun by bash\n");
	has(&out, "since      00:16:40, 12s ago\n");
	has(&out, "sent 5.9KB, received 88KB, in 100 packets; now 10B/s out, 2.0KB/s in\n");
	has(&out,
	    "seen before: 12 earlier flows of curl with it, the first at 00:10:00; 2 of other "
	    "programs; remembered since 00:08:20\n");
	has(&out, "round trip 12.3 ms at the start; 3 packets sent again (3.0 %)\n");
	has(&out, "open, both sides have spoken\n");
	has(&out, "blocked    no");
	has(&out, "10.0.0.2 port 40000: 60 packets, 5.9KB\n");
	end(&s);
	pk_buf_done(&out);
}

static void of_a_blocked_one(void **state)
{
	struct pk_top_story s = story("{\"src\":\"10.0.0.9\",\"dst\":\"192.0.2.1\",\"app\":\"udp\","
				      "\"direction\":\"forward\",\"state\":\"unanswered\","
				      "\"blocked\":\"drop\",\"list\":\"evil\"}",
				      "{}", "{\"process\":\"\",\"same\":{\"flows\":0}}");
	struct pk_buf out = {};

	(void)state;
	pk_top_story_flow(&out, &s);
	has(&out, "10.0.0.9 talks to 192.0.2.1, udp, through this host\n");
	has(&out, "no socket of this host is known for it\n");
	has(&out, "nobody has answered\n");
	has(&out, "blocked    yes, by list evil\n");
	has(&out, "the first of anybody with it; remembered since");
	end(&s);
	pk_buf_done(&out);
}

/* As records of flows say it: user/api/README.md. */
static void what_was_asked(void **state)
{
	struct pk_top_story s = story(
		row,
		"{\"tls\":{\"sni\":\"example.org\",\"version\":\"TLS 1.3\"},"
		"\"ja4_fingerprint_list\":[{\"value\":\"t13d\"}],"
		"\"http_request\":{\"http_method\":\"GET\",\"user_agent\":\"curl/7\","
		"\"url\":{\"hostname\":\"h\",\"path\":\"/p\"}},\"http_response\":{\"code\":200},"
		"\"unmapped\":{\"picket\":{\"names\":{\"dns\":\"cdn.example.net\"},"
		"\"name_conflict\":\"sni_dns\",\"app_odd\":true,"
		"\"tls\":{\"alpn\":[\"h2\",\"http/1.1\"],\"ech\":false},"
		"\"ssh\":{\"src\":{\"software\":\"OpenSSH_9\"},\"dst\":{\"software\":\"x\"}},"
		"\"dns\":{\"questions\":2,\"answers\":1,\"last\":{\"hostname\":\"q.org\","
		"\"type\":\"AAAA\"},\"rcodes\":{\"NXDOMAIN\":1}}}}}",
		NULL);
	struct pk_buf out = {};

	(void)state;
	pk_top_story_flow(&out, &s);
	has(&out, "resolved   cdn.example.net\n");
	has(&out, "asked      example.org by TLS 1.3, offers h2, JA4 t13d\n");
	has(&out, "asked      GET http://h/p by curl/7, answered 200\n");
	has(&out, "asked      q.org AAAA by DNS; 2 questions, 1 answers, NXDOMAIN 1\n");
	has(&out, "asked      OpenSSH_9 to x\n");
	has(&out, "never resolved from the name in the hello\n");
	has(&out, "does not speak what its port is for\n");
	end(&s);
	pk_buf_done(&out);
}

static void nothing_raw(void **state)
{
	struct pk_top_story s = story("{\"name\":\"a\\u001b]0;x\",\"with\":\"b\\u202ec\"}",
				      "{\"actor\":{\"process\":{\"name\":\"\\u001b[31m\"}}}", NULL);
	struct pk_buf out = {};

	(void)state;
	s.process = json_pack("{s:{s:s,s:s,s:i},s:[{s:s}],s:[s]}", "process", "name", "\033[2J",
			      "cmd_line", "\033c", "pid", 7, "tree", "name", "\x7f", "listening",
			      "\033x");
	s.list = json_pack("{s:{s:s},s:[{s:s,s:s,s:i}]}", "list", "name", "\033l", "entries",
			   "prefix", "\033p", "reason", "\033r", "packets", 3);
	pk_top_story_flow(&out, &s);
	pk_top_story_process(&out, &s);
	pk_top_story_list(&out, &s);
	pk_top_story_row(&out, &s, "\033t", NULL);
	assert_null(memchr(out.data, '\033', out.len));
	assert_null(memchr(out.data, '\x7f', out.len));
	assert_null(strstr(out.data, "\u202e"));
	end(&s);
	pk_buf_done(&out);
}

static void of_a_list(void **state)
{
	struct pk_top_story s = {
		.list = json_loads(
			"{\"list\":{\"name\":\"evil\",\"kind\":\"block\",\"mode\":"
			"\"enforce\",\"entries\":3,\"changed\":1000000,"
			"\"in\":{\"packets\":7,\"bytes\":700}},\"entries\":["
			"{\"prefix\":\"192.0.2.1\",\"packets\":2},"
			"{\"prefix\":\"192.0.2.2\",\"packets\":5,\"last_peer\":\"9.9.9.9\"},"
			"{\"prefix\":\"192.0.2.3\",\"packets\":0}]}",
			0, NULL),
		.now = 1012000
	};
	struct pk_buf out = {};
	char *first, *second;

	(void)state;
	pk_top_story_list(&out, &s);
	has(&out, "List evil, block, mode enforce, 3 entries\n");
	has(&out, "7 packets dropped that came in, 700B\n");
	first = strstr(out.data, "5  192.0.2.2");
	second = strstr(out.data, "2  192.0.2.1");
	assert_true(first && second && first < second);
	has(&out, "with 9.9.9.9");
	end(&s);
	pk_buf_done(&out);
}

static void of_nothing(void **state)
{
	struct pk_top_story s = {};
	struct pk_buf out = {};

	(void)state;
	pk_top_story_flow(&out, &s);
	pk_top_story_process(&out, &s);
	pk_top_story_list(&out, &s);
	pk_top_story_row(&out, &s, "", NULL);
	assert_false(out.error);
	pk_buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_flow),      cmocka_unit_test(of_a_blocked_one),
		cmocka_unit_test(what_was_asked), cmocka_unit_test(nothing_raw),
		cmocka_unit_test(of_a_list),      cmocka_unit_test(of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
