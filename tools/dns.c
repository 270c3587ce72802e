/* SPDX-License-Identifier: Apache-2.0 */
/* `picket dns`: what was asked, who asked, and what the answer was. */
#include "base/cleanup.h"
#include "column.h"
#include "list.h"

#include <picket/api.h>
#include <string.h>

/* IANA's name; OCSF has captions of its own. */
static void v_rcode(struct pk_buf *out, json_t *d, bool human)
{
	const char *rcode = pk_json_text(d, "unmapped.picket.rcode");

	if (*rcode)
		pk_buf_str(out, rcode);
	else if (human)
		pk_buf_char(out, '-');
}

static void v_type(struct pk_buf *out, json_t *d, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(d, "query.type"));
}

/* How long the answer took; both must have been seen. */
static void v_latency(struct pk_buf *out, json_t *d, bool human)
{
	json_t *us = pk_json_at(d, "unmapped.picket.latency_us");

	if (!us)
		return;
	if (human)
		pk_buf_fmt(out, "%.1f", json_number_value(us) / 1000);
	else
		pk_buf_fmt(out, "%.3f", json_number_value(us) / 1000);
}

/* The least of the answers: that long the name may be remembered. */
static void v_ttl(struct pk_buf *out, json_t *d, bool human)
{
	json_t *v = json_object_get(d, "answers"), *answer;
	double least = -1;
	size_t i;

	(void)human;
	json_array_foreach(v, i, answer)
	{
		double ttl = pk_json_num(answer, "ttl");

		if (least < 0 || ttl < least)
			least = ttl;
	}
	if (least >= 0)
		pk_buf_fmt(out, "%.0f", least);
}

static void v_name(struct pk_buf *out, json_t *d, bool human)
{
	(void)human;
	pk_column_dns_text(out, pk_json_at(d, "query.hostname"));
}

/* Addresses alone when there are some: what leads to them (CNAME) is in the record. */
static bool is_address(const char *type)
{
	return !strcmp(type, "A") || !strcmp(type, "AAAA");
}

static void v_answer(struct pk_buf *out, json_t *d, bool human)
{
	json_t *v = json_object_get(d, "answers"), *answer;
	bool addresses = false;
	size_t i, n = 0;

	(void)human;
	json_array_foreach(v, i, answer) addresses |= is_address(pk_json_text(answer, "type"));
	json_array_foreach(v, i, answer)
	{
		if (addresses && !is_address(pk_json_text(answer, "type")))
			continue;
		if (n++)
			pk_buf_str(out, ", ");
		pk_column_dns_text(out, json_object_get(answer, "rdata"));
	}
}

enum { NAME = 5, ANSWER = 9 };

static const struct pk_column columns[] = {
	{ "TIME", 12, false, false, pk_column_time },
	{ "PID", 7, true, false, pk_column_pid },
	{ "PROGRAM", 15, false, false, pk_column_program },
	{ "SERVER", 16, false, false, pk_column_server },
	{ "TYPE", 6, false, false, v_type },
	[NAME] = { "NAME", 32, false, false, v_name },
	{ "RCODE", 8, false, false, v_rcode },
	{ "MS", 6, true, false, v_latency },
	{ "TTL", 6, true, false, v_ttl },
	[ANSWER] = { "ANSWER", 16, false, true, v_answer },
};

static int run(const struct pk_command *self, int argc, char **argv)
{
	static const struct pk_list list = {
		.path = PK_API_DNS,
		.stream = PK_API_DNS_STREAM,
		.member = "dns",
		.col = columns,
		.n = PK_ARRAY_SIZE(columns),
		.oldest_first = true,
		.escaped = 1U << NAME | 1U << ANSWER,
	};

	return pk_list_run(self, &list, argc, argv);
}

const struct pk_command pk_cmd_dns = {
	.name = "dns",
	.what = "list or follow DNS questions, who asked, and the answers",
	.usage = "dns [OPTION]... [FILTER]",
	.options = pk_list_options_log,
	.run = run,
	.help = "  -f, --follow     print each transaction as it comes, until Ctrl-C\n"
		"  -n, --number N   at most N transactions (1000), the latest\n"
		"  -o, --output F   table, json (one OCSF 4003 record a line) or csv\n"
		"  -h, --help       this text\n\n"
		"A line is a question with its answer; RCODE is - where none came. MS is how long\n"
		"the answer took, TTL the least of the answers', in seconds. Questions over TLS, "
		"HTTPS\n"
		"or QUIC can't be read: `picket tls` shows who talks to such a server.\n\n"
		"FILTER is that of `picket flows`; name means the name that was asked for.\n\n"
		"Examples:\n"
		"  picket dns\n"
		"  picket dns --follow proc curl\n"
		"  picket dns name '*.example.org' and not net 10.0.0.0/8\n"
		"  picket dns -o json | jq -r 'select(.rcode == \"NXDomain\").query.hostname'\n",
};
