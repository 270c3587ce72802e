/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of the live lists. Rows are those of /v1/live. */
#include "top_view.h"

#include "base/cleanup.h"
#include "entry.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define NEW_MS        5000
#define UNANSWERED_MS 3000

const char pk_top_mark_letter[PK_MARKS] = { ' ', '#', 'o', '!', '?', '.', '+' };

static void endpoint(struct pk_buf *out, json_t *r, const char *text, const char *port_name)
{
	json_t *port = json_object_get(r, port_name);

	if (!port)
		pk_buf_str(out, text);
	else
		pk_buf_fmt(out, strchr(text, ':') ? "[%s]:%lld" : "%s:%lld", text,
			   (long long)json_integer_value(port));
}

static void add(struct pk_buf *out, json_t *s)
{
	if (json_string_length(s))
		pk_buf_add(out, json_string_value(s), json_string_length(s));
	else
		pk_buf_char(out, '-');
}

#define TEXT(name, member)                                                                         \
	static void name(struct pk_buf *out, json_t *r, bool human)                                \
	{                                                                                          \
		(void)human;                                                                       \
		pk_buf_str(out, pk_json_text(r, member));                                          \
	}
#define COUNT(name, member)                                                                        \
	static void name(struct pk_buf *out, json_t *r, bool human)                                \
	{                                                                                          \
		(void)human;                                                                       \
		if (pk_json_num(r, member) > 0)                                                    \
			pk_buf_fmt(out, "%.0f", pk_json_num(r, member));                           \
	}
#define BYTES(name, member)                                                                        \
	static void name(struct pk_buf *out, json_t *r, bool human)                                \
	{                                                                                          \
		(void)human;                                                                       \
		if (pk_json_num(r, member) >= 0.5)                                                 \
			pk_human_bytes(out, pk_json_num(r, member));                               \
		else                                                                               \
			pk_buf_char(out, '-');                                                     \
	}

TEXT(v_proto, "protocol")
TEXT(v_user, "user")
TEXT(v_container, "container")
TEXT(v_iface, "iface")
TEXT(v_state, "state")
TEXT(v_app, "app")
TEXT(v_spark, "spark")
TEXT(v_kind, "kind")
TEXT(v_mode, "mode")
TEXT(v_list, "list")
TEXT(v_ip, "ip")
COUNT(v_pid, "pid")
COUNT(v_flows, "flows")
COUNT(v_retrans, "retransmits")
COUNT(v_port, "port")
COUNT(v_entries, "entries")
COUNT(v_packets, "packets")
COUNT(v_calls, "calls")
BYTES(v_rate_out, "rate_out")
BYTES(v_rate_in, "rate_in")
BYTES(v_out, "bytes_out")
BYTES(v_in, "bytes_in")
BYTES(v_sent, "sent")
BYTES(v_received, "received")
BYTES(v_bytes, "bytes")
BYTES(v_bytes_rate, "bytes_rate")
BYTES(v_packets_rate, "packets_rate")

static void v_mark(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_char(out, pk_top_mark_letter[pk_top_mark(r)]);
}

static void v_name(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	add(out, json_object_get(r, "name"));
}

/* The name in its place in the tree. */
static void v_branch(struct pk_buf *out, json_t *r, bool human)
{
	pk_buf_str(out, pk_json_text(r, "branch"));
	if (json_is_true(json_object_get(r, "folded")))
		pk_buf_fmt(out, "[+%.0f] ", pk_json_num(r, "below"));
	v_name(out, r, human);
}

static void v_way(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "way"));
}

static void v_src(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	endpoint(out, r, pk_json_text(r, "src"), "src_port");
}

static void v_dst(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	endpoint(out, r, pk_json_text(r, "dst"), "dst_port");
}

/* Who is at the other end: by name where one is known. */
static void v_with(struct pk_buf *out, json_t *r, bool human)
{
	const char *name = pk_json_text(r, "with");

	(void)human;
	endpoint(out, r, *name ? name : pk_json_text(r, "remote"), "remote_port");
	if (json_is_true(json_object_get(r, "more_remotes")))
		pk_buf_str(out, " ...");
}

