/* SPDX-License-Identifier: Apache-2.0 */
/* `picket events`: what processes did. */
#include "base/cleanup.h"
#include "column.h"
#include "list.h"

#include <picket/api.h>
#include <string.h>

static void v_what(struct pk_buf *out, json_t *e, bool human)
{
	const char *act = pk_json_text(e, "unmapped.picket.act");
	const char *kind = pk_json_text(e, "unmapped.picket.kind");

	(void)human;
	if (*act)
		pk_buf_str(out, act);
	else if (*kind)
		pk_buf_str(out, kind);
	else
		pk_buf_str(out, pk_json_text(e, "activity_name"));
}

/* The process the event is about, else the one that acted. */
static json_t *subject(json_t *e)
{
	json_t *p = json_object_get(e, "process");

	return p ? p : pk_json_at(e, "actor.process");
}

static void v_pid(struct pk_buf *out, json_t *e, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(subject(e), "pid"));
}

static void v_user(struct pk_buf *out, json_t *e, bool human)
{
	const char *name = pk_json_text(subject(e), "user.name");

	(void)human;
	pk_buf_str(out, *name ? name : pk_json_text(subject(e), "user.uid"));
}

static void v_actor(struct pk_buf *out, json_t *e, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(e, "actor.process.name"));
}

/* "203.0.113.9 -> 10.0.0.1:22 (list drop, 203.0.113.0/24)", or with the name that was the cause:
 * "... sni www.evil.example (list ads, evil.example)". */
static void verdict(struct pk_buf *out, json_t *e)
{
	double port = pk_json_num(e, "dst_endpoint.port");
	const char *name = pk_json_text(e, "unmapped.picket.name");
	const char *asked = pk_json_text(e, "query.hostname");
	const char *carried = pk_json_text(e, "unmapped.picket.carried");
	const char *reason = pk_json_text(e, "unmapped.picket.reason");

	pk_buf_fmt(out, "%s%s -> %s", out->len ? "  " : "", pk_json_text(e, "src_endpoint.ip"),
		   pk_json_text(e, "dst_endpoint.ip"));
	if (port > 0)
		pk_buf_fmt(out, " port %.0f", port);
	if (*asked)
		pk_buf_fmt(out, " asks for %s", asked);
	else if (*carried)
		pk_buf_fmt(out, " %s %s", pk_json_text(e, "unmapped.picket.where"), carried);
	pk_buf_fmt(out, " (list %s, %s%s%s)", pk_json_text(e, "unmapped.picket.list"),
		   *name ? name : pk_json_text(e, "unmapped.picket.prefix"), *reason ? ": " : "",
		   reason);
}

static void v_detail(struct pk_buf *out, json_t *e, bool human)
{
	json_t *cmd = json_object_get(subject(e), "cmd_line"), *code;

	(void)human;
	if (!json_string_length(cmd))
		cmd = json_object_get(subject(e), "name");
	if (json_string_length(cmd))
		pk_buf_add(out, json_string_value(cmd), json_string_length(cmd));
	code = json_object_get(e, "exit_code");
	if (code)
		pk_buf_fmt(out, "  (exit %lld)", (long long)json_integer_value(code));
	if (json_object_get(e, "disposition")) {
		verdict(out, e);
		return;
	}
	if (json_object_get(e, "dst_endpoint"))
		pk_buf_fmt(out, "  %s port %.0f", pk_json_text(e, "dst_endpoint.ip"),
			   pk_json_num(e, "dst_endpoint.port"));
}

static const struct pk_column columns[] = {
	{ "TIME", 12, false, false, pk_column_time },
	{ "EVENT", 14, false, false, v_what },
	{ "PID", 7, true, false, v_pid },
	{ "USER", 10, false, false, v_user },
	{ "BY", 15, false, false, v_actor },
	{ "DETAIL", 24, false, true, v_detail },
};

static int run(const struct pk_command *self, int argc, char **argv)
{
	static const struct pk_list list = {
		.path = PK_API_EVENTS,
		.stream = PK_API_EVENTS_STREAM,
		.member = "events",
		.col = columns,
		.n = PK_ARRAY_SIZE(columns),
		.oldest_first = true,
	};

	return pk_list_run(self, &list, argc, argv);
}

const struct pk_command pk_cmd_events = {
	.name = "events",
	.what = "list or follow what processes do",
	.usage = "events [OPTION]... [FILTER]",
	.options = pk_list_options_log,
	.run = run,
	.help = "  -f, --follow     print each event as it comes, until Ctrl-C\n"
		"  -n, --number N   at most N events (1000), the latest\n"
		"  -o, --output F   table, json (one OCSF record a line) or csv\n"
		"  -h, --help       this text\n\n"
		"Events are program starts and ends, sockets that listen, and the acts that matter "
		"to\n"
		"a network sensor: memfd, ptrace, raw and packet sockets, io_uring, bpf, setns, "
		"...\n\n"
		"Examples:\n"
		"  picket events\n"
		"  picket events --follow user www-data\n"
		"  picket events -o json -n 50 proc sshd\n",
};
