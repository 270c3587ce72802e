/* SPDX-License-Identifier: Apache-2.0 */
/* `picket who`: the one question that most people come with, answered in one table. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "client.h"
#include "command.h"
#include "entry.h"
#include "table.h"
#include "who_rows.h"

#include <getopt.h>
#include <picket/api.h>

#define LIMIT "10000"

static void v_name(struct pk_buf *out, json_t *r, bool human)
{
	const char *name = pk_json_text(r, "process.name");

	pk_buf_str(out, human && !*name ? "-" : name);
}

static void v_pid(struct pk_buf *out, json_t *r, bool human)
{
	if (human && pk_json_num(r, "processes") > 1)
		pk_buf_fmt(out, "%.0f x", pk_json_num(r, "processes"));
	else if (pk_json_at(r, "process.pid"))
		pk_buf_fmt(out, "%.0f", pk_json_num(r, "process.pid"));
}

static void v_user(struct pk_buf *out, json_t *r, bool human)
{
	const char *name = pk_json_text(r, "process.user.name");

	(void)human;
	pk_buf_str(out, *name ? name : pk_json_text(r, "process.user.uid"));
}

static void v_since(struct pk_buf *out, json_t *r, bool human)
{
	if (human)
		pk_entry_time(out, json_integer_value(json_object_get(r, "since")));
	else
		pk_buf_fmt(out, "%.0f", pk_json_num(r, "since"));
}

static void v_last(struct pk_buf *out, json_t *r, bool human)
{
	if (!human)
		pk_buf_fmt(out, "%.0f", pk_json_num(r, "last"));
	else if (pk_json_num(r, "live") > 0)
		pk_buf_str(out, "open");
	else
		pk_entry_ago(out, json_integer_value(json_object_get(r, "last")));
}

static void v_flows(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(r, "flows"));
}

static void amount(struct pk_buf *out, json_t *r, const char *key, bool human)
{
	if (human)
		pk_human_bytes(out, pk_json_num(r, key));
	else
		pk_buf_fmt(out, "%.0f", pk_json_num(r, key));
}

static void v_sent(struct pk_buf *out, json_t *r, bool human)
{
	amount(out, r, "sent", human);
}

static void v_received(struct pk_buf *out, json_t *r, bool human)
{
	amount(out, r, "received", human);
}

static void v_with(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "with"));
}

static void v_command(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "process.cmd_line"));
}

static const struct pk_column columns[] = {
	{ "PID", 7, true, false, v_pid },     { "PROCESS", 10, false, false, v_name },
	{ "USER", 8, false, false, v_user },  { "SINCE", 19, false, false, v_since },
	{ "LAST", 8, false, false, v_last },  { "FLOWS", 5, true, false, v_flows },
	{ "SENT", 5, true, false, v_sent },   { "RECV", 5, true, false, v_received },
	{ "WITH", 20, false, false, v_with }, { "COMMAND", 12, false, true, v_command },
};

static void print(json_t *flows, enum pk_format format)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	json_t *rows = pk_who_rows(flows), *row;
	struct pk_table t;
	size_t i;

	pk_table_init(&t, columns, PK_ARRAY_SIZE(columns), format);
	json_array_foreach(rows, i, row) pk_table_row(&t, &out, row);
	if (!i && format != PK_FORMAT_JSON)
		pk_table_row(&t, &out, NULL);
	fwrite(out.data ? out.data : "", 1, out.len, stdout);
	if (!i)
		fprintf(stderr, "picket: nobody, as far as the agent remembers\n");
	json_decref(rows);
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	const char *query[] = { "filter", NULL, "state", "all", "limit", LIMIT, NULL };
	_cleanup_(pk_buf_done) struct pk_buf filter = {};
	enum pk_format format = PK_FORMAT_TABLE;
	struct pk_client client;
	json_t *body = NULL;
	int c, r;

	optind = 1;
	while ((c = getopt_long(argc, argv, "o:h", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 0;
		}
		if (c != 'o')
			return pk_command_misused(self);
		if (pk_format_parse(optarg, &format) < 0) {
			fprintf(stderr, "picket: -o takes table, json or csv, not %s\n", optarg);
			return 2;
		}
	}
	if (optind + 1 != argc || !*argv[optind])
		return pk_command_misused(self);
	pk_who_filter(&filter, argv[optind]);
	query[1] = filter.data;
	pk_client_init(&client, NULL);
	r = pk_client_get(&client, PK_API_FLOWS, query, &body);
	if (r)
		return r;
	print(json_object_get(body, "flows"), format);
	if (pk_json_num(body, "matched") > pk_json_num(body, "limit"))
		fprintf(stderr, "picket: only the latest " LIMIT " of %.0f flows are summed up\n",
			pk_json_num(body, "matched"));
	json_decref(body);
	return 0;
}

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_who = {
	.name = "who",
	.what = "which programs talk to a name, an address or a port, since when, how much",
	.usage = "who [OPTION]... NAME|ADDRESS|PREFIX|PORT",
	.options = options,
	.run = run,
	.help = "  -o, --output F   table, json or csv\n"
		"  -h, --help       this text\n\n"
		"A NAME stands for what is below it, too: what was asked for by DNS, TLS or HTTP.\n"
		"Open flows and those that are over, as far as the agent remembers\n"
		"(history.flows), are summed up by program; where it ran more than once PID says "
		"how\n"
		"often. SENT and RECV: by the program.\n\n"
		"Examples:\n"
		"  picket who example.org\n"
		"  picket who '*.example.*'\n"
		"  picket who 192.0.2.7\n"
		"  picket who 22\n",
};
