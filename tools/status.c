/* SPDX-License-Identifier: Apache-2.0 */
/* `picket status`: what is covered, what was lost, what it costs. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "client.h"
#include "command.h"
#include "table.h"

#include <getopt.h>
#include <picket/api.h>
#include <string.h>

static void text(struct pk_buf *out, const char *s)
{
	pk_escape_text(out, s, strlen(s));
}

static void cell(struct pk_buf *out, const char *s, unsigned width)
{
	_cleanup_(pk_buf_done) struct pk_buf safe = {};

	text(&safe, s);
	pk_table_cell(out, safe.data ? safe.data : "", width, false);
	pk_buf_char(out, ' ');
}

static void head(struct pk_buf *out, json_t *s)
{
	pk_buf_fmt(out, "%s  picketd ", json_is_true(json_object_get(s, "ok")) ? "ok" : "NOT OK");
	text(out, pk_json_text(s, "version"));
	pk_buf_str(out, " on ");
	text(out, pk_json_text(s, "hostname"));
	pk_buf_str(out, ", up ");
	pk_human_ms(out, pk_json_num(s, "uptime_s") * 1000);
	pk_buf_fmt(out, ", pid %.0f, ", pk_json_num(s, "pid"));
	pk_human_bytes(out, pk_json_num(s, "self.rss_bytes"));
	pk_buf_fmt(out, "B resident, %.1f %% of one CPU\n", pk_json_num(s, "self.cpu_percent"));
}

static void degraded(struct pk_buf *out, json_t *s)
{
	json_t *list = json_object_get(s, "degraded");

	if (json_array_size(list))
		pk_buf_str(out, "\nDegraded\n");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *line = json_string_value(json_array_get(list, i));

		pk_buf_str(out, "  ");
		text(out, line ? line : "");
		pk_buf_char(out, '\n');
	}
}

static void coverage(struct pk_buf *out, json_t *s)
{
	json_t *list = json_object_get(s, "coverage");

	pk_buf_str(
		out,
		"\nCoverage\n  INTERFACE        NETNS            INGRESS      EGRESS       NOTE\n");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *l = json_array_get(list, i);
		const char *ns = pk_json_text(l, "netns.name");

		pk_buf_str(out, "  ");
		cell(out, pk_json_text(l, "iface"), 16);
		cell(out, *ns ? ns : "-", 16);
		cell(out, pk_json_text(l, "ingress"), 12);
		cell(out, pk_json_text(l, "egress"), 12);
		text(out, pk_json_text(l, "reason"));
		if (!json_is_true(json_object_get(l, "up")))
			pk_buf_str(out, *pk_json_text(l, "reason") ? " (down)" : "(down)");
		pk_buf_char(out, '\n');
	}
}

/* "name 3, other 4" of the members that are not 0. */
static void nonzero(struct pk_buf *out, json_t *counts, const char *title)
{
	const char *name;
	json_t *v;
	bool any = false;

	json_object_foreach(counts, name, v)
	{
		if (!json_integer_value(v))
			continue;
		pk_buf_str(out, any ? ", " : title);
		text(out, name);
		pk_buf_fmt(out, " %lld", (long long)json_integer_value(v));
		any = true;
	}
	if (any)
		pk_buf_char(out, '\n');
}

static void packets(struct pk_buf *out, json_t *s)
{
	json_t *list = pk_json_at(s, "packets.hooks");

	pk_buf_str(
		out,
		"\nPackets\n  HOOK               SEEN      IN FLOWS    AGGREGATED      REFUSED\n");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *h = json_array_get(list, i), *refused = json_object_get(h, "refused"), *v;
		const char *name;
		double sum = 0;

		json_object_foreach(refused, name, v) sum += json_number_value(v);
		pk_buf_str(out, "  ");
		cell(out, pk_json_text(h, "hook"), 10);
		pk_buf_fmt(out, "%12.0f %13.0f %13.0f %12.0f\n", pk_json_num(h, "seen"),
			   pk_json_num(h, "flow"), pk_json_num(h, "aggregate"), sum);
		nonzero(out, refused, "    refused: ");
		nonzero(out, json_object_get(h, "noted"), "    noted:   ");
	}
	pk_buf_fmt(out, "  every packet is accounted for: %s\n",
		   json_is_true(pk_json_at(s, "packets.ok")) ? "yes" : "NO");
}