static void v_remote(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "remote"));
	if (json_is_true(json_object_get(r, "more_remotes")))
		pk_buf_str(out, " ...");
}

static void v_by(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	add(out, json_object_get(r, "by"));
	if (json_is_true(json_object_get(r, "more_by")))
		pk_buf_str(out, " ...");
}

/* A remote's name, where it is not only its address. */
static void v_named(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "with"));
}

static void v_rate(struct pk_buf *out, json_t *r, bool human)
{
	double n = pk_json_num(r, "rate_out") + pk_json_num(r, "rate_in");

	(void)human;
	if (n >= 0.5)
		pk_human_bytes(out, n);
	else
		pk_buf_char(out, '-');
}

static void v_age(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_human_ms(out, pk_json_num(r, "age_ms"));
}

static void v_running(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_human_ms(out, pk_json_num(r, "running_ms"));
}

static void v_rtt(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	if (pk_json_num(r, "rtt_us") > 0)
		pk_buf_fmt(out, "%.1f", pk_json_num(r, "rtt_us") / 1000);
}

static void v_last_hit(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	if (json_object_get(r, "last_hit"))
		pk_entry_ago(out, json_integer_value(json_object_get(r, "last_hit")));
	else
		pk_buf_char(out, '-');
}

#define MARK                                                                                       \
	{                                                                                          \
		{ "", 1, false, false, v_mark }, 0, 0, 0, NULL, false, PK_ROLE_PLAIN               \
	}
#define RATE                                                                                       \
	{                                                                                          \
		{ "RATE/s", 7, true, false, v_rate }, 0, 0, 3, "rate", false, PK_ROLE_PLAIN        \
	}
#define RATES                                                                                         \
	RATE, { { "SENT/s", 7, true, false, v_rate_out }, 0, 0, 11, "rate_out", false, PK_ROLE_OUT }, \
	{                                                                                             \
		{ "RECV/s", 7, true, false, v_rate_in }, 0, 0, 11, "rate_in", false, PK_ROLE_IN       \
	}
#define TOTALS(sent, received, out, in)                                                            \
	{ { "SENT", 6, true, false, sent }, 0, 0, 5, out, false, PK_ROLE_OUT },                    \
	{                                                                                          \
		{ "RECV", 6, true, false, received }, 0, 0, 5, in, false, PK_ROLE_IN               \
	}
#define AGE                                                                                        \
	{                                                                                          \
		{ "AGE", 6, true, false, v_age }, 0, 0, 6, "age_ms", false, PK_ROLE_PLAIN          \
	}
#define FLOWS                                                                                      \
	{                                                                                          \
		{ "FLOWS", 6, true, false, v_flows }, 0, 0, 7, "flows", false, PK_ROLE_PLAIN       \
	}
#define BY(rank)                                                                                   \
	{                                                                                          \
		{ "BY", 8, false, true, v_by }, 16, 30, rank, "by", true, PK_ROLE_NAME             \
	}
#define SPARK(rank)                                                                                \
	{                                                                                          \
		{ "LAST 30s", 15, false, false, v_spark }, 0, 0, rank, NULL, false, PK_ROLE_FAINT  \
	}

static const struct pk_top_column flows[] = {
	MARK,
	{ { "PROCESS", 8, false, true, v_name }, 11, 24, 1, "name", true, PK_ROLE_NAME },
	{ { "PID", 7, true, false, v_pid }, 0, 0, 8, "pid", false, PK_ROLE_PLAIN },
	{ { "USER", 8, false, false, v_user }, 0, 0, 14, "user", true, PK_ROLE_PLAIN },
	{ { "CONTAINER", 12, false, false, v_container },
	  0,
	  0,
	  16,
	  "container",
	  true,
	  PK_ROLE_PLAIN },
	{ { "", 1, false, false, v_way }, 0, 0, 4, NULL, false, PK_ROLE_WAY },
	{ { "WITH", 15, false, true, v_with }, 24, 64, 2, "remote", true, PK_ROLE_NAME },
	{ { "APP", 5, false, false, v_app }, 0, 0, 9, "app", true, PK_ROLE_PLAIN },
	RATES,
	TOTALS(v_out, v_in, "bytes_out", "bytes_in"),
	AGE,
	SPARK(13),
	{ { "STATE", 10, false, false, v_state }, 0, 0, 15, "state", true, PK_ROLE_FAINT },
	{ { "FROM", 21, false, false, v_src }, 0, 0, 17, "src", true, PK_ROLE_FAINT },
	{ { "TO", 21, false, false, v_dst }, 0, 0, 18, "dst", true, PK_ROLE_FAINT },
	{ { "RTT ms", 6, true, false, v_rtt }, 0, 0, 19, "rtt_us", false, PK_ROLE_PLAIN },
	{ { "RETR", 5, true, false, v_retrans }, 0, 0, 20, "retransmits", false, PK_ROLE_PLAIN },
	{ { "IFACE", 8, false, false, v_iface }, 0, 0, 21, "iface", true, PK_ROLE_FAINT },
};

