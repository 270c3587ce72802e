/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences from records. It asks nobody and draws nothing. */
#include "top_story.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "entry.h"
#include "table.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define FLOWS_SHOWN 200
#define HITS_SHOWN  20

static void text(struct pk_buf *out, const char *s)
{
	pk_escape_text(out, s, strlen(s));
}

static void label(struct pk_buf *out, const char *name)
{
	pk_buf_fmt(out, "  %-10s ", name);
}

static void line(struct pk_buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	label(out, name);
	text(out, value);
	pk_buf_char(out, '\n');
}

/* "22:58:31", with the date when that was not in the last twelve hours. */
static void clock_of(struct pk_buf *out, double ms, double now)
{
	time_t s = (time_t)(ms / 1000);
	char t[32];
	struct tm tm;

	if (localtime_r(&s, &tm) &&
	    strftime(t, sizeof(t), now - ms < 12 * 3600e3 ? "%H:%M:%S" : "%F %H:%M:%S", &tm))
		pk_buf_str(out, t);
}

static void since(struct pk_buf *out, double ms, double now)
{
	clock_of(out, ms, now);
	pk_buf_str(out, ", ");
	pk_human_ms(out, now - ms);
	pk_buf_str(out, " ago");
}

static void bytes(struct pk_buf *out, double n)
{
	pk_human_bytes(out, n);
	pk_buf_char(out, 'B');
}

static void user_of(struct pk_buf *out, json_t *p)
{
	const char *name = pk_json_text(p, "user.name");

	if (!*name)
		name = pk_json_text(p, "user.uid");
	if (*name) {
		pk_buf_str(out, ", user ");
		text(out, name);
	}
}

