/* SPDX-License-Identifier: Apache-2.0 */
/* The story of one flow or one process, as lines. */
#include "top_view.h"

#include "base/cleanup.h"
#include "base/escape.h"

#include <string.h>
#include <time.h>

static void text(struct pk_buf *out, const char *s)
{
	pk_escape_text(out, s, strlen(s));
}

static void line(struct pk_buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	pk_buf_fmt(out, "  %-12s ", name);
	text(out, value);
	pk_buf_char(out, '\n');
}

static void when(struct pk_buf *out, const char *name, double ms)
{
	time_t s = (time_t)(ms / 1000);
	char t[32] = "";
	struct tm tm;

	if (ms > 0 && localtime_r(&s, &tm) && strftime(t, sizeof(t), "%F %H:%M:%S", &tm))
		line(out, name, t);
}

static void process_line(struct pk_buf *out, json_t *p, unsigned depth)
{
	const char *cmd = pk_json_text(p, "cmd_line");

	pk_buf_fmt(out, "  %*s", (int)depth * 2, "");
	pk_buf_fmt(out, "%.0f ", pk_json_num(p, "pid"));
	text(out, *cmd ? cmd : pk_json_text(p, "name"));
	if (*pk_json_text(p, "user.name")) {
		pk_buf_str(out, "  (");
		text(out, pk_json_text(p, "user.name"));
		pk_buf_char(out, ')');
	}
	pk_buf_char(out, '\n');
}

/* Root first, as it grew. */
static void tree(struct pk_buf *out, json_t *list)
{
	size_t n = json_array_size(list);

	if (n)
		pk_buf_str(out, "\nProcess tree\n");
	for (size_t i = 0; i < n; i++)
		process_line(out, json_array_get(list, n - 1 - i), (unsigned)i);
}

static void process_facts(struct pk_buf *out, json_t *p)
{
	line(out, "command", pk_json_text(p, "cmd_line"));
	line(out, "executable", pk_json_text(p, "file.path"));
	line(out, "user", pk_json_text(p, "user.name"));
	line(out, "directory", pk_json_text(p, "working_directory"));
	line(out, "container", pk_json_text(p, "container.uid"));
	line(out, "runtime", pk_json_text(p, "container.runtime"));
	when(out, "started", pk_json_num(p, "created_time"));
}

static void side(struct pk_buf *out, json_t *s, const char *title, json_t *endpoint)
{
	pk_buf_fmt(out, "\n%s  ", title);
	text(out, pk_json_text(endpoint, "ip"));
	if (json_object_get(endpoint, "port"))
		pk_buf_fmt(out, " port %.0f", pk_json_num(endpoint, "port"));
	pk_buf_fmt(out, "\n  sent         %.0f packets, ", pk_json_num(s, "packets"));
	pk_human_bytes(out, pk_json_num(s, "bytes"));
	pk_buf_str(out, "B");
	if (pk_json_num(s, "retransmits") > 0)
		pk_buf_fmt(out, ", %.0f retransmitted", pk_json_num(s, "retransmits"));
	if (pk_json_num(s, "fragments") > 0)
		pk_buf_fmt(out, ", %.0f fragments", pk_json_num(s, "fragments"));
	pk_buf_char(out, '\n');
	line(out, "TCP flags", pk_json_text(s, "tcp_flags"));
	if (json_is_true(pk_json_at(s, "owner.kernel")))
		line(out, "owner", "the kernel itself");
	if (pk_json_at(s, "owner.user")) {
		pk_buf_str(out, "  used by      ");
		process_line(out, pk_json_at(s, "owner.user"), 0);
	}
	if (strcmp(pk_json_text(s, "owner.user.uid"), pk_json_text(s, "owner.creator.uid")) != 0) {
		pk_buf_str(out, "  made by      ");
		process_line(out, pk_json_at(s, "owner.creator"), 0);
	}
}