static const struct pk_top_column tree[] = {
	MARK,
	{ { "PID", 7, true, false, v_pid }, 0, 0, 4, "pid", false, PK_ROLE_PLAIN },
	{ { "PROCESS and what it began", 18, false, true, v_branch },
	  34,
	  90,
	  1,
	  "name",
	  true,
	  PK_ROLE_NAME },
	{ { "USER", 8, false, false, v_user }, 0, 0, 13, "user", true, PK_ROLE_PLAIN },
	{ { "CONTAINER", 12, false, false, v_container },
	  0,
	  0,
	  15,
	  "container",
	  true,
	  PK_ROLE_PLAIN },
	FLOWS,
	RATES,
	TOTALS(v_out, v_in, "bytes_out", "bytes_in"),
	{ { "RUNS", 6, true, false, v_running }, 0, 0, 9, "running_ms", false, PK_ROLE_PLAIN },
	SPARK(14),
};

static const struct pk_top_column processes[] = {
	MARK,
	{ { "PROCESS", 8, false, true, v_name }, 12, 30, 1, "name", true, PK_ROLE_NAME },
	{ { "PID", 7, true, false, v_pid }, 0, 0, 4, "pid", false, PK_ROLE_PLAIN },
	{ { "USER", 8, false, false, v_user }, 0, 0, 13, "user", true, PK_ROLE_PLAIN },
	{ { "CONTAINER", 12, false, false, v_container },
	  0,
	  0,
	  14,
	  "container",
	  true,
	  PK_ROLE_PLAIN },
	{ { "MOSTLY WITH", 12, false, true, v_with }, 18, 48, 8, "remote", true, PK_ROLE_NAME },
	FLOWS,
	RATES,
	TOTALS(v_sent, v_received, "sent", "received"),
	{ { "RUNS", 6, true, false, v_running }, 0, 0, 9, "running_ms", false, PK_ROLE_PLAIN },
	SPARK(15),
};

static const struct pk_top_column names[] = {
	MARK,
	{ { "NAME", 15, false, true, v_name }, 26, 64, 1, "name", true, PK_ROLE_NAME },
	BY(4),
	FLOWS,
	RATES,
	TOTALS(v_out, v_in, "bytes_out", "bytes_in"),
	AGE,
	{ { "APP", 5, false, false, v_app }, 0, 0, 13, "app", true, PK_ROLE_PLAIN },
	{ { "ADDRESS", 17, false, true, v_remote }, 0, 40, 14, "remote", true, PK_ROLE_FAINT },
	SPARK(15),
};

static const struct pk_top_column remotes[] = {
	MARK,
	{ { "ADDRESS", 15, false, true, v_ip }, 19, 40, 1, "ip", true, PK_ROLE_NAME },
	{ { "NAME", 12, false, true, v_named }, 20, 64, 13, "with", true, PK_ROLE_NAME },
	BY(4),
	FLOWS,
	RATES,
	TOTALS(v_out, v_in, "bytes_out", "bytes_in"),
	AGE,
	SPARK(14),
};