static void process_line(struct pk_buf *out, json_t *p, unsigned depth)
{
	const char *cmd = pk_json_text(p, "cmd_line");

	pk_buf_fmt(out, "  %*s%.0f ", (int)depth * 2, "", pk_json_num(p, "pid"));
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

static void facts(struct pk_buf *out, json_t *p, double now)
{
	line(out, "command", pk_json_text(p, "cmd_line"));
	line(out, "program", pk_json_text(p, "file.path"));
	line(out, "directory", pk_json_text(p, "working_directory"));
	if (*pk_json_text(p, "container.uid")) {
		label(out, "container");
		text(out, pk_json_text(p, "container.name"));
		pk_buf_str(out, " (");
		text(out, pk_json_text(p, "container.runtime"));
		pk_buf_char(out, ' ');
		text(out, pk_json_text(p, "container.uid"));
		pk_buf_str(out, ")\n");
	}
	if (pk_json_num(p, "created_time") > 0) {
		label(out, "started");
		since(out, pk_json_num(p, "created_time"), now);
		pk_buf_char(out, '\n');
	}
}

static const char *with_of(json_t *row)
{
	const char *name = pk_json_text(row, "with");

	return *name ? name : pk_json_text(row, "remote");
}

static const char *name_of(json_t *row)
{
	const char *name = pk_json_text(row, "name");

	return *name ? name : "somebody";
}

/* "curl talks to example.org, tls": the whole of it in one line. */
static void headline(struct pk_buf *out, json_t *row)
{
	const char *dir = pk_json_text(row, "direction");
	bool here = json_object_get(row, "name");

	text(out, here ? name_of(row) : pk_json_text(row, "src"));
	if (json_object_get(row, "pid"))
		pk_buf_fmt(out, " (%.0f)", pk_json_num(row, "pid"));
	pk_buf_str(out, !strcmp(dir, "in") ? " is asked by " : " talks to ");
	text(out, here ? with_of(row) : pk_json_text(row, "dst"));
	pk_buf_str(out, ", ");
	text(out, pk_json_text(row, "app"));
	if (json_object_get(row, "dst_port"))
		pk_buf_fmt(out, " on port %.0f", pk_json_num(row, "dst_port"));
	if (!strcmp(dir, "forward"))
		pk_buf_str(out, ", through this host");
	else if (!strcmp(dir, "local"))
		pk_buf_str(out, ", on this host");
	pk_buf_char(out, '\n');
}

static void tell_who(struct pk_buf *out, const struct pk_top_story *s)
{
	json_t *p = pk_json_at(s->flow, "actor.process");
	json_t *owner = pk_json_at(s->flow, "unmapped.picket");

	label(out, "who");
	if (p) {
		text(out, pk_json_text(p, "name"));
		pk_buf_fmt(out, ", pid %.0f", pk_json_num(p, "pid"));
		user_of(out, p);
		if (*pk_json_text(p, "container.name")) {
			pk_buf_str(out, ", in container ");
			text(out, pk_json_text(p, "container.name"));
		}
		if (*pk_json_text(p, "parent_process.name")) {
			pk_buf_str(out, ", begun by ");
			text(out, pk_json_text(p, "parent_process.name"));
		}
	} else if (json_is_true(pk_json_at(owner, "src.owner.kernel")) ||
		   json_is_true(pk_json_at(owner, "dst.owner.kernel"))) {
		pk_buf_str(out, "the kernel itself");
	} else {
		pk_buf_str(out, "no socket of this host is known for it");
	}
	pk_buf_char(out, '\n');
}

static void tell_since(struct pk_buf *out, const struct pk_top_story *s)
{
	bool ended = !strcmp(pk_json_text(s->flow, "unmapped.picket.status"), "ended");
	double from = pk_json_num(s->flow, "start_time"), to = pk_json_num(s->flow, "end_time");

	label(out, "since");
	since(out, from, s->now);
	if (ended) {
		pk_buf_str(out, "; over after ");
		pk_human_ms(out, fmax(0, to - from));
	} else if (s->now - to > 3000) {
		pk_buf_str(out, "; silent for ");
		pk_human_ms(out, s->now - to);
	}
	pk_buf_char(out, '\n');
}

/* Sent and received as in the list: by this host. */
static void tell_amount(struct pk_buf *out, const struct pk_top_story *s)
{
	json_t *p = pk_json_at(s->flow, "unmapped.picket");
	double rate_out = pk_json_num(s->row, "rate_out"), rate_in = pk_json_num(s->row, "rate_in");

	label(out, "amount");
	pk_buf_str(out, "sent ");
	bytes(out, pk_json_num(s->row, "bytes_out"));
	pk_buf_str(out, ", received ");
	bytes(out, pk_json_num(s->row, "bytes_in"));
	pk_buf_fmt(out, ", in %.0f packets",
		   pk_json_num(p, "src.packets") + pk_json_num(p, "dst.packets"));
	if (rate_out + rate_in >= 1) {
		pk_buf_str(out, "; now ");
		bytes(out, rate_out);
		pk_buf_str(out, "/s out, ");
		bytes(out, rate_in);
		pk_buf_str(out, "/s in");
	}
	pk_buf_char(out, '\n');
}

static void tell_quality(struct pk_buf *out, const struct pk_top_story *s)
{
	json_t *p = pk_json_at(s->flow, "unmapped.picket");
	double again = pk_json_num(p, "src.retransmits") + pk_json_num(p, "dst.retransmits");
	double all = pk_json_num(p, "src.packets") + pk_json_num(p, "dst.packets");

	if (!(pk_json_num(p, "rtt_us") > 0) && !(again > 0))
		return;
	label(out, "line");
	if (pk_json_num(p, "rtt_us") > 0)
		pk_buf_fmt(out, "round trip %.1f ms at the start", pk_json_num(p, "rtt_us") / 1000);
	if (again > 0)
		pk_buf_fmt(out, "%s%.0f packets sent again (%.1f %%)",
			   pk_json_num(p, "rtt_us") > 0 ? "; " : "", again,
			   all > 0 ? 100 * again / all : 0);
	pk_buf_char(out, '\n');
}

static void tell_state(struct pk_buf *out, json_t *row)
{
	static const struct {
		const char *state, *says;
	} words[] = { { "open", "open, both sides have spoken" },
		      { "unanswered", "nobody has answered" },
		      { "closing", "one side has closed it" },
		      { "closed", "closed" },
		      { "reset", "reset by one side" } };
	const char *state = pk_json_text(row, "state");

	for (size_t i = 0; i < PK_ARRAY_SIZE(words); i++)
		if (!strcmp(state, words[i].state))
			line(out, "state", words[i].says);
}

static void tell_blocked(struct pk_buf *out, json_t *row)
{
	const char *blocked = pk_json_text(row, "blocked");

	label(out, "blocked");
	if (!*blocked) {
		pk_buf_str(out, "no; b shows what blocking it would cut\n");
		return;
	}
	pk_buf_str(out, strcmp(blocked, "drop") ? "would be, list " : "yes, by list ");
	text(out, pk_json_text(row, "list"));
	pk_buf_str(out, strcmp(blocked, "drop") ? " only observes\n" : "\n");
}

static void tell_usual(struct pk_buf *out, json_t *u, double now)
{
	double same = pk_json_num(u, "same.flows"), other = pk_json_num(u, "others.flows");

	if (!u)
		return;
	label(out, "usual");
	if (same > 0) {
		pk_buf_fmt(out, "seen before: %.0f earlier flow%s of ", same, same > 1 ? "s" : "");
		text(out, pk_json_text(u, "process"));
		pk_buf_str(out, " with it, the first at ");
		clock_of(out, pk_json_num(u, "same.first"), now);
	} else {
		pk_buf_str(out, "the first of ");
		text(out, *pk_json_text(u, "process") ? pk_json_text(u, "process") : "anybody");
		pk_buf_str(out, " with it");
	}
	if (other > 0)
		pk_buf_fmt(out, "; %.0f of other programs", other);
	pk_buf_str(out, "; remembered since ");
	clock_of(out, pk_json_num(u, "since"), now);
	pk_buf_char(out, '\n');
}

static void comma(struct pk_buf *out, const char *before, const char *value)
{
	if (!*value)
		return;
	pk_buf_str(out, before);
	text(out, value);
}

static void asked_tls(struct pk_buf *out, json_t *f)
{
	json_t *own = pk_json_at(f, "unmapped.picket.tls");
	const char *sni = pk_json_text(f, "tls.sni"), *chosen = pk_json_text(own, "alpn_chosen");
	const char *offered = json_string_value(json_array_get(json_object_get(own, "alpn"), 0));

	if (!json_object_get(f, "tls"))
		return;
	label(out, "asked");
	text(out, *sni ? sni : "no name");
	pk_buf_str(out, " by ");
	text(out, *pk_json_text(f, "tls.version") ? pk_json_text(f, "tls.version") : "TLS");
	if (json_object_get(own, "quic_version"))
		pk_buf_str(out, " over QUIC");
	comma(out, *chosen ? ", " : ", offers ", *chosen ? chosen : offered ? offered : "");
	if (json_is_true(json_object_get(own, "ech")))
		pk_buf_str(out, ", encrypted hello offered: the name may be a cover");
	comma(out, ", JA4 ",
	      pk_json_text(json_array_get(json_object_get(f, "ja4_fingerprint_list"), 0), "value"));
	pk_buf_char(out, '\n');
}

static void asked_http(struct pk_buf *out, json_t *f)
{
	json_t *r = json_object_get(f, "http_request");

	if (!r)
		return;
	label(out, "asked");
	text(out, pk_json_text(r, "http_method"));
	pk_buf_str(out, " http://");
	text(out, pk_json_text(r, "url.hostname"));
	text(out, pk_json_text(r, "url.path"));
	comma(out, " by ", pk_json_text(r, "user_agent"));
	if (pk_json_at(f, "http_response.code"))
		pk_buf_fmt(out, ", answered %.0f", pk_json_num(f, "http_response.code"));
	pk_buf_char(out, '\n');
}

static void asked_dns(struct pk_buf *out, json_t *own)
{
	json_t *dns = json_object_get(own, "dns"), *count;
	const char *rcode, *name = pk_json_text(dns, "last.hostname");

	if (!dns)
		return;
	label(out, "asked");
	text(out, *name ? name : "nothing that could be read");
	comma(out, " ", pk_json_text(dns, "last.type"));
	pk_buf_fmt(out, " by DNS; %.0f questions, %.0f answers", pk_json_num(dns, "questions"),
		   pk_json_num(dns, "answers"));
	json_object_foreach(json_object_get(dns, "rcodes"), rcode, count)
	{
		comma(out, ", ", rcode);
		pk_buf_fmt(out, " %.0f", json_number_value(count));
	}
	pk_buf_char(out, '\n');
}

static void asked_ssh(struct pk_buf *out, json_t *own)
{
	json_t *ssh = json_object_get(own, "ssh");

	if (!ssh)
		return;
	label(out, "asked");
	text(out, pk_json_text(ssh, "src.software"));
	comma(out, " to ", pk_json_text(ssh, "dst.software"));
	comma(out, ", HASSH ", pk_json_text(ssh, "src.hassh"));
	pk_buf_char(out, '\n');
}

/* What the flow carries, by its first bytes. */
static void tell_asked(struct pk_buf *out, json_t *f)
{
	static const struct {
		const char *conflict, *says;
	} words[] = { { "sni_dns", "its address was never resolved from the name in the hello" },
		      { "http_dns", "its address was never resolved from the name asked for" },
		      { "http_sni", "the name in the hello is not the one asked for" } };
	json_t *own = pk_json_at(f, "unmapped.picket");
	const char *conflict = pk_json_text(own, "name_conflict");

	line(out, "resolved", pk_json_text(own, "names.dns"));
	asked_tls(out, f);
	asked_http(out, f);
	asked_dns(out, own);
	asked_ssh(out, own);
	for (size_t i = 0; i < PK_ARRAY_SIZE(words); i++)
		if (!strcmp(conflict, words[i].conflict))
			line(out, "odd", words[i].says);
	if (json_is_true(json_object_get(own, "app_odd")))
		line(out, "odd", "it does not speak what its port is for");
}

static void side(struct pk_buf *out, json_t *s, const char *title, json_t *endpoint)
{
	label(out, title);
	text(out, pk_json_text(endpoint, "ip"));
	if (json_object_get(endpoint, "port"))
		pk_buf_fmt(out, " port %.0f", pk_json_num(endpoint, "port"));
	pk_buf_fmt(out, ": %.0f packets, ", pk_json_num(s, "packets"));
	bytes(out, pk_json_num(s, "bytes"));
	if (pk_json_num(s, "fragments") > 0)
		pk_buf_fmt(out, ", %.0f fragments", pk_json_num(s, "fragments"));
	if (*pk_json_text(s, "tcp_flags")) {
		pk_buf_str(out, ", flags ");
		text(out, pk_json_text(s, "tcp_flags"));
	}
	pk_buf_char(out, '\n');
	if (strcmp(pk_json_text(s, "owner.user.uid"), pk_json_text(s, "owner.creator.uid")) != 0) {
		label(out, "made by");
		process_line(out, pk_json_at(s, "owner.creator"), 0);
	}
}

static void tell_path(struct pk_buf *out, json_t *f)
{
	json_t *p = pk_json_at(f, "unmapped.picket");

	pk_buf_str(out, "\nPath\n");
	side(out, json_object_get(p, "src"), "from", json_object_get(f, "src_endpoint"));
	side(out, json_object_get(p, "dst"), "to", json_object_get(f, "dst_endpoint"));
	line(out, "interface", pk_json_text(p, "iface.name"));
	line(out, "netns", pk_json_text(p, "netns.name"));
	line(out, "tunnel", pk_json_text(p, "encap"));
	line(out, "flow id", pk_json_text(p, "flow"));
	line(out, "community", pk_json_text(f, "connection_info.community_uid"));
}

void pk_top_story_flow(struct pk_buf *out, const struct pk_top_story *s)
{
	headline(out, s->row);
	tell_who(out, s);
	tell_asked(out, s->flow);
	tell_since(out, s);
	tell_amount(out, s);
	tell_usual(out, s->usual, s->now);
	tell_state(out, s->row);
	tell_quality(out, s);
	tell_blocked(out, s->row);
	if (s->process) {
		json_t *p = json_object_get(s->process, "process");

		line(out, "command", pk_json_text(p, "cmd_line"));
		line(out, "program", pk_json_text(p, "file.path"));
		tree(out, json_object_get(s->process, "tree"));
	}
	tell_path(out, s->flow);
}

static void endpoint(struct pk_buf *out, json_t *e)
{
	const char *ip = pk_json_text(e, "ip");

	pk_buf_fmt(out, strchr(ip, ':') && json_object_get(e, "port") ? "[" : "");
	text(out, ip);
	if (json_object_get(e, "port"))
		pk_buf_fmt(out, strchr(ip, ':') ? "]:%.0f" : ":%.0f", pk_json_num(e, "port"));
}

static void flow_line(struct pk_buf *out, json_t *f)
{
	pk_buf_str(out, "  ");
	text(out, pk_json_text(f, "connection_info.protocol_name"));
	pk_buf_char(out, ' ');
	endpoint(out, json_object_get(f, "src_endpoint"));
	pk_buf_str(out, " > ");
	endpoint(out, json_object_get(f, "dst_endpoint"));
	pk_buf_str(out, "  sent ");
	bytes(out, pk_json_num(f, "traffic.bytes_out"));
	pk_buf_str(out, ", received ");
	bytes(out, pk_json_num(f, "traffic.bytes_in"));
	pk_buf_str(out, "  ");
	text(out, pk_json_text(f, "unmapped.picket.status"));
	pk_buf_char(out, '\n');
}

static void tell_listening(struct pk_buf *out, json_t *d)
{
	json_t *list = json_object_get(d, "listening");

	for (size_t i = 0; i < json_array_size(list); i++)
		line(out, i ? "" : "listens on", json_string_value(json_array_get(list, i)));
}

void pk_top_story_process(struct pk_buf *out, const struct pk_top_story *s)
{
	json_t *d = s->process, *p = json_object_get(d, "process"), *list;

	pk_buf_fmt(out, "Process %.0f, ", pk_json_num(p, "pid"));
	text(out, pk_json_text(p, "name"));
	user_of(out, p);
	pk_buf_char(out, '\n');
	facts(out, p, s->now);
	line(out, "status", pk_json_text(d, "status"));
	label(out, "amount");
	pk_buf_str(out, "sent ");
	bytes(out, pk_json_num(d, "bytes_out"));
	pk_buf_str(out, ", received ");
	bytes(out, pk_json_num(d, "bytes_in"));
	pk_buf_fmt(out, ", in %.0f live flows and %.0f that are over\n", pk_json_num(d, "flows"),
		   pk_json_num(d, "flows_ended"));
	tell_listening(out, d);
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

/* The entries that were hit most, most first; n of them at most. */
static json_t *top_hits(json_t *entries, size_t n)
{
	json_t *top = json_array(), *e;
	size_t i;

	json_array_foreach(entries, i, e)
	{
		size_t at = json_array_size(top);

		if (pk_json_num(e, "packets") < 1)
			continue;
		while (at && pk_json_num(json_array_get(top, at - 1), "packets") <
				     pk_json_num(e, "packets"))
			at--;
		if (at >= n)
			continue;
		json_array_insert(top, at, e);
		if (json_array_size(top) > n)
			json_array_remove(top, n);
	}
	return top;
}

static void hit_line(struct pk_buf *out, json_t *e)
{
	pk_buf_fmt(out, "  %8.0f  ", pk_json_num(e, "packets"));
	pk_entry_text(out, e);
	if (json_object_get(e, "last_hit")) {
		pk_buf_str(out, "  last ");
		pk_entry_ago(out, json_integer_value(json_object_get(e, "last_hit")));
	}
	if (*pk_json_text(e, "last_peer")) {
		pk_buf_str(out, ", with ");
		text(out, pk_json_text(e, "last_peer"));
	}
	if (*pk_json_text(e, "reason")) {
		pk_buf_str(out, "  ");
		text(out, pk_json_text(e, "reason"));
	}
	pk_buf_char(out, '\n');
}

static void tell_sum(struct pk_buf *out, json_t *info, const char *way, const char *says)
{
	json_t *sum = json_object_get(info, way);

	if (pk_json_num(sum, "packets") < 1)
		return;
	label(out, "");
	pk_buf_fmt(out, "%.0f packets %s, ", pk_json_num(sum, "packets"), says);
	bytes(out, pk_json_num(sum, "bytes"));
	pk_buf_char(out, '\n');
}

void pk_top_story_list(struct pk_buf *out, const struct pk_top_story *s)
{
	json_t *info = json_object_get(s->list, "list"), *e;
	json_t *entries = json_object_get(s->list, "entries");
	json_t *top = top_hits(entries, HITS_SHOWN);
	size_t i;

	pk_buf_str(out, "List ");
	text(out, pk_json_text(info, "name"));
	pk_buf_fmt(out, ", %s, mode %s, %.0f entries\n", pk_json_text(info, "kind"),
		   pk_json_text(info, "mode"), pk_json_num(info, "entries"));
	line(out, "from", pk_json_text(info, "source"));
	label(out, "changed");
	since(out, pk_json_num(info, "changed"), s->now);
	if (*pk_json_text(info, "who")) {
		pk_buf_str(out, " by ");
		text(out, pk_json_text(info, "who"));
	}
	pk_buf_char(out, '\n');
	line(out, "fault", pk_json_text(info, "fault"));
	tell_sum(out, info, "in", "dropped that came in");
	tell_sum(out, info, "out", "dropped that went out");
	tell_sum(out, info, "seen", "would have been dropped");
	if (pk_json_num(info, "calls") > 0)
		pk_buf_fmt(out, "             %.0f calls of connect and sendmsg refused\n",
			   pk_json_num(info, "calls"));
	pk_buf_str(out, json_array_size(top) ? "\nHit most\n" : "\nNo entry was hit yet\n");
	json_array_foreach(top, i, e) hit_line(out, e);
	pk_buf_str(out, "\nEntries\n");
	json_array_foreach(entries, i, e)
	{
		if (i == FLOWS_SHOWN)
			break;
		pk_buf_str(out, "  ");
		pk_entry_text(out, e);
		pk_buf_char(out, '\n');
	}
	if (json_is_true(json_object_get(s->list, "more")) ||
	    json_array_size(entries) > FLOWS_SHOWN)
		pk_buf_str(out, "  ... picket list show has them all\n");
	json_decref(top);
}

static void row_line(struct pk_buf *out, json_t *f)
{
	pk_buf_str(out, "  ");
	text(out, name_of(f));
	if (json_object_get(f, "pid"))
		pk_buf_fmt(out, " (%.0f)", pk_json_num(f, "pid"));
	pk_buf_str(out, " with ");
	text(out, with_of(f));
	pk_buf_str(out, ", ");
	text(out, pk_json_text(f, "app"));
	pk_buf_str(out, ": sent ");
	bytes(out, pk_json_num(f, "bytes_out"));
	pk_buf_str(out, ", received ");
	bytes(out, pk_json_num(f, "bytes_in"));
	pk_buf_str(out, ", for ");
	pk_human_ms(out, pk_json_num(f, "age_ms"));
	pk_buf_fmt(out, ", %s\n", pk_json_text(f, "state"));
}

void pk_top_story_row(struct pk_buf *out, const struct pk_top_story *s, const char *title,
		      json_t *flows)
{
	json_t *f;
	size_t i;

	text(out, title);
	pk_buf_str(out, "\n");
	label(out, "amount");
	pk_buf_str(out, "sent ");
	bytes(out, pk_json_num(s->row, "bytes_out"));
	pk_buf_str(out, ", received ");
	bytes(out, pk_json_num(s->row, "bytes_in"));
	pk_buf_fmt(out, ", in %.0f flows, the oldest for ", pk_json_num(s->row, "flows"));
	pk_human_ms(out, pk_json_num(s->row, "age_ms"));
	pk_buf_char(out, '\n');
	if (json_object_get(s->row, "blocked"))
		tell_blocked(out, s->row);
	pk_buf_str(out, json_array_size(flows) ? "\nFlows\n" : "");
	json_array_foreach(flows, i, f) if (i < FLOWS_SHOWN) row_line(out, f);
	pk_buf_str(out, "\no shows only its flows in the list\n");
}