/* What was looked at of what flows carry; rows where nothing happened are left out. */
static void samples(struct pk_buf *out, json_t *s)
{
	json_t *rows = pk_json_at(s, "samples.rows");

	pk_buf_str(out,
		   "\nSamples\n  OF                   SEEN      SAMPLED          OFF      LIMITED"
		   "         LOST          CUT\n");
	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *r = json_array_get(rows, i);

		if (!pk_json_num(r, "seen"))
			continue;
		pk_buf_str(out, "  ");
		cell(out, pk_json_text(r, "app"), 12);
		pk_buf_fmt(out, "%12.0f %12.0f %12.0f %12.0f %12.0f %12.0f\n",
			   pk_json_num(r, "seen"), pk_json_num(r, "sampled"), pk_json_num(r, "off"),
			   pk_json_num(r, "limited"),
			   pk_json_num(r, "ring_full") + pk_json_num(r, "unread"),
			   pk_json_num(r, "cut"));
	}
	pk_buf_fmt(out, "  every sample is accounted for: %s\n",
		   json_is_true(pk_json_at(s, "samples.ok")) ? "yes" : "NO");
}

/* What was read of those samples, and what could not be and why. */
static void names(struct pk_buf *out, json_t *s)
{
	json_t *rows = pk_json_at(s, "names.samples");

	pk_buf_str(out, "\nNames\n  OF                  TAKEN         READ\n");
	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *r = json_array_get(rows, i);

		pk_buf_str(out, "  ");
		cell(out, pk_json_text(r, "app"), 12);
		pk_buf_fmt(out, "%12.0f %12.0f\n", pk_json_num(r, "taken"), pk_json_num(r, "read"));
		nonzero(out, json_object_get(r, "failed"), "    not read: ");
	}
	pk_buf_fmt(
		out,
		"  %.0f names learned; DNS answers: %.0f missing, %.0f that nobody asked for, %.0f "
		"that contradict the first\n",
		pk_json_num(s, "names.dns_answers.names_learned"),
		pk_json_num(s, "names.dns_answers.missing"),
		pk_json_num(s, "names.dns_answers.unsolicited"),
		pk_json_num(s, "names.dns_answers.contradicted"));
}

/* Packets in memory, and who records. */
static void kept(struct pk_buf *out, json_t *s)
{
	json_t *store = pk_json_at(s, "store");

	if (!store)
		return;
	pk_buf_fmt(out, "\nKept  %.0f alerts and acts, %.0f flows written, ",
		   pk_json_num(store, "written"), pk_json_num(store, "flows"));
	pk_human_bytes(out, pk_json_num(store, "bytes"));
	pk_buf_fmt(out, "B; chain of %.0f records, lost %.0f\n",
		   pk_json_num(store, "chain.records"),
		   pk_json_num(store, "lost.queue_full") + pk_json_num(store, "lost.refused") +
			   pk_json_num(store, "lost.flow_queue_full"));
	if (*pk_json_text(store, "kept")) {
		pk_buf_str(out, "  a broken database is kept as ");
		pk_escape_text(out, pk_json_text(store, "kept"),
			       strlen(pk_json_text(store, "kept")));
		pk_buf_char(out, '\n');
	}
}

/* What detectors learned, as the next start will find it. */
static void learned(struct pk_buf *out, json_t *s)
{
	json_t *l = pk_json_at(s, "learned");

	if (!l)
		return;
	pk_buf_fmt(out, "\nLearned  by detectors: %.0f rows at the start, %.0f saved, ",
		   pk_json_num(l, "loaded"), pk_json_num(l, "rows"));
	pk_human_bytes(out, pk_json_num(l, "bytes"));
	pk_buf_fmt(out, "B; failed %.0f, left out %.0f\n", pk_json_num(l, "saves_failed"),
		   pk_json_num(l, "left_out") + pk_json_num(l, "not_loaded"));
	if (pk_json_num(l, "damaged"))
		pk_buf_str(out, "  what was there was damaged, and is kept in "
				"learned/detectors.damaged; they learn anew\n");
	if (pk_json_num(l, "unread"))
		pk_buf_fmt(out,
			   "  %.0f tables are of another version or of detectors that are "
			   "off: these learn anew\n",
			   pk_json_num(l, "unread"));
}

