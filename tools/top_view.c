/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of the live lists. Rows are those of /v1/live. */
#include "top_view.h"

#include "base/cleanup.h"

#include <string.h>

static void endpoint(struct pk_buf *out, json_t *r, const char *ip_name, const char *port_name)
{
	const char *ip = pk_json_text(r, ip_name);
	json_t *port = json_object_get(r, port_name);

	if (!port)
		pk_buf_str(out, ip);
	else
		pk_buf_fmt(out, strchr(ip, ':') ? "[%s]:%lld" : "%s:%lld", ip,
			   (long long)json_integer_value(port));
}

static void v_src(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	endpoint(out, r, "src", "src_port");
}

static void v_dst(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	endpoint(out, r, "dst", "dst_port");
}

static void v_proto(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "protocol"));
}

static void v_dir(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "direction"));
}

static void v_name(struct pk_buf *out, json_t *r, bool human)
{
	json_t *s = json_object_get(r, "name");

	(void)human;
	if (json_string_length(s))
		pk_buf_add(out, json_string_value(s), json_string_length(s));
	else
		pk_buf_char(out, '-');
}

static void v_pid(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	if (json_object_get(r, "pid"))
		pk_buf_fmt(out, "%.0f", pk_json_num(r, "pid"));
}

static void v_user(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "user"));
}

static void v_container(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "container"));
}

static void v_iface(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "iface"));
}

static void bytes(struct pk_buf *out, json_t *r, const char *name)
{
	double n = pk_json_num(r, name);

	if (n > 0)
		pk_human_bytes(out, n);
	else
		pk_buf_char(out, '-');
}

static void v_rate_out(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	bytes(out, r, "rate_out");
}

static void v_rate_in(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	bytes(out, r, "rate_in");
}

static void v_rate(struct pk_buf *out, json_t *r, bool human)
{
	double n = pk_json_num(r, "rate_out") + pk_json_num(r, "rate_in");

	(void)human;
	if (n > 0)
		pk_human_bytes(out, n);
	else
		pk_buf_char(out, '-');
}

static void v_out(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	bytes(out, r, "bytes_out");
}

static void v_in(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	bytes(out, r, "bytes_in");
}

static void v_flows(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(r, "flows"));
}

static void v_age(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_human_ms(out, pk_json_num(r, "age_ms"));
}

static void v_rtt(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	if (pk_json_num(r, "rtt_us") > 0)
		pk_buf_fmt(out, "%.1f", pk_json_num(r, "rtt_us") / 1000);
}

static void v_retrans(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	if (pk_json_num(r, "retransmits") > 0)
		pk_buf_fmt(out, "%.0f", pk_json_num(r, "retransmits"));
}

static void v_ip(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_str(out, pk_json_text(r, "ip"));
}

static void v_port(struct pk_buf *out, json_t *r, bool human)
{
	(void)human;
	pk_buf_fmt(out, "%.0f", pk_json_num(r, "port"));
}

#define RATES                                                                                      \
	{ { "RATE/s", 7, true, false, v_rate }, 0, "rate", false },                                \
		{ { "SENT/s", 7, true, false, v_rate_out }, 90, "rate_out", false },               \
	{                                                                                          \
		{ "RECV/s", 7, true, false, v_rate_in }, 90, "rate_in", false                      \
	}
#define TOTALS(from)                                                                               \
	{ { "SENT", 6, true, false, v_out }, from, "bytes_out", false },                           \
	{                                                                                          \
		{ "RECV", 6, true, false, v_in }, from, "bytes_in", false                          \
	}

