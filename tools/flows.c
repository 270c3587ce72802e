/* SPDX-License-Identifier: Apache-2.0 */
/* `picket flows`: conversations with the process behind them. */
#include "base/cleanup.h"
#include "list.h"

#include <picket/api.h>
#include <string.h>
#include <time.h>

static void v_start(struct pk_buf *out, json_t *f, bool human)
{
	json_int_t ms = json_integer_value(json_object_get(f, "start_time"));
	time_t s = (time_t)(ms / 1000);
	char text[32] = "";
	struct tm tm;

	if (!human)
		pk_buf_fmt(out, "%lld", (long long)ms);
	else if (localtime_r(&s, &tm) && strftime(text, sizeof(text), "%H:%M:%S", &tm))
		pk_buf_str(out, text);
}

static void v_proto(struct pk_buf *out, json_t *f, bool human)
{
	const char *name = pk_json_text(f, "connection_info.protocol_name");

	(void)human;
	if (*name)
		pk_buf_str(out, name);
	else
		pk_buf_fmt(out, "%.0f", pk_json_num(f, "connection_info.protocol_num"));
}

static void v_dir(struct pk_buf *out, json_t *f, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(f, "unmapped.picket.direction"));
}

static void endpoint(struct pk_buf *out, json_t *e)
{
	const char *ip = pk_json_text(e, "ip");
	json_t *port = json_object_get(e, "port");

	if (!port)
		pk_buf_str(out, ip);
	else
		pk_buf_fmt(out, strchr(ip, ':') ? "[%s]:%lld" : "%s:%lld", ip,
			   (long long)json_integer_value(port));
}

static void v_src(struct pk_buf *out, json_t *f, bool human)
{
	(void)human;
	endpoint(out, json_object_get(f, "src_endpoint"));
}

static void v_dst(struct pk_buf *out, json_t *f, bool human)
{
	(void)human;
	endpoint(out, json_object_get(f, "dst_endpoint"));
}

static void v_app(struct pk_buf *out, json_t *f, bool human)
{
	const char *app = pk_json_text(f, "app_name");

	if (*app)
		pk_buf_str(out, app);
	else if (human)
		pk_buf_char(out, '-');
	if (human && json_is_true(pk_json_at(f, "unmapped.picket.app_odd")))
		pk_buf_char(out, '!');
}

/* What the far end goes by; with ! where its names contradict each other. */
static void v_name(struct pk_buf *out, json_t *f, bool human)
{
	const char *name = pk_json_text(f, "unmapped.picket.name");

	if (*name)
		pk_buf_str(out, name);
	else if (human)
		pk_buf_char(out, '-');
	if (human && pk_json_at(f, "unmapped.picket.name_conflict"))
		pk_buf_char(out, '!');
}

static void count(struct pk_buf *out, json_t *f, const char *path, bool human)
{
	if (human)
		pk_human_bytes(out, pk_json_num(f, path));
	else
		pk_buf_fmt(out, "%.0f", pk_json_num(f, path));
}

static void v_out(struct pk_buf *out, json_t *f, bool human)
{
	count(out, f, "traffic.bytes_out", human);
}

static void v_in(struct pk_buf *out, json_t *f, bool human)
{
	count(out, f, "traffic.bytes_in", human);
}

static void v_packets(struct pk_buf *out, json_t *f, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(f, "traffic.packets"));
}

static void v_status(struct pk_buf *out, json_t *f, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(f, "unmapped.picket.status"));
}

static bool is_kernel(json_t *f)
{
	return json_is_true(pk_json_at(f, "unmapped.picket.src.owner.kernel")) ||
	       json_is_true(pk_json_at(f, "unmapped.picket.dst.owner.kernel"));
}

static void v_pid(struct pk_buf *out, json_t *f, bool human)
{
	json_t *pid = pk_json_at(f, "actor.process.pid");

	if (pid)
		pk_buf_fmt(out, "%lld", (long long)json_integer_value(pid));
	else if (human)
		pk_buf_char(out, '-');
}

static void v_user(struct pk_buf *out, json_t *f, bool human)
{
	const char *name = pk_json_text(f, "actor.process.user.name");

	(void)human;
	pk_buf_str(out, *name ? name : pk_json_text(f, "actor.process.user.uid"));
}