static void sinks(struct pk_buf *out, json_t *s)
{
	json_t *all = pk_json_at(s, "sinks.sinks"), *k;
	size_t i;

	if (!json_array_size(all))
		return;
	pk_buf_fmt(out, "\nSinks  %.0f alerts, lost %.0f\n", pk_json_num(s, "sinks.put"),
		   pk_json_num(s, "sinks.lost.queue_full") +
			   pk_json_num(s, "sinks.lost.too_large"));
	json_array_foreach(all, i, k)
	{
		const char *trouble = pk_json_text(k, "trouble");

		pk_buf_fmt(out,
			   "  %-8s sent %.0f, waiting %.0f, failed tries %.0f, dropped %.0f, "
			   "refused %.0f%s",
			   pk_json_text(k, "name"), pk_json_num(k, "sent"),
			   pk_json_num(k, "waiting"), pk_json_num(k, "failed"),
			   pk_json_num(k, "dropped"), pk_json_num(k, "refused"),
			   *trouble ? ": " : "");
		pk_escape_text(out, trouble, strlen(trouble));
		pk_buf_char(out, '\n');
	}
}

static void captured(struct pk_buf *out, json_t *s)
{
	json_t *memory = pk_json_at(s, "capture.memory"),
	       *list = pk_json_at(s, "capture.recordings");
	double oldest = pk_json_num(memory, "oldest");

	if (!memory)
		return;
	pk_buf_fmt(out, "  in memory: %.0f packets, ", pk_json_num(memory, "packets"));
	pk_human_bytes(out, pk_json_num(memory, "bytes"));
	pk_buf_str(out, "B of ");
	pk_human_bytes(out, pk_json_num(memory, "max"));
	pk_buf_char(out, 'B');
	if (oldest > 0) {
		pk_buf_str(out, ", the oldest of ");
		pk_human_ms(out, pk_json_num(s, "now") - oldest);
		pk_buf_str(out, " ago");
	}
	pk_buf_char(out, '\n');
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *r = json_array_get(list, i);
		const char *filter = pk_json_text(r, "filter");

		pk_buf_fmt(out, "  recording %.0f by ", pk_json_num(r, "id"));
		text(out, pk_json_text(r, "by"));
		pk_buf_fmt(out, ": %.0f flows, %.0f packets, %.0f dropped, %.0f missed: ",
			   pk_json_num(r, "flows"), pk_json_num(r, "packets"),
			   pk_json_num(r, "slow"), pk_json_num(r, "missed"));
		text(out, *filter ? filter : "all flows");
		pk_buf_char(out, '\n');
	}
}

static void losses(struct pk_buf *out, json_t *s)
{
	json_t *list = pk_json_at(s, "events.hooks"), *rings = json_object_get(s, "rings");
	json_t *tables = json_object_get(s, "tables");

	pk_buf_str(
		out,
		"\nEvents\n  HOOK                 SEEN    SUBMITTED         LOST     FILTERED\n");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *h = json_array_get(list, i);
		double lost = pk_json_num(h, "ring_full") + pk_json_num(h, "map_full") +
			      pk_json_num(h, "oversized");

		pk_buf_str(out, "  ");
		cell(out, pk_json_text(h, "hook"), 12);
		pk_buf_fmt(out, "%12.0f %12.0f %12.0f %12.0f\n", pk_json_num(h, "seen"),
			   pk_json_num(h, "submitted"), lost, pk_json_num(h, "filtered"));
	}
	pk_buf_fmt(out, "  every event is accounted for: %s\n",
		   json_is_true(pk_json_at(s, "events.ok")) ? "yes" : "NO");
	for (size_t i = 0; i < json_array_size(rings); i++) {
		json_t *r = json_array_get(rings, i);

		pk_buf_str(out, "  ring ");
		cell(out, pk_json_text(r, "ring"), 6);
		pk_buf_fmt(out, "%.0f records, %.0f missing\n", pk_json_num(r, "records"),
			   pk_json_num(r, "lost"));
	}
	for (size_t i = 0; i < json_array_size(tables); i++) {
		json_t *t = json_array_get(tables, i);

		pk_buf_str(out, "  table ");
		cell(out, pk_json_text(t, "name"), 16);
		pk_buf_fmt(out, "%.0f of %.0f used, %.0f evicted, %.0f refused\n",
			   pk_json_num(t, "used"), pk_json_num(t, "max"), pk_json_num(t, "evicted"),
			   pk_json_num(t, "refused"));
	}
	pk_buf_fmt(out, "  kernel flow table %.0f of %.0f slots, %.0f half-open, %.0f refused\n",
		   pk_json_num(s, "kernel_table.used"), pk_json_num(s, "kernel_table.slots"),
		   pk_json_num(s, "kernel_table.half_open"),
		   pk_json_num(s, "kernel_table.refused"));
}

