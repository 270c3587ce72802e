/* SPDX-License-Identifier: Apache-2.0 */
/* `picket rule ls`: the Sigma rules that the agent has loaded. */
#include "base/cleanup.h"
#include "list.h"
#include "rule.h"
#include "show.h"

#include <picket/api.h>
#include <string.h>

static void v_name(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "name"));
}

static void v_title(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "title"));
}

static void v_level(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "level"));
}

/* As its author calls it: stable, test, experimental. */
static void v_status(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "status"));
}

static void v_state(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, !json_is_true(json_object_get(r, "runs"))   ? "not run"
			: json_is_true(json_object_get(r, "muted")) ? "muted"
								    : "runs");
}

static void v_hits(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(r, "hits"));
}

static void v_last_hit(struct pk_buf *out, json_t *r, bool human)
{
	json_int_t ms = json_integer_value(json_object_get(r, "last_hit"));

	if (human && ms)
		pk_show_clock(out, ms);
	else if (human)
		pk_buf_char(out, '-');
	else
		pk_buf_fmt(out, "%lld", (long long)ms);
}

static void v_file(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "file"));
}

static const struct pk_column columns[] = {
	{ "NAME", 36, false, false, v_name },    { "LEVEL", 8, false, false, v_level },
	{ "STATUS", 8, false, false, v_status }, { "STATE", 7, false, false, v_state },
	{ "HITS", 5, true, false, v_hits },      { "LAST_HIT", 8, false, false, v_last_hit },
	{ "TITLE", 24, false, false, v_title },  { "FILE", 20, false, true, v_file },
};

static int run(const struct pk_command *self, int argc, char **argv)
{
	static const struct pk_list list = {
		.path = PK_API_RULES,
		.member = "rules",
		.col = columns,
		.n = PK_ARRAY_SIZE(columns),
		.oldest_first = true,
	};

	return pk_list_run(self, &list, argc, argv);
}

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_rule_ls = {
	.name = "rule ls",
	.what = "rules the agent has loaded: which run, how often each matched, when last",
	.usage = "rule ls [OPTION]...",
	.options = options,
	.run = run,
	.help = "NAME is the rule's id, or its title where it has none: what `picket mute` and "
		"alerts call it.\n"
		"STATUS is what its author says, STATE what it does here; -o json says why a rule "
		"does not\n"
		"run. Hits are since the start, suppressed ones too.\n\n"
		"  -o, --output F   table, json (one rule a line) or csv\n"
		"  -h, --help       this text\n\n"
		"Examples:\n"
		"  picket rule ls\n"
		"  picket rule ls -o json | jq 'select(.runs | not).problem'\n",
};