static void v_container(struct pk_buf *out, json_t *f, bool human)
{
	const char *name = pk_json_text(f, "actor.process.container.name");
	const char *id = pk_json_text(f, "actor.process.container.uid");

	if (*name)
		pk_buf_str(out, name);
	else
		pk_buf_add(out, id, human && strlen(id) > 12 ? 12 : strlen(id));
}

static void v_command(struct pk_buf *out, json_t *f, bool human)
{
	json_t *cmd = pk_json_at(f, "actor.process.cmd_line");
	json_t *name = pk_json_at(f, "actor.process.name");

	if (!json_string_length(cmd))
		cmd = name;
	if (json_string_length(cmd))
		pk_buf_add(out, json_string_value(cmd), json_string_length(cmd));
	else if (is_kernel(f))
		pk_buf_str(out, "[kernel]");
	else if (human)
		pk_buf_char(out, '-');
}

static const struct pk_column columns[] = {
	{ "START", 8, false, false, v_start },      { "PROTO", 5, false, false, v_proto },
	{ "DIR", 5, false, false, v_dir },          { "SOURCE", 21, false, false, v_src },
	{ "DESTINATION", 21, false, false, v_dst }, { "NAME", 20, false, false, v_name },
	{ "APP", 4, false, false, v_app },          { "SENT", 5, true, false, v_out },
	{ "RECV", 5, true, false, v_in },           { "PKTS", 6, true, false, v_packets },
	{ "STATE", 5, false, false, v_status },     { "PID", 7, true, false, v_pid },
	{ "USER", 8, false, false, v_user },        { "CONTAINER", 12, false, false, v_container },
	{ "COMMAND", 16, false, true, v_command },
};

static int run(const struct pk_command *self, int argc, char **argv)
{
	static const struct pk_list list = {
		.path = PK_API_FLOWS,
		.stream = PK_API_FLOWS_STREAM,
		.member = "flows",
		.col = columns,
		.n = PK_ARRAY_SIZE(columns),
	};

	return pk_list_run(self, &list, argc, argv);
}

const struct pk_command pk_cmd_flows = {
	.name = "flows",
	.what = "list or follow flows with the process behind each",
	.usage = "flows [OPTION]... [FILTER]",
	.options = pk_list_options,
	.run = run,
	.help = "  -f, --follow     print each report as it comes, until Ctrl-C\n"
		"  -a, --all        ended flows that are remembered too\n"
		"      --since TIME those that ended since then and are kept on disk, also of "
		"agents\n"
		"                   that ran before (30m, 24h, 7d); with -n the latest of them. "
		"Kept\n"
		"                   are ends, totals, program, process, user id and name: a "
		"filter can\n"
		"                   ask for no direction, interface or container there\n"
		"  -n, --number N   at most N flows (1000), the most recently reported\n"
		"  -o, --output F   table, json (one OCSF 4001 record a line) or csv\n"
		"  -h, --help       this text\n\n"
		"FILTER is tcpdump's language and these words, joined by and, or, not and ( ):\n"
		"  proc NAME, exe GLOB, pid N, user NAME, container NAME, iface NAME, netns NAME,\n"
		"  dir in|out|local, state live|ended, bytes|packets|rate|age|rtt > N,\n"
		"  name GLOB (DNS, SNI or HTTP Host; .example.org: with all below it), sni GLOB,\n"
		"  app tls|quic|dns|http|ssh|..., ja4 GLOB, alpn GLOB, asn N|NAME, country DE\n\n"
		"NAME is what the far end goes by: its SNI, HTTP Host, or the name that its "
		"address\n"
		"was resolved from. A ! says that these contradict each other; in APP, that the\n"
		"protocol is not the one the port is for.\n\n"
		"Examples:\n"
		"  picket flows\n"
		"  picket flows --follow proc curl and dst port 443\n"
		"  picket flows -a name .example.org\n"
		"  picket flows --since 1h exe /usr/bin/curl\n"
		"  picket flows -a 'user www-data and not net 10.0.0.0/8'\n"
		"  picket flows -o json 'dir out and bytes > 1M' | jq .dst_endpoint.ip\n",
};