static const struct pk_top_column containers[] = {
	MARK,
	{ { "CONTAINER or service", 14, false, true, v_name },
	  24,
	  48,
	  1,
	  "name",
	  true,
	  PK_ROLE_NAME },
	{ { "KIND", 10, false, false, v_kind }, 0, 0, 9, "kind", true, PK_ROLE_PLAIN },
	BY(8),
	{ { "MOSTLY WITH", 12, false, true, v_with }, 18, 48, 13, "remote", true, PK_ROLE_NAME },
	FLOWS,
	RATES,
	TOTALS(v_out, v_in, "bytes_out", "bytes_in"),
	AGE,
	SPARK(14),
};

static const struct pk_top_column apps[] = {
	MARK,
	{ { "APP", 8, false, true, v_app }, 10, 24, 1, "app", true, PK_ROLE_NAME },
	{ { "OVER", 6, false, false, v_proto }, 0, 0, 4, "protocol", true, PK_ROLE_PLAIN },
	BY(4),
	FLOWS,
	RATES,
	TOTALS(v_out, v_in, "bytes_out", "bytes_in"),
	AGE,
	SPARK(14),
};

static const struct pk_top_column ports[] = {
	MARK,
	{ { "PROTO", 6, false, false, v_proto }, 0, 0, 1, "protocol", true, PK_ROLE_NAME },
	{ { "PORT", 6, true, false, v_port }, 0, 0, 2, "port", false, PK_ROLE_NAME },
	{ { "APP", 5, false, true, v_app }, 8, 16, 9, "app", true, PK_ROLE_PLAIN },
	BY(4),
	FLOWS,
	RATES,
	TOTALS(v_out, v_in, "bytes_out", "bytes_in"),
	AGE,
	SPARK(14),
};

static const struct pk_top_column lists[] = {
	MARK,
	{ { "LIST", 12, false, true, v_list }, 24, 48, 1, "list", true, PK_ROLE_NAME },
	{ { "KIND", 5, false, false, v_kind }, 0, 0, 5, "kind", true, PK_ROLE_PLAIN },
	{ { "MODE", 8, false, false, v_mode }, 0, 0, 4, "mode", true, PK_ROLE_PLAIN },
	{ { "ENTRIES", 8, true, false, v_entries }, 0, 0, 6, "entries", false, PK_ROLE_PLAIN },
	{ { "HITS/s", 7, true, false, v_packets_rate },
	  0,
	  0,
	  3,
	  "packets_rate",
	  false,
	  PK_ROLE_PLAIN },
	{ { "BYTE/s", 7, true, false, v_bytes_rate }, 0, 0, 7, "bytes_rate", false, PK_ROLE_PLAIN },
	{ { "PACKETS", 9, true, false, v_packets }, 0, 0, 2, "packets", false, PK_ROLE_PLAIN },
	{ { "BYTES", 6, true, false, v_bytes }, 0, 0, 8, "bytes", false, PK_ROLE_PLAIN },
	{ { "CALLS", 7, true, false, v_calls }, 0, 0, 11, "calls", false, PK_ROLE_PLAIN },
	{ { "LAST HIT", 12, true, false, v_last_hit }, 0, 0, 9, "last_hit", false, PK_ROLE_PLAIN },
	SPARK(14),
};

const struct pk_top_view pk_top_views[PK_TOP_VIEWS] = {
	[PK_VIEW_FLOWS] = { "Flows", "flows", flows, PK_ARRAY_SIZE(flows), 8 },
	[PK_VIEW_TREE] = { "Tree", "tree", tree, PK_ARRAY_SIZE(tree), 6 },
	[PK_VIEW_PROCESSES] = { "Procs", "processes", processes, PK_ARRAY_SIZE(processes), 7 },
	[PK_VIEW_NAMES] = { "Names", "names", names, PK_ARRAY_SIZE(names), 4 },
	[PK_VIEW_REMOTES] = { "Remotes", "remotes", remotes, PK_ARRAY_SIZE(remotes), 5 },
	[PK_VIEW_CONTAINERS] = { "Containers", "containers", containers, PK_ARRAY_SIZE(containers),
				 6 },
	[PK_VIEW_APPS] = { "Apps", "apps", apps, PK_ARRAY_SIZE(apps), 5 },
	[PK_VIEW_PORTS] = { "Ports", "ports", ports, PK_ARRAY_SIZE(ports), 6 },
	[PK_VIEW_LISTS] = { "Lists", "lists", lists, PK_ARRAY_SIZE(lists), 5 },
};

