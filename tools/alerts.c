/* SPDX-License-Identifier: Apache-2.0 */
/* `picket alerts`: what looks like an attack; `picket detectors`: what is looked for. */
#include "alerts.h"

#include "base/cleanup.h"
#include "client.h"
#include "column.h"
#include "incident_show.h"
#include "list.h"
#include "outcome.h"

#include <picket/api.h>
#include <string.h>

static void v_severity(struct pk_buf *out, json_t *a, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(a, "severity"));
}

static void v_count(struct pk_buf *out, json_t *a, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(a, "count"));
}

static void v_rule(struct pk_buf *out, json_t *a, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(a, "finding_info.title"));
}

static void v_techniques(struct pk_buf *out, json_t *a, bool human)
{
	json_t *attacks = pk_json_at(a, "finding_info.attacks"), *attack;
	size_t i;

	(void)human;
	json_array_foreach(attacks, i, attack)
	{
		if (i)
			pk_buf_char(out, ',');
		pk_buf_str(out, pk_json_text(attack, "technique.uid"));
	}
}

/* Of the first evidence that has this object. */
static json_t *evidence(json_t *a, const char *path)
{
	json_t *all = json_object_get(a, "evidences"), *e, *v;
	size_t i;

	json_array_foreach(all, i, e)
	{
		v = pk_json_at(e, path);
		if (v)
			return v;
	}
	return NULL;
}

static void v_program(struct pk_buf *out, json_t *a, bool human)
{
	json_t *p = evidence(a, "process");

	if (p)
		pk_buf_fmt(out, "%s(%.0f)", pk_json_text(p, "name"), pk_json_num(p, "pid"));
	else if (human)
		pk_buf_char(out, '-');
}

static void v_remote(struct pk_buf *out, json_t *a, bool human)
{
	const char *remote = pk_json_text(a, "unmapped.picket.remote");

	pk_buf_str(out, *remote || !human ? remote : "-");
}

static void v_message(struct pk_buf *out, json_t *a, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(a, "message"));
}

const struct pk_column pk_alert_columns[] = {
	{ "TIME", 12, false, false, pk_column_time }, { "SEVERITY", 8, false, false, v_severity },
	{ "COUNT", 5, true, false, v_count },         { "WHAT", 20, false, false, v_rule },
	{ "ATT&CK", 9, false, false, v_techniques },  { "PROCESS", 16, false, false, v_program },
	{ "REMOTE", 15, false, false, v_remote },     { "MEANS", 24, false, true, v_message },
};
const size_t pk_alert_columns_n = PK_ARRAY_SIZE(pk_alert_columns);

static int run_show(const struct pk_command *self, int argc, char **argv)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	_cleanup_free_ char *path = NULL;
	struct pk_client client;
	json_t *a = NULL;
	int r;

	if (argc != 2 ||
	    strspn(argv[1], "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(argv[1]))
		return pk_command_misused(self);
	if (asprintf(&path, "%s/%s", PK_API_ALERTS, argv[1]) < 0)
		return 1;
	pk_client_init(&client, NULL);
	r = pk_client_get(&client, path, NULL, &a);
	if (r)
		return r;
	pk_alert_show(&out, a);
	pk_outcome_flush(&out);
	json_decref(a);
	return 0;
}

static int run_alerts(const struct pk_command *self, int argc, char **argv)
{
	static const struct pk_list list = {
		.path = PK_API_ALERTS,
		.stream = PK_API_ALERTS_STREAM,
		.member = "alerts",
		.col = pk_alert_columns,
		.n = PK_ARRAY_SIZE(pk_alert_columns),
		.oldest_first = true,
	};

	if (argc >= 2 && strcmp(argv[1], "show") == 0)
		return run_show(self, argc - 1, argv + 1);
	return pk_list_run(self, &list, argc, argv);
}

const struct pk_command pk_cmd_alerts = {
	.name = "alerts",
	.what = "list or follow what looks like an attack",
	.usage = "alerts [OPTION]... [FILTER]\n"
		 "       picket alerts show ID",
	.options = pk_list_options_alerts,
	.run = run_alerts,
	.help = "  -f, --follow     print each alert as it is found, and again as it grows, until "
		"Ctrl-C\n"
		"      --since TIME all that were found since then and are kept on disk, also by "
		"agents\n"
		"                   that ran before (30m, 24h, 7d); with -n the latest of them\n"
		"      --muted      those that are suppressed, which are not shown else\n"
		"  -n, --number N   at most N alerts (1000), the latest\n"
		"  -o, --output F   table, json (one OCSF Detection Finding a line) or csv\n"
		"  -h, --help       this text\n\n"
		"An alert says what was seen in plain words, with its ATT&CK technique, the "
		"processes "
		"and\n"
		"flows that show it, what else it may be and what to do next (-o json has it all). "
		"The\n"
		"same again is counted, not repeated. `picket detectors` lists what is looked "
		"for.\n"
		"`picket alerts show ID` tells all about one.\n\n"
		"Examples:\n"
		"  picket alerts\n"
		"  picket alerts --follow user www-data\n"
		"  picket alerts --since 24h\n"
		"  picket alerts --muted\n"
		"  picket alerts -o json -n 1 | jq '.message, .finding_info.desc, .remediation'\n",
};

static void v_name(struct pk_buf *out, json_t *d, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(d, "name"));
}