static const struct pk_top_column flows[] = {
	{ { "PROCESS", 8, false, true, v_name }, 0, "name", true },
	{ { "PID", 7, true, false, v_pid }, 100, "pid", false },
	{ { "USER", 8, false, false, v_user }, 120, "user", true },
	{ { "CONTAINER", 12, false, false, v_container }, 190, "container", true },
	{ { "PROTO", 6, false, false, v_proto }, 60, "protocol", true },
	{ { "DIR", 5, false, false, v_dir }, 150, "direction", true },
	{ { "IFACE", 8, false, false, v_iface }, 165, "iface", true },
	{ { "FROM", 21, false, false, v_src }, 62, "src", true },
	{ { "TO", 21, false, false, v_dst }, 0, "dst", true },
	RATES,
	TOTALS(118),
	{ { "AGE", 6, true, false, v_age }, 100, "age_ms", false },
	{ { "RTT ms", 7, true, false, v_rtt }, 180, "rtt_us", false },
	{ { "RETRANS", 8, true, false, v_retrans }, 200, "retransmits", false },
};

static const struct pk_top_column processes[] = {
	{ { "PID", 7, true, false, v_pid }, 0, "pid", false },
	{ { "PROCESS", 8, false, true, v_name }, 0, "name", true },
	{ { "USER", 10, false, false, v_user }, 60, "user", true },
	{ { "CONTAINER", 14, false, false, v_container }, 100, "container", true },
	{ { "FLOWS", 7, true, false, v_flows }, 0, "flows", false },
	RATES,
	TOTALS(60),
};

static const struct pk_top_column remotes[] = {
	{ { "ADDRESS", 15, false, true, v_ip }, 0, "ip", true },
	{ { "FLOWS", 7, true, false, v_flows }, 0, "flows", false },
	RATES,
	TOTALS(60),
};

static const struct pk_top_column ports[] = {
	{ { "PROTO", 8, false, true, v_proto }, 0, "protocol", true },
	{ { "PORT", 6, true, false, v_port }, 0, "port", false },
	{ { "FLOWS", 7, true, false, v_flows }, 0, "flows", false },
	RATES,
	TOTALS(60),
};

const struct pk_top_view pk_top_views[PK_TOP_VIEWS] = {
	{ "Flows", "flows", "/v1/flows/", flows, PK_ARRAY_SIZE(flows), 9 },
	{ "Processes", "processes", "/v1/processes/", processes, PK_ARRAY_SIZE(processes), 5 },
	{ "Remotes", "remotes", "", remotes, PK_ARRAY_SIZE(remotes), 2 },
	{ "Ports", "ports", "", ports, PK_ARRAY_SIZE(ports), 3 },
};

void pk_top_row_id(const struct pk_top_view *v, json_t *row, struct pk_buf *out)
{
	if (!strcmp(v->member, "flows"))
		pk_buf_str(out, pk_json_text(row, "id"));
	else if (!strcmp(v->member, "processes"))
		pk_buf_str(out, pk_json_text(row, "process"));
	else if (!strcmp(v->member, "remotes"))
		pk_buf_str(out, pk_json_text(row, "ip"));
	else
		pk_buf_fmt(out, "%s/%.0f", pk_json_text(row, "protocol"), pk_json_num(row, "port"));
}

/* "rate" is what goes both ways: what one looks for first. */
static double number(json_t *row, const char *member)
{
	if (!strcmp(member, "rate"))
		return pk_json_num(row, "rate_out") + pk_json_num(row, "rate_in");
	return pk_json_num(row, member);
}

int pk_top_compare(const struct pk_top_column *c, bool reverse, json_t *a, json_t *b)
{
	int r = 0;

	if (c->text) {
		r = strcmp(pk_json_text(a, c->sort), pk_json_text(b, c->sort));
	} else {
		double x = number(a, c->sort), y = number(b, c->sort);

		r = x < y ? 1 : x > y ? -1 : 0;
	}
	if (!r) {
		double x = pk_json_num(a, "bytes_out") + pk_json_num(a, "bytes_in");
		double y = pk_json_num(b, "bytes_out") + pk_json_num(b, "bytes_in");

		r = x < y ? 1 : x > y ? -1 : 0;
	}
	return reverse ? -r : r;
}