/* Files of programs, while threat intelligence has hashes of files. */
static void file_hashes(struct pk_buf *out, json_t *s)
{
	json_t *h = json_object_get(s, "file_hashes"), *n;
	const char *cause;

	if (!h)
		return;
	pk_buf_fmt(out,
		   "\nFiles of programs, by SHA-256\n  %.0f read, %.0f known from before, %.0f "
		   "waiting; skipped:",
		   pk_json_num(h, "hashed"), pk_json_num(h, "known"), pk_json_num(h, "waiting"));
	json_object_foreach(json_object_get(h, "skipped"), cause, n)
		pk_buf_fmt(out, " %lld %s", (long long)json_integer_value(n), cause);
	pk_buf_char(out, '\n');
}

/* The API over the network, where there is one. */
static void gate(struct pk_buf *out, json_t *s)
{
	json_t *g = json_object_get(s, "gate"), *n;
	const char *cause;

	if (!g)
		return;
	pk_buf_str(out, "\nNetwork API\n  ");
	text(out, pk_json_text(g, "address"));
	pk_buf_fmt(out,
		   ": %s, %.0f connections; ever %.0f, of them %.0f with a handshake, and "
		   "%.0f requests\n  refused:",
		   json_is_true(json_object_get(g, "listening")) ? "listens" : "DOES NOT LISTEN",
		   pk_json_num(g, "connections"), pk_json_num(g, "accepted"),
		   pk_json_num(g, "handshakes"), pk_json_num(g, "requests"));
	json_object_foreach(json_object_get(g, "refused"), cause, n)
	{
		if (!json_integer_value(n))
			continue;
		pk_buf_fmt(out, " %lld ", (long long)json_integer_value(n));
		text(out, cause);
	}
	pk_buf_char(out, '\n');
}

/* "unchanged, 12 s ago; next in 3 m" of each list that is fetched. */
static void pulled(struct pk_buf *out, json_t *s)
{
	json_t *lists = pk_json_at(s, "pull.lists");
	double now = pk_json_num(s, "now");

	if (!json_array_size(lists))
		return;
	pk_buf_fmt(out, "\nFetched lists%s\n",
		   json_is_true(pk_json_at(s, "pull.running")) ? "" : "  NOBODY FETCHES THEM");
	for (size_t i = 0; i < json_array_size(lists); i++) {
		json_t *l = json_array_get(lists, i);
		const char *why = pk_json_text(l, "why");

		pk_buf_str(out, "  ");
		cell(out, pk_json_text(l, "list"), 20);
		text(out, pk_json_text(l, "outcome"));
		pk_buf_str(out, *why ? ": " : "");
		text(out, why);
		if (pk_json_num(l, "tried") > 0) {
			pk_buf_str(out, ", ");
			pk_human_ms(out, now - pk_json_num(l, "tried"));
			pk_buf_str(out, " ago from ");
			text(out, pk_json_text(l, "mirror"));
			pk_buf_str(out, "; next in ");
			pk_human_ms(out, pk_json_num(l, "next") - now);
		}
		pk_buf_char(out, '\n');
	}
}