int pk_top_view_find(const char *name, size_t *ret_view)
{
	for (size_t i = 0; i < PK_TOP_VIEWS; i++)
		if (!strcasecmp(pk_top_views[i].name, name) ||
		    !strcmp(pk_top_views[i].member, name)) {
			*ret_view = i;
			return 0;
		}
	return -ENOENT;
}

int pk_top_column_find(const struct pk_top_view *v, const char *title, size_t *ret_column)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->col[i].sort && !strcasecmp(v->col[i].c.title, title)) {
			*ret_column = i;
			return 0;
		}
	return -ENOENT;
}

void pk_top_row_id(size_t view, json_t *row, struct pk_buf *out)
{
	static const char *const member[PK_TOP_VIEWS] = {
		[PK_VIEW_FLOWS] = "id",          [PK_VIEW_TREE] = "process",
		[PK_VIEW_PROCESSES] = "process", [PK_VIEW_NAMES] = "name",
		[PK_VIEW_REMOTES] = "ip",        [PK_VIEW_CONTAINERS] = "name",
		[PK_VIEW_APPS] = "app",          [PK_VIEW_PORTS] = "port",
		[PK_VIEW_LISTS] = "list",
	};

	if (view == PK_VIEW_PORTS)
		pk_buf_fmt(out, "%s/%.0f", pk_json_text(row, "protocol"), pk_json_num(row, "port"));
	else if (view == PK_VIEW_APPS)
		pk_buf_fmt(out, "%s/%s", pk_json_text(row, "protocol"), pk_json_text(row, "app"));
	else
		pk_buf_str(out, pk_json_text(row, member[view]));
}

/* "rate" is what goes both ways: what one looks for first. */
static double number(json_t *row, const char *member)
{
	if (!strcmp(member, "rate"))
		return pk_json_num(row, "rate_out") + pk_json_num(row, "rate_in");
	return pk_json_num(row, member);
}

static int by_number(double x, double y)
{
	return x < y ? 1 : x > y ? -1 : 0;
}

static int is_over(json_t *row)
{
	return !strcmp(pk_json_text(row, "status"), "ended");
}

int pk_top_compare(const struct pk_top_column *c, bool reverse, json_t *a, json_t *b)
{
	int r = 0;

	if (c->text)
		r = strcmp(pk_json_text(a, c->sort), pk_json_text(b, c->sort));
	else if (c->sort)
		r = by_number(number(a, c->sort), number(b, c->sort));
	if (!r && !c->text) /* what is over has no rate; what is idle goes before it */
		r = is_over(a) - is_over(b);
	if (!r)
		r = by_number(pk_json_num(a, "bytes_out") + pk_json_num(a, "bytes_in"),
			      pk_json_num(b, "bytes_out") + pk_json_num(b, "bytes_in"));
	if (!r) /* rows that do not move keep their places */
		r = by_number(pk_json_num(a, "age_ms"), pk_json_num(b, "age_ms"));
	return reverse ? -r : r;
}

enum pk_top_mark pk_top_mark(json_t *row)
{
	const char *blocked = pk_json_text(row, "blocked");
	json_t *age = json_object_get(row, "running_ms"); /* of a process its own */

	if (!age)
		age = json_object_get(row, "age_ms");
	if (*blocked)
		return strcmp(blocked, "drop") ? PK_MARK_OBSERVED : PK_MARK_BLOCKED;
	if (json_is_true(json_object_get(row, "odd")))
		return PK_MARK_ODD;
	if (!strcmp(pk_json_text(row, "status"), "ended"))
		return PK_MARK_ENDED;
	if (!strcmp(pk_json_text(row, "state"), "unanswered") &&
	    json_number_value(age) > UNANSWERED_MS)
		return PK_MARK_UNANSWERED;
	return age && json_number_value(age) < NEW_MS ? PK_MARK_NEW : PK_MARK_NONE;
}
