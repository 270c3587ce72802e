/* SPDX-License-Identifier: Apache-2.0 */
/* `picket list test`: what a file would have cut. */
#include "base/cleanup.h"
#include "base/escape.h"
#include "client.h"
#include "command.h"
#include "entry.h"
#include "list_file.h"
#include "outcome.h"
#include "table.h"

#include <picket/api.h>
#include <string.h>

static void v_flows(struct pk_buf *out, json_t *e, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(e, "flows"));
}

static void v_bytes(struct pk_buf *out, json_t *e, bool human)
{
	if (human)
		pk_human_bytes(out, pk_json_num(e, "bytes"));
	else
		pk_buf_fmt(out, "%.0f", pk_json_num(e, "bytes"));
}

static void v_example(struct pk_buf *out, json_t *e, bool human)
{
	json_t *x = json_array_get(json_object_get(e, "examples"), 0);

	(void)human;
	if (!x)
		return;
	if (*pk_json_text(x, "process"))
		pk_buf_fmt(out, "%s ", pk_json_text(x, "process"));
	pk_buf_fmt(out, "%s %s", pk_json_text(x, "protocol"), pk_json_text(x, "src"));
	if (pk_json_num(x, "src_port") > 0)
		pk_buf_fmt(out, " port %.0f", pk_json_num(x, "src_port"));
	pk_buf_fmt(out, " to %s", pk_json_text(x, "dst"));
	if (pk_json_num(x, "dst_port") > 0)
		pk_buf_fmt(out, " port %.0f", pk_json_num(x, "dst_port"));
}

static const struct pk_column cut[] = {
	{ "PREFIX", 20, false, false, pk_v_prefix }, { "FLOWS", 6, true, false, v_flows },
	{ "BYTES", 5, true, false, v_bytes },        { "REASON", 16, false, false, pk_v_reason },
	{ "EXAMPLE", 24, false, true, v_example },
};

static void print_test(struct pk_list_file *l, json_t *a)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	json_t *rows = json_object_get(a, "cut"), *e;
	struct pk_table t;
	size_t i;

	if (l->format == PK_FORMAT_TABLE) {
		pk_buf_fmt(&out, "%.0f of %.0f flows would have been cut, ",
			   pk_json_num(a, "flows_cut"), pk_json_num(a, "span.flows"));
		pk_human_bytes(&out, pk_json_num(a, "bytes_cut"));
		pk_buf_fmt(&out, "B; %.0f entries\n  flows since ", pk_json_num(a, "entries"));
		pk_entry_time(&out, (json_int_t)pk_json_num(a, "span.from"));
		if (!json_is_true(pk_json_at(a, "span.whole")))
			pk_buf_str(&out, ": the agent remembers no further back");
		pk_buf_char(&out, '\n');
		if (pk_json_num(a, "spared.safe") > 0)
			pk_buf_fmt(&out, "  %.0f flows are spared: they are with safe addresses\n",
				   pk_json_num(a, "spared.safe"));
		if (pk_json_num(a, "spared.allowed") > 0)
			pk_buf_fmt(&out, "  %.0f flows are spared by allow lists\n",
				   pk_json_num(a, "spared.allowed"));
	}
	pk_table_init(&t, cut, PK_ARRAY_SIZE(cut), l->format);
	json_array_foreach(rows, i, e) pk_table_row(&t, &out, e);
	pk_outcome_flush(&out);
	pk_outcome_skipped(pk_list_file_shown(l), a);
}

static int run_test(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_list_file_done) struct pk_list_file l = {};
	json_t *answer = NULL;
	int r = pk_list_file_args(self, &l, argc, argv);

	if (r)
		return pk_command_misused(self);
	if (l.help) {
		pk_command_usage(self, stdout);
		return 0;
	}
	r = pk_list_file_send(&l, "POST", PK_API_LISTS_TEST, &answer);
	if (!r)
		print_test(&l, answer);
	json_decref(answer);
	return r;
}

static const struct option test_options[] = {
	PK_LF_READING,
	{ "against", required_argument, NULL, PK_LF_AGAINST },
	PK_LF_ENDING,
};

const struct pk_command pk_cmd_list_test = {
	.name = "list test",
	.what = "which remembered flows a file would have cut, before it is loaded",
	.usage = "list test [OPTION]... FILE|-",
	.options = test_options,
	.run = run_test,
	.help = "      --against TIME   flows of the last 24h (the default), 10m, 7d: as far as\n"
		"                       the agent remembers (history.flows)\n" PK_LF_HELP
		"  -o, --output F       table, json or csv\n"
		"  -h, --help           this text\n\n"
		"Examples:\n"
		"  picket list test drop.txt\n"
		"  picket list test --against 1h --format csv --column ip feed.csv\n",
};