static void programs(struct pk_buf *out, json_t *s)
{
	json_t *list = json_object_get(s, "programs");

	pk_buf_str(out, "\nPrograms\n  NAME             ATTACHED           RUNS   NS EACH  NOTE\n");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *p = json_array_get(list, i);

		pk_buf_str(out, "  ");
		cell(out, pk_json_text(p, "name"), 16);
		cell(out, pk_json_text(p, "attached"), 11);
		if (pk_json_num(p, "runs"))
			pk_buf_fmt(out, "%11.0f %9.0f  ", pk_json_num(p, "runs"),
				   pk_json_num(p, "ns_per_run"));
		else
			pk_buf_fmt(out, "%11s %9s  ", "-", "-");
		text(out, pk_json_text(p, "note"));
		pk_buf_char(out, '\n');
	}
}

static void csv(struct pk_buf *out, json_t *o, const char *path)
{
	const char *name;
	json_t *v;
	size_t i;

	if (json_is_object(o)) {
		json_object_foreach(o, name, v)
		{
			_cleanup_(pk_buf_done) struct pk_buf p = {};

			pk_buf_fmt(&p, "%s%s%s", path, *path ? "." : "", name);
			csv(out, v, p.data ? p.data : "");
		}
		return;
	}
	if (json_is_array(o)) {
		json_array_foreach(o, i, v)
		{
			_cleanup_(pk_buf_done) struct pk_buf p = {};

			pk_buf_fmt(&p, "%s.%zu", path, i);
			csv(out, v, p.data ? p.data : "");
		}
		return;
	}
	pk_escape_csv(out, path, strlen(path));
	pk_buf_char(out, ',');
	if (json_is_string(o)) {
		pk_escape_csv(out, json_string_value(o), json_string_length(o));
	} else {
		_cleanup_free_ char *s = json_dumps(o, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

		pk_buf_str(out, s ? s : "");
	}
	pk_buf_char(out, '\n');
}

static void print(json_t *s, enum pk_format format)
{
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	_cleanup_free_ char *json = NULL;

	if (format == PK_FORMAT_JSON) {
		json = json_dumps(s, JSON_INDENT(2) | JSON_ENSURE_ASCII);
		printf("%s\n", json ? json : "{}");
		return;
	}
	if (format == PK_FORMAT_CSV) {
		pk_buf_str(&out, "name,value\n");
		csv(&out, s, "");
	} else {
		head(&out, s);
		degraded(&out, s);
		coverage(&out, s);
		packets(&out, s);
		samples(&out, s);
		captured(&out, s);
		names(&out, s);
		kept(&out, s);
		learned(&out, s);
		sinks(&out, s);
		file_hashes(&out, s);
		gate(&out, s);
		pulled(&out, s);
		losses(&out, s);
		programs(&out, s);
	}
	fwrite(out.data, 1, out.len, stdout);
}

static int run(const struct pk_command *self, int argc, char **argv)
{
	enum pk_format format = PK_FORMAT_TABLE;
	struct pk_client client;
	json_t *s = NULL;
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
	if (optind < argc)
		return pk_command_misused(self);
	pk_client_init(&client, NULL);
	r = pk_client_get(&client, PK_API_STATUS, NULL, &s);
	if (r)
		return r;
	print(s, format);
	json_decref(s);
	return 0;
}

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_status = {
	.name = "status",
	.what = "coverage per interface, counters, losses and costs",
	.usage = "status [OPTION]...",
	.options = options,
	.run = run,
	.help = "  -o, --output F   table, json or csv\n"
		"  -h, --help       this text\n\n"
		"Packets: seen = in flows + aggregated + refused, for each hook. Events: seen =\n"
		"submitted + lost + filtered. Samples: the first bytes of what flows carry, seen "
		"=\n"
		"sampled + off (sample.off) + limited (sample.rate) + lost; cut: the packet had "
		"more\n"
		"than was taken. \"Degraded\" names what this host can not see, and why.\n\n"
		"Examples:\n"
		"  picket status\n"
		"  picket status -o json | jq .degraded\n",
};