void pk_top_detail_flow(struct pk_buf *out, json_t *f, json_t *process)
{
	json_t *p = pk_json_at(f, "unmapped.picket");

	pk_buf_str(out, "Flow ");
	text(out, pk_json_text(p, "flow"));
	pk_buf_str(out, "\n");
	line(out, "protocol", pk_json_text(f, "connection_info.protocol_name"));
	line(out, "direction", pk_json_text(p, "direction"));
	line(out, "status", pk_json_text(p, "status"));
	when(out, "since", pk_json_num(f, "start_time"));
	when(out, "last packet", pk_json_num(f, "end_time"));
	line(out, "interface", pk_json_text(p, "iface.name"));
	line(out, "netns", pk_json_text(p, "netns.name"));
	line(out, "tunnel", pk_json_text(p, "encap"));
	line(out, "community", pk_json_text(f, "connection_info.community_uid"));
	if (pk_json_num(p, "rtt_us") > 0)
		pk_buf_fmt(out, "  %-12s %.3f ms\n", "round trip", pk_json_num(p, "rtt_us") / 1000);
	side(out, json_object_get(p, "src"), "From", json_object_get(f, "src_endpoint"));
	side(out, json_object_get(p, "dst"), "To", json_object_get(f, "dst_endpoint"));
	if (!process)
		return;
	pk_buf_str(out, "\nProcess\n");
	process_facts(out, json_object_get(process, "process"));
	tree(out, json_object_get(process, "tree"));
}

static void flow_line(struct pk_buf *out, json_t *f)
{
	pk_buf_str(out, "  ");
	text(out, pk_json_text(f, "connection_info.protocol_name"));
	pk_buf_char(out, ' ');
	text(out, pk_json_text(f, "src_endpoint.ip"));
	pk_buf_fmt(out, ":%.0f > ", pk_json_num(f, "src_endpoint.port"));
	text(out, pk_json_text(f, "dst_endpoint.ip"));
	pk_buf_fmt(out, ":%.0f  sent ", pk_json_num(f, "dst_endpoint.port"));
	pk_human_bytes(out, pk_json_num(f, "traffic.bytes_out"));
	pk_buf_str(out, "B received ");
	pk_human_bytes(out, pk_json_num(f, "traffic.bytes_in"));
	pk_buf_str(out, "B  ");
	text(out, pk_json_text(f, "unmapped.picket.status"));
	pk_buf_str(out, "  ");
	text(out, pk_json_text(f, "unmapped.picket.iface.name"));
	pk_buf_char(out, '\n');
}

void pk_top_detail_process(struct pk_buf *out, json_t *d)
{
	json_t *p = json_object_get(d, "process"), *list;

	pk_buf_fmt(out, "Process %.0f\n", pk_json_num(p, "pid"));
	line(out, "status", pk_json_text(d, "status"));
	process_facts(out, p);
	pk_buf_str(out, "  sent         ");
	pk_human_bytes(out, pk_json_num(d, "bytes_out"));
	pk_buf_str(out, "B\n  received     ");
	pk_human_bytes(out, pk_json_num(d, "bytes_in"));
	pk_buf_fmt(out, "B\n  flows        %.0f live, %.0f ended\n", pk_json_num(d, "flows"),
		   pk_json_num(d, "flows_ended"));
	list = json_object_get(d, "listening");
	for (size_t i = 0; i < json_array_size(list); i++)
		line(out, "listens on", json_string_value(json_array_get(list, i)));
	tree(out, json_object_get(d, "tree"));
	list = json_object_get(d, "children");
	if (json_array_size(list))
		pk_buf_str(out, "\nChildren\n");
	for (size_t i = 0; i < json_array_size(list); i++)
		process_line(out, json_array_get(list, i), 0);
	list = json_object_get(d, "flow_list");
	if (json_array_size(list))
		pk_buf_str(out, "\nFlows\n");
	for (size_t i = 0; i < json_array_size(list); i++)
		flow_line(out, json_array_get(list, i));
}