static void v_on(struct pk_buf *out, json_t *d, bool human)
{
	(void)human;
	pk_buf_str(out, json_is_true(json_object_get(d, "on")) ? "on" : "off");
}

static void v_of(struct pk_buf *out, json_t *d, bool human)
{
	(void)human;
	pk_column_strings(out, d, "techniques");
}

static void v_found(struct pk_buf *out, json_t *d, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(d, "found"));
}

static void v_memory(struct pk_buf *out, json_t *d, bool human)
{
	double max = pk_json_num(d, "bytes_max");

	if (human && max <= 0)
		pk_buf_char(out, '-');
	else if (human)
		pk_buf_fmt(out, "%.0f/%.0fK", pk_json_num(d, "bytes") / 1024, max / 1024);
	else
		pk_buf_fmt(out, "%.0f", pk_json_num(d, "bytes"));
}

static void v_evicted(struct pk_buf *out, json_t *d, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(d, "evicted"));
}

static void v_refused(struct pk_buf *out, json_t *d, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(d, "refused"));
}

static void v_doubt(struct pk_buf *out, json_t *d, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(d, "false_positives"));
}

static const struct pk_column detector_columns[] = {
	{ "DETECTOR", 20, false, false, v_name },    { "STATE", 5, false, false, v_on },
	{ "SEVERITY", 8, false, false, v_severity }, { "ATT&CK", 19, false, false, v_of },
	{ "FOUND", 6, true, false, v_found },        { "MEMORY", 12, true, false, v_memory },
	{ "EVICTED", 7, true, false, v_evicted },    { "REFUSED", 7, true, false, v_refused },
	{ "MAY ALSO BE", 24, false, true, v_doubt },
};

static int run_detectors(const struct pk_command *self, int argc, char **argv)
{
	static const struct pk_list list = {
		.path = PK_API_DETECTORS,
		.member = "detectors",
		.col = detector_columns,
		.n = PK_ARRAY_SIZE(detector_columns),
		.oldest_first = true,
	};

	return pk_list_run(self, &list, argc, argv);
}

static const struct option detector_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_detectors = {
	.name = "detectors",
	.what = "list what is looked for, with memory and false positives to expect",
	.usage = "detectors [OPTION]...",
	.options = detector_options,
	.run = run_detectors,
	.help = "  -o, --output F   table, json (one detector a line) or csv\n"
		"  -h, --help       this text\n\n"
		"Each is turned off by its name in detect.off; thresholds are the keys of section "
		"detect\n"
		"that begin with it. EVICTED: what it remembered and let go for something else;\n"
		"REFUSED: what came too seldom to be remembered while its memory was full.\n\n"
		"Examples:\n"
		"  picket detectors\n"
		"  picket detectors -o json | jq -r 'select(.found > 0).name'\n",
};
