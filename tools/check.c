/* SPDX-License-Identifier: Apache-2.0 */
/* `picket check`: would it be blocked, and by what. */
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/ip.h"
#include "client.h"
#include "command.h"
#include "entry.h"
#include "table.h"

#include <getopt.h>
#include <picket/api.h>
#include <string.h>

static void add(struct pk_buf *out, const char *s)
{
	pk_escape_text(out, s, strlen(s));
}

static void safe_words(struct pk_buf *out, json_t *answer)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(answer, "safe"), i, v)
	{
		pk_buf_str(out, i ? ", " : "");
		add(out, json_string_value(v) ? json_string_value(v) : "");
	}
}

static void hits(struct pk_buf *out, json_t *e)
{
	if (pk_json_num(e, "packets") < 1) {
		pk_buf_str(out, "  never hit\n");
		return;
	}
	pk_buf_fmt(out, "  hit %.0f times, ", pk_json_num(e, "packets"));
	pk_human_bytes(out, pk_json_num(e, "bytes"));
	pk_buf_str(out, "B");
	if (json_object_get(e, "last_hit")) {
		pk_buf_str(out, ", last ");
		pk_entry_ago(out, json_integer_value(json_object_get(e, "last_hit")));
	}
	if (*pk_json_text(e, "last_peer")) {
		pk_buf_str(out, ", with ");
		add(out, pk_json_text(e, "last_peer"));
	}
	pk_buf_char(out, '\n');
}

static void entry(struct pk_buf *out, json_t *e)
{
	pk_buf_str(out, "  ");
	pk_entry_text(out, e);
	pk_buf_str(out, "  list ");
	add(out, pk_json_text(e, "list"));
	pk_buf_fmt(out, " (%s, %s)", pk_json_text(e, "kind"), pk_json_text(e, "mode"));
	pk_buf_fmt(out, ", entry %.0f\n", pk_json_num(e, "id"));
}

static void count(struct pk_buf *out, json_t *e, const char *member, const char *what)
{
	if (pk_json_num(e, member) > 0)
		pk_buf_fmt(out, "  %s: %.0f\n", what, pk_json_num(e, member));
}

/* What an entry that is a name did, and does now. */
static void name_hits(struct pk_buf *out, json_t *e)
{
	json_t *list = json_object_get(e, "addresses"), *v;
	size_t i;

	count(out, e, "answers", "addresses answered for it");
	count(out, e, "answers_shared", "of these left open, as other names have them, too");
	count(out, e, "answers_safe", "of these left open, as they must be reached");
	count(out, e, "hellos_cut", "connections cut that named it");
	count(out, e, "queries_refused", "queries refused");
	if (json_object_get(e, "last_hit")) {
		pk_buf_str(out, "  last ");
		pk_entry_ago(out, json_integer_value(json_object_get(e, "last_hit")));
		pk_buf_char(out, '\n');
	} else {
		pk_buf_str(out, "  never hit\n");
	}
	json_array_foreach(list, i, v)
	{
		pk_buf_str(out, "  blocked because of it: ");
		add(out, pk_json_text(v, "ip"));
		pk_buf_str(out, ", ends ");
		pk_entry_ago(out, json_integer_value(json_object_get(v, "expires")));
		pk_buf_char(out, '\n');
	}
}

static void details(struct pk_buf *out, json_t *e)
{
	if (*pk_json_text(e, "reason")) {
		pk_buf_str(out, "  reason: ");
		add(out, pk_json_text(e, "reason"));
		pk_buf_char(out, '\n');
	}
	pk_buf_str(out, "  list as of ");
	pk_entry_time(out, json_integer_value(json_object_get(e, "since")));
	if (*pk_json_text(e, "source")) {
		pk_buf_str(out, ", from ");
		add(out, pk_json_text(e, "source"));
	}
	if (json_object_get(e, "expires")) {
		pk_buf_str(out, "; entry ends ");
		pk_entry_ago(out, json_integer_value(json_object_get(e, "expires")));
	}
	pk_buf_char(out, '\n');
	if (json_object_get(e, "name"))
		name_hits(out, e);
	else
		hits(out, e);
}

static void print(json_t *a)
{
	static const struct {
		const char *verdict, *says;
	} words[] = { { "drop", "BLOCKED" },
		      { "observe", "passes, but is observed" },
		      { "allow", "passes: an allow list says so" },
		      { "safe", "passes: it is a safe address" },
		      { "pass", "passes: no list speaks about it" } };
	_cleanup_(pk_buf_done) struct pk_buf out = {};
	json_t *e = json_object_get(a, "entry"), *o;
	size_t i;

	add(&out, pk_json_text(a, json_object_get(a, "name") ? "name" : "ip"));
	for (i = 0; i < PK_ARRAY_SIZE(words); i++)
		if (!strcmp(pk_json_text(a, "verdict"), words[i].verdict))
			pk_buf_fmt(&out, " %s", words[i].says);
	if (json_array_size(json_object_get(a, "safe"))) {
		pk_buf_str(&out, " (");
		safe_words(&out, a);
		pk_buf_char(&out, ')');
	}
	pk_buf_char(&out, '\n');
	if (e) {
		entry(&out, e);
		details(&out, e);
	}
	if (json_array_size(json_object_get(a, "others")))
		pk_buf_str(&out, e ? "also about it:\n" : "about it:\n");
	json_array_foreach(json_object_get(a, "others"), i, o) entry(&out, o);
	if (pk_json_num(a, "more") > 0)
		pk_buf_fmt(&out, "  and %.0f more\n", pk_json_num(a, "more"));
	fwrite(out.data ? out.data : "", 1, out.len, stdout);
}

enum { DIR = 256, PROTO, PORT };

static int run(const struct pk_command *self, int argc, char **argv)
{
	const char *query[] = { "ip", NULL, "dir", NULL, "proto", NULL, "port", NULL, NULL };
	enum pk_format format = PK_FORMAT_TABLE;
	struct pk_client client;
	json_t *answer = NULL;
	uint8_t addr[16];
	int c, r;

	optind = 1;
	while ((c = getopt_long(argc, argv, "o:h", self->options, NULL)) >= 0) {
		if (c == 'h') {
			pk_command_usage(self, stdout);
			return 0;
		}
		if (c == '?')
			return pk_command_misused(self);
		if (c == 'o' && (pk_format_parse(optarg, &format) < 0 || format == PK_FORMAT_CSV)) {
			fprintf(stderr, "picket: -o takes table or json, not %s\n", optarg);
			return 2;
		}
		if (c >= DIR)
			query[2 * (c - DIR) + 3] = optarg;
	}
	if (optind + 1 != argc)
		return pk_command_misused(self);
	if (pk_ip_parse(argv[optind], addr) < 0)
		query[0] = "name";
	query[1] = argv[optind];
	pk_client_init(&client, NULL);
	r = pk_client_get(&client, PK_API_CHECK, query, &answer);
	if (r)
		return r;
	if (format == PK_FORMAT_JSON) {
		_cleanup_free_ char *text = json_dumps(answer, JSON_COMPACT | JSON_ENSURE_ASCII);

		printf("%s\n", text ? text : "{}");
	} else {
		print(answer);
	}
	json_decref(answer);
	return 0;
}

static const struct option options[] = {
	{ "dir", required_argument, NULL, DIR },   { "proto", required_argument, NULL, PROTO },
	{ "port", required_argument, NULL, PORT }, { "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },        { NULL, 0, NULL, 0 },
};

const struct pk_command pk_cmd_check = {
	.name = "check",
	.what = "would an address or a name be blocked, by what, how often was it",
	.usage = "check [OPTION]... ADDRESS|NAME",
	.options = options,
	.run = run,
	.help = "      --dir WAY        in (from there), out (to there); without it either\n"
		"      --proto P        tcp, udp, ...; without it entries for any protocol count\n"
		"      --port N         destination port; the same\n"
		"  -o, --output F       table or json\n"
		"  -h, --help           this text\n\n"
		"Examples:\n"
		"  picket check 192.0.2.7\n"
		"  picket check --dir in --proto tcp --port 22 2001:db8::7\n"
		"  picket check www.evil.example\n",
};
